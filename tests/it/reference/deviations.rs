//! That each deviation shows: under requests made for its area, a server with it answers otherwise than one without.

use super::bench::{Bench, CLIENT, PROSPECT, client, together};
use super::requests::{Sent, Step, full, steps};
use probity::reference::{Fault, Options, Variation};
use reqwest::header::CONTENT_TYPE;
use reqwest::redirect::Policy;
use reqwest::{Client, StatusCode};
use serde_json::Value;
use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// What can be seen of the answers of one server: everything, with ids and times made comparable.
#[derive(Default)]
struct Sight {
    lines: Vec<String>,
    /// In the order in which they appear, with the times that stood beside them.
    ids: HashMap<String, (usize, String)>,
}

/// An answer, or what came in its place.
struct Seen {
    id: Option<String>,
    times: String,
    text: String,
}

impl Sight {
    async fn of(options: Options, area: &str) -> Self {
        let bench = Bench::with(options);
        let client = client()
            .http1_title_case_headers()
            .no_gzip()
            .redirect(Policy::none())
            .timeout(Duration::from_millis(700))
            .build()
            .expect("a client");
        let mut sight = Sight::default();
        for step in steps(area) {
            match step {
                Step::One(sent) => sight.add(exchange(&bench, &client, &sent).await),
                Step::Crowd(all) => {
                    let mut crowd = together(all.iter().map(|sent| exchange(&bench, &client, sent)).collect()).await;
                    crowd.sort_by(|left, right| left.text.cmp(&right.text));
                    crowd.into_iter().for_each(|seen| sight.add(seen));
                }
                Step::Wait(time) => tokio::time::sleep(time).await,
            }
        }
        sight
    }

    fn add(&mut self, seen: Seen) {
        let Some(id) = seen.id else { return self.lines.push(seen.text) };
        let length = id.len();
        let next = self.ids.len();
        let (number, times) = self.ids.entry(id).or_insert((next, seen.times.clone()));
        let again = if *times == seen.times { "" } else { " with other times" };
        self.lines.push(format!("{} #{number}{again} ({length})", seen.text));
    }
}

/// One exchange.
async fn exchange(bench: &Bench, client: &Client, sent: &Sent) -> Seen {
    let mut request = client.post(format!("{}/v1/households/{}/opportunities", bench.server.url, sent.household));
    let headers = [
        ("authorization", sent.authorization.as_deref()),
        ("content-type", sent.media_type),
        ("idempotency-key", sent.key.as_deref()),
        ("accept-encoding", Some("gzip")),
    ];
    for (name, value) in headers {
        if let Some(value) = value {
            request = request.header(name, value);
        }
    }
    let text = |text: String| Seen { id: None, times: String::new(), text };
    match request.body(sent.body.clone()).send().await {
        Err(error) if error.is_timeout() => text("timeout".to_owned()),
        Err(_) => text("closed".to_owned()),
        Ok(response) => {
            let (version, status) = (response.version(), response.status());
            let headers = visible(response.headers());
            let body =
                response.bytes().await.map_or("cut".to_owned(), |body| String::from_utf8_lossy(&body).into_owned());
            let (id, body) = without_id(body);
            // Of several that arrive at once with one key, chance decides which is first.
            let body = (0..10).fold(body, |body, n| body.replace(&format!("\"other {n}\""), "\"other\""));
            let (times, body) = near_times(&body);
            Seen { id, times, text: format!("{} {version:?} {headers:?} {body}", status.as_u16()) }
        }
    }
}

/// Takes the id of a record, or of a request, out of an answer.
fn without_id(body: String) -> (Option<String>, String) {
    match body.split_once("\"op_") {
        Some((before, rest)) => {
            let (id, after) = rest.split_once('"').unwrap_or((rest, ""));
            (Some(id.to_owned()), format!("{before}\"#\"{after}"))
        }
        None => (None, body),
    }
}

fn visible(headers: &reqwest::header::HeaderMap) -> BTreeMap<String, String> {
    let mut visible = BTreeMap::new();
    for (name, value) in headers {
        let value = value.to_str().unwrap_or("?");
        let value = match name.as_str() {
            "content-length" => continue,
            "date" => near(&chrono::DateTime::parse_from_rfc2822(value).expect("an HTTP date").to_rfc3339()),
            _ => value.to_owned(),
        };
        visible.insert(name.to_string(), value);
    }
    visible
}

/// The times of a body that lie about now, and the body with only their spelling left of them.
fn near_times(body: &str) -> (String, String) {
    let mut times = String::new();
    let parts: Vec<String> = body
        .split('"')
        .map(|part| {
            let near = near(part);
            if near != part {
                times.push_str(part);
            }
            near
        })
        .collect();
    (times, parts.join("\""))
}

