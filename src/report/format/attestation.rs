//! A statement of in-toto about what was tested, for those who sign and gather them: which subject, by which contract, and
//! what came of it.

use std::io;

use serde_json::{Value as Json, json};

use crate::contract::requirement::Level;
use crate::judge::tally::Verdict;
use crate::report::model::summary::Verdicts;
use crate::report::model::{EMBEDDED_TARGET, Report, Requirement, Weight};

/// The name of the format.
pub const NAME: &str = "attestation";
/// The type of the statement.
const STATEMENT: &str = "https://in-toto.io/Statement/v1";
/// The type of what it says.
const PREDICATE: &str = "https://in-toto.io/attestation/test-result/v0.1";

/// The report as a statement about its subject.
///
/// # Errors
/// The report does not say what was tested.
pub fn render(report: &Report) -> io::Result<String> {
    let subject = report.header.subject.as_ref();
    let subject =
        subject.ok_or_else(|| io::Error::other("the report does not say which commit or artefact was tested"))?;
    let of = |wanted: &dyn Fn(&Requirement) -> bool| -> Vec<&str> {
        let fitting = report.selected().filter(|r| r.level.is_some() && wanted(r));
        fitting.map(|r| r.id.as_str()).collect()
    };
    let statement = json!({
        "_type": STATEMENT,
        "subject": [{ "name": subject.name, "digest": { subject.algorithm.as_str(): subject.digest } }],
        "predicateType": PREDICATE,
        "predicate": {
            "result": result(report),
            "configuration": [contract(report), target(report), tool(report)],
            "passedTests": of(&|r| r.verdict == Verdict::Pass),
            "warnedTests": of(&|r| report.excuse(r).is_some()),
            "failedTests": of(&|r| report.is_red(r)),
        },
    });
    Ok(format!("{statement:#}\n"))
}

fn result(report: &Report) -> &'static str {
    let is_good = report.ruling.as_ref().is_some_and(|ruling| ruling.is_good());
    match is_good {
        false => "FAILED",
        true if report.selected().any(|r| is_put_up_with(report, r) || is_let_go(report, r)) => "WARNED",
        true => "PASSED",
    }
}

/// Whether a waiver or a baseline is all that makes it no failure.
fn is_put_up_with(report: &Report, requirement: &Requirement) -> bool {
    report.weight(requirement).is_put_up_with() && report.excuse(requirement).is_some()
}

/// Whether a must does not count, though it did not hold, for whatever reason.
fn is_let_go(report: &Report, requirement: &Requirement) -> bool {
    requirement.level == Some(Level::Must) && report.excuse(requirement).is_some()
}

fn contract(report: &Report) -> Json {
    let contract = &report.header.contract;
    json!({
        "name": contract.name,
        "digest": { "sha256": contract.hash },
        "annotations": { "document": contract.document, "subject": contract.subject() },
    })
}

fn target(report: &Report) -> Json {
    let uri = match report.header.target.as_str() {
        EMBEDDED_TARGET => "urn:probity:embedded-reference-server",
        url => url,
    };
    json!({ "name": "target", "uri": uri })
}

fn tool(report: &Report) -> Json {
    let header = &report.header;
    let counts = |of: &Verdicts| {
        json!({
            "pass": of.pass, "fail": of.fail, "inconclusive": of.inconclusive,
            "skipped": of.skipped, "untested": of.untested,
        })
    };
    let summary = &report.summary;
    let waivers = report.selected().filter(|r| is_put_up_with(report, r));
    let waivers = waivers.map(|r| match report.weight(r) {
        Weight::Waived { reason, issue } => json!({ "requirement": r.id, "reason": reason, "issue": issue }),
        _ => json!({ "requirement": r.id, "reason": report.excuse(r), "issue": null }),
    });
    let levels = [(Level::Must, &summary.must), (Level::Should, &summary.should), (Level::May, &summary.may)];
    let counts: serde_json::Map<String, Json> =
        levels.into_iter().map(|(level, of)| (level.name().to_owned(), counts(of))).collect();
    json!({
        "name": header.tool.name,
        "uri": format!("pkg:cargo/{}@{}", header.tool.name, header.tool.version),
        "annotations": {
            "started": header.started,
            "seed": header.seed,
            "run_tag": header.run_tag,
            "quick": header.options.quick,
            "requests": report.figures.requests,
            "not_selected": summary.not_selected,
            "ruling": report.ruling.as_ref().map(|ruling| &ruling.sentence),
            "counts": counts,
            "waivers": waivers.collect::<Vec<_>>(),
        },
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::model::{Ruling, Subject};
    use crate::report::sample::sample;

    fn of(exit: u8, weight: &Weight) -> Json {
        let mut report = sample();
        report.header.subject = Some("app@sha256:".to_owned() + &"ab".repeat(32)).map(|text| text.parse().unwrap());
        let weights = report.selected().map(|r| (r.id.clone(), weight.clone())).collect();
        let ruling = Ruling {
            exit,
            sentence: "It is so.".into(),
            weights,
            stale: Vec::new(),
            worse: Vec::new(),
            better: Vec::new(),
            changes: Vec::new(),
        };
        report.ruling = Some(ruling);
        serde_json::from_str(&render(&report).unwrap()).unwrap()
    }

    #[test]
    fn says_what_the_gate_said() {
        let waived = Weight::Waived { reason: "known".into(), issue: Some("https://example.com/1".into()) };
        let (red, green, warned) = (of(1, &Weight::Counts), of(0, &Weight::Allowed), of(0, &waived));
        let result = |statement: &Json| statement["predicate"]["result"].as_str().unwrap().to_owned();
        assert_eq!([result(&red), result(&green), result(&warned)], ["FAILED", "WARNED", "WARNED"]);
        let failed = red["predicate"]["failedTests"].as_array().unwrap();
        assert!(failed.contains(&json!("repeat/one-record")), "{failed:?}");
        assert_eq!(green["predicate"]["failedTests"], json!([]));
        let waivers = &warned["predicate"]["configuration"][2]["annotations"]["waivers"];
        assert_eq!(waivers[0]["reason"], "known");
        assert_eq!(warned["subject"][0], json!({ "name": "app", "digest": { "sha256": "ab".repeat(32) } }));
    }

    #[test]
    fn a_report_about_nothing_is_no_statement() {
        assert!(render(&sample()).unwrap_err().to_string().contains("which commit"));
    }

    #[test]
    fn subjects_have_a_name_and_a_digest() {
        let read = |text: &str| text.parse::<Subject>();
        let good = read(&format!("registry.example.com:5000/app@sha256:{}", "0F".repeat(32))).unwrap();
        assert_eq!((good.name.as_str(), good.algorithm.as_str()), ("registry.example.com:5000/app", "sha256"));
        assert_eq!(good.digest, "0f".repeat(32));
        assert!(read(&format!("app@gitCommit:{}", "a".repeat(40))).is_ok());
        for bad in ["app", "app@sha256", "app@sha256:abc", "app@md4:00", "@sha256:00", "app@sha256:zz"] {
            assert!(read(bad).is_err(), "{bad}");
        }
    }
}
