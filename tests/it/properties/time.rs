//! Nothing depends on the time of day, the time zone or the calendar.

use std::process::Command;

use chrono::{DateTime, TimeDelta, Utc};
use probity::http::clock::Clock;
use probity::judge::classify::Class;
use probity::plan::Plan;
use probity::reference::{self};
use std::sync::Arc;

use super::bench::{Bench, OPPORTUNITIES, ORDERS, some_day};

/// Times at which calendars and clocks turn, each named.
const TURNS: &[(&str, &str)] = &[
    ("the end of a month", "2027-04-30T23:59:50Z"),
    ("the end of a long month", "2027-07-31T23:59:59.999Z"),
    ("the 28th of February of a common year", "2027-02-28T23:59:55Z"),
    ("the 28th of February of a leap year", "2028-02-28T23:59:55Z"),
    ("the 29th of February", "2028-02-29T12:00:00Z"),
    ("the end of the 29th of February", "2028-02-29T23:59:59Z"),
    ("the first of March of a common year", "2029-03-01T00:00:00Z"),
    ("the end of a year", "2027-12-31T23:59:50Z"),
    ("the beginning of a year", "2028-01-01T00:00:00Z"),
    ("midnight", "2027-05-12T00:00:00Z"),
    ("just before midnight", "2027-05-12T23:59:59.999999Z"),
    ("the end of 31 bits", "2038-01-19T03:14:07Z"),
    ("after the end of 31 bits", "2038-01-19T03:14:08Z"),
    ("spring forward in New York", "2027-03-14T06:59:59Z"),
    ("fall back in New York", "2027-11-07T05:30:00Z"),
    ("spring forward in Berlin", "2027-03-28T00:59:59Z"),
    ("fall back in Berlin", "2027-10-31T00:30:00Z"),
    ("half an hour back on Lord Howe", "2027-04-03T15:00:00Z"),
    ("today in Kiritimati, yesterday in Pago Pago", "2027-06-01T10:30:00Z"),
];

fn at(text: &str) -> DateTime<Utc> {
    text.parse().expect("an instant")
}

/// How many of a plan's requests are valid and how many broken when they are sent some seconds
/// after the plan was made.
fn classes(bench: &Bench, plan: &Plan, sent: DateTime<Utc>, when: &str) -> (usize, usize) {
    let (mut valid, mut broken) = (0, 0);
    for entry in &plan.entries {
        let request = bench.request(&entry.draft, sent);
        let body = request.json();
        let scope = bench.judge().request_scope(&request, body.as_ref(), sent);
        let (earliest, latest) = (sent - TimeDelta::milliseconds(600), sent + TimeDelta::milliseconds(600));
        let class = bench.judge().class_of(&request, body.as_ref(), &scope, earliest, latest);
        match entry.control {
            // Left to the server at any time.
            None if entry.name.starts_with("pool/open") => {}
            None => {
                assert_eq!(class, Class::Valid, "{when}: {} of {}", entry.name, bench.contract.name);
                valid += 1;
            }
            Some(_) => {
                let about = entry.about.expect("a requirement");
                let named = matches!(&class, Class::Broken(parts) if parts.contains(&about));
                assert!(named, "{when}: {} of {} is {class:?}", entry.name, bench.contract.name);
                broken += 1;
            }
        }
    }
    (valid, broken)
}

fn turns(bench: &Bench, turns: &[(&str, &str)]) {
    let usual = bench.plan(9, some_day());
    let counts = classes(bench, &usual, some_day(), "some day");
    for (when, now) in turns {
        let now = at(now);
        let plan = bench.plan(9, now);
        assert_eq!(plan.requests(), usual.requests(), "{when}");
        assert_eq!(plan.trials.len(), usual.trials.len(), "{when}");
        let names = |plan: &Plan| plan.entries.iter().map(|e| e.name.clone()).collect::<Vec<_>>();
        assert_eq!(names(&plan), names(&usual), "{when}");
        for later in [0, 15, 3600] {
            assert_eq!(classes(bench, &plan, now + TimeDelta::seconds(later), when), counts, "{when}");
        }
    }
}

#[test]
fn plans_and_classes_of_opportunities_are_the_same_at_any_time() {
    turns(&OPPORTUNITIES, TURNS);
}

