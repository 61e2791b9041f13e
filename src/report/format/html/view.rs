//! Requirements, failures and exchanges as the page shows them: nothing in a text is invisible.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value as Json;

use crate::judge::finding::cut;
use crate::report::build::trial_of;
use crate::report::format::html::body::{self, Line};
use crate::report::model::{self, Difference, Report};
use crate::report::text::ranges;
use crate::report::text::words::{self, Look};
use crate::report::text::{counted, times, visible};
use crate::yaml::escape;

/// How many exchanges of a requirement's first failure are shown, and of the others.
const EXCHANGES: [usize; 2] = [6, 1];
/// How many bytes of a body are shown.
const BODY: usize = 4000;
/// How many characters of a value are shown.
const VALUE: usize = 2000;

/// A requirement.
pub(super) struct Requirement {
    pub id: String,
    pub area: String,
    pub level: &'static str,
    pub look: Look,
    pub text: String,
    /// What it rests on, and where it is written.
    pub source: String,
    /// The evidence in words.
    pub evidence: String,
    /// Why it is not known.
    pub reason: Option<String>,
    /// Why it makes no run red though it did not hold.
    pub excuse: Option<String>,
    /// The requirement under which its failure is told.
    pub cause: Option<String>,
    /// Requirements whose failure is told under this one.
    pub also: Vec<String>,
    pub failures: Vec<Failure>,
    pub more_failures: u64,
    /// What could not be decided: trial and exchanges.
    pub doubt: Option<(String, Vec<Exchange>)>,
    /// What was seen, and how often.
    pub observations: Vec<(String, u64)>,
    /// The numbers of its exchanges, as ranges, and how many there are.
    pub exchanges: (String, u64),
}

/// A counterexample.
pub(super) struct Failure {
    pub number: usize,
    pub trial: String,
    pub label: String,
    pub expected: String,
    pub actual: String,
    pub smallest: bool,
    /// Place, what was due, what came.
    pub differences: Vec<[String; 3]>,
    /// Path and value.
    pub operands: Vec<[String; 2]>,
    pub exchanges: Vec<Exchange>,
    /// How many exchanges before those are not shown.
    pub left_out: u64,
    pub curl: Vec<String>,
    pub script: Option<String>,
    pub rerun: String,
}

/// An exchange.
pub(super) struct Exchange {
    pub number: u64,
    pub trial: String,
    pub elapsed: String,
    pub request: Message,
    pub response: Message,
}

/// A request, a response, or why there was none.
pub(super) struct Message {
    /// The first line.
    pub head: String,
    pub headers: Vec<String>,
    pub body: Vec<Line>,
    /// What is not shown of the body.
    pub note: Option<String>,
}

/// Which exchanges are sent on behalf of which requirement.
pub(super) type Own = BTreeMap<String, BTreeSet<u64>>;

/// Notes on whose behalf an exchange was sent.
pub(super) fn note_own(own: &mut Own, exchange: &model::Exchange) {
    if let Some(id) = trial_of(&exchange.trial) {
        own.entry(id.to_owned()).or_default().insert(exchange.number);
    }
}

impl Requirement {
    pub(super) fn of(requirement: &model::Requirement, report: &Report, own: &Own) -> Self {
        let mut numbers = own.get(&requirement.id).cloned().unwrap_or_default();
        numbers.extend(ranges::read(&requirement.evidence).into_iter().flat_map(|(from, to)| from..=to));
        let failures = requirement.failures.iter().enumerate();
        Self {
            id: requirement.id.clone(),
            area: requirement.group().to_owned(),
            level: words::level(requirement.level),
            look: Look::of(requirement.verdict),
            text: requirement.text.clone(),
            source: source(requirement),
            evidence: evidence(requirement),
            reason: requirement.reason.as_deref().map(visible),
            excuse: report.excuse(requirement).map(|e| visible(&e)),
            cause: requirement.cause.clone(),
            also: {
                let also = report.failed().into_iter().filter(|r| r.cause.as_ref() == Some(&requirement.id));
                also.map(|r| r.id.clone()).collect()
            },
            failures: failures.map(|(i, f)| Failure::of(i, f)).collect(),
            more_failures: requirement.more_failures,
            doubt: requirement.doubt.as_ref().map(|doubt| {
                let exchanges = doubt.exchanges.iter().map(|e| Exchange::of(e, &Telling::default()));
                (visible(&doubt.trial), exchanges.collect())
            }),
            observations: {
                let all = requirement.observations.iter();
                all.map(|o| (visible(&cut(&o.value.to_string(), VALUE)), o.count)).collect()
            },
            exchanges: (ranges::write(numbers.iter().copied()), numbers.len() as u64),
        }
    }
}

