//! Whatever a server answers, it is judged: nothing panics, and nothing that says nothing passes.

use std::sync::LazyLock;

use probity::contract::requirement::Form;
use probity::contract::template::{FreshKind, Spelling, Template, When};
use probity::exchange::{Failure, FailureKind, Outcome, Response};
use probity::generate::draft::{Content, Credentials, Draft};
use probity::judge::bind::Control;
use probity::judge::finding::Found;
use probity::judge::scenario::{StepSeen, scope};
use probity::plan::Entry;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use serde_json::{Value, json};

use super::bench::{Bench, OPPORTUNITIES, ORDERS, cases, render, some_day};
use super::expressions::{any_json, compile};
use super::schema::operation_at;

static ENTRIES: LazyLock<[(&Bench, Vec<Entry>); 2]> =
    LazyLock::new(|| [&*OPPORTUNITIES, &*ORDERS].map(|bench| (bench, bench.plan(6, some_day()).entries)));

fn bodies() -> impl Strategy<Value = Vec<u8>> {
    let good = json!({
        "id": "a", "name": "b", "shop_id": "north", "order_no": "n1", "total": 1.5, "value": 5000, "created_at": "2027-05-12T10:11:12Z",
        "lines": [{"sku": "SKU-01", "quantity": 1}], "pipeline": {"id": "x"}, "customer": {"full_name": "c"}, "title": "t", "problems": [],
    });
    let partly = (any_json(), select(&["id", "name", "lines", "pipeline", "total", "created_at", "title"][..]))
        .prop_map(move |(value, key)| {
            let mut body = good.clone();
            body[key] = value;
            body.to_string().into_bytes()
        });
    prop_oneof![
        any::<Vec<u8>>(),
        any::<String>().prop_map(String::into_bytes),
        any_json().prop_map(|v| v.to_string().into_bytes()),
        partly,
        (1_usize..3000, select(&["[", "{\"a\":", "[]", "1", "é"][..]))
            .prop_map(|(n, piece)| piece.repeat(n).into_bytes()),
    ]
}

fn outcomes() -> impl Strategy<Value = Outcome> {
    let name = prop_oneof![
        select(&["content-type", "www-authenticate", "date", "retry-after", "x"][..]).prop_map(str::to_owned),
        any::<String>(),
    ];
    let value = prop_oneof![
        select(
            &["application/json", "APPLICATION/JSON; charset=x", "text/plain", ";;", "", "application/problem+json"][..]
        )
        .prop_map(str::to_owned),
        any::<String>(),
    ];
    let status = prop_oneof![select(&[200_u16, 201, 204, 303, 400, 401, 404, 422, 429, 500][..]), any::<u16>()];
    prop_oneof![
        8 => (status, proptest::collection::vec((name, value), 0..4), bodies())
            .prop_map(|(status, headers, body)| Outcome::Response(Response::new(status, headers, body.into()))),
        1 => (select(&FailureKind::ALL[..]), any::<String>()).prop_map(|(kind, message)| Outcome::Failed(Failure { kind, message })),
    ]
}

fn controls() -> impl Strategy<Value = Control> {
    select(&[Control::Accepted, Control::Refused, Control::Unknown, Control::Missing][..])
}

/// A number that no float holds has no type that could be shown.
#[test]
fn an_answer_that_cannot_be_shown_is_told() {
    let (bench, entries) = &ENTRIES[0];
    let headers = vec![("content-type".to_owned(), "application/problem+json".to_owned())];
    let outcome = Outcome::Response(Response::new(404, headers, "1".repeat(310).into()));
    let mut exchange = bench.exchange(&entries[0].name, &entries[0].draft, some_day(), outcome);
    exchange.fresh = true;
    let seen = bench.judge().see(exchange, Control::Accepted, entries[0].about, false);
    let told = |finding: &probity::judge::finding::Finding| matches!(&finding.found, Found::Broken(counterexample) if !counterexample.actual.is_empty());
    let broken: Vec<_> =
        bench.judge().exchange(&seen).into_iter().filter(|f| matches!(f.found, Found::Broken(_))).collect();
    assert!(!broken.is_empty() && broken.iter().all(told), "{broken:?}");
}

