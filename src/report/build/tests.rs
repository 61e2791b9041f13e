use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::json;

use super::*;
use crate::contract::Location;
use crate::contract::requirement::Level;
use crate::exchange::{self as target, Interval, Response};
use crate::exchange::{Attempt, Request, Shown};
use crate::expression;
use crate::judge::attempts::Troubles;
use crate::judge::bind::{Control, Purpose};
use crate::judge::finding::{self, Finding, Found};
use crate::report::log::exchanges::{self, ExchangeLog};
use crate::report::model::record::{self, BODY_SHOWN};
use crate::run::event::{Event, Sink};
use crate::settings::{Overrides, Settings};

const TOKEN: &str = "s3cr3t-token";

fn at() -> DateTime<Utc> {
    DateTime::from_timestamp(1_900_000_000, 5_000).unwrap()
}

const SPEC: &str = r"
openapi: 3.0.3
info: { title: Books, version: '1' }
paths:
  /v1/shelves/{shelf}/books:
    post:
      operationId: createBook
      security: [{ bearer: [] }]
      parameters:
        - { name: shelf, in: path, required: true, schema: { type: string } }
      requestBody:
        required: true
        content:
          application/json:
            schema: { type: object, required: [name], properties: { name: { type: string } } }
      responses: { '201': { description: made } }
components:
  securitySchemes: { bearer: { type: http, scheme: bearer } }
";

const CASES: &str = r"
- id: asks-for-a-token
  level: must
  text: Without a token nothing is made.
  source: Headers
  steps:
    - sent: { from: minimal, authorization: null }
  expect: sent.client_error
- id: length
  text: How long a name may be.
  source: Body, name
  steps:
    - sent: { from: minimal }
  observe: sent.response.status
";

fn contract() -> Contract {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
    std::fs::create_dir(folder.path().join("books")).unwrap();
    write("spec.yaml", SPEC);
    write("books/contract.yaml", "spec: spec.yaml\noperation: createBook\n");
    write("books/books.yaml", CASES);
    Contract::load(&Location::Folder(folder.path().join("books"))).unwrap_or_else(|e| panic!("{e}"))
}

fn recorder(contract: &Contract) -> Recorder {
    let toml = "[target]\nurl = 'https://example.com/base'\n[identities.caller]\ntoken = { env = 'MY_TOKEN' }\n";
    let source = crate::source::Source::new("t", toml);
    let settings =
        Settings::read(Some(source), &Overrides::default(), &|name| (name == "MY_TOKEN").then(|| TOKEN.to_owned()))
            .unwrap();
    Recorder::new(&settings, contract.operation.security.as_ref())
}

fn exchange(number: u64, body: &[u8], credentials: Shown, answer: &[u8]) -> Arc<Exchange> {
    Arc::new(Exchange {
        number,
        trial: format!("area/id#{number}/step"),
        request: Request {
            operation: None,
            method: "POST".into(),
            path: "/v1/x%20y/../z".into(),
            parameters: Vec::new(),
            headers: vec![("Idempotency-Key".into(), "k".into())],
            identity: "caller".into(),
            credentials,
            body: Some(body.to_vec().into()),
            raw: false,
        },
        attempts: vec![Attempt::only(
            at(),
            Duration::from_micros(12_345),
            Interval::exact(at()),
            target::Outcome::Response(Response::new(
                201,
                vec![("x-echo".into(), format!("Bearer {TOKEN}"))],
                answer.to_vec().into(),
            )),
        )],
        ended: None,
        fresh: true,
        unconfirmed: false,
    })
}

fn counterexample(exchanges: Vec<Arc<Exchange>>) -> Found {
    Found::Broken(Arc::new(Counterexample {
        label: format!("with {TOKEN}"),
        expected: "1".into(),
        actual: format!("not 1 but {TOKEN}"),
        clause: None,
        // A server may put a token into the name of a field.
        differences: vec![finding::Difference { at: format!("/{TOKEN}-1"), expected: None, actual: Some(json!(1)) }],
        operands: vec![expression::Operand { path: "response.body".into(), value: Some(json!({ "token": TOKEN })) }],
        wrong: Some(format!("/{TOKEN}-1")),
        exchanges,
    }))
}

fn outcome(contract: &Contract) -> Outcome {
    let latencies = vec![1_500];
    Outcome {
        left_out: 0,
        tallies: contract.requirements.iter().map(|_| Tally::default()).collect(),
        stop: None,
        health: run::Health::Yes,
        figures: run::Figures {
            started: at(),
            elapsed: Duration::from_millis(1234),
            requests: 5,
            retries: 1,
            accepted: 2,
            created: 2,
            uncertain: 0,
            slowest: vec![("area/id".to_owned(), Duration::from_micros(1_500))],
            troubles: Troubles::default(),
            refused: 0,
            pace: None,
            waited: Duration::ZERO,
            latencies,
            most_at_once: 3,
            clock: Some((TimeDelta::milliseconds(-5), TimeDelta::seconds(1))),
        },
    }
}

