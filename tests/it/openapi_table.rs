//! The table in `docs/openapi.md`: each of its fields is put into a document, and what is said of it is what the table says.

use probity::document;
use probity::document::operation::Operation;
use probity::source::{Place, Source};

const TABLE: &str = include_str!("../../docs/openapi.md");

/// A row: object, field, version, kind, example.
fn rows() -> Vec<[String; 5]> {
    let fields = TABLE.split("| object | field |").nth(1).expect("the table");
    let lines = fields.lines().skip(2).take_while(|line| line.starts_with('|'));
    lines
        .map(|line| {
            let mut cells = line.trim_matches('|').split(" | ").map(|cell| cell.trim().trim_matches('`').to_owned());
            std::array::from_fn(|_| cells.next().unwrap_or_else(|| panic!("{line}")))
        })
        .collect()
}

/// A document in which one object has one more line.
fn document(version: &str, object: &str, line: &str) -> String {
    let add = |own: &str, indent: usize| {
        if own == object { format!("\n{}{line}", " ".repeat(indent)) } else { String::new() }
    };
    // A field takes the place of the same one that stands there anyway.
    let instead = |own: &str, indent: usize, usual: &str| {
        if own == object {
            format!("\n{}{line}", " ".repeat(indent))
        } else {
            format!("\n{}{usual}", " ".repeat(indent))
        }
    };
    let media = if object == "form" { "application/x-www-form-urlencoded" } else { "application/json" };
    let encoding = match object {
        "encoding" => {
            format!(
                "\n          application/x-www-form-urlencoded:\n            schema: {{ type: object }}\n            encoding:\n              a:\n                {line}"
            )
        }
        _ => String::new(),
    };
    let style =
        if object == "parameter" && line.starts_with("style: form") { "explode: true" } else { "deprecated: false" };
    let style = if line.starts_with("deprecated") { "explode: true" } else { style };
    let security = if object == "security scheme" { "\n      security: [{ s: [] }]" } else { "" };
    format!(
        "openapi: {version}
info: {{ title: t, version: '1' }}{document}
paths:
  /a:{item}
    post:
      operationId: a{security}{operation}
      x-parameters:
        - {{}}
      requestBody:{body}
        content:
          {media}:
            schema: {{ $ref: '#/components/schemas/Sent' }}{media_type}{form}{encoding}
      responses:
        '200':
          description: d{response}
          content:
            application/json:
              schema: {{ type: object }}{response_media}
  /b:
    get:
      operationId: b
      parameters:
        - name: q
          in: query
          schema: {{ type: string }}
          {style}{parameter}
      responses:
        '200':
          description: d
          headers:
            X-B:
              schema: {{ type: string }}{header}
components:
  schemas:
    Sent:{schema}
  securitySchemes:
    s:
      type: http{scheme}
",
        document = add("document", 0),
        item = add("path item", 4),
        operation = add("operation", 6),
        body = add("request body", 8),
        media_type = add("media type", 12),
        form = add("form", 12),
        response = add("response", 10),
        response_media = add("response media type", 14),
        parameter = add("parameter", 10),
        header = add("response header", 14),
        schema = instead("schema", 6, "type: object"),
        scheme = instead("security scheme", 6, "scheme: bearer"),
    )
}

/// Whether something is said about a line, by where it stands.
fn said_of(operation: &Operation, at: usize) -> (bool, bool) {
    let about = |place: Option<String>| place.is_some_and(|place| place.ends_with(&format!(":{at}")));
    let notes = operation.notes.iter().any(|note| about(note.place()));
    let unsupported = operation.unsupported.iter().any(|u| about(u.message.place()));
    (notes, unsupported)
}

#[test]
fn what_is_said_of_each_field_is_what_the_table_says() {
    let mut wrong = Vec::new();
    for [object, field, since, kind, example] in rows() {
        let version = if since == "3.0" { "3.0.3".to_owned() } else { format!("{since}.0") };
        let line = format!("{field}: {example}");
        let text = document(&version, &object, &line);
        let at = 1 + text.lines().position(|own| own.trim() == line).unwrap_or_else(|| panic!("{line} in {text}"));
        let source = Source::new("document.yaml", text.clone());
        let place = Place { source: source.clone(), span: 0..1 };
        let all = document::Document::read(&source, &|_| Err(std::io::ErrorKind::NotFound.into()))
            .unwrap_or_else(|e| panic!("{e}"));
        let mut found = (false, false);
        for name in ["a", "b"] {
            let operation = all.operation(name, &place).unwrap_or_else(|e| panic!("{e}\n{text}"));
            let (note, unsupported) = said_of(&operation, at);
            // What follows from another line by this one is said of that one.
            found = (
                found.0 || note,
                found.1 || unsupported || (object == "security scheme" && !operation.unsupported.is_empty()),
            );
        }
        found.0 |= all.notes().iter().any(|note| note.place().is_some_and(|p| p.ends_with(&format!(":{at}"))));
        let is = match found {
            (_, true) => "unsupported",
            (true, false) => "note",
            (false, false) => "honoured",
        };
        if is != kind {
            wrong.push(format!("{object} {field}: the table says {kind}, but it is {is}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_keyword_stands_in_the_table() {
    let rows = rows();
    let missing: Vec<&str> = probity::schema::keywords()
        .filter(|name| {
            !["$ref", "$dynamicRef", "summary", "$vocabulary", "definitions", "contentSchema"].contains(name)
        })
        .filter(|name| !rows.iter().any(|[object, field, ..]| object == "schema" && field == name))
        .collect();
    assert!(missing.is_empty(), "{missing:?}");
}
