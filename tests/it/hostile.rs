//! Servers that answer what no server should. Whatever comes, a run ends, in bounded memory, with a report and a verdict
//! that is true: never green, and nothing of it acts on a terminal.

use std::io::{Read as _, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::sync::LazyLock;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use probity::reference;

use crate::support::server::{Answer, Request, Server, forward};
use crate::support::{Ran, each, probity};

/// How much memory a run may take, in MiB: a debug build reads a contract in some 60.
const MEMORY: u64 = 400;

/// What every run must keep, whatever it met.
#[track_caller]
fn sane(ran: Ran, name: &str) -> Ran {
    let panicked = ran.stderr.contains("panicked") || ran.code == Some(70) || ran.code.is_none();
    ran.holds(!panicked, &format!("{name}: it does not break"));
    let says_nothing = ran.stderr.lines().all(|line| line.starts_with("warning: the budget leaves out"));
    ran.holds(says_nothing, &format!("{name}: nothing is wrong with the run itself"));
    ran.holds(ran.code != Some(0), &format!("{name}: it is never green")).never_says("Conformant: ");
    ran.holds(
        !ran.stdout.contains(|c: char| c.is_control() && c != '\n'),
        &format!("{name}: no byte acts on terminals"),
    );
    ran.holds(ran.peak.is_none_or(|mib| mib < MEMORY), &format!("{name}: it took {:?} MiB", ran.peak));
    ran.report();
    ran.exchanges();
    let junit = quick_junit::Report::deserialize_from_str(&ran.read("reports/junit.xml")).expect("JUnit");
    let red: usize = junit.test_suites.iter().map(|s| s.failures + s.errors).sum();
    ran.holds(red > 0, &format!("{name}: nor do test tools show it green"));
    ran
}

/// What is sent on a connection, once a request has come.
#[derive(Clone)]
enum Piece {
    Bytes(Vec<u8>),
    /// The same bytes until the client has enough.
    Endless(&'static [u8]),
    /// The same bytes, one at a time.
    Drip(&'static [u8]),
    /// Nothing, until the client has enough.
    Hang,
}

use Piece::{Drip, Endless, Hang};

fn bytes(text: impl AsRef<[u8]>) -> Piece {
    Piece::Bytes(text.as_ref().to_vec())
}

fn give(stream: &mut TcpStream, pieces: &[Piece]) {
    for piece in pieces {
        let done = match piece {
            Piece::Bytes(bytes) => stream.write_all(bytes),
            Endless(bytes) => {
                let much = bytes.repeat((1 << 16) / bytes.len() + 1);
                while stream.write_all(&much).is_ok() {}
                return;
            }
            Drip(bytes) => {
                for byte in bytes.iter().cycle() {
                    if stream.write_all(&[*byte]).is_err() {
                        return;
                    }
                    thread::sleep(Duration::from_millis(100));
                }
                Ok(())
            }
            Hang => {
                while stream.read(&mut [0; 4096]).is_ok_and(|n| n > 0) {}
                return;
            }
        };
        if done.is_err() {
            return;
        }
    }
}

const SLOW: &str = "no complete response within the time limit";

/// The time limit of a run: short where it is waited for, and long where it takes time to read.
fn limit(said: &str) -> &'static str {
    if said == SLOW { "1s" } else { "20s" }
}

/// Answers that are none, and what is said of them.
static BROKEN: LazyLock<Vec<(&str, Vec<Piece>, &str)>> = LazyLock::new(|| {
    const CLOSED: &str = "the connection was closed before the response was complete";
    const NOT_HTTP: &str = "the answer is not valid HTTP";
    const CHUNKED: &[u8] = b"HTTP/1.1 201 Created\r\nTransfer-Encoding: chunked\r\n\r\n";
    vec![
        ("closes without a word", vec![], CLOSED),
        ("hangs before a word", vec![Hang], SLOW),
        ("hangs in the status line", vec![bytes("HTTP/1.1 201 Cr"), Hang], SLOW),
        ("hangs in the headers", vec![bytes("HTTP/1.1 201 Created\r\nContent-Type: app"), Hang], SLOW),
        ("hangs in the body", vec![bytes("HTTP/1.1 201 Created\r\nContent-Length: 99\r\n\r\n{\"id\":"), Hang], SLOW),
        ("hangs between chunks", vec![bytes(CHUNKED), bytes("2\r\n{}\r\n"), Hang], SLOW),
        ("closes in the headers", vec![bytes("HTTP/1.1 201 Created\r\nContent-Type: app")], CLOSED),
        ("closes in the body", vec![bytes("HTTP/1.1 201 Created\r\nContent-Length: 99\r\n\r\n{\"id\":")], CLOSED),
        ("closes between chunks", vec![bytes(CHUNKED), bytes("2\r\n{}\r\n")], CLOSED),
        ("drips a body", vec![bytes("HTTP/1.1 201 Created\r\nContent-Length: 999\r\n\r\n"), Drip(b"{} ")], SLOW),
        ("drips headers", vec![bytes("HTTP/1.1 201 Created\r\n"), Drip(b"A: b\r\n")], SLOW),
        ("only continues", vec![Drip(b"HTTP/1.1 100 Continue\r\n\r\n")], SLOW),
        ("a body without end", vec![bytes("HTTP/1.1 201 Created\r\n\r\n"), Endless(b" ")], SLOW),
        (
            "chunks without end",
            vec![
                bytes(CHUNKED),
                Endless(b"40\r\n[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[\r\n"),
            ],
            SLOW,
        ),
        ("headers without end", vec![bytes("HTTP/1.1 201 Created\r\n"), Endless(b"X-Any: more\r\n")], NOT_HTTP),
        ("a header without end", vec![bytes("HTTP/1.1 201 Created\r\nX-Any: "), Endless(b"more")], NOT_HTTP),
        ("a status line without end", vec![bytes("HTTP/1.1 201 "), Endless(b"Created")], NOT_HTTP),
        (
            "compressed, as it says",
            vec![bytes("HTTP/1.1 201 Created\r\nContent-Encoding: gzip\r\nContent-Length: 2\r\n\r\n{}")],
            NOT_HTTP,
        ),
        ("a length that is none", vec![bytes("HTTP/1.1 201 Created\r\nContent-Length: -1\r\n\r\n{}")], NOT_HTTP),
        (
            "two lengths",
            vec![bytes("HTTP/1.1 201 Created\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n{}")],
            NOT_HTTP,
        ),
        ("a chunk of all there is", vec![bytes(CHUNKED), bytes("FFFFFFFFFFFFFFFFFF\r\n{}")], NOT_HTTP),
        ("a chunk of no size", vec![bytes(CHUNKED), bytes("two\r\n{}\r\n0\r\n\r\n")], NOT_HTTP),
        ("a page without a head", vec![bytes("<!doctype html><title>It works</title>")], NOT_HTTP),
        ("a mail server", vec![bytes("502 5.5.2 Error: command not recognized\r\n")], NOT_HTTP),
        ("a radio", vec![bytes("ICY 200 OK\r\n\r\n")], NOT_HTTP),
        ("an alert of TLS", vec![bytes([0x15, 0x03, 0x01, 0x00, 0x02, 0x02, 0x0a])], NOT_HTTP),
        ("a status of two digits", vec![bytes("HTTP/1.1 20 OK\r\nContent-Length: 0\r\n\r\n")], NOT_HTTP),
        ("a header's name with a space", vec![bytes("HTTP/1.1 201 Created\r\nBad Name: x\r\n\r\n")], NOT_HTTP),
    ]
});

/// Much more than is read, in 32 KiB.
static BOMB: LazyLock<Vec<u8>> = LazyLock::new(|| {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    encoder.write_all(&vec![b' '; 32 << 20]).expect("memory");
    encoder.finish().expect("memory")
});

/// Reads a request whole, so that closing the connection does not reset it before the answer is read.
fn take(stream: &mut TcpStream) -> Vec<u8> {
    let (mut all, mut part) = (Vec::new(), [0; 4096]);
    loop {
        let Ok(length) = stream.read(&mut part) else { return all };
        all.extend_from_slice(&part[..length]);
        // All bodies here are objects.
        if length == 0 || all.ends_with(b"}") {
            return all;
        }
    }
}

#[test]
fn nothing_but_broken_answers_ends_at_preflight() {
    each(&BROKEN, |(name, pieces, said)| {
        let pieces = pieces.clone();
        let server = Server::tcp(move |mut stream| {
            take(&mut stream);
            give(&mut stream, &pieces);
        });
        let ran = sane(probity(&format!("check --timeout {}", limit(said))).settings(&server.url()).run(), name);
        ran.holds(ran.code == Some(3), &format!("{name}: it cannot be reached")).says(said);
        ran.holds(ran.ids("fail").is_empty() && ran.ids("pass").is_empty(), "nothing is said of the server");
    });
}

/// A server that is right, but for requests that hold a text: those it gives to `odd`.
fn odd_at(text: &'static str, odd: impl Fn(&mut TcpStream, &Request) + Send + Sync + 'static) -> Server {
    let upstream = reference::start(reference::Options::default()).expect("a server");
    Server::tcp(move |mut stream| {
        let all = take(&mut stream);
        let Some(head) = all.windows(4).position(|w| w == b"\r\n\r\n") else { return };
        let (head, body) = (String::from_utf8_lossy(&all[..head]).into_owned(), &all[head + 4..]);
        let mut lines = head.lines();
        let mut words = lines.next().unwrap_or_default().split(' ').map(str::to_owned);
        let request = Request {
            method: words.next().unwrap_or_default(),
            target: words.next().unwrap_or_default(),
            headers: lines.filter_map(|l| l.split_once(": ")).map(|(n, v)| (n.to_lowercase(), v.to_owned())).collect(),
            body: body.to_vec(),
            before: 0,
        };
        if request.text().contains(text) {
            return odd(&mut stream, &request);
        }
        if let Answer::Whole(status, headers, body) = forward(&upstream, &request) {
            let headers: String = headers.iter().map(|(n, v)| format!("{n}: {v}\r\n")).collect();
            let head = format!("HTTP/1.1 {status} Any\r\nConnection: close\r\nContent-Length: {}\r\n", body.len());
            give(&mut stream, &[bytes(format!("{head}{headers}\r\n")), bytes(body)]);
        }
    })
}

/// The request of `close-date/leap-day`.
const LEAP_DAY: &str = "2096-02-29";

#[test]
fn what_is_never_answered_fails_and_nothing_else_does() {
    // Some of each kind: each is waited for some times.
    let some: Vec<_> = BROKEN.iter().step_by(3).collect();
    each(&some, |(name, pieces, said)| {
        let pieces = pieces.clone();
        let server = odd_at(LEAP_DAY, move |stream, _| give(stream, &pieces));
        let words = "check --examples 0 --only close-date/leap-day --only close-date/date-only --timeout";
        let ran = sane(probity(&format!("{words} {}", limit(said))).settings(&server.url()).run(), name);
        ran.verdict("close-date/leap-day", "fail").verdict("close-date/date-only", "pass");
        ran.holds(ran.code == Some(1), "it fails").says(said).says("none, each time it was sent");
        assert_eq!(ran.report()["health"]["state"], "yes", "{name}");
    });
}

#[test]
fn what_is_answered_when_asked_again_is_no_failure() {
    let count = AtomicUsize::new(0);
    let upstream = reference::start(reference::Options::default()).expect("a server");
    let server = Server::http(move |request| {
        let odd = request.text().contains(LEAP_DAY) && count.fetch_add(1, Ordering::SeqCst) == 0;
        if odd { Answer::Hang } else { forward(&upstream, request) }
    });
    let words = "check --timeout 1s --examples 0 --only close-date/leap-day --only close-date/date-only";
    let ran = probity(words).settings(&server.url()).exits(0);
    ran.verdict("close-date/leap-day", "pass").says("got no whole answer in time");
}

/// Whole answers with something wrong in them, given to everybody.
static ODD: LazyLock<Vec<(&str, Vec<u8>)>> = LazyLock::new(|| {
    let good = r#"{"id":"op_1","name":"a","book_id":"bk_1","pipeline":{"id":"pl_1"},"pipeline_stage":{"id":"st_1"},"assigned_to":{"id":"us_1"}"#;
    let json = |body: &[u8]| {
        let head =
            format!("HTTP/1.1 201 Created\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n", body.len());
        [head.as_bytes(), body].concat()
    };
    let with = |more: &str| json(format!("{good},{more}}}").as_bytes());
    let raw = |text: &str| text.as_bytes().to_vec();
    let digits = "9".repeat(100_000);
    vec![
        ("an empty object", raw("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")),
        ("errors", raw("HTTP/1.1 500 Oh\r\nContent-Length: 0\r\n\r\n")),
        ("no UTF-8", json(b"{\"id\":\"\xff\xfe\",\"name\":\"\xc3\x28\"}")),
        ("half a pair of UTF-16", with(r#""value":"\ud800""#)),
        (
            "headers in no UTF-8",
            [&b"HTTP/1.1 201 \xff\xfe\r\nContent-Type: \xff/\xfe\r\nX: \xc3\x28\r\nContent-Length: 2\r\n\r\n{}"[..]]
                .concat(),
        ),
        ("what acts on terminals", json(b"{\"id\":\"\x1b[2J\x1b]0;x\x07\x9b31m\",\"name\":\"\xe2\x80\xae\"}")),
        ("escapes of what acts on terminals", with(r#""value":"\u001b[2J\u0000\u202e""#)),
        (
            "a body that is longer than its length",
            raw("HTTP/1.1 201 Created\r\nContent-Length: 2\r\n\r\n{}{}{}{}HTTP/1.1 200 OK\r\n\r\n"),
        ),
        ("arrays two hundred thousand deep", json("[".repeat(200_000).as_bytes())),
        ("closed arrays ten thousand deep", with(&format!(r#""value":{}{}"#, "[".repeat(10_000), "]".repeat(10_000)))),
        ("objects ten thousand deep", json(r#"{"id":"#.repeat(10_000).as_bytes())),
        ("as deep as is read", with(&format!(r#""value":{}{}"#, "[".repeat(120), "]".repeat(120)))),
        ("numbers beyond doubles", with(r#""value":1e400,"probability":-1e400"#)),
        ("exponents beyond integers", with(r#""value":1e99999999999999999999,"probability":1e-99999999999999999999"#)),
        ("a hundred thousand digits", with(&format!(r#""value":{digits},"probability":0.{digits}"#))),
        ("a hundred thousand digits for an id", json(format!(r#"{{"id":{digits}}}"#).as_bytes())),
        (
            "times beyond time",
            with(
                r#""created_at":"99999-12-31T23:59:59Z","updated_at":"0000-01-01T00:00:00Z","stage_updated_at":"9999-12-31T23:59:59-23:59""#,
            ),
        ),
        ("times that are none", with(r#""created_at":-1e400,"updated_at":[],"stage_updated_at":"""#)),
        ("one key many times", with(r#""value":1,"#.repeat(5_000).trim_end_matches(','))),
        ("many keys", with(&(0..5_000).map(|n| format!(r#""k{n}":{n}"#)).collect::<Vec<_>>().join(","))),
        ("a list for an object", json(b"[]")),
        ("nothing for an object", json(b"null")),
        (
            "the date of another age",
            [&b"HTTP/1.1 201 Created\r\nDate: Fri, 31 Dec 9999 23:59:59 GMT\r\nContent-Length: 2\r\n\r\n{}"[..]]
                .concat(),
        ),
        (
            "the date of an age ago",
            raw("HTTP/1.1 201 Created\r\nDate: Thu, 01 Jan 1970 00:00:00 GMT\r\nContent-Length: 2\r\n\r\n{}"),
        ),
        ("a date that is none", raw("HTTP/1.1 201 Created\r\nDate: yesterday\r\nContent-Length: 2\r\n\r\n{}")),
        ("a status of its own", raw("HTTP/1.1 999 What\r\nContent-Length: 2\r\n\r\n{}")),
        ("a status below all", raw("HTTP/1.1 199 What\r\nContent-Length: 2\r\n\r\n{}")),
        ("another protocol", raw("HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n{}")),
        ("no content, with content", raw("HTTP/1.1 204 No Content\r\nContent-Length: 2\r\n\r\n{}")),
        (
            "more time than there is",
            raw("HTTP/1.1 429 Wait\r\nRetry-After: 18446744073709551615\r\nContent-Length: 0\r\n\r\n"),
        ),
        (
            "more time than numbers have",
            raw("HTTP/1.1 503 Wait\r\nRetry-After: 99999999999999999999999\r\nContent-Length: 0\r\n\r\n"),
        ),
        (
            "an encoding that nobody knows",
            raw("HTTP/1.1 201 Created\r\nContent-Encoding: br, x\r\nContent-Length: 2\r\n\r\n{}"),
        ),
    ]
});

#[test]
fn odd_answers_to_everything_are_never_green() {
    each(&ODD, |(name, answer)| {
        let answer = answer.clone();
        let server = Server::tcp(move |mut stream| {
            take(&mut stream);
            give(&mut stream, &[bytes(&answer)]);
        });
        let words = "check --timeout 20s --examples 0 --max-requests 20 --only response/name-as-sent \
                     --only response/unique-ids --only response/created-now --only close-date/leap-day \
                     --only operation/response-201-shape";
        let ran = sane(probity(words).settings(&server.url()).run(), name);
        ran.holds([Some(1), Some(3), Some(4)].contains(&ran.code), "it is judged, or there is none");
    });
}

#[test]
fn odd_answers_among_right_ones_are_never_green() {
    let count = AtomicUsize::new(0);
    let upstream = reference::start(reference::Options::default()).expect("a server");
    // The first two are right: the run goes on.
    let server = Server::http(move |request| match count.fetch_add(1, Ordering::SeqCst) {
        n if n < 2 || n % 2 == 0 => forward(&upstream, request),
        n => Answer::Bytes(ODD[n / 2 % ODD.len()].1.clone()),
    });
    let words = "check --timeout 20s --examples 0 --max-requests 150 --only 'close-date/*' --only 'response/*' \
                 --only 'idempotency/*' --only 'operation/*' --only 'probes/*'";
    sane(probity(words).settings(&server.url()).run(), "every other one").verdict("operation/answered", "fail");
}

#[test]
fn what_we_do_not_read_is_not_held_against_a_server() {
    let bomb =
        [&b"HTTP/1.1 201 Created\r\nContent-Type: application/json\r\nContent-Encoding: gzip\r\n\r\n"[..], &BOMB]
            .concat();
    let deep = format!("{}1{}", r#"{"a":["#.repeat(5_000), "]}".repeat(5_000));
    let whole = |head: &str, body: &str| {
        let length = body.len();
        format!(
            "HTTP/1.1 201 Created\r\nContent-Type: application/json\r\n{head}Content-Length: {length}\r\n\r\n{body}"
        )
    };
    let all = [
        ("a bomb", bomb, "is longer than the limit of 1 MiB"),
        ("deep", whole("", &deep).into_bytes(), "nested deeper than is read"),
    ];
    each(&all, |(name, answer, said)| {
        let odd = answer.clone();
        let server = odd_at(LEAP_DAY, move |stream, _| give(stream, &[bytes(&odd)]));
        let words = "check --examples 0 --timeout 20s --only close-date/leap-day --only 'operation/*' --only close-date/date-only";
        let ran = probity(words).settings(&server.url()).exits(0);
        ran.holds(ran.ids("fail").is_empty(), &format!("{name}: nothing fails"));
        ran.verdict("operation/answered", "pass").never_says("not JSON");
        let shape = ran.requirement("operation/response-201-shape");
        ran.holds(shape["counts"]["unknown"].as_u64() > Some(0), &format!("{name}: it is not known"));
        let words = "check --examples 0 --timeout 20s --only response/unique-ids";
        let answer = answer.clone();
        let server = odd_at("probity-", move |stream, _| give(stream, &[bytes(&answer)]));
        sane(probity(words).settings(&server.url()).run(), name).says(said);
    });
}

#[test]
fn long_answers_do_not_add_up() {
    // As long as is read, and none like another: ids, lists, and what probes take down.
    let count = AtomicUsize::new(0);
    let server = Server::http(move |_| {
        let number = count.fetch_add(1, Ordering::SeqCst);
        let body = format!(r#"{{"id":"{number}{}","value":["#, "x".repeat(400_000));
        Answer::json(201, &format!("{body}{}0]}}", "0,".repeat(100_000)))
    });
    let words = "check --timeout 20s --examples 0 --max-requests 20 --only response/unique-ids \
                 --only response/name-as-sent --only probes/omitted-probability";
    let ran = sane(probity(words).settings(&server.url()).run(), "long answers");
    ran.verdict("response/name-as-sent", "fail");
    ran.holds(ran.ids("fail").len() == 1, "the ids are different");
}

#[test]
fn a_server_that_dies_in_the_middle_is_never_green() {
    for after in [4, 30] {
        let upstream = reference::start(reference::Options::default()).expect("a server");
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let server = thread::spawn(move || {
            let target = upstream.url.trim_start_matches("http://").to_owned();
            for stream in listener.incoming().take(after) {
                let Ok(mut stream) = stream else { continue };
                let request = take(&mut stream);
                let request = String::from_utf8_lossy(&request).replacen("\r\n", "\r\nConnection: close\r\n", 1);
                let Ok(mut up) = TcpStream::connect(&target) else { continue };
                let mut answer = Vec::new();
                if up.write_all(request.as_bytes()).is_ok() && up.read_to_end(&mut answer).is_ok() {
                    let _ = stream.write_all(&answer);
                }
            }
        });
        let words = "check --timeout 2s --seed 3 --only 'close-date/*' --only 'schema/*'";
        let ran = sane(probity(words).settings(&url).run(), "dies");
        ran.holds(ran.code == Some(4), "what was not answered is not known");
        ran.says("at the end the server no longer accepted a valid request").says("no connection");
        assert_eq!(ran.report()["health"]["state"], "no");
        ran.holds(ran.ids("fail").is_empty(), "nothing that was answered was wrong");
        ran.holds(!ran.ids("inconclusive").is_empty(), "some of it is not known");
        server.join().expect("a server");
    }
}

#[test]
fn what_an_answer_may_leave_out_does_not_pass_for_right() {
    let upstream = reference::start(reference::Options::default()).expect("a server");
    let server = Server::http(move |request| match forward(&upstream, request) {
        Answer::Whole(status, headers, body) => {
            let mut body: serde_json::Value = serde_json::from_slice(&body).expect("JSON");
            for time in ["created_at", "updated_at", "stage_updated_at"] {
                body.as_object_mut().expect("an object").remove(time);
            }
            Answer::Whole(status, headers, body.to_string().into())
        }
        other => other,
    });
    let words =
        "check --examples 0 --only response/created-now --only 'response/updated-*' --only response/name-as-sent";
    let ran = probity(words).settings(&server.url()).exits(0);
    assert_eq!(ran.ids("pass"), ["response/name-as-sent"]);
    assert_eq!(
        ran.ids("skipped"),
        ["response/created-now", "response/updated-not-before-created", "response/updated-now"]
    );
    ran.says("it applies to no response of this run");
}

#[test]
fn who_speaks_first_does_not_speak_http() {
    for greeting in ["220 mail.example ESMTP\r\n", "SSH-2.0-OpenSSH_9.9\r\n", "+OK ready\r\n"] {
        let server = Server::tcp(move |mut stream| {
            let _ = stream.write_all(greeting.as_bytes());
            give(&mut stream, &[Hang]);
        });
        let ran = sane(probity("check --timeout 5s").settings(&server.url()).run(), greeting);
        ran.holds(ran.code == Some(3), "it cannot be tested").says("the answer is not valid HTTP");
    }
}
