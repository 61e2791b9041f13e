//! The formats of reports, each held against its published schema or read by a parser that is not ours.

use crate::support::{Ran, probity};
use serde_json::{Value, json};

/// A run that shows failures of several kinds, bodies that are no text, requests without an answer, and probes.
fn run(more: &str) -> crate::support::Probity {
    let words = "check --seed 1 --only 'response/*' --only robustness/broken-text --only probes/omitted-probability \
                 --only operation/response-201-shape --fault value-in-cents --fault invalid-utf-8-breaks \
                 --report har,sarif,ctrf --report markdown --report badge,shields";
    probity(&format!("{words} {more}"))
}

fn valid(schema: &Value, value: &Value) {
    let validator = jsonschema::options().should_validate_formats(true).build(schema).expect("a schema");
    let errors: Vec<String> = validator.iter_errors(value).map(|e| format!("{} {e}", e.instance_path())).collect();
    assert_eq!(errors, [""; 0]);
}

fn json(ran: &Ran, path: &str) -> Value {
    serde_json::from_str(&ran.read(path)).unwrap_or_else(|e| panic!("{path}: {e}"))
}

/// The schema of HAR 1.2, its files put into one.
fn har_schema() -> Value {
    let text =
        include_str!("../schemas/har-1.2.json").replace(".json#\"", "\"").replace("\"$ref\": \"", "\"$ref\": \"#/");
    let mut files: Value = serde_json::from_str(&text).expect("JSON");
    let files = files.as_object_mut().expect("files");
    files.remove("$comment");
    let mut whole = json!({"$schema": "http://json-schema.org/draft-06/schema#", "$ref": "#/har"});
    for (name, file) in files.iter_mut() {
        let file = file.as_object_mut().expect("a schema");
        file.remove("$id");
        file.remove("$schema");
        whole[name.trim_end_matches(".json")] = Value::Object(file.clone());
    }
    whole
}

#[test]
fn har_has_every_exchange() {
    let ran = run("").exits(1);
    let har = json(&ran, "reports/exchanges.har");
    valid(&har_schema(), &har);
    let mut broken = har.clone();
    broken["log"]["entries"][0]["request"]["headers"][0]["value"] = json!(1);
    assert!(!jsonschema::is_valid(&har_schema(), &broken), "the schema looks at all of it");

    let mut exchanges = ran.exchanges();
    exchanges.sort_by_key(|e| e["number"].as_u64());
    let entries = har["log"]["entries"].as_array().expect("a list");
    assert_eq!(entries.len(), exchanges.len());
    for (entry, exchange) in entries.iter().zip(&exchanges) {
        assert_eq!(entry["_trial"], exchange["trial"]);
        assert_eq!(entry["request"]["url"], exchange["request"]["url"]);
        assert_eq!(entry["response"]["status"], exchange["response"]["status"]);
        let sent = &exchange["request"];
        let text = sent.get("body").or(sent.get("body_base64")).unwrap_or(&Value::Null);
        assert_eq!(&entry["request"]["postData"]["text"], text);
        assert_eq!(entry["request"]["postData"].get("encoding").is_some(), sent.get("body_base64").is_some());
    }
    let text = ran.read("reports/exchanges.har");
    ran.holds(text.contains("${PROBITY_TOKEN}"), "tokens are variables");
}

#[test]
fn har_tells_what_brought_no_answer() {
    let ran = probity("check --seed 1 --only robustness/broken-text --fault invalid-utf-8-drops --report har").run();
    let har = json(&ran, "reports/exchanges.har");
    valid(&har_schema(), &har);
    let entries = har["log"]["entries"].as_array().expect("a list");
    let silent = entries.iter().find(|e| e["response"]["status"] == 0);
    let silent = silent.unwrap_or_else(|| ran.wrong("a request had no answer"));
    assert!(silent["_error"].is_string() && silent["_failure"].is_string(), "{silent}");
}

