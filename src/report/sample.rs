//! One fixed report that holds every verdict, level, form and disposition, for tests of writers.

use serde_json::json;

use super::model::*;
use crate::contract::requirement::Level;
use crate::exchange::TrialName;
use crate::judge::tally::Verdict;
use crate::report::model::summary::Summary;

/// A run that came to its end, with something of everything.
pub(crate) fn sample() -> Report {
    let mut requirements = vec![
        Requirement {
            evidence: "0-4 7".into(),
            coverage: Some(Coverage {
                fields: vec!["/name".into()],
                says: "required".into(),
                accepted: Sent { sent: 5, as_due: 5 },
                rejected: Sent { sent: 2, as_due: 2 },
            }),
            ..pass("body/name-required", Level::Must, Form::Schema)
        },
        Requirement {
            observations: vec![
                Observation { value: json!({"cents": 12345, "dollars": 123.45}), count: 2 },
                Observation { value: json!(null), count: 1 },
            ],
            level: None,
            ..blank("probes/rounding", Form::Probe, Verdict::Pass)
        },
        Requirement {
            reason: Some("missing fixture `users.second`: add it under [fixtures]".into()),
            counts: Counts { skipped: 1, ..Counts::default() },
            level: None,
            ..blank("probes/second-user", Form::Probe, Verdict::Skipped)
        },
        Requirement {
            level: Some(Level::Should),
            counts: Counts { holds: 2, broken: 5, ..Counts::default() },
            again: Some(Again { sent: 3, broken: 2 }),
            at_once: Some(8),
            failures: vec![echo_failure(true), echo_failure(false), broken_failure()],
            more_failures: 3,
            ..blank("response/name-as-sent", Form::Rule, Verdict::Fail)
        },
        pass("response/id-unique", Level::May, Form::Rule),
        Requirement {
            counts: Counts { broken: 1, ..Counts::default() },
            again: Some(Again { sent: 3, broken: 3 }),
            cause: Some("response/name-as-sent".into()),
            failures: vec![scenario_failure()],
            ..blank("repeat/one-record", Form::Scenario, Verdict::Fail)
        },
        Requirement {
            reason: Some("the server answered 500".into()),
            counts: Counts { holds: 1, unknown: 2, ..Counts::default() },
            doubt: Some(Doubt {
                trial: "repeat/key-case#0".into(),
                exchanges: vec![exchange(7, "repeat/key-case#0/second", "{}", Some((500, "oops")))],
            }),
            ..blank("repeat/key-case", Form::Scenario, Verdict::Inconclusive)
        },
        Requirement {
            reason: Some("missing identity `colleague`: add [identities.colleague]".into()),
            counts: Counts { skipped: 1, ..Counts::default() },
            ..blank("repeat/other-user", Form::Scenario, Verdict::Skipped)
        },
        Requirement {
            reason: Some("no exchange of this run spoke to it; more --examples may".into()),
            coverage: Some(Coverage {
                fields: vec!["/due_date".into(), "/name".into()],
                says: "timestamp(request.body.due_date) > now || request.body.name < 'a'".into(),
                accepted: Sent { sent: 1, as_due: 1 },
                rejected: Sent::default(),
            }),
            ..blank("body/due-date-future", Form::Constraint, Verdict::Untested)
        },
        Requirement {
            reason: Some("not asked for in this run".into()),
            selected: false,
            ..blank("operation/answered", Form::Always, Verdict::Untested)
        },
    ];
    requirements.sort_by(|a, b| a.id.cmp(&b.id));
    Report {
        version: VERSION,
        header: Header {
            tool: Tool { name: "probity".into(), version: "0.0.0".into() },
            contract: Contract {
                name: "create-book".into(),
                hash: "00ff".repeat(16),
                document: "spec/books.yaml".into(),
                operation_id: "createBook".into(),
                method: "POST".into(),
                path: "/v1/shelves/{shelf}/books".into(),
                operations: Vec::new(),
                not_reached: Vec::new(),
                unsupported: Vec::new(),
            },
            target: "https://staging.example.com".into(),
            seed: 42,
            run_tag: "0badcafe".into(),
            started: "2031-02-03T04:05:06.789Z".into(),
            variables: vec!["PROBITY_TOKEN".into()],
            options: Options {
                examples: 30,
                max_requests: 500,
                max_failures: None,
                max_created: Some(300),
                max_duration_ms: None,
                rate_ms: Some(125.0),
                concurrency: 8,
                timeout_ms: 10_000,
                insecure: false,
                only: Vec::new(),
                skip: vec!["operation/*".into()],
                recorded: false,
                shard: None,
                quick: false,
            },
            command: "probity check --config probity.toml".into(),
            subject: None,
        },
        summary: Summary::of(&requirements),
        requirements,
        figures: Figures {
            requests: 371,
            retries: 2,
            accepted: 200,
            created: 180,
            uncertain: 1,
            refused: 0,
            troubles: Troubles { broken: 1, ..Troubles::default() },
            pace_per_second: None,
            waited_ms: 1500,
            elapsed_ms: 4250,
            latency: Some(Latency { p50_ms: 3.125, p90_ms: 8.5, p99_ms: 41.0, max_ms: 120.25 }),
            slowest: vec![Slow { requirement: "idempotency/seconds-later".into(), max_ms: 120.25 }],
            most_at_once: 8,
            clock: Some(ClockDifference { low_ms: -250, high_ms: 750 }),
        },
        health: Health { state: HealthState::Yes, answer: None },
        end: End { complete: true, cause: None, reason: None, preflight_failed: false },
        ruling: None,
        cleanup: Some(Cleanup {
            removed: 179,
            left: vec![LeftBehind {
                id: Some("bk_7".into()),
                run_tag: "0badcafe".into(),
                trial: "pool/full".into(),
                reason: "the server answered 403".into(),
            }],
        }),
    }
}

