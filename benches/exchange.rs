//! What one exchange costs: drawing and classifying a request, looking at its answer, judging it.
//!
//! `cargo bench --bench exchange`

use std::hint::black_box;
use std::time::Duration;

use chrono::{DateTime, Utc};
use criterion::{Criterion, criterion_group, criterion_main};
use probity::contract::{Contract, Location};
use probity::generate::render::{Issued, Rendering};
use probity::generate::seed::{Mark, Seed};
use probity::judge::Judge;
use probity::judge::bind::Control;
use probity::plan::{FULL, Options, Plan, Selection};
use probity::reference;
use probity::source::Source;
use probity::target::exchange::{Exchange, Interval, Outcome, Response};
use probity::target::settings::{Overrides, Settings};

fn benches(c: &mut Criterion) {
    let contract = Contract::load(&Location::Embedded).expect("the embedded contract is sound");
    let source = Source::new("bench", reference::settings_toml("http://127.0.0.1:1"));
    let settings = Settings::read(Some(source), &Overrides::default(), &|name| {
        name.starts_with("PROBITY_TOKEN").then(|| "token".to_owned())
    })
    .expect("sound");
    let lent = settings.lent(&contract);
    let judge = Judge { contract: &contract, lent: &lent };
    let now = DateTime::parse_from_rfc3339("2031-05-05T10:00:00Z").expect("an instant").to_utc();
    let options = Options { seed: Seed(1), examples: 30, selection: Selection::default() };
    let plan = Plan::new(&contract, &lent, &options, now).expect("a plan");
    let exchange = exchange(judge, &plan, now);

    c.bench_function("plan the default run", |b| {
        b.iter(|| Plan::new(&contract, &lent, &options, now).expect("a plan").requests());
    });
    let mut number = 0;
    c.bench_function("draw and classify a random pair", |b| {
        b.iter(|| {
            number += 1;
            black_box(plan.pair(judge, number))
        });
    });
    c.bench_function("bind and classify an exchange", |b| {
        b.iter(|| black_box(judge.see(exchange.clone(), Control::Missing, None, true)));
    });
    let seen = judge.see(exchange.clone(), Control::Missing, None, true);
    c.bench_function("judge an exchange by every rule", |b| {
        b.iter(|| black_box(judge.exchange(&seen)));
    });
}

/// A full valid request and the answer that it deserves.
fn exchange(judge: Judge<'_>, plan: &Plan, now: DateTime<Utc>) -> Exchange {
    let operation = &judge.contract.operation;
    let mut rendering = Rendering {
        now,
        mark: &Mark::fixed("0badcafe"),
        seed: Seed(1),
        trial: "bench",
        count: 0,
        issued: &Issued::default(),
        scope: judge.lent.bare_scope(),
        row: None,
        runner: &mut Seed(1).runner("bench", 0),
    };
    let draft = &plan.entries[FULL].draft;
    let request = rendering.request(draft, &operation.method, &operation.path).expect("a request");
    let sent = request.json().expect("JSON");
    let body = serde_json::json!({
        "id": "op_1", "name": sent["name"], "book_id": "bk_1",
        "pipeline": {"id": sent["pipeline_id"], "name": "P", "pipeline_type": "prospect"},
        "pipeline_stage": {"id": sent["pipeline_stage_id"], "name": "S"},
        "assigned_to": {"id": sent["owner_id"], "email": "a@example.com", "first_name": "A", "last_name": "B"},
        "value": sent["value"].as_i64().unwrap_or(0) / 100, "probability": sent["probability"],
        "target_close_date": sent["target_close_date"], "stage_updated_at": now.to_rfc3339(),
        "household_id": request.parameters[0].1, "created_at": now.to_rfc3339(), "updated_at": now.to_rfc3339(),
    });
    Exchange {
        number: 0,
        trial: "bench".to_owned(),
        request,
        sent: now,
        elapsed: Duration::from_millis(1),
        server_now: Interval { earliest: now, latest: now + chrono::TimeDelta::seconds(1) },
        outcome: Outcome::Response(Response::new(
            201,
            vec![("content-type".to_owned(), "application/json".to_owned())],
            bytes::Bytes::from(body.to_string()),
        )),
        fresh: true,
        lost: false,
        retries: 0,
    }
}

criterion_group!(all, benches);
criterion_main!(all);
