//! Explains why an expression was not true: the clause that decided it, and the values that it read.

use cel::IdedExpr;
use cel::common::ast::{CallExpr, Expr, LiteralValue, operators};
use serde_json::Value as Json;

use super::{Expression, SELF, Scope, Trouble, evaluate, names, to_json};

/// An explanation of a failed expression.
#[derive(Clone, Debug, PartialEq)]
pub struct Explanation {
    /// The part of the expression that decided it, as written.
    pub clause: String,
    /// The expected value, if the clause compares a response with something else.
    pub expected: Option<Json>,
    /// The actual value, if the clause compares.
    pub actual: Option<Json>,
    /// How the actual value must relate to the expected one, in words; empty if they must be equal.
    pub relation: &'static str,
    /// What the clause read, in the order of the text.
    pub operands: Vec<Operand>,
    /// The message, if it could not be evaluated.
    pub error: Option<String>,
}

/// How the left side of a comparison must relate to the right side, or the right one to the left if they are swapped.
fn relation(operator: &str, swapped: bool) -> &'static str {
    match (operator, swapped) {
        (operators::NOT_EQUALS, _) => "anything but ",
        (operators::LESS, false) | (operators::GREATER, true) => "less than ",
        (operators::LESS_EQUALS, false) | (operators::GREATER_EQUALS, true) => "at most ",
        (operators::GREATER, false) | (operators::LESS, true) => "more than ",
        (operators::GREATER_EQUALS, false) | (operators::LESS_EQUALS, true) => "at least ",
        (operators::IN, false) => "one of ",
        _ => "",
    }
}

/// A path that a clause read, and its value.
#[derive(Clone, Debug, PartialEq)]
pub struct Operand {
    /// The path as written.
    pub path: String,
    /// Its value; None where there was none.
    pub value: Option<Json>,
}

const COMPARISONS: &[&str] = &[
    operators::EQUALS,
    operators::NOT_EQUALS,
    operators::LESS,
    operators::LESS_EQUALS,
    operators::GREATER,
    operators::GREATER_EQUALS,
    operators::IN,
];

/// The parts of a text between those `&&` that stand in no brackets and no string.
fn and_parts(text: &str, range: std::ops::Range<usize>) -> Vec<std::ops::Range<usize>> {
    let (mut parts, mut start) = (Vec::new(), range.start);
    let (mut depth, mut quote, mut escaped) = (0_usize, None, false);
    for (at, c) in text[range.clone()].char_indices().map(|(at, c)| (range.start + at, c)) {
        match (quote, c) {
            (Some(_), _) if escaped => escaped = false,
            (Some(_), '\\') => escaped = true,
            (Some(end), c) if c == end => quote = None,
            (Some(_), _) => {}
            (None, '\'' | '"') => quote = Some(c),
            (None, '(' | '[' | '{') => depth += 1,
            (None, ')' | ']' | '}') => depth = depth.saturating_sub(1),
            (None, '&') if depth == 0 && at >= start && text[at..].starts_with("&&") => {
                parts.push(start..at);
                start = at + 2;
            }
            (None, _) => {}
        }
    }
    parts.push(start..range.end);
    parts
}

