//! How requirements are called, what a path is filled with, and how requests are shared out.

use serde_json::json;

use super::store::{Records, check, is_text, store, whole};
use crate::support::probity;
use crate::support::server::Answer;

const PASCAL: &str = r##"
openapi: 3.0.3
info: { title: Products, version: "1" }
paths:
  /products/{ID}:
    parameters: [{ name: ID, in: path, required: true, schema: { type: integer } }]
    get:
      operationId: getProduct
      responses: { "200": { description: it } }
  /products:
    post:
      operationId: createProduct
      requestBody:
        required: true
        content:
          application/json:
            schema:
              type: object
              required: [Name, name]
              properties:
                Name: { type: string }
                name: { type: string }
                SupplierID: { type: string }
                unitPrice: { type: number }
      responses: { "201": { description: made } }
"##;

#[test]
fn ids_of_names_with_capitals_are_plain_and_unique() {
    let ran = probity("list --document it.yaml").file("it.yaml", PASCAL).exits(0);
    for id in ["name-type", "supplier-id-type", "unit-price-type", "name-required"] {
        ran.says(&format!("createProduct/schema/{id} "));
    }
    ran.says("getProduct/schema/path-id-type").never_says("/-name").never_says("i-d");
    // The name in small letters has the plain id.
    let explained = probity("explain --document it.yaml --operation createProduct createProduct/schema/name-type");
    explained.file("it.yaml", PASCAL).exits(0).says("`name` has the documented type");
}

#[test]
fn no_value_changes_the_path_itself() {
    let document = r##"
openapi: 3.0.3
info: { title: Codes, version: "1" }
paths:
  /codes/{code}:
    parameters: [{ name: code, in: path, required: true, schema: { type: string, pattern: '^[^.]+$' }, example: a }]
    get:
      operationId: getCode
      responses: { "200": { description: it }, "400": { description: refused }, "404": { description: none } }
"##;
    let server = store(Records::new(), |_, _, path, _| match path.strip_prefix("/codes/") {
        Some(code) if !code.is_empty() && !code.contains('.') => Answer::json(200, "{}"),
        Some(_) => Answer::empty(400),
        // Whoever is sent elsewhere meets something else.
        None => Answer::json(200, "[]"),
    });
    let ran = check(&server, document, "");
    assert_eq!(ran.ids("fail"), Vec::<String>::new());
    let targets: Vec<String> = server.requests().into_iter().map(|r| r.target).collect();
    let is_odd = |t: &String| !t.starts_with("/codes/") || ["/codes/", "/codes/.", "/codes/.."].contains(&t.as_str());
    assert!(!targets.iter().any(is_odd), "{targets:?}");
}

#[test]
fn what_one_operation_leaves_of_the_budget_goes_to_another() {
    let fields: Vec<String> =
        (0..40).map(|n| format!("f{n}: {{ type: string, minLength: 2, maxLength: 60 }}")).collect();
    let reads: Vec<String> = (0..9)
        .map(|n| {
            format!("  /reads{n}:\n    get:\n      operationId: read{n}\n      responses: {{ \"200\": {{ description: it }} }}\n")
        })
        .collect();
    let document = format!(
        "openapi: 3.0.3\ninfo: {{ title: Forms, version: \"1\" }}\npaths:\n{}  /forms:\n    post:\n      operationId: createForm\n      \
         requestBody: {{ required: true, content: {{ application/json: {{ schema: {{ type: object, properties: {{ {} }} }} }} }} }}\n      \
         responses: {{ \"201\": {{ description: made }}, \"422\": {{ description: refused }} }}\n",
        reads.concat(),
        fields.join(", ")
    );
    let server = store(Records::new(), |_, request, path, body| match path {
        "/forms" if request.method == "POST" => {
            let is_right =
                |(name, value): (&String, &serde_json::Value)| !name.starts_with('f') || is_text(value, 2, 60);
            let is_form = body.as_object().is_some_and(|all| all.iter().all(is_right));
            if is_form { whole(201, &json!({ "id": request.before })) } else { Answer::empty(422) }
        }
        _ => Answer::json(200, "{}"),
    });
    let ran = check(&server, &document, "");
    assert_eq!(ran.ids("fail"), Vec::<String>::new());
    let count = |verdict: &str| ran.ids(verdict).iter().filter(|id| id.starts_with("createForm/schema/")).count();
    assert!(count("pass") > 60, "{} are tried, and {} are not", count("pass"), count("skipped"));
    let sent = server.requests().len();
    assert!((60..=400).contains(&sent), "{sent}");
}
