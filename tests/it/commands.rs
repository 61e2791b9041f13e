//! The commands beside `check`: what they print, for people and for programs.

use std::collections::BTreeMap;
use std::process::Command;

use serde_json::Value;

use crate::support::{normalised, probity};

fn json(words: &str) -> Value {
    serde_json::from_str(&probity(words).exits(0).stdout).expect("JSON")
}

/// One requirement of each form.
fn of_every_form() -> BTreeMap<String, String> {
    let all = json("list --json");
    let text = |r: &Value, key: &str| r[key].as_str().expect("text").to_owned();
    all.as_array().expect("a list").iter().map(|r| (text(r, "form"), text(r, "id"))).collect()
}

#[test]
fn list_shows_the_catalogue() {
    let ran = probity("list --only 'close-date/*'").exits(0);
    insta::assert_snapshot!("list", ran.stdout);
    let all = json("list --json");
    let all = all.as_array().expect("a list");
    let ran = probity("list").exits(0);
    for requirement in all {
        let text = |key: &str| requirement[key].as_str().unwrap_or_else(|| panic!("{requirement} has {key}"));
        ran.says(text("id")).says(text("text"));
        assert!(text("id").starts_with(&format!("{}/", text("area"))), "{requirement}");
        assert!(["must", "should", "may"].contains(&requirement["level"].as_str().unwrap_or("must")), "{requirement}");
        assert!(text("text").ends_with('.') && text("text").contains(' '), "{requirement} says it in a sentence");
        assert_eq!(requirement["level"].is_null(), text("form") == "probe", "{requirement}");
        assert!(text("form") == "probe" || !text("source").is_empty(), "{requirement} has a source");
        assert!(requirement["origin"].is_object(), "{requirement}");
    }
    ran.says(&format!("{} entries: ", all.len()));
    assert_eq!(of_every_form().len(), 6, "every form is in use: {:?}", of_every_form());
    probity("list --only 'nothing/*'").exits(2).complains("no requirement matches `nothing/*`");
}

#[test]
fn list_shows_what_the_reference_server_can_be_made_to_do() {
    for (words, least) in [("list --faults", 200), ("list --variations", 70)] {
        let all = json(&format!("{words} --json"));
        let all = all.as_array().expect("a list");
        assert!(all.len() >= least, "{} of {words}", all.len());
        let ran = probity(words).exits(0);
        for one in all {
            ran.says(one["name"].as_str().expect("a name")).says(one["text"].as_str().expect("a sentence"));
        }
    }
    probity("list --faults --variations").exits(2).complains("cannot be used with");
}

#[test]
fn explain_shows_every_form() {
    for (form, id) in of_every_form() {
        let ran = probity(&format!("explain {id}")).exits(0);
        ran.says(&id).says("source").says("How it is tested");
        ran.holds(ran.stderr.is_empty(), "nothing is on stderr")
            .holds(ran.stdout.lines().count() < 60, "it fits two screens");
        ran.holds(ran.stdout.contains("curl "), &format!("a {form} has an example request"));
        ran.holds(!ran.stdout.contains("sandbox_"), "its token is a variable");
    }
    insta::assert_snapshot!("explain", normalised(&probity("explain close-date/past").exits(0).stdout));
}

#[test]
fn explain_shows_settings_and_fixtures() {
    let ran = probity("explain settings").exits(0);
    ran.says("[target]").says("[identities.caller]").says("[fixtures]").says("PROBITY_TOKEN");
    let ran = probity("explain fixtures").exits(0);
    for name in ["household_id", "foreign_household_id", "caller_user_id", "households", "pipelines"] {
        ran.says(name);
    }
}

#[test]
fn an_example_request_is_a_command_that_works() {
    if Command::new("curl").arg("--version").output().is_err() {
        eprintln!("there is no curl here: not tested");
        return;
    }
    let server = probity::reference::start(probity::reference::Options::default()).expect("a server");
    for (id, status) in
        [("request/name-alone", "201"), ("schema/name-required", "422"), ("authentication/refused", "401")]
    {
        let ran = probity(&format!("explain {id}")).settings(&server.url).exits(0);
        let (_, example) =
            ran.stdout.split_once("An example request").unwrap_or_else(|| ran.wrong("it has an example request"));
        let output = Command::new("bash")
            .args(["-c", example])
            .envs(probity::reference::TOKENS.iter().copied())
            .output()
            .expect("bash");
        let answer = String::from_utf8_lossy(&output.stdout);
        ran.holds(answer.contains(&format!("HTTP/1.1 {status} ")), &format!("the example brings {status}: {answer}"));
    }
}

