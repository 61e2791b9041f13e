//! Tokens stay out of everything that is written, however servers and mistakes spell them.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE, URL_SAFE_NO_PAD};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Value, json};

use crate::support::server::{Answer, Request, Server, forward};
use crate::support::{Probity, Ran, probity};

/// Tokens with whatever encodings change, in the place of those that the reference server knows.
const CANARIES: [(&str, &str); 3] = [
    ("PROBITY_TOKEN", r#"c4ll3r"K9\vNq+Tz/7xW=pQ2"#),
    ("PROBITY_TOKEN_COLLEAGUE", "c0ll34gue-Ab.Cd_Ef~Gh+Ij/Kl=="),
    ("PROBITY_TOKEN_READ_ONLY", "eyJhbGciOiJub25lIn0.eyJjNG5hcnkiOjQ3MTF9.Zm9v-YmFy_YmF6"),
];

/// What `encodeURIComponent` leaves as it is.
const COMPONENT: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'_')
    .remove(b'.')
    .remove(b'!')
    .remove(b'~')
    .remove(b'*')
    .remove(b'\'')
    .remove(b'(')
    .remove(b')');

/// How much of a token is too much.
const PIECE: usize = 12;

/// Checks that nothing that a command wrote holds a token, or a piece of one.
#[track_caller]
fn tight(ran: &Ran) -> &Ran {
    let mut written = vec![("stdout".to_owned(), ran.stdout.clone()), ("stderr".to_owned(), ran.stderr.clone())];
    written.extend(
        ran.files()
            .into_iter()
            .map(|(path, bytes)| (path.display().to_string(), String::from_utf8_lossy(&bytes).into_owned())),
    );
    for (variable, token) in CANARIES {
        for (place, text) in &written {
            for spelling in spellings(token) {
                if let Some(at) = text.find(&spelling) {
                    let from = text[..at].char_indices().rev().nth(80).map_or(0, |(i, _)| i);
                    let context: String = text[from..].chars().take(200).collect();
                    ran.holds(false, &format!("{place} does not hold {variable} as {spelling}:\n{context}"));
                }
            }
            // Base64 of something that holds a token.
            for run in
                text.split(|c: char| !(c.is_ascii_alphanumeric() || "+/-_".contains(c))).filter(|r| r.len() > PIECE)
            {
                let plain = run.replace('-', "+").replace('_', "/");
                let whole = &plain.as_bytes()[..plain.len() / 4 * 4];
                let decoded = STANDARD.decode(whole).unwrap_or_default();
                let held = decoded.windows(PIECE).any(|w| token.as_bytes().windows(PIECE).any(|t| t == w));
                ran.holds(!held, &format!("{place} does not hold {variable} within the Base64 {run}"));
            }
        }
    }
    ran
}

/// A token's pieces, and the whole in every encoding.
fn spellings(token: &str) -> Vec<String> {
    let pieces = token.as_bytes().windows(PIECE).map(|w| String::from_utf8_lossy(w).into_owned());
    let pieces = pieces.flat_map(|piece| [utf8_percent_encode(&piece, NON_ALPHANUMERIC).to_string(), piece]);
    let escaped = json!(token).to_string().trim_matches('"').to_owned();
    let percent = utf8_percent_encode(token, NON_ALPHANUMERIC).to_string();
    let component = utf8_percent_encode(token, COMPONENT).to_string();
    let mut all: Vec<String> = pieces.collect();
    all.extend([
        json!(escaped).to_string().trim_matches('"').to_owned(),
        escaped.replace('/', "\\/"),
        escaped,
        hexadecimal(token, ""),
        hexadecimal(token, ":"),
        hexadecimal(token, " "),
        lower_percent(token),
        percent,
        component,
        STANDARD.encode(token).trim_end_matches('=').to_owned(),
        URL_SAFE_NO_PAD.encode(token),
    ]);
    all
}

/// Percent-encoded, with the digits in lower case.
fn lower_percent(text: &str) -> String {
    let plain = |b: u8| b.is_ascii_alphanumeric();
    text.bytes().map(|b| if plain(b) { char::from(b).to_string() } else { format!("%{b:02x}") }).collect()
}

/// The bytes in hexadecimal.
fn hexadecimal(text: &str, between: &str) -> String {
    text.bytes().map(|b| format!("{b:02x}")).collect::<Vec<_>>().join(between)
}

/// The canaries in the place of the reference server's tokens.
fn with_canaries(command: Probity, url: &str) -> Probity {
    let command = command.settings(url);
    CANARIES.into_iter().fold(command, |command, (variable, token)| command.env(variable, token))
}

