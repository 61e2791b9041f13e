//! The first requests: where they show that the settings are wrong, or that there is no such server, the run ends there
//! with advice. And servers that answer everything alike are never called conformant.

use std::io::{Read as _, Write as _};
use std::sync::OnceLock;
use std::time::Duration;

use crate::support::server::{Answer, Server, nowhere};
use crate::support::{Probity, Ran, probity};

/// A whole check of a server, with all that the contract can ask it to provide.
fn check(words: &str, url: &str) -> Probity {
    probity(&format!("check {words}")).settings(url)
}

/// Runs a check that must end at preflight.
#[track_caller]
fn stopped(command: Probity, cause: &str, advice: &[&str]) -> Ran {
    let ran = command.exits(3);
    for text in advice {
        ran.says(text);
    }
    ran.holds(ran.stdout.lines().count() <= 12, "there is no list of sixty failures");
    ran.says("Not tested: ").never_says("✗ fail");
    let report = ran.report();
    ran.holds(report["end"]["preflight_failed"] == true && report["end"]["complete"] == false, "the report has it");
    ran.holds(report["end"]["cause"] == cause, &format!("the cause is {cause}: {}", report["end"]));
    ran.holds(report["figures"]["requests"].as_u64().is_some_and(|n| n <= 12), "few requests were sent");
    ran.holds(ran.ids("fail").is_empty() && ran.ids("pass").is_empty(), "nothing is said of the server");
    let junit = quick_junit::Report::deserialize_from_str(&ran.read("reports/junit.xml")).expect("JUnit");
    ran.holds(junit.test_suites.iter().any(|s| s.errors > 0), "nor do test tools show it green");
    ran.read("reports/exchanges.ndjson");
    ran
}

/// A server that gives everybody the same answer.
fn always(answer: Answer) -> Server {
    Server::http(move |_| answer.clone())
}

#[test]
fn nobody_listens() {
    stopped(check("", &nowhere()), "unreachable", &["cannot be reached", "URL"]);
}

#[test]
fn a_name_that_nobody_has() {
    stopped(check("--timeout 5s", "http://probity.invalid"), "unreachable", &["cannot be reached"]);
}

#[test]
fn tls_where_there_is_none() {
    let server = always(Answer::json(201, "{}"));
    stopped(check("--timeout 5s", &server.url().replace("http:", "https:")), "unreachable", &["cannot be reached"]);
}

#[test]
fn a_first_answer_that_never_comes_whole() {
    let half = b"HTTP/1.1 201 Created\r\nContent-Type: application/json\r\nContent-Length: 90\r\n\r\n{".to_vec();
    let server = always(Answer::Bytes(half));
    // It was reached: its URL is not what is wrong.
    let ran = stopped(check("", &server.url()), "unreachable", &["does not come whole", "status 201"]);
    ran.never_says("cannot be reached").never_says("check its URL");
}

