//! Tokens that end while a run goes on.

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use probity::reference;

use super::{SOME, settings};
use crate::support::server::{Answer, Request, Server, forward};
use crate::support::{Ran, flat, probity};

/// How many requests a token lives for.
const LIVES: usize = 15;

/// A server on which the caller's token is the number in a file, and ends after some requests; the file's holder may then
/// write the next.
fn short_lived() -> Server {
    Server::http(of_short_lived())
}

fn of_short_lived() -> impl Fn(&Request) -> Answer + Send + Sync + 'static {
    let upstream = reference::start(reference::Options::default()).expect("a server");
    let uses = Mutex::new(std::collections::HashMap::<String, usize>::new());
    move |request| {
        let mut known = request.clone();
        let shown = request.header("authorization").unwrap_or_default().to_owned();
        if let Some(token) = shown.strip_prefix("Bearer short-lived-").map(|t| t.strip_suffix('x').unwrap_or("none")) {
            let mut uses = uses.lock().expect("a lock");
            let uses = uses.entry(token.to_owned()).or_default();
            *uses += 1;
            if *uses > LIVES || token.parse::<u32>().is_err() {
                return Answer::json(401, "{\"code\":\"expired\"}").with("WWW-Authenticate", "Bearer");
            }
            known.headers.retain(|(name, _)| !name.eq_ignore_ascii_case("authorization"));
            known.headers.push(("authorization".into(), format!("Bearer {}", reference::TOKENS[0].1)));
        }
        forward(&upstream, &known)
    }
}

fn with_token(url: &str, token: &str) -> String {
    settings(url, |toml| toml.replace("{ env = \"PROBITY_TOKEN\" }", token))
}

/// Prints the number of the run.
const NEXT: &str = "echo x >> count; printf 'short-lived-%sx' $(wc -l < count)";

#[track_caller]
fn no_verdict_from_it(ran: &Ran) {
    ran.holds(ran.ids("fail").is_empty(), "nothing failed");
    ran.holds(!ran.stderr.contains("short-lived-") && !ran.stdout.contains("short-lived-"), "no token is told");
    for (path, bytes) in ran.files() {
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let is_ours = path.extension().is_none_or(|e| e == "toml") || path.ends_with("token.txt");
        ran.holds(is_ours || !text.contains("short-lived-"), &format!("{} holds no token", path.display()));
    }
}

