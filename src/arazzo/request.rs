//! A step's request in the case language.

use std::fmt::Write as _;

use serde_json::{Value as Json, json};

use super::file::{Arazzo, Entry, Step, Workflow, required, unread};
use super::scene::{Scene, location};
use super::value::{expression, is_constant, template};
use super::{Notes, Outcome, Trouble};
use crate::contract::documented::{Part, knows};
use crate::document::media::{essence, is_json};
use crate::document::operation::Operation;
use crate::document::parameter::ParameterLocation;
use crate::document::security::Carrier;
use crate::source::{Place, Result};
use crate::yaml::{Node, escape};

const PARAMETER: &[&str] = &["name", "in", "value"];
const BODY: &[&str] = &["contentType", "payload", "replacements"];
const REPLACEMENT: &[&str] = &["target", "value"];

/// What a step sends, as it differs from the smallest valid request.
#[derive(Debug, Default)]
pub(super) struct Request {
    path: Vec<(String, Json)>,
    query: Vec<(String, Json)>,
    headers: Vec<(String, Json)>,
    cookies: Vec<(String, Json)>,
    authorization: Option<Json>,
    set: Vec<(String, Json)>,
    drop: Vec<String>,
    raw: Option<Json>,
    undocumented: Vec<String>,
}

/// A parameter of a step.
struct Parameter<'a> {
    name: &'a str,
    location: ParameterLocation,
    value: &'a Node,
    /// Whether the workflow gives it, for all steps.
    is_shared: bool,
}

impl Request {
    /// The request of a step.
    pub(super) fn of(step: &Step, operation: &Operation, scene: Scene<'_>, notes: &mut Notes) -> Outcome<Self> {
        let mut request = Self::default();
        let parameters = parameters(scene.arazzo, scene.workflow, step, operation, notes).map_err(Trouble::Wrong)?;
        for parameter in parameters {
            request.parameter(&parameter, operation, scene, notes)?;
        }
        let given = |name: &str| request.path.iter().any(|(own, _)| own == name);
        if let Some(missing) = operation.parameters_in(ParameterLocation::Path).find(|p| !given(&p.name)) {
            return Err(Trouble::Unsupported(format!("it has no value for `{}` in the path", missing.name)));
        }
        if let Some(body) = step.node.get("requestBody") {
            request.body(body, operation, scene, notes)?;
        }
        Ok(request)
    }

    fn parameter(
        &mut self,
        parameter: &Parameter<'_>,
        operation: &Operation,
        scene: Scene<'_>,
        notes: &mut Notes,
    ) -> Outcome<()> {
        let Parameter { name, location, value, is_shared } = *parameter;
        let json = value.to_json();
        if is_credential(operation, location, name) {
            // A token that an earlier step was given is the workflow's own; any other is the target's.
            if !json.to_string().contains("$steps.") {
                let title = format!("the credentials in `{name}` are not sent: those of the settings are");
                notes.add(value.error(title));
                return Ok(());
            }
            if location == ParameterLocation::Header {
                self.authorization = Some(template(&json, &value.place, scene)?);
                return Ok(());
            }
        }
        let part = match location {
            ParameterLocation::Path => Part::PathParameter(name),
            ParameterLocation::Header => Part::Header(name),
            ParameterLocation::Cookie => Part::Cookie(name),
            _ => Part::Query(name),
        };
        if !knows(operation, part) {
            if location == ParameterLocation::Path {
                if !is_shared {
                    let title = format!("the path of `{}` has no parameter `{name}`, so it is not sent", operation.id);
                    notes.add(value.error(title));
                }
                return Ok(());
            }
            self.undocumented.push(name.to_owned());
        }
        let to = match location {
            ParameterLocation::Path => &mut self.path,
            ParameterLocation::Header => &mut self.headers,
            ParameterLocation::Cookie => &mut self.cookies,
            _ => &mut self.query,
        };
        to.push((name.to_owned(), template(&json, &value.place, scene)?));
        Ok(())
    }

