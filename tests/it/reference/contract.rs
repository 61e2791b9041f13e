//! What the page says, and how the server fills in what it leaves open.

use super::bench::{Bench, CALLER, CLIENT, COLLEAGUE, FOREIGN, JsonBody, PROSPECT, from_now, read, together};
use probity::reference::{self, Fault, TOKENS, Variation};
use reqwest::StatusCode;
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE};
use serde_json::{Value, json};
use std::collections::HashSet;
use std::time::Duration;

#[tokio::test]
async fn a_full_request_is_honoured() {
    let bench = Bench::new();
    let answer = bench
        .created(&json!({
            "name": " Größe <b>\u{1f600}</b> 'x' \\ \"y\" ",
            "value": 500_000,
            "probability": 75,
            "target_close_date": "2060-02-29T12:00:00.5+05:30",
            "pipeline_id": "pl_f7Nz",
            "pipeline_stage_id": "st_j4Pq",
            "owner_id": COLLEAGUE,
        }))
        .await;
    assert_eq!(answer["name"], " Größe <b>\u{1f600}</b> 'x' \\ \"y\" ");
    assert_eq!(answer["value"], 5000);
    assert_eq!(answer["probability"], 75);
    assert_eq!(answer["target_close_date"], "2060-02-29T06:30:00.500Z");
    assert_eq!(answer["pipeline"], json!({"id": "pl_f7Nz", "name": "Growing families", "pipeline_type": "client"}));
    assert_eq!(answer["pipeline_stage"], json!({"id": "st_j4Pq", "name": "Discussed"}));
    assert_eq!(answer["assigned_to"]["id"], COLLEAGUE);
    assert_eq!(answer["household_id"], PROSPECT);
    let created: chrono::DateTime<chrono::Utc> = answer["created_at"].as_str().unwrap().parse().unwrap();
    assert!((chrono::Utc::now() - created).num_seconds() < 5);
}

#[tokio::test]
async fn what_is_left_out_gets_its_default() {
    let mut bench = Bench::new();
    let answer = bench.created(&json!({"name": "a", "value": null, "owner_id": null})).await;
    assert_eq!(answer["pipeline"]["id"], "pl_w9Hk");
    assert_eq!(answer["pipeline_stage"]["id"], "st_t5Bm");
    assert_eq!(answer["assigned_to"]["id"], CALLER);
    for key in ["value", "probability", "target_close_date"] {
        assert_eq!(answer[key], Value::Null);
    }
    let answer = bench.created(&json!({"name": "a", "pipeline_id": "pl_r6Jw"})).await;
    assert_eq!(answer["pipeline_stage"]["id"], "st_n4Xc");

    bench.token = TOKENS[1].1;
    let request = bench.request(CLIENT).bearer_auth(bench.token).json_body(&json!({"name": "a"}));
    let answer = read(request.send().await.unwrap(), StatusCode::CREATED).await;
    assert_eq!(answer["pipeline"]["id"], "pl_f7Nz");
    assert_eq!(answer["assigned_to"]["id"], COLLEAGUE);
}

#[tokio::test]
async fn edges_are_accepted() {
    let bench = Bench::new();
    for body in [
        json!({"name": ""}),
        json!({"name": "x".repeat(200_000)}),
        json!({"name": "a", "probability": 0}),
        json!({"name": "a", "probability": 100}),
        json!({"name": "a", "probability": 100.0}),
        json!({"name": "a", "value": 9_007_199_254_740_991_i64}),
        json!({"name": "a", "value": -1}),
        json!({"name": "a", "colour": "teal"}),
        json!({"name": "a", "target_close_date": from_now(30)}),
        json!({"name": "a", "target_close_date": "9000-01-01T00:00:00-12:00"}),
        json!({"name": "a", "pipeline_stage_id": "st_w1Lg"}),
    ] {
        bench.created(&body).await;
    }
    assert_eq!(bench.created(&json!({"name": "a", "value": 0, "probability": 0})).await["value"], 0);
}

