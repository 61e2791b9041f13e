//! Documented responses.

use serde_json::Value as Json;

use crate::schema::Schema;

/// A documented response.
#[derive(Debug)]
pub struct Response {
    /// `201`, `4XX` or `default`.
    pub status: String,
    /// The media types of its body; empty if the document describes no body.
    pub content: Vec<MediaType>,
    /// The headers that it has.
    pub headers: Vec<Header>,
    /// Its links: how its values are used in other operations.
    pub links: Vec<Link>,
    /// Its JSON Pointer.
    pub pointer: String,
}

impl Response {
    /// Whether it describes a status by its number or its class.
    pub fn covers(&self, status: u16) -> bool {
        self.status == status.to_string() || self.status.eq_ignore_ascii_case(&format!("{}XX", status / 100))
    }

    /// Whether it describes a success.
    pub fn is_success(&self) -> bool {
        self.status.starts_with('2')
    }
}

/// Statuses of refusals that a server may give whatever its document says.
pub fn is_of_any_server(status: u16) -> bool {
    matches!(status, 401 | 403..=406 | 408 | 409 | 413..=415 | 425 | 426 | 428 | 429 | 431)
}

/// A form of a response's body.
#[derive(Debug)]
pub struct MediaType {
    /// The media type as the document writes it; it may be a range, as `application/*`.
    pub name: String,
    /// The body's schema, if the document has one.
    pub schema: Option<Schema>,
}

/// A header of a response.
#[derive(Debug)]
pub struct Header {
    /// Its name as written.
    pub name: String,
    /// Whether it is required.
    pub required: bool,
    /// Its schema.
    pub schema: Option<Schema>,
    /// Whether the members of an object are written as `key=value`.
    pub explode: bool,
    /// The media type of its text, if `content` describes it.
    pub media_type: Option<String>,
    /// Its JSON Pointer.
    pub pointer: String,
}

/// A link: how the values of a response are used in another operation.
#[derive(Debug)]
pub struct Link {
    /// The path of the operation that it leads to.
    pub path: String,
    /// Parameters by name (`path.id` or `id`) with a constant or a runtime expression.
    pub parameters: Vec<(String, Json)>,
}
