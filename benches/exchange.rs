//! What one exchange costs: drawing and classifying a request, looking at its answer, judging it.
//!
//! `cargo bench --bench exchange`

#[path = "../tests/it/properties/bench.rs"]
#[expect(dead_code, reason = "the tests need more of it")]
mod bench;

use std::hint::black_box;
use std::time::{Duration, Instant};

use bench::{OPPORTUNITIES, answer, some_day};
use probity::exchange::Exchange;
use probity::judge::bind::Control;
use probity::plan::FULL;

/// How many samples are taken, and how long each takes at least.
const SAMPLES: usize = 30;
const SAMPLE: Duration = Duration::from_millis(50);

/// Does something again and again, and prints how long it takes once: the median, and the quickest and slowest sample.
fn time<T>(name: &str, mut act: impl FnMut() -> T) {
    let mut sample = || {
        let (begun, mut times) = (Instant::now(), 0);
        while begun.elapsed() < SAMPLE {
            black_box(act());
            times += 1;
        }
        begun.elapsed() / times
    };
    // The first finds everything cold.
    sample();
    let mut samples: Vec<Duration> = (0..SAMPLES).map(|_| sample()).collect();
    samples.sort_unstable();
    println!("{name:<40} {:>10.2?}   ({:.2?} to {:.2?})", samples[SAMPLES / 2], samples[0], samples[SAMPLES - 1]);
}

fn main() {
    let (bench, now) = (&*OPPORTUNITIES, some_day());
    let judge = bench.judge();
    let plan = bench.plan(1, now);
    let exchange = exchange();
    let mut number = 0;

    time("plan a run", || bench.plan(1, now).requests());
    time("draw and classify a random pair", || {
        number += 1;
        plan.pair(judge, number)
    });
    time("bind and classify an exchange", || judge.see(exchange.clone(), Control::Missing, None, true));
    let seen = judge.see(exchange.clone(), Control::Missing, None, true);
    time("judge an exchange by every rule", || judge.exchange(&seen));
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
