//! Case files: what OpenAPI cannot say about an operation.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::requirement::{Form, Level, Open, Origin, Probe, Requirement, Row, Rows, Rule, Scenario};
use super::steps::{self, Base, Step};
use super::template::Template;
use crate::expression::{Expression, Names};
use crate::source::{Place, Result, Source};
use crate::yaml::{self, Node, Value};

const KEYS: &[&str] = &[
    "id", "level", "text", "source", "valid", "open", "given", "when", "expect", "unique", "each", "steps", "steps_of",
    "observe",
];

/// What the case files hold.
#[derive(Debug, Default)]
pub struct Cases {
    /// Requirements and probes.
    pub requirements: Vec<Requirement>,
    /// What is left to the server.
    pub open: Vec<Open>,
}

/// The names that expressions may use, by where they stand.
pub struct Vocabulary {
    /// Of the request alone.
    pub request: Names,
    /// Of a whole exchange.
    pub exchange: Names,
    /// Between steps, before the steps' own names.
    pub steps: Names,
}

impl Vocabulary {
    /// The names of a contract with these defines: each with whether it depends on the time.
    pub fn new<'a>(defines: impl Iterator<Item = (&'a str, bool)>) -> Self {
        let own = Names::new(["request", "fixtures", "caller", "now"]);
        let request = defines.fold(
            own,
            |names, (define, timely)| {
                if timely { names.and_timely(define) } else { names.and([define]) }
            },
        );
        Self {
            exchange: request.and(["response", "accepted", "rejected", "refused", "answered"]),
            request,
            steps: Names::new(["fixtures", "caller", "now"]),
        }
    }
}

