//! What the document says of responses: status, media type, body and headers.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::Value as Json;

use super::Judge;
use super::bind::{Known, Seen};
use super::exchange::{answer, counterexample};
use super::finding::{Found, cut, short};
use crate::document::media::{self, essence, is_json};
use crate::document::response::{Header, MediaType, Response as Documented, is_of_any_server};
use crate::exchange::{Response, json_text};
use crate::schema::{Schema, Violation};
use crate::yaml::scalar;

/// The content coding that every request accepts.
const ACCEPTED: &str = "gzip";

/// Headers that may be dates as HTTP writes them, whatever their schema's format.
const DATES: &[&str] = &["date", "last-modified", "expires", "retry-after"];

impl Judge<'_> {
    /// The documented response for a status: for an undocumented success, the documented one.
    pub(super) fn documented(&self, status: u16) -> Option<(usize, &Documented)> {
        let responses = &self.contract.operation.responses;
        let exact = responses.iter().position(|r| r.status == status.to_string());
        let class = || responses.iter().position(|r| r.covers(status));
        let is_success = (200..300).contains(&status);
        let success = || is_success.then(|| responses.iter().position(Documented::is_success)).flatten();
        // `default` describes errors: it says nothing of a success.
        let default = || (!is_success).then(|| responses.iter().position(|r| r.status == "default")).flatten();
        let i = exact.or_else(class).or_else(success).or_else(default)?;
        Some((i, &responses[i]))
    }

    /// The response that came, if it is one of those documented as number `index`, and one of which something is known.
    fn response_of(self, index: usize, seen: &Seen) -> Option<(&Response, bool)> {
        let response = seen.exchange.response()?;
        let accepted = seen.accepted() == Known::Yes;
        if !accepted && seen.client_error(self) != Known::Yes {
            return None;
        }
        let (i, _) = self.documented(response.status)?;
        (i == index).then_some((response, accepted))
    }

    /// Whether an accepted request is answered with a status that the document names.
    pub(super) fn documented_status(self, seen: &Seen) -> Option<Found> {
        let status = seen.accepted_status()?;
        let responses = &self.contract.operation.responses;
        let documented = responses.iter().any(|r| r.covers(status) || r.status == "default");
        Some(if documented {
            Found::Holds
        } else {
            counterexample(seen, format!("status {}", self.statuses()), answer(&seen.exchange))
        })
    }

    /// Whether a refused request is answered with a status that the document names.
    pub(super) fn refusal_status(self, seen: &Seen) -> Option<Found> {
        let status = seen.exchange.status()?;
        if seen.exchange.request.raw || seen.client_error(self) != Known::Yes || is_of_any_server(status) {
            return None;
        }
        let responses = &self.contract.operation.responses;
        Some(if responses.iter().any(|r| r.covers(status)) {
            Found::Holds
        } else {
            counterexample(seen, format!("status {}", self.statuses()), answer(&seen.exchange))
        })
    }

    fn statuses(self) -> String {
        let names: Vec<&str> = self.contract.operation.responses.iter().map(|r| r.status.as_str()).collect();
        names.join(" or ")
    }

    /// Whether the response to an accepted request has a documented media type.
    pub(super) fn media_type(self, seen: &Seen) -> Option<Found> {
        let status = seen.accepted_status()?;
        let (_, documented) = self.documented(status)?;
        let response = seen.exchange.response()?;
        if documented.content.is_empty() || is_bodiless(seen, status) {
            return None;
        }
        let mut given: Vec<&str> = response
            .headers
            .iter()
            .filter(|(name, _)| name == "content-type")
            .map(|(_, value)| value.as_str())
            .collect();
        given.dedup();
        if given.len() > 1 {
            return Some(counterexample(seen, "one Content-Type", given.join(" and ")));
        }
        let given = response.media_type();
        if given.as_deref().is_some_and(|given| described(documented, given).is_some()) {
            return Some(Found::Holds);
        }
        let names: Vec<&str> = documented.content.iter().map(|m| m.name.as_str()).collect();
        let actual = match given {
            None => "no Content-Type".to_owned(),
            Some(essence) if essence.is_empty() => "a Content-Type without a media type".to_owned(),
            Some(essence) => essence,
        };
        Some(counterexample(seen, format!("media type {}", names.join(" or ")), actual))
    }

    /// Whether a response's body matches the schema of its media type.
    pub(super) fn shape(self, index: usize, seen: &Seen) -> Option<Found> {
        if let Some(coding) = seen.exchange.response().and_then(Response::unasked_coding) {
            let due = format!("a body that is not encoded, or encoded as the request accepts ({ACCEPTED})");
            return Some(counterexample(seen, due, format!("the encoding `{coding}`")));
        }
        if let Some(reason) = seen.exchange.response().and_then(|response| response.unread.as_ref()) {
            return Some(Found::Unknown(reason.clone(), vec![Arc::clone(&seen.exchange)]));
        }
        let (media, value) = match self.body_of(index, seen)? {
            Ok(body) => body,
            Err(found) => return Some(*found),
        };
        let Some(schema) = &media.schema else {
            return Some(Found::Skipped(format!("the document has no schema for bodies of type {}", media.name)));
        };
        Some(match value {
            Body::Json(json) => held(seen, "the body", json, schema.violations(json)),
            Body::Text(text) => text_held(seen, schema, &text),
            Body::Bytes => Found::Holds,
        })
    }

    /// Whether a response's body has no write-only property, or matches exactly one alternative where one is required.
    pub(super) fn excess(self, index: usize, seen: &Seen, several: bool) -> Option<Found> {
        let Ok((media, Body::Json(json))) = self.body_of(index, seen)? else {
            return None;
        };
        let mut excesses = media.schema.as_ref()?.excesses(json);
        excesses.retain(|violation| violation.several == several);
        let Some(first) = excesses.first() else {
            return Some(Found::Holds);
        };
        let place = if first.at.is_empty() { "the body" } else { &first.at };
        let value = short(json.pointer(&first.at));
        Some(match several {
            true => counterexample(
                seen,
                format!("{place} to match one alternative of {}", first.pointer),
                format!("{place} {value} matches several"),
            ),
            false => counterexample(seen, format!("no {place}, which is `writeOnly`"), format!("{place} {value}")),
        })
    }

    /// The body of a response and the media type that describes it; a verdict if it cannot be checked against a schema.
    fn body_of<'a>(&'a self, index: usize, seen: &'a Seen) -> Option<Result<(&'a MediaType, Body<'a>), Box<Found>>> {
        let (response, _) = self.response_of(index, seen)?;
        if is_bodiless(seen, response.status) {
            return None;
        }
        let documented = &self.contract.operation.responses[index];
        let given = response.media_type();
        let described = given.as_deref().and_then(|given| described(documented, given));
        // A wrong media type is a failure of its own; the body may still be the expected one.
        let media = described.or_else(|| documented.content.iter().find(|m| media::may_be_json(&m.name)))?;
        let kind = match (described, given) {
            (Some(_), Some(given)) => essence(&given),
            _ => "application/json".to_owned(),
        };
        let skip = |what: &str| {
            Some(Err(Box::new(Found::Skipped(format!(
                "{what} is not checked against a schema: only JSON and text are"
            )))))
        };
        if is_json(&kind) {
            return Some(match &seen.response_body {
                Some(_) if is_other_than_utf8(seen, response) => {
                    let actual =
                        format!("bytes that are not UTF-8: {}", cut(&String::from_utf8_lossy(&response.body), 120));
                    Err(Box::new(counterexample(seen, "a JSON body in UTF-8", actual)))
                }
                Some(body) => Ok((media, Body::Json(body))),
                None if media.schema.is_none() => Ok((media, Body::Bytes)),
                None => {
                    let text = String::from_utf8_lossy(&response.body);
                    let actual = match (text.is_empty(), std::str::from_utf8(&response.body)) {
                        (true, _) => "an empty body".to_owned(),
                        (_, Err(_)) if response.length == response.body.len() => {
                            format!("not JSON, which must be UTF-8: {}", cut(&text, 120))
                        }
                        _ => format!("not JSON: {}", json_text::why_not(&text).unwrap_or_else(|| cut(&text, 120))),
                    };
                    Err(Box::new(counterexample(seen, "a JSON body", actual)))
                }
            });
        }
        if kind == "application/xml" || kind == "text/xml" || kind.ends_with("+xml") {
            return skip("XML");
        }
        if ["text/event-stream", "application/x-www-form-urlencoded"].contains(&kind.as_str())
            || kind.starts_with("multipart/")
        {
            return skip(&format!("a body of type {kind}"));
        }
        if kind.starts_with("text/") && response.length == response.body.len() {
            return Some(Ok((media, Body::Text(String::from_utf8_lossy(&response.body).into_owned()))));
        }
        match &media.schema {
            Some(schema) if !may_be(schema, "string") => skip(&format!("a body of type {kind}")),
            _ => Some(Ok((media, Body::Bytes))),
        }
    }

    /// Whether the response to an accepted request has the required headers, in a form that can be read.
    pub(super) fn headers(self, index: usize, seen: &Seen) -> Option<Found> {
        let (response, true) = self.response_of(index, seen)? else {
            return None;
        };
        let mut missing = Vec::new();
        for header in self.contract.operation.responses[index].headers.iter().filter(|h| h.required) {
            match values(response, header).first() {
                None => missing.push((format!("the header {}", header.name), "no such header".to_owned())),
                Some(text) => {
                    if let Some(found) = unreadable(header, text) {
                        missing.push((format!("{} as {found}", header.name), format!("`{}`", cut(text, 120))));
                    }
                }
            }
        }
        let Some((expected, actual)) = missing.first().cloned() else {
            return Some(Found::Holds);
        };
        let more = if missing.len() > 1 { format!(", and {} more", missing.len() - 1) } else { String::new() };
        Some(counterexample(seen, expected, format!("{actual}{more}")))
    }

    /// Whether the headers of the response to an accepted request match their schemas.
    pub(super) fn header_values(self, index: usize, seen: &Seen) -> Option<Found> {
        let (response, true) = self.response_of(index, seen)? else {
            return None;
        };
        let mut judged = false;
        for header in &self.contract.operation.responses[index].headers {
            let Some(schema) = &header.schema else { continue };
            for text in values(response, header) {
                judged = true;
                let is_date = DATES.iter().any(|name| header.name.eq_ignore_ascii_case(name));
                if is_date && httpdate::parse_http_date(&text).is_ok() {
                    continue;
                }
                if let Some(violation) = breach_of(header, schema, &text) {
                    let value = format!("{}: {} ({})", header.name, cut(&text, 120), violation.message);
                    return Some(counterexample(seen, format!("{} as {} says", header.name, violation.pointer), value));
                }
            }
        }
        judged.then_some(Found::Holds)
    }
}

