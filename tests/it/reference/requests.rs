//! The requests under which deviations show, by the area of the deviation.

use super::bench::{CLIENT, COLLEAGUE, FOREIGN, PROSPECT, from_now};
use probity::reference::TOKENS;
use serde_json::{Value, json};
use std::time::Duration;

/// One request.
#[derive(Clone)]
pub struct Sent {
    pub authorization: Option<String>,
    pub household: String,
    pub media_type: Option<&'static str>,
    pub key: Option<String>,
    pub body: Vec<u8>,
}

/// What is done with the server.
pub enum Step {
    One(Sent),
    /// All at once.
    Crowd(Vec<Sent>),
    Wait(Duration),
}

impl Sent {
    pub fn raw(body: impl Into<Vec<u8>>) -> Self {
        Sent {
            authorization: Some(format!("Bearer {}", TOKENS[0].1)),
            household: PROSPECT.to_owned(),
            media_type: Some("application/json"),
            key: None,
            body: body.into(),
        }
    }

    pub fn json(body: Value) -> Self {
        Self::raw(body.to_string())
    }

    fn named() -> Self {
        Self::json(json!({"name": "plain"}))
    }

    fn key(self, key: impl Into<String>) -> Self {
        Sent { key: Some(key.into()), ..self }
    }

    fn at(self, household: impl Into<String>) -> Self {
        Sent { household: household.into(), ..self }
    }

    fn authorized(self, authorization: impl Into<String>) -> Self {
        Sent { authorization: Some(authorization.into()), ..self }
    }

    fn by_colleague(self) -> Self {
        self.authorized(format!("Bearer {}", TOKENS[1].1))
    }
}

/// A valid body with one property more.
fn with(key: &str, value: Value) -> Sent {
    Sent::json(json!({"name": "with", key: value}))
}

pub fn full() -> Value {
    json!({
        "name": "everything",
        "value": 500_000,
        "probability": 75,
        "target_close_date": "2031-06-15T10:30:40Z",
        "pipeline_id": "pl_w9Hk",
        "pipeline_stage_id": "st_c2Vx",
        "owner_id": COLLEAGUE,
    })
}

/// The steps under which all deviations of an area show.
pub fn steps(area: &str) -> Vec<Step> {
    let ones = match area {
        "request" | "requests" => [names(), amounts(), robustness(), households()].concat(),
        "close-date" => close_dates(),
        "references" | "defaults" => references(),
        "echo" | "answers" => [names(), amounts(), close_dates()].concat(),
        "authentication" => authentication(),
        "household" => households(),
        "combined" => combined(),
        "robustness" => robustness(),
        "errors" | "refusals" | "order" => [households(), authentication(), references(), robustness()].concat(),
        "idempotency" => return idempotency(),
        "state" => return state(),
        _ => (0..100).map(|_| Sent::named()).collect(),
    };
    let basics = [
        Sent::json(full()),
        Sent::named(),
        Sent::named().at(CLIENT),
        Sent::named().by_colleague(),
        Sent::json(json!({})),
    ];
    basics.into_iter().chain(ones).map(Step::One).collect()
}

fn names() -> Vec<Sent> {
    let named = |name: &str| Sent::json(json!({ "name": name }));
    let mut all: Vec<Sent> = [
        json!(null),
        json!(7),
        json!(true),
        json!([]),
        json!({"a": 1}),
        json!(""),
        json!("  "),
        json!(" a  b "),
        json!("\u{1f600}"),
        json!("\u{e9}\u{4e16}"),
        json!("a\u{1}b"),
        json!("e\u{301}"),
        json!("0"),
        json!("007"),
        json!("2031-01-01"),
        json!("n".repeat(300)),
        json!("n".repeat(4_500)),
        json!("<b>O'Neil</b> \\ & \"q\""),
    ]
    .into_iter()
    .map(|name| Sent::json(json!({ "name": name })))
    .collect();
    all.extend([named(&"n".repeat(70)), named(&"n".repeat(201)), named(&"n".repeat(100_000))]);
    all
}

