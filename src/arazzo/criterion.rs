//! Criteria of success in CEL.

use serde_json::Value as Json;

use super::cel::{Kind, Operand, constant, quoted};
use super::condition::{Condition, Operator, parse, statuses};
use super::file::{required, unread};
use super::scene::Scene;
use super::{Notes, Outcome, Trouble, jsonpath, pattern};
use crate::source::{Place, Result};
use crate::yaml::{Node, Value};

/// The fields of a criterion.
const CRITERION: &[&str] = &["context", "condition", "type"];

/// How a criterion is to be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Language {
    Simple,
    Regex,
    JsonPath,
    XPath,
}

/// A criterion as it is written.
#[derive(Debug)]
pub(super) struct Criterion<'a> {
    language: Language,
    condition: &'a Node,
    context: Option<&'a Node>,
}

/// Reads the criteria of a step.
///
/// # Errors
/// What is no criterion.
pub(super) fn read<'a>(list: Option<&'a Node>, notes: &mut Notes) -> Result<Vec<Criterion<'a>>> {
    let nodes = list.map(|list| list.sequence("a list of criteria")).transpose()?.unwrap_or_default();
    nodes.iter().map(|node| one(node, notes)).collect()
}

fn one<'a>(node: &'a Node, notes: &mut Notes) -> Result<Criterion<'a>> {
    node.mapping("a criterion")?;
    unread(node, CRITERION, "a criterion", &mut notes.0);
    let condition = required(node, "condition", "a criterion")?;
    // `condition: true` is a literal, too.
    if !matches!(&condition.value, Value::Scalar(Json::Bool(_))) {
        condition.string("`condition`")?;
    }
    let kind = match node.get("type") {
        Some(of) if matches!(of.value, Value::Mapping(_)) => Some(required(of, "type", "the type of a criterion")?),
        other => other,
    };
    let language = match kind.map(|kind| kind.string("the type of a criterion")).transpose()? {
        None | Some("simple") => Language::Simple,
        Some("regex") => Language::Regex,
        Some("jsonpath") => Language::JsonPath,
        Some("xpath") => Language::XPath,
        Some(other) => {
            let place = kind.map_or(&node.place, |kind| &kind.place);
            return Err(place
                .error(format!("`{other}` is not a type of criterion"))
                .help("write `simple`, `regex`, `jsonpath` or `xpath`"));
        }
    };
    let context = match language {
        Language::Simple => node.get("context"),
        _ => Some(required(node, "context", "a criterion of this type")?),
    };
    if let Some(context) = context {
        context.string("`context`")?;
    }
    Ok(Criterion { language, condition, context })
}

impl Criterion<'_> {
    /// Where its condition stands.
    pub(super) fn place(&self) -> &Place {
        &self.condition.place
    }

    fn text(&self) -> String {
        match &self.condition.value {
            Value::Scalar(Json::String(text)) => text.clone(),
            other => match other {
                Value::Scalar(json) => json.to_string(),
                _ => String::new(),
            },
        }
    }

    /// The status codes that it names as the only ones.
    pub(super) fn statuses(&self) -> Vec<u16> {
        match self.language {
            Language::Simple => parse(&self.text()).map(|condition| statuses(&condition)).unwrap_or_default(),
            _ => Vec::new(),
        }
    }

    /// The criterion in CEL.
    pub(super) fn expression(&self, scene: Scene<'_>) -> Outcome<String> {
        let text = self.text();
        match self.language {
            Language::Simple => {
                let condition = parse(&text).map_err(|why| {
                    Trouble::Unsupported(format!("it cannot be read as a condition of the type `simple`: {why}"))
                })?;
                truth(&condition, self.place(), scene)
            }
            Language::Regex => {
                let operand = self.context(scene)?;
                let pattern = quoted(&pattern::translated(&text).map_err(Trouble::Unsupported)?);
                let value = operand.or_null();
                Ok(match (operand.kind(), operand.is_certain()) {
                    (Some(Kind::Text), true) => format!("{value}.matches({pattern})"),
                    (Some(Kind::Text), false) => format!("({value} != null && {value}.matches({pattern}))"),
                    (_, true) => format!("string({value}).matches({pattern})"),
                    (_, false) => format!("({value} != null && string({value}).matches({pattern}))"),
                })
            }
            Language::JsonPath => {
                let operand = self.context(scene)?;
                let why = |why| Trouble::Unsupported(format!("the JSONPath has no translation: {why}"));
                jsonpath::has_result(&text, &operand).map_err(why)
            }
            Language::XPath => Err(Trouble::Unsupported("XPath is not supported".to_owned())),
        }
    }

    fn context(&self, scene: Scene<'_>) -> Outcome<Operand> {
        match self.context {
            Some(node) => scene.operand(node.string("`context`").unwrap_or_default(), &node.place),
            None => Err(Trouble::Unsupported("it has no `context`".to_owned())),
        }
    }
}