/// Whether JSON comes in another encoding than UTF-8 (RFC 8259, section 8.1), which its media type does not name. A server
/// that took odd bytes in a request may give them back.
fn is_other_than_utf8(seen: &Seen, response: &Response) -> bool {
    let request = &seen.exchange.request;
    let is_odd = request.raw || request.body.as_ref().is_some_and(|body| std::str::from_utf8(body).is_err());
    let charset = response
        .header("content-type")
        .and_then(|t| t.to_ascii_lowercase().split_once("charset=").map(|c| c.1.to_owned()));
    let names_another = charset.is_some_and(|charset| !charset.trim_matches(['"', ' ']).starts_with("utf"));
    !is_odd && !names_another && response.length == response.body.len() && std::str::from_utf8(&response.body).is_err()
}

/// A body that can be checked against a schema.
enum Body<'a> {
    Json(&'a Json),
    Text(String),
    /// A body of which only its presence can be checked.
    Bytes,
}

/// Whether there is no body by HTTP's own rules.
fn is_bodiless(seen: &Seen, status: u16) -> bool {
    seen.exchange.request.method == "HEAD" || matches!(status, 204 | 205 | 304)
}

/// The documented media type that describes a body best: itself, JSON by its suffix, a range.
fn described<'a>(documented: &'a Documented, given: &str) -> Option<&'a MediaType> {
    let find = |fits: &dyn Fn(&str) -> bool| documented.content.iter().find(|m| fits(&essence(&m.name)));
    find(&|name| name == given)
        // A type with the suffix `+json` is JSON of a kind that the document need not name (RFC 6839).
        .or_else(|| find(&|name| is_json(name) && given.ends_with("+json")))
        .or_else(|| find(&|name| name != "*/*" && media::covers(name, given)))
        .or_else(|| find(&|name| media::covers(name, given)))
}

