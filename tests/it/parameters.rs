//! Parameters on the wire, as the document's styles have them.

use crate::support::server::{Answer, Request, Server};
use crate::support::{creating, probity};

/// An operation with one parameter, which a rule of the server's keeps.
fn document(path: &str, parameter: &str) -> String {
    format!(
        r#"
openapi: 3.0.3
info: {{ title: Things, version: "1" }}
paths:
  {path}:
    get:
      operationId: readThing
      parameters: [{parameter}]
      responses:
        "200": {{ description: it, content: {{ application/json: {{ schema: {{ type: object }} }} }} }}
        "422": {{ description: refused }}
"#
    )
}

/// A server that takes what a rule lets through.
fn server(takes: fn(&Request) -> bool) -> Server {
    Server::http(move |request| if takes(request) { Answer::json(200, "{}") } else { Answer::empty(422) })
}

/// A style, the type of the parameter, the values that are provided, and what the server takes.
type Case = (&'static str, &'static str, &'static str, fn(&Request) -> bool);

const CONTRACT: &str = "spec: things.yaml\noperation: readThing\nvalues: { path: { id: VALUES } }\n";

#[test]
fn what_a_style_puts_around_the_values_of_a_path_is_not_escaped() {
    let cases: [Case; 5] = [
        ("matrix", "string", "['a b', 'c']", |r| ["/things/;id=a%20b", "/things/;id=c"].contains(&r.target.as_str())),
        ("label", "integer", "[7]", |r| r.target == "/things/.7"),
        ("label", "array, items: { type: integer }", "[[7, 8]]", |r| r.target == "/things/.7,8"),
        ("simple", "array, items: { type: string }", "[['a,b', 'c']]", |r| r.target == "/things/a%2Cb,c"),
        ("matrix, explode: true", "array, items: { type: integer }", "[[7, 8]]", |r| r.target == "/things/;id=7;id=8"),
    ];
    for (style, kind, values, takes) in cases {
        let server = server(takes);
        let parameter = format!("{{ name: id, in: path, required: true, style: {style}, schema: {{ type: {kind} }} }}");
        let words = format!("check --seed 1 --contract things --target {}", server.url());
        let ran = probity(&words)
            .file("things/things.yaml", document("/things/{id}", &parameter))
            .file("things/contract.yaml", CONTRACT.replace("VALUES", &format!("\"{values}\"")))
            .exits(0);
        ran.verdict("operation/valid-accepted", "pass");
    }
}

#[test]
fn json_in_another_encoding_is_seen() {
    // An umlaut in Latin-1, under a media type that says nothing of it.
    let body = |media_type: &str| {
        let (head, media_type) = (b"{\"id\":\"\xfc\"}".to_vec(), media_type.to_owned());
        Server::http(move |_| Answer::Whole(200, vec![("Content-Type".into(), media_type.clone())], head.clone()))
    };
    let check = |server: &Server| {
        let words = format!("check --seed 1 --document things.yaml --target {}", server.url());
        probity(&words).file("things.yaml", document("/things", "")).run()
    };
    for media_type in ["application/json", "application/json; charset=utf-8", "application/json;charset=\"UTF-8\""] {
        let ran = check(&body(media_type));
        assert_eq!(ran.ids("fail"), ["readThing/operation/response-200-shape"], "{media_type}");
        ran.says("a JSON body in UTF-8");
    }
    // Another charset may be agreed on.
    assert_eq!(check(&body("application/json; charset=iso-8859-1")).ids("fail"), [""; 0]);
}

#[test]
fn null_is_sent_where_an_alternative_is_null() {
    let part = "{ type: object, required: [a], properties: { a: { type: string } } }";
    let schema = format!("{{ type: object, properties: {{ x: {{ anyOf: [{part}, {{ type: 'null' }}] }} }} }}");
    let server = Server::http(|request| match request.text().contains(r#""x":null"#) {
        true => Answer::empty(422),
        false => Answer::empty(201),
    });
    let words = format!("check --seed 1 --document things.yaml --target {}", server.url());
    let ran = probity(&words).file("things.yaml", creating("application/json", &schema)).exits(1);
    ran.holds(ran.ids("fail").iter().any(|id| id.starts_with("createThing/schema/x-any-of")), "null is tried");
}

#[test]
fn texts_of_parameters_are_as_long_as_they_must_be() {
    for (place, least) in [("query", 13), ("header", 20), ("cookie", 64), ("query", 3000)] {
        let server = server(|_| true);
        let parameter =
            format!("{{ name: q, in: {place}, required: true, schema: {{ type: string, minLength: {least} }} }}");
        let words = format!("check --seed 1 --document things.yaml --target {}", server.url());
        // A server that takes everything fails the lower bound, for which there must be a valid request.
        let ran = probity(&words).file("things.yaml", document("/things", &parameter)).exits(1);
        ran.verdict("readThing/operation/valid-accepted", "pass");
        ran.holds(ran.ids("fail").iter().any(|id| id.ends_with("q-min-length")), "the lower bound is tried");
    }
}