/// A condition in CEL. Alternatives are in parentheses.
fn truth(condition: &Condition, place: &Place, scene: Scene<'_>) -> Outcome<String> {
    let inner = |part: &Condition| truth(part, place, scene);
    Ok(match condition {
        Condition::Any(all) => format!("({})", all.iter().map(inner).collect::<Outcome<Vec<_>>>()?.join(" || ")),
        Condition::All(all) => all.iter().map(inner).collect::<Outcome<Vec<_>>>()?.join(" && "),
        Condition::Not(part) => format!("!({})", inner(part)?),
        Condition::Literal(Json::Bool(truth)) => truth.to_string(),
        Condition::Literal(other) => {
            return Err(Trouble::Unsupported(format!("{other} alone is neither true nor false")));
        }
        Condition::Runtime(text) => {
            let operand = scene.operand(text, place)?;
            let is_truth = operand.is_certain() && operand.kind() == Some(Kind::Bool);
            if is_truth { operand.value() } else { format!("{} == true", operand.or_null()) }
        }
        Condition::Compare(left, operator, right) => {
            compare(&side(left, place, scene)?, *operator, &side(right, place, scene)?)?
        }
    })
}

enum Side {
    Operand(Operand),
    Literal(Json),
}

fn side(condition: &Condition, place: &Place, scene: Scene<'_>) -> Outcome<Side> {
    match condition {
        Condition::Literal(json) => Ok(Side::Literal(json.clone())),
        Condition::Runtime(text) => Ok(Side::Operand(scene.operand(text, place)?)),
        _ => Err(Trouble::Unsupported("it compares the result of a comparison".to_owned())),
    }
}

/// A comparison: loose between types, and of texts without regard to case, as the Arazzo specification wants it.
fn compare(left: &Side, operator: Operator, right: &Side) -> Outcome<String> {
    match (left, right) {
        (Side::Operand(operand), Side::Literal(json)) => with_literal(operand, operator, json),
        (Side::Literal(json), Side::Operand(operand)) => with_literal(operand, operator.turned(), json),
        (Side::Literal(left), Side::Literal(right)) => {
            Ok(format!("{} {} {}", constant(left), operator.text(), constant(right)))
        }
        (Side::Operand(left), Side::Operand(right)) => Ok(between(left, operator, right)),
    }
}

fn with_literal(operand: &Operand, operator: Operator, json: &Json) -> Outcome<String> {
    let (x, op, kind, certain) = (operand.or_null(), operator.text(), operand.kind(), operand.is_certain());
    match json {
        Json::String(text) => {
            let scalar = serde_json::from_str::<Json>(text).ok().filter(|json| json.is_number() || json.is_boolean());
            match (&scalar, kind) {
                (Some(scalar), Some(Kind::Number | Kind::Bool)) => with_literal(operand, operator, scalar),
                _ => Ok(with_text(operand, operator, text, scalar.as_ref())),
            }
        }
        Json::Number(number) if kind == Some(Kind::Text) => Ok(match (operator.is_order(), certain) {
            (false, _) => format!("{x} {op} '{number}'"),
            (true, true) => format!("double({x}) {op} {number}"),
            (true, false) => format!("({x} != null && double({x}) {op} {number})"),
        }),
        Json::Number(number) if operator.is_order() && !(certain && kind == Some(Kind::Number)) => {
            // What is missing or no number is in no order.
            Ok(format!("((type({x}) == int || type({x}) == double) && {x} {op} {number})"))
        }
        Json::Bool(truth) if kind == Some(Kind::Text) => Ok(with_text(operand, operator, &truth.to_string(), None)),
        Json::Null | Json::Bool(_) if operator.is_order() => {
            Err(Trouble::Unsupported(format!("nothing is greater or less than {json}")))
        }
        other => Ok(format!("{x} {op} {}", constant(other))),
    }
}

