//! The keys of the case language: of `contract.yaml`, of cases, of their steps, and of values that are maps.

use serde_json::Value as Json;

use crate::fields::{self, DURATION, Key, Map, Named, Value};

/// A CEL expression.
const CEL: Value = Value::Text;
/// A value of a step, a row or a body.
const VALUE: Value = Value::Named(&TEMPLATE);
/// A CEL expression, or a list of them of which the first counts that has a value.
const ALTERNATIVES: Value = Value::One(&[CEL, Value::List(&CEL, 1)]);
/// Any JSON Schema.
const SCHEMA: Value = Value::One(&[Value::Truth, Value::Entries(&Value::Any)]);

/// `contract.yaml`.
pub(super) static CONTRACT: Map = Map {
    name: "contract",
    text: "A contract: an operation of an OpenAPI document, and what its cases stand on.",
    keys: &[
        Key::new("extends", Value::Text, "The folder of another contract, which gives what this one does not have."),
        Key::new(
            "spec",
            Value::Text,
            "The OpenAPI document, looked for in this folder and in those above it; needed unless the contract extends \
             another.",
        ),
        Key::new(
            "operation",
            Value::Text,
            "The operationId of the operation in the document; needed unless the contract extends another.",
        ),
        Key::new(
            "operations",
            Value::List(&Value::Text, 0),
            "The other operations that steps may call, by operationId, METHOD /path or tag; * stands for any text.",
        ),
        Key::new("fixtures", SCHEMA, "What a target provides: a JSON Schema of [fixtures] in its settings."),
        Key::new(
            "lookup",
            Value::Map(&LOOKUP),
            "How `probity init` finds fixtures, and `probity doctor` confirms them.",
        ),
        Key::new("record", CEL, "CEL: the id of a created record."),
        Key::new("run_tag", Value::Text, "The body field that carries the run tag, by JSON Pointer."),
        Key::new("clock", CEL, "CEL: a time that the server sets on arrival, where responses have no Date."),
        Key::new("define", Value::Entries(&CEL), "Names for CEL expressions on one exchange that cases share."),
        Key::new("values", Value::Map(&VALUES), "Lists that valid values are drawn from."),
        Key::new(
            "callers",
            Value::List(&Value::Text, 0),
            "The identities that may carry out the operation; the caller alone where this is left out.",
        ),
        Key::new(
            "foremost",
            Value::List(&Value::Text, 0),
            "Areas whose failures do the most harm: they are reported first, and each by itself.",
        ),
    ],
};

/// `values`.
pub(super) static VALUES: Map = Map {
    name: "lists of values",
    text: "Lists that valid values are drawn from, by the part of the request.",
    keys: &[
        Key::new("path", Value::Entries(&CEL), "By path parameter, CEL: a list of values."),
        Key::new("query", Value::Entries(&CEL), "By query parameter, CEL: a list of values."),
        Key::new("header", Value::Entries(&CEL), "By header, CEL: a list of values."),
        Key::new("cookie", Value::Entries(&CEL), "By cookie, CEL: a list of values."),
        Key::new("body", Value::Entries(&CEL), "By JSON Pointer of the body's field, CEL: a list of values."),
    ],
};

/// `lookup`.
pub(super) static LOOKUP: Map = Map {
    name: "look-ups",
    text: "What is asked of a target, and what follows from the answers.",
    keys: &[
        Key::new(
            "steps",
            Value::List(&Value::Single(&Value::Map(&LOOKUP_STEP)), 0),
            "The steps, in this order, each a map with one key, its name.",
        ),
        Key::new(
            "fixtures",
            Value::Entries(&Value::One(&[CEL, Value::List(&CEL, 1), Value::Map(&LOOKUP_FIXTURE)])),
            "By fixture: where its value comes from.",
        ),
    ],
};

/// A step of `lookup`.
pub(super) static LOOKUP_STEP: Map = Map {
    name: "a step of a look-up",
    text: "A GET request, or a value that is computed from what is known.",
    keys: &[
        Key::new("get", Value::Text, "The path of a GET request; {it} stands for the item of `each`."),
        Key::new("as", Value::Text, "The identity that asks; the caller, if left out."),
        Key::new("each", CEL, "CEL, a list: the step runs for each item."),
        Key::new(
            "value",
            ALTERNATIVES,
            "CEL, or a list of expressions of which the first counts that has a value; the body if left out.",
        ),
    ],
};

/// A fixture of `lookup` that is a map by names.
pub(super) static LOOKUP_FIXTURE: Map = Map {
    name: "a fixture of a look-up",
    text: "A fixture that is a map by names.",
    keys: &[
        Key::required("each", CEL, "CEL: the list of its items."),
        Key::required("name", CEL, "CEL: the name of an item, which is `it`."),
        Key::required("value", ALTERNATIVES, "CEL: the value of an item, which is `it`."),
    ],
};

