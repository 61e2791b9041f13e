//! Reading request bodies.

use super::field::{self, known};
use super::{Reader, example};
use crate::document::media::BodyKind;
use crate::document::operation::{Body, Encoding, Example};
use crate::document::parameter::Style;
use crate::schema::registry::Located;
use crate::schema::{Direction, Schema};

/// What the document says of the request's body.
#[derive(Default)]
pub(super) struct Bodies {
    pub(super) bodies: Vec<Body>,
    pub(super) required: bool,
    pub(super) examples: Vec<Example>,
}

impl<'a> Reader<'a> {
    pub(super) fn body(&mut self, operation: &Located<'a>) -> Bodies {
        let mut all = Bodies::default();
        let Some(at) = operation.get("requestBody") else {
            return all;
        };
        // `required` is at the target of the reference.
        let Some(at) = self.follow(at, "the request body", true) else {
            return all;
        };
        known(&at, "a request body", field::REQUEST_BODY, self.version, &mut self.problems);
        all.required = at.flag("required");
        let Some(content) = at.get("content").filter(|content| !content.entries().is_empty()) else {
            self.problems
                .note(at.node.error("this request body has no `content`").help("requests are sent without a body"));
            all.required = false;
            return all;
        };
        let mut entries = content.entries();
        entries.sort_by_key(|(key, _)| BodyKind::rank(&key.name));
        let usable = entries.iter().filter(|(key, _)| BodyKind::of(&key.name).is_some()).count();
        for (key, media) in entries {
            let name = key.name.as_str();
            let what = format!("the request body of type {name}");
            let Some(media) = self.follow(media, &what, all.required && usable < 2) else { continue };
            known(&media, "a media type", field::MEDIA_TYPE, self.version, &mut self.problems);
            let schema_at = media.get("schema");
            let needed = all.required && usable < 2;
            let Some(kind) = BodyKind::of(name) else {
                let error = key.place.error(format!("request bodies of the type {name} cannot be generated"));
                self.skip(
                    &what,
                    error.help("supported are JSON, forms, plain text and octet streams"),
                    all.required && usable == 0,
                );
                continue;
            };
            let schema = match &schema_at {
                Some(at) => match self.schema(at, Direction::Request, &what, needed) {
                    Some(schema) => schema,
                    None => continue,
                },
                None => Schema::anything(Direction::Request),
            };
            if all.bodies.is_empty() && kind == BodyKind::Json {
                all.examples = self.whole(&media, schema_at);
            }
            all.bodies.push(Body {
                media_type: name.to_owned(),
                schema,
                encoding: self.encoding(&media, kind),
                pointer: self.registry.pointer(&at),
                place: key.place.clone(),
            });
        }
        all
    }

    /// Examples of the whole body, and the one that the properties' own examples make up.
    fn whole(&mut self, media: &Located<'a>, schema: Option<Located<'a>>) -> Vec<Example> {
        let mut all = example::values(self.registry, media);
        let mut parts = None;
        if let Some(schema) = schema.and_then(|schema| self.registry.follow(schema).ok()) {
            all.extend(example::of_schema(&schema));
            if let Some(properties) = schema.get("properties") {
                let mut body = serde_json::Map::new();
                for (key, property) in properties.entries() {
                    let Ok(property) = self.registry.follow(property) else { continue };
                    if let Some((value, _)) = example::of_schema(&property).into_iter().next() {
                        body.insert(key.name.clone(), value);
                    }
                }
                if !body.is_empty() {
                    parts = Some(Example { body: body.into(), place: properties.node.place.clone(), is_whole: false });
                }
            }
        }
        all.into_iter().map(|(body, place)| Example { body, place, is_whole: true }).chain(parts).collect()
    }

    fn encoding(&mut self, media: &Located<'a>, kind: BodyKind) -> Vec<(String, Encoding)> {
        let Some(at) = media.get("encoding") else {
            return Vec::new();
        };
        if !matches!(kind, BodyKind::Form | BodyKind::Multipart) {
            self.problems.note(at.node.error("`encoding` applies only to forms").help("it is ignored here"));
            return Vec::new();
        }
        let mut all = Vec::new();
        for (key, at) in at.entries() {
            known(&at, "an encoding", field::ENCODING, self.version, &mut self.problems);
            if let Some(headers) = at.get("headers") {
                self.problems.note(headers.node.error("headers of the parts of a form are not sent"));
            }
            all.push((
                key.name.clone(),
                Encoding {
                    content_type: at.text("contentType").map(str::to_owned),
                    style: at.text("style").and_then(Style::read),
                    explode: at.node.get("explode").map(|_| at.flag("explode")),
                    allow_reserved: at.flag("allowReserved"),
                },
            ));
        }
        all
    }
}
