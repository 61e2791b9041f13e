//! No text and no data makes an expression panic.

use probity::expression::{Expression, Names, Scope, ScopeBuilder};
use probity::source::{Place, Source};
use proptest::prelude::*;
use proptest::sample::{Index, select};
use serde_json::{Value, json};

use super::bench::{OPPORTUNITIES, ORDERS, cases, some_day};

const NAMES: &[&str] = &["request", "response", "fixtures", "now", "it", "accepted"];

pub fn compile(text: &str) -> Result<Expression, String> {
    let place = Place { source: Source::new("t", text), span: 0..text.len() };
    Expression::compile(text, &place, &Names::new(NAMES.iter().copied())).map_err(|e| e.render(true))
}

fn scope(request: &Value, response: &Value) -> Scope {
    ScopeBuilder::default()
        .json("request", request)
        .json("response", response)
        .fixtures(&json!({"a": {"b": 1}}))
        .value("now", probity::expression::timestamp(some_day()))
        .json("it", request)
        .unknown("accepted", "no answer")
        .build()
}

/// Any JSON, extremes of numbers and texts among it.
pub fn any_json() -> impl Strategy<Value = Value> {
    let number = prop_oneof![
        any::<i64>().prop_map(|n| n.to_string()),
        select(
            &[
                "0",
                "-0",
                "1e400",
                "-1e400",
                "1e-400",
                "18446744073709551616",
                "-9223372036854775808",
                "9223372036854775807",
                "0.1"
            ][..]
        )
        .prop_map(str::to_owned),
        any::<f64>().prop_filter("JSON has no such number", |n| n.is_finite()).prop_map(|n| format!("{n:e}")),
    ]
    .prop_map(|text| serde_json::from_str(&text).unwrap_or_default());
    let text = prop_oneof![
        any::<String>().prop_map(|s| json!(s)),
        select(
            &[
                "",
                "2027-05-12T10:11:12Z",
                "9999-12-31T23:59:59Z",
                "0000-00-00",
                "10000-01-01T00:00:00Z",
                "a",
                "\u{0}",
                "-1s",
                "1e9h"
            ][..]
        )
        .prop_map(|s| json!(s)),
    ];
    let leaf = prop_oneof![Just(Value::Null), any::<bool>().prop_map(|b| json!(b)), number, text];
    leaf.prop_recursive(3, 16, 4, |below| {
        let key = select(&["a", "b", "body", "id", "status", "name", "value", ""][..]);
        prop_oneof![
            proptest::collection::vec(below.clone(), 0..4).prop_map(Value::from),
            proptest::collection::vec((key, below), 0..4).prop_map(|all| all
                .into_iter()
                .map(|(k, v)| (k.to_owned(), v))
                .collect::<serde_json::Map<_, _>>()
                .into()),
        ]
    })
}

/// Expressions put together from words that mean something.
fn expressions() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        select(
            &[
                "request",
                "response",
                "request.body",
                "response.body",
                "request.a",
                "it",
                "now",
                "accepted",
                "fixtures.a.b",
                "fixtures.x"
            ][..]
        )
        .prop_map(str::to_owned),
        select(
            &[
                "0",
                "1",
                "-1",
                "9223372036854775807",
                "-9223372036854775808",
                "1u",
                "18446744073709551615u",
                "1e308",
                "0.0",
                "''",
                "'a'",
                "b'\\xff'",
                "[]",
                "{}",
                "null",
                "true",
                "duration('1h')",
                "duration('9000000h')",
                "r'^(a+)+$'",
                "timestamp('9999-12-31T23:59:59Z')",
                "timestamp('0001-01-01T00:00:00Z')",
                "[1, 2, 3]",
                "{'a': 1}",
            ][..]
        )
        .prop_map(str::to_owned),
    ];
    leaf.prop_recursive(4, 24, 3, |below| {
        let binary = select(&["+", "-", "*", "/", "%", "==", "<", ">=", "&&", "||", "in", "!="][..]);
        let unary = select(
            &[
                "!",
                "-",
                "size(",
                "int(",
                "uint(",
                "double(",
                "string(",
                "timestamp(",
                "duration(",
                "type(",
                "bool(",
                "dyn(",
            ][..],
        );
        let method = select(
            &[
                "substring(X)",
                "charAt(X)",
                "split(X)",
                "replace(X, 'b')",
                "indexOf(X)",
                "lastIndexOf(X)",
                "slice(X, 9)",
                "flatten(X)",
                "distinct()",
                "sort()",
                "reverse()",
                "lowerAscii()",
                "trim()",
                "join(X)",
                "matches(X)",
                "startsWith(X)",
                "getFullYear()",
                "getMilliseconds()",
                "getDayOfYear(X)",
                "map(x, x)",
                "filter(x, x == X)",
                "exists(x, x)",
                "all(x, x > X)",
                "exists_one(x, x == X)",
                "format([X])",
                "orValue(X)",
                "size()",
                "contains(X)",
                "?a",
                "a",
                "body",
            ][..],
        );
        prop_oneof![
            (below.clone(), binary, below.clone()).prop_map(|(a, op, b)| format!("({a} {op} {b})")),
            (unary, below.clone()).prop_map(|(f, a)| if f.ends_with('(') {
                format!("{f}{a})")
            } else {
                format!("{f}({a})")
            }),
            (below.clone(), method, below.clone()).prop_map(|(a, m, b)| format!("{a}.{}", m.replace('X', &b))),
            (below.clone(), below.clone()).prop_map(|(a, b)| format!("{a}[{b}]")),
            (below.clone(), below.clone(), below.clone()).prop_map(|(a, b, c)| format!("({a} ? {b} : {c})")),
            (below.clone(), below.clone()).prop_map(|(a, b)| format!("math.greatest({a}, {b})")),
            (below.clone(), below).prop_map(|(a, b)| format!("math.bitShiftLeft({a}, {b})")),
        ]
    })
}