fn amounts() -> Vec<Sent> {
    let values = [
        json!(0),
        json!(1),
        json!(12_345),
        json!(12_350),
        json!(-12_345),
        json!("100"),
        json!(1.5),
        json!(100.0),
        json!(true),
        json!({}),
        json!([]),
        json!(5_000_000_000_i64),
        json!(4_000_000_000_001_i64),
        json!(1_i64 << 60),
    ];
    let probabilities = [
        json!(0),
        json!(1),
        json!(29),
        json!(33),
        json!(100),
        json!(101),
        json!(-1),
        json!(300),
        json!("50"),
        json!(50.4),
        json!(true),
        json!([]),
        json!({}),
    ];
    let mut all: Vec<Sent> = values.map(|value| with("value", value)).into();
    all.extend(probabilities.map(|probability| with("probability", probability)));
    all.push(Sent::json(json!({"name": "a", "value": 1, "probability": 1})));
    all.push(Sent::raw(r#"{"name":"a","probability":18446744073709551626}"#));
    all.push(Sent::raw(r#"{"name":"a","probability":1e400}"#));
    all.push(with("value", json!(null)));
    all.push(with("pipeline_id", json!(7)));
    all.push(with("pipeline_id", json!("pl_w9Hk")));
    let without = |key: &str| {
        let mut body = full();
        body.as_object_mut().expect("an object").remove(key);
        Sent::json(body)
    };
    all.extend(
        ["value", "probability", "target_close_date", "pipeline_id", "pipeline_stage_id", "owner_id"].map(without),
    );
    all
}

fn close_dates() -> Vec<Sent> {
    let hour = 3600;
    let mut dates: Vec<Value> =
        [-400 * 24 * hour, -20 * hour, -6 * hour, -1800, -30, 300, 1800, 6 * hour, 30 * 24 * hour]
            .map(|seconds| json!(from_now(seconds)))
            .into();
    let local = |seconds: i64, offset: i32| {
        let zone = chrono::FixedOffset::east_opt(offset).expect("an offset");
        let instant = chrono::Utc::now() + chrono::TimeDelta::seconds(seconds);
        json!(instant.with_timezone(&zone).to_rfc3339_opts(chrono::SecondsFormat::Secs, false))
    };
    dates.extend([local(-1800, 36_000), local(1800, -36_000), local(90_000, 19_800)]);
    dates.extend(
        [
            "2031-06-15T10:30:40Z",
            "2031-06-15T10:30:40.5Z",
            "2031-06-15T10:30:40.123Z",
            "2031-06-15T10:30:40.123456789Z",
            "2032-02-29T12:00:00Z",
            "2039-01-01T00:00:00Z",
            "2300-01-01T00:00:00Z",
            "9000-01-01T00:00:00Z",
            "2031-06-15",
            "2031-02-30T00:00:00Z",
            "soon",
            "",
            "2031-06-15 10:30:40Z",
            "2031-06-15T10:30:40",
            "2031-06-15t10:30:40z",
            "2031-12-31T23:59:60Z",
            "2031-06-15T10:30:40-05:00",
            "2031-06-15T10:30:40.123456789012Z",
            "2031-06-15T10:30:40-00:00",
            "2096-03-25T02:30:00+01:00",
        ]
        .map(|text| json!(text)),
    );
    dates.extend([json!(2_000_000_000), json!(true)]);
    dates.into_iter().map(|date| with("target_close_date", date)).collect()
}

fn references() -> Vec<Sent> {
    let pairs = [
        json!({"pipeline_id": "pl_w9Hk"}),
        json!({"pipeline_id": "pl_r6Jw"}),
        json!({"pipeline_id": "pl_f7Nz"}),
        json!({"pipeline_id": "pl_0"}),
        json!({"pipeline_id": "pl_b5Vs"}),
        json!({"pipeline_id": "pl_b5Vs", "pipeline_stage_id": "st_l9Cx"}),
        json!({"pipeline_stage_id": "st_l9Cx"}),
        json!({"owner_id": "us_f3Zs06"}),
        json!({"pipeline_stage_id": "st_w1Lg"}),
        json!({"pipeline_stage_id": "st_h3Ty"}),
        json!({"pipeline_stage_id": "st_0"}),
        json!({"pipeline_id": "pl_f7Nz", "pipeline_stage_id": "st_j4Pq"}),
        json!({"pipeline_id": "pl_f7Nz", "pipeline_stage_id": "st_t5Bm"}),
        json!({"owner_id": COLLEAGUE}),
        json!({"owner_id": "us_0"}),
        json!({"owner_id": COLLEAGUE, "pipeline_id": "pl_f7Nz"}),
        json!({"owner_id": COLLEAGUE, "pipeline_stage_id": "st_w1Lg"}),
    ];
    let mut all = Vec::new();
    for mut body in pairs {
        body["name"] = json!("referring");
        // Between them, what a server remembers shows in a request that leaves all to it.
        all.extend([Sent::json(body), Sent::named(), Sent::named().at(CLIENT).by_colleague()]);
    }
    all
}

fn authentication() -> Vec<Sent> {
    let good = TOKENS[0].1;
    let mut all: Vec<Sent> = [
        String::new(),
        "Bearer".to_owned(),
        good.to_owned(),
        "Bearer unknown".to_owned(),
        format!("Bearer {good}x"),
        format!("Bearer {good} x"),
        format!("Bearer {}", &good[..good.len() - 1]),
        format!("bearer {good}"),
        format!("Basic {good}"),
        "Basic eDp5".to_owned(),
        format!("Bearer {}", TOKENS[2].1),
    ]
    .map(|header| Sent::named().authorized(header))
    .into();
    all.push(Sent { authorization: None, ..Sent::named() });
    all.push(Sent { authorization: None, ..Sent::raw("{") });
    all
}

fn households() -> Vec<Sent> {
    let ids = [FOREIGN, "hh_0", &"x".repeat(300), "%C3%A9", "a%2e%2e%2fb", "a%2Fb"];
    let mut all: Vec<Sent> = ids.map(|id| Sent::named().at(id)).into();
    all.push(Sent::named().at("x".repeat(2_000)));
    all.push(Sent::json(json!({})).at("hh_0"));
    all
}

fn combined() -> Vec<Sent> {
    let reader = format!("Bearer {}", TOKENS[2].1);
    vec![
        Sent::named().key("reader").authorized(reader.clone()),
        Sent::named().key("read"),
        Sent::named().key("read").authorized(reader),
        Sent::named().key("unknown").authorized("Bearer unknown"),
        Sent::named().key("foreign").at(FOREIGN),
        Sent::named().by_colleague().at(FOREIGN),
        Sent::json(full()).at(FOREIGN),
        with("target_close_date", json!("2001-01-01T00:00:00Z")).by_colleague(),
        with("pipeline_id", json!("nowhere")).key("nowhere"),
        with("probability", json!(101)).at(CLIENT),
        Sent::json(json!({"name": 7, "owner_id": COLLEAGUE})),
    ]
}

fn robustness() -> Vec<Sent> {
    let deep = format!(r#"{{"name":"a","x":{}{}}}"#, "[".repeat(100), "]".repeat(100));
    let bodies: [&[u8]; 26] = [
        b"",
        b"{",
        br#"{"name":"a","#,
        br#"{"name":"a","value":"#,
        br#"{"name":"a",}"#,
        br#"{"value":100,"name":"a"}"#,
        b" {\"name\":\"a\"}",
        br#"{"name":"\u0061"}"#,
        br#"{"name":"a","owner_id":""}"#,
        br#"{"name":"a"} x"#,
        b"[]",
        br#"[{"name":"a"}]"#,
        br#""a""#,
        b"7",
        b"null",
        b"{\"name\":\"\xff\"}",
        b"\xef\xbb\xbf{\"name\":\"a\"}",
        br#"{"name":"\ud83d"}"#,
        br#"{"name":"a\u0000"}"#,
        b"{\"name\":\"a\0\"}",
        deep.as_bytes(),
        br#"{"name":"a","value":18446744073709551616}"#,
        br#"{"name":"a","value":1e400}"#,
        br#"{"name":"a","colour":"teal"}"#,
        br#"{"name":"a","name":"b"}"#,
        br#"{"name":"a","value":null}"#,
    ];
    let mut all: Vec<Sent> = bodies.map(Sent::raw).into();
    all.extend([10_000, 100_000].map(|length| Sent::json(json!({"name": "n".repeat(length)}))));
    let media_types = [None, Some("text/plain"), Some("application/json; charset=utf-8"), Some("Application/JSON")];
    all.extend(media_types.map(|media_type| Sent { media_type, ..Sent::named() }));
    all
}

fn idempotency() -> Vec<Step> {
    let keyed = |key: &str| Sent::named().key(key);
    let soon = Sent::json(json!({"name": "soon", "target_close_date": from_now(1)})).key("soon");
    let long = |tail: &str| keyed(&format!("{}{tail}", "k".repeat(130)));
    let middle = |tail: &str| keyed(&format!("{}{tail}", "m".repeat(40)));
    let headed = |head: &str| keyed(&format!("{head}{}", "t".repeat(40)));
    let mut steps: Vec<Step> = [
        // First, as long as its close date lies ahead.
        soon.clone(),
        keyed("a"),
        keyed("a"),
        keyed("a"),
        Sent::json(json!({"name": "other"})).key("a"),
        Sent::json(json!({"name": "plain", "owner_id": COLLEAGUE})).key("a"),
        Sent::raw(r#"{ "name": "plain" }"#).key("a"),
        Sent::json(json!({})).key("a"),
        keyed("a"),
        keyed("a").by_colleague(),
        keyed("a").at(CLIENT),
        keyed("a").authorized("Bearer unknown"),
        keyed("A"),
        keyed("a-"),
        keyed("a_"),
        with("probability", json!(101)).key("c"),
        keyed("it's"),
        keyed("it's"),
        keyed("%61"),
        keyed("\"a\""),
        keyed("a;1"),
        keyed("_"),
        keyed("7"),
        keyed("07"),
        keyed("b"),
        keyed("a"),
        middle("1"),
        middle("2"),
        headed("1"),
        headed("2"),
        long("1"),
        long("2"),
        Sent::json(json!({})).key("refused"),
        Sent::json(json!({})).key("refused"),
        Sent::named().key("refused"),
        Sent::named(),
        Sent::named(),
        Sent::json(json!({"name": "plain", "value": 1})),
    ]
    .map(Step::One)
    .into();
    steps.push(Step::Crowd(vec![keyed("crowd"); 8]));
    let other = |n: usize| Sent::json(json!({"name": format!("other {n}")})).key("changing crowd");
    steps.push(Step::Crowd((0..4).map(other).collect()));
    steps.push(Step::Wait(Duration::from_millis(2200)));
    steps.extend([soon, keyed("b")].map(Step::One));
    steps
}

fn state() -> Vec<Step> {
    let colleague = Sent::json(json!({"name": "hers"})).by_colleague();
    let mut steps: Vec<Step> =
        [Sent::named(), Sent::named(), Sent::named().at(CLIENT), with("value", json!(700)), Sent::named()]
            .map(Step::One)
            .into();
    steps.extend([
        Step::Wait(Duration::from_millis(1100)),
        Step::One(Sent::named()),
        Step::Crowd((0..10).map(|n| Sent::json(json!({"name": format!("crowd {n}")}))).chain([colleague]).collect()),
    ]);
    // Enough for ids of one byte to meet, and for what happens every so often.
    steps.extend((0..130).map(|_| Step::One(Sent::named())));
    steps.extend((0..32).map(|_| Step::One(Sent::json(json!({})))));
    steps.push(Step::One(Sent::named()));
    steps
}