proptest! {
    #![proptest_config(cases(300))]

    #[test]
    fn any_answer_is_judged(which in 0_usize..2, entry in any::<Index>(), outcome in outcomes(), control in controls(), fresh in any::<bool>(), plain in any::<bool>()) {
        let (bench, entries) = &ENTRIES[which];
        let entry = &entries[entry.index(entries.len())];
        let mut exchange = bench.exchange(&entry.name, &entry.draft, some_day(), outcome);
        exchange.fresh = fresh;
        let seen = bench.judge().see(exchange, control, entry.about, plain);
        for finding in bench.judge().exchange(&seen) {
            if let Found::Broken(counterexample) = &finding.found {
                prop_assert!(!counterexample.expected.is_empty() && !counterexample.actual.is_empty(), "{counterexample:?}");
            }
        }
    }

    /// Requests whose bodies are anything at all are classified and judged, too.
    #[test]
    fn any_request_is_judged(which in 0_usize..2, body in prop_oneof![any::<Vec<u8>>(), any_json().prop_map(|v| v.to_string().into_bytes())], outcome in outcomes()) {
        let (bench, entries) = &ENTRIES[which];
        let mut exchange = bench.exchange("t", &entries[0].draft, some_day(), outcome);
        exchange.request.body = Some(body.into());
        let seen = bench.judge().see(exchange, Control::Accepted, None, true);
        let _ = bench.judge().exchange(&seen);
    }

    /// Scenarios and probes are judged whatever their steps brought.
    #[test]
    fn any_steps_are_judged(which in 0_usize..2, requirement in any::<Index>(), outcomes in proptest::collection::vec(outcomes(), 1..5), row in any_json()) {
        let (bench, entries) = &ENTRIES[which];
        let all: Vec<_> = bench.contract.requirements.iter().filter(|r| match &r.form {
            Form::Scenario(_) => true,
            Form::Probe(p) => !p.steps.is_empty(),
            _ => false,
        }).collect();
        let form = &all[requirement.index(all.len())].form;
        let steps = match form {
            Form::Scenario(s) => &s.steps,
            Form::Probe(p) => &p.steps,
            _ => unreachable!("they were left out"),
        };
        let mut outcomes = outcomes.into_iter().cycle();
        let done: Vec<StepSeen> = steps.iter().map(|step| {
            let count = step.sends.iter().map(|s| s.copies).sum();
            let seen = (0..count).map(|_| {
                let exchange = bench.exchange("t", &entries[0].draft, some_day(), outcomes.next().expect("it cycles"));
                bench.judge().see(exchange, Control::Accepted, None, true)
            }).collect();
            StepSeen { name: step.name.clone(), many: step.many, seen }
        }).collect();
        let scope = scope(bench.judge(), &done, Some(&row), some_day());
        let _ = match form {
            Form::Scenario(s) => bench.judge().scenario(s, &done, &scope, "row"),
            Form::Probe(p) => bench.judge().probe(p, &done, &scope, "row"),
            _ => unreachable!("they were left out"),
        };
    }

    /// Whatever a case asks to be sent is made, or refused with words.
    #[test]
    fn any_draft_is_rendered(body in templates(), raw in templates(), header in templates(), path in templates(), which in 0_usize..3) {
        let draft = Draft {
            operation: None,
            identity: Template::Literal(json!("caller")),
            path: vec![("id".to_owned(), path)],
            query: vec![("q".to_owned(), header.clone())],
            headers: vec![("X".to_owned(), header.clone())],
            cookies: vec![("c".to_owned(), header.clone())],
            header_case: None,
            credentials: Credentials::Text(header),
            body: match which {
                0 => Content::Json(body),
                1 => Content::Raw(vec![raw, body]),
                _ => Content::None,
            },
        };
        match render(&OPPORTUNITIES.fixtures, &draft, &operation_at("/x/{id}/y"), some_day()) {
            Ok(request) => {
                let (path, query) = request.path.split_once('?').unwrap_or((&request.path, ""));
                prop_assert!(path.starts_with("/x/") && path.ends_with("/y"));
                prop_assert!(path.is_ascii() && !path[3..path.len() - 2].contains('/'), "{}", path);
                prop_assert!(query.is_ascii() && !query.contains(['#', ' ']), "{}", query);
                let _ = request.json();
            }
            Err(trouble) => prop_assert!(!trouble.to_string().is_empty()),
        }
    }
}

/// Ids whose form another takes.
const LIKE: &[&str] =
    &["'hh_p2Kd71'", "'3f2504e0-4f89-11d3-9a0c-0305e82c3301'", "''", "'é👩'", "'-'", "1", "[]", "fixtures.x", "null"];

