//! Fetching a document.

use std::time::Duration;

use futures_util::StreamExt as _;
use reqwest::Url;

use super::transport::{cause_of, plain};

/// How long it may take.
const LIMIT: Duration = Duration::from_secs(30);
/// How many bytes a document may have.
const LARGEST: usize = 64 << 20;

/// Fetches a text. Redirections are followed, as a browser would.
///
/// # Errors
/// What kept it from that, in a line.
pub async fn fetch(url: &Url) -> Result<String, String> {
    let client = plain(LIMIT, url).map_err(|e| cause_of(&e))?;
    let answer = client.get(url.clone()).send().await.map_err(|e| cause_of(&e.without_url()))?;
    if !answer.status().is_success() {
        return Err(format!("the server answered {}", answer.status().as_u16()));
    }
    let mut bytes = Vec::new();
    let mut stream = answer.bytes_stream();
    while let Some(chunk) = stream.next().await {
        bytes.extend_from_slice(&chunk.map_err(|e| cause_of(&e.without_url()))?);
        if bytes.len() > LARGEST {
            return Err(format!("it has more than {} MiB", LARGEST >> 20));
        }
    }
    String::from_utf8(bytes).map_err(|_| "it is not UTF-8 text".to_owned())
}
