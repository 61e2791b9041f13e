//! Requests of a report, sent again.

use std::collections::BTreeSet;
use std::sync::Barrier;
use std::sync::atomic::{AtomicUsize, Ordering};

use chrono::{DateTime, SecondsFormat, TimeDelta};
use probity::reference::{self, Fault};
use serde_json::Value;

use crate::support::server::{Answer, Request, Server, forward};
use crate::support::{Probity, Ran, normalised, probity};

/// The reference server with faults.
fn reference(faults: &[&str]) -> reference::Server {
    let faults = faults.iter().map(|name| Fault::named(name).expect("a fault")).collect();
    reference::start(reference::Options { faults, ..reference::Options::default() }).expect("a server")
}

/// A run on the embedded server with a fault, and what it recorded.
fn failed(fault: &str, only: &str) -> Ran {
    probity(&format!("check --seed 1 --fault {fault} --only {only}")).exits(1)
}

/// What a run failed in, sent again from another folder.
fn replay(run: &Ran, words: &str) -> Probity {
    probity("replay").arg(run.folder().join("reports")).args(words)
}

/// The same on the server at an address.
fn replay_on(run: &Ran, words: &str, url: &str) -> Probity {
    replay(run, words).args("--config probity.toml").settings(url)
}

/// The requests that a replay sends, behind the one that goes before.
fn resent(server: &Server) -> Vec<Request> {
    server.requests().split_off(1)
}

fn json(ran: &Ran) -> Value {
    serde_json::from_str(&ran.stdout).unwrap_or_else(|e| ran.wrong(&format!("stdout is JSON: {e}")))
}

/// Each requirement and what it came to.
fn states(ran: &Ran) -> Vec<(String, String)> {
    let replayed = json(ran);
    let text = |item: &Value, key: &str| item[key].as_str().expect("text").to_owned();
    let items = replayed["items"].as_array().expect("a list").iter();
    items.map(|item| (text(item, "id"), text(item, "state"))).collect()
}

/// The exchanges that show the first failure of a requirement.
fn evidence(run: &Ran, id: &str) -> Vec<Value> {
    run.requirement(id)["failures"][0]["exchanges"].as_array().expect("a list").clone()
}

fn mark(run: &Ran) -> String {
    run.report()["header"]["run_tag"].as_str().expect("a mark").to_owned()
}

#[test]
fn what_failed_still_fails_until_it_is_mended() {
    let run = failed("value-in-cents", "response/value-in-dollars");
    run.says("to replay the failures: probity replay");
    // The report knows which server it was.
    let again = replay(&run, "").exits(1);
    insta::assert_snapshot!("still_fails", normalised(&again.stdout));
    let broken = reference(&["value-in-cents"]);
    replay_on(&run, "", &broken.url).exits(1).says("✗ still fails").says("1 still fails.");
    let mended = reference(&[]);
    let again = replay_on(&run, "", &mended.url).exits(0);
    insta::assert_snapshot!("no_longer_fails", normalised(&again.stdout));
    again.holds(again.stderr.is_empty(), "nothing is on stderr");
}

#[test]
fn the_requests_are_those_of_the_failure() {
    let run = failed("key-forgotten-after-two-seconds", "idempotency/seconds-later");
    let upstream = reference(&[]);
    let server = Server::http(move |request| forward(&upstream, request));
    let again = replay_on(&run, "--json", &server.url()).exits(0);
    let recorded = evidence(&run, "idempotency/seconds-later");
    let sent = resent(&server);
    again.holds(sent.len() == recorded.len(), "as many requests are sent");
    let today = json(&again)["today"]["run_tag"].as_str().expect("a mark").to_owned();
    for (sent, recorded) in sent.iter().zip(&recorded) {
        let request = &recorded["request"];
        assert_eq!(sent.method, request["method"]);
        assert!(request["url"].as_str().expect("text").ends_with(&sent.target), "{}", sent.target);
        let body = request["body"].as_str().expect("text").replace(&mark(&run), &today);
        assert_eq!(String::from_utf8_lossy(&sent.body), body);
        for header in request["headers"].as_array().expect("a list") {
            let (name, value) = (header[0].as_str().expect("text"), header[1].as_str().expect("text"));
            match name {
                "authorization" => assert_eq!(sent.header(name), Some(&*format!("Bearer {}", reference::TOKENS[0].1))),
                "idempotency-key" => {
                    let key = sent.header(name).expect("a key");
                    assert!(key != value && key.len() == value.len() && key.contains(&today), "{key} for {value}");
                }
                _ => assert_eq!(sent.header(name), Some(value), "{name}"),
            }
        }
    }
    assert_eq!(sent[0].header("idempotency-key"), sent[1].header("idempotency-key"), "one key stays one");
}

