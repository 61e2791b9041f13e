//! The formats of reports, each held against the rules that are published for it or read by a parser that is not ours.

use serde_json::{Value, json};

use crate::support::{Ran, probity};

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

/// An object that has to have some members, may have others, and has no more but what `further` lets in.
fn object(required: &Value, optional: &Value, further: &Value) -> Value {
    let members = |of: &Value| of.as_object().expect("members").clone();
    let mut all = members(required);
    let names: Vec<String> = all.keys().cloned().collect();
    all.extend(members(optional));
    json!({
        "type": "object", "required": names, "properties": all,
        "patternProperties": further, "additionalProperties": false,
    })
}

/// HAR 1.2, as <http://www.softwareishard.com/blog/har-12-spec/> describes it.
fn har_schema() -> Value {
    // Names that begin with an underscore are anybody's, and comments stand everywhere.
    let object = |required: Value, mut optional: Value| {
        optional["comment"] = json!({"type": "string"});
        object(&required, &optional, &json!({"^_": {}}))
    };
    let list = |items: &Value| json!({"type": "array", "items": items});
    let (text, instant) = (json!({"type": "string"}), json!({"type": "string", "format": "date-time"}));
    // -1 is what is not known.
    let (size, time) = (json!({"type": "integer", "minimum": -1}), json!({"type": "number", "minimum": -1}));
    let (some_time, flag) = (json!({"type": "number", "minimum": 0}), json!({"type": "boolean"}));
    let program = object(json!({"name": text, "version": text}), json!({}));
    let pair = object(json!({"name": text, "value": text}), json!({}));
    let cookie = object(
        json!({"name": text, "value": text}),
        json!({"path": text, "domain": text, "expires": instant, "httpOnly": flag, "secure": flag}),
    );
    let param = object(json!({"name": text}), json!({"value": text, "fileName": text, "contentType": text}));
    // The encoding of what was sent is not in the document; programs write it as they do that of what was answered.
    let posted = object(json!({"mimeType": text}), json!({"text": text, "params": list(&param), "encoding": text}));
    let request = object(
        json!({
            "method": {"type": "string", "minLength": 1}, "url": {"type": "string", "format": "uri"},
            "httpVersion": text, "cookies": list(&cookie), "headers": list(&pair), "queryString": list(&pair),
            "headersSize": size, "bodySize": size,
        }),
        json!({"postData": posted}),
    );
    let content = object(
        json!({"size": size, "mimeType": text}),
        json!({"compression": {"type": "integer"}, "text": text, "encoding": text}),
    );
    let response = object(
        json!({
            "status": {"type": "integer", "minimum": 0, "maximum": 999}, "statusText": text, "httpVersion": text,
            "cookies": list(&cookie), "headers": list(&pair), "content": content, "redirectURL": text,
            "headersSize": size, "bodySize": size,
        }),
        json!({}),
    );
    let cached = object(
        json!({"lastAccess": instant, "eTag": text, "hitCount": {"type": "integer", "minimum": 0}}),
        json!({"expires": instant}),
    );
    let cached = json!({"oneOf": [{"type": "null"}, cached]});
    let entry = object(
        json!({
            "startedDateTime": instant, "time": some_time, "request": request, "response": response,
            "cache": object(json!({}), json!({"beforeRequest": cached, "afterRequest": cached})),
            "timings": object(
                json!({"send": some_time, "wait": some_time, "receive": some_time}),
                json!({"blocked": time, "dns": time, "connect": time, "ssl": time}),
            ),
        }),
        json!({"pageref": text, "serverIPAddress": text, "connection": text}),
    );
    let page = object(
        json!({
            "startedDateTime": instant, "id": text, "title": text,
            "pageTimings": object(json!({}), json!({"onContentLoad": time, "onLoad": time})),
        }),
        json!({}),
    );
    let log = object(
        json!({"version": {"const": "1.2"}, "creator": program, "entries": list(&entry)}),
        json!({"browser": program, "pages": list(&page)}),
    );
    json!({"type": "object", "required": ["log"], "properties": {"log": log}, "additionalProperties": false})
}

/// What of CTRF <https://ctrf.io> we write: a member that it does not have, or that we do not mean to write, is refused.
fn ctrf_schema() -> Value {
    let object =
        |required: Value, optional: Value| object(&required, &optional, &json!({"^extra$": {"type": "object"}}));
    let (text, name) = (json!({"type": "string"}), json!({"type": "string", "minLength": 1}));
    let number = json!({"type": "integer", "minimum": 0});
    let texts = json!({"type": "array", "minItems": 1, "items": name});
    let test = object(
        json!({
            "name": name, "status": {"enum": ["passed", "failed", "skipped", "pending", "other"]}, "duration": number,
        }),
        json!({
            "suite": texts, "message": text, "trace": text, "line": number, "rawStatus": text, "tags": texts,
            "filePath": text,
        }),
    );
    let summary = object(
        json!({
            "tests": number, "passed": number, "failed": number, "skipped": number, "pending": number,
            "other": number, "start": number, "stop": number,
        }),
        json!({}),
    );
    let results = object(
        json!({
            "tool": object(json!({"name": name}), json!({"version": text})), "summary": summary,
            "tests": {"type": "array", "items": test},
        }),
        json!({"environment": object(json!({}), json!({}))}),
    );
    object(
        json!({
            "reportFormat": {"const": "CTRF"},
            "specVersion": {"type": "string", "pattern": "^[0-9]+\\.[0-9]+\\.[0-9]+$"}, "results": results,
        }),
        json!({"timestamp": {"type": "string", "format": "date-time"}, "generatedBy": text}),
    )
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
    valid(&ctrf_schema(), &ctrf);
    let mut broken = ctrf.clone();
    broken["results"]["tests"][0]["state"] = json!("passed");
    assert!(!jsonschema::is_valid(&ctrf_schema(), &broken), "the schema looks at all of it");
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
