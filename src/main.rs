use probity::contract::{Contract, EMBEDDED, Location};
use probity::generate::draft::Lent;
use probity::generate::seed::{Mark, Seed};
use probity::judge::Judge;
use probity::plan::{Options, Plan, Selection};
use probity::reference;
use probity::source::Source;
use probity::target::client::{Client, Limits};
use probity::target::clock::Clock;
use probity::target::settings::{Overrides, Settings};
use std::time::Duration;
fn main() {
    if let Err(e) = go() {
        eprintln!("{e}");
        std::process::exit(2);
    }
}
fn go() -> probity::source::Result<()> {
    let args: Vec<String> = std::env::args().collect();
    let location = Location::Folder("cases/create-opportunity".into());
    let _ = EMBEDDED;
    let contract = Contract::load(&location)?;
    let faults = args
        .get(1)
        .into_iter()
        .filter(|a| !a.is_empty())
        .map(|n| *reference::Fault::ALL.iter().find(|f| f.name() == n).expect("fault"))
        .collect();
    let liberties = args
        .get(2)
        .into_iter()
        .filter(|a| !a.is_empty())
        .map(|n| *reference::Liberty::ALL.iter().find(|f| f.name() == n).expect("liberty"))
        .collect();
    let server = reference::start(reference::Options { port: 0, faults, liberties }).unwrap();
    let source = Source::new("ref.toml", reference::settings_toml(&server.url));
    let settings = Settings::read(Some(source), &Overrides::default(), &|n| {
        reference::TOKENS.iter().find(|(v, _)| *v == n).map(|(_, t)| (*t).to_owned())
    })?;
    settings.check_fixtures(&contract.fixtures)?;
    let lent = Lent::new(&contract, settings.fixtures.clone(), settings.identities.keys().cloned().collect());
    let t = std::time::Instant::now();
    let seed = Seed(std::env::var("SEED").ok().and_then(|s| s.parse().ok()).unwrap_or(1));
    let plan = Plan::new(
        &contract,
        &lent,
        &Options { seed, examples: 30, selection: Selection::default() },
        chrono::Utc::now(),
    )?;
    eprintln!(
        "plan: {} requests, {} entries wanted, {} trials in {:?}",
        plan.requests(),
        plan.entries.iter().filter(|e| e.wanted).count(),
        plan.trials.len(),
        t.elapsed()
    );
    if std::env::var("PLAN").is_ok() {
        for e in &plan.entries {
            println!("{} {} {:?} {:?}", e.name, e.label, e.control, e.draft);
        }
    }
    let judge = Judge { contract: &contract, lent: &lent };
    let rt = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let client = Client::new(
        settings,
        contract.operation.security.clone(),
        &Limits { timeout: Duration::from_secs(3), concurrency: 16 },
        Clock::system(),
    )
    .unwrap();
    let stopped = std::sync::atomic::AtomicBool::new(false);
    let out = rt.block_on(probity::run::run(
        judge,
        &plan,
        &client,
        &probity::run::Options { seed, mark: Mark::random(), max_requests: 500, max_failures: None, concurrency: 16 },
        &mut probity::run::event::Nobody,
        &stopped,
    ));
    for (r, t) in contract.requirements.iter().zip(&out.tallies) {
        let v = t.verdict(&r.form);
        if std::env::var("ALL").is_ok() || v.name() != "pass" {
            println!(
                "{:<13}{:<7}{}  h{} b{} u{} s{} l{}",
                v.name(),
                r.level.map_or("probe", |l| l.name()),
                r.id,
                t.holds,
                t.broken,
                t.unknown,
                t.skipped,
                t.left_out
            );
            for (n, b) in t.smallest.iter().map(|(n, b)| (n, b)).chain(t.breaches.iter()).take(3) {
                println!("     {n} [{}] expected {} | actual {}", b.label, b.expected, b.actual);
                if let Some(e) = b.exchanges.last() {
                    println!(
                        "        body {} hdr {:?} -> {:?}",
                        e.request
                            .body
                            .as_ref()
                            .map(|b| String::from_utf8_lossy(b).chars().take(200).collect::<String>())
                            .unwrap_or_default(),
                        e.request.headers,
                        probity::run::contact::what_came(e)
                    );
                }
            }
            if let Some((n, r, _)) = &t.doubt {
                println!("     ? {n}: {r}");
            }
            if let Some(o) = &t.obstacle {
                println!("     - {o}");
            }
            for (o, n) in t.observed.iter().take(8) {
                println!("     . {o} x{n}");
            }
        }
    }
    println!(
        "{:?} {:?} {} requests in {:?}, at once {}",
        out.stop, out.standing, out.figures.requests, out.figures.elapsed, out.figures.most_at_once
    );
    Ok(())
}