impl Expression {
    /// Explains why this expression was not true in the scope.
    pub fn explain(&self, scope: &Scope) -> Explanation {
        let (clause, range) = self.deciding(&self.ast, 0..self.text.len(), scope);
        let mut paths = Vec::new();
        collect_paths(clause, &mut Vec::new(), &mut paths);
        let element = first_against(clause, scope);
        if let Some(element) = &element {
            paths.clear();
            collect_paths(element, &mut Vec::new(), &mut paths);
        }
        let mut operands: Vec<Operand> = Vec::new();
        for path in paths {
            let text = spell(path);
            // A step as a whole is not shown, only the values that are read from it.
            let is_step = evaluate(path, scope).is_ok() && value_of(path, scope).is_none();
            if !is_step && operands.iter().all(|o| o.path != text) {
                operands.push(Operand { path: text, value: value_of(path, scope) });
            }
        }
        let mut explanation = Explanation {
            clause: self.text[range].split_whitespace().collect::<Vec<_>>().join(" "),
            expected: None,
            actual: None,
            relation: "",
            operands,
            error: evaluate(clause, scope).err().map(|e| Trouble::from(e).to_string()),
        };
        if let Expr::Call(call) = &clause.expr
            && COMPARISONS.contains(&call.func_name.as_str())
            && call.args.len() == 2
        {
            let (left, right) = (value_of(&call.args[0], scope), value_of(&call.args[1], scope));
            let swapped = reads_response(&call.args[1]) && !reads_response(&call.args[0]);
            (explanation.actual, explanation.expected) = if swapped { (right, left) } else { (left, right) };
            explanation.relation = relation(&call.func_name, swapped);
        }
        explanation
    }

    /// The parts of `a && b && c`, each with its text; none where it is not certain which text is whose.
    fn conjuncts<'a>(
        &self,
        ast: &'a IdedExpr,
        range: &std::ops::Range<usize>,
    ) -> Vec<(&'a IdedExpr, std::ops::Range<usize>)> {
        fn collect<'a>(ast: &'a IdedExpr, all: &mut Vec<&'a IdedExpr>) {
            match &ast.expr {
                Expr::Call(call) if call.func_name == operators::LOGICAL_AND => {
                    call.args.iter().for_each(|part| collect(part, all));
                }
                _ => all.push(ast),
            }
        }
        let mut parts = Vec::new();
        collect(ast, &mut parts);
        let ranges = and_parts(&self.text, range.clone());
        if parts.len() == ranges.len() { parts.into_iter().zip(ranges).collect() } else { Vec::new() }
    }

    /// Follows `&&`, `||` and `? :` down to the part that decided the outcome.
    fn deciding<'a>(
        &self,
        ast: &'a IdedExpr,
        range: std::ops::Range<usize>,
        scope: &Scope,
    ) -> (&'a IdedExpr, std::ops::Range<usize>) {
        let range = bare(&self.text, range);
        let Expr::Call(call) = &ast.expr else {
            return (ast, range);
        };
        let at = |id: u64| self.offsets.iter().find(|(i, _)| *i == id).map(|(_, o)| *o);
        let truth = |e: &IdedExpr| evaluate(e, scope).ok().and_then(|v| to_json(v.as_ref())).and_then(|v| v.as_bool());
        match call.func_name.as_str() {
            operators::LOGICAL_AND | operators::LOGICAL_OR if call.args.len() == 2 => {
                let is_and = call.func_name == operators::LOGICAL_AND;
                let (left, right) = (&call.args[0], &call.args[1]);
                // Balanced trees reorder operators: without a certain split, the whole is shown, or one of several parts.
                let Some(split) = at(ast.id)
                    .filter(|s| range.contains(s) && self.text[*s..].starts_with(if is_and { "&&" } else { "||" }))
                else {
                    let parts = if is_and { self.conjuncts(ast, &range) } else { Vec::new() };
                    let by = |decides: &dyn Fn(Option<bool>) -> bool| parts.iter().find(|(e, _)| decides(truth(e)));
                    // An error decides if nothing is false.
                    let deciding = by(&|truth| truth == Some(false)).or_else(|| by(&|truth| truth != Some(true)));
                    return match deciding {
                        Some((part, range)) => self.deciding(part, range.clone(), scope),
                        None => (ast, range),
                    };
                };
                let left_range = range.start..split;
                let right_range = split + 2..range.end;
                if is_and {
                    // An error decides if the other side does not.
                    let by_error = truth(left) != Some(true) && truth(right) != Some(false);
                    if by_error || truth(left) == Some(false) {
                        self.deciding(left, left_range, scope)
                    } else {
                        self.deciding(right, right_range, scope)
                    }
                } else if truth(left) == Some(false) && guards(left) {
                    // `!has(x) || …`: the guard let it through, the rest failed.
                    self.deciding(right, right_range, scope)
                } else {
                    (ast, range)
                }
            }
            operators::CONDITIONAL if call.args.len() == 3 => {
                let question = at(ast.id).filter(|s| self.text[*s..].starts_with('?'));
                let colon = question.and_then(|q| matching_colon(&self.text[q + 1..range.end]));
                match (question, colon, truth(&call.args[0])) {
                    (Some(q), Some(c), Some(true)) => self.deciding(&call.args[1], q + 1..q + 1 + c, scope),
                    (Some(q), Some(c), Some(false)) => self.deciding(&call.args[2], q + 2 + c..range.end, scope),
                    _ => (ast, range),
                }
            }
            _ => (ast, range),
        }
    }
}

