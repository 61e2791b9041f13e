//! Statements of in-toto: what they say, and what they need to be told.

use serde_json::{Value, json};

use crate::support::{Ran, probity};

const COMMIT: &str = "0123456789abcdef0123456789abcdef01234567";

/// A statement, held against what its two specifications demand.
fn statement(text: &str) -> Value {
    let statement: Value = serde_json::from_str(text).expect("JSON");
    let texts = json!({ "type": "array", "items": { "type": "string" } });
    let descriptor = json!({
        "type": "object",
        "anyOf": [{ "required": ["uri"] }, { "required": ["digest"] }, { "required": ["content"] }],
        "properties": {
            "name": { "type": "string" }, "uri": { "type": "string", "format": "uri" },
            "digest": { "type": "object", "additionalProperties": { "type": "string" } },
            "annotations": { "type": "object" },
        },
        "additionalProperties": false,
    });
    let schema = json!({
        "type": "object",
        "required": ["_type", "subject", "predicateType", "predicate"],
        "properties": {
            "_type": { "const": "https://in-toto.io/Statement/v1" },
            "subject": { "type": "array", "minItems": 1, "items": { "allOf": [descriptor], "required": ["digest"] } },
            "predicateType": { "const": "https://in-toto.io/attestation/test-result/v0.1" },
            "predicate": {
                "type": "object",
                "required": ["result", "configuration"],
                "properties": {
                    "result": { "enum": ["PASSED", "WARNED", "FAILED"] },
                    "configuration": { "type": "array", "items": descriptor },
                    "passedTests": texts, "warnedTests": texts, "failedTests": texts,
                },
                "additionalProperties": false,
            },
        },
        "additionalProperties": false,
    });
    let validator = jsonschema::options().should_validate_formats(true).build(&schema).expect("a schema");
    let errors: Vec<String> = validator.iter_errors(&statement).map(|e| format!("{} {e}", e.instance_path())).collect();
    assert!(errors.is_empty(), "{errors:#?}");
    statement
}

fn written(ran: &Ran) -> Value {
    statement(&ran.read("reports/attestation.json"))
}

const CHECK: &str = "check --seed 1 --only response/value-in-dollars --only close-date/leap-day --report attestation";

#[test]
fn a_check_in_ci_names_its_commit() {
    for (variable, repository) in [("GITHUB_SHA", "GITHUB_REPOSITORY"), ("CI_COMMIT_SHA", "CI_PROJECT_PATH")] {
        let ran = probity(CHECK).env(variable, COMMIT).env(repository, "shop/api").exits(0);
        let said = written(&ran);
        assert_eq!(said["subject"], json!([{ "name": "shop/api", "digest": { "gitCommit": COMMIT } }]));
        let predicate = &said["predicate"];
        assert_eq!(predicate["result"], "PASSED");
        assert_eq!(predicate["passedTests"], json!(["close-date/leap-day", "response/value-in-dollars"]));
        let configuration = &predicate["configuration"];
        assert_eq!(configuration[0]["digest"]["sha256"], ran.report()["header"]["contract"]["hash"]);
        assert_eq!(configuration[1]["uri"], "urn:probity:embedded-reference-server");
        assert_eq!(configuration[2]["annotations"]["counts"]["must"]["pass"], 2);
        // The report keeps what it takes to say so later, elsewhere.
        let again = probity("report --format attestation").within(ran.folder()).exits(0);
        assert_eq!(statement(&again.stdout), said);
    }
}

#[test]
fn what_was_typed_goes_before_what_ci_says() {
    let digest = "ab".repeat(32);
    let ran = probity(&format!("{CHECK} --subject app@sha256:{digest}")).env("GITHUB_SHA", COMMIT).exits(0);
    assert_eq!(written(&ran)["subject"], json!([{ "name": "app", "digest": { "sha256": digest } }]));
}

#[test]
fn failures_and_waivers_are_told() {
    let of = |more: &str, code: i32| {
        let waiver = "[[waiver]]\nid = \"response/value-in-dollars\"\nreason = \"fixed soon\"\n";
        let words = format!("{CHECK} --fault value-in-cents {more}");
        written(&probity(&words).env("GITHUB_SHA", COMMIT).file("w.toml", waiver).exits(code))["predicate"].clone()
    };
    let failed = of("", 1);
    assert_eq!((&failed["result"], &failed["failedTests"]), (&json!("FAILED"), &json!(["response/value-in-dollars"])));
    let warned = of("--waivers w.toml", 0);
    assert_eq!((&warned["result"], &warned["warnedTests"]), (&json!("WARNED"), &json!(["response/value-in-dollars"])));
    let waivers = &warned["configuration"][2]["annotations"]["waivers"];
    assert_eq!(
        waivers,
        &json!([{ "requirement": "response/value-in-dollars", "reason": "fixed soon", "issue": null }])
    );
}

#[test]
fn without_a_subject_nothing_is_sent() {
    let ran = probity(CHECK).exits(2);
    ran.complains("nothing names that").complains("--subject NAME@DIGEST");
    ran.holds(!ran.folder().join("reports").exists(), "nothing was run");
    probity(&format!("{CHECK} --subject app@sha256:abc")).exits(2).complains("64 digits");
    let plain = probity("check --seed 1 --only close-date/leap-day").exits(0);
    probity("report --format attestation").within(plain.folder()).exits(2).complains("nothing names that");
    let words = format!("report --format attestation --subject app@gitCommit:{COMMIT}");
    statement(&probity(&words).within(plain.folder()).exits(0).stdout);
}
