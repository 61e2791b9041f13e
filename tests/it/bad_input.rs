//! Bad input gets one screen that says what is wrong, where, and what to do; nothing is sent, and no report is touched.

use std::path::Path;

use crate::support::contract::Copy;
use crate::support::server::{Answer, Server};
use crate::support::{Probity, Ran, creating, probity};

/// How many lines one screen has.
const SCREEN: usize = 25;

/// Reports of an earlier run.
const OLD: [&str; 3] = ["reports/report.json", "reports/junit.xml", "reports/exchanges.ndjson"];

/// A target that counts who comes.
fn target() -> Server {
    Server::http(|_| Answer::json(201, "{}"))
}

/// Runs a command that must be refused before anything is done.
#[track_caller]
fn refused(command: Probity, target: &Server, message: &str) -> Ran {
    let command = OLD.iter().fold(command, |command, file| command.file(file, "of an earlier run"));
    let before = crate::support::files(command.folder());
    let ran = command.exits(2);
    ran.complains(message);
    ran.holds(ran.stdout.is_empty(), "nothing is on stdout");
    ran.holds(ran.stderr.lines().count() <= SCREEN, "it fits one screen");
    ran.holds(
        !ran.stderr.contains("panicked") && !ran.stderr.contains("a defect of probity"),
        "it is an error, not a defect",
    );
    ran.holds(target.connections() == 0, "nothing was sent");
    ran.holds(ran.files() == before, "no file was touched");
    ran
}

/// Checks that an error points at a text in a file, with a caret.
#[track_caller]
fn points(ran: &Ran, file: &str, text: &str, at: &str) {
    let offset = text.find(at).unwrap_or_else(|| panic!("{file} has no {at:?}"));
    let line = text[..offset].matches('\n').count() + 1;
    ran.holds(ran.stderr.contains(&format!("{file}:{line}:")), &format!("it points at {file}:{line}"));
    ran.holds(ran.stderr.contains('^'), "there is a caret");
}

#[track_caller]
fn helps(ran: &Ran) {
    ran.holds(ran.stderr.contains("help: "), "it says what to do");
}

/// A contract that cannot be used: the file and the text in it that the error points at, and the message.
#[track_caller]
fn bad_contract(copy: &Copy, file: &str, at: &str, message: &str) -> Ran {
    let target = target();
    let ran = refused(probity("check --contract").arg(copy.path()).settings(&target.url()), &target, message);
    let path = if file.starts_with("spec/") { copy.path().join("../..").join(file) } else { copy.path().join(file) };
    points(&ran, file, &std::fs::read_to_string(path).expect("a file"), at);
    ran
}

const DOCUMENT: &str = "spec/create-opportunity.yaml";

#[test]
fn look_ups_that_cannot_work() {
    for (from, to, at, message) in [
        ("- me: { get: /v1/me,", "- me: { gett: /v1/me,", "gett", "unknown key `gett` in a step of `lookup`"),
        ("- me: { get: /v1/me,", "- me: { get: v1/me,", "v1/me,", "a path must begin with a slash"),
        ("- me: { get: /v1/me,", "- me: { get: \"/v1/{it}\",", "\"/v1/{it}\"", "there is no `each`"),
        ("- me: { get: /v1/me,", "- me: { get: \"/v1/{me}\",", "\"/v1/{me}\"", "nothing in braces but {it}"),
        ("[body.data, body.user, body]", "[body.data, boddy]", "boddy", "unknown name `boddy`"),
        ("[body.data, body.user, body]", "[body.data, body.(]", "body.(", "this is not a CEL expression"),
        ("    - colleague: {", "    - me: {", "me: { get: /v1/me, as", "the name `me` is already taken"),
        ("caller_user_id: [me.id", "caler_user_id: [me.id", "caler_user_id", "needs no fixture `caler_user_id`"),
        ("name: it.id, value: \"{'pipe", "value: \"{'pipe", "{ each: homes", "`name` is missing"),
    ] {
        let copy = Copy::new().change("contract.yaml", from, to);
        bad_contract(&copy, "contract.yaml", at, message);
    }
}

#[test]
fn a_document_that_is_not_there() {
    let copy = Copy::new().change("contract.yaml", "spec: spec/create", "spec: spec/gone-create");
    bad_contract(&copy, "contract.yaml", "spec/gone", "cannot find `spec/gone-create-opportunity.yaml`");
}

