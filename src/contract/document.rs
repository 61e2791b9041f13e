//! OpenAPI 3.0 documents: reading one operation, whole, with every local reference followed.

use std::sync::Arc;

use serde_json::Value as Json;

use super::operation::{Body, Example, Operation, Parameter, Response, Security, is_json, template_names};
use super::schema::{Direction, Schema, Translator};
use crate::source::{Diagnostic, Place, Result, Source, did_you_mean};
use crate::yaml::{self, Node, Value};

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
        let (path_parameters, header_parameters) =
            self.parameters(path, &[(item, item_pointer), (node, pointer.clone())])?;
        let mut examples = Vec::new();
        let body = match node.get("requestBody") {
            Some(body) => Some(self.body(body, format!("{pointer}/requestBody"), &mut examples)?),
            None => None,
        };
        Ok(Operation {
            id: id.to_owned(),
            method: method.to_uppercase(),
            path: path.to_owned(),
            servers: self.servers(&[node, item, self.root])?,
            path_parameters,
            header_parameters,
            body,
            responses: self.responses(node, &pointer)?,
            security: self.security(node)?,
            examples,
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
            .filter_map(|s| Some((s, s.get("url")?)))
            .map(|(server, url)| url.string("a server's `url`").map(|url| expanded(server, url)))
            .collect::<Result<Vec<Vec<String>>>>()
            .map(|all| all.concat())
    }

    fn parameters(&self, path: &str, levels: &[(&'a Node, String)]) -> Result<(Vec<Parameter>, Vec<Parameter>)> {
        let mut in_path: Vec<Parameter> = Vec::new();
        let mut in_headers: Vec<Parameter> = Vec::new();
        for (node, pointer) in levels {
            let Some(list) = node.get("parameters") else {
                continue;
            };
            for (i, parameter) in list.sequence("`parameters`")?.iter().enumerate() {
                let (parameter, pointer) = self.follow(parameter, format!("{pointer}/parameters/{i}"))?;
                let (kind, parameter) = self.parameter(parameter, pointer)?;
                let list = match kind {
                    "path" => &mut in_path,
                    "header" => &mut in_headers,
                    _ => continue,
                };
                // The operation's own parameter takes the place of the path's.
                list.retain(|p| p.name != parameter.name);
                list.push(parameter);
            }
        }
        for name in template_names(path) {
            if !in_path.iter().any(|p| p.name == name) {
                return Err(levels[1].0.error(format!("the path's `{{{name}}}` is no parameter")));
            }
        }
        in_path.sort_by_key(|p| path.find(&format!("{{{}}}", p.name)));
        Ok((in_path, in_headers))
    }

    fn parameter(&self, node: &'a Node, pointer: String) -> Result<(&'static str, Parameter)> {
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
        let kind = match place.string("`in`")? {
            "path" => "path",
            "header" => "header",
            // An optional one is left out of every request.
            "query" | "cookie" if !required_here => "unused",
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
        Ok((kind, Parameter { name: name.to_owned(), required: required_here, schema, pointer }))
    }

    fn body(&self, node: &'a Node, pointer: String, examples: &mut Vec<Example>) -> Result<Body> {
        let (node, pointer) = self.follow(node, pointer)?;
        known(node, "a request body", &["description", "content", "required"])?;
        let content = required(node, "content", "a request body")?.mapping("`content`")?;
        let Some((media_type, media)) = content.iter().find(|(k, _)| is_json(&k.name)) else {
            return Err(node.error("the request body has no JSON media type"));
        };
        known(media, "a media type", &["schema", "example", "examples"])?;
        let schema_pointer = format!("{pointer}/content/{}/schema", escape(&media_type.name));
        let schema_node = required(media, "schema", "a media type")?;
        let schema = self.schema(schema_node, schema_pointer.clone(), Direction::Request)?;
        let (schema_node, _) = self.follow(schema_node, schema_pointer)?;
        self.examples(media, schema_node, examples)?;
        Ok(Body {
            required: matches!(node.get("required").map(|n| &n.value), Some(Value::Scalar(Json::Bool(true)))),
            media_type: media_type.name.clone(),
            schema,
            pointer,
        })
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
                    content.push((name.name.clone(), schema));
                }
            }
            all.push(Response { status: status.name.clone(), content, pointer: own });
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

/// How many URLs a server with variables stands for at most.
const EXPANDED: usize = 1000;

/// The URLs of a server with each value of its variables; `*` for one that may have any.
fn expanded(server: &Node, url: &str) -> Vec<String> {
    let variables = server.get("variables").and_then(|node| node.mapping("`variables`").ok());
    let mut all = vec![url.to_owned()];
    for entry in variables.into_iter().flatten() {
        let (name, node) = entry;
        let text = |node: &Node| node.string("a value").ok().map(str::to_owned);
        let listed = node.get("enum").and_then(|list| list.sequence("`enum`").ok());
        let mut values: Vec<String> = listed.into_iter().flatten().filter_map(text).collect();
        if values.is_empty() {
            values.push("*".to_owned());
        }
        values.extend(node.get("default").and_then(text));
        values.dedup();
        let hole = format!("{{{}}}", name.name);
        if url.contains(&hole) {
            all = all.iter().flat_map(|url| values.iter().map(|v| url.replace(&hole, v))).take(EXPANDED).collect();
        }
    }
    all
}
