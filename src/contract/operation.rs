//! The operation that a contract is about: what is sent, what may come back, and who may ask.

use serde_json::Value as Json;

use super::schema::Schema;
use crate::source::Place;
use crate::yaml::{self, Node};

/// The operation that a contract is about.
#[derive(Debug)]
pub struct Operation {
    /// Its `operationId`.
    pub id: String,
    /// In capitals, as it is sent.
    pub method: String,
    /// The path with its parameters in braces.
    pub path: String,
    /// The document's servers, as written.
    pub servers: Vec<String>,
    /// Path parameters in the order of the path.
    pub path_parameters: Vec<Parameter>,
    /// Header parameters in the order of the document.
    pub header_parameters: Vec<Parameter>,
    /// What is sent, if anything.
    pub body: Option<Body>,
    /// The documented responses in the order of the document.
    pub responses: Vec<Response>,
    /// How a caller is told from others; None where anyone may call.
    pub security: Option<Security>,
    /// Examples of whole request bodies, with their places.
    pub examples: Vec<Example>,
    /// The JSON Pointer of the operation.
    pub pointer: String,
    /// Where the operation stands.
    pub place: Place,
}

impl Operation {
    /// The whole document, with the places of all that it says.
    pub fn document(&self) -> Option<Node> {
        // It has been read before.
        yaml::parse(&self.place.source).ok()
    }
}

/// A parameter in the path or a header.
#[derive(Debug)]
pub struct Parameter {
    /// Its name as written.
    pub name: String,
    /// Whether it must be there.
    pub required: bool,
    /// What it may be.
    pub schema: Schema,
    /// Its JSON Pointer.
    pub pointer: String,
}

/// The request body.
#[derive(Debug)]
pub struct Body {
    /// Whether it must be there.
    pub required: bool,
    /// The media type to send.
    pub media_type: String,
    /// What it may be.
    pub schema: Schema,
    /// Its JSON Pointer.
    pub pointer: String,
}

/// A documented response.
#[derive(Debug)]
pub struct Response {
    /// `201`, `4XX` or `default`.
    pub status: String,
    /// The media types with their schemas.
    pub content: Vec<(String, Option<Schema>)>,
    /// Its JSON Pointer.
    pub pointer: String,
}

impl Response {
    /// Whether it speaks of a status.
    pub fn covers(&self, status: u16) -> bool {
        self.status == status.to_string() || self.status.eq_ignore_ascii_case(&format!("{}XX", status / 100))
    }

    /// Whether it speaks of success.
    pub fn is_success(&self) -> bool {
        self.status.starts_with('2')
    }
}

/// How a caller shows who they are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Security {
    /// The header that carries the token, in lower case.
    pub header: String,
    /// The authentication scheme before the token; None where the token stands alone.
    pub scheme: Option<String>,
    /// The JSON Pointer of the scheme.
    pub pointer: String,
}

impl Security {
    /// The header's value for a token.
    pub fn value(&self, token: &str) -> String {
        self.scheme.as_ref().map_or_else(|| token.to_owned(), |scheme| format!("{scheme} {token}"))
    }
}

/// An example in the document.
#[derive(Debug)]
pub struct Example {
    /// The whole request body.
    pub body: Json,
    /// Where it stands.
    pub place: Place,
}

/// The names in the braces of a path.
pub fn template_names(path: &str) -> Vec<&str> {
    path.split('{').skip(1).filter_map(|part| part.split_once('}').map(|(name, _)| name)).collect()
}

/// Whether a media type is JSON.
pub fn is_json(media_type: &str) -> bool {
    let essence = media_type.split(';').next().unwrap_or_default().trim();
    essence.eq_ignore_ascii_case("application/json") || essence.to_lowercase().ends_with("+json")
}
