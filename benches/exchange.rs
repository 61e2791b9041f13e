//! What one exchange costs: drawing and classifying a request, looking at its answer, judging it.
//!
//! `cargo bench --bench exchange`

#[path = "../tests/properties/bench.rs"]
#[expect(dead_code, reason = "the tests need more of it")]
mod bench;

use std::hint::black_box;

use bench::{OPPORTUNITIES, answer, some_day};
use criterion::{Criterion, criterion_group, criterion_main};
use probity::exchange::Exchange;
use probity::judge::bind::Control;
use probity::plan::FULL;

fn benches(c: &mut Criterion) {
    let (bench, now) = (&*OPPORTUNITIES, some_day());
    let judge = bench.judge();
    let plan = bench.plan(1, now);
    let exchange = exchange();

    c.bench_function("plan a run", |b| {
        b.iter(|| bench.plan(1, now).requests());
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
fn exchange() -> Exchange {
    let (bench, now) = (&*OPPORTUNITIES, some_day());
    let draft = &bench.plan(1, now).entries[FULL].draft;
    let request = bench.request(draft, now);
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
    bench.exchange("bench", draft, now, answer(201, "application/json", &body.to_string()))
}

criterion_group!(all, benches);
criterion_main!(all);