/// What a requirement rests on, and where it is written.
pub(super) fn source(requirement: &model::Requirement) -> String {
    // What is derived from the document names its place there as its source.
    match requirement.source.contains(&requirement.origin) {
        true => visible(&requirement.source),
        false => visible(&format!("{} ({})", requirement.source, requirement.origin)),
    }
}

fn evidence(requirement: &model::Requirement) -> String {
    let counts = &requirement.counts;
    let mut parts = Vec::new();
    for (word, count) in [
        ("broken", counts.broken),
        (if requirement.level.is_some() { "held" } else { "observed" }, counts.holds),
        ("not known", counts.unknown),
        ("not to be tried", counts.skipped),
        ("planned and not sent", counts.left_out),
    ] {
        if count > 0 {
            parts.push(format!("{word} {}", times(count)));
        }
    }
    if let Some(until) = counts.until_broken {
        parts.push(format!("first broken by the run's {} request", ordinal(until)));
    }
    match requirement.again {
        Some(a) if a.sent == a.broken => parts.push(format!("sent again {}: failed each time", times(a.sent))),
        Some(a) => {
            parts.push(format!("sent again {}: failed {}, so intermittent", times(a.sent), times(a.broken)));
        }
        None => {}
    }
    if let Some(n) = requirement.at_once.filter(|n| *n > 1) {
        parts.push(format!("up to {n} at once"));
    }
    if parts.is_empty() { "none".to_owned() } else { parts.join("; ") }
}

fn ordinal(number: u64) -> String {
    let ending = match (number % 10, number % 100) {
        (1, n) if n != 11 => "st",
        (2, n) if n != 12 => "nd",
        (3, n) if n != 13 => "rd",
        _ => "th",
    };
    format!("{number}{ending}")
}

/// A value, or nothing, in a line.
fn value(value: Option<&Json>) -> String {
    value.map_or_else(|| "nothing".to_owned(), |v| visible(&cut(&v.to_string(), VALUE)))
}

impl Failure {
    fn of(index: usize, failure: &model::Failure) -> Self {
        let telling = Telling::of(failure);
        let shown = EXCHANGES[index.min(1)].min(failure.exchanges.len());
        let left_out = failure.exchanges.len() - shown;
        Self {
            number: index + 1,
            trial: visible(&failure.trial),
            label: visible(&failure.label),
            expected: visible(&failure.expected),
            actual: visible(&failure.actual),
            smallest: failure.smallest,
            differences: {
                let row = |d: &Difference| [visible(&d.at), value(d.expected.as_ref()), value(d.actual.as_ref())];
                failure.differences.iter().map(row).collect()
            },
            operands: {
                let all = failure.operands.iter();
                all.map(|o| [visible(&o.path), value(o.value.as_ref())]).collect()
            },
            // The last is the one that failed.
            exchanges: failure.exchanges.iter().skip(left_out).map(|e| Exchange::of(e, &telling)).collect(),
            left_out: left_out as u64,
            curl: failure.curl.clone(),
            script: failure.script.clone(),
            rerun: failure.rerun.clone(),
        }
    }
}

