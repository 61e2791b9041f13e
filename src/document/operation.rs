//! An operation of a document: its requests, its responses, and its security.

use std::sync::Arc;

use serde_json::Value as Json;

use super::parameter::{Parameter, ParameterLocation};
use super::response::Response;
use super::security::{Alternative, Security};
use crate::schema::Schema;
use crate::schema::registry::Registry;
use crate::source::{Diagnostic, Place};

/// An operation: a method and a path template of a document.
#[derive(Debug)]
pub struct Operation {
    /// Its `operationId`; `METHOD /path` where it has none, or where several share it.
    pub id: String,
    /// In capitals, as it is sent.
    pub method: String,
    /// The path with its parameters in braces.
    pub path: String,
    /// The URLs of its servers, as written.
    pub servers: Vec<String>,
    /// Its parameters: those of the path in the order of the path, the others in that of the document. `Accept`,
    /// `Content-Type` and `Authorization` are not among them.
    pub parameters: Vec<Parameter>,
    /// The forms of a request body, one for each media type, the preferred one first; empty if there is no body.
    pub bodies: Vec<Body>,
    /// Whether a request without a body breaks the document.
    pub body_required: bool,
    /// The documented responses in the order of the document.
    pub responses: Vec<Response>,
    /// The credentials that identify a caller; None if anyone may call. They are those of the first alternative, until
    /// the settings say which alternative they can serve.
    pub security: Option<Security>,
    /// The alternatives for a caller's credentials; empty if the document requires none.
    pub alternatives: Vec<Alternative>,
    /// Examples of whole request bodies, with their places.
    pub examples: Vec<Example>,
    /// Parts that would change what is sent or judged, and that probity does not support.
    pub unsupported: Vec<Unsupported>,
    /// Notes on parts of it that cannot change what is sent or judged.
    pub notes: Vec<Diagnostic>,
    /// The JSON Pointer of the operation.
    pub pointer: String,
    /// The place of the operation.
    pub place: Place,
    /// The files of the document.
    pub registry: Arc<Registry>,
}

impl Operation {
    /// The place of a JSON Pointer in the document; a name after `#` at its end selects one of several.
    pub fn place_of(&self, pointer: &str) -> Place {
        let known = |pointer: &str| self.registry.nearest(pointer).place.clone();
        match pointer.rsplit_once('#') {
            Some((before, name)) if !name.starts_with('/') => known(before),
            _ => known(pointer),
        }
    }

    /// The preferred body, if one is sent.
    pub fn body(&self) -> Option<&Body> {
        self.bodies.first()
    }

    /// The parameters in one part of a request.
    pub fn parameters_in(&self, location: ParameterLocation) -> impl Iterator<Item = &Parameter> {
        self.parameters.iter().filter(move |p| p.location == location)
    }

    /// Frees what checking requests and answers has taken, see [`Schema::release`].
    pub fn release(&self) {
        let own = self.parameters.iter().map(|p| &p.schema).chain(self.bodies.iter().map(|body| &body.schema));
        let content = self.responses.iter().flat_map(|r| &r.content).filter_map(|media| media.schema.as_ref());
        let headers = self.responses.iter().flat_map(|r| &r.headers).filter_map(|header| header.schema.as_ref());
        own.chain(content).chain(headers).for_each(Schema::release);
    }

    /// What is not supported, one line for each part: `the query parameter "filter": …, openapi.yaml:12`.
    pub fn unsupported_lines(&self) -> Vec<String> {
        let line = |u: &Unsupported| {
            let place = u.message.place().map_or_else(String::new, |place| format!(" ({place})"));
            format!("{}: {}{place}", u.what, u.message.title())
        };
        self.unsupported.iter().map(line).collect()
    }

    /// The error to show first: an unsupported part may be the reason for another error.
    pub fn blame(&self, error: Box<Diagnostic>) -> Box<Diagnostic> {
        self.unsupported.first().map_or(error, |part| Box::new(part.message.clone()))
    }

    /// Why no valid request can be made, if a part that each of them needs is not supported.
    pub fn obstacle(&self) -> Option<&Unsupported> {
        self.unsupported.iter().find(|u| u.required_part)
    }
}

/// A part of a document that would change what is sent or judged, and that probity does not support.
#[derive(Clone, Debug)]
pub struct Unsupported {
    /// What it belongs to: `the query parameter "filter"`, `the response 200`.
    pub what: String,
    /// What is not supported, where, and what to do.
    pub message: Diagnostic,
    /// Whether every valid request needs it, so that the operation cannot be tested.
    pub required_part: bool,
}

/// A form that the request's body may take.
#[derive(Debug)]
pub struct Body {
    /// The media type as the document writes it; it may be a range, as `*/*`.
    pub media_type: String,
    /// Its schema; without one in the document, a schema that allows everything.
    pub schema: Schema,
    /// How the properties of a form are written, by name, where the document says so.
    pub encoding: Vec<(String, Encoding)>,
    /// The JSON Pointer of the request body.
    pub pointer: String,
    /// The place of the media type.
    pub place: Place,
}

/// How one property of a form is written.
#[derive(Clone, Debug, Default)]
pub struct Encoding {
    /// The media types of a part, one or several with commas.
    pub content_type: Option<String>,
    /// The style, if the property is written as a query parameter is.
    pub style: Option<super::parameter::Style>,
    /// Whether each item or member is written separately.
    pub explode: Option<bool>,
    /// Whether reserved characters are left unescaped.
    pub allow_reserved: bool,
}

/// An example in the document.
#[derive(Debug)]
pub struct Example {
    /// The request body.
    pub body: Json,
    /// Its place.
    pub place: Place,
    /// Whether the document gives it as a whole, and not only its parts, of which some may be missing.
    pub is_whole: bool,
}

/// The names in the braces of a path.
pub fn template_names(path: &str) -> Vec<&str> {
    path.split('{').skip(1).filter_map(|part| part.split_once('}').map(|(name, _)| name)).collect()
}
