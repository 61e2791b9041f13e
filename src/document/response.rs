//! Responses: what may come back.

use serde_json::Value as Json;

use crate::schema::Schema;
use crate::source::Place;

/// A documented response.
#[derive(Debug)]
pub struct Response {
    /// `201`, `4XX` or `default`.
    pub status: String,
    /// The media types that its body may have; none where nothing is said of a body.
    pub content: Vec<MediaType>,
    /// The headers that it has.
    pub headers: Vec<Header>,
    /// What its values are good for in other operations.
    pub links: Vec<Link>,
    /// Its JSON Pointer.
    pub pointer: String,
}

impl Response {
    /// Whether it speaks of a status by its number or its class.
    pub fn covers(&self, status: u16) -> bool {
        self.status == status.to_string() || self.status.eq_ignore_ascii_case(&format!("{}XX", status / 100))
    }

    /// Whether it speaks of success.
    pub fn is_success(&self) -> bool {
        self.status.starts_with('2')
    }
}

/// A form that a response's body may take.
#[derive(Debug)]
pub struct MediaType {
    /// The media type as the document writes it; it may be a range, as `application/*`.
    pub name: String,
    /// What the body may be, if the document says so.
    pub schema: Option<Schema>,
}

/// A header of a response.
#[derive(Debug)]
pub struct Header {
    /// Its name as written.
    pub name: String,
    /// Whether it must be there.
    pub required: bool,
    /// What it may be.
    pub schema: Option<Schema>,
    /// Whether the members of an object are written as `key=value`.
    pub explode: bool,
    /// The media type of its text, where `content` describes it.
    pub media_type: Option<String>,
    /// Its JSON Pointer.
    pub pointer: String,
}

/// What the values of a response are good for in another operation.
#[derive(Debug)]
pub struct Link {
    /// Its name in the document.
    pub name: String,
    /// The `operationId`, or the pointer of `operationRef`.
    pub operation: String,
    /// Parameters by name (`path.id` or `id`) with a constant or a runtime expression.
    pub parameters: Vec<(String, Json)>,
    /// The request's body: a constant or a runtime expression.
    pub body: Option<Json>,
    /// Where it stands.
    pub place: Place,
}
