//! Requirements, failures and exchanges as the page shows them: nothing in a text is invisible.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use serde_json::Value as Json;

use crate::exchange::excerpt::{apart, window};
use crate::judge::finding::cut;
use crate::judge::tally::Verdict;
use crate::report::build::trial_of;
use crate::report::format::html::body::{self, Line};
use crate::report::model::record::BODY_SHOWN;
use crate::report::model::{self, Report};
use crate::report::text::words::{self, Look};
use crate::report::text::{counted, evidence, ranges, visible};
use crate::yaml::escape;

/// How many exchanges of a requirement's first failure are shown, and of the others.
const EXCHANGES: [usize; 2] = [6, 1];
/// How many characters of a value are shown.
const VALUE: usize = 2000;
/// How many bytes of what was due and of what came are shown: what is wrong is among them.
const COMPARED: usize = 400;
/// How many bytes are shown of an answer that is told as a whole: it stands below.
const ANSWER: usize = 80;
/// How many characters of one of several values that were read are shown.
const OPERAND: usize = 80;
/// Up to how many lines of a body are seen at once, how many of a longer one without a mark, and how many at its beginning
/// and around what is marked.
const LINES: usize = 14;
const UNMARKED: usize = 7;
const AROUND: usize = 3;

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
    /// The part of the expression that failed.
    pub clause: Option<String>,
    /// What was due beside what came.
    pub compared: Vec<Compared>,
    pub smallest: bool,
    /// Path and value.
    pub operands: Vec<[String; 2]>,
    /// The exchange that failed.
    pub last: Option<Exchange>,
    /// Those before it.
    pub earlier: Vec<Exchange>,
    /// How many exchanges before those are not shown.
    pub left_out: u64,
    pub curl: Vec<String>,
    pub script: Option<String>,
    pub rerun: String,
}

/// What was due beside what came, with what is wrong marked.
pub(super) struct Compared {
    /// Where in the body, by JSON Pointer; empty where it is about the answer as a whole.
    pub at: String,
    pub expected: Vec<Span>,
    pub actual: Vec<Span>,
}

/// A piece of a text.
pub(super) struct Span {
    pub text: String,
    /// Whether it is what is wrong.
    pub marked: bool,
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
    /// Headers that are seen, and those that are folded.
    pub headers: Vec<String>,
    pub more_headers: Vec<String>,
    pub body: Vec<Part>,
    /// What is not shown of the body.
    pub note: Option<String>,
}

/// Lines of a body that are seen, or folded because they tell nothing.
pub(super) struct Part {
    pub folded: bool,
    pub lines: Vec<Line>,
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
    /// Whether it is told under what failed.
    pub(super) fn is_failed(&self) -> bool {
        self.look.verdict == Verdict::Fail
    }

    /// How many counterexamples there are beside the first, in words.
    pub(super) fn others(&self) -> String {
        number(self.failures.len().saturating_sub(1), "more counterexample")
    }

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
            evidence: visible(&evidence::words(requirement)),
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
            exchanges: (ranges::write(&numbers), numbers.len() as u64),
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

/// A value, or nothing, in a line.
fn value(value: Option<&Json>) -> String {
    value.map_or_else(|| "nothing".to_owned(), |v| visible(&cut(&v.to_string(), VALUE)))
}

impl Failure {
    fn of(index: usize, failure: &model::Failure) -> Self {
        let telling = Telling::of(failure);
        let shown = EXCHANGES[index.min(1)].min(failure.exchanges.len());
        let left_out = failure.exchanges.len() - shown;
        let exchanges = failure.exchanges.iter().skip(left_out);
        let mut earlier: Vec<Exchange> = exchanges.map(|e| Exchange::of(e, &telling)).collect();
        Self {
            number: index + 1,
            trial: visible(&failure.trial),
            label: visible(&failure.label),
            clause: failure.clause.as_deref().filter(|clause| due(failure).0 != *clause).map(visible),
            compared: compared(failure),
            smallest: failure.smallest,
            operands: {
                let all = failure.operands.iter();
                all.map(|o| [visible(&o.path), value(o.value.as_ref())]).collect()
            },
            // The last is the one that failed.
            last: earlier.pop(),
            earlier,
            left_out: left_out as u64,
            curl: failure.curl.clone(),
            script: failure.script.clone(),
            rerun: failure.rerun.clone(),
        }
    }

