//! Several requests as a script for bash that sends them again, in their order and at once where they were, with pauses, a
//! run tag of its own, and instants at the same distance from the day on which it runs.

use std::fmt::Write as _;
use std::sync::LazyLock;

use chrono::{DateTime, TimeDelta, Utc};
use regex::{Captures, Regex};
use serde_json::{Value as Json, json};

use crate::report::model::record::{Exchange, Request};
use crate::report::text::curl;

/// From which pause on the script waits, too.
const PAUSE: TimeDelta = TimeDelta::milliseconds(500);
/// Up to how many bytes a script is of use.
const LONGEST: usize = 20_000;
/// The variable of the run tag, as long as the tag.
const TAG: &str = "tag";

/// An RFC 3339 date-time that is a whole string of JSON.
static INSTANT: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r#""(\d{4}-\d\d-\d\dT\d\d:\d\d:[0-5]\d)(\.\d{3}|\.\d{6}|)(Z|[+-]\d\d:\d\d)""#).expect("a pattern")
});

/// What a script is made of, beside the exchanges.
pub struct Makings<'a> {
    /// The names of the variables that hold tokens.
    pub variables: &'a [String],
    /// The tag of the run.
    pub run_tag: &'a str,
    /// Whether a text stands in the contract as it is.
    pub is_written: &'a dyn Fn(&str) -> bool,
}

/// The script for exchanges whose bodies are not cut; none where one command does.
pub fn script(exchanges: &[Exchange], makings: &Makings<'_>) -> Option<String> {
    let groups = groups(exchanges);
    let mut instants = Vec::new();
    let mut variables = makings.variables.to_vec();
    variables.push(TAG.to_owned());
    let taken = taken(&groups, makings);
    variables.extend(taken.iter().map(|one| one.variable.clone()));
    let mut lines = String::new();
    let mut answered: Option<DateTime<Utc>> = None;
    for group in &groups {
        let began = group.iter().filter_map(|e| sent(e)).min();
        if let (Some(began), Some(answered)) = (began, answered)
            && began - answered > PAUSE
        {
            let _ = writeln!(lines, "sleep {}", (began - answered).num_milliseconds().div_euclid(1000) + 1);
        }
        for exchange in group {
            let mut request = renewed(exchange, makings, &mut instants, &mut variables);
            taken.iter().filter(|one| one.from < exchange.number).for_each(|one| one.put_into(&mut request));
            let command = curl::command(&request, &variables);
            let given: Vec<&Taken> = taken.iter().filter(|one| one.from == exchange.number).collect();
            if given.is_empty() {
                let and = if group.len() > 1 { " &" } else { "" };
                let _ = writeln!(lines, "{command}{and}");
                continue;
            }
            let _ = writeln!(lines, "answer=$({command})\nprintf '%s\\n' \"${{answer}}\"");
            for Taken { variable, path, .. } in given {
                let body = "printf '%s\\n' \"${answer}\" | sed '1,/^\\r*$/d'";
                let _ = writeln!(lines, "{variable}=$({body} | jq -r {})", curl::quoted(&format!(".{path}")));
            }
        }
        if group.len() > 1 {
            lines += "wait\n";
        }
        answered = group.iter().filter_map(|e| Some(sent(e)? + elapsed(e))).max();
    }
    if exchanges.len() < 2 && instants.is_empty() {
        return None;
    }
    let tag = "tag=$(printf %08x $((RANDOM * 32768 + RANDOM)))\n";
    let head = if lines.contains("${tag}") { tag } else { "" };
    let needs = if taken.is_empty() { "" } else { "# This needs jq, which takes ids from answers.\n" };
    let dates: String = instants.into_iter().map(|line| line + "\n").collect();
    let whole = format!("{needs}{head}{dates}{lines}");
    (whole.len() <= LONGEST).then_some(whole)
}

/// A value that an answer gives and later requests take: an id, which is another one each time.
struct Taken {
    /// The number of the exchange whose answer gives it.
    from: u64,
    value: String,
    /// Where it stands in the answer, as jq writes it.
    path: String,
    variable: String,
}

impl Taken {
    /// Puts its variable in the place of the value: of a whole segment or value of the URL, and of a whole string of the
    /// body.
    fn put_into(&self, request: &mut Request) {
        let (variable, ends) = (format!("${{{}}}", self.variable), ['/', '?', '&', '=']);
        let url = request.url.split_inclusive(ends).map(|part| match part.strip_suffix(ends) {
            Some(text) if text == self.value => format!("{variable}{}", &part[text.len()..]),
            None if part == self.value => variable.clone(),
            _ => part.to_owned(),
        });
        request.url = url.collect();
        let quoted = |text: &str| format!("\"{text}\"");
        request.body = request.body.as_deref().map(|body| body.replace(&quoted(&self.value), &quoted(&variable)));
    }

