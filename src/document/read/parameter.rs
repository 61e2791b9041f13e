//! Reading parameters.

use serde_json::{Value as Json, json};

use super::field::{self, known};
use super::{Reader, example};
use crate::document::operation::template_names;
use crate::document::parameter::{Parameter, ParameterLocation, Style};
use crate::schema::registry::Located;
use crate::schema::{Direction, Schema};

/// Headers that OpenAPI leaves to `content` and `security`.
const IGNORED: &[&str] = &["accept", "content-type", "authorization"];

impl<'a> Reader<'a> {
    /// The parameters of a path item and of an operation; the operation's own take precedence.
    pub(super) fn parameters(&mut self, path: &str, item: &Located<'a>, node: &Located<'a>) -> Vec<Parameter> {
        let mut all: Vec<Parameter> = Vec::new();
        for level in [item, node] {
            for at in level.get("parameters").map(|p| p.items()).unwrap_or_default() {
                let Some(parameter) = self.parameter(at) else { continue };
                let same = |p: &Parameter| p.name == parameter.name && p.location == parameter.location;
                match all.iter_mut().find(|p| same(p)) {
                    Some(own) => *own = parameter,
                    None => all.push(parameter),
                }
            }
        }
        let names = template_names(path);
        for name in &names {
            if !all.iter().any(|p| p.name == *name && p.location == ParameterLocation::Path) {
                self.problems.note(
                    node.node
                        .error(format!("the path's `{{{name}}}` is not described as a parameter"))
                        .help("arbitrary text is sent"),
                );
                all.push(Parameter {
                    name: (*name).to_owned(),
                    location: ParameterLocation::Path,
                    required: true,
                    style: Style::Simple,
                    explode: false,
                    allow_reserved: false,
                    media_type: None,
                    schema: Schema::constant(json!({ "type": "string" }), Direction::Request),
                    examples: Vec::new(),
                    default: None,
                    pointer: self.registry.pointer(node),
                    place: node.node.place.clone(),
                });
            }
        }
        all.retain(|p| p.location != ParameterLocation::Path || names.contains(&p.name.as_str()));
        all.sort_by_key(|p| match p.location {
            ParameterLocation::Path => path.find(&format!("{{{}}}", p.name)).unwrap_or_default(),
            _ => usize::MAX,
        });
        all
    }

    fn parameter(&mut self, at: Located<'a>) -> Option<Parameter> {
        let at = self.follow(at, "a parameter", false)?;
        known(&at, "a parameter", field::PARAMETER, self.version, &mut self.problems);
        let (Some(name), Some(word)) = (at.text("name"), at.text("in")) else {
            self.problems
                .note(at.node.error("a parameter must have a `name` and an `in`").help("it is left out of requests"));
            return None;
        };
        let Some(location) = ParameterLocation::read(word) else {
            let node = at.node.get("in").unwrap_or(at.node);
            let error = node.error(format!("a parameter cannot be in `{word}`"));
            let required = at.flag("required");
            self.skip(
                &format!("the parameter `{name}`"),
                error.help("it can be in path, query, querystring, header or cookie; a body is a `requestBody`"),
                required,
            );
            return None;
        };
        if location == ParameterLocation::Header && IGNORED.iter().any(|own| name.eq_ignore_ascii_case(own)) {
            self.problems.note(
                at.node
                    .error(format!("a header parameter `{name}` is ignored, as OpenAPI requires"))
                    .help("`content` describes media types, and `security` describes credentials"),
            );
            return None;
        }
        if at.flag("allowEmptyValue") {
            let node = at.node.get("allowEmptyValue").unwrap_or(at.node);
            self.problems.note(node.error("`allowEmptyValue` is not tested: OpenAPI advises against it"));
        }
        let required = at.flag("required") || location == ParameterLocation::Path;
        let what = format!("the {} parameter `{name}`", location.name());
        let style = self.style(&at, location, &what, required)?;
        let mut media_type = None;
        let mut holder = None;
        if let Some(content) = at.get("content")
            && let Some((key, media)) = content.entries().into_iter().next()
        {
            media_type = Some(key.name.clone());
            holder = Some(media);
        }
        let schema_at = holder.as_ref().unwrap_or(&at).get("schema");
        let schema = match &schema_at {
            Some(schema) => self.schema(schema, Direction::Request, &what, required)?,
            None => Schema::constant(json!({ "type": "string" }), Direction::Request),
        };
        let mut examples: Vec<Json> = Vec::new();
        for level in [Some(&at), holder.as_ref()].into_iter().flatten() {
            examples.extend(example::values(self.registry, level).into_iter().map(|(value, _)| value));
        }
        let target = schema_at.and_then(|schema| self.registry.follow(schema).ok());
        if let Some(schema) = &target {
            examples.extend(example::of_schema(schema).into_iter().map(|(value, _)| value));
        }
        Some(Parameter {
            name: name.to_owned(),
            location,
            required,
            style,
            explode: at.node.get("explode").map_or(style.explodes(), |_| at.flag("explode")),
            allow_reserved: at.flag("allowReserved"),
            media_type,
            schema,
            examples,
            default: target.and_then(|schema| schema.node.get("default").map(crate::yaml::Node::to_json)),
            pointer: self.registry.pointer(&at),
            place: at.node.place.clone(),
        })
    }

    fn style(&mut self, at: &Located<'a>, location: ParameterLocation, what: &str, required: bool) -> Option<Style> {
        let Some(node) = at.node.get("style") else {
            return Some(location.default_style());
        };
        let word = node.string("`style`").unwrap_or_default();
        match Style::read(word) {
            Some(style) if style.fits(location) => Some(style),
            _ => {
                let error =
                    node.error(format!("a parameter in the {} cannot have the style `{word}`", location.name()));
                self.skip(
                    what,
                    error.help(format!("the default style is `{}`", location.default_style().name())),
                    required,
                );
                None
            }
        }
    }
}
