//! Drafts as the bytes that are sent.

use std::collections::HashSet;
use std::sync::Mutex;

use chrono::{DateTime, Utc};
use proptest::test_runner::TestRunner;
use serde_json::{Value as Json, json};

use super::draft::{Content, Credentials, Draft};
use super::instant::spell;
use super::media;
use super::parameter::decode::cookies;
use super::parameter::encode;
use super::seed::{RunTag, Seed};
use super::string::fresh::{Tag, fresh};
use crate::contract::template::{FreshKind, Template, When};
use crate::document::operation::{Operation, template_names};
use crate::document::parameter::{Parameter, ParameterLocation};
use crate::exchange::{HeaderCase, Request, Shown, TrialName};
use crate::expression::{Scope, Trouble};

/// The idempotency keys of a run, so that none is used twice.
#[derive(Debug, Default)]
pub struct Issued(Mutex<HashSet<String>>);

impl Issued {
    fn take(&self, key: &str) -> bool {
        self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner).insert(key.to_owned())
    }
}

/// The context in which values are made.
pub struct Rendering<'a> {
    /// The server's present time.
    pub now: DateTime<Utc>,
    /// The run tag.
    pub run_tag: &'a RunTag,
    /// The run's seed.
    pub seed: Seed,
    /// The trial's name, which fresh values depend on.
    pub trial: &'a str,
    /// The number of fresh values that were made for the trial.
    pub count: u64,
    /// The short keys of the run.
    pub issued: &'a Issued,
    /// The scope of expressions.
    pub scope: &'a Scope,
    /// The row of the table.
    pub row: Option<&'a Template>,
    /// The trial's randomness.
    pub runner: &'a mut TestRunner,
}

/// Everything but letters, digits and `-._~`.
const PATH: &percent_encoding::AsciiSet =
    &percent_encoding::NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// A value as a segment of a path.
pub fn segment(value: &str) -> String {
    percent_encoding::utf8_percent_encode(value, PATH).to_string()
}

/// Whether a value is a list or an object.
fn is_structured(template: &Template) -> bool {
    matches!(template, Template::List(_) | Template::Object(_) | Template::Literal(Json::Array(_) | Json::Object(_)))
}