#[test]
fn what_a_case_adds_to_a_key_is_sent_as_it_stands() {
    let id = "idempotency/keys-of-every-character";
    let run = failed("key-decoded", id);
    replay(&run, "").exits(1).says("still fails");
    let upstream = reference(&["key-decoded"]);
    let server = Server::http(move |request| forward(&upstream, request));
    replay_on(&run, "", &server.url()).exits(1).says("1 still fails.");
    let sent = resent(&server);
    let keys: Vec<&str> = sent.iter().filter_map(|r| r.header("idempotency-key")).collect();
    let first = keys[0];
    for added in ["A", "%41", "a"] {
        assert!(keys.contains(&&*format!("{first}{added}")), "{added}: {keys:?}");
    }
}

#[test]
fn waits_are_kept() {
    let run = failed("key-forgotten-after-two-seconds", "idempotency/seconds-later");
    replay(&run, "").exits(1).says("still fails");
}

#[test]
fn what_was_sent_at_once_is_sent_at_once() {
    let id = "idempotency/same-key-at-once";
    let run = failed("key-race", id);
    replay(&run, "--times 5").exits(1).says("still fails");
    // Nobody is answered until all eight are there: one after the other they would never be.
    let upstream = reference(&[]);
    let (all_there, seen) = (Barrier::new(8), AtomicUsize::new(0));
    let server = Server::http(move |request| {
        let of_the_burst = request.header("user-agent").is_some_and(|agent| agent.contains("same-key"));
        if of_the_burst && seen.fetch_add(1, Ordering::SeqCst) < 8 {
            all_there.wait();
        }
        forward(&upstream, request)
    });
    replay_on(&run, "", &server.url()).exits(0).says("no longer fails").says("--times 20 tries more often");
    let keys: BTreeSet<_> = resent(&server).iter().map(|r| r.header("idempotency-key").map(str::to_owned)).collect();
    assert_eq!(keys.len(), 1, "{keys:?}");
}

/// A report and its exchanges as they would be, had the run been so long ago.
fn long_ago(run: &Ran, ago: TimeDelta) {
    let instant = regex::Regex::new(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)").expect("a pattern");
    for file in ["report.json", "exchanges.ndjson"] {
        let text = run.read(&format!("reports/{file}"));
        let text = instant.replace_all(&text, |found: &regex::Captures<'_>| {
            // What stands in a case as it is stood there then, too.
            if found[0].starts_with("19") {
                return found[0].to_owned();
            }
            let before = DateTime::parse_from_rfc3339(&found[0]).expect("an instant") - ago;
            let digits = found.get(1).map_or(SecondsFormat::Secs, |f| match f.len() {
                1..=4 => SecondsFormat::Millis,
                _ => SecondsFormat::Micros,
            });
            before.to_rfc3339_opts(digits, found[2].ends_with('Z'))
        });
        std::fs::write(run.folder().join("reports").join(file), text.as_bytes()).expect("a file");
    }
}

#[test]
fn instants_keep_their_distance_from_now() {
    let run =
        probity("check --seed 1 --only close-date/past --only close-date/near-future --fault close-date-past-accepted")
            .exits(1);
    long_ago(&run, TimeDelta::days(200));
    replay(&run, "").exits(1).says("close-date/past");
    let upstream = reference(&[]);
    let server = Server::http(move |request| forward(&upstream, request));
    let again = replay_on(&run, "--whole --json --only close-date/*", &server.url()).run();
    let of = |id: &str| states(&again).into_iter().find(|(i, _)| i == id).map(|(_, state)| state);
    assert_eq!(of("close-date/past").as_deref(), Some("no_longer_fails"), "{}", again.stdout);
    assert_eq!(of("close-date/near-future").as_deref(), Some("holds"), "the future is still the future");
    let now = chrono::Utc::now();
    let minutes = |request: &Request| {
        let body: Value = serde_json::from_slice(&request.body).expect("JSON");
        let date = DateTime::parse_from_rfc3339(body["target_close_date"].as_str()?).expect("an instant");
        Some((date.to_utc() - now).num_seconds())
    };
    let agent = |r: &&Request| r.header("user-agent").is_some_and(|a| a.contains("close-date/past"));
    let sent: Vec<i64> = server.requests().iter().filter(agent).filter_map(minutes).collect();
    let near = |due: i64| sent.iter().any(|s| (s - due).abs() < 120);
    assert!(near(-300) && near(-3600) && near(-25 * 3600), "{sent:?}");
    // What stands in the case as it is stays so.
    let literal = |r: &Request| String::from_utf8_lossy(&r.body).contains("\"1969-12-31T23:59:59Z\"");
    assert!(server.requests().iter().any(literal));
}

