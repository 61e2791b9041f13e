//! OpenAPI 3.0 documents: reading one operation, whole, with every local reference followed.

pub mod media;
pub mod operation;
pub mod parameter;
pub mod response;
pub mod security;

use std::sync::Arc;

use serde_json::Value as Json;

use crate::schema::{Direction, Schema, Translator};
use crate::source::{Diagnostic, Place, Result, Source, did_you_mean};
use crate::yaml::{self, Node, Value};
use media::may_be_json;
use operation::{Body, Example, Operation, template_names};
use parameter::{Parameter, ParameterLocation};
use response::{MediaType, Response};
use security::Security;

const METHODS: &[&str] = &["get", "put", "post", "delete", "options", "head", "patch", "trace"];

/// Reads an operation out of a document.
///
/// # Errors
/// A document that is not OpenAPI 3.0, lacks the operation, refers to nowhere or in a circle, or
/// uses a keyword that probity does not support where the operation reaches it.
pub fn load(source: &Arc<Source>, operation_id: &str, asked: &Place) -> Result<Operation> {
    let root = yaml::parse(source)?;
    check_version(&root)?;
    check_structure(&root, source)?;
    let (path, method, pointer) = find(&root, operation_id, asked)?;
    Reader { root: &root }.operation(operation_id, &path, &method, pointer)
}

fn check_version(root: &Node) -> Result<()> {
    if let Some(node) = root.get("swagger") {
        return Err(node
            .error("this is a Swagger / OpenAPI 2 document")
            .help("probity reads OpenAPI 3.0: convert the document first"));
    }
    let Some(node) = root.get("openapi") else {
        return Err(root
            .error("this is not an OpenAPI document: it has no `openapi`")
            .help("it begins with `openapi: 3.0.3`"));
    };
    let version = match &node.value {
        Value::Scalar(Json::String(s)) => s.clone(),
        Value::Scalar(Json::Number(n)) => n.to_string(),
        _ => String::new(),
    };
    if version == "3.0" || version.starts_with("3.0.") {
        return Ok(());
    }
    Err(node.error(format!("OpenAPI {version} is not supported")).help("probity reads OpenAPI 3.0.x"))
}

/// What the published structure of OpenAPI asks for, by the library that knows it.
fn check_structure(root: &Node, source: &Source) -> Result<()> {
    let json = root.to_json();
    let read: std::result::Result<openapiv3::OpenAPI, _> = serde_path_to_error::deserialize(&json);
    read.map(|_| ()).map_err(|error| {
        let mut pointer = String::new();
        for segment in error.path() {
            use serde_path_to_error::Segment;
            match segment {
                Segment::Map { key } => {
                    pointer.push('/');
                    pointer.push_str(&escape(key));
                }
                Segment::Seq { index } => pointer.push_str(&format!("/{index}")),
                Segment::Enum { .. } | Segment::Unknown => break,
            }
        }
        let node = nearest(root, &pointer);
        node.error(format!("{}: not an OpenAPI document", source.path)).label(error.inner().to_string())
    })
}

/// The node at a JSON Pointer, or the last one on the way there.
pub fn nearest<'a>(root: &'a Node, pointer: &str) -> &'a Node {
    let mut pointer = pointer.to_owned();
    loop {
        if let Some(node) = root.pointer(&pointer) {
            return node;
        }
        match pointer.rfind('/') {
            Some(at) => pointer.truncate(at),
            None => return root,
        }
    }
}

/// A name as it stands in a JSON Pointer.
pub fn escape(name: &str) -> String {
    name.replace('~', "~0").replace('/', "~1")
}

fn find(root: &Node, operation_id: &str, asked: &Place) -> Result<(String, String, String)> {
    let reader = Reader { root };
    let mut known = Vec::new();
    let paths = root.get("paths").ok_or_else(|| root.error("the document has no `paths`"))?;
    for (path, item) in paths.mapping("`paths`")? {
        let pointer = format!("/paths/{}", escape(&path.name));
        let (item, pointer) = reader.follow(item, pointer)?;
        for (method, operation) in item.mapping("a path")? {
            if !METHODS.contains(&method.name.as_str()) {
                continue;
            }
            if let Some(id) = operation.get("operationId") {
                let id = id.string("`operationId`")?;
                if id == operation_id {
                    let pointer = format!("{pointer}/{}", method.name);
                    return Ok((path.name.clone(), method.name.clone(), pointer));
                }
                known.push(id.to_owned());
            }
        }
    }
    Err(asked.error(format!("the document has no operation `{operation_id}`")).help(
        did_you_mean(operation_id, known.iter().map(String::as_str))
            .unwrap_or_else(|| format!("its operations: {}", known.join(", "))),
    ))
}