fn guards(ast: &IdedExpr) -> bool {
    let inner = match &ast.expr {
        Expr::Call(call) if call.func_name == operators::LOGICAL_NOT => &call.args[0],
        _ => ast,
    };
    matches!(&inner.expr, Expr::Select(select) if select.test)
        || matches!(&inner.expr, Expr::Call(call) if call.func_name == operators::EQUALS
            || call.func_name == operators::LOGICAL_OR && call.args.iter().all(guards))
}

fn matching_colon(text: &str) -> Option<usize> {
    let (mut depth, mut questions, mut quote) = (0_i32, 0_i32, None);
    for (i, c) in text.char_indices() {
        match (quote, c) {
            (Some(q), _) if c == q => quote = None,
            (Some(_), _) => {}
            (None, '\'' | '"') => quote = Some(c),
            (None, '(' | '[' | '{') => depth += 1,
            (None, ')' | ']' | '}') => depth -= 1,
            (None, '?') if depth == 0 => questions += 1,
            (None, ':') if depth == 0 && questions == 0 => return Some(i),
            (None, ':') if depth == 0 => questions -= 1,
            _ => {}
        }
    }
    None
}

/// The range without the white space and the parentheses around it.
fn bare(text: &str, range: std::ops::Range<usize>) -> std::ops::Range<usize> {
    let part = &text[range.clone()];
    let trimmed = part.trim();
    let start = range.start + (part.len() - part.trim_start().len());
    let end = start + trimmed.len();
    match trimmed.strip_prefix('(').and_then(|t| t.strip_suffix(')')) {
        Some(inner) if balanced(inner) => bare(text, start + 1..end - 1),
        _ => start..end,
    }
}

fn balanced(text: &str) -> bool {
    let mut depth = 0_i32;
    for c in text.chars() {
        match c {
            '(' => depth += 1,
            ')' => depth -= 1,
            _ => {}
        }
        if depth < 0 {
            return false;
        }
    }
    depth == 0
}

/// The condition of `list.all(e, …)` on the first element that does not meet it, with the element named by its place.
fn first_against(clause: &IdedExpr, scope: &Scope) -> Option<IdedExpr> {
    let Expr::Comprehension(all) = &clause.expr else { return None };
    let Expr::Call(step) = &all.loop_step.expr else { return None };
    let [so_far, asked] = &step.args[..] else { return None };
    let is_all = step.func_name == operators::LOGICAL_AND
        && all.iter_var2.is_none()
        && matches!(&so_far.expr, Expr::Ident(name) if *name == all.accu_var);
    if !is_all {
        return None;
    }
    let element = |n: usize| match &all.iter_range.expr {
        Expr::List(list) => list.elements.get(n).cloned(),
        _ if rooted(&all.iter_range, &[]) => {
            let at = i64::try_from(n).ok()?;
            let at = IdedExpr { id: 0, expr: Expr::Literal(LiteralValue::Int(at.into())) };
            let args = vec![all.iter_range.clone(), at];
            let call = CallExpr { func_name: operators::INDEX.to_owned(), target: None, args };
            let element = IdedExpr { id: 0, expr: Expr::Call(call) };
            evaluate(&element, scope).is_ok().then_some(element)
        }
        _ => None,
    };
    let mut elements = (0..).map_while(element).map(|element| with_name(asked, &all.iter_var, &element));
    elements.find(|asked| value_of(asked, scope) != Some(Json::Bool(true)))
}

