//! CEL, the language of oracles: the names that an expression may use, its value, and why it has none.

mod explain;
mod fast;
mod names;
mod pattern;
mod value;

use std::fmt;
use std::sync::{Arc, LazyLock};

use cel::common::ast::{Expr, operators};
use cel::common::types::CelBool;
use cel::common::value::{CowVal, Val};
use cel::{Context, Env, ExecutionError, IdedExpr, Value, extensions};
use serde_json::Value as Json;

use crate::source::{Place, Result};

use fast::Fast;

pub use explain::{Explanation, Operand};
pub use names::Names;
pub use value::{Defines, Scope, ScopeBuilder, from_json, timestamp, to_json};

type Evaluated<T> = std::result::Result<T, ExecutionError>;

static ENV: LazyLock<Arc<Env>> = LazyLock::new(|| {
    let mut env = Env::stdlib().with_optional_support(true);
    for extension in [extensions::strings, extensions::lists, extensions::math, pattern::extension] {
        env.add_extension(extension).expect("the extensions do not overlap");
    }
    Arc::new(env)
});

/// The one variable that is bound: every other name is rewritten to a member of it, so that
/// names can be evaluated when they are used, and can fail.
const SELF: &str = "@self";

/// A compiled expression.
#[derive(Debug)]
pub struct Expression {
    text: String,
    place: Place,
    /// What is explained.
    ast: IdedExpr,
    /// What is evaluated.
    fast: Fast,
    offsets: Vec<(u64, usize)>,
    body_paths: Vec<BodyPath>,
    optional_fields: Vec<String>,
    variables: Vec<String>,
    timely: bool,
}

/// A path under a request's or a response's body that an expression reads.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct BodyPath {
    /// Whether it is the response's body.
    pub response: bool,
    /// The names below the body.
    pub segments: Vec<String>,
}

/// Why an expression yielded no value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// It reads something unknown, such as a response that never came. The reason.
    Unknown(String),
    /// It reads a fixture that is missing. The fixture's path.
    Fixture(String),
    /// It cannot be evaluated on this data. The message.
    Error(String),
    /// The same, but for the value of a part of it alone: an item that a list does not have, or a text that is no number.
    Value(String),
}

/// Functions that fail for some texts only.
const PARTIAL: &[&str] = &["int", "uint", "double", "bool", "timestamp", "duration", "charAt", "substring", "indexOf"];

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unknown(reason) => f.write_str(reason),
            Self::Fixture(path) => write!(f, "missing fixture `{path}`"),
            Self::Error(message) | Self::Value(message) => f.write_str(message),
        }
    }
}

impl Expression {
    /// Compiles `text`, which stands at `place`.
    ///
    /// # Errors
    /// Text that does not parse, and names that are not among `names`.
    pub fn compile(text: &str, place: &Place, names: &Names) -> Result<Self> {
        let program = ENV.compile(text).map_err(|errors| {
            let first = errors.errors.first();
            let (line, column) = first.map_or((1, 1), |e| e.pos);
            let message = first.map_or_else(String::new, |e| e.msg.clone());
            place
                .error("this is not a CEL expression")
                .label(format!("line {line}, column {column} of it: {message}"))
                .help("CEL is written like C: `has(a.b) && a.b > 1`, strings in 'quotes'")
        })?;
        let mut ast = program.expression().clone();
        let found = names::bind(&mut ast, names).map_err(|unknown| {
            place
                .error(format!("unknown name `{}` in an expression", unknown.name))
                .label("used here")
                .help(unknown.help)
        })?;
        Ok(Self {
            text: text.to_owned(),
            place: place.clone(),
            offsets: names::offsets(&ast, program.source_info()),
            fast: Fast::new(&ast),
            ast,
            body_paths: found.body_paths,
            optional_fields: found.optional_fields,
            timely: names.depends_on_time(&found.variables),
            variables: found.variables,
        })
    }

    /// The expression as it was written.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Where it was written.
    pub fn place(&self) -> &Place {
        &self.place
    }

    /// The paths under bodies that it reads.
    pub fn body_paths(&self) -> &[BodyPath] {
        &self.body_paths
    }

    /// Whether it, or a define that it uses, reads a field at the top of the request's body, even if
    /// only to check its presence.
    pub fn reads_field(&self, field: &str, defines: &Defines) -> bool {
        self.body_paths.iter().any(|p| !p.response && p.segments.first().is_some_and(|s| s == field))
            || self.optional_fields.iter().any(|f| f == field)
            || self.variables.iter().filter_map(|v| defines.get(v)).any(|define| define.reads_field(field, defines))
    }