fn try_all(expression: &Expression, scope: &Scope) {
    let _ = expression.json(scope);
    let _ = expression.truth(scope);
    let _ = expression.instant(scope);
    let _ = format!("{:?}", expression.explain(scope));
}

proptest! {
    #![proptest_config(cases(400))]

    #[test]
    fn any_text_compiles_or_says_why(text in any::<String>()) {
        let _ = compile(&text);
    }

    #[test]
    fn what_looks_like_an_expression_never_panics(text in expressions(), request in any_json(), response in any_json()) {
        if let Ok(expression) = compile(&text) {
            try_all(&expression, &scope(&request, &response));
        }
    }

    /// Real expressions with a piece cut out or doubled.
    #[test]
    fn mutilated_expressions_never_panic(which in any::<Index>(), from in any::<Index>(), to in any::<Index>(), double in any::<bool>(), data in any_json()) {
        let all: Vec<&str> = [&*OPPORTUNITIES, &*ORDERS].iter().flat_map(|b| b.contract.expressions()).map(Expression::text).collect();
        let chars: Vec<char> = all[which.index(all.len())].chars().collect();
        let (a, b) = (from.index(chars.len()), to.index(chars.len()));
        let (a, b) = (a.min(b), a.max(b));
        let text: String = if double {
            chars[..b].iter().chain(&chars[a..]).collect()
        } else {
            chars[..a].iter().chain(&chars[b..]).collect()
        };
        if let Ok(expression) = compile(&text) {
            try_all(&expression, &scope(&data, &data));
        }
    }

    /// The contracts' own expressions on data that they were not written for.
    #[test]
    fn real_expressions_bear_any_data(which in any::<Index>(), request in any_json(), response in any_json()) {
        for bench in [&*OPPORTUNITIES, &*ORDERS] {
            let all = bench.contract.expressions();
            let expression = all[which.index(all.len())];
            let scope = bench.fixtures.scope().extend()
                .json("request", &json!({"body": request, "path": {}, "headers": {}}))
                .json("response", &json!({"body": response, "status": 200, "headers": {}}))
                .build();
            try_all(expression, &scope);
        }
    }
}

#[test]
fn the_ends_of_numbers_do_no_harm() {
    let scope = scope(&json!({"min": i64::MIN, "max": i64::MAX}), &json!({}));
    for text in [
        "request.max + 1",
        "request.min - 1",
        "-request.min",
        "request.min / -1",
        "request.min % -1",
        "request.max * 2",
        "1 / 0",
        "1 % 0",
        "'a'.substring(5)",
        "'a'.substring(-1)",
        "'é'.substring(1)",
        "'a'.charAt(9)",
        "[1].slice(0, 5)",
        "[1].slice(-1, 0)",
        "[1].slice(1, 0)",
        "[1][5]",
        "[1][-1]",
        "now + duration('9223372036s')",
        "timestamp(request.max)",
        "timestamp(-request.max)",
        "duration('99999999999h')",
        "[[1]].flatten(-1)",
        "math.bitShiftLeft(1, 100)",
        "math.bitShiftLeft(1, -1)",
        "math.abs(request.min)",
        "'%d'.format([request])",
        "'%'.format([])",
        "'%.999f'.format([1.0])",
        "'a'.matches('(')",
        "string(b'\\xff')",
        "int(1e300)",
        "int('x')",
        "uint(-1)",
        "double('x')",
        "lists.range(1000000000)",
        "lists.range(-1)",
        "[3, 'a'].sort()",
        "[{}, 1].sort()",
        "'a'.split('', -5)",
        "'abc'.replace('', 'x', -1)",
        "'a'.lastIndexOf('a', 9)",
        "'a'.indexOf('a', -1)",
        "now.getHours('nowhere')",
        "now.getHours('+99:99')",
        "optional.none().value()",
        "[].join(1)",
        "timestamp('x')",
        "now - timestamp('0001-01-01T00:00:00Z')",
    ] {
        if let Ok(expression) = compile(text) {
            try_all(&expression, &scope);
        }
    }
}