#[test]
fn a_document_that_cannot_be_read() {
    let copy = Copy::new().write(DOCUMENT, [b'o', 0xff, 0xfe, b'\n']);
    bad_contract(&copy, "contract.yaml", "spec/create", "cannot read");
}

#[test]
fn a_document_that_is_no_yaml() {
    let copy = Copy::new().change(DOCUMENT, "operationId: createOpportunity", "operationId: [createOpportunity");
    let target = target();
    let ran = refused(probity("check --contract").arg(copy.path()).settings(&target.url()), &target, "not valid YAML");
    ran.holds(ran.stderr.contains(&format!("{DOCUMENT}:")) && ran.stderr.contains('^'), "it points at a place");
}

#[test]
fn a_document_with_a_key_twice() {
    let copy =
        Copy::new().change(DOCUMENT, "          maximum: 100\n", "          maximum: 100\n          maximum: 99\n");
    bad_contract(&copy, DOCUMENT, "maximum: 99", "duplicate");
}

#[test]
fn a_document_that_is_empty() {
    let copy = Copy::new().write(DOCUMENT, "");
    let target = target();
    refused(probity("check --contract").arg(copy.path()).settings(&target.url()), &target, DOCUMENT);
}

#[test]
fn an_operation_that_is_not_in_the_document() {
    let copy = Copy::new().change("contract.yaml", "operation: createOpportunity", "operation: createOportunity");
    bad_contract(&copy, "contract.yaml", "createOportunity", "the document has no operation `createOportunity`")
        .complains("did you mean `createOpportunity`?");
}

#[test]
fn swagger() {
    let copy = Copy::new().change(DOCUMENT, "openapi: 3.0.3", "swagger: '2.0'");
    bad_contract(&copy, DOCUMENT, "'2.0'", "Swagger 2").complains("swagger2openapi");
}

#[test]
fn a_version_that_is_not_there_yet() {
    let copy = Copy::new().change(DOCUMENT, "openapi: 3.0.3", "openapi: 4.0.0");
    bad_contract(&copy, DOCUMENT, "4.0.0", "OpenAPI 4.0.0 is not supported");
}

#[test]
fn a_reference_to_nowhere() {
    let copy = Copy::new().change(DOCUMENT, "'#/components/schemas/PipelineStage'", "'#/components/schemas/Stage'");
    bad_contract(&copy, DOCUMENT, "'#/components/schemas/Stage'", "`#/components/schemas/Stage` leads to nothing");
}

#[test]
fn a_reference_to_another_file() {
    let copy = Copy::new().change(DOCUMENT, "'#/components/schemas/PipelineStage'", "'stages.yaml#/Stage'");
    bad_contract(&copy, DOCUMENT, "'stages.yaml#/Stage'", "cannot be read");
}

#[test]
fn references_in_a_circle() {
    let itself = "    Pipeline:\n      $ref: '#/components/schemas/Pipeline'\n    Another:\n";
    let copy = Copy::new().change(DOCUMENT, "    Pipeline:\n", itself);
    bad_contract(&copy, DOCUMENT, "$ref: '#/components/schemas/Pipeline'\n    Another", "leads back to itself");
}

/// What stops nothing is said by `lint`, with its place.
#[track_caller]
fn noted(copy: &Copy, at: &str, message: &str) -> Ran {
    let ran = probity("lint --contract").arg(copy.path()).settings(&target().url()).exits(0);
    ran.complains(message);
    points(&ran, DOCUMENT, &std::fs::read_to_string(copy.path().join("../..").join(DOCUMENT)).expect("a file"), at);
    ran
}

#[test]
fn a_pattern_that_is_none() {
    let copy = Copy::new().change(DOCUMENT, "description: What the opportunity is called", "pattern: '^[a'");
    noted(&copy, "'^[a'", "this pattern cannot be read");
}

#[test]
fn a_host_that_there_cannot_be() {
    probity("check --target http://{host}/").env("PROBITY_TOKEN", "t").exits(2).complains("no host has such a name");
}

#[test]
fn parts_of_an_example_are_no_whole_example() {
    let schema = |example: &str| {
        format!(
            "{{ type: object, required: [name], \
             properties: {{ name: {{ type: string }}, size: {{ type: integer, maximum: 9, example: {example} }} }} }}"
        )
    };
    let lint = |example: &str| {
        probity("lint --document things.yaml --operation createThing")
            .file("things.yaml", creating("application/json", &schema(example)))
            .run()
    };
    assert_eq!(lint("5").code, Some(0));
    let ran = lint("50");
    ran.complains("the document's example breaks its own schema").complains("/size");
    assert_eq!(ran.code, Some(2));
}