    /// Its commands, each with a name.
    pub(super) fn commands(&self) -> Vec<(&'static str, &str)> {
        let script = self.script.iter().map(|script| ("script", script.as_str()));
        let curl = self.curl.iter().map(|command| ("curl", command.as_str()));
        script.chain(curl).chain([("rerun", self.rerun.as_str())]).collect()
    }
}

/// What was due beside what came: place by place where whole bodies were compared, as a whole otherwise.
fn compared(failure: &model::Failure) -> Vec<Compared> {
    let row = |at: &str, expected: &str, actual: &str, whole: bool| {
        let (due, came) = if whole { (0..0, wrong_in(actual)) } else { apart(expected, actual) };
        let most = if came.end < actual.len() && whole { ANSWER } else { COMPARED };
        Compared { at: visible(at), expected: spans(expected, &due, COMPARED), actual: spans(actual, &came, most) }
    };
    if let Some(read) = operands(failure) {
        let expected = vec![Span { text: visible(due(failure).0), marked: false }];
        return vec![Compared { at: String::new(), expected, actual: read }];
    }
    let text = |value: &Option<Json>| value.as_ref().map_or_else(|| "nothing".to_owned(), Json::to_string);
    let differences = failure.differences.iter().map(|d| row(&d.at, &text(&d.expected), &text(&d.actual), false));
    let (due, is_value) = due(failure);
    let whole = failure.compared().is_empty().then(|| row("", due, &failure.actual, !is_value));
    whole.into_iter().chain(differences).collect()
}

/// Where what came is told as all that was read: each value on a line of its own, the wrong one marked.
fn operands(failure: &model::Failure) -> Option<Vec<Span>> {
    let [first, rest @ ..] = &failure.operands[..] else { return None };
    if !failure.actual.starts_with(&format!("{} = ", first.path)) {
        return None;
    }
    let wrong = failure.wrong.as_ref().map(|at| format!("response.body{}", at.replace('/', ".")));
    let wrong = failure.operands.iter().position(|o| wrong.as_ref().is_some_and(|end| o.path.ends_with(end)));
    let last = rest.len();
    let spans = failure.operands.iter().enumerate().flat_map(|(i, operand)| {
        let value = operand.value.as_ref().map_or_else(|| "nothing".to_owned(), Json::to_string);
        let end = if i < last { "\n" } else { "" };
        [
            Span { text: format!("{} = ", visible(&operand.path)), marked: false },
            Span { text: visible(&cut(&value, OPERAND)), marked: wrong == Some(i) },
            Span { text: end.to_owned(), marked: false },
        ]
    });
    Some(spans.collect())
}

/// What was due, without the part of the expression that says so, and whether it is a value.
fn due(failure: &model::Failure) -> (&str, bool) {
    let clause = failure.clause.as_ref().map(|clause| format!("   (`{clause}`)"));
    match clause.and_then(|clause| failure.expected.strip_suffix(&clause)) {
        Some(due) => (due, serde_json::from_str::<Json>(due.trim_start_matches("at most ")).is_ok()),
        None => (failure.expected.trim_matches('`'), false),
    }
}

/// What is wrong of an answer that is told as a whole: its status, or all of it.
fn wrong_in(actual: &str) -> Range<usize> {
    match actual.strip_prefix("status ").map(|rest| rest.chars().take_while(char::is_ascii_digit).count()) {
        Some(digits) if digits > 0 => 0.."status ".len() + digits,
        _ => 0..actual.len(),
    }
}

/// A text in pieces, at most so many bytes of it, with what is wrong among them.
fn spans(text: &str, wrong: &Range<usize>, most: usize) -> Vec<Span> {
    let seen = window(text, wrong, most);
    let (from, to) = (wrong.start.max(seen.start), wrong.end.min(seen.end).max(wrong.start.max(seen.start)));
    let pieces = [
        (if seen.start > 0 { "…" } else { "" }, false),
        (&text[seen.start..from], false),
        (&text[from..to], true),
        (&text[to..seen.end], false),
        (if seen.end < text.len() { "…" } else { "" }, false),
    ];
    let shown = pieces.into_iter().filter(|(piece, _)| !piece.is_empty());
    shown.map(|(piece, marked)| Span { text: visible(piece), marked }).collect()
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
        all.response.extend(failure.wrong.clone());
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
                request.headers.iter().partition(|(name, _)| !name.eq_ignore_ascii_case("user-agent")),
                (request.body.as_deref(), request.body_base64.as_deref(), request.truncated),
                &telling.request,
            ),
            response: Message::of(
                head,
                headers.iter().partition(|(name, _)| name.eq_ignore_ascii_case("content-type")),
                (body.as_deref(), base64.as_deref(), truncated),
                &telling.response,
            ),
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

/// Headers that tell something, and the others.
type Headers<'a> = (Vec<&'a (String, String)>, Vec<&'a (String, String)>);

/// The body as text and the whole length, where only a part was kept.
type Body<'a> = (Option<&'a str>, Option<&'a str>, Option<u64>);

impl Message {
    /// With headers that tell something, and others.
    fn of(head: String, headers: Headers<'_>, body: Body<'_>, telling: &BTreeSet<String>) -> Self {
        let (text, note) = shown(body, BODY_SHOWN);
        let (seen, others) = headers;
        Self {
            head,
            headers: seen.into_iter().map(header).collect(),
            more_headers: others.into_iter().map(header).collect(),
            body: text.map(|text| parts(body::lines(&text, telling))).unwrap_or_default(),
            note,
        }
    }

    /// Whether there is more than the first line.
    pub(super) fn has_body(&self) -> bool {
        self.body.iter().any(|part| part.lines.iter().any(|line| !line.text.is_empty()))
    }
}

/// The lines of a body; of many, those that tell something are seen.
fn parts(lines: Vec<Line>) -> Vec<Part> {
    let marks: Vec<usize> = lines.iter().enumerate().filter(|(_, line)| line.marked).map(|(at, _)| at).collect();
    // Without a mark, the beginning tells most.
    let first = if marks.is_empty() { UNMARKED } else { AROUND };
    let count = lines.len();
    let is_near = |at: usize| at < first || marks.iter().any(|mark| mark.abs_diff(at) <= AROUND);
    let is_seen = |at: usize| count <= LINES || is_near(at) || (at > 0 && is_near(at - 1) && is_near(at + 1));
    let mut parts: Vec<Part> = Vec::new();
    for (at, line) in lines.into_iter().enumerate() {
        let folded = !is_seen(at);
        match parts.last_mut().filter(|part| part.folded == folded) {
            Some(part) => part.lines.push(line),
            None => parts.push(Part { folded, lines: vec![line] }),
        }
    }
    parts
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

/// A number of things, and their noun.
pub(super) fn number(count: usize, noun: &str) -> String {
    counted(count as u64, noun)
}

/// Milliseconds with as many digits as matter.
pub(super) fn milliseconds(millis: f64) -> String {
    match millis {
        m if m < 10.0 => format!("{m:.1} ms"),
        m if m < 1000.0 => format!("{m:.0} ms"),
        m => format!("{:.1} s", m / 1000.0),
    }
}
