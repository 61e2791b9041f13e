//! What all tests start from: the two contracts, and drafts made into requests.

use std::path::Path;
use std::sync::LazyLock;
use std::time::Duration;

use chrono::{DateTime, Utc};
use probity::contract::{Contract, Location};
use probity::document::operation::Operation;
use probity::exchange::Request;
use probity::exchange::{Attempt, Exchange, Interval, Outcome, Response};
use probity::expression::timestamp;
use probity::generate::draft::{Draft, Fixtures};
use probity::generate::render::{Issued, Rendering};
use probity::generate::seed::{RunTag, Seed};
use probity::judge::Judge;
use probity::plan::{Options, Plan, Selection};
use probity::reference;
use probity::settings::{Overrides, Settings};
use probity::source::Source;
use proptest::test_runner::{Config, RngSeed};
use serde_json::{Value, json};

/// What the cases of all laws begin with, unless `PROPTEST_RNG_SEED` says otherwise.
const FIRST_CASES: u64 = 1;

/// So many cases of a law, or as many as `PROPTEST_CASES` says for every 100 of them.
pub fn cases(count: u32) -> Config {
    let percent = std::env::var("PROPTEST_CASES").ok().and_then(|n| n.parse::<u64>().ok()).unwrap_or(100);
    let cases = u32::try_from(u64::from(count) * percent / 100).unwrap_or(u32::MAX).max(1);
    let config = Config { cases, failure_persistence: None, max_shrink_iters: 2000, ..Config::default() };
    // The same cases in every run, so that a change is tested and not its luck; `PROPTEST_RNG_SEED` asks for others.
    let rng_seed = match config.rng_seed {
        RngSeed::Random => RngSeed::Fixed(FIRST_CASES),
        fixed @ RngSeed::Fixed(_) => fixed,
    };
    Config { rng_seed, ..config }
}

/// A contract and what a target provides to it.
pub struct Bench {
    pub contract: Contract,
    pub fixtures: Fixtures,
}

impl Bench {
    pub fn judge(&self) -> Judge<'_> {
        Judge { contract: &self.contract, fixtures: &self.fixtures }
    }

    pub fn plan(&self, seed: u64, now: DateTime<Utc>) -> Plan {
        let options = Options { seed: Seed(seed), examples: 10, selection: Selection::default() };
        Plan::new(&self.contract, &self.fixtures, &options, now).expect("a plan")
    }

    pub fn request(&self, draft: &Draft, now: DateTime<Utc>) -> Request {
        render(&self.fixtures, draft, &self.contract.operation, now).expect("a request")
    }

    /// An exchange of a draft that was answered so.
    pub fn exchange(&self, name: &str, draft: &Draft, now: DateTime<Utc>, outcome: Outcome) -> Exchange {
        Exchange {
            number: 0,
            trial: name.to_owned(),
            request: self.request(draft, now),
            attempts: vec![Attempt::only(now, Duration::from_millis(1), Interval::exact(now), outcome)],
            ended: None,
            fresh: true,
            unconfirmed: false,
        }
    }
}

pub fn render(
    fixtures: &Fixtures,
    draft: &Draft,
    operation: &Operation,
    now: DateTime<Utc>,
) -> Result<Request, probity::expression::Trouble> {
    let scope = fixtures.bare_scope().extend().value("now", timestamp(now)).build();
    let mut rendering = Rendering {
        now,
        run_tag: &RunTag::fixed("00000000"),
        seed: Seed(0),
        trial: "test",
        count: 0,
        issued: &Issued::default(),
        scope: &scope,
        row: None,
        runner: &mut Seed(0).runner("test", 0),
    };
    rendering.request(draft, operation)
}

pub fn answer(status: u16, media_type: &str, body: &str) -> Outcome {
    Outcome::Response(Response::new(
        status,
        vec![("content-type".to_owned(), media_type.to_owned())],
        body.to_owned().into(),
    ))
}

pub static OPPORTUNITIES: LazyLock<Bench> = LazyLock::new(|| {
    let contract = Contract::load(&Location::Embedded).expect("a contract");
    let source = Source::new("settings", reference::settings_toml("http://127.0.0.1:1"));
    let settings =
        Settings::read(Some(source), &Overrides::default(), &|name| name.contains("TOKEN").then(|| "t".to_owned()))
            .expect("settings");
    let fixtures = settings.fixtures(&contract);
    Bench { contract, fixtures }
});

pub static ORDERS: LazyLock<Bench> = LazyLock::new(|| orders(&folder()));

pub fn folder() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/contracts/replace-order")
}

/// The second contract, from a folder.
pub fn orders(folder: &Path) -> Bench {
    let contract = Contract::load(&Location::Folder(folder.to_owned())).expect("a contract");
    let fixtures = orders_fixtures();
    let fixtures = Fixtures::new(&contract, fixtures, vec!["caller".to_owned(), "deputy".to_owned()]);
    Bench { contract, fixtures }
}

pub fn orders_fixtures() -> Value {
    json!({"foreign_shop": "east", "shops": {"north": {"orders": ["n1", "n2"]}, "south": {"orders": ["s1"]}}})
}

/// A moment in the middle of nowhere: no month's end, no leap day.
pub fn some_day() -> DateTime<Utc> {
    "2027-05-12T10:11:12Z".parse().expect("an instant")
}
