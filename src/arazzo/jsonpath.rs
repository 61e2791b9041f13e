//! JSONPath in CEL: that a query has a result. What is missing, or of another type, has none; it is no error.

use serde_json::Value as Json;

use super::cel::{Kind, Operand, constant, quoted};
use super::condition::Operator;
use super::pattern;
use super::query::{Comparable, Filter, Query, Selector, parse};

/// The name of an item in the expressions that are made.
const ITEM: &str = "item";

/// An expression that is true if the query has a result in the value.
///
/// # Errors
/// It is no query, or has what cannot be said in CEL.
pub(super) fn has_result(text: &str, context: &Operand) -> Result<String, String> {
    let query = parse(text)?;
    Walk { root: context, depth: 0 }.exists(&query, context)
}

#[derive(Clone, Copy)]
struct Walk<'a> {
    root: &'a Operand,
    /// How many items are around.
    depth: usize,
}

impl Walk<'_> {
    fn exists(self, query: &Query, item: &Operand) -> Result<String, String> {
        let from = if query.root { self.root } else { item };
        self.below(&query.segments, from)
    }

    /// That the rest of a query has a result in a value.
    fn below(self, segments: &[Vec<Selector>], from: &Operand) -> Result<String, String> {
        let Some((first, rest)) = segments.split_first() else { return Ok(from.exists()) };
        let one = |selector: &Selector| match selector {
            Selector::Name(name) => self.below(rest, &from.member(name)),
            Selector::Index(index) => self.below(rest, &from.item(*index)),
            Selector::Wildcard => self.some(from, |walk, item| walk.below(rest, item)),
            Selector::Filter(filter) => self.some(from, |walk, item| {
                let fits = walk.filter(filter, item)?;
                let more = walk.below(rest, item)?;
                Ok(if more == "true" { fits } else { format!("{fits} && {more}") })
            }),
        };
        let all: Vec<String> = first.iter().map(one).collect::<Result<_, _>>()?;
        Ok(if all.len() == 1 { all.concat() } else { format!("({})", all.join(" || ")) })
    }

    /// That something holds of one of the values in a list or a map.
    fn some(self, from: &Operand, holds: impl Fn(Self, &Operand) -> Result<String, String>) -> Result<String, String> {
        let (list, item, name) = self.items(from);
        let inner = holds(Self { depth: self.depth + 1, ..self }, &item)?;
        Ok(if inner == "true" { format!("size({list}) > 0") } else { format!("{list}.exists({name}, {inner})") })
    }

    /// The list or map itself, what stands for one of its values, and the name that CEL gives to the item or the key.
    fn items(self, from: &Operand) -> (String, Operand, String) {
        let name = if self.depth == 0 { ITEM.to_owned() } else { format!("{ITEM}{}", self.depth + 1) };
        if from.kind() == Some(Kind::Map) {
            let list = from.or("{}");
            return (list.clone(), Operand::described(format!("{list}[{name}]"), from.member_schemas()), name);
        }
        (from.or("[]"), Operand::described(name.clone(), from.item_schemas()), name)
    }

    fn filter(self, filter: &Filter, item: &Operand) -> Result<String, String> {
        Ok(match filter {
            Filter::Any(all) => {
                let parts: Vec<String> = all.iter().map(|part| self.filter(part, item)).collect::<Result<_, _>>()?;
                format!("({})", parts.join(" || "))
            }
            Filter::All(all) => {
                all.iter().map(|part| self.filter(part, item)).collect::<Result<Vec<_>, _>>()?.join(" && ")
            }
            Filter::Not(inner) => format!("!({})", self.filter(inner, item)?),
            Filter::Exists(query) => self.exists(query, item)?,
            Filter::Matches(query, text, whole) => {
                if !query.is_singular() {
                    return Err("`match` and `search` take a query with one result".to_owned());
                }
                let value = self.singular(query, item).or_null();
                let text = if *whole { format!("^(?:{text})$") } else { text.clone() };
                format!("(type({value}) == string && {value}.matches({}))", quoted(&pattern::translated(&text)?))
            }
            Filter::Compare(left, operator, right) => self.compare(left, *operator, right, item)?,
        })
    }

    /// The one value that a query may lead to.
    fn singular(self, query: &Query, item: &Operand) -> Operand {
        let from = if query.root { self.root } else { item }.clone();
        query.segments.iter().flatten().fold(from, |at, selector| match selector {
            Selector::Name(name) => at.member(name),
            Selector::Index(index) => at.item(*index),
            Selector::Wildcard | Selector::Filter(_) => at,
        })
    }

    fn compare(
        self,
        left: &Comparable,
        operator: Operator,
        right: &Comparable,
        item: &Operand,
    ) -> Result<String, String> {
        if let (Comparable::Literal(_), false) = (left, matches!(right, Comparable::Literal(_))) {
            return self.compare(right, operator.turned(), left, item);
        }
        let sides = [self.side(left, item)?, self.side(right, item)?];
        let is_null = |side: &Comparable| matches!(side, Comparable::Literal(Json::Null));
        let text = format!("{} {} {}", sides[0], operator.text(), sides[1]);
        if !operator.is_order() {
            // A value that is missing is not null.
            return Ok(match left {
                Comparable::Query(query) if is_null(right) => {
                    let exists = self.singular(query, item).exists();
                    if operator == Operator::Equal {
                        format!("({exists} && {text})")
                    } else {
                        format!("(!{exists} || {text})")
                    }
                }
                _ => text,
            });
        }
        // Values of different types are in no order.
        let guard = |(comparable, side): (&Comparable, &String)| match comparable {
            Comparable::Query(query) => {
                let operand = self.singular(query, item);
                let is_known = operand.is_certain() && operand.kind() == Some(Kind::Number);
                let is_text = [left, right].iter().any(|c| matches!(c, Comparable::Literal(Json::String(_))));
                match (is_known, is_text) {
                    (true, false) => None,
                    (_, true) => Some(format!("type({side}) == string")),
                    (false, false) => Some(format!("(type({side}) == int || type({side}) == double)")),
                }
            }
            _ => None,
        };
        let guards = [left, right].into_iter().zip(&sides).filter_map(guard);
        let all: Vec<String> = guards.chain([text.clone()]).collect();
        Ok(if all.len() == 1 { text } else { format!("({})", all.join(" && ")) })
    }

    fn side(self, side: &Comparable, item: &Operand) -> Result<String, String> {
        match side {
            Comparable::Literal(json) => Ok(constant(json)),
            Comparable::Query(query) => Ok(self.singular(query, item).or_null()),
            Comparable::Length(query) if query.is_singular() => {
                let operand = self.singular(query, item);
                let empty = match operand.kind() {
                    Some(Kind::Text) => "''",
                    Some(Kind::Map) => "{}",
                    _ => "[]",
                };
                Ok(format!("size({})", operand.or(empty)))
            }
            Comparable::Length(_) => Err("`length` takes a query with one result".to_owned()),
            Comparable::Count(query) => self.count(query, item),
        }
    }

    /// How many results a query has: of one that goes through a single list, as its last step.
    fn count(self, query: &Query, item: &Operand) -> Result<String, String> {
        let from = if query.root { self.root } else { item }.clone();
        if query.is_singular() {
            return Ok(format!("({} ? 1 : 0)", self.singular(query, item).exists()));
        }
        let Some((last, before)) = query.segments.split_last() else { return Ok("1".to_owned()) };
        let before = Query { root: query.root, segments: before.to_vec() };
        if let ([last @ (Selector::Wildcard | Selector::Filter(_))], true) = (&last[..], before.is_singular()) {
            let list = if before.segments.is_empty() { from } else { self.singular(&before, item) };
            let (text, item, name) = self.items(&list);
            return match last {
                Selector::Filter(filter) => {
                    let fits = Self { depth: self.depth + 1, ..self }.filter(filter, &item)?;
                    Ok(format!("size({text}.filter({name}, {fits}))"))
                }
                _ => Ok(format!("size({text})")),
            };
        }
        Err("what is counted may go through one list alone, in its last step".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::expression::{Expression, Names, ScopeBuilder};
    use crate::source::{Place, Source};
    use serde_json::json;

    /// Whether the CEL that is made of a query is true of a body.
    fn holds(query: &str, schemas: Vec<Json>, body: &Json) -> bool {
        let text = has_result(query, &Operand::described("body", schemas)).unwrap();
        let place = Place { source: Source::new("t", text.clone()), span: 0..text.len() };
        let expression = Expression::compile(&text, &place, &Names::new(["body"])).unwrap();
        let scope = ScopeBuilder::default().json("body", body).build();
        expression.truth(&scope).unwrap_or_else(|trouble| panic!("{query}: {text}: {trouble}"))
    }

    #[test]
    fn a_query_means_in_cel_what_it_means_by_the_rfc() {
        let body = json!({
            "items": [
                { "id": "a", "price": 3, "tags": ["x", "y"], "note": null },
                { "id": "b", "price": 12.5, "tags": [] },
                { "id": "c", "price": null },
            ],
            "total": 3,
            "empty": [],
        });
        for (query, expected) in [
            ("$", true),
            ("$.total", true),
            ("$.nothing", false),
            ("$.total.deeper", false),
            ("$.items[0].id", true),
            ("$.items[7].id", false),
            ("$.items[*]", true),
            ("$.empty[*]", false),
            ("$.items[*].tags[*]", true),
            ("$.items[*].colour", false),
            ("$.items[?@.id == 'b']", true),
            ("$.items[?@.id == 'B']", false),
            ("$.items[?(@.id == 'b' && @.price > 12)]", true),
            ("$.items[?@.price < 3]", false),
            ("$.items[?3 >= @.price]", true),
            ("$.items[?!(@.price >= 0)]", true),
            ("$.items[?@.note == null]", true),
            ("$.items[?@.colour == null]", false),
            ("$.items[?@.note]", true),
            ("$.items[?@.id != 'a' || @.price == 3].tags[1]", true),
            ("$.items[?@.id == 'b'].tags[0]", false),
            ("$.items[?count(@.tags[*]) == 2]", true),
            ("$.items[?count(@.tags[?@ == 'x']) == 1]", true),
            ("$.items[?length(@.tags) == 3]", false),
            ("$.items[?match(@.id, '[ab]')]", true),
            ("$.items[?search(@.price, '1')]", false),
            ("$.items[?@.price == $.total]", true),
            ("$['total', 'nothing']", true),
            ("$.items[?@.tags[?@ == 'y']]", true),
        ] {
            assert_eq!(holds(query, Vec::new(), &body), expected, "{query}");
        }
        // What the document says of a body changes how it is written, not what it means.
        let schema = json!({ "type": "object", "required": ["items", "total"], "properties": {
            "items": { "type": "array", "items": { "type": "object", "required": ["id"], "properties": {
                "id": { "type": "string" }, "price": { "type": "number" },
            } } },
            "total": { "type": "integer" },
        } });
        for (query, expected) in [
            ("$.items[?@.id == 'b']", true),
            ("$.items[?@.price > 12]", true),
            ("$[?@ == 3]", true),
            ("$[?@ == 4]", false),
            ("$.*", true),
        ] {
            assert_eq!(holds(query, vec![schema.clone()], &body), expected, "{query}");
        }
    }
}