/// An expression with another in the place of a name.
fn with_name(ast: &IdedExpr, name: &str, with: &IdedExpr) -> IdedExpr {
    let inner = |ast: &IdedExpr| with_name(ast, name, with);
    let expr = match &ast.expr {
        Expr::Ident(own) if own == name => return with.clone(),
        Expr::Select(select) => {
            let mut select = select.clone();
            select.operand = Box::new(inner(&select.operand));
            Expr::Select(select)
        }
        Expr::Call(call) => {
            let mut call = call.clone();
            call.target = call.target.map(|target| Box::new(inner(&target)));
            call.args = call.args.iter().map(inner).collect();
            Expr::Call(call)
        }
        Expr::Comprehension(c) => {
            let mut c = c.clone();
            c.iter_range = inner(&c.iter_range);
            // Below this, the same name has another meaning.
            if c.iter_var != name {
                c.loop_step = inner(&c.loop_step);
            }
            Expr::Comprehension(c)
        }
        other => other.clone(),
    };
    IdedExpr { id: ast.id, expr }
}

fn value_of(ast: &IdedExpr, scope: &Scope) -> Option<Json> {
    evaluate(ast, scope).ok().and_then(|v| to_json(v.as_ref()))
}

fn reads_response(ast: &IdedExpr) -> bool {
    let own = names::chain(ast).is_some_and(|p| p.iter().any(|s| s == "response"));
    own || names::children(ast).into_iter().any(reads_response)
}

/// The longest chains of selections that start at a name of the scope.
fn collect_paths<'a>(ast: &'a IdedExpr, local: &mut Vec<String>, out: &mut Vec<&'a IdedExpr>) {
    match &ast.expr {
        Expr::Select(_) | Expr::Call(_) if rooted(ast, local) => {
            if !matches!(&ast.expr, Expr::Select(s) if s.test) {
                out.push(ast);
                return;
            }
            if let Expr::Select(select) = &ast.expr {
                collect_paths(&select.operand, local, out);
            }
        }
        Expr::Comprehension(c) => {
            collect_paths(&c.iter_range, local, out);
            let depth = local.len();
            local.extend([c.accu_var.clone(), c.iter_var.clone()]);
            collect_paths(&c.loop_step, local, out);
            local.truncate(depth);
        }
        _ => {
            for child in names::children(ast) {
                collect_paths(child, local, out);
            }
        }
    }
}

fn rooted(ast: &IdedExpr, local: &[String]) -> bool {
    match &ast.expr {
        Expr::Ident(name) => name == SELF,
        Expr::Select(select) => rooted(&select.operand, local),
        Expr::Call(call) if call.func_name == operators::INDEX && call.args.len() == 2 => {
            rooted(&call.args[0], local) && !mentions(&call.args[1], local)
        }
        _ => false,
    }
}

fn mentions(ast: &IdedExpr, local: &[String]) -> bool {
    matches!(&ast.expr, Expr::Ident(name) if local.contains(name))
        || names::children(ast).into_iter().any(|c| mentions(c, local))
}