    /// Whether it reads the name at its top level.
    pub fn reads(&self, name: &str) -> bool {
        self.variables.iter().any(|v| v == name)
    }

    /// Whether its value may depend on the time.
    pub fn is_timely(&self) -> bool {
        self.timely
    }

    /// The names that it reads at its top level.
    pub fn variables(&self) -> &[String] {
        &self.variables
    }

    /// Its value as JSON.
    ///
    /// # Errors
    /// See [`Trouble`].
    pub fn json(&self, scope: &Scope) -> std::result::Result<Json, Trouble> {
        self.value(scope, "has no JSON value", to_json)
    }

    /// Its value as an instant.
    ///
    /// # Errors
    /// See [`Trouble`]; also a value that is not a timestamp.
    pub fn instant(&self, scope: &Scope) -> std::result::Result<chrono::DateTime<chrono::Utc>, Trouble> {
        self.value(scope, "is not a timestamp", |value| {
            value.downcast_ref::<cel::common::types::CelTimestamp>().map(|t| t.inner().to_utc())
        })
    }

    /// Its value as a boolean.
    ///
    /// # Errors
    /// See [`Trouble`]; also a value that is not a boolean.
    pub fn truth(&self, scope: &Scope) -> std::result::Result<bool, Trouble> {
        self.value(scope, "is not a boolean", |value| value.downcast_ref::<CelBool>().map(|b| *b.inner()))
    }

    /// The missing fixture without which it is never true, whatever else it reads.
    pub fn wants_fixture(&self, scope: &Scope) -> Option<String> {
        wants_fixture(&self.ast, scope, true)
    }

    /// What is read of its value, or what that lacks.
    fn value<T>(
        &self,
        scope: &Scope,
        lacks: &str,
        wanted: impl FnOnce(&dyn Val) -> Option<T>,
    ) -> std::result::Result<T, Trouble> {
        let variables = self.fast.variables(scope);
        let mut context = Context::with_env(Arc::clone(&ENV));
        context.set_variable_resolver(&variables);
        let value = Value::resolve_val(&self.fast.ast, &context)?;
        wanted(value.as_ref()).ok_or_else(|| Trouble::Error(format!("`{}` {lacks}", self.text)))
    }
}

/// The value of an expression, to be kept.
fn evaluate(ast: &IdedExpr, scope: &Scope) -> Evaluated<Box<dyn Val>> {
    let mut context = Context::with_env(Arc::clone(&ENV));
    context.add_variable_as_val(SELF, Box::new(scope.clone()));
    Value::resolve_val(ast, &context).map(|value| match value {
        CowVal::Borrowed(value) => value.clone_as_boxed(),
        CowVal::Owned(value) => value,
    })
}

/// The missing fixture that an expression needs to have a value, or, where it `must_be_true`, to be true.
fn wants_fixture(ast: &IdedExpr, scope: &Scope, must_be_true: bool) -> Option<String> {
    if names::chain(ast).is_some_and(|path| path.first().is_some_and(|name| name == "fixtures")) {
        return match evaluate(ast, scope).map_err(Trouble::from) {
            Err(Trouble::Fixture(path)) => Some(path),
            _ => None,
        };
    }
    let parts = match &ast.expr {
        Expr::Call(call) if call.func_name == operators::LOGICAL_AND && must_be_true => {
            return call.args.iter().find_map(|part| wants_fixture(part, scope, true));
        }
        // One side may decide without the other.
        Expr::Call(call) if [operators::LOGICAL_AND, operators::LOGICAL_OR].contains(&call.func_name.as_str()) => {
            Vec::new()
        }
        Expr::Call(call) if call.func_name == operators::CONDITIONAL => call.args.iter().take(1).collect(),
        Expr::Comprehension(c) => vec![&c.iter_range],
        _ => names::children(ast),
    };
    parts.into_iter().find_map(|part| wants_fixture(part, scope, false))
}

