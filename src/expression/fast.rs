//! The form of an expression that is evaluated: it has the same value or error, with less made on the way.

use cel::common::ast::{CallExpr, ComprehensionExpr, Expr, ListExpr, LiteralValue, operators};
use cel::common::value::{CowVal, Val};
use cel::context::VariableResolver;
use cel::{Context, IdedExpr, Value};

use super::names::with_name;
use super::pattern::MATCHES;
use super::{ENV, SELF, Scope};

/// What begins the name of a constant, and cannot begin a name in CEL.
const CONSTANT: &str = "@constant";

/// Up to how many items a list has that is written out.
const UNROLLED: usize = 16;

/// Operators and functions whose value is a boolean.
const BOOLEAN: &[&str] = &[
    operators::EQUALS,
    operators::NOT_EQUALS,
    operators::LESS,
    operators::LESS_EQUALS,
    operators::GREATER,
    operators::GREATER_EQUALS,
    operators::IN,
    operators::LOGICAL_AND,
    operators::LOGICAL_OR,
    operators::LOGICAL_NOT,
    MATCHES,
];

/// An expression to be evaluated many times.
#[derive(Debug)]
pub(super) struct Fast {
    pub ast: IdedExpr,
    /// Lists that are written out in it, made once.
    constants: Vec<Box<dyn Val>>,
}

impl Fast {
    pub fn new(ast: &IdedExpr) -> Self {
        let (mut ast, mut constants) = (ast.clone(), Vec::new());
        walk(&mut ast, &mut constants);
        Self { ast, constants }
    }

    /// The variables of it in a scope.
    pub fn variables<'a>(&'a self, scope: &'a Scope) -> Variables<'a> {
        Variables { scope, constants: &self.constants }
    }
}

fn walk(ast: &mut IdedExpr, constants: &mut Vec<Box<dyn Val>>) {
    if let Expr::Comprehension(c) = &ast.expr
        && let Some(unrolled) = unrolled(c)
    {
        ast.expr = unrolled.expr;
    }
    let mut walk = |part: &mut IdedExpr| walk(part, constants);
    match &mut ast.expr {
        Expr::Call(call) => {
            call.target.iter_mut().for_each(|target| walk(target));
            call.args.iter_mut().for_each(&mut walk);
            match (call.func_name.as_str(), &mut call.args[..]) {
                (operators::IN, [_, list]) => keep_list(list, constants),
                (operators::LOGICAL_NOT, [x]) if is_boolean(x) => negate(call),
                // Whatever error it has.
                (operators::NOT_STRICTLY_FALSE, [IdedExpr { expr: Expr::Call(inner), .. }])
                    if inner.func_name == operators::LOGICAL_NOT =>
                {
                    negate(inner);
                }
                _ => {}
            }
        }
        Expr::Select(select) => walk(&mut select.operand),
        Expr::List(list) => list.elements.iter_mut().for_each(walk),
        Expr::Comprehension(c) => {
            let parts = [&mut c.iter_range, &mut c.accu_init, &mut c.loop_cond, &mut c.loop_step, &mut c.result];
            parts.into_iter().for_each(walk);
        }
        // They are evaluated as they are.
        Expr::Map(_) | Expr::Struct(_) | Expr::Unspecified | Expr::Ident(_) | Expr::Literal(_) => {}
    }
}

/// `p('a') || p('b')` for `['a', 'b'].exists(x, p(x))`, and its like with `all`: a loop binds its variables anew for each
/// item, by name.
fn unrolled(c: &ComprehensionExpr) -> Option<IdedExpr> {
    let (Expr::List(list), Expr::Call(step)) = (&c.iter_range.expr, &c.loop_step.expr) else { return None };
    let [so_far, asked] = &step.args[..] else { return None };
    let is_result = |ast: &IdedExpr| matches!(&ast.expr, Expr::Ident(name) if *name == c.accu_var);
    let is_fold = [operators::LOGICAL_AND, operators::LOGICAL_OR].contains(&step.func_name.as_str())
        && c.iter_var2.is_none()
        && is_result(so_far)
        && is_result(&c.result);
    if !is_fold || !is_literal_list(list) || list.elements.len() > UNROLLED {
        return None;
    }
    let items = list.elements.iter().map(|item| with_name(asked, &c.iter_var, item));
    Some(items.fold(c.accu_init.clone(), |so_far, item| {
        let call = CallExpr { func_name: step.func_name.clone(), target: None, args: vec![so_far, item] };
        IdedExpr { id: 0, expr: Expr::Call(call) }
    }))
}

