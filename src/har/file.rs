//! Reading HAR files of any origin: our own, a browser's, a proxy's.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Deserializer};
use serde_json::Value as Json;

use url::form_urlencoded;

use crate::document::media::essence;
use crate::report::model::record::Judged;

const FORM: &str = "application/x-www-form-urlencoded";

/// A recorded exchange.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Entry {
    /// When it was sent: RFC 3339.
    pub started_date_time: String,
    /// How long it took, in milliseconds; negative if that is not known.
    #[serde(default, deserialize_with = "or_default")]
    pub time: f64,
    /// The request.
    pub request: Request,
    /// The response; status 0 if there was none.
    pub response: Response,
    /// Why there was no response.
    #[serde(rename = "_error")]
    pub error: Option<String>,
    /// The kind of that failure, in our own recordings.
    #[serde(rename = "_failure")]
    pub failure: Option<String>,
    /// The trial that it was sent for, in our own recordings.
    #[serde(rename = "_trial")]
    pub trial: Option<String>,
    /// The identity that sent it, in our own recordings.
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
    #[serde(default, deserialize_with = "or_default")]
    pub headers: Vec<Header>,
    /// The body.
    pub post_data: Option<Content>,
}

/// A recorded response.
#[derive(Debug, Deserialize)]
pub struct Response {
    /// The status; 0 if there was no response.
    #[serde(default, deserialize_with = "or_default")]
    pub status: u16,
    /// The headers.
    #[serde(default, deserialize_with = "or_default")]
    pub headers: Vec<Header>,
    /// The body.
    #[serde(default, deserialize_with = "or_default")]
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
#[derive(Debug, Default, Deserialize)]
pub struct Content {
    /// Its text; missing if it was not recorded.
    pub text: Option<String>,
    /// `base64`, or nothing.
    pub encoding: Option<String>,
    /// The media type of a request's body.
    #[serde(default, rename = "mimeType", deserialize_with = "or_default")]
    pub mime_type: String,
    /// The fields of a form, which a tool may record in place of its text.
    #[serde(default, deserialize_with = "or_default")]
    pub params: Vec<Param>,
    /// Its whole length, if only the beginning was recorded.
    #[serde(rename = "_truncated")]
    pub truncated: Option<u64>,
    /// Its whole length in bytes; negative if that is not known.
    #[serde(default, deserialize_with = "number")]
    pub size: i64,
}

/// A field of a form.
#[derive(Debug, Deserialize)]
pub struct Param {
    /// Its name.
    pub name: String,
    /// Its value; missing for a file.
    pub value: Option<String>,
}

impl Content {
    /// The bytes, if all of them were recorded.
    pub fn bytes(&self) -> Option<Vec<u8>> {
        let is_form = || essence(&self.mime_type) == FORM && !self.params.is_empty();
        match (&self.text, self.encoding.as_deref()) {
            _ if self.truncated.is_some() => None,
            (None, _) if is_form() => {
                let mut text = form_urlencoded::Serializer::new(String::new());
                let fields = self.params.iter().map(|p| (&p.name, p.value.as_deref().unwrap_or_default()));
                Some(text.extend_pairs(fields).finish().into_bytes())
            }
            (Some(text), Some("base64")) => STANDARD.decode(text).ok(),
            (Some(text), _) => Some(text.clone().into_bytes()),
            (None, _) => (self.size <= 0).then(Vec::new),
        }
    }
}

/// A value, or its default for null: tools write that for what they do not know.
fn or_default<'de, D: Deserializer<'de>, T: Default + Deserialize<'de>>(deserializer: D) -> Result<T, D::Error> {
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}

/// A whole number, as some tools write it; what is none says nothing.
fn number<'de, D: Deserializer<'de>>(deserializer: D) -> Result<i64, D::Error> {
    Ok(match Json::deserialize(deserializer)? {
        Json::Number(number) => number.as_i64().unwrap_or_default(),
        Json::String(text) => text.trim().parse().unwrap_or_default(),
        _ => 0,
    })
}

/// The entries of a HAR file.
#[derive(Debug, Default)]
pub struct Entries {
    /// Those that can be read.
    pub read: Vec<Entry>,
    /// Why others cannot be read.
    pub unreadable: Vec<NotHar>,
}

/// The text of a HAR file: UTF-8, or UTF-16 that says so at its start.
///
/// # Errors
/// Why it is no text.
pub fn text(bytes: Vec<u8>) -> Result<String, TextError> {
    let little = match bytes.get(..2) {
        Some([0xff, 0xfe]) => true,
        Some([0xfe, 0xff]) => false,
        _ => return String::from_utf8(bytes).map_err(|_| TextError::NotUtf8),
    };
    let unit = |pair: &[u8]| match (pair, little) {
        ([a, b], true) => u16::from_le_bytes([*a, *b]),
        ([a, b], false) => u16::from_be_bytes([*a, *b]),
        // Half a character is none.
        _ => 0xd800,
    };
    let units = bytes[2..].chunks(2).map(unit);
    char::decode_utf16(units).collect::<Result<String, _>>().map_err(|_| TextError::NotUtf16)
}

/// Why bytes are no text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TextError {
    /// They are not UTF-8, and say of no other encoding that they are in it.
    #[error("it is not text in UTF-8")]
    NotUtf8,
    /// They begin like UTF-16, and are not.
    #[error("it begins like text in UTF-16, and is not")]
    NotUtf16,
}

/// What is no part of a HAR file.
#[derive(Debug, thiserror::Error)]
#[error("{why} (at `{at}`)")]
pub struct NotHar {
    /// Where, with dots between names.
    pub at: String,
    /// What is wrong.
    pub why: serde_json::Error,
}

/// Reads the entries of a HAR file. An entry that cannot be read does not keep others from being read.
///
/// # Errors
/// What is wrong, and where; also where no entry can be read, and some are there.
pub fn entries(text: &str) -> Result<Entries, NotHar> {
    #[derive(Deserialize)]
    struct Har {
        log: Log,
    }
    #[derive(Deserialize)]
    struct Log {
        entries: Vec<Json>,
    }
    // Some tools begin files with a byte order mark.
    let text = text.trim_start_matches('\u{feff}');
    let mut deserializer = serde_json::Deserializer::from_str(text);
    let har: Har = serde_path_to_error::deserialize(&mut deserializer)
        .map_err(|e| NotHar { at: e.path().to_string(), why: e.into_inner() })?;
    let mut all = Entries::default();
    for (i, entry) in har.log.entries.into_iter().enumerate() {
        match serde_path_to_error::deserialize(entry) {
            Ok(entry) => all.read.push(entry),
            Err(e) => {
                let place = if e.path().iter().len() == 0 { String::new() } else { format!(".{}", e.path()) };
                all.unreadable.push(NotHar { at: format!("log.entries[{i}]{place}"), why: e.into_inner() });
            }
        }
    }
    if all.read.is_empty() && !all.unreadable.is_empty() {
        return Err(all.unreadable.swap_remove(0));
    }
    Ok(all)
}