#[test]
fn names_that_control_a_terminal_are_spelt_out() {
    let document =
        creating("application/json", r#"{ type: object, properties: { "a\e[31mb\u202ec": { type: integer } } }"#);
    for words in ["list --document things.yaml", "plan --document things.yaml --operation createThing"] {
        let ran = probity(words).file("things.yaml", &document).exits(0);
        ran.never_says("\u{1b}").never_says("\u{202e}");
    }
    probity("list --document things.yaml").file("things.yaml", &document).exits(0).says("a\\u{1b}[31mb\\u{202e}c");
}

#[test]
fn a_keyword_that_is_misspelt() {
    let copy = Copy::new().change(DOCUMENT, "description: What the opportunity is called", "minLenght: 0");
    noted(&copy, "minLenght", "minLenght").complains("did you mean `minLength`?");
}

#[test]
fn a_keyword_of_another_version() {
    let copy = Copy::new().change(DOCUMENT, "description: What the opportunity is called", "propertyNames: {}");
    noted(&copy, "propertyNames", "OpenAPI 3.0 does not have the keyword `propertyNames`");
}

#[test]
fn a_schema_that_contradicts_itself() {
    let copy = Copy::new().change(DOCUMENT, "minimum: 0\n", "minimum: 200\n");
    bad_contract(&copy, DOCUMENT, "minimum: 200", "no value");
}

#[test]
fn a_key_of_contract_yaml_that_nobody_reads() {
    let copy = Copy::new().change("contract.yaml", "define:", "defines:");
    bad_contract(&copy, "contract.yaml", "defines:", "unknown key `defines`").complains("did you mean `define`?");
}

#[test]
fn a_key_of_a_case_that_nobody_reads() {
    let copy = Copy::new().change("close-date.yaml", "  expect: sent.refused", "  expct: sent.refused");
    bad_contract(&copy, "close-date.yaml", "expct", "unknown key `expct` in a case")
        .complains("did you mean `expect`?");
    let copy = Copy::new().change("close-date.yaml", "from: minimal, set:", "from: minimal, sets:");
    bad_contract(&copy, "close-date.yaml", "sets:", "unknown key `sets`").complains("did you mean `set`?");
}

#[test]
fn an_id_that_stands_twice() {
    let copy = Copy::new().change("close-date.yaml", "- id: leap-day", "- id: year-9000");
    bad_contract(&copy, "close-date.yaml", "year-9000\n  level: must", "duplicate id `close-date/year-9000`")
        .complains("it is first used at");
}

#[test]
fn an_id_that_is_no_slug() {
    let copy = Copy::new().change("close-date.yaml", "- id: leap-day", "- id: Leap Day");
    bad_contract(&copy, "close-date.yaml", "Leap Day", "an id must be a slug");
}

#[test]
fn a_level_that_is_none() {
    let copy = Copy::new().change("close-date.yaml", "level: should", "level: shall");
    bad_contract(&copy, "close-date.yaml", "shall", "`level` must be `must`, `should` or `may`");
}

#[test]
fn an_expression_that_does_not_parse() {
    let copy = Copy::new().change("close-date.yaml", "expect: sent.accepted", "expect: sent.accepted &&");
    bad_contract(&copy, "close-date.yaml", "sent.accepted &&", "");
}

#[test]
fn an_expression_that_names_something_unknown() {
    let copy = Copy::new().change("close-date.yaml", "expect: sent.accepted", "expect: send.accepted");
    bad_contract(&copy, "close-date.yaml", "send.accepted", "`send`").complains("did you mean `sent`?");
}

#[test]
fn an_expression_that_asks_for_an_unknown_part() {
    let copy = Copy::new().change("close-date.yaml", "expect: sent.accepted", "expect: sent.acepted");
    bad_contract(&copy, "close-date.yaml", "sent.acepted", "acepted");
}

#[test]
fn a_define_that_asks_for_an_unknown_part() {
    let copy = Copy::new().change(
        "contract.yaml",
        "request.path.household_id].pipeline_id",
        "request.path.house_id].pipeline_id",
    );
    bad_contract(&copy, "contract.yaml", "fixtures.households[request.path.house_id]", "house_id");
}

#[test]
fn an_expression_that_calls_something_unknown() {
    let copy = Copy::new().change("close-date.yaml", "expect: sent.accepted", "expect: size_of(sent) == 1");
    bad_contract(&copy, "close-date.yaml", "size_of", "size_of");
}

#[test]
fn an_expression_that_is_no_truth() {
    let copy = Copy::new().change("close-date.yaml", "expect: sent.accepted", "expect: sent.response.status");
    bad_contract(&copy, "close-date.yaml", "sent.response.status", "");
}

#[test]
fn a_step_that_refers_to_a_later_one() {
    let case = "- id: later\n  level: must\n  text: Nothing.\n  source: nowhere\n  steps:\n    - first: { repeat: second }\n    \
                - second: { from: minimal }\n  expect: first.accepted\n";
    let copy = Copy::new().append("close-date.yaml", case);
    bad_contract(&copy, "close-date.yaml", "{ repeat: second }", "second");
    let case = case.replace("repeat: second", "repeat: third");
    let copy = Copy::new().append("close-date.yaml", &case);
    bad_contract(&copy, "close-date.yaml", "{ repeat: third }", "third");
}

#[test]
fn a_case_that_says_nothing() {
    let case = "- id: nothing\n  level: must\n  text: Nothing.\n  source: nowhere\n";
    bad_contract(
        &Copy::new().append("close-date.yaml", case),
        "close-date.yaml",
        "- id: nothing",
        "this case says nothing",
    );
}

#[test]
fn cases_that_are_no_yaml() {
    let copy = Copy::new().append("close-date.yaml", "- id: \"open\n");
    let target = target();
    let ran = refused(probity("check --contract").arg(copy.path()).settings(&target.url()), &target, "not valid YAML");
    ran.holds(ran.stderr.contains("close-date.yaml:") && ran.stderr.contains('^'), "it points at a place");
}

#[test]
fn a_contract_that_is_not_there() {
    let target = target();
    let ran = refused(probity("check --contract gone").settings(&target.url()), &target, "gone");
    helps(&ran);
    let ran = refused(
        probity("check --contract empty").settings(&target.url()).file("empty/a.txt", ""),
        &target,
        "no contract.yaml",
    );
    helps(&ran);
}

#[test]
fn errors_of_contracts_say_what_to_do() {
    let changes = [
        ("contract.yaml", "spec: spec/create", "spec: spec/gone-create"),
        (DOCUMENT, "operationId: createOpportunity", "operationId: [createOpportunity"),
        (DOCUMENT, "          maximum: 100\n", "          maximum: 100\n          maximum: 99\n"),
        (DOCUMENT, "openapi: 3.0.3", "openapi: 4.0.0"),
        (DOCUMENT, "'#/components/schemas/PipelineStage'", "'#/components/schemas/Stage'"),
        (DOCUMENT, "    Pipeline:\n", "    Pipeline:\n      $ref: '#/components/schemas/Pipeline'\n    Another:\n"),
        ("close-date.yaml", "- id: leap-day", "- id: year-9000"),
        ("close-date.yaml", "expect: sent.accepted", "expect: sent.accepted &&"),
        ("close-date.yaml", "expect: sent.accepted", "expect: send.accepted"),
    ];
    let silent = changes.into_iter().filter(|(file, from, to)| {
        let copy = Copy::new().change(file, from, to);
        !probity("check --contract").arg(copy.path()).settings(&target().url()).exits(2).stderr.contains("help: ")
    });
    assert_eq!(
        silent.map(|(_, _, to)| to).collect::<Vec<_>>(),
        [""; 0],
        "each of these changes gets an error without help"
    );
}

#[test]
fn every_command_refuses_a_bad_contract() {
    let copy = Copy::new().change("close-date.yaml", "expect: sent.accepted", "expct: sent.accepted");
    for words in ["list", "plan", "lint", "explain close-date/past"] {
        let target = target();
        refused(
            probity(words).settings(&target.url()).arg("--contract").arg(copy.path()),
            &target,
            "unknown key `expct`",
        );
    }
}

/// Settings that cannot be used: a change of good ones, the text that the error points at, and the message.
#[track_caller]
fn bad_settings(from: &str, to: &str, at: &str, message: &str) -> Ran {
    let target = target();
    let text = probity::reference::settings_toml(&target.url());
    assert!(text.contains(from), "{text}");
    let text = text.replacen(from, to, 1);
    let ran =
        refused(probity("check --config my/settings.toml").tokens().file("my/settings.toml", &text), &target, message);
    points(&ran, "my/settings.toml", &text, at);
    helps(&ran);
    ran
}

#[test]
fn a_token_variable_that_is_not_set() {
    let ran = bad_settings("PROBITY_TOKEN_READ_ONLY", "MY_TOKEN", "\"MY_TOKEN\"", "the variable MY_TOKEN is not set");
    ran.complains("export MY_TOKEN=");
    let target = target();
    for value in [None, Some(""), Some("  ")] {
        let command = probity("check --fixture household_id=hh_1 --target").arg(target.url());
        let command = value.into_iter().fold(command, |command, value| command.env("PROBITY_TOKEN", value));
        helps(&refused(command, &target, "the variable PROBITY_TOKEN is not set"));
    }
}

#[test]
fn a_url_that_is_none() {
    for url in [
        "staging.example.com",
        "ftp://example.com",
        "http://",
        "https://exa mple.com",
        "http://example.com/?a=b",
        "http://x:99999",
        "",
    ] {
        bad_settings("url = \"http", &format!("url = \"{url}\" # http"), "url = ", "cannot be target.url");
        let target = target();
        let command =
            probity("check --fixture household_id=hh_1").env("PROBITY_TOKEN", "t0ken").arg(format!("--target={url}"));
        helps(&refused(command, &target, "cannot be target.url"));
    }
}

#[test]
fn a_key_of_the_settings_that_nobody_reads() {
    bad_settings("[target]\n", "[target]\nretries = 5\n", "retries", "unknown key `retries`");
    bad_settings("[identities.caller]\n", "[identities.caller]\nname = \"a\"\n", "name", "unknown key `name`");
    bad_settings("[fixtures]\n", "[fixture]\n", "[fixture]", "fixture");
}

#[test]
fn settings_that_are_no_toml() {
    bad_settings("[target]\n", "[target\n", "[target\n", "");
    bad_settings("url = ", "url = 5 # ", "5 # ", "");
}

#[test]
fn fixtures_that_break_their_schema() {
    bad_settings("household_id = \"hh_p2Kd71\"", "", "[fixtures]", "household_id")
        .complains("probity explain fixtures");
    bad_settings("household_id = \"hh_p2Kd71\"", "household_id = 5", "5\n", "the fixture `household_id`");
    bad_settings("household_id = \"hh_p2Kd71\"", "household_id = \"\"", "\"\"", "the fixture `household_id`");
    bad_settings("[fixtures]\n", "[fixtures]\nhousehold = \"hh_1\"\n", "[fixtures]", "household");
    bad_settings("[\"st_n4Xc\", \"st_s1Lp\"", "[\"st_n4Xc\", \"st_n4Xc\"", "[\"st_n4Xc\", \"st_n4Xc\"", "stage_ids");
    let target = target();
    let command = probity("check").env("PROBITY_TOKEN", "t0ken").arg("--target").arg(target.url());
    helps(&refused(command, &target, "household_id"));
}

#[test]
fn settings_that_are_not_there() {
    let target = target();
    helps(&refused(probity("check --config gone.toml"), &target, "cannot read gone.toml"));
    helps(&refused(
        probity("check").file("probity.toml", "").env("PROBITY_TOKEN", "t0ken"),
        &target,
        "no target is set",
    ));
}

#[test]
fn usage_that_is_wrong() {
    let target = target();
    let cases = [
        ("chekc", "unrecognized subcommand 'chekc'"),
        ("check --sed 1", "unexpected argument '--sed'"),
        ("check --seed many", "invalid value 'many'"),
        ("check --timeout 0s", "write 10s, 500ms"),
        ("check --rate fast", "write 8/s"),
        ("check --max-created 0", "--max-created"),
        ("check --timeout soon", "write 10s, 500ms"),
        ("check --examples -1", "-1"),
        ("check --concurrency 0", "--concurrency"),
        ("check --max-requests 0", "--max-requests"),
        ("check --max-failures 0", "--max-failures"),
        ("check --fixture household_id", "write PATH=VALUE"),
        ("check --fixture a..b=c --fault key-ignored", "`a..b` is not a path of a fixture"),
        ("check --fault key-ingored", "did you mean `key-ignored`?"),
        ("check --variation latenzy", "did you mean `latency`?"),
        ("check --fault key-ignored --target http://127.0.0.1:1", "cannot be used with"),
        ("explain idempotency/third-tme", "did you mean `idempotency/third-time`?"),
        ("serve --port 99999", "99999"),
        ("completions dash", "dash"),
    ];
    for (words, message) in cases {
        refused(probity(words), &target, message);
    }
    let ran = probity("").exits(2);
    ran.complains("Usage: probity");
    let ran = probity("help").exits(0);
    ran.says("Usage: probity").holds(ran.stderr.is_empty(), "help that was asked for is on stdout");
}

#[test]
fn an_example_that_breaks_the_contract_is_a_warning_and_an_error_of_lint() {
    let stale = Copy::new().change(
        DOCUMENT,
        "target_close_date: '2099-06-01T00:00:00Z'",
        "target_close_date: '2019-06-01T00:00:00Z'",
    );
    let wrong = Copy::new().change(DOCUMENT, "probability: 75", "probability: 175");
    for (copy, message) in [(stale, "breaks close-date/in-the-future"), (wrong, "breaks its own schema")] {
        let path = |copy: &Copy| -> String { Path::new(&copy.path()).display().to_string() };
        let ran = probity("check --only close-date/leap-day --contract").arg(path(&copy)).exits(0);
        ran.complains("warning: ").complains(message).complains("spec/create-opportunity.yaml:");
        let ran = probity("lint --contract").arg(path(&copy)).exits(2);
        ran.complains("error: ").complains(message).holds(ran.stdout.is_empty(), "lint does not call it good");
    }
    probity("lint").exits(0).says("no defect found");
}

#[test]
fn a_variable_that_is_set_to_nothing_does_not_change_what_is_tested() {
    for name in ["PROBITY_TARGET", "PROBITY_CONFIG", "PROBITY_ON", "PROBITY_CONTRACT", "PROBITY_DOCUMENT"] {
        let ran = probity("check --quiet").env(name, "").exits(2);
        ran.complains(&format!("the variable {name} is empty"));
    }
    probity("plan").env("PROBITY_RATE", "").exits(0);
    #[cfg(unix)]
    {
        use std::os::unix::ffi::OsStrExt as _;
        let bytes = std::ffi::OsStr::from_bytes(b"http://127.0.0.1:1/\xff");
        let ran = probity("check --quiet").env("PROBITY_TARGET", bytes).exits(2);
        ran.complains("the variable PROBITY_TARGET is not text in UTF-8");
    }
}

#[test]
fn more_random_requests_than_can_be_planned_are_refused() {
    for command in ["check", "plan"] {
        probity(&format!("{command} --examples 999999999999")).exits(2).complains("1000000 are the most");
    }
}

#[cfg(target_os = "linux")]
#[test]
fn what_cannot_be_printed_is_told() {
    for (words, code) in [("list", 5), ("schema settings", 5), ("check --only close-date/past --quiet", 5)] {
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_probity"));
        let folder = tempfile::tempdir().expect("a folder");
        let full = std::fs::OpenOptions::new().write(true).open("/dev/full").expect("the device");
        command.args(words.split(' ')).current_dir(folder.path()).stdout(full);
        let ran = command.output().expect("the binary");
        let said = String::from_utf8_lossy(&ran.stderr);
        assert!(said.contains("cannot write to the standard output"), "{words}: {said}");
        assert_eq!(ran.status.code(), Some(code), "{words}");
    }
}

#[test]
fn what_an_earlier_run_wrote_in_other_formats_is_gone() {
    let first = probity("check --only close-date/past --report badge,markdown").exits(0);
    first.holds(first.folder().join("reports/badge.svg").is_file(), "there is a badge");
    let second = probity("check --only close-date/past").within(first.folder()).exits(0);
    drop(second);
    let left: Vec<String> = first.files().into_keys().map(|path| path.display().to_string()).collect();
    assert!(!left.iter().any(|file| file.contains("badge") || file.ends_with(".md")), "{left:?}");
}

#[test]
fn a_part_of_a_run_is_not_replaced_by_the_whole() {
    let part = |n: u32| format!("check --only close-date/* --seed 7 --shard {n}/2 --out part-{n}");
    let first = probity(&part(1)).run();
    probity(&part(2)).within(first.folder()).run();
    let merged = probity("merge part-1 part-2 --out part-1").within(first.folder()).exits(2);
    merged.complains("part-1 is a part itself, and would be replaced");
    probity("merge part-1 part-2 --out whole").within(first.folder()).exits(0);
}