fn held(seen: &Seen, whole: &str, body: &Json, mut violations: Vec<Violation>) -> Found {
    if violations.is_empty() {
        return Found::Holds;
    }
    violations.sort();
    let first = &violations[0];
    let place = if first.at.is_empty() { whole } else { &first.at };
    let value = body.pointer(&first.at);
    let more = match violations.len() {
        1 => String::new(),
        n => format!(", and {} more", n - 1),
    };
    // The name of a missing property follows the pointer: `…/required#name`.
    let pointer = first.pointer.rsplit_once('#').map_or(first.pointer.as_str(), |(pointer, _)| match &first.property {
        Some(_) => pointer,
        None => &first.pointer,
    });
    let says = match &first.property {
        Some(property) => format!("{place} with `{property}`, as {pointer} says"),
        None => format!("{place} as {pointer} says"),
    };
    let actual = format!("{place} {} ({}){more}", short(value), first.message.replace("value", "it"));
    match counterexample(seen, says, actual) {
        Found::Broken(mut counterexample) => {
            Arc::make_mut(&mut counterexample).wrong = Some(first.at.clone());
            Found::Broken(counterexample)
        }
        other => other,
    }
}

/// A text as a string, or as the number or boolean that it represents.
fn text_held(seen: &Seen, schema: &Schema, text: &str) -> Found {
    let as_text = Json::from(text);
    let said = scalar::plain(text.trim());
    if schema.is_valid(&as_text) || (!said.is_string() && schema.is_valid(&said)) {
        return Found::Holds;
    }
    let is_said = ["number", "integer", "boolean"].iter().any(|name| may_be(schema, name));
    match (may_be(schema, "string"), is_said) {
        (true, _) => held(seen, "the text", &as_text, schema.violations(&as_text)),
        (false, true) => held(seen, "the text", &said, schema.violations(&said)),
        (false, false) => Found::Skipped("text is not checked against a schema of objects or lists".to_owned()),
    }
}