impl From<ExecutionError> for Trouble {
    fn from(error: ExecutionError) -> Self {
        match error {
            ExecutionError::FunctionError { function, message } if function == value::UNKNOWN => Self::Unknown(message),
            ExecutionError::NoSuchKey(key) if key.starts_with(value::FIXTURES) => Self::Fixture(key.to_string()),
            ExecutionError::NoSuchKey(key) => Self::Error(format!("`{key}` is missing")),
            ExecutionError::FunctionError { ref function, .. } if PARTIAL.contains(&function.as_str()) => {
                Self::Value(error.to_string())
            }
            ExecutionError::IndexOutOfBounds(_)
            | ExecutionError::DivisionByZero(_)
            | ExecutionError::RemainderByZero(_)
            | ExecutionError::Overflow(..) => Self::Value(error.to_string()),
            other => Self::Error(other.to_string()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::Source;
    use serde_json::json;

    fn place(text: &str) -> Place {
        Place { source: Source::new("t", text), span: 0..text.len() }
    }

    fn compile(text: &str, names: &[&str]) -> Result<Expression> {
        Expression::compile(text, &place(text), &Names::new(names.iter().copied()))
    }

    fn scope(values: Json) -> Scope {
        let mut builder = ScopeBuilder::default();
        for (name, value) in values.as_object().unwrap() {
            builder = if name == "fixtures" { builder.fixtures(value) } else { builder.json(name, value) };
        }
        builder.unknown("response", "no response came").build()
    }

    #[test]
    fn evaluates_json() {
        let scope = scope(json!({"a": {"b": [1, 2.5, "x", null, true]}, "n": 5}));
        for (text, expected) in [
            ("a.b[0] == 1 && n % 2 == 1", json!(true)),
            ("a.b.map(x, x)", json!([1, 2.5, "x", null, true])),
            ("a.map(k, k)", json!(["b"])),
            ("has(a.b) && !has(a.c)", json!(true)),
            ("{'k': n}", json!({"k": 5})),
            ("a.?c.orValue(7)", json!(7)),
            ("[3, 1, 2].sort()", json!([1, 2, 3])),
            ("type(n) == int && type(a.b[1]) == double", json!(true)),
            ("n == 5.0 && a == a", json!(true)),
        ] {
            let expression = compile(text, &["a", "n"]).unwrap();
            assert_eq!(expression.json(&scope), Ok(expected), "{text}");
        }
    }

    #[test]
    fn maps_iterate_in_their_own_order() {
        let keys: Vec<String> = (0..40).map(|i| format!("k{}", 40 - i)).collect();
        let map: serde_json::Map<String, Json> = keys.iter().map(|k| (k.clone(), json!(1))).collect();
        let scope = scope(json!({ "m": map }));
        let expression = compile("m.map(k, k)", &["m"]).unwrap();
        assert_eq!(expression.json(&scope), Ok(json!(keys)));
    }

    #[test]
    fn what_is_unknown_is_neither_true_nor_false() {
        let scope = scope(json!({"yes": true, "no": false}));
        let names = ["yes", "no", "response"];
        let unknown = Err(Trouble::Unknown("no response came".into()));
        for (text, expected) in [
            ("response.status == 201", unknown.clone()),
            ("yes || response.status == 201", Ok(true)),
            ("response.status == 201 || yes", Ok(true)),
            ("response.status == 201 && no", Ok(false)),
            ("response.status == 201 && yes", unknown.clone()),
            ("has(response.body)", unknown.clone()),
            ("[no, yes].exists(x, response.status == 201 || x)", Ok(true)),
            ("!(response.status == 201)", unknown),
        ] {
            assert_eq!(compile(text, &names).unwrap().truth(&scope), expected, "{text}");
        }
    }

    #[test]
    fn tells_a_missing_fixture_from_a_missing_field() {
        let scope = scope(json!({"fixtures": {"h": {"x": 1}}, "body": {}}));
        let names = ["fixtures", "body"];
        let trouble = |text| compile(text, &names).unwrap().json(&scope).unwrap_err();
        assert_eq!(trouble("fixtures.h.y"), Trouble::Fixture("fixtures.h.y".into()));
        assert_eq!(trouble("fixtures['z']"), Trouble::Fixture("fixtures.z".into()));
        assert_eq!(trouble("body.y"), Trouble::Error("`y` is missing".into()));
        assert_eq!(compile("has(fixtures.q)", &names).unwrap().truth(&scope), Ok(false));
    }

    #[test]
    fn knows_the_fixture_that_it_cannot_be_true_without() {
        let scope = scope(json!({})).extend().fixtures(&json!({"here": "x"})).unknown("response", "not sent").build();
        for (text, due) in [
            ("response.a in fixtures.gone", Some("fixtures.gone")),
            ("response.ok && response.a == fixtures.gone.x", Some("fixtures.gone")),
            ("response.ok && response.a == fixtures.here", None),
            ("response.ok || response.a == fixtures.gone", None),
            ("response.ok ? response.a == fixtures.gone : true", None),
            ("response.all(x, x == fixtures.gone)", None),
            ("has(fixtures.gone) && response.ok", None),
            ("!(response.a in fixtures.gone)", Some("fixtures.gone")),
            ("!(response.ok && response.a == fixtures.gone)", None),
            ("(response.ok && fixtures.gone == 1) == false", None),
        ] {
            let expression = compile(text, &["response", "fixtures"]).unwrap();
            assert_eq!(expression.wants_fixture(&scope).as_deref(), due, "{text}");
        }
    }

    #[test]
    fn refuses_unknown_names_but_not_those_it_binds_itself() {
        let error = compile("[1].exists(x, x == y)", &["a"]).unwrap_err().to_string();
        assert!(error.contains("unknown name `y`"), "{error}");
        assert!(compile("[1].exists(x, x == 1) && math.greatest(1, 2) == 2", &[]).is_ok());
        assert!(compile("1 +", &[]).unwrap_err().to_string().contains("not a CEL expression"));
    }

    #[test]
    fn knows_what_an_exchange_has() {
        let members = Names::new(["request", "response", "accepted"]).with_retired(&[("done", "write accepted")]);
        let names = Names::new(["now"]).with_retired(&[("done", "write accepted")]);
        let names = names.and_exchanges(["first", "all"], &members);
        let compile = |text: &str| Expression::compile(text, &place(text), &names);
        for good in [
            "first.accepted && all.all(e, e.accepted)",
            "all.filter(e, e.accepted).all(e, e.response.body.done)",
            "all.map(e, e.response.body).all(b, b.done)",
            "all.exists(e, e.response.body.items.all(e, e.done)) && all[0].accepted",
        ] {
            compile(good).unwrap_or_else(|e| panic!("{good}: {e}"));
        }
        for bad in [
            "first.done",
            "all.all(e, e.done)",
            "[first].exists(e, e.done)",
            "all[0].done",
            "done",
            "all.filter(e, e.response.status == 1).all(e, e.done)",
        ] {
            assert!(compile(bad).unwrap_err().to_string().contains("write accepted"), "{bad}");
        }
        assert!(compile("first.acepted").unwrap_err().to_string().contains("did you mean `accepted`?"));
    }

    #[test]
    fn lists_the_paths_under_bodies() {
        let e = compile("first.response.body.a['b'] == 1 && has(request.body.c)", &["first", "request"]).unwrap();
        assert_eq!(
            e.body_paths(),
            [
                BodyPath { response: false, segments: vec!["c".into()] },
                BodyPath { response: true, segments: vec!["a".into(), "b".into()] },
            ]
        );
        assert!(e.reads("first") && !e.reads("a"));
    }

    #[test]
    fn knows_the_fields_that_it_may_read() {
        let define = compile("request.body.?b.orValue(1)", &["request"]).unwrap();
        let defines = Defines::new([("d".to_owned(), define)]);
        let e =
            compile("has(request.body.a.x) && d == 1 && response.body.c == 1", &["request", "response", "d"]).unwrap();
        let read: Vec<&str> = ["a", "b", "c", "x"].into_iter().filter(|f| e.reads_field(f, &defines)).collect();
        assert_eq!(read, ["a", "b"]);
    }

    #[test]
    fn defines_are_members_of_what_they_are_about() {
        let define = compile("request.n + 1", &["request"]).unwrap();
        let defines = Arc::new(Defines::new([("next".to_owned(), define)]));
        let exchange = ScopeBuilder::default().json("request", &json!({"n": 4})).defines(Arc::clone(&defines)).build();
        let outer = ScopeBuilder::default().scope("first", &exchange).build();
        assert_eq!(compile("next == 5", &["next"]).unwrap().truth(&exchange), Ok(true));
        assert_eq!(compile("first.next == 5", &["first"]).unwrap().truth(&outer), Ok(true));
    }

    #[test]
    fn numbers_beyond_every_type_do_no_harm() {
        let body: Json =
            serde_json::from_str(r#"{"a": 1e400, "b": 18446744073709551616, "c": 18446744073709551615}"#).unwrap();
        let scope = scope(json!({ "body": body }));
        assert_eq!(compile("body.a > 1 && body.b > 1 && body.c > 1", &["body"]).unwrap().truth(&scope), Ok(true));
    }
}