    fn body(&mut self, node: &Node, operation: &Operation, scene: Scene<'_>, notes: &mut Notes) -> Outcome<()> {
        node.mapping("`requestBody`").map_err(Trouble::Wrong)?;
        unread(node, BODY, "`requestBody`", &mut notes.0);
        let text = |node: &Node| node.string("`contentType`").map(str::to_owned).map_err(Trouble::Wrong);
        let named = node.get("contentType").map(text).transpose()?;
        let usual = operation.body().map_or("application/json", |body| body.media_type.as_str());
        let media = named.as_deref().unwrap_or(usual);
        // The smallest request has the usual type only if it has a body.
        let is_other = named.as_deref().is_some_and(|named| essence(named) != essence(usual));
        if (is_other || !operation.body_required) && node.get("payload").is_some() {
            self.headers.push(("Content-Type".to_owned(), json!(media)));
        }
        let payload = node.get("payload");
        let mut json = payload.map(Node::to_json);
        // A text that is an object of JSON is that object.
        if let (Some(Json::String(text)), true) = (&json, is_json(&essence(media)))
            && let Ok(object @ Json::Object(_)) = serde_json::from_str(text)
        {
            json = Some(object);
        }
        match (payload, json) {
            (Some(payload), Some(Json::Object(map)))
                if takes_fields(operation) && (operation.body_required || !map.is_empty()) =>
            {
                for (name, value) in &map {
                    let place = payload.get(name).map_or(&payload.place, |value| &value.place);
                    self.field(format!("/{}", escape(name)), value, operation, (place, scene))?;
                }
                self.drop = unwanted(operation, &map);
            }
            (Some(payload), Some(json)) => {
                self.raw = Some(whole(&json, &payload.place, scene)?);
            }
            _ => {}
        }
        self.replacements(node, operation, scene, notes)
    }

    fn field(&mut self, pointer: String, value: &Json, operation: &Operation, at: (&Place, Scene<'_>)) -> Outcome<()> {
        let template = template(value, at.0, at.1)?;
        if !knows(operation, Part::Field(&pointer)) && !self.undocumented.contains(&pointer) {
            self.undocumented.push(pointer.clone());
        }
        self.set.retain(|(known, _)| *known != pointer);
        self.set.push((pointer, template));
        Ok(())
    }

    fn replacements(&mut self, node: &Node, operation: &Operation, scene: Scene<'_>, notes: &mut Notes) -> Outcome<()> {
        let Some(list) = node.get("replacements") else { return Ok(()) };
        for replacement in list.sequence("`replacements`").map_err(Trouble::Wrong)? {
            replacement.mapping("a replacement").map_err(Trouble::Wrong)?;
            unread(replacement, REPLACEMENT, "a replacement", &mut notes.0);
            let part = |key| required(replacement, key, "a replacement").map_err(Trouble::Wrong);
            let (target, value) = (part("target")?, part("value")?);
            let pointer = target.string("`target`").map_err(Trouble::Wrong)?;
            if !pointer.starts_with('/') {
                return Err(Trouble::Unsupported(format!("what `{pointer}` replaces is not named by a JSON Pointer")));
            }
            if self.raw.is_some() || !takes_fields(operation) {
                return Err(Trouble::Unsupported(
                    "a part of a body is replaced that is not an object of JSON".to_owned(),
                ));
            }
            self.field(pointer.to_owned(), &value.to_json(), operation, (&value.place, scene))?;
        }
        Ok(())
    }

    /// The step, as an item of `steps`.
    pub(super) fn yaml(&self, name: &str, call: Option<&str>) -> String {
        let mut text = format!("    - {name}:\n");
        let _ = match call {
            Some(call) => writeln!(text, "        call: {}", scalar(call)),
            None => writeln!(text, "        from: minimal"),
        };
        let maps = [
            ("path", &self.path),
            ("query", &self.query),
            ("headers", &self.headers),
            ("cookies", &self.cookies),
            ("set", &self.set),
        ];
        for (key, entries) in maps.into_iter().filter(|(_, entries)| !entries.is_empty()) {
            let _ = writeln!(text, "        {key}:");
            for (name, value) in entries {
                let _ = writeln!(text, "          {}: {}", scalar(name), flow(value));
            }
        }
        let list = |names: &[String]| flow(&names.iter().map(|name| json!(name)).collect());
        for (key, names) in [("drop", &self.drop), ("undocumented", &self.undocumented)] {
            if !names.is_empty() {
                let _ = writeln!(text, "        {key}: {}", list(names));
            }
        }
        for (key, value) in [("raw", &self.raw), ("authorization", &self.authorization)] {
            if let Some(value) = value {
                let _ = writeln!(text, "        {key}: {}", flow(value));
            }
        }
        text
    }
}

/// The parameters of a step, and those that its workflow gives to all steps.
fn parameters<'a>(
    arazzo: &'a Arazzo,
    workflow: &'a Workflow,
    step: &'a Step,
    operation: &Operation,
    notes: &mut Notes,
) -> Result<Vec<Parameter<'a>>> {
    let mut all: Vec<Parameter<'a>> = Vec::new();
    for (list, is_shared) in [(workflow.node.get("parameters"), true), (step.node.get("parameters"), false)] {
        for node in list.map(|list| list.sequence("`parameters`")).transpose()?.unwrap_or_default() {
            node.mapping("a parameter")?;
            let Entry { node, value } = arazzo.entry(node, "parameters")?;
            node.mapping("a parameter")?;
            unread(node, PARAMETER, "a parameter", &mut notes.0);
            let name = required(node, "name", "a parameter")?.string("`name`")?;
            let value = match value {
                Some(value) => value,
                None => required(node, "value", "a parameter")?,
            };
            let location = match node.get("in") {
                Some(place) => {
                    let word = place.string("`in`")?;
                    location(word).ok_or_else(|| {
                        place
                            .error(format!("`{word}` is not a part of a request"))
                            .help("write path, query, header or cookie")
                    })?
                }
                None => {
                    let mut known = operation.parameters.iter().filter(|p| p.name == name);
                    match (known.next(), known.next()) {
                        (Some(one), None) => one.location,
                        _ => {
                            let title = format!("the parameter `{name}` does not say where it is sent");
                            return Err(node.error(title).help("add `in`: path, query, header or cookie"));
                        }
                    }
                }
            };
            all.retain(|other| (other.name, other.location) != (name, location));
            all.push(Parameter { name, location, value, is_shared });
        }
    }
    Ok(all)
}