#[test]
fn plan_says_what_it_costs_and_sends_nothing() {
    let server = crate::support::server::Server::http(|_| crate::support::server::Answer::empty(500));
    let ran = probity("plan --seed 1 --only 'close-date/*'").settings(&server.url()).exits(0);
    insta::assert_snapshot!("plan", ran.stdout);
    let plan: Value =
        serde_json::from_str(&probity("plan --seed 1 --json").settings(&server.url()).exits(0).stdout).expect("JSON");
    assert_eq!(plan["seed"], 1);
    assert!(plan["requests"].as_u64().is_some_and(|n| n <= 400), "{}", plan["requests"]);
    let list = json("list --json");
    assert_eq!(plan["requirements"].as_array().map(Vec::len), list.as_array().map(Vec::len));
    assert_eq!(server.connections(), 0);
    let more = json("plan --json --examples 200");
    assert!(more["requests"].as_u64() > plan["requests"].as_u64());
}

#[test]
fn lint_finds_no_defect_in_the_contract() {
    probity("lint").exits(0).says("create-opportunity: ").says("no defect found");
}

#[test]
fn completions_for_every_shell() {
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        let ran = probity(&format!("completions {shell}")).exits(0);
        ran.says("rerun-failed").says("max-requests").holds(ran.stderr.is_empty(), "nothing is on stderr");
    }
}

#[test]
fn serve_prints_what_a_client_has_to_know() {
    let mut server = probity("serve --variation created-200").start();
    let welcome = server.until("[fixtures.pipelines.pl_f7Nz]\nstage_ids = [");
    insta::assert_snapshot!("serve", normalised(&welcome).split("[fixtures]").next().unwrap_or_default());
    // All of it works as it stands: the tokens, the command and the settings.
    let (_, rest) = welcome.split_once("# Tokens").expect("tokens");
    let (exports, rest) = rest.split_once("# Try it").expect("a command");
    let (command, settings) = rest.split_once("# A probity.toml").expect("settings");
    let script = format!("{}\n{command}", exports.split_once('\n').expect("lines").1);
    if Command::new("curl").arg("--version").output().is_ok() {
        let output = Command::new("bash").args(["-c", &script]).output().expect("bash");
        let answer = String::from_utf8_lossy(&output.stdout);
        assert!(answer.contains("\"id\""), "{script}\nbrings\n{answer}\n{}", String::from_utf8_lossy(&output.stderr));
    }
    let settings = settings.split_once('\n').expect("lines").1;
    let settings =
        settings.rsplit_once("\nstage_ids").expect("whole lines").0.rsplit_once("[fixtures").expect("a table").0;
    let ran = probity("check --only response/success-status --only operation/documented-status")
        .file("probity.toml", settings)
        .tokens();
    assert_eq!(ran.exits(0).ids("fail"), ["operation/documented-status"]);
}

#[test]
fn a_port_that_is_taken() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = taken.local_addr().expect("an address").port();
    probity(&format!("serve --port {port}"))
        .exits(2)
        .complains("cannot start the reference server")
        .complains("try another --port");
}

#[test]
fn help_teaches() {
    for command in ["", "check", "list", "explain", "plan", "lint", "serve", "completions"] {
        let ran = probity(&format!("{command} --help")).exits(0);
        ran.says("Usage: probity").holds(ran.stderr.is_empty(), "nothing is on stderr");
        let long = ran.stdout.lines().find(|l| l.chars().count() > 100);
        ran.holds(long.is_none(), &format!("{long:?} fits"));
    }
    probity("--version").exits(0).says(env!("CARGO_PKG_VERSION"));
}

#[test]
fn a_reader_that_leaves_early_is_no_error() {
    let words = format!("'{}' list | head -n 1; echo ${{PIPESTATUS[0]}}", env!("CARGO_BIN_EXE_probity"));
    let output = Command::new("bash").args(["-c", &words]).output().expect("bash");
    assert_eq!(String::from_utf8_lossy(&output.stdout).lines().last(), Some("0"), "{output:?}");
    assert!(output.stderr.is_empty(), "{output:?}");
    // Nor is one of errors, though there is one to tell.
    let words = format!("'{}' check --target http://127.0.0.1:1/ 2> >(true); echo $?", env!("CARGO_BIN_EXE_probity"));
    let output = Command::new("bash").args(["-c", &words]).output().expect("bash");
    assert_eq!(String::from_utf8_lossy(&output.stdout).lines().last(), Some("2"), "{output:?}");
}