/// Passes requests on with the tokens that the reference server knows, and puts what `echo` makes of the Authorization
/// header into every answer.
fn echoing(fault: Option<&str>, echo: impl Fn(&str) -> String + Send + Sync + 'static) -> Server {
    let faults = fault.map(|f| probity::reference::Fault::named(f).expect("a fault")).into_iter().collect();
    let options = probity::reference::Options { faults, ..Default::default() };
    let upstream = probity::reference::start(options).expect("a server");
    Server::http(move |request| {
        let mut known = request.clone();
        for (name, value) in &mut known.headers {
            if name.eq_ignore_ascii_case("authorization") {
                for ((_, canary), (_, token)) in CANARIES.iter().zip(probity::reference::TOKENS) {
                    *value = value.replace(canary, token);
                }
            }
        }
        let echoed = echo(request.header("authorization").unwrap_or_default());
        let Answer::Whole(status, headers, body) = forward(&upstream, &known) else { return Answer::Close };
        let body = match serde_json::from_slice::<Value>(&body) {
            // As text, since the echo may be an escape that must stay one.
            Ok(Value::Object(_)) => {
                let text = String::from_utf8_lossy(&body).into_owned();
                format!("{}, \"debug\": \"{echoed}\"}}", text.trim_end().trim_end_matches('}')).into_bytes()
            }
            _ => body,
        };
        Answer::Whole(status, headers, body).with("X-Echo", &echoed)
    })
}

fn bare(authorization: &str) -> &str {
    authorization.strip_prefix("Bearer ").unwrap_or(authorization)
}

fn escaped(text: &str) -> String {
    json!(text).to_string().trim_matches('"').to_owned()
}

/// Requests of every identity, with good and bad credentials, that pass and that fail.
const WORDS: &str = "check -v --seed 1 --only 'authentication/*' --only close-date/past --only idempotency/key-of-another-user \
                     --only response/value-in-dollars --only probes/statuses-of-refusals --report har,markdown,sarif,ctrf,badge,shields";

#[track_caller]
fn echoed(echo: impl Fn(&str) -> String + Send + Sync + 'static) {
    let server = echoing(Some("value-in-cents"), echo);
    let ran = with_canaries(probity(WORDS), &server.url()).exits(1);
    ran.verdict("response/value-in-dollars", "fail").verdict("authentication/read-only", "pass");
    ran.says("${PROBITY_TOKEN}");
    ran.holds(
        server.requests().iter().any(|r| r.header("authorization").is_some_and(|a| a.contains(CANARIES[0].1))),
        "it was sent",
    );
    tight(&ran);
}

#[test]
fn echoed_as_it_is() {
    echoed(escaped);
}

#[test]
fn echoed_in_base64() {
    echoed(|a| STANDARD.encode(bare(a)));
    echoed(|a| URL_SAFE.encode(bare(a)));
}

#[test]
fn echoed_in_base64_with_its_scheme() {
    echoed(|a| STANDARD.encode(a));
}

#[test]
fn echoed_percent_encoded() {
    echoed(|a| utf8_percent_encode(a, NON_ALPHANUMERIC).to_string());
}

#[test]
fn echoed_percent_encoded_in_lower_case() {
    echoed(lower_percent);
}

#[test]
fn echoed_as_a_component_of_a_url() {
    echoed(|a| utf8_percent_encode(a, COMPONENT).to_string());
}

#[test]
fn echoed_with_escaped_slashes() {
    echoed(|a| escaped(a).replace('/', "\\/"));
}

#[test]
fn echoed_with_escapes_of_unicode() {
    echoed(|a| escaped(a).replace("\\\"", "\\u0022").replace('+', "\\u002b").replace('=', "\\u003D"));
}

#[test]
fn echoed_in_hexadecimal() {
    echoed(|a| hexadecimal(bare(a), ""));
    echoed(|a| hexadecimal(a, ":"));
    echoed(|a| hexadecimal(a, " ").to_uppercase());
}

/// A server that answers everything with a dump of the request.
fn dumping(status: u16, media_type: &'static str, dump: impl Fn(&str) -> Vec<u8> + Send + Sync + 'static) -> Server {
    Server::http(move |request: &Request| {
        let dump = dump(request.header("authorization").unwrap_or_default());
        Answer::Whole(status, vec![("Content-Type".into(), media_type.into())], dump)
    })
}