fn spell(ast: &IdedExpr) -> String {
    match &ast.expr {
        Expr::Ident(name) if name == SELF => String::new(),
        Expr::Ident(name) => name.clone(),
        Expr::Select(select) => match spell(&select.operand) {
            operand if operand.is_empty() => select.field.clone(),
            operand => format!("{operand}.{}", select.field),
        },
        Expr::Call(call) if call.func_name == operators::INDEX => {
            format!("{}[{}]", spell(&call.args[0]), spell(&call.args[1]))
        }
        Expr::Literal(LiteralValue::String(s)) => names::quoted(s),
        Expr::Literal(LiteralValue::Int(i)) => i.inner().to_string(),
        _ => "…".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::expression::{Names, ScopeBuilder};
    use crate::source::{Place, Source};
    use serde_json::json;

    fn explain(text: &str, request: Json, response: Json) -> Explanation {
        let place = Place { source: Source::new("t", text), span: 0..1 };
        let names = Names::new(["request", "response"]);
        let scope = ScopeBuilder::default().json("request", &request).json("response", &response).build();
        Expression::compile(text, &place, &names).unwrap().explain(&scope)
    }

    #[test]
    fn names_both_sides_of_a_comparison() {
        let e = explain(
            "response.body.value == request.body.value / 100",
            json!({"body": {"value": 500_000}}),
            json!({"body": {"value": 500_000}}),
        );
        assert_eq!(e.expected, Some(json!(5000)));
        assert_eq!(e.actual, Some(json!(500_000)));
        assert_eq!(e.operands[1].path, "request.body.value");
    }

    #[test]
    fn tells_how_both_sides_are_to_stand_to_each_other() {
        for (text, relation) in [
            ("response.a == 1", ""),
            ("response.a != 2", "anything but "),
            ("response.a <= 1", "at most "),
            ("1 >= response.a", "at most "),
            ("response.a > request.a", "more than "),
            ("request.a < response.a", "more than "),
            ("response.a in [1, 3]", "one of "),
        ] {
            let e = explain(text, json!({"a": 2}), json!({"a": 2}));
            assert_eq!((e.relation, e.actual), (relation, Some(json!(2))), "{text}");
        }
    }

    #[test]
    fn finds_the_clause_that_failed() {
        let e = explain("!has(request.a) || (request.a == 1 && response.b == 2)", json!({"a": 1}), json!({"b": 3}));
        assert_eq!(e.clause, "response.b == 2");
        assert_eq!((e.expected, e.actual), (Some(json!(2)), Some(json!(3))));
    }

    #[test]
    fn finds_the_clause_among_many() {
        let text = "response.a == 1 && response.b == '&&' && (response.c == 1 || response.c == 2) && response.d == 4";
        for (body, clause) in [
            (json!({"a": 2, "b": "&&", "c": 1, "d": 4}), "response.a == 1"),
            (json!({"a": 1, "b": "&", "c": 1, "d": 4}), "response.b == '&&'"),
            (json!({"a": 1, "b": "&&", "c": 3, "d": 4}), "response.c == 2"),
            (json!({"a": 1, "b": "&&", "c": 2, "d": 5}), "response.d == 4"),
            (json!({"a": 1, "b": "&&", "c": 2}), "response.d == 4"),
        ] {
            assert_eq!(explain(text, json!({}), body).clause, clause);
        }
    }

    #[test]
    fn names_what_was_missing() {
        let e = explain("response.body.id == 'x'", json!({}), json!({"body": {}}));
        assert_eq!(e.error.as_deref(), Some("`id` is missing"));
        assert_eq!(e.operands, [Operand { path: "response.body.id".into(), value: None }]);
    }

    #[test]
    fn names_the_first_element_that_all_does_not_hold_for() {
        let text = "response.ids.all(x, x.n\n  == request.a)";
        let e = explain(text, json!({"a": 1}), json!({"ids": [{"n": 1}, {"n": 2}]}));
        assert_eq!(e.clause, "response.ids.all(x, x.n == request.a)");
        let read: Vec<_> = e.operands.iter().map(|o| (o.path.as_str(), o.value.clone())).collect();
        assert_eq!(read, [("response.ids[1].n", Some(json!(2))), ("request.a", Some(json!(1)))]);
    }

    #[test]
    fn shows_what_a_comprehension_read() {
        let e =
            explain("response.ids.filter(x, x != request.a).size() == 1", json!({"a": 1}), json!({"ids": [1, 2, 3]}));
        assert_eq!(e.actual, Some(json!(2)));
        assert_eq!(e.operands[0].value, Some(json!([1, 2, 3])));
    }
}