/// How a time is spelled, and about how far it is from now.
fn near(text: &str) -> String {
    let Ok(time) = chrono::DateTime::parse_from_rfc3339(text) else { return text.to_owned() };
    let minutes = (time.to_utc() - chrono::Utc::now() + chrono::TimeDelta::seconds(30)).num_minutes();
    if minutes.abs() > 60 * 24 * 500 {
        return text.to_owned();
    }
    let digits = text.split_once('.').map_or(0, |(_, rest)| rest.bytes().take_while(u8::is_ascii_digit).count());
    let zone = text.get(19..).and_then(|rest| rest.find(['+', '-'])).map_or("Z", |at| &text[19 + at..]);
    format!("now{:+} .{digits} {zone}", if minutes.abs() < 3 { minutes } else { minutes / 5 * 5 })
}

/// Runs all sights, so many at once.
async fn sights(options: Vec<(String, Options, &'static str)>) -> Vec<(String, &'static str, Vec<String>)> {
    let queue = Arc::new(Mutex::new(options));
    let done = Arc::new(Mutex::new(Vec::new()));
    let workers = (0..8).map(|_| {
        let (queue, done) = (Arc::clone(&queue), Arc::clone(&done));
        tokio::spawn(async move {
            loop {
                let next = queue.lock().expect("a queue").pop();
                let Some((name, options, area)) = next else { return };
                let sight = Sight::of(options, area).await;
                done.lock().expect("a list").push((name, area, sight.lines));
            }
        })
    });
    for worker in workers.collect::<Vec<_>>() {
        worker.await.expect("a sight");
    }
    std::mem::take(&mut *done.lock().expect("a list"))
}

/// The names of those that answer as a server without deviations does.
async fn unseen(deviating: Vec<(String, Options, &'static str)>) -> Vec<String> {
    let mut areas: Vec<&'static str> = deviating.iter().map(|(_, _, area)| *area).collect();
    areas.sort_unstable();
    areas.dedup();
    let sound: HashMap<&str, Vec<String>> =
        sights(areas.into_iter().map(|area| (String::new(), Options::default(), area)).collect())
            .await
            .into_iter()
            .map(|(_, area, lines)| (area, lines))
            .collect();
    let mut unseen: Vec<String> = sights(deviating)
        .await
        .into_iter()
        .filter(|(_, area, lines)| sound[area] == *lines)
        .map(|(name, _, _)| name)
        .collect();
    unseen.sort();
    unseen
}

#[tokio::test]
async fn a_sound_server_answers_alike_twice() {
    for area in ["request", "close-date", "references", "robustness", "idempotency", "state"] {
        let once = Sight::of(Options::default(), area).await;
        let mut twice = Sight::of(Options::default(), area).await;
        for _ in 0..3 {
            // On a machine that is busy with something else, what is sent at once may not arrive so.
            if once.lines != twice.lines {
                twice = Sight::of(Options::default(), area).await;
            }
        }
        assert_eq!(once.lines, twice.lines);
        assert!(once.lines.iter().all(|line| !line.starts_with('5') && line != "timeout" && line != "closed"));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_fault_shows() {
    // What becomes of a record later is not in the answers to creations.
    let deviating = Fault::ALL
        .iter()
        .filter(|fault| !fault.is_later())
        .map(|&fault| (fault.name().to_owned(), Options { faults: vec![fault], ..Options::default() }, fault.area()));
    assert_eq!(unseen(deviating.collect()).await, Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_variation_shows() {
    // Delays, closed connections and pieces are not in the lines; crowds of one key are answered at once here.
    // Whether a limit of the rate shows depends on how fast the machine is.
    let quiet = [
        Variation::Latency,
        Variation::Jitter,
        Variation::KeysLiveAMinute,
        Variation::IdleConnectionsClosed,
        Variation::RateLimited,
        Variation::RateLimitedByDate,
        Variation::RateLimitedWithoutTime,
    ];
    let deviating = Variation::ALL.iter().filter(|variation| !quiet.contains(variation)).map(|&variation| {
        (variation.name().to_owned(), Options { variations: vec![variation], ..Options::default() }, variation.area())
    });
    assert_eq!(unseen(deviating.collect()).await, Vec::<String>::new());
}

#[tokio::test]
async fn a_server_with_any_variation_creates_records() {
    for &variation in Variation::ALL {
        let bench = Bench::free(variation);
        for household in [PROSPECT, CLIENT] {
            let request = bench.request(household).bearer_auth(bench.token);
            let response =
                request.header(CONTENT_TYPE, "application/json").body(full().to_string()).send().await.unwrap();
            let status = response.status();
            if household == CLIENT && variation == Variation::OtherTypesRefused {
                assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
                continue;
            }
            assert!(status == StatusCode::CREATED || status == StatusCode::OK, "{variation}: {status}");
            let answer: Value = serde_json::from_slice(&response.bytes().await.unwrap()).unwrap();
            assert_eq!(answer["name"], "everything");
            assert_eq!(answer["value"], 5000);
            assert_eq!(answer["pipeline_stage"]["id"], "st_c2Vx");
        }
    }
}

#[tokio::test]
async fn variations_go_together() {
    let bench = Bench::with(Options { variations: Variation::ALL.to_vec(), ..Options::default() });
    let response = bench.post(&serde_json::json!({"name": "a"})).await;
    assert_eq!(response.status(), StatusCode::OK);
}