/// A case file.
const CASES: Value = Value::List(&Value::Map(&CASE), 0);

/// A case.
pub(super) static CASE: Map = Map {
    name: "a case",
    text: "A requirement or a probe: a constraint has `valid`, a rule `expect` or `unique`, a scenario `steps` and \
           `expect`, a probe `observe`; `open` alone says what is left to the server.",
    keys: &[
        Key::required(
            "id",
            Value::Like("^[a-z0-9-]+$"),
            "Its id within the file: lower-case letters, digits, hyphens. It never changes again.",
        ),
        Key::new("level", Value::Word(&["must", "should", "may"]), "How binding it is; probes have none."),
        Key::required("text", Value::Text, "What is required: one sentence."),
        Key::new("source", Value::Text, "What it rests on. Required except on probes and open cases."),
        Key::new("valid", CEL, "Constraint. CEL: what a request must keep beyond the schema."),
        Key::new("open", CEL, "CEL: which requests the contract leaves to the server."),
        Key::new("where", CEL, "Rule, probe without steps. CEL: on which requests."),
        Key::new("given", CEL, "Scenario, probe with steps. CEL: what must have happened in the steps."),
        Key::new("when", CEL, "Rule, probe without steps. CEL: on which responses; `accepted` if left out."),
        Key::new("expect", CEL, "Rule, scenario. CEL: what must hold."),
        Key::new("unique", CEL, "Rule. CEL: a value that no two exchanges of the run share."),
        Key::new("rows", ROWS, "Scenario, probe with steps: the table that it runs over, or `contexts`."),
        Key::new("steps", STEPS, "Scenario, probe: the requests, each under its name."),
        Key::new(
            "steps_of",
            Value::Text,
            "Scenario, probe: the id of an earlier case, whose steps and rows these are.",
        ),
        Key::new("observe", CEL, "Probe. CEL: what is noted."),
    ],
};

const ROWS: Value =
    Value::One(&[Value::Word(&["contexts"]), Value::List(&VALUE, 1), Value::Map(&CEL_ROWS), Value::Map(&CONTEXT_ROWS)]);
const STEPS: Value =
    Value::List(&Value::Single(&Value::One(&[Value::Map(&STEP), Value::List(&Value::Map(&STEP), 0)])), 1);

/// Rows that an expression yields.
pub(super) static CEL_ROWS: Map = Map {
    name: "rows of an expression",
    text: "Rows that an expression yields.",
    keys: &[Key::required("cel", CEL, "CEL: the list of rows.")],
};

/// Rows that are some of the contexts.
pub(super) static CONTEXT_ROWS: Map = Map {
    name: "rows of some contexts",
    text: "Some of the contexts in which valid requests are sent; the seed chooses which.",
    keys: &[Key::required("contexts", Value::Whole(1), "How many: those that differ most.")],
};

/// A request of a step.
pub(super) static STEP: Map = Map {
    name: "a step",
    text: "A request: what it is made from, and what differs.",
    keys: &[
        Key::new("call", Value::Text, "Another operation of the contract, by operationId or METHOD /path."),
        Key::new(
            "from",
            Value::Word(&["valid", "minimal", "varied"]),
            "A valid request of the pool (the default), the smallest one, or one in a context.",
        ),
        Key::new("repeat", Value::Text, "An earlier step, whose request is sent again to the byte."),
        Key::new("anew", Value::Truth, "Beside `repeat` or `copies`: whether what is fresh is made anew."),
        Key::new("set", Value::Entries(&VALUE), "Body fields by JSON Pointer."),
        Key::new("drop", Value::List(&Value::Text, 0), "Body fields that are left out, by JSON Pointer."),
        Key::new("raw", VALUE, "The whole body: a value, or a list of values that are joined."),
        Key::new("headers", Value::Entries(&VALUE), "Headers by name; null takes one away."),
        Key::new("path", Value::Entries(&VALUE), "Path parameters by name."),
        Key::new(
            "undocumented",
            Value::List(&Value::Text, 0),
            "Names of fields and parameters that the document does not have, and that the step means.",
        ),
        Key::new("query", Value::Entries(&VALUE), "Query parameters by name; null takes one away."),
        Key::new("cookies", Value::Entries(&VALUE), "Cookies by name; null takes one away."),
        Key::new("authorization", VALUE, "The whole value of the header with the credentials; null sends none."),
        Key::new("as", VALUE, "The identity that sends it."),
        Key::new("header_case", Value::Word(&["lower", "title"]), "How the names of headers are written."),
        Key::new("copies", Value::Whole(0), "How many copies are sent at once."),
        Key::new("after", DURATION, "How long to wait before sending: 500ms, 3s, 2m."),
        Key::new("until", CEL, "CEL: the timestamp until which to wait."),
    ],
};

