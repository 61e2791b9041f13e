//! Case files: what OpenAPI cannot say about an operation.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::Contract;
use super::keys;
use super::requirement::{Form, Level, Open, Origin, Probe, Requirement, Row, Rows, Rule, Scenario};
use super::steps::{self, Base, Step};
use super::template::{self, Template};
use crate::document::operation::Operation;
use crate::expression::{Expression, Names};
use crate::source::{Place, Result, Source};
use crate::yaml::{self, Node, Value};

/// Names of earlier versions in expressions, and what to write instead.
const RETIRED: &[(&str, &str)] = &[
    (
        "rejected",
        "write `refused` for a client error whose control was accepted, which is how a refusal is shown; \
         `client_error` for a 4xx whatever came of the control",
    ),
    ("caller", "the name of the identity that sends is now called `identity`"),
];

/// The contents of the case files.
#[derive(Debug, Default)]
pub struct Cases {
    /// Requirements and probes.
    pub requirements: Vec<Requirement>,
    /// What is left to the server.
    pub open: Vec<Open>,
}

/// The names that expressions may use, by where they stand.
pub struct Vocabulary {
    /// The names of the request alone.
    pub request: Names,
    /// The names of a whole exchange.
    pub exchange: Names,
    /// The names between steps, without the steps' own.
    pub steps: Names,
}

impl Vocabulary {
    /// The names of a contract with these defines: each with whether it depends on the time.
    pub fn new<'a>(defines: impl Iterator<Item = (&'a str, bool)>) -> Self {
        let own = Names::new(["request", "fixtures", "identity", "now"]).with_retired(RETIRED);
        let request = defines.fold(
            own,
            |names, (define, timely)| {
                if timely { names.and_timely(define) } else { names.and([define]) }
            },
        );
        Self {
            exchange: request.and(["response", "accepted", "client_error", "refused", "answered"]),
            request,
            steps: Names::new(["fixtures", "identity", "now"]).with_retired(RETIRED),
        }
    }
}

/// Reads the case files.
///
/// # Errors
/// Anything that is not a case, with its place; duplicate ids.
pub fn read(
    files: &[Arc<Source>],
    vocabulary: &Vocabulary,
    operation: &Operation,
    called: &[Contract],
) -> Result<Cases> {
    let mut cases = Cases::default();
    let mut seen: BTreeMap<String, Place> = BTreeMap::new();
    for file in files {
        let area = stem(&file.path);
        let root = yaml::parse(file)?;
        for node in root.sequence("a case file")? {
            let place = CaseReader { area, vocabulary, operation, called }.case(node, &mut cases)?;
            let id = format!("{area}/{}", slug(node)?);
            if let Some(first) = seen.insert(id.clone(), place.clone()) {
                return Err(place.error(format!("duplicate id `{id}`")).help(format!("it is first used at {first}")));
            }
        }
    }
    Ok(cases)
}

/// The file's name without folders and ending: the area of its requirements.
pub fn stem(path: &str) -> &str {
    let name = path.rsplit('/').next().unwrap_or(path);
    name.split('.').next().unwrap_or(name)
}

fn slug(node: &Node) -> Result<String> {
    let id = node.get("id").ok_or_else(|| node.error("a case needs an `id`"))?;
    let text = id.string("`id`")?;
    let good = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    if text.is_empty() || !text.chars().all(good) {
        return Err(id.error("an id must be a slug").help("lower-case letters, digits and hyphens: `zero-stays-zero`"));
    }
    Ok(text.to_owned())
}

struct CaseReader<'a> {
    area: &'a str,
    vocabulary: &'a Vocabulary,
    operation: &'a Operation,
    called: &'a [Contract],
}