fn is_literal_list(list: &ListExpr) -> bool {
    list.optional_indices.is_empty() && list.elements.iter().all(|item| matches!(item.expr, Expr::Literal(_)))
}

/// Of `x in ['a', 'b']`, the list would be made anew each time.
fn keep_list(list: &mut IdedExpr, constants: &mut Vec<Box<dyn Val>>) {
    if !matches!(&list.expr, Expr::List(of) if is_literal_list(of)) {
        return;
    }
    let context = Context::with_env(std::sync::Arc::clone(&ENV));
    let made = Value::resolve_val(list, &context).map(|made| made.as_ref().clone_as_boxed());
    if let Ok(made) = made {
        list.expr = Expr::Ident(format!("{CONSTANT}{}", constants.len()));
        constants.push(made);
    }
}

/// Whether it yields true, false or an error, and nothing else.
fn is_boolean(ast: &IdedExpr) -> bool {
    match &ast.expr {
        Expr::Select(select) => select.test,
        Expr::Call(call) => BOOLEAN.contains(&call.func_name.as_str()),
        _ => false,
    }
}

/// Writes `!x` as `x ? false : true`: CEL makes the error for an `x` that is no boolean before it knows that it is none.
fn negate(call: &mut CallExpr) {
    let literal = |truth: bool| IdedExpr { id: 0, expr: Expr::Literal(LiteralValue::Boolean(truth.into())) };
    call.args.extend([literal(false), literal(true)]);
    operators::CONDITIONAL.clone_into(&mut call.func_name);
}

/// What the names in an expression stand for.
pub(super) struct Variables<'a> {
    scope: &'a Scope,
    constants: &'a [Box<dyn Val>],
}

impl VariableResolver for Variables<'_> {
    fn resolve<'b>(&'b self, variable: &str) -> Option<CowVal<'b, 'b>> {
        if variable == SELF {
            return Some(CowVal::Borrowed(self.scope));
        }
        let place: usize = variable.strip_prefix(CONSTANT)?.parse().ok()?;
        self.constants.get(place).map(|value| CowVal::Borrowed(value.as_ref()))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::expression::{Expression, Names, ScopeBuilder, Trouble};
    use crate::source::{Place, Source};

    fn compile(text: &str) -> Expression {
        let place = Place { source: Source::new("t", text), span: 0..text.len() };
        Expression::compile(text, &place, &Names::new(["a", "b"])).unwrap()
    }

    #[test]
    fn what_is_evaluated_has_the_value_of_what_was_written() {
        let scope = ScopeBuilder::default().json("a", &json!({"x": 1, "y": null, "t": "u"})).build();
        for text in [
            "a.t in ['t', 'u'] && !(a.x in [2, 3]) && !('u' in [])",
            "!has(a.z) && !!has(a.x) && !(a.x == 2)",
            "['x', 'z'].exists(f, f in a && a[f] == 1)",
            "['z', 'x'].exists(f, a[f] == 1)",
            "['x', 'y'].all(f, f in a)",
            "!['x', 'z'].all(f, a[f] == 2)",
            "![].exists(f, f) && [].all(f, f)",
            "[1, 2].exists(f, [f, 3].all(f, f > 2) || f == 2)",
            "[1, 2].map(f, f + 1) == [2, 3] && [1, 2].filter(f, f > 1) == [2]",
            "[1, 2].exists_one(f, f == a.x)",
            "a.all(f, f in ['x', 'y', 't'])",
            "(has(a.x) ? 1 : 2) == 1",
        ] {
            let expression = compile(text);
            assert_eq!(expression.truth(&scope), Ok(true), "{text}");
            let plain = crate::expression::evaluate(&expression.ast, &scope).map_err(Trouble::from);
            assert_eq!(plain.map(|v| crate::expression::to_json(v.as_ref())), Ok(Some(json!(true))), "{text}");
        }
        for text in ["!a.x", "[1].exists(f, a.z == f)", "['x'].all(f, b[f])", "!a.z.w", "a.x in ['x', a.z]"] {
            let expression = compile(text);
            let plain = crate::expression::evaluate(&expression.ast, &scope).map_err(Trouble::from);
            assert_eq!(expression.truth(&scope).err(), plain.err(), "{text}");
            assert!(expression.truth(&scope).is_err(), "{text}");
        }
    }
}