/// Follows references within a document.
pub(super) struct Reader<'a> {
    pub(super) root: &'a Node,
}

impl<'a> Reader<'a> {
    /// The node that a reference leads to, or the node itself; with its pointer.
    pub(super) fn follow(&self, node: &'a Node, pointer: String) -> Result<(&'a Node, String)> {
        let (mut node, mut pointer, mut seen) = (node, pointer, Vec::new());
        while let Some(reference) = node.get("$ref") {
            let target = reference.string("`$ref`")?;
            let Some(local) = target.strip_prefix('#') else {
                return Err(reference
                    .error(format!("`{target}` leads out of this document"))
                    .help("only references that begin with `#/` are followed: bring it in"));
            };
            for (key, _) in node.mapping("a reference")? {
                if !["$ref", "description", "summary"].contains(&key.name.as_str()) {
                    return Err(key
                        .place
                        .error(format!("`{}` beside a `$ref` has no effect", key.name))
                        .help("OpenAPI 3.0 ignores whatever stands beside a `$ref`"));
                }
            }
            if seen.contains(&local) {
                return Err(reference.error("this `$ref` leads back to itself").help("let one of them say what it is"));
            }
            seen.push(local);
            let decoded = percent_encoding::percent_decode_str(local).decode_utf8_lossy();
            node = self.root.pointer(&decoded).ok_or_else(|| {
                reference
                    .error(format!("`{target}` leads to nothing"))
                    .label("nothing stands there")
                    .help("a local reference is a JSON Pointer, as `#/components/schemas/Name`")
            })?;
            pointer = decoded.into_owned();
        }
        Ok((node, pointer))
    }