#[test]
fn todays_token_is_sent_and_never_told() {
    let fault = reference(&["replay-before-authentication"]);
    let token = |server: reference::Server, token: &'static str| {
        Server::http(move |request| {
            let mut known = request.clone();
            for (name, value) in known.headers.iter_mut().filter(|(n, _)| n.eq_ignore_ascii_case("authorization")) {
                *value = match value.strip_prefix("Bearer ") {
                    Some(rest) if rest.starts_with(token) => value.replace(token, reference::TOKENS[0].1),
                    _ => format!("{name} of yesterday"),
                };
            }
            forward(&server, &known)
        })
    };
    let then = token(fault, "yesterdays-token");
    let only = "check --seed 1 --only idempotency/replay-without-a-token";
    let run = probity(only).settings(&then.url()).env("PROBITY_TOKEN", "yesterdays-token").exits(1);
    for (faults, code) in [(&["replay-before-authentication"][..], 1), (&[], 0)] {
        let now = token(reference(faults), "another-token-today");
        let again = replay_on(&run, "-vv", &now.url()).env("PROBITY_TOKEN", "another-token-today").exits(code);
        let shown: Vec<_> = resent(&now).iter().map(|r| r.header("authorization").map(str::to_owned)).collect();
        let bearer = |t: &str| Some(format!("Bearer another-token-today{t}"));
        assert_eq!(shown, [bearer(""), None, bearer("x")], "what was broken on purpose stays so");
        for text in [&again.stdout, &again.stderr] {
            again.holds(!text.contains("another-token") && !text.contains("yesterdays-token"), "no token is told");
        }
        for (path, bytes) in again.files() {
            let text = String::from_utf8_lossy(&bytes).into_owned();
            again.holds(!text.contains("another-token"), &format!("{} tells no token", path.display()));
        }
    }
    // What the server no longer takes is not what failed.
    let other = token(reference(&[]), "a-third-token");
    let again = replay_on(&run, "", &other.url()).env("PROBITY_TOKEN", "another-token-today").exits(3);
    again.says("the token is missing, wrong or expired").says("1 cannot be decided");
}

#[test]
fn a_refusal_counts_beside_what_is_accepted() {
    let run = failed("close-date-past-accepted", "close-date/in-the-future");
    let mended = reference(&[]);
    replay_on(&run, "", &mended.url).exits(0).says("no longer fails");
    // Who refuses everything shows nothing.
    let refusal = "{\"code\":\"no\",\"message\":\"no\",\"status\":422,\"field\":null}";
    let strict = Server::http(move |_| {
        let now = httpdate::fmt_http_date(std::time::SystemTime::now());
        Answer::json(422, refusal).with("Date", &now)
    });
    let again = replay_on(&run, "", &strict.url()).exits(4);
    again.says("cannot be decided").says("the same request without the fault was also refused, or was not sent");
}

#[test]
fn what_failed_when_it_was_taken_is_refused_now() {
    let run = failed("probability-minus-dropped", "'*'");
    let mended = reference(&[]);
    replay_on(&run, "--only response/probability-as-sent", &mended.url)
        .exits(0)
        .says("no longer fails")
        .says("refused, as it must be: status 422");
}