fn facts() -> Facts {
    Facts {
        target: "https://example.com/base".into(),
        seed: 7,
        run_tag: "m".into(),
        options: Options { max_requests: 500, ..Options::default() },
        command: "probity check --config p.toml".into(),
    }
}

fn build(contract: &Contract, outcome: &Outcome) -> Report {
    let selected = vec![true; contract.requirements.len()];
    Report::build(contract, &selected, outcome, &facts(), &recorder(contract))
}

fn add(outcome: &mut Outcome, requirement: usize, trial: &str, found: Found) {
    outcome.tallies[requirement].add(Finding { requirement, trial: trial.into(), exchange: None, found });
}

#[test]
fn carries_what_the_contract_and_the_run_say() {
    let contract = contract();
    let report = build(&contract, &outcome(&contract));
    assert_eq!(report.requirements.len(), contract.requirements.len());
    assert!(report.requirements.is_sorted_by(|a, b| a.id < b.id));
    assert_eq!(report.header.contract.method, "POST");
    assert_eq!(report.header.started, "2030-03-17T17:46:40.000Z");
    assert_eq!(report.header.variables, ["MY_TOKEN"]);
    assert_eq!(report.figures.latency.unwrap().p50_ms, 1.5);
    assert_eq!(report.figures.clock.unwrap().low_ms, -5);
    assert!(report.end.complete);
    let declared = report.requirements.iter().find(|r| r.form == Form::Scenario).unwrap();
    assert!(declared.origin.ends_with("books.yaml:2"), "{}", declared.origin);
    assert_eq!(report.requirement(&declared.id), Some(declared));
    assert_eq!(declared.verdict, Verdict::Untested);
    assert_eq!(
        declared.reason.as_deref(),
        Some("no accepted request of this run shows anything about it; more --examples may help")
    );
}

#[test]
fn shows_the_smallest_breach_first_and_counts_the_rest() {
    let contract = contract();
    let mut outcome = outcome(&contract);
    for (i, size) in [30, 10, 20, 40].into_iter().enumerate() {
        let exchanges = vec![exchange(i as u64, &vec![b'x'; size], Shown::Own, b"{}")];
        add(&mut outcome, 0, &format!("t{i}"), counterexample(exchanges));
    }
    let requirement = &build(&contract, &outcome).requirements[0];
    let trials = |r: &Requirement| r.failures.iter().map(|f| f.trial.clone()).collect::<Vec<_>>();
    assert_eq!((trials(requirement), requirement.more_failures), (vec!["t1".into(), "t2".into(), "t0".into()], 1));
    let Found::Broken(found) = counterexample(vec![exchange(9, b"x", Shown::Own, b"{}")]) else { return };
    outcome.tallies[0].smallest = Some(("t3~2".into(), found));
    let requirement = &build(&contract, &outcome).requirements[0];
    assert_eq!((trials(requirement), requirement.more_failures), (vec!["t3~2".into(), "t1".into(), "t2".into()], 2));
    assert!(requirement.failures[0].smallest && !requirement.failures[1].smallest);
    let rerun = format!("probity check --config p.toml --seed 7 --only {}", requirement.id);
    assert_eq!(requirement.failures[0].rerun, rerun);
}

#[test]
fn writes_no_token_anywhere() {
    let contract = contract();
    let mut outcome = outcome(&contract);
    let mut long = vec![b' '; BODY_SHOWN - 5];
    long.extend_from_slice(TOKEN.as_bytes());
    let mut binary = TOKEN.as_bytes().to_vec();
    binary.extend_from_slice(b"\xff\xfe");
    let exchanges = vec![
        exchange(1, TOKEN.as_bytes(), Shown::Own, &long),
        exchange(2, b"{}", Shown::Text("Basic {token} {token[:-1]} {token[1:]}".into()), &binary),
        exchange(3, b"{}", Shown::Nothing, b"\xff\xfe"),
    ];
    for exchange in &exchanges {
        let found = Found::Unknown(format!("saw {TOKEN}"), vec![Arc::clone(exchange)]);
        add(&mut outcome, 1, "t", found);
    }
    add(&mut outcome, 0, "t", counterexample(exchanges));
    add(&mut outcome, 2, "t", Found::Observed(json!({ "saw": TOKEN })));
    outcome.health = run::Health::No(TOKEN.into());
    let report = build(&contract, &outcome);
    let text = crate::report::format::json::render(&report);
    assert!(!text.contains("s3cr3t") && !text.contains("cr3t-token"), "{text}");
    let failure = &report.requirements[0].failures[0];
    let header = |i: usize| {
        let mut headers = failure.exchanges[i].request.headers.iter();
        headers.find(|(n, _)| n.eq_ignore_ascii_case("authorization")).map(|(_, v)| v.as_str())
    };
    assert_eq!(header(0), Some("Bearer ${MY_TOKEN}"));
    assert_eq!(header(1), Some("Basic ${MY_TOKEN} ${MY_TOKEN%?} ${MY_TOKEN#?}"));
    assert_eq!(header(2), None);
    assert!(failure.curl[0].contains("-H \"Authorization: Bearer ${MY_TOKEN}\""), "{}", failure.curl[0]);
    let response = failure.exchanges[2].response.as_ref().unwrap();
    assert_eq!((response.body.as_deref(), response.body_base64.as_deref()), (None, Some("//4=")));
}