#[tokio::test]
async fn what_is_wrong_is_refused() {
    let bench = Bench::new();
    let mut keys = HashSet::new();
    for (body, reason, field) in [
        (json!({}), "missing", "name"),
        (json!({"name": null}), "wrong_type", "name"),
        (json!({"name": 1}), "wrong_type", "name"),
        (json!({"name": "a", "value": "1"}), "wrong_type", "value"),
        (json!({"name": "a", "value": 0.5}), "wrong_type", "value"),
        (json!({"name": "a", "value": true}), "wrong_type", "value"),
        (json!({"name": "a", "probability": {}}), "wrong_type", "probability"),
        (json!({"name": "a", "probability": -1}), "invalid", "probability"),
        (json!({"name": "a", "probability": 101}), "invalid", "probability"),
        (json!({"name": "a", "target_close_date": from_now(-2)}), "invalid", "target_close_date"),
        (json!({"name": "a", "target_close_date": "2026-06-01T00:00:00Z"}), "invalid", "target_close_date"),
        (json!({"name": "a", "target_close_date": "2060-02-30T00:00:00Z"}), "invalid", "target_close_date"),
        (json!({"name": "a", "target_close_date": 2_000_000_000}), "wrong_type", "target_close_date"),
        (json!({"name": "a", "pipeline_id": "pl_0"}), "unknown_reference", "pipeline_id"),
        (json!({"name": "a", "pipeline_id": "pl_k2Gt"}), "unknown_reference", "pipeline_id"),
        (json!({"name": "a", "pipeline_id": 7}), "wrong_type", "pipeline_id"),
        (json!({"name": "a", "pipeline_stage_id": "st_0"}), "unknown_reference", "pipeline_stage_id"),
        (json!({"name": "a", "pipeline_stage_id": "st_h3Ty"}), "mismatched_reference", "pipeline_stage_id"),
        (
            json!({"name": "a", "pipeline_id": "pl_f7Nz", "pipeline_stage_id": "st_t5Bm"}),
            "mismatched_reference",
            "pipeline_stage_id",
        ),
        (json!({"name": "a", "owner_id": "us_f3Zs06"}), "unknown_reference", "owner_id"),
    ] {
        let error = read(bench.post(&body).await, StatusCode::UNPROCESSABLE_ENTITY).await;
        assert_eq!((&error["code"], &error["field"]), (&json!(reason), &json!(field)), "{body}");
        keys.insert(error.as_object().unwrap().keys().cloned().collect::<Vec<_>>());
    }
    assert_eq!(keys.len(), 1);
}

