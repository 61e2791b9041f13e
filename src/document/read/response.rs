//! Reading responses.

use super::Reader;
use super::field::{self, known};
use crate::document::response::{Header, Link, MediaType, Response};
use crate::schema::Direction;
use crate::schema::registry::Located;

impl<'a> Reader<'a> {
    pub(super) fn responses(&mut self, operation: &Located<'a>) -> Vec<Response> {
        let mut all = Vec::new();
        for (status, at) in operation.get("responses").map(|r| r.entries()).unwrap_or_default() {
            let name = status.name.as_str();
            if name.starts_with("x-") {
                continue;
            }
            if !is_status(name) {
                let error = status.place.error(format!("`{name}` is not a status code"));
                self.problems.note(error.help("write it as `201`, `2XX` or `default`; it is ignored"));
                continue;
            }
            let what = format!("the response {name}");
            let Some(at) = self.follow(at, &what, false) else { continue };
            known(&at, "a response", field::RESPONSE, self.version, &mut self.problems);
            let mut content = Vec::new();
            for (key, media) in at.get("content").map(|c| c.entries()).unwrap_or_default() {
                let what = format!("{what} of type {}", key.name);
                let Some(media) = self.follow(media, &what, false) else { continue };
                known(&media, "a media type", field::MEDIA_TYPE, self.version, &mut self.problems);
                if let Some(items) = media.get("itemSchema") {
                    self.problems.note(items.node.error("the items of a stream are not checked"));
                }
                let schema = media.get("schema");
                let schema = schema.and_then(|schema| self.schema(&schema, Direction::Response, &what, false));
                content.push(MediaType { name: key.name.clone(), schema });
            }
            all.push(Response {
                status: name.to_owned(),
                content,
                headers: self.headers(&at, &what),
                links: links(self, &at),
                pointer: self.registry.pointer(&at),
            });
        }
        all
    }

    fn headers(&mut self, response: &Located<'a>, what: &str) -> Vec<Header> {
        let mut all = Vec::new();
        for (key, at) in response.get("headers").map(|h| h.entries()).unwrap_or_default() {
            if key.name.eq_ignore_ascii_case("content-type") {
                self.problems.note(key.place.error("`Content-Type` as a header is ignored, as OpenAPI requires"));
                continue;
            }
            let what = format!("the header {} of {what}", key.name);
            let Some(at) = self.follow(at, &what, false) else { continue };
            known(&at, "a header", field::HEADER, self.version, &mut self.problems);
            let media = at
                .get("content")
                .and_then(|content| content.entries().into_iter().next().map(|(key, media)| (key.name.clone(), media)));
            let schema = media.as_ref().map_or_else(|| at.get("schema"), |(_, media)| media.get("schema"));
            let schema = schema.and_then(|schema| self.schema(&schema, Direction::Response, &what, false));
            all.push(Header {
                name: key.name.clone(),
                required: at.flag("required"),
                schema,
                explode: at.flag("explode"),
                media_type: media.map(|(name, _)| name),
                pointer: self.registry.pointer(&at),
            });
        }
        all
    }
}

fn links(reader: &mut Reader<'_>, response: &Located<'_>) -> Vec<Link> {
    let mut all = Vec::new();
    for (_, at) in response.get("links").map(|l| l.entries()).unwrap_or_default() {
        let at = match reader.registry.follow(at) {
            Ok(at) => at,
            Err(error) => {
                reader.problems.note(error);
                continue;
            }
        };
        let target = match (at.get("operationId"), at.get("operationRef")) {
            (Some(id), _) => reader.entries.iter().find(|e| e.operation_id.as_deref() == id.node.string("").ok()),
            (None, Some(reference)) => {
                let text = reference.node.string("").unwrap_or_default();
                let led = reader.registry.resolve(&at, text, &reference.node.place).ok();
                led.and_then(|led| reader.entries.iter().find(|e| led.key() == (e.at.0, e.at.1.as_str())))
            }
            (None, None) => None,
        };
        let Some(target) = target else {
            reader.problems.note(at.node.error("this link names no operation of the document").help("it is ignored"));
            continue;
        };
        if let Some(body) = at.get("requestBody") {
            reader.problems.note(body.node.error("the body that this link gives is not used"));
        }
        let parameters = at.get("parameters").map(|p| p.entries()).unwrap_or_default();
        all.push(Link {
            path: target.path.clone(),
            parameters: parameters.iter().map(|(key, value)| (key.name.clone(), value.node.to_json())).collect(),
        });
    }
    all
}

/// `default`, a number, or a class of numbers.
fn is_status(name: &str) -> bool {
    let is_class =
        |name: &str| name.len() == 3 && name.as_bytes()[0].is_ascii_digit() && name[1..].eq_ignore_ascii_case("xx");
    name == "default" || (name.len() == 3 && name.parse::<u16>().is_ok()) || (name.is_ascii() && is_class(name))
}
