//! Exchanges as JSON inside the page, each once; its script shows those that are asked for.

use std::collections::{BTreeSet, HashMap};

use serde::Serialize;

use crate::report::format::html::body;
use crate::report::format::html::view::{header, no_answer, shown};
use crate::report::model::Exchange;
use crate::report::model::record::BODY_SHOWN;
use crate::report::text::curl;
use crate::report::text::visible;

/// Up to how many requests of a run each exchange is embedded whole, with its command.
pub(super) const WHOLE: u64 = 2000;
/// How many bytes of a body are embedded beyond that.
pub(super) const BRIEF: usize = 1000;
/// Up to how many requests of a run all exchanges are embedded.
pub(super) const COMPLETE: u64 = 10_000;
/// How many of a longer run are embedded besides those that failed and those that were sent more than once.
pub(super) const SAMPLE: u64 = 2000;
/// How many bytes of exchanges are embedded.
pub(super) const MOST: usize = 16 << 20;

/// What is embedded.
#[derive(Debug, Default)]
pub(super) struct Embedded {
    /// One exchange a line: JSON, safe inside of a script element.
    pub lines: String,
    /// The headers that exchanges refer to, a JSON list.
    pub headers: String,
    /// Those of `lines`, briefly, for a page without script.
    pub rows: Vec<Row>,
    /// How many exchanges there were in all.
    pub total: u64,
    /// Whether bodies were cut and commands left out.
    pub brief: bool,
    /// How many exchanges there are for each that is embedded whatever it shows.
    pub every: u64,
    /// The numbers of those that are embedded in any case.
    telling: BTreeSet<u64>,
    known: HashMap<String, usize>,
    names: Vec<String>,
}

/// An exchange in a line.
#[derive(Debug)]
pub(super) struct Row {
    pub number: u64,
    pub trial: String,
    pub answer: String,
    pub elapsed: String,
}

/// An exchange; the names are short because there may be ten thousand.
#[derive(Serialize)]
struct Line<'a> {
    /// Its number.
    n: u64,
    /// On whose behalf.
    t: String,
    /// How long it took.
    ms: &'a str,
    /// Whose request it was.
    i: String,
    /// Which attempt it is, where there are several.
    #[serde(skip_serializing_if = "is_zero")]
    r: u32,
    /// The request.
    q: Message,
    /// What came back.
    a: Message,
    /// The command that sends it again.
    #[serde(skip_serializing_if = "Option::is_none")]
    c: Option<String>,
}

#[derive(Serialize)]
struct Message {
    /// The first line.
    l: String,
    /// Headers, by their places.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    h: Vec<usize>,
    /// The body.
    #[serde(skip_serializing_if = "Option::is_none")]
    b: Option<String>,
    /// What is not shown of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    x: Option<String>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "what serde asks for")]
fn is_zero(number: &u32) -> bool {
    *number == 0
}

impl Embedded {
    /// For a run of about so many requests, of which the exchanges with these numbers tell most.
    pub(super) fn new(requests: u64, telling: BTreeSet<u64>) -> Self {
        let every = if requests > COMPLETE { requests.div_ceil(SAMPLE) } else { 1 };
        Self { brief: requests > WHOLE, every, telling, ..Self::default() }
    }

    fn is_left_out(&self, exchange: &Exchange) -> bool {
        let tells = exchange.attempts > 1 || self.telling.contains(&exchange.number);
        self.lines.len() > MOST || !tells && !exchange.number.is_multiple_of(self.every)
    }

    /// How many exchanges are embedded.
    pub(super) fn shown(&self) -> u64 {
        self.rows.len() as u64
    }

    /// Adds an exchange, if there is room.
    pub(super) fn add(&mut self, exchange: &Exchange, variables: &[String]) {
        self.total += 1;
        if self.is_left_out(exchange) {
            return;
        }
        let answer = match (&exchange.response, &exchange.failure) {
            (Some(response), _) => response.status.to_string(),
            (None, Some(failed)) => no_answer(failed),
            (None, None) => String::new(),
        };
        let row = Row {
            number: exchange.number,
            trial: visible(&exchange.trial),
            answer,
            elapsed: crate::report::format::html::view::milliseconds(exchange.elapsed_ms),
        };
        let request = &exchange.request;
        // The command for a body of which only a part is kept would send something else.
        let command = !self.brief && request.truncated.is_none();
        let body = (request.body.as_deref(), request.body_base64.as_deref(), request.truncated);
        let none = Vec::new();
        let (headers, came) = exchange.response.as_ref().map_or((&none, (None, None, None)), |r| {
            (&r.headers, (r.body.as_deref(), r.body_base64.as_deref(), r.truncated))
        });
        let line = Line {
            n: exchange.number,
            t: row.trial.clone(),
            ms: &row.elapsed,
            i: visible(&exchange.identity),
            r: if exchange.attempts > 1 { exchange.attempt } else { 0 },
            q: self.message(format!("{} {}", request.method, request.url), &request.headers, body),
            a: self.message(row.answer.clone(), headers, came),
            c: command.then(|| curl::command(request, variables)),
        };
        // Numbers and strings: this cannot fail.
        self.lines += &safe(&serde_json::to_string(&line).unwrap_or_default());
        self.lines.push('\n');
        self.rows.push(row);
    }

    /// Ends it.
    pub(super) fn finish(&mut self) {
        self.headers = safe(&serde_json::to_string(&self.names).unwrap_or_default());
    }

    fn message(
        &mut self,
        head: String,
        headers: &[(String, String)],
        body: (Option<&str>, Option<&str>, Option<u64>),
    ) -> Message {
        let (text, note) = shown(body, if self.brief { BRIEF } else { BODY_SHOWN });
        Message {
            l: visible(&head),
            h: headers.iter().map(|h| self.place(header(h))).collect(),
            b: text.filter(|text| !text.is_empty()).map(|text| body::text(&text)),
            x: note,
        }
    }

    fn place(&mut self, header: String) -> usize {
        let next = self.names.len();
        *self.known.entry(header).or_insert_with_key(|header| {
            self.names.push(header.clone());
            next
        })
    }
}

/// JSON that cannot end the script element in which it stands, nor begin a comment there.
fn safe(json: &str) -> String {
    json.replace('<', "\\u003c").replace('>', "\\u003e").replace('&', "\\u0026")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_stays_what_it_is_and_ends_no_script() {
        let hostile = serde_json::json!({"</script><!--": "&lt;]]>"});
        let text = safe(&hostile.to_string());
        assert!(!text.contains(['<', '>', '&']));
        assert_eq!(serde_json::from_str::<serde_json::Value>(&text).unwrap(), hostile);
    }
}
