//! What goes over the wire, and what comes of connections that break, servers that ask to wait, and redirects.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use probity::reference;
use regex::Regex;
use serde_json::Value;

use crate::support::server::{Answer, Request, Server, forward};
use crate::support::{Probity, probity};

/// Some requirements of every form, that send some sixty requests.
const SOME: &str = "check --seed 2 --only 'close-date/p*' --only 'idempotency/third-time' --only 'authentication/*' --only response/name-as-sent";

fn upstream() -> reference::Server {
    reference::start(reference::Options::default()).expect("a server")
}

/// The reference server, behind one that may answer in its place.
fn before(instead: impl Fn(usize, &Request) -> Option<Answer> + Send + Sync + 'static) -> Server {
    let (upstream, count) = (upstream(), AtomicUsize::new(0));
    Server::http(move |request| {
        let number = count.fetch_add(1, Ordering::SeqCst);
        instead(number, request).unwrap_or_else(|| forward(&upstream, request))
    })
}

fn check(words: &str, url: &str) -> Probity {
    probity(words).settings(url)
}

#[test]
fn refusals_of_a_gateway_that_lets_nobody_through_any_more_are_no_failures() {
    for answer in [
        Answer::json(403, r#"{"error":"forbidden"}"#),
        Answer::json(402, r#"{"error":"the quota is used up"}"#),
        Answer::empty(302).with("Location", "https://login.example/"),
    ] {
        let server = before(move |number, _| (number >= 120).then(|| answer.clone()));
        let ran = check("check --seed 1", &server.url()).exits(4);
        ran.says("at the end the server no longer accepted a valid request");
        assert_eq!(ran.ids("fail"), [""; 0]);
        ran.holds(ran.ids("inconclusive").len() > 20, "what was refused is not known");
        // What was broken before stays so.
        let broken = before({
            let fault = reference::Fault::named("value-in-cents").expect("a fault");
            let options = reference::Options { faults: vec![fault], ..reference::Options::default() };
            let upstream = reference::start(options).expect("a server");
            move |number, request| Some(if number >= 120 { Answer::empty(403) } else { forward(&upstream, request) })
        });
        let ran = check("check --seed 1", &broken.url()).exits(1);
        ran.holds(ran.ids("fail").iter().any(|id| id == "response/value-in-dollars"), "the fault is found");
    }
}

#[test]
fn requests_say_who_calls_and_why() {
    let server = before(|_, _| None);
    let ran = check(SOME, &server.url()).exits(0);
    let agent = Regex::new(r"^probity/(\S+) \(([a-z-]+/[a-z0-9-]+)\)$").expect("a pattern");
    let mut seen: BTreeMap<String, usize> = BTreeMap::new();
    for request in server.requests() {
        let value = request.header("user-agent").expect("a User-Agent").to_owned();
        let parts = agent.captures(&value).unwrap_or_else(|| panic!("{value:?} names version and requirement"));
        assert_eq!(&parts[1], env!("CARGO_PKG_VERSION"));
        *seen.entry(parts[2].to_owned()).or_default() += 1;
    }
    // Requirements that are judged by the same requests send them once, by the name of the first.
    let replay = "idempotency/replay-returns-original";
    for id in ["close-date/past", replay, "authentication/read-only"] {
        assert!(seen.contains_key(id), "{id} is among {seen:?}");
    }
    let report = ran.report();
    let all = report["requirements"].as_array().expect("a list");
    let known: BTreeSet<&str> = all.iter().map(|r| r["id"].as_str().expect("an id")).collect();
    let strange: Vec<&String> = seen.keys().filter(|id| !known.contains(&***id) && !id.starts_with("pool/")).collect();
    assert_eq!(strange, [""; 0], "every other one is of the pool");
    assert_eq!(seen[replay], 3);
}

#[test]
fn the_report_has_what_was_on_the_wire() {
    let server = before(|_, _| None);
    let words = format!("{SOME} --only 'household/*' --only robustness/broken-text --only robustness/content-types");
    let ran = check(&words, &server.url()).exits(0);
    let token = |text: &str| {
        reference::TOKENS.iter().fold(text.to_owned(), |text, (variable, token)| {
            let cut = (&token[..token.len() - 1], &token[1..]);
            text.replace(token, &format!("${{{variable}}}"))
                .replace(cut.0, &format!("${{{variable}%?}}"))
                .replace(cut.1, &format!("${{{variable}#?}}"))
        })
    };
    let by_library = ["host", "content-length", "accept", "accept-encoding"];
    let mut sent: Vec<String> = server
        .requests()
        .iter()
        .map(|r| {
            let headers: BTreeSet<String> = r
                .headers
                .iter()
                .filter(|(name, _)| !by_library.contains(&&*name.to_ascii_lowercase()))
                .map(|(name, value)| format!("{name}: {}", token(value)))
                .collect();
            format!("{} {}{} {headers:?} {}", r.method, server.url(), r.target, r.text())
        })
        .collect();
    let mut written: Vec<String> = ran
        .exchanges()
        .iter()
        .map(|e| {
            let request = &e["request"];
            let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
            let headers = request["headers"].as_array().expect("a list").iter();
            let headers: BTreeSet<String> =
                headers.map(|h| format!("{}: {}", text(&h[0]), text(&h[1]).trim())).collect();
            let body = match request["body_base64"].as_str() {
                Some(encoded) => {
                    use base64::Engine as _;
                    let bytes = base64::engine::general_purpose::STANDARD.decode(encoded).expect("Base64");
                    String::from_utf8_lossy(&bytes).into_owned()
                }
                None => text(&request["body"]),
            };
            format!("{} {} {headers:?} {body}", text(&request["method"]), text(&request["url"]))
        })
        .collect();
    sent.sort();
    written.sort();
    for (sent, written) in sent.iter().zip(&written) {
        assert_eq!(sent, written);
    }
    assert_eq!(sent.len(), written.len());
}

#[test]
fn keys_never_meet_by_accident() {
    let server = before(|_, _| None);
    check("check --only 'response/*' --only 'defaults/*' --only 'schema/*'", &server.url()).exits(0);
    let all = server.requests();
    let keys: Vec<&str> = all.iter().filter_map(|r| r.header("idempotency-key")).collect();
    assert!(keys.len() > 10, "some requests carry a key");
    assert_eq!(keys.iter().collect::<BTreeSet<_>>().len(), keys.len(), "each is another one");
}

#[test]
fn a_path_of_the_url_is_kept() {
    let upstream = Arc::new(upstream());
    for prefix in ["/api/v2", "/api/v2/"] {
        let upstream = Arc::clone(&upstream);
        let server = Server::http(move |request| match request.target.strip_prefix("/api/v2/v1/") {
            Some(rest) => forward(&upstream, &Request { target: format!("/v1/{rest}"), ..request.clone() }),
            None => Answer::empty(404),
        });
        let ran = check("check --only close-date/leap-day", &format!("{}{prefix}", server.url())).exits(0);
        let url = format!("{}/api/v2/v1/households/hh_p2Kd71/opportunities", server.url());
        ran.holds(ran.exchanges().iter().all(|e| e["request"]["url"] == url), "reports name the whole URL");
    }
}

#[test]
fn who_asks_to_wait_is_obeyed_and_not_judged() {
    for status in [429, 503] {
        let server =
            before(move |n, _| (10..14).contains(&n).then(|| Answer::json(status, "{}").with("Retry-After", "1")));
        let ran = check(SOME, &server.url()).exits(0);
        let figures = ran.report()["figures"].clone();
        ran.holds(figures["waited_ms"].as_u64().is_some_and(|ms| ms >= 1000), "it waited as long as it was asked to");
        ran.says("the server asked us to wait: ");
        let mut asked = ran.exchanges();
        asked.retain(|e| e["response"]["status"] == status);
        assert_eq!(asked.len(), 4, "each is told");
        if status == 429 {
            let is_last = |e: &serde_json::Value| e["attempt"] == e["attempts"];
            ran.holds(!asked.iter().any(is_last), "what was not processed is sent again").says("4 of them sent again");
            ran.holds(figures["retries"] == 4, "and counted");
        } else {
            ran.says("4 of ").says("answered 502 to 504");
        }
        assert_eq!(figures["requests"].as_u64(), Some(server.requests().len() as u64));
    }
}

#[test]
fn a_date_to_come_back_at_is_understood() {
    let server = before(|n, _| {
        let at = std::time::SystemTime::now() + std::time::Duration::from_secs(2);
        (n == 5).then(|| Answer::empty(429).with("Retry-After", &httpdate::fmt_http_date(at)))
    });
    let ran = check("check --only 'close-date/p*'", &server.url()).exits(0);
    ran.holds(ran.report()["figures"]["waited_ms"].as_u64().is_some_and(|ms| ms > 0), "it waited");
}

#[test]
fn a_503_now_and_then_is_told_and_no_failure() {
    let server = before(|n, _| (n == 5).then(|| Answer::empty(503)));
    let ran = check("check --only operation/no-server-error", &server.url()).exits(0);
    ran.says("1 of ").says("answered 502 to 504");
}

#[test]
fn asked_to_wait_for_ever_in_the_middle_is_not_known() {
    let server = before(|n, _| (n >= 10).then(|| Answer::empty(429).with("Retry-After", "86400")));
    let ran = check(SOME, &server.url()).exits(4);
    assert_eq!(ran.report()["end"]["cause"], "throttled");
    ran.holds(ran.ids("fail").is_empty(), "nothing failed").says("the server kept asking us to wait");
}

#[test]
fn a_connection_that_went_stale_is_tried_afresh() {
    // Every connection takes three requests, and closes at the fourth without a byte.
    let server = before(|_, request| (request.before == 3).then_some(Answer::Close));
    let ran = check(SOME, &server.url()).exits(0);
    let dropped = server.requests().into_iter().filter(|r| r.before == 3).count();
    ran.holds(dropped > 0, "connections are kept alive");
    let exchanges = ran.exchanges();
    let lost: Vec<&Value> = exchanges.iter().filter(|e| e["failure"]["kind"] == "broken").collect();
    assert_eq!(lost.len(), dropped, "each is told");
    // The steps of a trial belong together.
    let whole = |exchange: &Value| {
        let name = exchange["trial"].as_str().unwrap_or_default().to_owned();
        let step = name.rsplit_once('/').filter(|_| name.contains('#')).map(|(trial, _)| trial.to_owned());
        step.unwrap_or(name)
    };
    for lost in lost {
        // It was sent again; of a trial, all of it with other names and keys, unless what it shows did not need the lost one.
        let answered = exchanges.iter().filter(|e| whole(e) == whole(lost) && e["response"]["status"].is_u64());
        let later = answered.filter(|e| e["number"].as_u64() > lost["number"].as_u64()).count();
        ran.holds(later > 0, &format!("{} was answered later", lost["trial"]));
    }
}

#[test]
fn a_connection_that_always_breaks_is_a_failure() {
    let server = before(|_, request| request.text().contains("2096-02-29").then_some(Answer::Close));
    let ran = check("check --only close-date/leap-day --only operation/answered", &server.url()).exits(1);
    ran.verdict("operation/answered", "fail").says("the connection was closed before the response was complete");
}

#[test]
fn an_answer_that_breaks_off_is_a_failure() {
    let half =
        b"HTTP/1.1 201 Created\r\nContent-Type: application/json\r\nContent-Length: 500\r\n\r\n{\"id\":".to_vec();
    let server = before(move |_, request| request.text().contains("2096-02-29").then(|| Answer::Bytes(half.clone())));
    let ran = check("check --only close-date/leap-day --only operation/answered", &server.url()).exits(1);
    ran.verdict("operation/answered", "fail");
}

#[test]
fn a_request_that_is_never_answered_is_a_failure_and_holds_nobody_up() {
    let server = before(|_, request| request.text().contains("2096-02-29").then_some(Answer::Hang));
    let ran = check("check --timeout 1s --only close-date/leap-day --only operation/answered", &server.url()).exits(1);
    ran.verdict("operation/answered", "fail").verdict("close-date/leap-day", "fail");
}

#[test]
fn compressed_answers_are_read() {
    let upstream = upstream();
    let seen = Arc::new(AtomicBool::new(true));
    let asked = Arc::clone(&seen);
    let server = Server::http(move |request| {
        asked.fetch_and(request.header("accept-encoding").is_some_and(|e| e.contains("gzip")), Ordering::SeqCst);
        let Answer::Whole(status, headers, body) = forward(&upstream, request) else { return Answer::Close };
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder.write_all(&body).expect("memory");
        Answer::Whole(status, headers, encoder.finish().expect("memory")).with("Content-Encoding", "gzip")
    });
    let ran = check(SOME, &server.url()).exits(0);
    assert!(seen.load(Ordering::SeqCst), "compression is asked for");
    ran.holds(
        ran.exchanges().iter().any(|e| e["response"]["body"].as_str().is_some_and(|b| b.contains("book_id"))),
        "reports are readable",
    );
}

#[test]
fn an_encoding_that_nobody_asked_for_is_a_failure() {
    let upstream = upstream();
    let server = Server::http(move |request| match forward(&upstream, request) {
        Answer::Whole(201, headers, body) => Answer::Whole(201, headers, body).with("Content-Encoding", "br"),
        answer => answer,
    });
    let ran = check("check --only 'operation/*' --only response/name-as-sent", &server.url()).exits(1);
    assert_eq!(ran.ids("fail"), ["operation/response-201-shape"], "nobody knows what the bodies say");
    ran.says("encoded as the request accepts").says("the encoding `br`");
}

#[test]
fn the_address_that_a_redirect_leads_to_is_told_without_its_query() {
    let server = before(|_, r| {
        let to = format!("https://user:word@elsewhere.example{}?ticket=t1ck3t#x", r.target);
        Some(Answer::empty(308).with("Location", &to))
    });
    let ran = check("check --only response/name-as-sent", &server.url()).exits(3);
    ran.says("redirects to https://elsewhere.example/v1/households/hh_p2Kd71/opportunities: use the final address");
    let told = ran.report()["end"]["reason"].as_str().expect("a reason").to_owned();
    ran.holds(!told.contains("t1ck3t") && !told.contains("word@"), "what may be a secret is not told");
}

#[test]
fn redirects_are_never_followed() {
    let elsewhere = Server::http(|_| Answer::json(201, "{}"));
    for (status, from) in [(301, 0), (307, 0), (308, 3), (307, 3), (302, 3), (303, 3)] {
        let url = elsewhere.url();
        let server = before(move |n, r| {
            (n >= from).then(|| Answer::empty(status).with("Location", &format!("{url}{}", r.target)))
        });
        let ran = check("check --only 'close-date/p*'", &server.url()).run();
        ran.holds(ran.code != Some(0), "a redirect is no answer to a valid request");
        ran.holds(
            ran.code == Some(if from == 0 { 3 } else { 4 }),
            "at first it is about the settings; later the server takes nothing any more, which says nothing of the rest",
        );
    }
    assert_eq!(elsewhere.connections(), 0, "no credentials reach another server");
}

#[test]
fn proxies_of_the_environment_are_not_for_this_machine() {
    let server = before(|_, _| None);
    let proxy = Server::http(|_| Answer::empty(407));
    let command = check("check --only close-date/leap-day", &server.url());
    ["HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"]
        .iter()
        .fold(command, |c, name| c.env(name, proxy.url()))
        .exits(0);
    assert_eq!(proxy.connections(), 0);
}

#[test]
fn no_more_at_once_than_allowed() {
    let (upstream, now, most) = (upstream(), Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let seen = Arc::clone(&most);
    let server = Server::http(move |request| {
        most.fetch_max(now.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
        std::thread::sleep(std::time::Duration::from_millis(5));
        let answer = forward(&upstream, request);
        now.fetch_sub(1, Ordering::SeqCst);
        answer
    });
    let ran = check(&format!("{SOME} --concurrency 3"), &server.url()).exits(0);
    let most = seen.load(Ordering::SeqCst);
    ran.holds(most <= 3, &format!("{most} at once are at most 3"));
    assert!(ran.report()["figures"]["most_at_once"].as_u64().is_some_and(|n| n <= 3));
}