#[test]
fn writes_no_half_of_a_token() {
    let recorder = recorder(&contract());
    let echo = format!("status 400, you sent {TOKEN} and more");
    for most in 0..echo.len() {
        let text = recorder.text(&crate::judge::finding::cut(&echo, most));
        assert!(!text.contains("s3cr3t"), "{text}");
    }
    assert_eq!(recorder.text("s3cr… (9 characters)"), "s3cr… (9 characters)");
}

#[test]
fn records_requests_as_sent() {
    let contract = contract();
    let record = recorder(&contract).record(&exchange(4, &vec![b'x'; 20_000], Shown::Own, b""));
    assert_eq!(record.request.url, "https://example.com/base/v1/z");
    let names: Vec<&str> = record.request.headers.iter().map(|(n, _)| n.as_str()).collect();
    assert_eq!(names, ["User-Agent", "Idempotency-Key", "Authorization"]);
    assert!(record.request.headers[0].1.ends_with(" (area/id)"), "{:?}", record.request.headers);
    assert_eq!(record.request.body.as_ref().map(String::len), Some(BODY_SHOWN));
    assert_eq!(record.request.truncated, Some(20_000));
    assert_eq!(record.response.unwrap().body.as_deref(), Some(""));
    assert_eq!((record.elapsed_ms, record.attempt), (12.345, 1));
    assert_eq!(record.sent, "2030-03-17T17:46:40.000005Z");
}

#[test]
fn says_why_a_run_was_cut_short() {
    let contract = contract();
    let mut outcome = outcome(&contract);
    outcome.tallies[0].left_out = 1;
    let end = |outcome: &Outcome| {
        let report = build(&contract, outcome);
        (report.end.cause, report.end.preflight_failed, report.requirements[0].reason.clone())
    };
    assert_eq!(
        end(&outcome),
        (
            Some(Cause::MaxRequests),
            false,
            Some("the budget of 500 requests (--max-requests) was not enough for all".into())
        )
    );
    outcome.stop = Some(Stop::Throttled("answered 429".into()));
    assert_eq!(end(&outcome).0, Some(Cause::Throttled));
    assert!(!end(&outcome).1);
    for tally in &mut outcome.tallies {
        tally.left_out = 1;
    }
    outcome.figures.accepted = 0;
    assert!(end(&outcome).1, "throttled from the beginning");
    outcome.stop = Some(Stop::Refused("status 401".into(), "look at the token".into()));
    let (cause, first, reason) = end(&outcome);
    assert_eq!((cause, first), (Some(Cause::Refused), true));
    assert_eq!(reason.as_deref(), Some("the target refuses a valid request: status 401; look at the token"));
    outcome.stop = None;
    outcome.health = run::Health::NotAsked;
    assert_eq!(end(&outcome).0, Some(Cause::MaxRequests));
}

#[test]
fn what_was_not_asked_for_is_untested() {
    let contract = contract();
    let mut selected = vec![false; contract.requirements.len()];
    selected[0] = true;
    let report = Report::build(&contract, &selected, &outcome(&contract), &facts(), &recorder(&contract));
    assert_eq!(report.selected().count(), 1);
    assert_eq!(report.summary.not_selected, report.requirements.len() as u64 - 1);
    assert_eq!(report.requirements[1].reason.as_deref(), Some("not asked for in this run"));
    let levels = [Some(Level::Must), Some(Level::Should), Some(Level::May), None];
    assert_eq!(levels.iter().map(|l| report.summary.level(*l).total()).sum::<u64>(), 1);
}

#[test]
fn exchanges_are_written_as_they_happen() {
    let contract = contract();
    let recorder = recorder(&contract);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(crate::report::EXCHANGES);
    std::fs::write(&path, "older\n").unwrap();
    let mut log = ExchangeLog::create(&path, recorder.clone()).unwrap();
    let all = [exchange(1, b"{\"a\":\"\n\"}", Shown::Own, b"\xff"), exchange(2, b"", Shown::Nothing, b"{}")];
    let purpose = Purpose { control: Control::Accepted, plain: true };
    for (i, exchange) in all.iter().enumerate() {
        log.event(Event::Exchange(exchange, purpose));
        assert_eq!(exchanges::read(&path).unwrap().count(), i + 1);
    }
    log.event(Event::Shrinking);
    log.finish().unwrap();
    let read: Result<Vec<_>, _> = exchanges::read(&path).unwrap().collect();
    let written =
        |e: &Arc<Exchange>| record::Exchange { judged: Some(record::Judged::of(e, purpose)), ..recorder.record(e) };
    assert_eq!(read.unwrap(), all.iter().map(written).collect::<Vec<_>>());
    std::fs::write(&path, "{}\n").unwrap();
    let error = exchanges::read(&path).unwrap().next().unwrap().unwrap_err();
    assert!(error.to_string().starts_with("line 1 is not an exchange: "), "{error}");
}