/// A value: plain YAML, or one of the [`FORMS`].
static TEMPLATE: Named = Named {
    name: "value",
    value: Value::One(&[
        Value::Scalar,
        Value::List(&Value::Named(&TEMPLATE), 0),
        Value::Map(&CEL_FORM),
        Value::Map(&FRESH),
        Value::Map(&INSTANT),
        Value::Map(&INTEGER),
        Value::Map(&JSON),
        Value::Map(&FILLER),
        Value::Map(&BASE64),
        Value::Map(&IT),
        Value::Map(&LITERAL),
        Value::Except(
            &["cel", "fresh", "instant", "integer", "json", "filler", "base64", "it", "literal"],
            &Value::Named(&TEMPLATE),
        ),
    ]),
};

/// The maps that are no plain YAML where a value stands. The first key of each tells it.
pub(super) static FORMS: &[&Map] = &[&CEL_FORM, &FRESH, &INSTANT, &INTEGER, &JSON, &FILLER, &BASE64, &IT, &LITERAL];

/// The words that make a map a form of value, and no plain YAML.
pub fn forms() -> impl Iterator<Item = &'static str> {
    FORMS.iter().filter_map(|form| form.keys.first()).map(|key| key.name)
}

static CEL_FORM: Map = Map {
    name: "value of an expression",
    text: "The value of an expression, when the step is sent.",
    keys: &[Key::required("cel", CEL, "CEL: the value.")],
};

static FRESH: Map = Map {
    name: "fresh value",
    text: "A value that no run has used.",
    keys: &[
        Key::required("fresh", Value::Word(&["key", "number", "id"]), "A key, a key of digits, or an unknown id."),
        Key::new("length", Value::Whole(0), "Its length in characters."),
        Key::new("like", CEL, "CEL: a known id, whose form it takes."),
    ],
};

static INSTANT: Map = Map {
    name: "instant",
    text: "The RFC 3339 text of an instant.",
    keys: &[
        Key::required("instant", CEL, "CEL: the timestamp."),
        Key::new("offset", Value::Text, "The offset at which it is written, such as \"+05:45\"."),
        Key::new("digits", Value::Whole(0), "How many digits the fraction of a second has."),
    ],
};

static INTEGER: Map = Map {
    name: "drawn integer",
    text: "An integer that is drawn between bounds.",
    keys: &[Key::required("integer", Value::Map(&BOUNDS), "Its bounds.")],
};

/// The bounds of an integer.
pub(super) static BOUNDS: Map = Map {
    name: "bounds",
    text: "Bounds, at least one.",
    keys: &[
        Key::new("above", Value::Integer, "It is greater."),
        Key::new("below", Value::Integer, "It is smaller."),
        Key::new("from", Value::Integer, "It is not smaller."),
        Key::new("to", Value::Integer, "It is not greater."),
    ],
};

static JSON: Map = Map {
    name: "JSON text",
    text: "JSON text as it stands, valid or not.",
    keys: &[Key::required("json", Value::Text, "The text.")],
};

static FILLER: Map = Map {
    name: "filler",
    text: "A string of repetitions.",
    keys: &[
        Key::required("filler", Value::Text, "What is repeated."),
        Key::required("times", Value::Whole(0), "How often."),
    ],
};

static BASE64: Map = Map {
    name: "bytes",
    text: "Bytes, in `raw`.",
    keys: &[Key::required("base64", Value::Text, "The bytes in base64.")],
};

static IT: Map = Map {
    name: "part of the row",
    text: "A part of the table's row.",
    keys: &[Key::required("it", Value::Text, "Its path: dots go deeper, and nothing is the whole row.")],
};

static LITERAL: Map =
    Map { name: "literal", text: "JSON as it stands.", keys: &[Key::required("literal", Value::Any, "The value.")] };

/// The JSON Schema of `contract.yaml`.
pub fn contract_schema() -> Json {
    fields::schema("contract.yaml of probity", CONTRACT.text, &Value::Map(&CONTRACT))
}

/// The JSON Schema of a case file.
pub fn cases_schema() -> Json {
    fields::schema("a case file of probity", "A list of cases: the requirements of one area.", &CASES)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_of_a_value_is_in_its_schema() {
        let schema = cases_schema();
        let alternatives = schema["$defs"]["value"]["anyOf"].as_array().unwrap();
        for form in FORMS {
            let wanted = format!("#/$defs/{}", form.name.replace(' ', "-"));
            assert!(alternatives.iter().any(|one| one["$ref"] == wanted.as_str()), "{wanted}");
        }
        let words: Vec<&str> = FORMS.iter().map(|form| form.keys[0].name).collect();
        assert_eq!(alternatives.last().unwrap()["propertyNames"]["not"]["enum"], serde_json::json!(words));
    }
}