#[tokio::test]
async fn bodies_that_are_no_object_are_refused() {
    let bench = Bench::new();
    let deep = format!(r#"{{"name":"a","x":{}1{}}}"#, "[".repeat(500), "]".repeat(500));
    for (body, status) in [
        (b"".to_vec(), 400),
        (b"{".to_vec(), 400),
        (b"{\"name\":\"a\",}".to_vec(), 400),
        (b"{\"name\":\"a\"} x".to_vec(), 400),
        (b"{'name':'a'}".to_vec(), 400),
        (b"{\"name\":\"\xff\"}".to_vec(), 400),
        (br#"{"name":"\ud83d"}"#.to_vec(), 400),
        (deep.into_bytes(), 400),
        (b"[]".to_vec(), 422),
        (b"\"a\"".to_vec(), 422),
        (b"1".to_vec(), 422),
        (b"null".to_vec(), 422),
        (br#"{"name":"a","probability":18446744073709551616}"#.to_vec(), 422),
        (br#"{"name":"a","probability":1e400}"#.to_vec(), 422),
        (br#"{"name":"a","value":1e400}"#.to_vec(), 422),
        (br#"{"name":"a\u0000b"}"#.to_vec(), 201),
        (vec![b' '; 3 << 20], 413),
    ] {
        let name = String::from_utf8_lossy(&body[..body.len().min(60)]).into_owned();
        assert_eq!(bench.bytes(body).await.status(), status, "{name}");
    }
    for declared in [None, Some("text/plain")] {
        let mut request = bench.request(PROSPECT).bearer_auth(bench.token).body(r#"{"name":"a"}"#);
        if let Some(media_type) = declared {
            request = request.header(CONTENT_TYPE, media_type);
        }
        assert_eq!(request.send().await.unwrap().status(), 415);
    }
}

#[tokio::test]
async fn a_token_that_is_known_is_needed() {
    let bench = Bench::new();
    let body = json!({"name": "a"});
    let good = TOKENS[0].1;
    for header in [
        "",
        "Bearer",
        "Bearer ",
        good,
        &format!("Basic {good}"),
        &format!("bearer {good}"),
        &format!("Bearer {good}x"),
        &format!("Bearer  {good}"),
        &format!("Bearer {}", &good[..good.len() - 1]),
    ] {
        let response = bench.request(PROSPECT).header(AUTHORIZATION, header).json_body(&body).send().await.unwrap();
        assert!(response.headers().contains_key("www-authenticate"), "{header}");
        assert_eq!(response.status(), 401, "{header}");
    }
    assert_eq!(bench.request(PROSPECT).json_body(&body).send().await.unwrap().status(), 401);
    let reader = bench.request(PROSPECT).bearer_auth(TOKENS[2].1).json_body(&body).send().await.unwrap();
    assert_eq!(reader.status(), 403);
}

#[tokio::test]
async fn only_households_of_ones_own_are_there() {
    let bench = Bench::new();
    for id in [FOREIGN, "hh_0", &"x".repeat(5000), "%F0%9F%98%80", "%ff", "..%2f..%2fetc", "a%2Fb"] {
        let response =
            bench.request(id).bearer_auth(bench.token).json_body(&json!({"name": "a"})).send().await.unwrap();
        let error = read(response, StatusCode::NOT_FOUND).await;
        assert_eq!(error["code"], "no_such_household");
    }
    let elsewhere = bench.client.get(format!("{}/v1/tasks", bench.server.url)).send().await.unwrap();
    assert_eq!(read(elsewhere, StatusCode::NOT_FOUND).await["code"], "no_such_operation");
}

#[tokio::test]
async fn a_key_gives_the_original_again() {
    let mut bench = Bench::new();
    let body = json!({"name": "a", "target_close_date": from_now(3)});
    let first = bench.keyed("k", &body).await.text().await.unwrap();
    // The date has then passed; it leaves the first request the time that a busy machine takes.
    tokio::time::sleep(Duration::from_millis(3100)).await;
    for _ in 0..3 {
        let again = bench.keyed("k", &body).await;
        assert_eq!(again.status(), 201);
        assert_eq!(again.text().await.unwrap(), first);
    }
    assert_eq!(bench.keyed("k", &json!({"name": "b"})).await.status(), 422);
    let mut ids = HashSet::from([serde_json::from_str::<Value>(&first).unwrap()["id"].to_string()]);
    let body = json!({"name": "a"});
    for key in ["K", "k2", "k3"] {
        ids.insert(read(bench.keyed(key, &body).await, StatusCode::CREATED).await["id"].to_string());
    }
    bench.token = TOKENS[1].1;
    ids.insert(read(bench.keyed("k", &body).await, StatusCode::CREATED).await["id"].to_string());
    assert_eq!(ids.len(), 5);

    // A refusal leaves its key free.
    assert_eq!(bench.keyed("free", &json!({})).await.status(), 422);
    assert_eq!(bench.keyed("free", &body).await.status(), 201);
    bench.token = "unknown";
    assert_eq!(bench.keyed("free", &body).await.status(), 401);
}

#[tokio::test]
async fn requests_with_one_key_at_once_create_one_record() {
    for bench in [Bench::new(), Bench::free(Variation::Latency)] {
        let body = json!({"name": "a"});
        let all: Vec<_> = (0..20).map(|_| bench.keyed("k", &body)).collect();
        let mut ids = HashSet::new();
        for response in together(all).await {
            ids.insert(read(response, StatusCode::CREATED).await["id"].to_string());
        }
        assert_eq!(ids.len(), 1);
    }
}

#[tokio::test]
async fn ids_are_never_repeated() {
    let bench = Bench::new();
    let body = json!({"name": "a"});
    let all: Vec<_> = (0..100).map(|_| bench.post(&body)).collect();
    let mut ids = HashSet::new();
    for response in together(all).await {
        ids.insert(read(response, StatusCode::CREATED).await["id"].to_string());
    }
    assert_eq!(ids.len(), 100);
}

#[test]
fn the_settings_are_toml_and_name_the_tokens() {
    let settings = reference::settings_toml("http://127.0.0.1:1");
    let toml: toml::Table = settings.parse().expect(&settings);
    assert_eq!(toml["identities"]["read_only"]["token"]["env"].as_str(), Some(TOKENS[2].0));
    let fixtures = &toml["fixtures"];
    assert_eq!(fixtures["household_id"].as_str(), Some(PROSPECT));
    assert_eq!(fixtures["households"][CLIENT]["pipeline_id"].as_str(), Some("pl_f7Nz"));
    assert_eq!(fixtures["pipelines"]["pl_f7Nz"]["stage_ids"][0].as_str(), Some("st_h3Ty"));
}

#[tokio::test]
async fn a_server_stops_and_frees_its_port() {
    let bench = Bench::faulty(Fault::EmptyBodyHangs);
    let port: u16 = bench.server.url.rsplit(':').next().unwrap().parse().unwrap();
    let hanging = bench.request(PROSPECT).bearer_auth(bench.token).header(CONTENT_TYPE, "application/json").body("");
    let hanging = tokio::time::timeout(Duration::from_millis(200), hanging.send()).await;
    assert!(hanging.is_err());
    bench.server.shutdown();
    std::net::TcpListener::bind(("127.0.0.1", port)).expect("the port is free");
}
