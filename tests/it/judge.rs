//! Recorded traffic, judged without sending.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::support::{Probity, Ran, creating, probity};

/// The verdicts of the requirements that are judged on whatever is sent.
fn fed(ran: &Ran) -> BTreeMap<String, String> {
    let report = ran.report();
    let all = report["requirements"].as_array().expect("a list").iter();
    let fed = all.filter(|r| ["rule", "always"].contains(&r["form"].as_str().unwrap_or_default()));
    let text = |r: &Value, key: &str| r[key].as_str().expect("text").to_owned();
    fed.map(|r| (text(r, "id"), text(r, "verdict"))).collect()
}

fn judge(ran: &Ran) -> Probity {
    probity("judge recording.har").file("recording.har", ran.read("reports/exchanges.har"))
}

#[test]
fn our_own_recording_gives_the_verdicts_of_the_run() {
    for (deviation, code) in [
        ("", 0),
        ("--fault value-in-cents", 1),
        ("--fault very-long-name-breaks --fault name-missing", 1),
        ("--variation created-200 --variation times-absent", 0),
    ] {
        let run = probity(&format!("check --seed 1 --report har {deviation}")).exits(code);
        let judged = judge(&run).exits(code);
        assert_eq!(fed(&judged), fed(&run), "{deviation}");
        assert_eq!(judged.exchanges().len(), run.exchanges().len(), "{deviation}");
        let untested = judged.ids("untested");
        judged
            .holds(untested.iter().any(|id| id.starts_with("idempotency/")), "what needs its own requests is untested");
        // And once more, from what that wrote.
        let again = probity("report --format har").arg(judged.folder().join("reports")).exits(0);
        let twice = probity("judge twice.har").file("twice.har", again.stdout).exits(code);
        assert_eq!(fed(&twice), fed(&run), "{deviation}");
    }
}

#[test]
fn constraints_are_judged_too() {
    let run = probity("check --seed 1 --report har --only 'close-date/*' --fault close-date-past-accepted").exits(1);
    let judged = judge(&run).exits(1);
    let constraints = |ran: &Ran| -> Vec<String> {
        let of = |id: &String| ran.requirement(id)["form"] == "constraint";
        ran.ids("fail").into_iter().filter(of).collect()
    };
    assert_eq!(constraints(&judged), constraints(&run));
    judged.holds(!constraints(&judged).is_empty(), "a constraint failed");
}

#[test]
fn newer_cases_judge_an_old_recording() {
    let run = probity("check --seed 1 --report har --only 'response/*'").exits(0);
    let copy = crate::support::contract::Copy::new().write(
        "added.yaml",
        "- id: no-value-above\n  level: must\n  text: No value is above ten dollars.\n  source: nowhere\n  \
         expect: '!has(response.body.value) || response.body.value == null || response.body.value <= 10'\n",
    );
    let judged = judge(&run).arg("--contract").arg(copy.path()).exits(1);
    judged.verdict("added/no-value-above", "fail").says("Not conformant");
    let rerun = judged.requirement("added/no-value-above")["failures"][0]["rerun"].clone();
    assert_eq!(rerun, "probity judge recording.har --only added/no-value-above");
}

/// What a browser would have recorded.
fn browsed(body: &Value, status: u16, answer: &Value, headers: &[(&str, &str)]) -> Value {
    let header = |(name, value): &(&str, &str)| json!({"name": name, "value": value});
    let mut sent =
        vec![("Content-Type", "application/json"), ("User-Agent", "Mozilla/5.0"), ("sec-fetch-mode", "cors")];
    sent.extend(headers);
    json!({
        "startedDateTime": "2031-02-03T04:05:06.789Z", "time": 12.5,
        "request": {
            "method": "POST", "url": "https://app.example.com/api/v1/households/hh_p2Kd71/opportunities?x",
            "httpVersion": "h2", "cookies": [], "queryString": [], "headersSize": -1, "bodySize": -1,
            "headers": sent.iter().map(header).collect::<Vec<_>>(),
            "postData": {"mimeType": "application/json", "text": body.to_string()},
        },
        "response": {
            "status": status, "statusText": "", "httpVersion": "h2", "cookies": [], "redirectURL": "",
            "headers": [{"name": "Content-Type", "value": "application/json"}],
            "headersSize": -1, "bodySize": -1,
            "content": {"size": 1, "mimeType": "application/json", "text": answer.to_string()},
        },
        "cache": {}, "timings": {"send": 0, "wait": 1, "receive": 0},
    })
}