/// Reads the case files.
///
/// # Errors
/// Whatever is not a case, with its place; ids that stand twice.
pub fn read(files: &[Arc<Source>], vocabulary: &Vocabulary) -> Result<Cases> {
    let mut cases = Cases::default();
    let mut seen: BTreeMap<String, Place> = BTreeMap::new();
    for file in files {
        let area = stem(&file.path);
        let root = yaml::parse(file)?;
        for node in root.sequence("a case file")? {
            let place = CaseReader { area, vocabulary }.case(node, &mut cases)?;
            let id = format!("{area}/{}", slug(node)?);
            if let Some(first) = seen.insert(id.clone(), place.clone()) {
                return Err(place
                    .error(format!("the id `{id}` stands twice"))
                    .help(format!("it stands first at {first}")));
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
        return Err(id.error("an id is a slug").help("lower-case letters, digits and hyphens: `zero-stays-zero`"));
    }
    Ok(text.to_owned())
}

struct CaseReader<'a> {
    area: &'a str,
    vocabulary: &'a Vocabulary,
}

impl CaseReader<'_> {
    fn case(&self, node: &Node, cases: &mut Cases) -> Result<Place> {
        node.only("a case", KEYS)?;
        let place = node.get("id").map_or_else(|| node.place.clone(), |n| n.place.clone());
        let id = format!("{}/{}", self.area, slug(node)?);
        let text = self.text(node, "text")?;
        if let Some(open) = node.get("open") {
            let when = compile(open, &self.vocabulary.request)?;
            // Beside `valid` it is a part of the constraint, and needs no id of its own.
            cases.open.push(Open { id: id.clone(), text: text.clone(), when });
            if node.get("valid").is_none() {
                for key in ["level", "given", "when", "expect", "each", "steps", "steps_of", "observe", "unique"] {
                    if let Some(extra) = node.get(key) {
                        return Err(extra.error(format!("`{key}` has no place in a case that only says what is open")));
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
                _ => return Err(level.error("`level` is must, should or may")),
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
            Some((key, extra)) => Err(extra.error(format!("`{key}` has no place in {form}"))),
            None => Ok(()),
        };
        if let Some(valid) = node.get("valid") {
            refuse(&["given", "when", "expect", "unique", "each", "steps", "steps_of", "observe"], "a constraint")?;
            return Ok(Form::Constraint(compile(valid, &self.vocabulary.request)?));
        }
        if let Some(observe) = node.get("observe") {
            refuse(&["expect", "unique"], "a probe")?;
            return self.probe(node, observe, earlier);
        }
        if let Some(Course { each, steps, names }) = self.course(node, earlier)? {
            refuse(&["when", "unique"], "a scenario")?;
            let expect = node.get("expect").ok_or_else(|| node.error("a scenario needs `expect`"))?;
            return Ok(Form::Scenario(Scenario {
                each,
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
        refuse(&["each"], "a rule")?;
        if has("unique") {
            refuse(&["expect"], "a rule with `unique`")?;
        }
        let get = |key: &str, names: &Names| node.get(key).map(|n| compile(n, names)).transpose();
        Ok(Form::Rule(Rule {
            given: get("given", &self.vocabulary.request)?,
            when: get("when", &self.vocabulary.exchange)?,
            expect: get("expect", &self.vocabulary.exchange)?,
            unique: get("unique", &self.vocabulary.exchange)?,
        }))
    }

    fn probe(&self, node: &Node, observe: &Node, earlier: &[Requirement]) -> Result<Form> {
        let Some(Course { each, steps, names }) = self.course(node, earlier)? else {
            if let Some(extra) = node.get("each") {
                return Err(extra.error("`each` has no place in a probe without steps"));
            }
            return Ok(Form::Probe(Probe {
                each: None,
                steps: Arc::default(),
                given: node.get("given").map(|n| compile(n, &self.vocabulary.request)).transpose()?,
                when: node.get("when").map(|n| compile(n, &self.vocabulary.exchange)).transpose()?,
                observe: compile(observe, &self.vocabulary.exchange)?,
            }));
        };
        if let Some(extra) = node.get("when") {
            return Err(extra.error("`when` has no place in a probe with steps"));
        }
        Ok(Form::Probe(Probe {
            each,
            given: node.get("given").map(|n| compile(n, &names)).transpose()?,
            when: None,
            observe: compile(observe, &names)?,
            steps,
        }))
    }

    /// The steps of a case, its own or an earlier one's; None where it has none.
    fn course(&self, node: &Node, earlier: &[Requirement]) -> Result<Option<Course>> {
        let names_of = |names: Names, steps: &[Step]| names.and(steps.iter().map(|s| s.name.as_str()));
        if let Some(other) = node.get("steps_of") {
            if let Some(extra) = node.get("steps").or_else(|| node.get("each")) {
                return Err(extra.error("`steps_of` brings steps and table of another case: none stand beside it"));
            }
            let id = other.string("`steps_of`")?;
            let whole = if id.contains('/') { id.to_owned() } else { format!("{}/{id}", self.area) };
            let form = earlier.iter().find(|r| r.id == whole).map(|r| &r.form);
            let (each, steps) = match form {
                Some(Form::Scenario(Scenario { each, steps, .. }) | Form::Probe(Probe { each, steps, .. }))
                    if !steps.is_empty() =>
                {
                    (each.clone(), Arc::clone(steps))
                }
                _ => {
                    return Err(other.error(format!("no case before this one is `{whole}` and has steps")).help(
                        "cases are read file by file, in the order of their names; an id without a slash is of this file",
                    ));
                }
            };
            let own = &self.vocabulary.steps;
            let names = if has_rows(each.as_deref()) { own.and(["it"]) } else { own.clone() };
            return Ok(Some(Course { names: names_of(names, &steps), each, steps }));
        }
        let Some(list) = node.get("steps") else { return Ok(None) };
        let (each, names) = self.each(node)?;
        let steps = steps::read(list, &names)?;
        let varies = steps.iter().flat_map(|s| &s.sends).any(|s| s.base == Base::Varied);
        if let (Some(Rows::Contexts), false, Some(each)) = (&each, varies, node.get("each")) {
            return Err(each.error("no step is made from a request in these contexts").help("write `from: varied`"));
        }
        Ok(Some(Course { names: names_of(names, &steps), each: each.map(Arc::new), steps: Arc::new(steps) }))
    }

    fn each(&self, node: &Node) -> Result<(Option<Rows>, Names)> {
        let names = &self.vocabulary.steps;
        let Some(each) = node.get("each") else {
            return Ok((None, names.clone()));
        };
        let rows = match &each.value {
            Value::Sequence(rows) if rows.is_empty() => {
                return Err(each.error("the table has no row"));
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
                return Ok((Some(Rows::Contexts), names.clone()));
            }
            _ => {
                each.only("`each`", &["cel"])?;
                let list = each.get("cel").ok_or_else(|| each.error("`each` is a list, `contexts` or `{cel: …}`"))?;
                Rows::Cel(compile(list, names)?)
            }
        };
        Ok((Some(rows), names.and(["it"])))
    }
}

/// What trials are made of.
struct Course {
    each: Option<Arc<Rows>>,
    steps: Arc<Vec<Step>>,
    /// What expressions between the steps may use.
    names: Names,
}

fn has_rows(each: Option<&Rows>) -> bool {
    matches!(each, Some(Rows::List(_) | Rows::Cel(_)))
}

/// Compiles the expression at a node.
pub(super) fn compile(node: &Node, names: &Names) -> Result<Expression> {
    Expression::compile(node.string("an expression")?, &node.place, names)
}