    fn is_in(&self, request: &Request) -> bool {
        let mut copy = request.clone();
        self.put_into(&mut copy);
        copy != *request
    }
}

/// The values that answers to single requests give, no request has before, and later ones have.
fn taken(groups: &[Vec<&Exchange>], makings: &Makings<'_>) -> Vec<Taken> {
    let mut all: Vec<Taken> = Vec::new();
    let requests = |groups: &[Vec<&Exchange>], one: &Taken| groups.iter().flatten().any(|e| one.is_in(&e.request));
    for (place, group) in groups.iter().enumerate() {
        let [exchange] = group[..] else { continue };
        let answer = exchange.response.as_ref().and_then(|response| response.body.as_deref());
        let Some(answer) = answer.and_then(|body| serde_json::from_str(body).ok()) else { continue };
        let mut texts = Vec::new();
        strings(&answer, String::new(), &mut texts);
        for (path, value) in texts {
            // What is as short may stand there by chance, and what the run or the contract names is no answer's.
            let own = value.len() < 4 || value.contains(makings.run_tag) || (makings.is_written)(&value);
            let one = Taken { from: exchange.number, value, path, variable: format!("v{}", all.len() + 1) };
            if !own
                && !all.iter().any(|other| other.value == one.value)
                && !requests(&groups[..=place], &one)
                && requests(&groups[place + 1..], &one)
            {
                all.push(one);
            }
        }
    }
    all
}

/// The strings of JSON that can stand in a URL as they are, each with its place.
fn strings(json: &Json, path: String, found: &mut Vec<(String, String)>) {
    match json {
        Json::String(text) if text.bytes().all(|b| b.is_ascii_alphanumeric() || b"-._~:".contains(&b)) => {
            found.push((path, text.clone()));
        }
        Json::Array(items) => {
            items.iter().enumerate().for_each(|(i, item)| strings(item, format!("{path}[{i}]"), found));
        }
        Json::Object(members) => {
            members.iter().for_each(|(name, value)| strings(value, format!("{path}[{}]", json!(name)), found));
        }
        _ => {}
    }
}

/// Exchanges that were under way together.
fn groups(exchanges: &[Exchange]) -> Vec<Vec<&Exchange>> {
    let mut in_order: Vec<&Exchange> = exchanges.iter().collect();
    in_order.sort_by_key(|e| (e.sent.clone(), e.number));
    let mut groups: Vec<Vec<&Exchange>> = Vec::new();
    for exchange in in_order {
        let overlaps = |group: &&mut Vec<&Exchange>| {
            let ends = group.iter().filter_map(|e| Some(sent(e)? + elapsed(e))).min();
            ends.zip(sent(exchange)).is_some_and(|(end, sent)| sent < end)
        };
        match groups.last_mut().filter(overlaps) {
            Some(group) => group.push(exchange),
            None => groups.push(vec![exchange]),
        }
    }
    groups
}

fn sent(exchange: &Exchange) -> Option<DateTime<Utc>> {
    DateTime::parse_from_rfc3339(&exchange.sent).ok().map(|at| at.to_utc())
}

#[expect(clippy::cast_possible_truncation, reason = "whole microseconds of a time limit")]
fn elapsed(exchange: &Exchange) -> TimeDelta {
    TimeDelta::microseconds((exchange.elapsed_ms * 1000.0) as i64)
}

