use std::collections::BTreeMap;
use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::process::Command;
use std::thread;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use proptest::prelude::*;

use super::*;

const VARIABLE: &str = "PROBITY_TEST_TOKEN";
const TOKEN: &str = "t0k'en $x";

fn variables() -> Vec<String> {
    vec![VARIABLE.to_owned()]
}

fn bash(script: &str) -> Vec<u8> {
    // In the plain locale: bytes are bytes, whatever the user's language.
    let output = Command::new("bash").args(["-c", script]).env(VARIABLE, TOKEN).env("LC_ALL", "C").output().unwrap();
    assert!(output.status.success(), "{script}\n{}", String::from_utf8_lossy(&output.stderr));
    output.stdout
}

/// What a server sees of a request.
struct Seen {
    line: String,
    headers: BTreeMap<String, String>,
    body: Vec<u8>,
}

/// Runs the command for a request against a server that answers anything.
fn run(request: impl FnOnce(String) -> Request) -> Seen {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    let command = command(&request(base), &variables());
    assert!(!command.contains(['\n', '\u{1b}', '\u{202e}']), "{command}");
    let server = thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut bytes = Vec::new();
        let mut buffer = [0; 65536];
        loop {
            let end = bytes.windows(4).position(|w| w == b"\r\n\r\n");
            let head = end.map(|e| String::from_utf8_lossy(&bytes[..e]).into_owned());
            let length = head.as_deref().and_then(|h| {
                let line = h.lines().find(|l| l.to_lowercase().starts_with("content-length:"))?;
                line.split(':').nth(1)?.trim().parse::<usize>().ok()
            });
            if let (Some(end), Some(head)) = (end, head)
                && bytes.len() >= end + 4 + length.unwrap_or(0)
            {
                stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok").unwrap();
                let mut lines = head.lines();
                return Seen {
                    line: lines.next().unwrap().to_owned(),
                    headers: lines
                        .filter_map(|l| l.split_once(':'))
                        .map(|(n, v)| (n.to_lowercase(), v.trim().to_owned()))
                        .collect(),
                    body: bytes.split_off(end + 4),
                };
            }
            let read = stream.read(&mut buffer).unwrap();
            assert!(read > 0, "the request broke off");
            bytes.extend_from_slice(&buffer[..read]);
        }
    });
    let out = bash(&command);
    assert!(out.ends_with(b"ok"), "{command}");
    server.join().unwrap()
}

fn post(url: String, body: &str) -> Request {
    Request {
        method: "POST".into(),
        url,
        headers: vec![("content-type".into(), "application/json".into())],
        body: Some(body.into()),
        ..Request::default()
    }
}

#[test]
fn sends_the_same_bytes() {
    let long = format!("{{\"name\":\"{}\"}}", "n".repeat(100_000));
    let deep = format!("{}1{}", "{\"a\":".repeat(5000), "}".repeat(5000));
    let odd = "%s\\n".repeat(2000);
    let pattern: String = (0..3000).map(|i| format!("{i},")).collect();
    let emoji = "👩‍👩‍👧".repeat(1000);
    let bodies = [
        "",
        " ",
        "@file",
        "-x",
        "{\"a\":1}",
        "it's",
        "$HOME `id` $(id) !! \\ \"",
        "a\nb\r\n\tc",
        "é 日本 👩‍👩‍👧 \u{202e}x\u{200b}",
        "\u{1b}[31m\u{7f}\u{0}",
        "\u{7}1f",
        &long,
        &deep,
        &odd,
        &pattern,
        &emoji,
    ];
    for body in bodies {
        let seen = run(|base| post(base, body));
        assert_eq!(seen.body, body.as_bytes(), "{}", &body[..body.len().min(20)]);
        assert_eq!(seen.headers["content-length"], body.len().to_string());
        assert_eq!(seen.headers["content-type"], "application/json");
        assert!(!seen.headers.contains_key("expect"));
    }
    for bytes in [&b"\xff\x00\xfe"[..], b"{\"a\":\"\xed\xa0\x80\"}"] {
        let seen = run(|base| Request { body: None, body_base64: Some(STANDARD.encode(bytes)), ..post(base, "") });
        assert_eq!(seen.body, bytes);
    }
}