fn templates() -> impl Strategy<Value = Template> {
    let offset =
        prop::option::of((-86_399_i32..=86_399).prop_map(|s| chrono::FixedOffset::east_opt(s).expect("an offset")));
    let leaf = prop_oneof![
        any_json().prop_map(Template::Literal),
        any::<String>().prop_map(Template::Text),
        any::<String>().prop_map(Template::Marked),
        any::<Vec<u8>>().prop_map(Template::Bytes),
        (any::<String>(), 0_usize..50).prop_map(|(text, times)| Template::Filler { text, times }),
        (any::<i64>(), any::<i64>()).prop_map(|(a, b)| Template::Integer { from: a.min(b), to: a.max(b) }),
        (any::<bool>(), prop::option::of(1_usize..100), prop::option::of(select(LIKE))).prop_map(
            |(unknown_id, length, like)| Template::Fresh {
                kind: if unknown_id { FreshKind::UnknownId } else { FreshKind::Key },
                length,
                like: like.map(|text| std::sync::Arc::new(compile(text).expect("an expression"))),
            }
        ),
        (any::<i64>(), offset, any::<u8>(), any::<bool>()).prop_map(|(millis, offset, digits, day)| {
            Template::Instant {
                when: When::FromNow(chrono::TimeDelta::milliseconds(millis.max(-i64::MAX))),
                spelling: Spelling { offset, digits, day },
            }
        }),
        proptest::collection::vec("[a-z0-9]{1,3}", 0..3).prop_map(Template::Row),
    ];
    leaf.prop_recursive(2, 8, 3, |below| {
        prop_oneof![
            proptest::collection::vec(below.clone(), 0..3).prop_map(Template::List),
            proptest::collection::vec((any::<String>(), below), 0..3).prop_map(Template::Object),
        ]
    })
}

/// Reports with any words in them are drawn by every writer.
mod reports {
    use super::{Index, Value, any, cases, json, proptest, select};
    use probity::report::format::github;
    use probity::report::{FORMATS, Report, terminal};
    use std::sync::LazyLock;

    /// A report of a run with failures, in which a text or a number is changed.
    static REPORT: LazyLock<Value> = LazyLock::new(|| {
        let folder = tempfile::tempdir().expect("a folder");
        let status = std::process::Command::new(env!("CARGO_BIN_EXE_probity"))
            .args([
                "check",
                "--seed",
                "1",
                "--quiet",
                "--out",
                "reports",
                "--only",
                "response/*",
                "--only",
                "defaults/*",
                "--only",
                "probes/*",
            ])
            .args(["--fault", "value-in-cents"])
            .current_dir(&folder)
            .output()
            .expect("probity");
        let text = std::fs::read(folder.path().join("reports/report.json"));
        serde_json::from_slice(&text.unwrap_or_else(|e| panic!("{e}: {status:?}"))).expect("JSON")
    });

    const LONG: &str = include_str!("responses.rs");

    fn leaves(value: &Value, at: String, out: &mut Vec<String>) {
        match value {
            Value::Object(map) => {
                for (k, v) in map {
                    leaves(v, format!("{at}/{}", k.replace('~', "~0").replace('/', "~1")), out);
                }
            }
            Value::Array(items) => items.iter().enumerate().for_each(|(i, v)| leaves(v, format!("{at}/{i}"), out)),
            _ => out.push(at),
        }
    }

    proptest! {
        #![proptest_config(cases(60))]

        #[test]
        fn any_words_are_drawn(
            changes in proptest::collection::vec((any::<Index>(), any::<String>(), select(&["", "\u{1b}[31m", "\n\n", "\u{202e}x", LONG, "漢字漢字漢字", "👩‍👩‍👧", "\t"][..])), 1..30),
            width in 0_usize..220, full in any::<bool>(), color in any::<bool>(),
        ) {
            let mut report = REPORT.clone();
            let mut places = Vec::new();
            leaves(&report, String::new(), &mut places);
            for (at, text, odd) in changes {
                let place = &places[at.index(places.len())];
                let leaf = report.pointer_mut(place).expect("a leaf");
                let old = leaf.clone();
                *leaf = match &*leaf {
                    Value::String(_) => json!(format!("{text}{odd}")),
                    Value::Number(_) => json!(u32::from(text.len() as u8) * 1000),
                    other => other.clone(),
                };
                // Words that are not free stay as they were.
                if serde_json::from_value::<Report>(report.clone()).is_err() {
                    *report.pointer_mut(place).expect("a leaf") = old;
                }
            }
            let report: Report = serde_json::from_value(report).expect("a report");
            let options = terminal::Options { color, width, full };
            let _ = terminal::render(&report, &[], &options);
            for format in FORMATS.iter().filter(|f| f.name != "har") {
                // Without a folder: all but those that show every exchange.
                let _ = format.render(&report, std::path::Path::new("."));
            }
            let _ = github::annotations(&report, &|file| Some(file.to_owned()));
            for requirement in &report.requirements {
                let _ = terminal::one(requirement);
            }
        }
    }

    #[test]
    fn the_report_has_something_to_tell() {
        let failed = REPORT["requirements"].as_array().expect("requirements").iter().filter(|r| r["verdict"] == "fail");
        assert!(failed.count() > 0);
    }
}
