//! Settings that are found, not typed.

use serde_json::{Value, json};

use super::before;
use crate::support::schema::{self, Schema};
use crate::support::server::{Answer, Request, Server, nowhere};
use crate::support::{Ran, normalised, probity};

/// A server that answers look-ups by path, and 404 to all else.
fn answering(answers: Vec<(&'static str, Value)>) -> Server {
    Server::http(move |request: &Request| match answers.iter().find(|(path, _)| *path == request.target) {
        Some((_, body)) => Answer::json(200, &body.to_string()),
        None => Answer::json(404, r#"{"message":"not here"}"#),
    })
}

fn init(url: &str) -> Ran {
    let ran = probity(&format!("init --target {url}")).env("PROBITY_TOKEN", "t0ken").exits(0);
    ran.holds(!ran.read("probity.toml").contains("t0ken"), "no token is written");
    ran
}

/// The fixtures that a file was written with.
fn fixtures(ran: &Ran) -> Value {
    let toml: toml::Table = ran.read("probity.toml").parse().expect("TOML");
    serde_json::to_value(&toml["fixtures"]).expect("JSON")
}

#[test]
fn what_the_target_tells_is_written_and_can_be_checked() {
    let server = before(|_, _| None);
    let ran = probity(&format!("init --target {}", server.url())).tokens().exits(0);
    assert!(server.requests().iter().all(|r| r.method == "GET" && r.body.is_empty()), "it only reads");
    insta::assert_snapshot!("init_file", normalised(&ran.read("probity.toml")));
    Schema::of("settings").fits("what init wrote", &schema::toml(&ran.read("probity.toml")));
    insta::assert_snapshot!("init_says", normalised(&ran.stdout));
    let checked = probity("check").tokens().file("probity.toml", ran.read("probity.toml")).exits(0);
    let skipped = checked.ids("skipped");
    let foreign = [
        "household/foreign",
        "household/foreign-status",
        "idempotency/used-key-of-another-caller",
        "pipeline/foreign-owner",
        "pipeline/foreign-pipeline",
        "pipeline/foreign-pipeline-and-stage",
        "pipeline/foreign-stage",
    ];
    assert_eq!(skipped, foreign, "only what needs another tenant");
}

#[test]
fn without_other_tokens_there_are_no_others() {
    let server = before(|_, _| None);
    let ran = probity(&format!("init --target {} --token-env STAGING", server.url()))
        .env("STAGING", probity::reference::TOKENS[0].1)
        .exits(0);
    let file = ran.read("probity.toml");
    for line in [
        "[identities.caller]\ntoken = { env = \"STAGING\" }",
        "# [identities.colleague]\n# token = { env = \"STAGING_COLLEAGUE\" }",
        "# colleague_user_id = \"…\"",
    ] {
        ran.holds(file.contains(line), line);
    }
    probity("check --only close-date/leap-day")
        .env("STAGING", probity::reference::TOKENS[0].1)
        .file("probity.toml", file)
        .exits(0);
}

#[test]
fn other_shapes_are_understood() {
    let stages = json!([{"id": "s2", "position": 2}, {"id": "s1", "position": 1}]);
    let server = answering(vec![
        ("/v1/me", json!({"user": {"id": "u1"}})),
        ("/v1/households", json!([{"id": "h1", "household_type": "client"}, {"id": "h2", "household_type": "client"}])),
        ("/v1/pipelines", json!({"pipelines": [{"id": "p1", "type": "client", "stages": stages}]})),
    ]);
    let found = json!({
        "household_id": "h1",
        "caller_user_id": "u1",
        "households": {"h1": {"pipeline_id": "p1"}},
        "pipelines": {"p1": {"stage_ids": ["s1", "s2"]}},
    });
    assert_eq!(fixtures(&init(&server.url())), found);
}

#[test]
fn what_is_not_certain_is_not_written() {
    // Two pipelines of the type, and neither says that it is the default.
    let pipeline = |id: &str| json!({"id": id, "type": "client", "stages": [{"id": 7}]});
    let server = answering(vec![
        ("/v1/me", json!({"id": 12})),
        ("/v1/households", json!({"data": [{"id": "h1", "type": "client"}]})),
        ("/v1/pipelines", json!({"data": [pipeline("p1"), pipeline("p2")]})),
    ]);
    let ran = init(&server.url());
    assert_eq!(fixtures(&ran), json!({"household_id": "h1"}));
    ran.says("GET /v1/households/h1: 404");
}

#[test]
fn a_target_without_look_ups_leaves_lines_to_fill_in() {
    let broken: [fn(&Request) -> Answer; 7] = [
        |_| Answer::json(404, "{}"),
        |_| Answer::json(403, "{}"),
        |_| Answer::json(501, "{}"),
        |_| Answer::json(200, "null"),
        |_| Answer::json(200, r#"{"data": {"data": {"id": []}}}"#),
        |_| Answer::Whole(200, vec![("Content-Type".into(), "text/html".into())], b"<html>log in</html>".to_vec()),
        |_| Answer::Close,
    ];
    for answer in broken {
        let server = Server::http(answer);
        let ran = init(&server.url());
        ran.says("Nothing can be checked without household_id");
        let file = ran.read("probity.toml");
        ran.holds(file.contains("(required)\n# household_id = \"…\"\n"), "it is described");
        assert_eq!(fixtures(&ran), json!({}));
    }
    let ran = init(&nowhere());
    ran.says("GET /v1/me: no connection");
    assert_eq!(fixtures(&ran), json!({}));
    let file = ran.read("probity.toml");
    let plan = probity("plan").env("PROBITY_TOKEN", "t").file("probity.toml", &file);
    plan.exits(2).complains("household_id");
    // Filled in, it is a file like any other.
    let filled = file.replacen("# household_id = \"…\"", "household_id = \"hh_1\"", 1);
    probity("plan").env("PROBITY_TOKEN", "t").file("probity.toml", filled).exits(0);
}

#[test]
fn odd_names_do_no_harm() {
    let odd = "a\"b\n[target]\u{7f}\u{1b}[31m'";
    let server = Server::http(move |request| {
        Answer::json(
            200,
            &match request.target.as_str() {
                "/v1/households" => json!([{"id": odd, "type": "x"}]).to_string(),
                "/v1/pipelines" => json!([{"id": "p", "type": "x", "stages": [{"id": odd}]}]).to_string(),
                target if target.starts_with("/v1/pipelines/") => {
                    json!({"id": "p", "type": "x", "stages": [{"id": odd}]}).to_string()
                }
                target if target.starts_with("/v1/households/") => json!({"id": odd, "type": "x"}).to_string(),
                _ => json!({"id": odd}).to_string(),
            },
        )
    });
    let ran = init(&server.url());
    let found = fixtures(&ran);
    assert_eq!(found["household_id"], odd);
    assert_eq!(found["households"][odd]["pipeline_id"], "p");
    assert_eq!(found["pipelines"]["p"]["stage_ids"], json!([odd]));
    ran.holds(!ran.stdout.contains('\u{1b}'), "the terminal is safe");
    assert!(server.requests().iter().all(|r| !r.target.contains(['"', '\n'])), "paths are encoded");
}

#[test]
fn what_is_given_is_not_looked_for() {
    let server = before(|_, _| None);
    let words = format!("init --target {} --fixture household_id=hh_d7Qt20 --timeout 7s --out a.toml", server.url());
    let ran = probity(&words).tokens().exits(0);
    let file: toml::Table = ran.read("a.toml").parse().expect("TOML");
    assert_eq!(file["fixtures"]["household_id"].as_str(), Some("hh_d7Qt20"));
    assert_eq!(file["fixtures"]["households"]["hh_d7Qt20"]["pipeline_id"].as_str(), Some("pl_w9Hk"));
    assert_eq!(file["target"]["timeout"].as_str(), Some("7s"));
    ran.says("probity check --config a.toml");
    let before_it = server.requests().len();
    let ran = probity(&format!("init --no-lookup --target {}", server.url())).tokens().exits(0);
    ran.says("Nothing was looked up.");
    let ran_without = probity(&format!("init --target {}", server.url())).exits(0);
    ran_without.says("the variable PROBITY_TOKEN is not set").says("export PROBITY_TOKEN=…");
    assert_eq!(server.requests().len(), before_it);
}

#[test]
fn paths_are_written_so_that_the_file_finds_them() {
    let pem = "-----BEGIN CERTIFICATE-----";
    let words = "init --no-lookup --target https://staging.invalid --ca-file ca.pem";
    for (out, absolute) in [("probity.toml", false), ("sub/probity.toml", true)] {
        let command = probity(&format!("{words} --out {out}")).file("ca.pem", pem).file("sub/other", "");
        let ran = command.exits(0);
        let file: toml::Table = ran.read(out).parse().expect("TOML");
        let path = std::path::Path::new(file["target"]["ca_file"].as_str().expect("a path"));
        ran.holds(path.is_absolute() == absolute && ran.folder().join(path).is_file(), "it leads to the file");
    }
}

#[test]
fn nothing_is_overwritten_or_guessed() {
    let server = before(|_, _| None);
    let words = format!("init --target {}", server.url());
    let ran = probity(&words).tokens().file("probity.toml", "mine").exits(2);
    ran.complains("probity.toml already exists").complains("--force");
    assert_eq!(ran.read("probity.toml"), "mine");
    assert!(server.requests().is_empty());
    let ran = probity(&format!("{words} --force")).tokens().file("probity.toml", "mine").exits(0);
    assert!(ran.read("probity.toml").contains(&server.url()));
    probity("init").tokens().exits(2).complains("--target");
    let ran = probity(&format!("{words} --token-env slnt_pat_s3cret")).exits(2);
    ran.complains("the name of a variable");
    ran.holds(!ran.stderr.contains("s3cret"), "a token is not repeated");
    let ran = probity("init --target ftp://x").tokens().exits(2);
    ran.complains("neither http nor https");
    ran.holds(!ran.folder().join("probity.toml").exists(), "nothing is written");
}

#[cfg(unix)]
#[test]
fn on_a_terminal_it_asks() {
    let server = before(|_, _| None);
    let folder = tempfile::tempdir().expect("a folder");
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_probity"));
    command.arg("init").current_dir(folder.path()).env_clear();
    let mut terminal = rexpect::session::spawn_command(command, Some(30_000)).expect("a terminal");
    terminal.exp_string("Base URL of the target").expect("a question");
    terminal.send_line(&server.url()).expect("an answer");
    terminal.exp_string("Token for looking up fixtures").expect("a question");
    terminal.exp_string("later it is read from PROBITY_TOKEN").expect("where it belongs");
    let token = probity::reference::TOKENS[0].1;
    terminal.send_line(token).expect("an answer");
    let said = terminal.exp_eof().expect("an end");
    assert!(said.contains("household_id = ") && said.contains("export PROBITY_TOKEN="), "{said}");
    let file = std::fs::read_to_string(folder.path().join("probity.toml")).expect("a file");
    assert!(file.contains(&format!("url = \"{}\"", server.url())) && !file.contains(token), "{file}");
}

#[test]
fn production_is_only_read() {
    let text = include_str!("../../../spec/create-opportunity.yaml");
    let url = text.split("servers:").nth(1).and_then(|t| t.split("url:").nth(1)).expect("a server");
    let url = url.split_whitespace().next().expect("a URL");
    let ran = probity(&format!("init --no-lookup --target {url}")).exits(0);
    ran.complains("is production").complains("only look-ups will be sent");
}
