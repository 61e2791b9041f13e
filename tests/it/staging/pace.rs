//! Limits of the server, and our own.

use std::collections::VecDeque;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use probity::reference;

use super::{SOME, before, check};
use crate::support::server::{Answer, Server, forward};

#[test]
fn a_rate_is_kept() {
    let times: std::sync::Arc<Mutex<Vec<Instant>>> = std::sync::Arc::default();
    let seen = std::sync::Arc::clone(&times);
    let server = before(move |_, _| {
        seen.lock().expect("a lock").push(Instant::now());
        None
    });
    let ran = check("check --only response/name-as-sent --examples 0 --rate 50/s", &server.url()).exits(0);
    let times = times.lock().expect("a lock").clone();
    let lasted = times.last().expect("a request").duration_since(times[0]);
    let least = Duration::from_millis(20) * (times.len() as u32 - 1);
    // A server may see two closer together than they were sent, never all of them.
    ran.holds(lasted >= least.mul_f64(0.9), &format!("{} requests in {lasted:?} at 50/s", times.len()));
    assert_eq!(ran.report()["header"]["options"]["rate_ms"], 20.0);
}

#[test]
fn a_server_with_a_limit_of_its_own_is_checked_to_the_end() {
    // A window of half a second for thirty requests; who comes too often is told to wait, with no word how long.
    let window: Mutex<VecDeque<Instant>> = Mutex::default();
    let server = before(move |_, _| {
        let mut window = window.lock().expect("a lock");
        let now = Instant::now();
        while window.front().is_some_and(|at| now.duration_since(*at) > Duration::from_millis(500)) {
            window.pop_front();
        }
        if window.len() >= 30 {
            return Some(Answer::json(429, "{}"));
        }
        window.push_back(now);
        None
    });
    let ran = check(SOME, &server.url()).exits(0);
    let figures = ran.report()["figures"].clone();
    ran.holds(figures["retries"].as_u64().is_some_and(|n| n > 0), "it met the limit");
    ran.holds(figures["waited_ms"].as_u64().is_some_and(|ms| ms > 0), "and waited");
}

#[test]
fn no_wait_is_longer_than_the_run_may_take() {
    let server = before(|n, _| (n >= 10).then(|| Answer::empty(429).with("Retry-After", "30")));
    let begun = Instant::now();
    let ran = check(&format!("{SOME} --max-duration 20s"), &server.url()).exits(4);
    assert!(begun.elapsed() < Duration::from_secs(20), "it did not wait for what cannot come in time");
    assert_eq!(ran.report()["end"]["cause"], "throttled");
    ran.holds(!ran.ids("pass").is_empty() || !ran.ids("untested").is_empty(), "what is known is told");
}

#[test]
fn a_server_that_serves_one_after_the_other_is_not_overrun() {
    let turn = Mutex::new(());
    let server = before(move |_, _| {
        let _turn = turn.lock().expect("a lock");
        std::thread::sleep(Duration::from_millis(400));
        None
    });
    // Sixteen at once would wait for 6.4 s.
    check(&format!("{SOME} --timeout 5s"), &server.url()).exits(0);
}

#[test]
fn a_server_that_serves_one_connection_at_a_time_is_left_none() {
    let upstream = reference::start(reference::Options::default()).expect("a server");
    let server = Server::in_line(move |request| forward(&upstream, request));
    check(&format!("{SOME} --timeout 5s"), &server.url()).exits(0);
}