    fn at(&self, pointer: &str) -> Result<&'a Node> {
        self.root.pointer(pointer).ok_or_else(|| Diagnostic::new(format!("the document has nothing at {pointer}")))
    }

    fn schema(&self, node: &'a Node, pointer: String, direction: Direction) -> Result<Schema> {
        Translator::new(self, direction).schema(node, pointer)
    }

    fn operation(&self, id: &str, path: &str, method: &str, pointer: String) -> Result<Operation> {
        let node = self.at(&pointer)?;
        known(
            node,
            "an operation",
            &[
                "tags",
                "summary",
                "description",
                "externalDocs",
                "operationId",
                "parameters",
                "requestBody",
                "responses",
                "deprecated",
                "security",
                "servers",
            ],
        )?;
        let item_pointer = pointer.rsplit_once('/').map_or("", |(p, _)| p).to_owned();
        let item = self.at(&item_pointer)?;
        let parameters = self.parameters(path, &[(item, item_pointer), (node, pointer.clone())])?;
        let mut examples = Vec::new();
        let (mut bodies, mut body_required) = (Vec::new(), false);
        if let Some(body) = node.get("requestBody") {
            let (required, body) = self.body(body, format!("{pointer}/requestBody"), &mut examples)?;
            bodies.push(body);
            body_required = required;
        }
        Ok(Operation {
            id: id.to_owned(),
            method: method.to_uppercase(),
            path: path.to_owned(),
            servers: self.servers(&[node, item, self.root])?,
            parameters,
            bodies,
            body_required,
            responses: self.responses(node, &pointer)?,
            security: self.security(node)?,
            alternatives: Vec::new(),
            examples,
            unsupported: Vec::new(),
            notes: Vec::new(),
            place: node.place.clone(),
            pointer,
        })
    }

    fn servers(&self, levels: &[&'a Node]) -> Result<Vec<String>> {
        let Some(servers) = levels.iter().find_map(|n| n.get("servers")) else {
            return Ok(Vec::new());
        };
        servers
            .sequence("`servers`")?
            .iter()
            .filter_map(|s| s.get("url"))
            .map(|url| url.string("a server's `url`").map(str::to_owned))
            .collect()
    }

    fn parameters(&self, path: &str, levels: &[(&'a Node, String)]) -> Result<Vec<Parameter>> {
        let mut all: Vec<Parameter> = Vec::new();
        for (node, pointer) in levels {
            let Some(list) = node.get("parameters") else {
                continue;
            };
            for (i, parameter) in list.sequence("`parameters`")?.iter().enumerate() {
                let (parameter, pointer) = self.follow(parameter, format!("{pointer}/parameters/{i}"))?;
                let Some(parameter) = self.parameter(parameter, pointer)? else { continue };
                // The operation's own parameter takes the place of the path's.
                all.retain(|p| p.name != parameter.name || p.location != parameter.location);
                all.push(parameter);
            }
        }
        for name in template_names(path) {
            if !all.iter().any(|p| p.name == name && p.location == ParameterLocation::Path) {
                return Err(levels[1].0.error(format!("the path's `{{{name}}}` is no parameter")));
            }
        }
        all.sort_by_key(|p| match p.location {
            ParameterLocation::Path => path.find(&format!("{{{}}}", p.name)).unwrap_or_default(),
            _ => usize::MAX,
        });
        Ok(all)
    }

    fn parameter(&self, node: &'a Node, pointer: String) -> Result<Option<Parameter>> {
        known(
            node,
            "a parameter",
            &[
                "name",
                "in",
                "description",
                "required",
                "deprecated",
                "schema",
                "example",
                "examples",
                "style",
                "explode",
            ],
        )?;
        let name = required(node, "name", "a parameter")?.string("`name`")?;
        let place = required(node, "in", "a parameter")?;
        let required_here = matches!(node.get("required").map(|n| &n.value), Some(Value::Scalar(Json::Bool(true))));
        let location = match place.string("`in`")? {
            "path" => ParameterLocation::Path,
            "header" => ParameterLocation::Header,
            // An optional one is left out of every request.
            "query" | "cookie" if !required_here => return Ok(None),
            other => {
                return Err(place.error(format!("a required parameter in the {other} is not supported")));
            }
        };
        if let Some(style) = node.get("style")
            && style.string("`style`")? != "simple"
        {
            return Err(style.error("only the style `simple` is supported"));
        }
        let schema =
            self.schema(required(node, "schema", "a parameter")?, format!("{pointer}/schema"), Direction::Request)?;
        Ok(Some(Parameter {
            name: name.to_owned(),
            location,
            required: required_here,
            style: location.default_style(),
            explode: false,
            allow_reserved: false,
            media_type: None,
            schema,
            examples: Vec::new(),
            default: None,
            pointer,
            place: node.place.clone(),
        }))
    }

    fn body(&self, node: &'a Node, pointer: String, examples: &mut Vec<Example>) -> Result<(bool, Body)> {
        let (node, pointer) = self.follow(node, pointer)?;
        known(node, "a request body", &["description", "content", "required"])?;
        let content = required(node, "content", "a request body")?.mapping("`content`")?;
        let Some((media_type, media)) = content.iter().find(|(k, _)| may_be_json(&k.name)) else {
            return Err(node.error("the request body has no JSON media type"));
        };
        known(media, "a media type", &["schema", "example", "examples"])?;
        let schema_pointer = format!("{pointer}/content/{}/schema", escape(&media_type.name));
        let schema_node = required(media, "schema", "a media type")?;
        let schema = self.schema(schema_node, schema_pointer.clone(), Direction::Request)?;
        let (schema_node, _) = self.follow(schema_node, schema_pointer)?;
        self.examples(media, schema_node, examples)?;
        let required = matches!(node.get("required").map(|n| &n.value), Some(Value::Scalar(Json::Bool(true))));
        let body = Body {
            media_type: media_type.name.clone(),
            schema,
            encoding: Vec::new(),
            pointer,
            place: media_type.place.clone(),
        };
        Ok((required, body))
    }

    /// Whole examples, and the one that the properties' own examples add up to.
    fn examples(&self, media: &'a Node, schema: &'a Node, out: &mut Vec<Example>) -> Result<()> {
        let mut add = |node: &Node| {
            out.push(Example { body: node.to_json(), place: node.place.clone() });
        };
        [media.get("example"), schema.get("example")].into_iter().flatten().for_each(&mut add);
        if let Some(named) = media.get("examples") {
            for (key, example) in named.mapping("`examples`")? {
                let pointer = format!("/examples/{}", key.name);
                let (example, _) = self.follow(example, pointer)?;
                example.get("value").into_iter().for_each(&mut add);
            }
        }
        if let Some(properties) = schema.get("properties") {
            let mut body = serde_json::Map::new();
            for (key, property) in properties.mapping("`properties`")? {
                let (property, _) = self.follow(property, String::new())?;
                if let Some(example) = property.get("example") {
                    body.insert(key.name.clone(), example.to_json());
                }
            }
            if !body.is_empty() {
                out.push(Example { body: body.into(), place: properties.place.clone() });
            }
        }
        Ok(())
    }

    fn responses(&self, node: &'a Node, pointer: &str) -> Result<Vec<Response>> {
        let responses = required(node, "responses", "an operation")?;
        let mut all = Vec::new();
        for (status, response) in responses.mapping("`responses`")? {
            if status.name.starts_with("x-") {
                continue;
            }
            let own = format!("{pointer}/responses/{}", escape(&status.name));
            let (response, own) = self.follow(response, own)?;
            known(response, "a response", &["description", "headers", "content", "links"])?;
            let mut content = Vec::new();
            if let Some(media_types) = response.get("content") {
                for (name, media) in media_types.mapping("`content`")? {
                    known(media, "a media type", &["schema", "example", "examples"])?;
                    let at = format!("{own}/content/{}/schema", escape(&name.name));
                    let schema = match media.get("schema") {
                        Some(schema) => Some(self.schema(schema, at, Direction::Response)?),
                        None => None,
                    };
                    content.push(MediaType { name: name.name.clone(), schema });
                }
            }
            all.push(Response {
                status: status.name.clone(),
                content,
                headers: Vec::new(),
                links: Vec::new(),
                pointer: own,
            });
        }
        Ok(all)
    }

    fn security(&self, node: &'a Node) -> Result<Option<Security>> {
        let Some(list) = node.get("security").or_else(|| self.root.get("security")) else {
            return Ok(None);
        };
        let Some(first) = list.sequence("`security`")?.first() else {
            return Ok(None);
        };
        let Some((name, _)) = first.mapping("a security requirement")?.first() else {
            return Ok(None);
        };
        let pointer = format!("/components/securitySchemes/{}", escape(&name.name));
        let Some(scheme) = self.root.pointer(&pointer) else {
            return Err(name.place.error(format!("`{}` is no security scheme", name.name)));
        };
        let (scheme, pointer) = self.follow(scheme, pointer)?;
        let text = |key: &str| scheme.get(key).and_then(|n| n.string(key).ok());
        let (header, prefix) = match (text("type"), text("scheme"), text("in")) {
            (Some("http"), Some(s), _) if s.eq_ignore_ascii_case("bearer") => {
                ("authorization".to_owned(), Some("Bearer".to_owned()))
            }
            (Some("oauth2" | "openIdConnect"), _, _) => ("authorization".to_owned(), Some("Bearer".to_owned())),
            (Some("apiKey"), _, Some("header")) => (text("name").unwrap_or_default().to_lowercase(), None),
            _ => {
                return Err(scheme
                    .error("this security scheme is not supported")
                    .help("supported: http with scheme bearer, oauth2, openIdConnect, apiKey in a header"));
            }
        };
        Ok(Some(Security { header, scheme: prefix, pointer }))
    }
}

/// Refuses keywords that would otherwise be ignored in silence.
pub(super) fn known(node: &Node, what: &str, keys: &[&str]) -> Result<()> {
    for (key, _) in node.mapping(what)? {
        if !keys.contains(&key.name.as_str()) && !key.name.starts_with("x-") {
            return Err(key.place.error(format!("`{}` in {what} is not supported", key.name)).help(
                did_you_mean(&key.name, keys.iter().copied())
                    .unwrap_or_else(|| "take it out, or tell us what it is for".to_owned()),
            ));
        }
    }
    Ok(())
}

fn required<'a>(node: &'a Node, key: &str, what: &str) -> Result<&'a Node> {
    node.get(key).ok_or_else(|| node.error(format!("{what} has no `{key}`")))
}