#[test]
fn adds_no_headers_and_drops_none() {
    let seen = run(|base| Request {
        headers: vec![
            ("x-empty".into(), String::new()),
            ("x-odd".into(), "a'b \"c\" $d é".into()),
            ("user-agent".into(), "probity/1 (a/b)".into()),
        ],
        ..post(base, "x")
    });
    assert!(!seen.headers.contains_key("content-type"));
    assert_eq!(seen.headers["x-empty"], "");
    assert_eq!(seen.headers["x-odd"], "a'b \"c\" $d é");
    assert_eq!(seen.headers["user-agent"], "probity/1 (a/b)");
    let seen = run(|base| Request { body: None, ..post(base, "") });
    assert!(!seen.headers.contains_key("content-length") && seen.body.is_empty());
    let seen = run(|base| Request { method: "GET".into(), headers: Vec::new(), body: None, ..post(base, "") });
    assert_eq!(seen.line, "GET / HTTP/1.1");
}

#[test]
fn leaves_the_url_alone() {
    let seen = run(|base| post(format!("{base}/a/../b/%2F{{x}}[1-3]/$HOME'\""), ""));
    assert_eq!(seen.line, "POST /a/../b/%2F{x}[1-3]/$HOME'\" HTTP/1.1");
}

#[test]
fn tokens_are_variables() {
    let with = |value: &str| {
        let value = value.replace("TOKEN", VARIABLE);
        run(|base| Request { headers: vec![("authorization".into(), value)], ..post(base, "") })
            .headers["authorization"]
            .clone()
    };
    assert_eq!(with("Bearer ${TOKEN}"), format!("Bearer {TOKEN}"));
    assert_eq!(with("Bearer ${TOKEN%?}"), "Bearer t0k'en $");
    assert_eq!(with("Bearer ${TOKEN#?}x"), "Bearer 0k'en $xx");
    assert_eq!(with("Odd '${TOKEN}\" $y ${OTHER}"), format!("Odd '{TOKEN}\" $y ${{OTHER}}"));
    let line = command(
        &Request {
            method: "POST".into(),
            url: "https://example.com/v1".into(),
            headers: vec![("authorization".into(), "Bearer ${PROBITY_TOKEN}".into())],
            body: Some("{\"name\":\"it's\"}".into()),
            ..Request::default()
        },
        &["PROBITY_TOKEN".to_owned()],
    );
    insta::assert_snapshot!(line, @r#"curl -sS -i -X POST --path-as-is 'https://example.com/v1' -H "authorization: Bearer ${PROBITY_TOKEN}" -H 'Content-Type:' --data-raw '{"name":"it'\''s"}'"#);
}

#[test]
fn repetition_is_written_as_such() {
    let body = format!("{{\"name\":\"{}\"}}", "n".repeat(100_000));
    let line = command(&post("http://h/".into(), &body), &[]);
    assert!(
        line.starts_with("{ printf %s '{\"name\":\"'; printf -- 'n%.0s' $(seq 100000); printf %s '\"}'; } | curl "),
        "{line}"
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_text_is_one_word(text in "(\\PC|[\\x01-\\x1f'\"$`!\\\\]){0,20}") {
        prop_assert_eq!(bash(&format!("printf %s {}", quoted(&text))), text.as_bytes());
    }

    #[test]
    fn any_long_text_comes_out_whole(parts in proptest::collection::vec(("[a%\\\\'\\-{é\n]{1,3}", 1_usize..400), 1..5)) {
        let text: String = parts.iter().map(|(unit, times)| unit.repeat(*times)).collect();
        prop_assert_eq!(bash(&piped(&text, &[])), text.as_bytes());
    }
}