/// Whether a parameter carries the caller's credentials, by the document.
fn is_credential(operation: &Operation, location: ParameterLocation, name: &str) -> bool {
    let Some(security) = &operation.security else { return false };
    [security].into_iter().chain(&security.also).any(|security| match (&security.carrier, location) {
        (Carrier::Query(own), ParameterLocation::Query) | (Carrier::Cookie(own), ParameterLocation::Cookie) => {
            own == name
        }
        (Carrier::Header, ParameterLocation::Header) => security.header.eq_ignore_ascii_case(name),
        _ => false,
    })
}

/// Whether the body of an operation is an object whose fields can be set one by one.
fn takes_fields(operation: &Operation) -> bool {
    operation.body().is_some_and(|body| body.schema.json()["type"] == "object" && body.schema.json()["anyOf"].is_null())
}

/// The fields that the smallest valid request may have, and the payload does not.
fn unwanted(operation: &Operation, payload: &serde_json::Map<String, Json>) -> Vec<String> {
    let Some(schema) = operation.body().map(|body| body.schema.json()) else { return Vec::new() };
    let properties = schema["properties"].as_object().into_iter().flatten().map(|(name, _)| name.as_str());
    let required = schema["required"].as_array().into_iter().flatten().filter_map(Json::as_str);
    let names: Vec<&str> = if schema["minProperties"].is_null() { required.collect() } else { properties.collect() };
    let missing = names.into_iter().filter(|name| !payload.contains_key(*name));
    missing.map(|name| format!("/{}", escape(name))).collect()
}

/// A whole body.
fn whole(json: &Json, place: &Place, scene: Scene<'_>) -> Outcome<Json> {
    Ok(match json {
        Json::String(_) if is_constant(json) => json.clone(),
        _ if is_constant(json) => json!({ "literal": json }),
        _ => json!({ "cel": expression(json, place, scene)? }),
    })
}

/// A value in one line of YAML.
pub(super) fn flow(json: &Json) -> String {
    match json {
        Json::String(text) => scalar(text),
        Json::Array(items) => format!("[{}]", items.iter().map(flow).collect::<Vec<_>>().join(", ")),
        Json::Object(map) if map.is_empty() => "{}".to_owned(),
        Json::Object(map) => {
            let entries: Vec<String> = map.iter().map(|(k, v)| format!("{}: {}", scalar(k), flow(v))).collect();
            format!("{{ {} }}", entries.join(", "))
        }
        other => other.to_string(),
    }
}

/// A text in one line of YAML: without quotes, where it cannot be anything else.
pub(super) fn scalar(text: &str) -> String {
    let is_word = |c: char| c.is_ascii_alphanumeric() || "_./-".contains(c);
    let is_plain = text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '/')
        && text.chars().all(is_word)
        && !["true", "false", "null", "yes", "no", "on", "off", "y", "n"].contains(&text.to_ascii_lowercase().as_str());
    if is_plain { text.to_owned() } else { Json::from(text).to_string() }
}