#[test]
fn dumped_by_a_server_that_breaks() {
    let server =
        dumping(500, "text/plain", |a| format!("panic: no such user\nAuthorization: {a}\n{}", escaped(a)).into_bytes());
    tight(&with_canaries(probity(WORDS), &server.url()).run());
    let utf_16 = |a: &str| a.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let ran = with_canaries(probity(WORDS), &dumping(500, "text/plain", utf_16).url()).run();
    for (path, bytes) in ran.files() {
        let text = String::from_utf8_lossy(&bytes).replace("\\u{0}", "").replace("\\u0000", "").replace('\0', "");
        let held = CANARIES.iter().find(|(_, token)| text.contains(&token[..PIECE]));
        ran.holds(held.is_none(), &format!("{} holds no {held:?} in UTF-16", path.display()));
    }
    let server = dumping(500, "text/html", |a| [b"<p>\xff\xfe Authorization: ", a.as_bytes(), b"\xff"].concat());
    tight(&with_canaries(probity(WORDS), &server.url()).run());
}

#[test]
fn cut_in_two_where_long_bodies_are_cut() {
    for before in [40, 100, 150, 155, 190, 1990, 16_360, 16_375] {
        let server = dumping(422, "application/json", move |a| {
            format!("{{\"a\": \"{}{}\"}}", "x".repeat(before), escaped(a)).into_bytes()
        });
        tight(
            &with_canaries(
                probity("check -v --only response/success-status --only operation/valid-accepted"),
                &server.url(),
            )
            .run(),
        );
    }
}

#[test]
fn cut_in_two_however_it_is_spelt() {
    let spellings: [fn(&str) -> String; 3] =
        [|a| utf8_percent_encode(a, NON_ALPHANUMERIC).to_string(), |a| STANDARD.encode(a), |a| hexadecimal(a, ":")];
    for spelling in spellings {
        for before in [90, 100, 115, 130] {
            let server =
                dumping(422, "text/plain", move |a| format!("{}{}", "x ".repeat(before / 2), spelling(a)).into_bytes());
            let ran = with_canaries(probity("check -v --only operation/valid-accepted"), &server.url()).run();
            tight(&ran);
            ran.holds(before < 130 || ran.stdout.contains(" characters)"), "the answer is cut within the token");
        }
    }
}

#[test]
fn refused_at_preflight() {
    for before in [0, 130, 150, 155] {
        let server = dumping(403, "text/plain", move |a| format!("{}{a}", "x".repeat(before)).into_bytes());
        tight(&with_canaries(probity("check"), &server.url()).exits(3));
    }
    let server = Server::http(|r| {
        Answer::empty(302).with("Location", &format!("/login?for={}", r.header("authorization").unwrap_or_default()))
    });
    tight(&with_canaries(probity("check"), &server.url()).exits(3));
}

#[test]
fn a_token_that_no_header_can_hold() {
    let server = Server::http(|_| Answer::json(201, "{}"));
    let token = format!("{}\u{1}{}", &CANARIES[0].1[..14], CANARIES[1].1);
    let ran = with_canaries(probity("check"), &server.url()).env("PROBITY_TOKEN", token).exits(3);
    tight(&ran).says("a character that cannot be sent in a request");
    assert_eq!(server.requests().len(), 0);
}

#[test]
fn commands_that_send_nothing() {
    for words in [
        "plan",
        "plan --json",
        "explain authentication/refused",
        "explain idempotency/replay-returns-original",
        "list --json",
        "lint",
    ] {
        tight(&with_canaries(probity(words), "http://127.0.0.1:1").exits(0));
    }
    with_canaries(probity("explain close-date/past"), "http://127.0.0.1:1").exits(0).says("${PROBITY_TOKEN}");
}

#[test]
fn a_password_in_the_url() {
    let password = &CANARIES[2].1[..20];
    let urls = [
        format!("http://user:{password}@example.com"),
        format!("https://{password}@example.com/a"),
        // Wrong in another way, too.
        format!("ftp://user:{password}@example.com"),
        format!("http://user:{password}@example.com:99999"),
        format!("http://user:{password}@exa mple.com"),
        format!("http://user:{password}@example.com/?q=1"),
        format!("user:{password}@example.com"),
        format!("http://user:{password}@"),
    ];
    for url in urls {
        let ran = probity("check --fixture household_id=hh_1 --target").arg(&url).env("PROBITY_TOKEN", "t0ken").run();
        let words = ran.stderr.contains(password) || ran.stdout.contains(password);
        ran.holds(ran.code == Some(2) && !words, "the password is not repeated");
        let toml = format!("[target]\nurl = \"{url}\"\n[fixtures]\nhousehold_id = \"hh_1\"\n");
        let ran = probity("check").file("probity.toml", toml).env("PROBITY_TOKEN", "t0ken").run();
        ran.holds(ran.code == Some(2) && !ran.stderr.contains(password), "the password is not repeated from a file");
    }
}