#[test]
fn plans_and_classes_of_orders_are_the_same_at_any_time() {
    // The first contract speaks of the year 2100; this one does not.
    let far = [("the end of 32 bits", "2106-02-07T06:28:15Z"), ("the first of March of 2100", "2100-03-01T00:00:00Z")];
    turns(&ORDERS, &far);
    turns(&ORDERS, &TURNS.iter().copied().step_by(4).collect::<Vec<_>>());
}

/// Values a year, a day, an hour and a minute from now lie where they should, whatever now is.
#[test]
fn distances_are_kept_at_any_time() {
    let (bench, name) = (&*OPPORTUNITIES, "target_close_date");
    for (when, now) in TURNS {
        let now = at(now);
        for (distance, valid) in
            [(31_536_000, true), (86_400, true), (3600, true), (-3600, false), (-86_400, false), (-31_536_000, false)]
        {
            for offset in ["Z", "+14:00", "-12:00", "+05:45"] {
                let zone = if offset == "Z" { "+00:00" } else { offset };
                let zone: chrono::FixedOffset = zone.parse().expect("an offset");
                let instant = (now + TimeDelta::seconds(distance)).with_timezone(&zone);
                let text = instant.to_rfc3339_opts(chrono::SecondsFormat::Secs, offset == "Z");
                let body = serde_json::json!({"name": "a", name: text});
                let mut request = bench.request(&bench_minimal(bench), now);
                request.body = Some(body.to_string().into());
                let scope = bench.judge().request_scope(&request, Some(&body), now);
                let class = bench.judge().class_of(&request, Some(&body), &scope, now, now);
                let broken = matches!(class, Class::Broken(_));
                assert!(if valid { class == Class::Valid } else { broken }, "{when}: {text} is {class:?}");
            }
        }
    }
}

fn bench_minimal(bench: &Bench) -> probity::generate::draft::Draft {
    thread_local!(static MINIMAL: std::cell::OnceCell<probity::generate::draft::Draft> = const { std::cell::OnceCell::new() });
    MINIMAL.with(|m| m.get_or_init(|| bench.plan(9, some_day()).entries[0].draft.clone()).clone())
}

/// A session plans by the clock that it is given.
#[test]
fn a_session_takes_its_time_from_its_clock() {
    let requests = |now: DateTime<Utc>| {
        let contract = probity::contract::Contract::load(&probity::contract::Location::Embedded);
        let source = probity::source::Source::new("settings", reference::settings_toml("http://127.0.0.1:1"));
        let settings = probity::settings::Settings::read(Some(source), &Default::default(), &|name| {
            name.contains("TOKEN").then(|| "t".to_owned())
        });
        let options = probity::session::Options { seed: Some(4), ..Default::default() };
        let clock = Clock::new(Arc::new(move || now));
        let session = probity::session::Session::new(contract.unwrap(), settings.unwrap(), &options, clock).unwrap();
        (session.plan().requests(), session.warnings().len())
    };
    for (when, now) in &TURNS[..12] {
        assert_eq!(requests(at(now)), requests(some_day()), "{when}");
    }
}

/// The zone of the process is nobody's business.
#[test]
fn zones_of_the_process_change_nothing() {
    let plan = |zone: &str| {
        let output = Command::new(env!("CARGO_BIN_EXE_probity"))
            .args(["plan", "--seed", "5", "--json"])
            .current_dir(std::env::temp_dir())
            .env("TZ", zone)
            .output()
            .expect("probity");
        assert!(output.status.success(), "{zone}: {}", String::from_utf8_lossy(&output.stderr));
        output.stdout
    };
    let utc = plan("UTC");
    for zone in [
        "America/New_York",
        "Europe/Berlin",
        "Asia/Kathmandu",
        "Pacific/Kiritimati",
        "Australia/Lord_Howe",
        "XYZ-14",
        "nonsense",
    ] {
        assert!(plan(zone) == utc, "{zone}");
    }
}

/// A whole run in a zone where the day is another.
#[test]
fn a_run_in_another_zone_passes() {
    let folder = tempfile::tempdir().expect("a folder");
    for zone in ["XYZ-14", "XYZ+12"] {
        let output = Command::new(env!("CARGO_BIN_EXE_probity"))
            .args([
                "check",
                "--seed",
                "5",
                "--quiet",
                "--only",
                "close-date/*",
                "--only",
                "response/*",
                "--only",
                "schema/*",
            ])
            .current_dir(&folder)
            .env("TZ", zone)
            .output()
            .expect("probity");
        assert!(output.status.success(), "{zone}: {}", String::from_utf8_lossy(&output.stdout));
    }
}