/// The short-lived server, which issues its tokens itself: to the client `cli:ent` at `/oauth/token`, and for a login at
/// `/login`.
fn issuing() -> Server {
    let (serve, issued) = (of_short_lived(), AtomicUsize::new(0));
    Server::http(move |request| {
        let next = || format!("short-lived-{}x", issued.fetch_add(1, Ordering::Relaxed) + 1);
        // The secret is `s+cr/t`, and is encoded before it is joined with the id.
        let is_client = request.header("authorization") == Some("Basic Y2xpJTNBZW50OnMlMkJjciUyRnQ=");
        match request.target.as_str() {
            "/oauth/token" if !is_client => {
                Answer::json(401, r#"{"error":"invalid_client","error_description":"not s+cr/t"}"#)
            }
            "/oauth/token" if request.text() != "grant_type=client_credentials&scope=crm+write&audience=crm" => {
                Answer::json(400, r#"{"error":"invalid_request"}"#)
            }
            "/oauth/token" => Answer::json(200, &format!(r#"{{"access_token":"{}","token_type":"Bearer"}}"#, next())),
            "/login" => {
                let asked: serde_json::Value = serde_json::from_slice(&request.body).unwrap_or_default();
                let known = serde_json::json!({"user": {"name": "qa", "password": "s+cr/t"}, "remember": true});
                match asked == known {
                    true => Answer::json(201, &format!(r#"{{"data":{{"token":"{}"}}}}"#, next())),
                    false => Answer::json(403, r#"{"message":"who is that?"}"#),
                }
            }
            _ => serve(request),
        }
    })
}

fn granted(server: &Server, token: &str) -> crate::support::Probity {
    let toml = with_token(&server.url(), token);
    probity(&format!("{SOME} --concurrency 4")).tokens().env("CRM_SECRET", "s+cr/t").file("probity.toml", toml)
}

#[test]
fn a_client_gets_new_ones_for_its_own_credentials() {
    let server = issuing();
    let client = "client_id = \"cli:ent\", client_secret = { env = \"CRM_SECRET\" }, scope = \"crm write\"";
    let token =
        format!("{{ token_url = \"{}/oauth/token\", {client}, parameters = {{ audience = \"crm\" }} }}", server.url());
    let ran = granted(&server, &token).exits(0);
    no_verdict_from_it(&ran);
    let asked = server.requests().iter().filter(|request| request.target == "/oauth/token").count();
    assert!((2..=20).contains(&asked), "a new one was asked for {asked} times");
    ran.never_says("s+cr/t");
}

#[test]
fn a_login_gets_new_ones() {
    let server = issuing();
    let body = "body = { user = { name = \"qa\", password = { env = \"CRM_SECRET\" } }, remember = true }";
    let ran = granted(&server, &format!("{{ login = \"/login\", {body}, at = \"/data/token\" }}")).exits(0);
    no_verdict_from_it(&ran);
    ran.never_says("s+cr/t");
}

#[test]
fn a_server_that_issues_none_is_told_in_its_own_words_without_the_secret() {
    let server = issuing();
    let client = "client_id = \"other\", client_secret = { env = \"CRM_SECRET\" }";
    let ran = granted(&server, &format!("{{ token_url = \"{}/oauth/token\", {client} }}", server.url())).run();
    let told = flat(&format!("{}{}", ran.stdout, ran.stderr));
    assert!(told.contains("it answered 401: invalid_client, not ${CRM_SECRET}"), "{told}");
    ran.never_says("s+cr/t");
    assert_eq!(ran.code, Some(3), "{told}");
}

#[test]
fn what_is_wrong_with_a_grant_is_told_with_its_place() {
    for (token, told) in [
        ("{ token_url = \"https://a.example/t\", client_id = \"a\" }", "needs `client_secret` beside `token_url`"),
        (
            "{ token_url = \"https://u:p@a.example/t\", client_id = \"a\", client_secret = { env = \"CRM_SECRET\" } }",
            "it contains a user or a password",
        ),
        ("{ login = \"/login\" }", "needs either `body` or `form` beside `login`"),
        ("{ login = \"/login\", form = { a = 1 }, at = \"token\" }", "`at` is not a JSON Pointer"),
        (
            "{ token_url = \"https://a.example/t\", client_id = \"a\", client_secret = { env = \"CRM_SECRET\" }, client_authentication = \"digest\" }",
            "`digest` is no way for a client to authenticate",
        ),
    ] {
        let server = Server::http(|_| Answer::empty(500));
        let ran = granted(&server, token).exits(2);
        assert!(flat(&ran.stderr).contains(told) && ran.stderr.contains("probity.toml:"), "{told}: {}", ran.stderr);
        assert!(server.requests().is_empty());
    }
}

#[test]
fn a_command_makes_new_ones() {
    let server = short_lived();
    let toml = with_token(&server.url(), &format!("{{ command = \"{NEXT}\" }}"));
    let ran = probity(&format!("{SOME} --concurrency 4")).tokens().file("probity.toml", toml).exits(0);
    no_verdict_from_it(&ran);
    let made = ran.read("count").lines().count();
    let least = ran.report()["figures"]["requests"].as_u64().expect("a number") as usize / (2 * LIVES);
    ran.holds(made > 1 && made >= least, "new tokens were made");
    // Each request that met a dead token came again, once for all that were under way.
    ran.holds(made <= least * 4 + 2, &format!("{made} tokens are not one for each request"));
}

#[test]
fn a_file_is_read_again() {
    let server = short_lived();
    let toml = with_token(&server.url(), "{ file = \"token.txt\" }");
    let command = probity(&format!("{SOME} --concurrency 4"))
        .tokens()
        .file("probity.toml", toml)
        .file("token.txt", "short-lived-1x\n");
    let path = command.folder().join("token.txt");
    let stop = std::sync::Arc::new(AtomicUsize::new(0));
    let writer = std::thread::spawn({
        let stop = std::sync::Arc::clone(&stop);
        move || {
            let mut number = 1;
            while stop.load(Ordering::SeqCst) == 0 {
                number += 1;
                std::fs::write(&path, format!("short-lived-{number}x")).expect("a file");
                std::thread::sleep(std::time::Duration::from_millis(5));
            }
        }
    });
    let ran = command.run();
    stop.store(1, Ordering::SeqCst);
    writer.join().expect("a writer");
    ran.holds(ran.code == Some(0), "it conforms");
    no_verdict_from_it(&ran);
}

#[test]
fn one_that_nobody_renews_ends_the_run() {
    let server = short_lived();
    let toml = with_token(&server.url(), "{ env = \"SHORT\" }");
    let ran = probity(&format!("{SOME} --concurrency 4"))
        .tokens()
        .env("SHORT", "short-lived-1x")
        .file("probity.toml", toml)
        .exits(4);
    assert_eq!(ran.report()["end"]["cause"], "token");
    ran.says("it has expired").says("probity explain settings");
    no_verdict_from_it(&ran);
}

/// The reference server, until it has seen so many requests; then it takes no token any more, new ones neither.
fn locks_up_after(seen: usize) -> Server {
    let upstream = reference::start(reference::Options::default()).expect("a server");
    let requests = AtomicUsize::new(0);
    Server::http(move |request: &Request| {
        if requests.fetch_add(1, Ordering::SeqCst) >= seen {
            return Answer::json(401, "{}").with("WWW-Authenticate", "Bearer");
        }
        let mut known = request.clone();
        known.headers.retain(|(name, _)| !name.eq_ignore_ascii_case("authorization"));
        known.headers.push(("authorization".into(), format!("Bearer {}", reference::TOKENS[0].1)));
        forward(&upstream, &known)
    })
}

#[test]
fn new_ones_that_are_refused_too_end_the_run() {
    let server = locks_up_after(20);
    let toml = with_token(&server.url(), &format!("{{ command = \"{NEXT}\" }}"));
    let ran = probity("check --only 'close-date/*' --concurrency 4").tokens().file("probity.toml", toml).exits(4);
    assert_eq!(ran.report()["end"]["cause"], "token");
    no_verdict_from_it(&ran);
    let made = ran.read("count").lines().count();
    ran.holds(made <= 10, &format!("{made} tokens are not one for each request"));
}

#[test]
fn a_refusal_that_no_request_is_left_to_look_into_is_no_verdict() {
    let server = locks_up_after(3);
    let toml = settings(&server.url(), str::to_owned);
    let ran = probity("check --only close-date/leap-day --max-requests 4").tokens().file("probity.toml", toml).exits(4);
    assert_eq!(server.requests().len(), 4, "the budget holds");
    no_verdict_from_it(&ran);
}

#[test]
fn a_command_that_fails_is_told_and_not_what_it_says() {
    let server = short_lived();
    let failing = "echo 'vault: permission denied' >&2; exit 7";
    let toml = with_token(&server.url(), &format!("{{ command = \"{failing}\" }}"));
    let ran = probity(&format!("{SOME} --concurrency 4")).tokens().file("probity.toml", toml).exits(3);
    // What it says may hold a token.
    ran.says("exit status: 7").never_says("vault: permission denied");
    assert!(server.requests().is_empty(), "nothing was sent without a token");
    // In the middle of a run, too.
    let once =
        "echo x >> count; test $(wc -l < count) = 1 && printf short-lived-1x || { echo 'locked out' >&2; exit 1; }";
    let toml = with_token(&server.url(), &format!("{{ command = \"{once}\" }}"));
    let ran = probity(&format!("{SOME} --concurrency 4")).tokens().file("probity.toml", toml).exits(4);
    ran.says("exit status: 1").never_says("locked out");
    no_verdict_from_it(&ran);
}

#[test]
fn a_refusal_for_another_reason_is_no_end_of_it() {
    // One kind of request is refused as if the token had ended.
    let upstream = reference::start(reference::Options::default()).expect("a server");
    let server = Server::http(move |request: &Request| {
        if request.text().contains("\"probability\":0") {
            return Answer::json(401, "{}").with("WWW-Authenticate", "Bearer");
        }
        forward(&upstream, request)
    });
    let ran = probity("check --only schema/probability-minimum --only errors/json-object --seed 1")
        .settings(&server.url())
        .run();
    ran.holds(ran.report()["end"]["complete"] == true, "the run went on");
    ran.holds(ran.code != Some(0), "it is not green");
}

#[test]
fn headers_that_are_written_down_may_be_secret_too() {
    let server = super::before(|_, _| None);
    let toml = settings(&server.url(), |toml| {
        toml.replacen("\n\n", "\nsecret_headers = [\"X-Pass\"]\n\n", 1)
            + "\n[headers]\nX-Api-Key = \"stat1c-k3y\"\nX-Pass = \"stat1c-p4ss\"\n"
    });
    let check = |words: &str| probity(words).tokens().file("probity.toml", &toml).exits(0);
    let shown = check("check --print-settings");
    let ran = check("check --only close-date/leap-day -vv --report har");
    assert!(server.requests().iter().all(|r| r.header("x-pass") == Some("stat1c-p4ss")));
    let mut written = format!("{}{}{}{}", shown.stdout, shown.stderr, ran.stdout, ran.stderr);
    for (path, bytes) in ran.files() {
        if path.extension().is_none_or(|e| e != "toml") {
            written += &String::from_utf8_lossy(&bytes);
        }
    }
    ran.holds(!written.contains("stat1c-"), "no file and no stream holds them");
    let toml = settings(&server.url(), |toml| format!("{toml}\n[headers]\nAuthorization = \"Basic abcdef\"\n"));
    let refused = probity("check").tokens().file("probity.toml", toml).exits(2);
    refused.complains("tokens are sent in that header");
}

#[test]
fn secret_headers_are_kept_out() {
    let upstream = reference::start(reference::Options::default()).expect("a server");
    let server = Server::http(move |request: &Request| match forward(&upstream, request) {
        Answer::Whole(status, mut headers, body) => {
            headers.push(("X-Seen".into(), request.header("x-api-key").unwrap_or("none").to_owned()));
            headers.push(("Set-Cookie".into(), "session=c00kie-of-the-server".into()));
            headers.push(("X-Internal".into(), "1nternal-of-the-server".into()));
            Answer::Whole(status, headers, body)
        }
        other => other,
    });
    let toml = settings(&server.url(), |toml| {
        toml.replacen("\n\n", "\nsecret_headers = [\"X-Internal\"]\n\n", 1)
            + "\n[headers]\nX-Api-Key = { env = \"API_KEY\" }\nX-Tenant = \"acme\"\n"
    });
    let ran = probity("check --only response/name-as-sent --fault name-uppercased -vv")
        .tokens()
        .env("API_KEY", "4pi-k3y-c4n4ry")
        .file("probity.toml", toml.clone())
        .run();
    ran.holds(ran.code == Some(2), "a fault is for the embedded server");
    let ran = probity("check --only response/name-as-sent -vv")
        .tokens()
        .env("API_KEY", "4pi-k3y-c4n4ry")
        .env("RUST_LOG", "trace")
        .file("probity.toml", toml)
        .exits(0);
    assert!(server.requests().iter().all(|r| r.header("x-api-key") == Some("4pi-k3y-c4n4ry")));
    assert!(server.requests().iter().all(|r| r.header("x-tenant") == Some("acme")));
    let exchanges = ran.read("reports/exchanges.ndjson");
    let everything = format!("{}{}{exchanges}{}", ran.stdout, ran.stderr, ran.read("reports/report.json"));
    for secret in ["4pi-k3y-c4n4ry", "c00kie-of-the-server", "1nternal-of-the-server", reference::TOKENS[0].1] {
        let logged = ran.stderr.lines().find(|l| l.contains(secret)).unwrap_or_default();
        ran.holds(!everything.contains(secret), &format!("{secret} is nowhere: {logged}"));
    }
    ran.holds(exchanges.contains("[\"x-seen\",\"${API_KEY}\"]"), "what echoes is named");
    ran.holds(
        exchanges.contains("[\"x-api-key\",\"${API_KEY}\"]") || exchanges.contains("(hidden)"),
        "what is sent is named",
    );
    ran.holds(exchanges.contains("[\"x-tenant\",\"acme\"]"), "what is no secret is shown");
}