/// Whether a schema's types allow this one.
fn may_be(schema: &Schema, name: &str) -> bool {
    match &schema.json()["type"] {
        Json::String(one) => one == name,
        Json::Array(all) => all.iter().any(|one| one == name),
        _ => true,
    }
}

/// The values of a header: one, joined as HTTP specifies, except for cookies.
fn values(response: &Response, header: &Header) -> Vec<String> {
    let own = response.headers.iter().filter(|(name, _)| name.eq_ignore_ascii_case(&header.name));
    let all: Vec<String> = own.map(|(_, value)| value.trim().to_owned()).collect();
    if header.name.eq_ignore_ascii_case("set-cookie") || all.is_empty() {
        return all;
    }
    vec![all.join(", ")]
}

/// The possible values of a header's text in the style `simple`.
fn readings(header: &Header, text: &str) -> Vec<Json> {
    if header.media_type.as_deref().is_some_and(is_json) {
        return serde_json::from_str(text).into_iter().collect();
    }
    let typed = |text: &str| scalar::plain(text);
    let items: Vec<&str> = if text.is_empty() { Vec::new() } else { text.split(',').map(str::trim).collect() };
    let pairs: Option<BTreeMap<&str, &str>> = if header.explode {
        items.iter().map(|item| item.split_once('=')).collect()
    } else {
        items.len().is_multiple_of(2).then(|| items.chunks(2).map(|pair| (pair[0], pair[1])).collect())
    };
    let object = |read: &dyn Fn(&str) -> Json| -> Option<Json> {
        Some(pairs.as_ref()?.iter().map(|(k, v)| ((*k).to_owned(), read(v))).collect::<serde_json::Map<_, _>>().into())
    };
    let mut all = vec![Json::from(text), typed(text)];
    all.push(items.iter().map(|item| Json::from(*item)).collect());
    all.push(items.iter().map(|item| typed(item)).collect());
    all.extend(object(&|text| Json::from(text)));
    all.extend(object(&typed));
    all
}

/// The expected type, if no reading of a header's text has a type that its schema allows.
fn unreadable(header: &Header, text: &str) -> Option<String> {
    let schema = header.schema.as_ref()?;
    let of_type = |json: &Json| schema.violations(json).iter().any(|v| v.at.is_empty() && v.keyword == "type");
    let all = readings(header, text);
    let types = &schema.json()["type"];
    (!all.iter().any(|json| !of_type(json)) && !types.is_null())
        .then(|| types.as_str().map_or_else(|| types.to_string(), str::to_owned))
}

/// How a header's text breaks its schema, in each possible reading.
fn breach_of(header: &Header, schema: &Schema, text: &str) -> Option<Violation> {
    let mut nearest: Option<Violation> = None;
    for json in readings(header, text) {
        let violations = schema.violations(&json);
        let first = violations.into_iter().next()?;
        let is_nearer = nearest.as_ref().is_none_or(|v| v.keyword == "type" && first.keyword != "type");
        if is_nearer {
            nearest = Some(first);
        }
    }
    nearest
}
