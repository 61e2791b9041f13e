//! An operation of a document: what is sent, what may come back, and who may ask.

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
    /// The servers that speak for it, as written.
    pub servers: Vec<String>,
    /// What requests carry beside a body: path parameters in the order of the path, the others in that of the document.
    /// `Accept`, `Content-Type` and `Authorization` are not among them.
    pub parameters: Vec<Parameter>,
    /// The forms that a body may take, one for each media type, the one to prefer first; none where there is no body.
    pub bodies: Vec<Body>,
    /// Whether a request without a body breaks the document.
    pub body_required: bool,
    /// The documented responses in the order of the document.
    pub responses: Vec<Response>,
    /// What a caller shows to be told from others; None where anyone may call. It is the first of the alternatives, until
    /// the settings say which of them they can serve.
    pub security: Option<Security>,
    /// What a caller may show, any of them; none where the document asks for nothing.
    pub alternatives: Vec<Alternative>,
    /// Examples of whole request bodies, with their places.
    pub examples: Vec<Example>,
    /// Parts that would change what is sent or judged, and that probity does not support.
    pub unsupported: Vec<Unsupported>,
    /// Parts of it that are odd, but cannot change what is sent or judged.
    pub notes: Vec<Diagnostic>,
    /// The JSON Pointer of the operation.
    pub pointer: String,
    /// Where the operation stands.
    pub place: Place,
    /// The files of the document.
    pub registry: Arc<Registry>,
}

impl Operation {
    /// Where something stands in the document, by its JSON Pointer; a name behind `#` at its end tells which of several
    /// is meant.
    pub fn place_of(&self, pointer: &str) -> Place {
        let known = |pointer: &str| self.registry.nearest(pointer).place.clone();
        match pointer.rsplit_once('#') {
            Some((before, name)) if !name.starts_with('/') => known(before),
            _ => known(pointer),
        }
    }

    /// The body to prefer, if one is sent.
    pub fn body(&self) -> Option<&Body> {
        self.bodies.first()
    }

    /// The parameters that stand in one part of a request.
    pub fn parameters_in(&self, location: ParameterLocation) -> impl Iterator<Item = &Parameter> {
        self.parameters.iter().filter(move |p| p.location == location)
    }

    /// What is not supported, a line each: `the query parameter "filter": …, openapi.yaml:12`.
    pub fn unsupported_lines(&self) -> Vec<String> {
        let line = |u: &Unsupported| {
            let place = u.message.place().map_or_else(String::new, |place| format!(" ({place})"));
            format!("{}: {}{place}", u.what, u.message.title())
        };
        self.unsupported.iter().map(line).collect()
    }

    /// The error that a person should see first: what is not supported may be why something else does not fit.
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
    /// What it may be; without a schema in the document, anything.
    pub schema: Schema,
    /// How the properties of a form are written, by name, where the document says so.
    pub encoding: Vec<(String, Encoding)>,
    /// The JSON Pointer of the request body.
    pub pointer: String,
    /// Where the media type stands.
    pub place: Place,
}

/// How one property of a form is written.
#[derive(Clone, Debug, Default)]
pub struct Encoding {
    /// The media types of a part, one or several with commas.
    pub content_type: Option<String>,
    /// The style, if the property is written as a query parameter is.
    pub style: Option<super::parameter::Style>,
    /// Whether each item or member is written by itself.
    pub explode: Option<bool>,
    /// Whether reserved characters stand as they are.
    pub allow_reserved: bool,
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
