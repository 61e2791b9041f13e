//! A response, whole as it came.

use bytes::Bytes;
use serde_json::Value as Json;
use url::Url;

use super::json_text;

/// A whole response.
#[derive(Clone, Debug)]
pub struct Response {
    /// The status code.
    pub status: u16,
    /// Headers, names in lower case, in the order received.
    pub headers: Vec<(String, String)>,
    /// The body, decoded.
    pub body: Bytes,
    /// Why nothing is known of the body, where it came and is not read; none where it is.
    pub unread: Option<String>,
    /// The body's length; more than there is of it once [`Exchange::cut`] has cut it.
    pub length: usize,
}

/// An address without the parts that may hold a secret: who asks, query and fragment.
pub fn bare(mut address: Url) -> Url {
    address.set_query(None);
    address.set_fragment(None);
    // An address without a host has neither.
    let _ = (address.set_username(""), address.set_password(None));
    address
}

impl Response {
    /// A response whose body is whole.
    pub fn new(status: u16, headers: Vec<(String, String)>, body: Bytes) -> Self {
        Self { status, headers, length: body.len(), body, unread: None }
    }

    /// The first header of a name in lower case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(n, _)| n == name).map(|(_, v)| v.as_str())
    }

    /// Where a redirection leads to, without the parts of the address that may hold a secret.
    pub fn location(&self, asked: &Url) -> Option<Url> {
        asked.join(self.header("location")?).ok().map(bare)
    }

    /// The content coding of a body that came in another one than the request accepts: nobody who sent it can read that.
    pub fn unasked_coding(&self) -> Option<&str> {
        let coding = self.header("content-encoding")?.trim();
        let is_other = !coding.is_empty() && !coding.eq_ignore_ascii_case("identity");
        // A recording holds bodies decoded, and names their codings all the same.
        Some(coding).filter(|_| is_other && self.unread.is_some())
    }

    /// The body, if it is JSON.
    pub fn json(&self) -> Option<Json> {
        json_text::read(&self.body)
    }

    /// The media type without parameters, in lower case.
    pub fn media_type(&self) -> Option<String> {
        let value = self.header("content-type")?;
        let essence = value.split(';').next().unwrap_or_default().trim();
        Some(essence.to_ascii_lowercase())
    }
}