#[test]
fn a_token_that_is_not_taken() {
    let server = always(Answer::json(401, r#"{"code":"unauthenticated"}"#));
    stopped(check("", &server.url()), "refused", &["status 401", "the token is missing, wrong or expired"]);
    // Once more with the names of the headers in the other case.
    assert_eq!(server.requests().len(), 2);
}

#[test]
fn a_token_whose_header_is_known_in_one_case_only() {
    // In the case that is not the first request's.
    let first = OnceLock::new();
    let server = Server::http(move |request| {
        let mut names = request.headers.iter().map(|(name, _)| name.clone());
        let name = names.find(|name| name.eq_ignore_ascii_case("authorization")).unwrap_or_default();
        match *first.get_or_init(|| name.clone()) == name {
            true => Answer::json(401, "{}"),
            false => Answer::json(201, "{}"),
        }
    });
    stopped(check("", &server.url()), "refused", &["only as it is written in the other case", "RFC 9110"]);
    assert_eq!(server.requests().len(), 2);
}

#[test]
fn a_token_that_may_not() {
    let server = always(Answer::json(403, "{}"));
    stopped(check("", &server.url()), "refused", &["status 403", "read-only, or belong to another tenant"]);
}

#[test]
fn nothing_at_that_path() {
    let server = always(Answer::json(404, "{}"));
    stopped(check("", &server.url()), "refused", &["status 404", "the URL's path or a fixture in the path is wrong"]);
    let server = always(Answer::json(405, "{}"));
    stopped(check("", &server.url()), "refused", &["status 405", "the URL's path is wrong"]);
}

#[test]
fn the_real_server_with_wrong_settings() {
    let server = probity::reference::start(probity::reference::Options::default()).expect("a server");
    stopped(check("", &format!("{}/api", server.url)), "refused", &["status 404"]);
    stopped(check("", &server.url).env("PROBITY_TOKEN", "expired-token"), "refused", &["status 401"]);
    let reader = probity::reference::TOKENS[2].1;
    stopped(check("", &server.url).env("PROBITY_TOKEN", reader), "refused", &["status 403"]);
}

#[test]
fn the_real_server_with_a_wrong_fixture() {
    let server = probity::reference::start(probity::reference::Options::default()).expect("a server");
    let words = format!("check --target {} --fixture household_id=hh_gone", server.url);
    stopped(probity(&words).tokens(), "refused", &["status 404"]);
}

#[test]
fn a_redirect() {
    let server = always(Answer::empty(301).with("Location", "https://elsewhere.example/"));
    stopped(check("", &server.url()), "refused", &["status 301", "use the final address"]);
    let server = always(Answer::empty(307).with("Location", "/login"));
    stopped(check("", &server.url()), "refused", &["status 307", "use the final address"]);
}

#[test]
fn waiting_without_end() {
    let server = always(Answer::empty(429).with("Retry-After", "1"));
    let ran = stopped(check("", &server.url()), "throttled", &["the server kept asking us to wait"]);
    ran.holds(ran.report()["figures"]["elapsed_ms"].as_u64().is_some_and(|ms| ms < 30_000), "it ends in bounded time");
    // Longer than anyone waits.
    let server = always(Answer::empty(429).with("Retry-After", "86400"));
    stopped(check("", &server.url()), "throttled", &["the server kept asking us to wait"]);
    assert_eq!(server.requests().len(), 1);
}

#[test]
fn down_for_maintenance() {
    let server = always(Answer::empty(503).with("Retry-After", "86400"));
    stopped(check("", &server.url()), "throttled", &["the server kept asking us to wait"]);
}

#[test]
fn not_http() {
    let server = Server::tcp(|mut stream| {
        let _ = stream.read(&mut [0; 4096]);
        let _ = stream.write_all(b"502 5.5.2 Error: command not recognized\r\n");
    });
    stopped(check("--timeout 5s", &server.url()), "unreachable", &["cannot be reached", "not valid HTTP"]);
}

#[test]
fn speaks_first() {
    let server = Server::tcp(|mut stream| {
        let _ = stream.write_all(b"220 mail.example ESMTP\r\n");
        while stream.read(&mut [0; 4096]).is_ok_and(|n| n > 0) {}
    });
    stopped(check("--timeout 5s", &server.url()), "unreachable", &["cannot be reached"]);
}

#[test]
fn closes_at_once() {
    let server = Server::tcp(drop);
    stopped(check("--timeout 5s", &server.url()), "unreachable", &["cannot be reached"]);
    let server = always(Answer::Close);
    stopped(check("--timeout 5s", &server.url()), "unreachable", &["the connection was closed"]);
}

#[test]
fn hangs() {
    let server = always(Answer::Hang);
    stopped(check("--timeout 1s", &server.url()), "unreachable", &["no complete response within the time limit"]);
}

#[test]
fn drips() {
    let server = Server::tcp(|mut stream| {
        let _ = stream.read(&mut [0; 4096]);
        let _ = stream.write_all(b"HTTP/1.1 201 Created\r\nContent-Length: 10000\r\n\r\n");
        while stream.write_all(b" ").is_ok() {
            std::thread::sleep(Duration::from_millis(50));
        }
    });
    stopped(check("--timeout 1s", &server.url()), "unreachable", &["no complete response within the time limit"]);
}

#[test]
fn a_body_without_end() {
    let server = Server::tcp(|mut stream| {
        let _ = stream.read(&mut [0; 4096]);
        let _ = stream.write_all(b"HTTP/1.1 201 Created\r\n\r\n");
        while stream.write_all(&[b' '; 1 << 16]).is_ok() {}
    });
    stopped(check("--timeout 2s", &server.url()), "unreachable", &["no complete response within the time limit"]);
}

#[test]
fn a_refusal_for_another_reason_is_a_finding() {
    let server = always(Answer::json(422, r#"{"message":"no"}"#));
    let ran = check("--only request/name-alone --only close-date/past", &server.url()).run();
    ran.holds(ran.code != Some(0) && ran.code != Some(3), "it is judged");
    ran.verdict("request/name-alone", "fail").verdict("close-date/past", "inconclusive");
}

/// A server that answers everything alike is never called conformant, whatever is asked of it.
#[track_caller]
fn never_green(server: &Server) -> Ran {
    let ran = check("--timeout 2s", &server.url()).run();
    ran.holds(ran.code == Some(1) || ran.code == Some(4), "it is not called conformant, nor is it a defect of ours");
    ran.never_says("Conformant: ").holds(ran.stderr.is_empty(), "nothing went wrong");
    ran.read("reports/report.json");
    ran
}

#[test]
fn always_an_empty_object() {
    let ran = never_green(&always(Answer::json(200, "{}")));
    ran.holds(ran.code == Some(1), "it fails");
    ran.verdict("authentication/refused", "fail").verdict("operation/answered", "pass");
}

#[test]
fn always_an_error() {
    let ran = never_green(&always(Answer::json(500, "{}")));
    ran.holds(ran.code == Some(1), "it fails").verdict("operation/no-server-error", "fail");
}

#[test]
fn always_the_same_record() {
    let body = r#"{"id":"op_1","name":"a","book_id":"bk_1","pipeline":{"id":"pl_1"},"pipeline_stage":{"id":"st_1"},"assigned_to":{"id":"us_1"}}"#;
    let ran = never_green(&always(Answer::json(201, body)));
    ran.verdict("response/unique-ids", "fail").verdict("response/name-as-sent", "fail");
}

#[test]
fn always_garbage() {
    never_green(&always(Answer::json(201, "\u{0}\u{1}garbage")));
    let bytes = Answer::Whole(201, vec![("Content-Type".into(), "\u{e9}".into())], vec![0xff, 0xfe, 0x00, 0x80]);
    never_green(&always(bytes));
}

#[test]
fn a_server_that_falls() {
    let upstream = probity::reference::start(probity::reference::Options::default()).expect("a server");
    let count = std::sync::atomic::AtomicUsize::new(0);
    let server = Server::http(move |request| match count.fetch_add(1, std::sync::atomic::Ordering::SeqCst) {
        0..5 => crate::support::server::forward(&upstream, request),
        _ => Answer::Close,
    });
    let ran = check("--only close-date/leap-day --only 'close-date/n*'", &server.url()).run();
    ran.holds(ran.code == Some(1) || ran.code == Some(4), "it is not called conformant");
    assert_eq!(ran.report()["health"]["state"], "no");
    ran.says("at the end the server no longer accepted a valid request");
}