#[test]
fn what_never_failed_by_itself_is_not_called_mended() {
    // One answer in all is wrong.
    let (upstream, count) = (reference(&[]), AtomicUsize::new(0));
    let once = Server::http(move |request| match forward(&upstream, request) {
        Answer::Whole(201, headers, body) if count.fetch_add(1, Ordering::SeqCst) == 2 => {
            let mut body: Value = serde_json::from_slice(&body).expect("JSON");
            body["name"] = "another".into();
            Answer::Whole(201, headers, body.to_string().into_bytes())
        }
        answer => answer,
    });
    let run = probity("check --seed 1 --only response/name-as-sent").settings(&once.url()).exits(1);
    let again = replay_on(&run, "", &once.url()).exits(4);
    again.says("it held, but sent on its own it also held in the recorded run").says("rerun probity check --seed 1");
}

#[test]
fn what_comes_twice_needs_both() {
    let upstream = reference(&[]);
    let broken = Server::http(move |request| {
        let answer = forward(&upstream, request);
        let Answer::Whole(201, headers, body) = &answer else { return answer };
        let mut body: Value = serde_json::from_slice(body).expect("JSON");
        body["id"] = "op_1".into();
        Answer::Whole(201, headers.clone(), body.to_string().into_bytes())
    });
    let run = probity("check --seed 1 --only response/unique-ids").settings(&broken.url()).exits(1);
    replay_on(&run, "", &broken.url()).exits(1).says("still fails");
    let mended = reference(&[]);
    replay_on(&run, "", &mended.url).exits(0).says("no longer fails").says("3 requests");
}

#[test]
fn what_got_no_answer_is_asked_again() {
    let run = failed("key-lock-kept --timeout 1s", "probes/* --only idempotency/* --only operation/answered");
    let again = replay(&run, "--json --timeout 1s").exits(1);
    assert!(states(&again).iter().all(|(_, state)| state == "still_fails"), "{:?}", states(&again));
    let mended = reference(&[]);
    let again = replay_on(&run, "--json", &mended.url).exits(0);
    assert!(states(&again).iter().all(|(_, state)| state == "no_longer_fails"), "{:?}", states(&again));
}

#[test]
fn what_did_not_fail_can_be_sent_too() {
    let run = failed(
        "value-in-cents",
        "response/value-in-dollars --only idempotency/whole-keys --only probes/negative-value --examples 60",
    );
    let words = "--json --only idempotency/whole-keys --only probes/*";
    let again = replay_on(&run, words, &reference(&[]).url).exits(0);
    let holds = |id: &str| (id.to_owned(), "holds".to_owned());
    let states_of_run: Vec<_> = states(&again).into_iter().filter(|(_, state)| state == "holds").collect();
    assert_eq!(states_of_run, [holds("idempotency/whole-keys"), holds("probes/negative-value")]);
    let broken = reference(&["key-cut-at-32"]);
    let again = replay_on(&run, "--only idempotency/whole-keys", &broken.url).exits(1);
    again.says("fails now").says("recorded pass");
    // All that a failure's requirement was judged on.
    let whole = replay(&run, "--whole --json").exits(1);
    let sent = |ran: &Ran| json(ran)["figures"]["requests"].as_u64().expect("a number");
    assert!(sent(&whole) > sent(&replay(&run, "--json").exits(1)) + 3, "{}", sent(&whole));
}

#[test]
fn what_is_lent_may_be_something_else() {
    let run = failed("value-in-cents", "response/value-in-dollars --only pipeline/stage-of-another-pipeline");
    let mended = reference(&[]);
    let settings = reference::settings_toml(&mended.url);
    let others = settings.replace("\"st_h3Ty\"", "\"st_other\"").replace("\"st_t5Bm\"", "\"st_another\"");
    let again =
        replay(&run, "--only 'pipeline/*' --config probity.toml").file("probity.toml", others).tokens().exits(4);
    again.says("the fixtures have no").never_says("fails now");
}

#[test]
fn the_parts_of_a_run_that_was_split() {
    let part =
        |n: u32| probity(&format!("check --seed 1 --shard {n}/2 --fault key-ignored --only idempotency/*")).run();
    let parts = [part(1), part(2)];
    let run = probity("merge").arg(parts[0].folder().join("reports")).arg(parts[1].folder().join("reports")).exits(1);
    let still = replay(&run, "--json").exits(1);
    assert!(states(&still).len() > 5 && states(&still).iter().all(|(_, s)| s == "still_fails"), "{:?}", states(&still));
    let mended = reference(&[]);
    let gone = replay_on(&run, "--json", &mended.url).exits(0);
    assert!(states(&gone).iter().all(|(_, s)| s == "no_longer_fails"), "{:?}", states(&gone));
}