fn har(entries: &[Value]) -> String {
    json!({"log": {"version": "1.2", "creator": {"name": "a browser", "version": "1"}, "entries": entries}}).to_string()
}

#[test]
fn a_browsers_recording_is_judged_with_care() {
    let settings = probity::reference::settings_toml("https://app.example.com/api");
    let judge = |entries: &[Value]| {
        probity("judge session.har").file("session.har", har(entries)).file("probity.toml", &settings)
    };
    let token = ("Authorization", "Bearer ${PROBITY_TOKEN}");
    let page = json!({
        "startedDateTime": "2031-02-03T04:05:06Z", "time": 1,
        "request": {"method": "GET", "url": "https://app.example.com/", "headers": []},
        "response": {"status": 200, "headers": [], "content": {"size": 0, "mimeType": ""}},
    });
    // A 5xx speaks against the server whoever asks.
    let broken = browsed(&json!({"name": "a"}), 500, &json!({}), &[]);
    let ran = judge(&[page.clone(), broken]).exits(1);
    assert_eq!(ran.ids("fail"), ["operation/no-server-error"]);
    ran.complains("1 exchanges of other operations were ignored");
    // A refusal does not: the sender is not known, and what else was asked is the client's business.
    let refused = json!({"code": "x", "message": "m", "status": 422, "field": null});
    for headers in [vec![], vec![("X-Odd", "1"), token]] {
        let ran = judge(&[browsed(&json!({"name": "a"}), 422, &refused, &headers)]).run();
        assert_eq!(ran.ids("fail"), [""; 0]);
    }
    // An answer that is not what was asked for does.
    let answer = json!({"id": "op_1", "name": "b"});
    let ran = judge(&[browsed(&json!({"name": "a"}), 201, &answer, &[token])]).exits(1);
    ran.verdict("response/name-as-sent", "fail");
    // The second use of a key is no fresh request.
    let key = ("Idempotency-Key", "k");
    let mut second = browsed(&json!({"name": "a"}), 201, &answer, &[key, token]);
    second["startedDateTime"] = json!("2031-02-03T04:06:06Z");
    let good = browsed(&json!({"name": "b"}), 201, &answer, &[key, token]);
    let ran = judge(&[good, second]).run();
    ran.verdict("response/name-as-sent", "pass");
}

#[test]
fn what_browsers_send_whatever_is_asked_for_excuses_nothing() {
    let schema = "{ type: object, properties: { size: { type: integer, maximum: 100 } } }";
    let document = creating("application/json", schema);
    let judge = |query: &str, header: (&str, &str)| {
        let mut entry = browsed(&json!({"size": 101}), 201, &json!({}), &[header]);
        let url = format!("https://app.example.com/api/things{query}");
        entry["request"]["url"] = json!(url);
        probity("judge session.har --document things.yaml --operation createThing --target https://app.example.com/api")
            .file("session.har", har(&[entry]))
            .file("things.yaml", &document)
            .run()
    };
    let usual = ("DNT", "1");
    for (query, header) in [
        ("", usual),
        ("", ("Cookie", "session=aVerySecretCookie")),
        ("", ("Authorization", "Bearer aVerySecretToken")),
        ("", ("X-Requested-With", "XMLHttpRequest")),
        ("?_=1712345678901", usual),
    ] {
        let ran = judge(query, header);
        assert_eq!(ran.ids("fail").len(), 1, "{query} {header:?}");
        ran.says("size-maximum").says("/api/things").never_says("/api/api/").never_says("aVerySecret");
        assert_eq!(ran.code, Some(1));
        for (path, bytes) in ran.files() {
            let is_input = path.ends_with("session.har");
            assert!(is_input || !String::from_utf8_lossy(&bytes).contains("aVerySecret"), "{}", path.display());
        }
    }
    // What else the client asks for may change what becomes of the rest.
    for (query, header) in [("?dry_run=true", usual), ("", ("X-Dry-Run", "1"))] {
        assert_eq!(judge(query, header).ids("fail"), [""; 0], "{query} {header:?}");
    }
}

