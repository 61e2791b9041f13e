//! Runs that someone ends.

use std::process::Command;
use std::time::{Duration, Instant};

use super::{before, check};
use crate::support::{Probity, Ran};

/// Ends a run with signals: one once requests are under way, and more later.
fn ended(command: Probity, signals: &'static [&'static str]) -> (Ran, Duration) {
    let exchanges = command.folder().join("reports/exchanges.ndjson");
    let mut begun = Instant::now();
    let ran = command.run_with(|id| {
        let wait = Instant::now();
        while wait.elapsed() < Duration::from_secs(20)
            && !std::fs::read_to_string(&exchanges).is_ok_and(|text| text.lines().count() > 20)
        {
            std::thread::sleep(Duration::from_millis(5));
        }
        begun = Instant::now();
        for signal in signals {
            assert!(Command::new("kill").args([*signal, id.to_string().as_str()]).status().expect("kill").success());
            std::thread::sleep(Duration::from_millis(150));
        }
    });
    (ran, begun.elapsed())
}

#[test]
fn the_first_ends_it_with_what_is_known() {
    for signal in [&["-TERM"][..], &["-INT"][..]] {
        let server = before(|_, _| {
            std::thread::sleep(Duration::from_millis(30));
            None
        });
        let (ran, _) = ended(check("check --concurrency 2 -q", &server.url()), signal);
        ran.holds(ran.code == Some(4), "it is not known").complains("waiting for the requests in progress");
        let report = ran.report();
        assert_eq!((&report["end"]["cause"], &report["end"]["complete"]), (&"interrupted".into(), &false.into()));
        let sent = server.requests().len() as u64;
        assert_eq!(report["figures"]["requests"].as_u64(), Some(sent), "what was under way is in the report");
        assert_eq!(ran.exchanges().len() as u64, sent);
        ran.holds(ran.ids("fail").is_empty(), "and nothing failed for it");
        assert!(!ran.read("reports/junit.xml").is_empty());
    }
}

#[test]
fn nobody_waits_for_what_only_waits() {
    // Held back for a minute; the first signal ends it at once.
    let server = before(|n, _| (n == 25).then(|| crate::support::server::Answer::empty(429).with("Retry-After", "60")));
    let (ran, lasted) = ended(check("check -q", &server.url()), &["-TERM"]);
    ran.holds(lasted < Duration::from_secs(20), &format!("it took {lasted:?}"));
    ran.holds(ran.code == Some(4), "it is not known");
    assert_eq!(ran.report()["end"]["cause"], "interrupted");
    let waited = ran.report()["figures"]["waited_ms"].as_u64().expect("a number");
    ran.holds(waited < 20_000, &format!("{waited} ms are not what was waited"));
}

#[test]
fn the_second_leaves_at_once_and_loses_nothing() {
    let server = before(|n, _| (n > 25).then_some(crate::support::server::Answer::Hang));
    let (ran, lasted) = ended(check("check -q --timeout 50s", &server.url()), &["-INT", "-INT"]);
    ran.holds(ran.code == Some(130), "it left");
    ran.holds(lasted < Duration::from_secs(20), &format!("it took {lasted:?}"));
    assert!(ran.exchanges().len() > 20, "every line that was written is whole");
    assert!(!ran.read("reports/created.ndjson").is_empty(), "what was created is told");
}

#[test]
fn what_was_created_is_removed_all_the_same() {
    let (server, kept) = super::cleanup::keeping(|_| false);
    let command = crate::support::probity("check --concurrency 2 --timeout 5s")
        .tokens()
        .file("probity.toml", super::cleanup::cleaning(&server.url()));
    let (ran, _) = ended(command, &["-TERM"]);
    ran.holds(ran.code == Some(4), "it is not known").says("clean-up:").says("0 left");
    assert!(kept.lock().expect("a lock").is_empty());
    assert_eq!(ran.report()["end"]["cause"], "interrupted");
}