#[test]
fn sarif_points_at_lines() {
    let ran = run("").exits(1);
    let value = json(&ran, "reports/report.sarif");
    // Types made from the published schema: what they do not know would be lost on the way.
    let sarif: serde_sarif::sarif::Sarif = serde_json::from_value(value.clone()).expect("SARIF");
    assert_eq!(serde_json::to_value(&sarif).expect("JSON"), value);
    let results = value["runs"][0]["results"].as_array().expect("a list");
    let ids: Vec<&str> = results.iter().filter_map(|r| r["ruleId"].as_str()).collect();
    let mut sorted = ids.clone();
    sorted.sort_unstable();
    assert_eq!(sorted, ran.ids("fail"));
    for result in results {
        let rule =
            &value["runs"][0]["tool"]["driver"]["rules"][result["ruleIndex"].as_u64().expect("a place") as usize];
        assert_eq!(rule["id"], result["ruleId"]);
        let at = &result["locations"][0]["physicalLocation"];
        let file = at["artifactLocation"]["uri"].as_str().expect("a file");
        let line = at["region"]["startLine"].as_u64().expect("a line") as usize;
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
        let text = std::fs::read_to_string(folder.join(file)).expect("a file of the project");
        let slug = result["ruleId"].as_str().and_then(|id| id.split_once('/')).expect("an id").1;
        let found = text.lines().nth(line - 1).expect("a line");
        ran.holds(
            found.contains(&format!("id: {slug}")) || file.starts_with("spec/"),
            &format!("{file}:{line} has {slug}: {found}"),
        );
    }
}

#[test]
fn what_the_document_asks_for_stands_at_its_line() {
    let ran =
        probity("check --seed 1 --only schema/name-required --fault name-missing-accepted --report sarif").exits(1);
    let value = json(&ran, "reports/report.sarif");
    let at = &value["runs"][0]["results"][0]["locations"][0]["physicalLocation"];
    assert_eq!(at["artifactLocation"], json!({"uri": "spec/create-opportunity.yaml", "uriBaseId": "%SRCROOT%"}));
    let line = at["region"]["startLine"].as_u64().expect("a line") as usize;
    let text = include_str!("../../spec/create-opportunity.yaml");
    let found = text.lines().nth(line - 1).expect("a line");
    assert!(found.contains("name") || found.contains("required"), "{line}: {found}");
}

#[test]
fn ctrf_keeps_its_schema() {
    let ran = run("").exits(1);
    let ctrf = json(&ran, "reports/ctrf-report.json");
    let schema: Value = serde_json::from_str(include_str!("../schemas/ctrf-0.0.json")).expect("JSON");
    valid(&schema, &ctrf);
    let tests = ctrf["results"]["tests"].as_array().expect("a list");
    let count = |status: &str| tests.iter().filter(|t| t["status"] == status).count() as u64;
    for status in ["passed", "failed", "skipped", "pending", "other"] {
        assert_eq!(ctrf["results"]["summary"][status].as_u64(), Some(count(status)), "{status}");
    }
    assert_eq!(count("failed") as usize, ran.ids("fail").len());
}

#[test]
fn junit_is_read_by_others() {
    let ran = run("--deny should").exits(1);
    let text = ran.read("reports/junit.xml");
    let suites = junit_parser::from_reader(text.as_bytes()).expect("JUnit");
    let cases: Vec<_> = suites.suites.iter().flat_map(|s| s.cases.iter().map(move |c| (s, c))).collect();
    assert_eq!(
        cases.len(),
        ran.report()["requirements"].as_array().expect("a list").iter().filter(|r| r["selected"] == true).count()
    );
    let mut failed = Vec::new();
    for (suite, case) in cases {
        assert!(case.original_name.starts_with(&format!("{}/", suite.name)), "{}", case.name);
        assert_eq!(case.classname.as_deref(), Some(format!("create-opportunity.{}", suite.name).as_str()));
        if let junit_parser::TestStatus::Failure(failure) = &case.status {
            assert!(failure.message.len() < 1_000 && failure.text.contains("rerun: probity check"), "{failure:?}");
            failed.push(case.original_name.clone());
        }
    }
    failed.sort();
    assert_eq!(failed, ran.ids("fail"));
}