#[test]
fn what_is_created_is_listed_and_removed() {
    let run = failed("value-in-cents", "response/value-in-dollars");
    let upstream = reference(&[]);
    let server = Server::http(move |request| match request.method.as_str() {
        "DELETE" => Answer::empty(204),
        _ => forward(&upstream, request),
    });
    let cleaning = "\n[cleanup]\npath = \"/v1/households/{household_id}/opportunities/{id}\"\n";
    let settings = format!("{}{cleaning}", reference::settings_toml(&server.url()));
    let again = replay(&run, "--config probity.toml").file("probity.toml", &settings).tokens().exits(0);
    again.says("2 records created").says("clean-up: 2 records removed, 0 left");
    let lines = again.read("reports/created.ndjson");
    again.holds(lines.matches("\"created\"").count() == 2 && lines.matches("\"removed\"").count() == 2, &lines);
    let kept = replay(&run, "--no-cleanup --config probity.toml").file("probity.toml", &settings).tokens().exits(0);
    kept.never_says("clean-up");
    kept.holds(!kept.read("reports/created.ndjson").contains("removed"), "all of it is still listed");
}

#[test]
fn what_is_not_sent_is_not_told() {
    let run = failed("value-in-cents", "response/value-in-dollars");
    replay(&run, "--max-requests 1")
        .exits(4)
        .says("cannot be decided")
        .says("the budget of 1 request (--max-requests)");
    replay_on(&run, "", &crate::support::server::nowhere()).exits(3).says("the target cannot be reached");
    let settings = reference::settings_toml("https://api.slantcrm.com");
    let production = replay(&run, "--config probity.toml").file("probity.toml", settings).tokens().run();
    production.holds(production.code == Some(2) || production.code == Some(3), "production is not written to");
    // More than is recorded of a body cannot be sent.
    let run = failed("malformed-body-breaks", "robustness/deep-nesting");
    replay(&run, "").exits(4).says("only the first 16384 of the 20030 bytes of its body were recorded");
    // A caller that there is not here.
    let run = failed("key-shared-by-users", "idempotency/key-of-another-user --deny should");
    let mended = reference(&[]);
    let alone = replay(&run, "--fixture household_id=hh_p2Kd71 --target").arg(&mended.url).tokens().exits(4);
    alone.says("missing identity `colleague`: add [identities.colleague]");
}

#[test]
fn what_cannot_be_used_is_an_error() {
    let run = failed("value-in-cents", "response/value-in-dollars");
    replay(&run, "--only idempotency/no-key")
        .exits(2)
        .complains("the recorded run did not include `idempotency/no-key`");
    replay(&run, "--only response/value-in-dolars").exits(2).complains("did you mean `response/value-in-dollars`?");
    probity("replay response/value-in-dollars").exits(2).complains("--only response/value-in-dollars");
    probity("replay").exits(2).complains("cannot read reports/report.json");
    let copy = crate::support::contract::Copy::new().append("response.yaml", "# Changed.\n");
    let changed = || replay(&run, "--contract").arg(copy.path());
    changed().exits(2).complains("the contract is not the one of the report").complains("--any-contract");
    changed().arg("--any-contract").exits(1).says("still fails");
    let alone = probity("replay report.json").file("report.json", run.read("reports/report.json"));
    alone.exits(2).complains("cannot read exchanges.ndjson").complains("keep both");
    let exchanges = run.read("reports/exchanges.ndjson");
    #[track_caller]
    fn cut(report: &str, exchanges: &str) -> Ran {
        probity("replay .").file("report.json", report).file("exchanges.ndjson", exchanges).exits(2)
    }
    let line = exchanges[..exchanges.len() / 2].rfind('\n').expect("several lines");
    cut(&run.read("reports/report.json"), &exchanges[..line + 100]).complains("is not an exchange");
    let report = run.read("reports/report.json");
    cut(&report[..report.len() / 2], &exchanges).complains("is not a report of probity");
    let other = failed("value-in-cents", "response/value-in-dollars").read("reports/exchanges.ndjson");
    cut(&report, &other).complains("exchanges.ndjson and the report next to it are of different runs");
    let green = probity("check --seed 1 --only request/name-alone").exits(0);
    replay(&green, "").exits(0).says("nothing failed in").says("there is nothing to send again");
}