/// A comparison with a text; `scalar` is the number or the truth that the text may be meant as.
fn with_text(operand: &Operand, operator: Operator, text: &str, scalar: Option<&Json>) -> String {
    let (x, op) = (operand.or_null(), operator.text());
    let is_text = operand.is_certain() && operand.kind() == Some(Kind::Text);
    if operator.is_order() {
        let order = format!("{x} {op} {}", quoted(text));
        return if is_text { order } else { format!("(type({x}) == string && {order})") };
    }
    let has_case = text.chars().any(char::is_alphabetic) && !operand.lists(text);
    let lower = quoted(&text.to_ascii_lowercase());
    match (scalar, has_case, is_text) {
        (Some(scalar), _, false) if operand.kind().is_none() => {
            let both = if operator == Operator::Equal { "||" } else { "&&" };
            format!("({x} {op} {} {both} {x} {op} {scalar})", quoted(text))
        }
        (_, false, _) => format!("{x} {op} {}", quoted(text)),
        (_, true, true) => format!("{x}.lowerAscii() {op} {lower}"),
        (_, true, false) if operand.kind() == Some(Kind::Text) => {
            format!("{}.lowerAscii() {op} {lower}", operand.or("''"))
        }
        (_, true, false) => {
            let equal = format!("(type({x}) == string && {x}.lowerAscii() == {lower})");
            if operator == Operator::Equal { equal } else { format!("!{equal}") }
        }
    }
}

fn between(left: &Operand, operator: Operator, right: &Operand) -> String {
    let (x, y, op) = (left.or_null(), right.or_null(), operator.text());
    let kinds = [left, right].map(|side| side.kind());
    let are_certain = left.is_certain() && right.is_certain();
    match kinds {
        [Some(Kind::Text), Some(Kind::Text)] if are_certain && !operator.is_order() => {
            format!("{x}.lowerAscii() {op} {y}.lowerAscii()")
        }
        [Some(Kind::Text), Some(Kind::Number)] if are_certain && !operator.is_order() => {
            format!("{x} {op} string({y})")
        }
        [Some(Kind::Number), Some(Kind::Text)] if are_certain && !operator.is_order() => {
            format!("string({x}) {op} {y}")
        }
        [Some(a), Some(b)] if a == b && a != Kind::Text => format!("{x} {op} {y}"),
        _ if operator.is_order() => format!("{x} {op} {y}"),
        _ => {
            let texts = format!("type({x}) == string && type({y}) == string && {x}.lowerAscii() == {y}.lowerAscii()");
            let equal = format!("({x} == {y} || ({texts}))");
            if operator == Operator::Equal { equal } else { format!("!{equal}") }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn order() -> Operand {
        let schema = json!({ "type": "object", "required": ["id", "name", "status", "paid"], "properties": {
            "id": { "type": "integer" },
            "name": { "type": "string" },
            "status": { "type": "string", "enum": ["open", "paid"] },
            "paid": { "type": "boolean" },
            "note": { "type": "string" },
            "total": { "type": "number" },
        } });
        Operand::described("o", vec![schema])
    }

    #[test]
    fn comparisons_are_loose_and_without_regard_to_case() {
        for (field, operator, json, expected) in [
            ("id", Operator::Equal, json!(3), "o.id == 3"),
            ("id", Operator::Equal, json!("3"), "o.id == 3"),
            ("id", Operator::Greater, json!(3), "o.id > 3"),
            ("name", Operator::Equal, json!("Ann"), "o.name.lowerAscii() == 'ann'"),
            ("name", Operator::NotEqual, json!("12"), "o.name != '12'"),
            ("status", Operator::Equal, json!("open"), "o.status == 'open'"),
            ("status", Operator::Equal, json!("Open"), "o.status.lowerAscii() == 'open'"),
            ("paid", Operator::Equal, json!("true"), "o.paid == true"),
            ("note", Operator::Equal, json!(null), "o.?note.orValue(null) == null"),
            ("note", Operator::NotEqual, json!("x"), "o.?note.orValue('').lowerAscii() != 'x'"),
            (
                "x",
                Operator::NotEqual,
                json!("y"),
                "!(type(o.?x.orValue(null)) == string && o.?x.orValue(null).lowerAscii() == 'y')",
            ),
            ("x", Operator::Equal, json!("5"), "(o.?x.orValue(null) == '5' || o.?x.orValue(null) == 5)"),
            (
                "total",
                Operator::LessOrEqual,
                json!(5),
                "((type(o.?total.orValue(null)) == int || type(o.?total.orValue(null)) == double) && \
                 o.?total.orValue(null) <= 5)",
            ),
        ] {
            let text = with_literal(&order().member(field), operator, &json).unwrap();
            assert_eq!(text, expected, "{field} {} {json}", operator.text());
        }
        let field = |name: &str| order().member(name);
        assert_eq!(between(&field("id"), Operator::Equal, &field("id")), "o.id == o.id");
        let names = between(&field("name"), Operator::Equal, &field("status"));
        assert_eq!(names, "o.name.lowerAscii() == o.status.lowerAscii()");
        assert!(with_literal(&field("paid"), Operator::Less, &json!(true)).is_err());
    }
}