#[test]
fn a_form_may_be_recorded_by_its_fields() {
    let schema = "{ type: object, properties: { size: { type: integer, maximum: 100 }, name: { type: string } } }";
    let document = creating("application/x-www-form-urlencoded", schema);
    let judge = |size: &str| {
        let mut entry = browsed(&json!({}), 201, &json!({}), &[]);
        entry["request"]["url"] = json!("https://app.example.com/things");
        entry["request"]["headers"] = json!([{"name": "Content-Type", "value": "application/x-www-form-urlencoded"}]);
        let params = json!([{"name": "size", "value": size}, {"name": "name", "value": "a & b"}]);
        entry["request"]["postData"] = json!({"mimeType": "application/x-www-form-urlencoded", "params": params});
        probity("judge form.har --document things.yaml --operation createThing --target https://app.example.com")
            .file("form.har", har(&[entry]))
            .file("things.yaml", &document)
            .run()
    };
    assert_eq!(judge("101").ids("fail").len(), 1);
    assert_eq!(judge("100").ids("fail"), [""; 0]);
}

/// A recording of a run, changed.
fn changed(ran: &Ran, change: impl Fn(&mut Value)) -> String {
    let mut har: Value = serde_json::from_str(&ran.read("reports/exchanges.har")).expect("JSON");
    har["log"]["entries"].as_array_mut().expect("a list").iter_mut().for_each(change);
    har.to_string()
}

#[test]
fn what_tools_do_not_know_may_be_missing() {
    let run = probity("check --seed 1 --report har --only 'response/*' --fault value-in-cents").exits(1);
    let due = fed(&judge(&run).exits(1));
    let judged = |text: String| fed(&probity("judge odd.har").file("odd.har", text).exits(1));
    assert_eq!(judged(changed(&run, |e| e["time"] = Value::Null)), due);
    let size = |e: &mut Value| e["response"]["content"]["size"] = e["response"]["content"]["size"].to_string().into();
    assert_eq!(judged(changed(&run, size)), due);
    let no_headers = |e: &mut Value| _ = e["response"].as_object_mut().expect("a map").remove("headers");
    probity("judge odd.har").file("odd.har", changed(&run, no_headers)).exits(1);
}

#[test]
fn entries_that_cannot_be_read_are_counted_and_the_others_judged() {
    let run = probity("check --seed 1 --report har --only 'response/*' --fault value-in-cents").exits(1);
    let mut har: Value = serde_json::from_str(&run.read("reports/exchanges.har")).expect("JSON");
    let entries = har["log"]["entries"].as_array_mut().expect("a list");
    let whole = entries.len();
    entries.insert(1, json!({"request": {"method": 7}}));
    entries.insert(3, json!("none"));
    let ran = probity("judge odd.har").file("odd.har", har.to_string()).exits(1);
    ran.complains("2 entries of odd.har cannot be read and were skipped").complains("log.entries[1]");
    assert_eq!(ran.exchanges().len(), whole);
}

#[test]
fn a_recording_in_utf_16_is_read() {
    let run = probity("check --seed 1 --report har --only 'response/*' --fault value-in-cents").exits(1);
    let due = fed(&judge(&run).exits(1));
    let units: Vec<u16> = run.read("reports/exchanges.har").encode_utf16().collect();
    for (mark, bytes) in [([0xff, 0xfe], u16::to_le_bytes as fn(u16) -> [u8; 2]), ([0xfe, 0xff], u16::to_be_bytes)] {
        let text: Vec<u8> = mark.into_iter().chain(units.iter().flat_map(|unit| bytes(*unit))).collect();
        assert_eq!(fed(&probity("judge wide.har").file("wide.har", &text).exits(1)), due);
        let half = probity("judge half.har").file("half.har", &text[..text.len() - 1]).exits(2);
        half.complains("UTF-16");
    }
    probity("judge latin.har").file("latin.har", b"{\"log\": \"\xe9\"}").exits(2).complains("UTF-8");
}

#[test]
fn recordings_that_cannot_be_judged_are_errors() {
    probity("judge gone.har").exits(2).complains("cannot read gone.har");
    let wrong = |text: &str| probity("judge wrong.har").file("wrong.har", text).exits(2);
    wrong("[").complains("wrong.har is not a HAR file");
    wrong("{\"log\": {\"entries\": [{\"time\": 1}]}}").complains("log.entries[0]");
    wrong(&har(&[])).complains("has no exchange of POST /v1/households/{household_id}/opportunities");
    probity("judge x.har --fault value-in-cents").exits(2).complains("sends nothing");
}