/// A report with other words in the place of how its run was told to find the target.
fn with_command(run: &Ran, command: &str) -> Probity {
    let mut report = run.report();
    report["header"]["target"] = "https://elsewhere.invalid/".into();
    report["header"]["command"] = command.into();
    let exchanges = run.read("reports/exchanges.ndjson");
    let again = probity("replay reports").env("PROBITY_TOKEN", "today-s-token");
    again.file("reports/report.json", report.to_string()).file("reports/exchanges.ndjson", exchanges)
}

#[test]
fn a_report_does_not_say_where_the_token_goes() {
    let run = failed("value-in-cents", "response/value-in-dollars");
    let proxy = Server::http(|_| Answer::empty(502));
    let again = with_command(&run, "probity check --target https://elsewhere.invalid --fixture household_id=x");
    again.env("HTTPS_PROXY", proxy.url()).exits(2).complains("https://elsewhere.invalid").complains("--target");
    // Nor do settings that come with it.
    let toml = "[target]\nurl = \"https://elsewhere.invalid\"\n[fixtures]\nhousehold_id = \"x\"\n";
    let again = with_command(&run, "probity check --config reports/theirs.toml").file("reports/theirs.toml", toml);
    again.env("HTTPS_PROXY", proxy.url()).exits(2).complains("there are no settings here");
    assert_eq!(proxy.connections(), 0);
}

#[test]
fn a_target_is_named_in_the_command_that_is_printed() {
    let server = reference(&["value-in-cents"]);
    let words = format!("--target {} --fixture household_id=hh_p2Kd71", server.url);
    let run = probity(&format!("check --seed 1 --only response/value-in-dollars {words}")).tokens().exits(1);
    let printed = run.stdout.lines().find_map(|line| line.strip_prefix("to replay the failures: probity "));
    let printed = printed.unwrap_or_else(|| run.wrong("it prints how to send it again")).replace('\'', "");
    run.holds(printed == format!("replay {words}"), &printed);
    probity(&printed).tokens().within(run.folder()).exits(1).says("still fails");
}

#[test]
fn nothing_but_the_operation_is_asked_for() {
    let run = failed("value-in-cents", "response/value-in-dollars");
    for file in ["report.json", "exchanges.ndjson"] {
        let text = run.read(&format!("reports/{file}")).replace("/v1/households/", "/v1/administrators/");
        let text = text.replace("\"method\":\"POST\"", "\"method\":\"DELETE\"");
        let text = text.replace("\"method\": \"POST\"", "\"method\": \"DELETE\"");
        std::fs::write(run.folder().join("reports").join(file), text).expect("a file");
    }
    let upstream = reference(&[]);
    let server = Server::http(move |request| forward(&upstream, request));
    replay_on(&run, "--whole", &server.url()).exits(0);
    let asked: BTreeSet<_> = server.requests().into_iter().map(|r| (r.method, r.target)).collect();
    let is_operation = |(method, target): &(String, String)| method == "POST" && target.starts_with("/v1/households/");
    assert!(asked.len() > 1 && asked.iter().all(is_operation), "{asked:?}");
}

#[test]
fn credentials_that_were_not_recorded_cannot_be_shown() {
    let run = failed("value-in-cents", "response/value-in-dollars");
    // As they stand where someone else's recording was judged.
    for file in ["report.json", "exchanges.ndjson"] {
        let text = run.read(&format!("reports/{file}")).replace("Bearer ${PROBITY_TOKEN}", "Bearer (hidden)");
        let text = text.replace("Bearer ${PROBITY_TOKEN_COLLEAGUE}", "Bearer (hidden)");
        let text = text.replace(r#""credentials":"own""#, r#""credentials":{"text":"Bearer (hidden)"}"#);
        std::fs::write(run.folder().join("reports").join(file), text).expect("a file");
    }
    let upstream = reference(&["value-in-cents"]);
    let server = Server::http(move |request| forward(&upstream, request));
    let again = replay_on(&run, "", &server.url()).exits(4);
    again
        .says("its credentials were not those of an identity, and were not recorded")
        .holds(resent(&server).is_empty(), "nothing is sent in their place");
}
