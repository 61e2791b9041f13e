//! A server with a client, and what tests do with them.

use probity::reference::{self, Fault, Options, Server, TOKENS, Variation};
use reqwest::header::CONTENT_TYPE;
use reqwest::{Client, ClientBuilder, Response, StatusCode};
use serde_json::Value;
use std::time::Duration;

pub const PROSPECT: &str = "hh_p2Kd71";
pub const CLIENT: &str = "hh_g5Xn94";
pub const FOREIGN: &str = "hh_v3Rb68";
pub const CALLER: &str = "us_k5Qd93";
pub const COLLEAGUE: &str = "us_e2Vn17";

/// A server, and a client with a token.
pub struct Bench {
    pub server: Server,
    pub client: Client,
    pub token: &'static str,
}

/// A client: it speaks plain HTTP only, and yet will not be built without something to encrypt with.
pub fn client() -> ClientBuilder {
    let _ = rustls::crypto::ring::default_provider().install_default();
    Client::builder()
}

impl Bench {
    pub fn new() -> Self {
        Self::with(Options::default())
    }

    pub fn with(options: Options) -> Self {
        let server = reference::start(options).expect("a free port");
        let client = client().timeout(Duration::from_secs(10)).build().expect("a client");
        Self { server, client, token: TOKENS[0].1 }
    }

    pub fn faulty(fault: Fault) -> Self {
        Self::with(Options { faults: vec![fault], ..Options::default() })
    }

    pub fn free(variation: Variation) -> Self {
        Self::with(Options { variations: vec![variation], ..Options::default() })
    }

    pub fn request(&self, household: &str) -> reqwest::RequestBuilder {
        self.client.post(format!("{}/v1/households/{household}/opportunities", self.server.url))
    }

    pub async fn bytes(&self, body: impl Into<reqwest::Body>) -> Response {
        let request = self.request(PROSPECT).bearer_auth(self.token).header(CONTENT_TYPE, "application/json");
        request.body(body).send().await.expect("an answer")
    }

    pub async fn post(&self, body: &Value) -> Response {
        self.bytes(body.to_string()).await
    }

    pub async fn keyed(&self, key: &str, body: &Value) -> Response {
        let request = self.request(PROSPECT).bearer_auth(self.token).header(CONTENT_TYPE, "application/json");
        request.header("Idempotency-Key", key).body(body.to_string()).send().await.expect("an answer")
    }

    pub async fn created(&self, body: &Value) -> Value {
        read(self.post(body).await, StatusCode::CREATED).await
    }
}

pub async fn read(response: Response, status: StatusCode) -> Value {
    let (actual, text) = (response.status(), response.text().await.expect("a body"));
    assert_eq!(actual, status, "{text}");
    serde_json::from_str(&text).expect("JSON")
}

pub fn from_now(seconds: i64) -> String {
    (chrono::Utc::now() + chrono::TimeDelta::seconds(seconds)).to_rfc3339_opts(chrono::SecondsFormat::Secs, true)
}

/// A JSON body, declared as one.
pub trait JsonBody {
    fn json_body(self, body: &Value) -> Self;
}

impl JsonBody for reqwest::RequestBuilder {
    fn json_body(self, body: &Value) -> Self {
        self.header(CONTENT_TYPE, "application/json").body(body.to_string())
    }
}

/// Drives futures together.
pub async fn together<T>(all: Vec<impl Future<Output = T>>) -> Vec<T> {
    let mut waiting: Vec<_> = all.into_iter().map(|future| (Box::pin(future), None)).collect();
    std::future::poll_fn(|context| {
        let mut all_ready = true;
        for (future, result) in &mut waiting {
            if result.is_none() {
                match future.as_mut().poll(context) {
                    std::task::Poll::Ready(value) => *result = Some(value),
                    std::task::Poll::Pending => all_ready = false,
                }
            }
        }
        if all_ready { std::task::Poll::Ready(()) } else { std::task::Poll::Pending }
    })
    .await;
    waiting.into_iter().filter_map(|(_, result)| result).collect()
}