/// A request with variables in the place of the run tag and of instants that were made when it was sent.
fn renewed(
    exchange: &Exchange,
    makings: &Makings<'_>,
    instants: &mut Vec<String>,
    variables: &mut Vec<String>,
) -> Request {
    let tagged = |text: &str| text.replace(makings.run_tag, &format!("${{{TAG}}}"));
    let mut request = exchange.request.clone();
    request.url = tagged(&request.url);
    for (name, value) in &mut request.headers {
        if !name.eq_ignore_ascii_case("user-agent") {
            *value = tagged(value);
        }
    }
    let at = sent(exchange);
    request.body = request.body.as_deref().map(|body| {
        let replaced = INSTANT.replace_all(body, |found: &Captures<'_>| {
            let whole = &found[0];
            let text = whole.trim_matches('"');
            let instant = DateTime::parse_from_rfc3339(text).ok().map(|instant| instant.to_utc());
            let (Some(at), Some(instant), false) = (at, instant, (makings.is_written)(text)) else {
                return whole.to_owned();
            };
            let digits = found[2].len().saturating_sub(1);
            let fraction = if digits > 0 { format!(".%{digits}N") } else { String::new() };
            let distance = (instant - at).num_seconds();
            let zone = match &found[3] {
                "Z" => "date -u".to_owned(),
                // The shell counts the other way.
                offset => format!("TZ=UTC{}{} date", if offset.starts_with('-') { '+' } else { '-' }, &offset[1..]),
            };
            let made = format!("$({zone} -d '{distance:+} seconds' +%Y-%m-%dT%H:%M:%S{fraction}{})", &found[3]);
            let name = match instants.iter().find(|line| line.ends_with(&format!("={made}"))) {
                Some(line) => line.split('=').next().unwrap_or_default().to_owned(),
                None => {
                    let name = format!("t{}", instants.len() + 1);
                    instants.push(format!("{name}={made}"));
                    variables.push(name.clone());
                    name
                }
            };
            format!("\"${{{name}}}\"")
        });
        tagged(&replaced)
    });
    request
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::model::record::Response;

    fn exchange(number: u64, sent: &str, elapsed_ms: f64, body: &str) -> Exchange {
        Exchange {
            number,
            trial: "a/b#0".to_owned(),
            sent: sent.to_owned(),
            elapsed_ms,
            attempt: 1,
            attempts: 1,
            earlier: Vec::new(),
            identity: "caller".to_owned(),
            request: Request {
                method: "POST".to_owned(),
                url: "http://127.0.0.1/things".to_owned(),
                query_credentials: Vec::new(),
                headers: vec![("idempotency-key".to_owned(), "probity-0badcafe-1".to_owned())],
                body: Some(body.to_owned()),
                body_base64: None,
                truncated: None,
            },
            response: None,
            failure: None,
            judged: None,
        }
    }

    fn of(exchanges: &[Exchange]) -> Option<String> {
        let makings = Makings { variables: &[], run_tag: "0badcafe", is_written: &|text| text.starts_with("2096") };
        script(exchanges, &makings)
    }

    #[test]
    fn one_request_needs_no_script() {
        assert_eq!(of(&[exchange(0, "2026-01-01T00:00:00Z", 3.0, r#"{"at":"2096-01-01T00:00:00Z"}"#)]), None);
    }

    #[test]
    fn what_an_answer_gives_is_taken_from_the_answer_of_today() {
        let answered = |number: u64, sent: &str, url: &str, answer: &str| {
            let mut one = exchange(number, sent, 1.0, "{\"other\":\"th_9x\"}");
            url.clone_into(&mut one.request.url);
            one.response = Some(Response { status: 200, body: Some(answer.to_owned()), ..Response::default() });
            one
        };
        let script = of(&[
            answered(
                0,
                "2026-01-01T00:00:00Z",
                "http://127.0.0.1/things",
                r#"{"data":[{"id":"th_7a"},{"id":"th_9x"}]}"#,
            ),
            answered(1, "2026-01-01T00:00:01Z", "http://127.0.0.1/things/th_7a/parts?of=th_7a", "{}"),
        ]);
        let script = script.expect("a script");
        assert!(
            script.contains(r#"v1=$(printf '%s\n' "${answer}" | sed '1,/^\r*$/d' | jq -r '.["data"][0]["id"]')"#),
            "{script}"
        );
        assert!(script.contains("/things/${v1}/parts?of=${v1}\""), "{script}");
        // What was known before is no answer's.
        assert!(script.matches("th_9x").count() == 2 && !script.contains("v2"), "{script}");
    }

    #[test]
    fn instants_keep_their_offset() {
        let body = r#"{"at":"2025-12-31T12:30:00-12:00","until":"2026-01-01T05:30:10+05:30"}"#;
        let script = of(&[exchange(0, "2026-01-01T00:00:00.000Z", 20.0, body)]).expect("a script");
        assert!(script.contains("t1=$(TZ=UTC+12:00 date -d '+1800 seconds' +%Y-%m-%dT%H:%M:%S-12:00)"), "{script}");
        assert!(script.contains("t2=$(TZ=UTC-05:30 date -d '+10 seconds' +%Y-%m-%dT%H:%M:%S+05:30)"), "{script}");
    }

    #[test]
    fn requests_go_out_as_they_did() {
        let body = r#"{"at":"2026-01-01T00:00:03.120Z"}"#;
        let script = of(&[
            exchange(0, "2026-01-01T00:00:00.000Z", 20.0, body),
            exchange(1, "2026-01-01T00:00:00.001Z", 20.0, body),
            exchange(2, "2026-01-01T00:00:03.000Z", 1.0, "{}"),
        ]);
        let script = script.expect("a script");
        let lines: Vec<&str> = script.lines().collect();
        assert_eq!(lines[1], "t1=$(date -u -d '+3 seconds' +%Y-%m-%dT%H:%M:%S.%3NZ)", "{script}");
        assert!(
            lines[2].ends_with(" &") && lines[2].contains("probity-${tag}-1") && lines[2].contains("${t1}"),
            "{script}"
        );
        assert!(lines.contains(&"wait") && lines.contains(&"sleep 3"), "{script}");
        assert!(!lines.last().expect("a line").ends_with('&'), "{script}");
    }
}
