//! HAR of any origin as exchanges: our own, a browser's, a proxy's.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;

use crate::report::model::record::Judged;

/// A recorded exchange.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Entry {
    /// When it was sent: RFC 3339.
    pub started_date_time: String,
    /// How long it took, in milliseconds; less than 0 where that is not known.
    pub time: f64,
    /// What was sent.
    pub request: Request,
    /// What came back; status 0 where nothing did.
    pub response: Response,
    /// Why nothing came back.
    #[serde(rename = "_error")]
    pub error: Option<String>,
    /// The kind of that, in our own recordings.
    #[serde(rename = "_failure")]
    pub failure: Option<String>,
    /// On whose behalf it was sent, in our own recordings.
    #[serde(rename = "_trial")]
    pub trial: Option<String>,
    /// Whose request it was, in our own recordings.
    #[serde(rename = "_identity")]
    pub identity: Option<String>,
    /// The place of its exchange in the run, in our own recordings.
    #[serde(rename = "_number")]
    pub number: Option<u64>,
    /// Which attempt of its exchange it is, in our own recordings.
    #[serde(rename = "_attempt", default = "one")]
    pub attempt: u32,
    /// How many attempts its exchange has, in our own recordings.
    #[serde(rename = "_attempts", default = "one")]
    pub attempts: u32,
    /// What it was judged as, in our own recordings.
    #[serde(rename = "_judged")]
    pub judged: Option<Judged>,
}

fn one() -> u32 {
    1
}

/// A recorded request.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Request {
    /// The method.
    pub method: String,
    /// The whole URL.
    pub url: String,
    /// The headers.
    pub headers: Vec<Header>,
    /// The body.
    pub post_data: Option<Content>,
}

/// A recorded response.
#[derive(Debug, Deserialize)]
pub struct Response {
    /// The status; 0 where nothing came.
    pub status: u16,
    /// The headers.
    pub headers: Vec<Header>,
    /// The body.
    pub content: Content,
}

/// A header.
#[derive(Debug, Deserialize)]
pub struct Header {
    /// Its name.
    pub name: String,
    /// Its value.
    pub value: String,
}

/// A body.
#[derive(Debug, Deserialize)]
pub struct Content {
    /// Its text; left out where it was not recorded.
    pub text: Option<String>,
    /// `base64`, or nothing.
    pub encoding: Option<String>,
    /// Its whole length, where only the beginning was recorded.
    #[serde(rename = "_truncated")]
    pub truncated: Option<u64>,
    /// Its whole length in bytes; less than 0 where that is not known.
    #[serde(default)]
    pub size: i64,
}

impl Content {
    /// The bytes, if all of them were recorded.
    pub fn bytes(&self) -> Option<Vec<u8>> {
        match (&self.text, self.encoding.as_deref()) {
            _ if self.truncated.is_some() => None,
            (Some(text), Some("base64")) => STANDARD.decode(text).ok(),
            (Some(text), _) => Some(text.clone().into_bytes()),
            (None, _) => (self.size <= 0).then(Vec::new),
        }
    }
}

/// Why a text is no HAR file: what is wrong, and where, with dots between names.
#[derive(Debug, thiserror::Error)]
#[error("{} (at `{}`)", .0.inner(), .0.path())]
pub struct NotHar(serde_path_to_error::Error<serde_json::Error>);

/// The entries of a HAR file.
///
/// # Errors
/// It is none.
pub fn entries(text: &str) -> Result<Vec<Entry>, NotHar> {
    #[derive(Deserialize)]
    struct Har {
        log: Log,
    }
    #[derive(Deserialize)]
    struct Log {
        entries: Vec<Entry>,
    }
    // Some tools begin files with a mark of their encoding.
    let text = text.trim_start_matches('\u{feff}');
    let mut deserializer = serde_json::Deserializer::from_str(text);
    let har: Har = serde_path_to_error::deserialize(&mut deserializer).map_err(NotHar)?;
    Ok(har.log.entries)
}