#[test]
fn markdown_is_short_and_badges_are_true() {
    let ran = run("").exits(1);
    let text = ran.read("reports/report.md");
    assert!(text.len() < 65_536 && text.starts_with("## ❌ probity: create-opportunity"), "{text}");
    for id in ran.ids("fail") {
        ran.holds(text.contains(&id), &format!("{id} is told"));
    }
    assert_eq!(text.matches("<details>").count(), text.matches("</details>").count());
    let shields = json(&ran, "reports/badge.json");
    assert_eq!((&shields["schemaVersion"], &shields["color"]), (&json!(1), &json!("red")));
    let message = shields["message"].as_str().expect("a text");
    let svg = ran.read("reports/badge.svg");
    ran.holds(svg.contains(message) && svg.starts_with("<svg xmlns="), "both say the same");
    let good = probity("check --seed 1 --only close-date/leap-day --report shields").exits(0);
    assert_eq!(json(&good, "reports/badge.json")["message"], "1 of 1 hold");
}

#[test]
fn a_finished_run_is_printed_in_any_format() {
    let ran = run("").exits(1);
    for file in [
        "exchanges.har",
        "report.sarif",
        "ctrf-report.json",
        "junit.xml",
        "report.md",
        "badge.svg",
        "badge.json",
        "report.json",
    ] {
        let name = match file {
            "report.json" => "json",
            "report.md" => "markdown",
            "badge.json" => "shields",
            file => {
                ["har", "sarif", "ctrf", "junit", "badge"].into_iter().find(|f| file.contains(f)).expect("a format")
            }
        };
        let written = ran.read(&format!("reports/{file}"));
        let folder = ran.folder().join("reports");
        let printed = probity("report --format").arg(name).arg(&folder).exits(0);
        ran.holds(printed.stdout == written, &format!("`report --format {name}` prints what `--report {name}` wrote"));
    }
    let again = probity("report").arg(ran.folder().join("reports/report.json")).exits(0);
    let before_files = ran.stdout.split("reports: ").next().expect("a part");
    assert_eq!(again.stdout, before_files);
}

#[test]
fn a_report_that_is_not_there() {
    probity("report").exits(2).complains("cannot read reports/report.json");
    let ran = run("").exits(1);
    let alone = probity("report --format har").file("reports/report.json", ran.read("reports/report.json")).exits(2);
    alone.complains("exchanges.ndjson");
    probity("report --format pdf").exits(2).complains("markdown");
}

#[test]
fn a_job_of_github_is_told_by_itself() {
    let words = "check --seed 1 --only response/value-in-dollars --only close-date/leap-day --fault value-in-cents";
    let ran = probity(words)
        .env("GITHUB_ACTIONS", "true")
        .env("GITHUB_STEP_SUMMARY", "summary.md")
        .file("summary.md", "What was there.\n")
        .file("cases/create-opportunity/response.yaml", "the file is there\n")
        .exits(1);
    // What fences is another word each time, and the line moves with every case that is added.
    let commands = ran.stdout.lines().filter(|l| l.starts_with("::"));
    let commands: Vec<&str> = commands.filter(|l| l.contains(' ')).collect();
    let moved = regex::Regex::new(r"line=\d+").expect("a pattern");
    insta::assert_snapshot!("github", moved.replace_all(&commands.join("\n"), "line=LINE"));
    let summary = ran.read("summary.md");
    ran.holds(summary.starts_with("What was there.\n## ❌ probity: create-opportunity"), "the summary is added");
    let plain = probity(words).exits(1);
    plain.holds(!plain.stdout.contains("::"), "elsewhere nothing is told");
}

#[test]
fn a_server_gives_no_commands_to_github() {
    let server = crate::support::server::Server::http(|_| {
        crate::support::server::Answer::json(500, "::error::mine ::add-mask::x")
    });
    let ran = probity("check --seed 1 --only response/value-in-dollars")
        .settings(&server.url())
        .env("GITHUB_ACTIONS", "true")
        .run();
    let mut fence: Option<String> = None;
    for line in ran.stdout.lines().map(str::trim_start) {
        match (&fence, line.strip_prefix("::stop-commands::")) {
            (None, Some(word)) => fence = Some(format!("::{word}::")),
            (Some(word), _) if line == word => fence = None,
            (Some(_), _) => {}
            (None, None) => {
                let own = line.starts_with("::error title=") || line.starts_with("::error file=");
                ran.holds(own, &format!("a command of ours: {line}"));
            }
        }
    }
    ran.holds(fence.is_none(), "the fence is closed");
}