impl CaseReader<'_> {
    fn case(&self, node: &Node, cases: &mut Cases) -> Result<Place> {
        retired(node)?;
        node.only("a case", &keys::CASE)?;
        let place = node.get("id").map_or_else(|| node.place.clone(), |n| n.place.clone());
        let id = format!("{}/{}", self.area, slug(node)?);
        let text = self.text(node, "text")?;
        if let Some(open) = node.get("open") {
            let when = compile(open, &self.vocabulary.request)?;
            // Together with `valid` it is a part of the constraint, and needs no id of its own.
            cases.open.push(Open { id: id.clone(), text: text.clone(), when });
            if node.get("valid").is_none() {
                for key in
                    ["level", "where", "given", "when", "expect", "rows", "steps", "steps_of", "observe", "unique"]
                {
                    if let Some(extra) = node.get(key) {
                        return Err(
                            extra.error(format!("`{key}` is not allowed in a case that only says what is open"))
                        );
                    }
                }
                return Ok(place);
            }
        }
        let form = self.form(node, &cases.requirements)?;
        let level = match (node.get("level"), &form) {
            (Some(level), Form::Probe(_)) => {
                return Err(level.error("a probe has no level: it observes and never fails"));
            }
            (None, Form::Probe(_)) => None,
            (None, _) => return Err(node.error("`level` is missing").help("must, should or may")),
            (Some(level), _) => Some(match level.string("`level`")? {
                "must" => Level::Must,
                "should" => Level::Should,
                "may" => Level::May,
                _ => return Err(level.error("`level` must be `must`, `should` or `may`")),
            }),
        };
        cases.requirements.push(Requirement {
            id,
            level,
            text,
            source: match (node.get("source"), level) {
                (None, None) => String::new(),
                _ => self.text(node, "source")?,
            },
            origin: Origin::Declared(place.clone()),
            form,
        });
        Ok(place)
    }

    fn text(&self, node: &Node, key: &str) -> Result<String> {
        node.get(key)
            .ok_or_else(|| node.error(format!("a case needs `{key}`")))?
            .string(&format!("`{key}`"))
            .map(|s| s.trim().to_owned())
    }

    fn form(&self, node: &Node, earlier: &[Requirement]) -> Result<Form> {
        let has = |key: &str| node.get(key).is_some();
        let refuse = |keys: &[&str], form: &str| match keys.iter().find_map(|k| node.get(k).map(|n| (k, n))) {
            Some((key, extra)) => Err(extra.error(format!("`{key}` is not allowed in {form}"))),
            None => Ok(()),
        };
        if let Some(valid) = node.get("valid") {
            refuse(
                &["where", "given", "when", "expect", "unique", "rows", "steps", "steps_of", "observe"],
                "a constraint",
            )?;
            return Ok(Form::Constraint(compile(valid, &self.vocabulary.request)?));
        }
        if let Some(observe) = node.get("observe") {
            refuse(&["expect", "unique"], "a probe")?;
            if has("steps") || has("steps_of") {
                refuse(&["where", "when"], "a probe with steps")?;
            } else {
                refuse(&["rows"], "a probe without steps")?;
            }
            return self.probe(node, observe, earlier);
        }
        if let Some(Course { rows, steps, names }) = self.course(node, earlier)? {
            refuse(&["where", "when", "unique"], "a scenario")?;
            let expect = node.get("expect").ok_or_else(|| node.error("a scenario needs `expect`"))?;
            return Ok(Form::Scenario(Scenario {
                rows,
                given: node.get("given").map(|n| compile(n, &names)).transpose()?,
                expect: compile(expect, &names)?,
                steps,
            }));
        }
        if !has("expect") && !has("unique") {
            return Err(node.error("this case says nothing").help(
                "a constraint has `valid`, a rule `expect` or `unique`, a scenario `steps` and \
                 `expect`, a probe `observe`",
            ));
        }
        refuse(&["rows"], "a rule")?;
        if has("unique") {
            refuse(&["expect"], "a rule with `unique`")?;
        }
        let get = |key: &str, names: &Names| node.get(key).map(|n| compile(n, names)).transpose();
        Ok(Form::Rule(Rule {
            filter: get("where", &self.vocabulary.request)?,
            when: get("when", &self.vocabulary.exchange)?,
            expect: get("expect", &self.vocabulary.exchange)?,
            unique: get("unique", &self.vocabulary.exchange)?,
        }))
    }

    fn probe(&self, node: &Node, observe: &Node, earlier: &[Requirement]) -> Result<Form> {
        let Some(Course { rows, steps, names }) = self.course(node, earlier)? else {
            if let Some(extra) = node.get("rows") {
                return Err(extra.error("`rows` is not allowed in a probe without steps"));
            }
            return Ok(Form::Probe(Probe {
                rows: None,
                steps: Arc::default(),
                filter: node.get("where").map(|n| compile(n, &self.vocabulary.request)).transpose()?,
                given: None,
                when: node.get("when").map(|n| compile(n, &self.vocabulary.exchange)).transpose()?,
                observe: compile(observe, &self.vocabulary.exchange)?,
            }));
        };
        Ok(Form::Probe(Probe {
            rows,
            filter: None,
            given: node.get("given").map(|n| compile(n, &names)).transpose()?,
            when: None,
            observe: compile(observe, &names)?,
            steps,
        }))
    }

    /// The steps of a case, its own or an earlier one's; None where it has none.
    fn course(&self, node: &Node, earlier: &[Requirement]) -> Result<Option<Course>> {
        let names_of = |names: Names, steps: &[Step]| {
            names.and_exchanges(steps.iter().map(|s| s.name.as_str()), &self.vocabulary.exchange)
        };
        if let Some(other) = node.get("steps_of") {
            if let Some(extra) = node.get("steps").or_else(|| node.get("rows")) {
                return Err(
                    extra.error("`steps_of` reuses the steps and rows of another case: neither is allowed beside it")
                );
            }
            let id = other.string("`steps_of`")?;
            let whole = if id.contains('/') { id.to_owned() } else { format!("{}/{id}", self.area) };
            let form = earlier.iter().find(|r| r.id == whole).map(|r| &r.form);
            let (rows, steps) = match form {
                Some(Form::Scenario(Scenario { rows, steps, .. }) | Form::Probe(Probe { rows, steps, .. }))
                    if !steps.is_empty() =>
                {
                    (rows.clone(), Arc::clone(steps))
                }
                _ => {
                    return Err(other.error(format!("no earlier case `{whole}` has steps")).help(
                        "case files are read in the order of their names; an id without a slash refers to this file",
                    ));
                }
            };
            let own = &self.vocabulary.steps;
            let names = if has_rows(rows.as_deref()) { own.and(["it"]) } else { own.clone() };
            return Ok(Some(Course { names: names_of(names, &steps), rows, steps }));
        }
        let Some(list) = node.get("steps") else { return Ok(None) };
        let (rows, names) = self.rows(node)?;
        let steps = steps::read(
            list,
            &names,
            steps::Context { operation: self.operation, called: self.called, members: &self.vocabulary.exchange },
        )?;
        let varies = steps.iter().flat_map(|s| &s.sends).any(|s| s.base == Base::Varied);
        if let (Some(Rows::Contexts { .. }), false, Some(rows)) = (&rows, varies, node.get("rows")) {
            return Err(rows.error("no step uses a request in these contexts").help("write `from: varied`"));
        }
        Ok(Some(Course { names: names_of(names, &steps), rows: rows.map(Arc::new), steps: Arc::new(steps) }))
    }

    fn rows(&self, node: &Node) -> Result<(Option<Rows>, Names)> {
        let names = &self.vocabulary.steps;
        let Some(table) = node.get("rows") else {
            return Ok((None, names.clone()));
        };
        let rows = match &table.value {
            Value::Sequence(rows) if rows.is_empty() => {
                return Err(table.error("the table has no rows"));
            }
            Value::Sequence(rows) => Rows::List(
                rows.iter()
                    .map(|row| {
                        Ok(Row {
                            label: row.get("label").map(|n| n.string("`label`").map(str::to_owned)).transpose()?,
                            value: Template::read(row, names)?,
                        })
                    })
                    .collect::<Result<_>>()?,
            ),
            Value::Scalar(serde_json::Value::String(word)) if word == "contexts" => {
                return Ok((Some(Rows::Contexts { most: None }), names.clone()));
            }
            _ => {
                if let Some(many) = table.get("contexts") {
                    table.only("`rows`", &keys::CONTEXT_ROWS)?;
                    let most: u32 = template::integer(many, "`contexts`")?;
                    let most = usize::try_from(most).ok().filter(|most| *most > 0);
                    let most = most.ok_or_else(|| many.error("`contexts` must be 1 at least"))?;
                    return Ok((Some(Rows::Contexts { most: Some(most) }), names.clone()));
                }
                table.only("`rows`", &keys::CEL_ROWS)?;
                let list = table
                    .get("cel")
                    .ok_or_else(|| table.error("`rows` must be a list, `contexts`, `{contexts: …}` or `{cel: …}`"))?;
                Rows::Cel(Box::new(compile(list, names)?))
            }
        };
        Ok((Some(rows), names.and(["it"])))
    }
}

/// Refuses the keys of earlier versions, and names their successors.
fn retired(node: &Node) -> Result<()> {
    if let Some(old) = node.get("each") {
        return Err(old.error("`each` is now called `rows`").help("write `rows:` in its place"));
    }
    if let (Some(old), None) = (node.get("given"), node.get("steps").or_else(|| node.get("steps_of"))) {
        return Err(old
            .error("without steps, `given` is now called `where`")
            .help("`where` says which requests a rule speaks of, `given` what a scenario presupposes of its steps"));
    }
    Ok(())
}

/// What trials are made of.
struct Course {
    rows: Option<Arc<Rows>>,
    steps: Arc<Vec<Step>>,
    /// What expressions between the steps may use.
    names: Names,
}

fn has_rows(rows: Option<&Rows>) -> bool {
    matches!(rows, Some(Rows::List(_) | Rows::Cel(_)))
}

/// Compiles the expression at a node.
pub(super) fn compile(node: &Node, names: &Names) -> Result<Expression> {
    Expression::compile(node.string("an expression")?, &node.place, names)
}