#[test]
fn a_password_for_the_proxy() {
    let password = &CANARIES[2].1[..20];
    let proxy = Server::http(|_| Answer::json(201, "{}"));
    let url = proxy.url().replace("http://", &format!("http://user:{password}@"));
    let silent = |ran: &Ran| {
        let held = ran.files().into_iter().find(|(_, bytes)| String::from_utf8_lossy(bytes).contains(password));
        ran.holds(held.is_none(), &format!("the password is not in {:?}", held.as_ref().map(|(path, _)| path)));
        ran.holds(!ran.stderr.contains(password) && !ran.stdout.contains(password), "the password is not repeated");
    };
    let words = "--target http://far.invalid --proxy";
    let check = "check -vv --seed 1 --fixture household_id=hh_1 --only response/success-status --only operation/response-201-shape";
    let ran = probity(&format!("{check} --report markdown,sarif,ctrf,har {words}")).arg(&url).tokens().exits(1);
    ran.says("rerun probity check --target http://far.invalid");
    silent(&ran);
    let ran = probity(&format!("init {words}")).arg(&url).tokens().exits(0);
    ran.complains("the proxy's user and password are not written");
    let toml: toml::Table = ran.read("probity.toml").parse().expect("TOML");
    assert_eq!(toml["target"]["proxy"].as_str(), Some(&format!("{}/", proxy.url())[..]));
    silent(&ran);
}

#[test]
fn a_look_up_that_is_answered_with_the_token() {
    let server = Server::http(|r: &Request| {
        let token = bare(r.header("authorization").unwrap_or_default()).to_owned();
        Answer::json(200, &json!({"id": token, "type": token}).to_string())
    });
    let ran = with_canaries(probity("init --out new.toml"), &server.url());
    let ran = ran.arg("--target").arg(server.url()).exits(0);
    ran.says("caller_user_id = \"${PROBITY_TOKEN}\"");
    tight(&ran);
    tight(&with_canaries(probity("doctor"), &server.url()).run());
}

#[test]
fn someone_elses_token_in_a_recording() {
    let (token, key) = (CANARIES[2].1, "not-for-reports-4711");
    let entry = json!({
        "startedDateTime": "2031-02-03T04:05:06.789Z", "time": 12.5,
        "request": {
            "method": "POST",
            "url": format!("https://app.example.com/v1/households/hh_p2Kd71/opportunities?access_token={key}"),
            "headers": [
                {"name": "Content-Type", "value": "application/json"},
                {"name": "Authorization", "value": format!("Bearer {token}")},
                {"name": "Cookie", "value": format!("sid={key}")},
                {"name": "X-Api-Key", "value": key},
            ],
            "postData": {"mimeType": "application/json", "text": "{\"name\": \"a\"}"},
        },
        "response": {
            "status": 500, "headers": [{"name": "Set-Cookie", "value": key}],
            "content": {"size": 1, "mimeType": "text/plain", "text": format!("no user has {}", STANDARD.encode(token))},
        },
    });
    let har = json!({"log": {"version": "1.2", "creator": {"name": "a", "version": "1"}, "entries": [entry]}});
    let ran = probity(
        "judge session.har --target https://app.example.com --fixture household_id=hh_1 --report har,markdown,sarif,ctrf",
    );
    let ran = ran.file("session.har", har.to_string()).exits(1);
    ran.says("authorization: Bearer (hidden)").says("no user has ${RECORDED_TOKEN");
    std::fs::remove_file(ran.folder().join("session.har")).expect("the recording itself");
    tight(&ran);
    let held = ran.files().into_iter().find(|(_, bytes)| String::from_utf8_lossy(bytes).contains(key));
    ran.holds(held.is_none(), &format!("no other secret is in {:?}", held.map(|(path, _)| path)));
}

#[test]
fn a_token_that_was_written_into_the_settings() {
    let token = CANARIES[2].1;
    for written in [format!("\"{token}\""), format!("{{ value = \"{token}\" }}")] {
        let toml = format!(
            "[target]\nurl = \"http://127.0.0.1:1\"\n[identities.caller]\ntoken = {written}\n[fixtures]\nhousehold_id = \"hh_1\"\n"
        );
        let ran = probity("check").file("probity.toml", toml).exits(2);
        ran.holds(!ran.stderr.contains(token), "the token is not repeated").complains("probity.toml:4:");
    }
}