/// The same run, had the server passed.
pub(crate) fn passing() -> Report {
    let mut report = sample();
    report.requirements.retain(|r| matches!(r.verdict, Verdict::Pass | Verdict::Skipped) && r.selected);
    report.summary = Summary::of(&report.requirements);
    report
}

/// The same run, had nobody answered.
pub(crate) fn unreachable() -> Report {
    let mut report = sample();
    let reason = "the target cannot be reached: no connection (refused); look at its URL, and whether it runs";
    for requirement in report.requirements.iter_mut().filter(|r| r.selected) {
        *requirement = Requirement {
            level: requirement.level,
            counts: Counts { left_out: 1, ..Counts::default() },
            reason: Some(reason.into()),
            ..blank(&requirement.id, requirement.form, Verdict::Untested)
        };
    }
    report.summary = Summary::of(&report.requirements);
    report.figures = Figures { requests: 1, elapsed_ms: 12, ..Figures::default() };
    report.health.state = HealthState::NotAsked;
    report.end =
        End { complete: false, cause: Some(Cause::Unreachable), reason: Some(reason.into()), preflight_failed: true };
    report
}

/// A must with this verdict and no evidence.
pub(crate) fn blank(id: &str, form: Form, verdict: Verdict) -> Requirement {
    let (area, slug) = id.split_once('/').unwrap_or((id, id));
    let derived = matches!(form, Form::Schema | Form::Always);
    Requirement {
        id: id.into(),
        area: area.into(),
        operation: None,
        foremost: area == "repeat",
        level: Some(Level::Must),
        text: format!("What `{slug}` says holds."),
        source: "Body, name".into(),
        origin: if derived { "/paths/~1books/post".into() } else { format!("cases/books/{area}.yaml:12") },
        place: Some(match derived {
            true => Place { file: "spec/books.yaml".into(), line: 8 },
            false => Place { file: format!("cases/books/{area}.yaml"), line: 12 },
        }),
        form,
        selected: true,
        verdict,
        reason: None,
        counts: Counts::default(),
        failures: Vec::new(),
        more_failures: 0,
        cause: None,
        again: None,
        at_once: None,
        evidence: String::new(),
        coverage: None,
        doubt: None,
        gateway: None,
        observations: Vec::new(),
    }
}

fn pass(id: &str, level: Level, form: Form) -> Requirement {
    Requirement {
        level: Some(level),
        counts: Counts { holds: 12, ..Counts::default() },
        ..blank(id, form, Verdict::Pass)
    }
}