impl Rendering<'_> {
    /// A draft as a request.
    ///
    /// # Errors
    /// Values that cannot be made, see [`Trouble`].
    pub fn request(&mut self, draft: &Draft, operation: &Operation) -> Result<Request, Trouble> {
        let mut parameters = Vec::new();
        // What is behind `#` tells operations apart in the document, and is never sent.
        let mut path = operation.path.split('#').next().unwrap_or_default().to_owned();
        for name in template_names(&operation.path) {
            let (written, value) = match draft.path.iter().find(|(n, _)| n == name) {
                Some((_, template)) => self.segment(template, operation, name)?,
                None => (String::new(), String::new()),
            };
            path = path.replace(&format!("{{{name}}}"), &written);
            parameters.push((name.to_owned(), value));
        }
        let query = self.query(draft, operation)?;
        if !query.is_empty() {
            path.push(if path.contains('?') { '&' } else { '?' });
            path.push_str(&query);
        }
        let mut headers = Vec::new();
        for (name, value) in &draft.headers {
            headers.push((name.clone(), self.header(value, operation, name)?));
        }
        self.cookies(draft, operation, &mut headers)?;
        // All requests of a trial have the same case, including those that are sent again for it.
        let trial = TrialName::planned(self.trial);
        let case = draft.header_case.unwrap_or_else(|| match self.seed.pick(&format!("{trial}/header-case"), 0, 2) {
            0 => HeaderCase::Lower,
            _ => HeaderCase::Title,
        });
        headers.iter_mut().for_each(|(name, _)| *name = case.apply(name));
        let (body, raw) = match &draft.body {
            Content::None => (None, false),
            Content::Json(template) => (Some(self.body(template, operation, &mut headers)?), false),
            Content::Raw(pieces) => {
                let mut bytes = Vec::new();
                for piece in pieces {
                    self.bytes(piece, &mut bytes)?;
                }
                (Some(bytes), true)
            }
        };
        Ok(Request {
            operation: draft.operation,
            method: operation.method.clone(),
            path,
            parameters,
            headers,
            identity: self.plain(&draft.identity)?,
            credentials: match &draft.credentials {
                Credentials::Own => Shown::Own,
                Credentials::None => Shown::Nothing,
                Credentials::Text(text) => Shown::Text(self.plain(text)?),
            },
            body: body.map(bytes::Bytes::from),
            raw,
        })
    }

    /// A value in the media type that the header `Content-Type` names.
    fn body(
        &mut self,
        template: &Template,
        operation: &Operation,
        headers: &mut [(String, String)],
    ) -> Result<Vec<u8>, Trouble> {
        let text = self.json(template)?;
        let named = headers.iter_mut().find(|(name, _)| name.eq_ignore_ascii_case("content-type"));
        let Some((_, content_type)) = named else { return Ok(text.into_bytes()) };
        let form = media::form_of(operation, content_type).filter(|f| media::kind(&f.media_type) != media::Kind::Json);
        let (Some(form), Ok(value)) = (form, serde_json::from_str(&text)) else { return Ok(text.into_bytes()) };
        self.count += 1;
        let name = format!("{}/{}/boundary", self.run_tag.text(), self.trial);
        let boundary = format!("probity-{}", self.seed.digits(&name, self.count, 16));
        let (whole, bytes) = media::encode(form, &value, &boundary);
        *content_type = whole;
        Ok(bytes)
    }

    /// The query, escaped.
    fn query(&mut self, draft: &Draft, operation: &Operation) -> Result<String, Trouble> {
        let mut parts = Vec::new();
        for (name, template) in &draft.query {
            if let Template::Bytes(written) = template {
                parts.push(encode::written(&String::from_utf8_lossy(written)));
                continue;
            }
            let known = operation.parameters_in(ParameterLocation::Query).find(|p| p.name == *name);
            let whole = operation.parameters_in(ParameterLocation::Querystring).find(|p| p.name == *name);
            parts.push(match (known, whole) {
                (Some(parameter), _) => encode::query(parameter, &self.value(template)?),
                (None, Some(_)) => match self.value(template)? {
                    Json::Object(map) => {
                        let pair = |(k, v): (&String, &Json)| {
                            format!("{}={}", encode::escaped(k), encode::escaped(&encode::plain(v)))
                        };
                        map.iter().map(pair).collect::<Vec<_>>().join("&")
                    }
                    other => encode::escaped(&encode::plain(&other)),
                },
                (None, None) => format!("{}={}", encode::escaped(name), encode::escaped(&self.plain(template)?)),
            });
        }
        parts.retain(|part| !part.is_empty());
        Ok(parts.join("&"))
    }

    /// Puts the cookies into the header `Cookie`, in place of those of the same names.
    fn cookies(
        &mut self,
        draft: &Draft,
        operation: &Operation,
        headers: &mut Vec<(String, String)>,
    ) -> Result<(), Trouble> {
        if draft.cookies.is_empty() {
            return Ok(());
        }
        let mut parts = Vec::new();
        for (name, template) in &draft.cookies {
            let known = operation.parameters_in(ParameterLocation::Cookie).find(|p| p.name == *name);
            parts.push(match known {
                Some(parameter) => encode::cookie(parameter, &self.value(template)?),
                None => format!("{name}={}", encode::escaped(&self.plain(template)?)),
            });
        }
        let is_new = |name: &str| draft.cookies.iter().any(|(n, _)| n == name);
        let place = headers.iter().position(|(name, _)| name.eq_ignore_ascii_case("cookie"));
        if let Some(place) = place {
            let (_, before) = headers.remove(place);
            let kept = cookies(&before).into_iter().filter(|(name, _)| !is_new(name));
            parts = kept.map(|(name, value)| format!("{name}={value}")).chain(parts).collect();
        }
        headers.push(("Cookie".to_owned(), parts.join("; ")));
        Ok(())
    }

    /// A value as it is written in the path, in the document's style, and the same unescaped.
    fn segment(&mut self, template: &Template, operation: &Operation, name: &str) -> Result<(String, String), Trouble> {
        let Some(parameter) = operation.parameters_in(ParameterLocation::Path).find(|p| p.name == name) else {
            let text = self.plain(template)?;
            return Ok((segment(&text), text));
        };
        let value = if is_structured(template) { self.value(template)? } else { json!(self.plain(template)?) };
        Ok((encode::path(parameter, &value), encode::text(parameter, &value)))
    }

    /// A value as it is written in a header, in the document's style.
    fn header(&mut self, template: &Template, operation: &Operation, name: &str) -> Result<String, Trouble> {
        let is_it = |p: &&Parameter| p.name.eq_ignore_ascii_case(name);
        match operation.parameters_in(ParameterLocation::Header).find(is_it) {
            Some(p) if is_structured(template) => Ok(encode::text(p, &self.value(template)?)),
            _ => self.plain(template),
        }
    }

    /// A value as JSON.
    fn value(&mut self, template: &Template) -> Result<Json, Trouble> {
        let text = self.json(template)?;
        // A value that is not JSON is a text.
        Ok(serde_json::from_str(&text).unwrap_or(Json::String(text)))
    }

    /// A value as JSON text.
    fn json(&mut self, template: &Template) -> Result<String, Trouble> {
        Ok(match template {
            Template::Literal(json) => json.to_string(),
            Template::Text(text) => text.clone(),
            Template::Cel(e) => e.json(self.scope)?.to_string(),
            Template::Integer { from, to } => self.integer(*from, *to).to_string(),
            Template::List(items) => {
                let parts: Result<Vec<_>, _> = items.iter().map(|t| self.json(t)).collect();
                format!("[{}]", parts?.join(","))
            }
            Template::Object(entries) => {
                let parts: Result<Vec<_>, Trouble> =
                    entries.iter().map(|(k, t)| Ok(format!("{}:{}", json!(k), self.json(t)?))).collect();
                format!("{{{}}}", parts?.join(","))
            }
            Template::Row(path) => {
                let part = self.row_part(path)?;
                self.json(&part)?
            }
            Template::Bytes(bytes) => json!(String::from_utf8_lossy(bytes)).to_string(),
            _ => json!(self.plain(template)?).to_string(),
        })
    }

    /// A value as it is written in a header or a path: strings without quotes.
    fn plain(&mut self, template: &Template) -> Result<String, Trouble> {
        Ok(match template {
            Template::Literal(Json::String(text)) => text.clone(),
            Template::Cel(e) => match e.json(self.scope)? {
                Json::String(text) => text,
                other => other.to_string(),
            },
            Template::Fresh { kind, length, like } => {
                // A missing fixture has no form to take.
                let known = like.as_ref().and_then(|like| like.json(self.scope).ok());
                match known.as_ref().and_then(Json::as_str).and_then(|known| self.alike(known)) {
                    Some(id) => id,
                    None => self.fresh(*kind, *length),
                }
            }
            Template::Instant { when, spelling } => {
                let instant = match when {
                    When::Cel(e) => e.instant(self.scope)?,
                    When::FromNow(distance) => self
                        .now
                        .checked_add_signed(*distance)
                        .ok_or_else(|| Trouble::Error("the instant lies beyond the calendar".into()))?,
                };
                spell(instant, *spelling)
            }
            Template::Filler { text, times } => text.repeat(*times),
            Template::Marked(text) => format!("probity-{} {text}", self.run_tag.text()),
            Template::Unique { text, schema } => {
                self.count += 1;
                let name = format!("{}/unique", self.trial);
                let number = self.seed.number(&name, self.count);
                fresh(schema, text, Tag { run: self.run_tag.text(), number })
            }
            Template::Row(path) => {
                let part = self.row_part(path)?;
                self.plain(&part)?
            }
            Template::Bytes(bytes) => String::from_utf8_lossy(bytes).into_owned(),
            Template::Text(text) => text.clone(),
            other => self.json(other)?,
        })
    }

    fn bytes(&mut self, template: &Template, out: &mut Vec<u8>) -> Result<(), Trouble> {
        match template {
            Template::Bytes(bytes) => out.extend_from_slice(bytes),
            Template::List(items) => {
                for item in items {
                    self.bytes(item, out)?;
                }
            }
            Template::Row(path) => {
                let part = self.row_part(path)?;
                self.bytes(&part, out)?;
            }
            other => out.extend_from_slice(self.plain(other)?.as_bytes()),
        }
        Ok(())
    }

    /// A row's value for expressions, with everything made that can be made.
    pub fn row_json(&mut self, row: &Template) -> Json {
        match row {
            Template::Object(entries) => entries
                .iter()
                .filter(|(_, t)| !matches!(t, Template::Fresh { .. } | Template::Integer { .. }))
                .map(|(k, t)| (k.clone(), self.row_json(t)))
                .collect::<serde_json::Map<_, _>>()
                .into(),
            Template::List(items) => items.iter().map(|t| self.row_json(t)).collect(),
            Template::Literal(json) => json.clone(),
            other => self.json(other).ok().and_then(|text| serde_json::from_str(&text).ok()).unwrap_or(Json::Null),
        }
    }

    fn row_part(&self, path: &[String]) -> Result<Template, Trouble> {
        self.row
            .and_then(|row| row.part(path))
            .cloned()
            .ok_or_else(|| Trouble::Error(format!("the row has no `{}`", path.join("."))))
    }

    fn integer(&mut self, from: i64, to: i64) -> i64 {
        use proptest::strategy::{Strategy, ValueTree};
        (from..=to).new_tree(self.runner).map_or(from, |tree| tree.current())
    }

    /// An id of the same form as a known one; None if that leaves so little to chance that the id may exist.
    fn alike(&mut self, known: &str) -> Option<String> {
        let hexadecimal = known.chars().all(|c| c.is_ascii_hexdigit() || c == '-');
        let is_uuid = hexadecimal && known.len() == 36 && known.bytes().filter(|b| *b == b'-').count() == 4;
        // The part before the first separator is the type of the resource.
        let prefix = if is_uuid { 0 } else { known.find(['_', '-']).map_or(0, |at| at + 1) };
        // The version and variant of a UUID are kept.
        let keeps = |i: usize| i < prefix || (is_uuid && (i == 14 || i == 19));
        let free = known.char_indices().filter(|(i, c)| !keeps(*i) && c.is_ascii_alphanumeric()).count();
        if free < 8 {
            return None;
        }
        self.count += 1;
        let name = format!("{}/{}/alike", self.run_tag.text(), self.trial);
        let digits = self.seed.digits(&name, self.count, 2 * known.len());
        let mut draws = digits.as_bytes().chunks(2).map(|pair| {
            let nibble = |b: u8| u32::from(char::from(b).to_digit(16).unwrap_or(0) as u8);
            nibble(pair[0]) * 16 + nibble(pair[1])
        });
        let id: String = known
            .char_indices()
            .map(|(i, c)| {
                let draw = draws.next().unwrap_or(0);
                let pick = |from: char, many: u32| char::from_u32(u32::from(from) + draw % many).unwrap_or(c);
                match c {
                    _ if keeps(i) => c,
                    '0'..='9' => pick('0', 10),
                    'a'..='f' if hexadecimal => pick('a', 6),
                    'A'..='F' if hexadecimal => pick('A', 6),
                    'a'..='z' => pick('a', 26),
                    'A'..='Z' => pick('A', 26),
                    other => other,
                }
            })
            .collect();
        (id != known && self.issued.take(&id)).then_some(id)
    }

    /// A value that neither this run nor an earlier one has used.
    fn fresh(&mut self, kind: FreshKind, length: Option<usize>) -> String {
        loop {
            self.count += 1;
            let name = format!("{}/{}", self.run_tag.text(), self.trial);
            let digits = self.seed.digits(&name, self.count, 20);
            let decimal = |c: char| char::from_digit(c.to_digit(16).unwrap_or(0) % 10, 10).unwrap_or('0');
            let whole = match kind {
                FreshKind::UnknownId => format!("none{}{digits}", self.run_tag.text()),
                FreshKind::Key => format!("probity-{}-{digits}", self.run_tag.text()),
                FreshKind::KeyUuid => {
                    let d = self.seed.digits(&name, self.count, 30);
                    format!("{}-{}-4{}-8{}-{}", &d[..8], &d[8..12], &d[12..15], &d[15..18], &d[18..30])
                }
                FreshKind::Number => std::iter::once('7').chain(digits.chars().take(17).map(decimal)).collect(),
            };
            let text = match length {
                None => whole,
                Some(n) if kind == FreshKind::Number => {
                    self.seed.digits(&name, self.count, n).chars().map(decimal).collect()
                }
                Some(n) if n < 30 => self
                    .seed
                    .digits(&format!("{name}/short"), self.count, n)
                    .chars()
                    .zip(self.seed.digits(&name, self.count, n).chars())
                    .map(|(a, b)| visible(a, b))
                    .collect(),
                Some(n) => whole.chars().chain(std::iter::repeat('k')).take(n).collect(),
            };
            // There are few keys of one character: when all are used, one is repeated.
            if self.issued.take(&text) || (length.is_some_and(|n| n < 3) && self.count > 200) {
                return text;
            }
        }
    }
}

/// One of 64 visible characters, from two hexadecimal digits.
fn visible(a: char, b: char) -> char {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let n = a.to_digit(16).unwrap_or(0) * 16 + b.to_digit(16).unwrap_or(0);
    char::from(ALPHABET[(n % 64) as usize])
}