/// The places in bodies that a failure is about, by JSON Pointer.
#[derive(Default)]
struct Telling {
    request: BTreeSet<String>,
    response: BTreeSet<String>,
}

impl Telling {
    fn of(failure: &model::Failure) -> Self {
        let mut all = Self::default();
        for operand in &failure.operands {
            for (side, name) in [(&mut all.request, "request.body."), (&mut all.response, "response.body.")] {
                if let Some((_, path)) = operand.path.split_once(name) {
                    side.insert(path.split('.').map(|name| format!("/{}", escape(name))).collect());
                }
            }
        }
        // Where whole bodies were compared, the places are in them.
        all.response.extend(failure.differences.iter().map(|d| d.at.clone()));
        all
    }
}

impl Exchange {
    fn of(exchange: &model::Exchange, telling: &Telling) -> Self {
        let request = &exchange.request;
        let (head, headers, body, base64, truncated) = match (&exchange.response, &exchange.failure) {
            (Some(r), _) => (r.status.to_string(), &r.headers[..], &r.body, &r.body_base64, r.truncated),
            (None, Some(failed)) => (no_answer(failed), &[][..], &None, &None, None),
            (None, None) => (String::new(), &[][..], &None, &None, None),
        };
        Self {
            number: exchange.number,
            trial: visible(&exchange.trial),
            elapsed: milliseconds(exchange.elapsed_ms),
            request: Message::of(
                visible(&format!("{} {}", request.method, request.url)),
                &request.headers,
                (request.body.as_deref(), request.body_base64.as_deref(), request.truncated),
                &telling.request,
            ),
            response: Message::of(head, headers, (body.as_deref(), base64.as_deref(), truncated), &telling.response),
        }
    }
}

impl Exchange {
    /// What was sent and what came, with their names.
    pub(super) fn sides(&self) -> [(&'static str, &Message); 2] {
        [("Request", &self.request), ("Response", &self.response)]
    }
}

/// What is said in place of a response.
pub(super) fn no_answer(failed: &model::Failed) -> String {
    visible(&format!("no answer ({}): {}", failed.kind, failed.message))
}

/// The body as text and the whole length, where only a part was kept.
type Body<'a> = (Option<&'a str>, Option<&'a str>, Option<u64>);

impl Message {
    fn of(head: String, headers: &[(String, String)], body: Body<'_>, telling: &BTreeSet<String>) -> Self {
        let (text, note) = shown(body, BODY);
        Self {
            head,
            headers: headers.iter().map(header).collect(),
            body: text.map(|text| body::lines(&text, telling)).unwrap_or_default(),
            note,
        }
    }
}

/// A header in a line.
pub(super) fn header((name, value): &(String, String)) -> String {
    visible(&format!("{name}: {value}"))
}

/// What is shown of a body, and what is said of the rest.
pub(super) fn shown((text, base64, truncated): Body<'_>, most: usize) -> (Option<String>, Option<String>) {
    let kind = if base64.is_some() { "Base64; " } else { "" };
    let Some(whole) = text.or(base64) else { return (None, None) };
    let mut end = most.min(whole.len());
    while !whole.is_char_boundary(end) {
        end -= 1;
    }
    let length = truncated.or((end < whole.len()).then_some(whole.len() as u64));
    let note = match (length, kind) {
        (Some(length), _) => Some(format!("{kind}only its beginning: {} in all", counted(length, "byte"))),
        (None, "") if whole.is_empty() => Some("empty body".to_owned()),
        (None, "") => None,
        (None, _) => Some("Base64: no text".to_owned()),
    };
    (Some(whole[..end].to_owned()), note)
}

/// Milliseconds with as many digits as matter.
pub(super) fn milliseconds(millis: f64) -> String {
    match millis {
        m if m < 10.0 => format!("{m:.1} ms"),
        m if m < 1000.0 => format!("{m:.0} ms"),
        m => format!("{:.1} s", m / 1000.0),
    }
}