pub(crate) fn exchange(number: u64, trial: &str, body: &str, answer: Option<(u16, &str)>) -> Exchange {
    let header = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    Exchange {
        number,
        trial: trial.into(),
        sent: "2031-02-03T04:05:06.789012Z".into(),
        elapsed_ms: 12.345,
        attempt: 1,
        attempts: 1,
        identity: "caller".into(),
        request: Request {
            method: "POST".into(),
            url: "https://staging.example.com/v1/shelves/sh_1/books".into(),
            headers: vec![
                header("user-agent", "probity/0.0.0 (response/name-as-sent)"),
                header("content-type", "application/json"),
                header("authorization", "Bearer ${PROBITY_TOKEN}"),
            ],
            body: Some(body.into()),
            ..Request::default()
        },
        response: answer.map(|(status, body)| Response {
            status,
            headers: vec![header("content-type", "application/json")],
            body: Some(body.into()),
            ..Response::default()
        }),
        failure: answer
            .is_none()
            .then(|| Failed { kind: "timeout".into(), message: "no complete response after 10s".into() }),
        earlier: Vec::new(),
        judged: None,
    }
}

fn failure(trial: &str, exchanges: Vec<Exchange>) -> Failure {
    let variables = ["PROBITY_TOKEN".to_owned()];
    let curl = exchanges.iter().map(|e| crate::report::text::curl::command(&e.request, &variables));
    let id = TrialName::subject(trial);
    Failure {
        trial: trial.into(),
        label: String::new(),
        expected: "acceptance (2xx)".into(),
        actual: "status 422, {\"error\":\"no\"}".into(),
        clause: None,
        differences: vec![Difference { at: "/id".into(), expected: Some(json!("bk_1")), actual: None }],
        operands: Vec::new(),
        smallest: false,
        curl: curl.collect(),
        script: None,
        wrong: None,
        exchanges,
        rerun: format!("probity check --config probity.toml --seed 42 --only {id}"),
    }
}

fn echo_failure(smallest: bool) -> Failure {
    let body = r#"{"name":"\"O'Hara\" <b>&"}"#;
    let answer = r#"{"id":"bk_1","name":"&quot;O'Hara&quot;\u001b[31m"}"#;
    Failure {
        label: "markup and quotes".into(),
        expected: "\"\\\"O'Hara\\\" <b>&\"   (`response.body.name == request.body.name`)".into(),
        actual: "\"&quot;O'Hara&quot;\u{1b}[31m\u{202e}\"".into(),
        clause: Some("response.body.name == request.body.name".into()),
        operands: vec![
            Operand { path: "response.body.name".into(), value: Some(json!("&quot;O'Hara&quot;")) },
            Operand { path: "request.body.name".into(), value: Some(json!(null)) },
            Operand { path: "request.body.other".into(), value: None },
        ],
        smallest,
        ..failure("response/name-as-sent#1", vec![exchange(3, "pool/full", body, Some((201, answer)))])
    }
}

fn broken_failure() -> Failure {
    let mut bytes = exchange(5, "pool/bytes", "", None);
    bytes.request.body = None;
    bytes.request.body_base64 = Some("/w==".into());
    let mut long = exchange(6, "pool/long", "xxxx", Some((413, "")));
    long.request.truncated = Some(100_000);
    if let Some(response) = &mut long.response {
        response.body = None;
        response.body_base64 = Some("AP8=".into());
        response.truncated = Some(20_000);
    }
    failure("response/name-as-sent#2", vec![bytes, long])
}

fn scenario_failure() -> Failure {
    let body = r#"{"name":"Ulysses"}"#;
    let mut exchanges: Vec<Exchange> = (10..15)
        .map(|n| exchange(n, &format!("repeat/one-record#0/sent[{n}]"), body, Some((201, "{\"id\":\"bk_2\"}"))))
        .collect();
    for exchange in &mut exchanges {
        exchange.request.headers.push(("idempotency-key".into(), "probity-0badcafe-1".into()));
    }
    let mut failure = failure("repeat/one-record#0", exchanges);
    failure.curl.drain(2..4);
    Failure {
        expected: "1   (`sent.map(e, e.response.body.id).distinct().size() == 1`)".into(),
        actual: "2".into(),
        clause: Some("sent.map(e, e.response.body.id).distinct().size() == 1".into()),
        ..failure
    }
}
