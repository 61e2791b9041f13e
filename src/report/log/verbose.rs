//! Exchanges on stderr, as they happen: each in a line, or whole.

use std::fmt::Write as _;

use crate::report::model::record::Exchange;
use crate::report::recorder::Recorder;
use crate::report::text::visible;
use crate::run::event::{Event, Sink};

/// Tells of exchanges on stderr.
#[derive(Debug)]
pub struct VerboseLog {
    recorder: Recorder,
    whole: bool,
}

impl VerboseLog {
    /// Tells each exchange in a line, or whole.
    pub fn new(recorder: Recorder, whole: bool) -> Self {
        Self { recorder, whole }
    }
}

impl Sink for VerboseLog {
    fn event(&mut self, event: Event<'_>) {
        if let Event::Exchange(seen, _) = event {
            for attempt in &seen.attempts {
                let exchange = self.recorder.attempt(seen, attempt);
                let text = if self.whole { whole(&exchange) } else { line(&exchange) };
                complain!("{}", text.trim_end_matches('\n'));
            }
        }
    }
}

/// An exchange in a line: number, answer, time, request, trial.
pub fn line(exchange: &Exchange) -> String {
    let answer = match (&exchange.response, &exchange.failure) {
        (Some(response), _) => response.status.to_string(),
        (None, Some(failure)) => failure.kind.clone(),
        (None, None) => "nothing".to_owned(),
    };
    let request = &exchange.request;
    let again = match exchange.attempts {
        1 => String::new(),
        n => format!(", attempt {} of {n}", exchange.attempt),
    };
    format!(
        "{:>5}  {answer:<8} {:>8.1} ms  {} {}  {} as {}{again}\n",
        exchange.number, exchange.elapsed_ms, request.method, request.url, exchange.trial, exchange.identity
    )
}

/// An exchange with all that was sent and all that came.
pub fn whole(exchange: &Exchange) -> String {
    let mut text = line(exchange);
    let request = &exchange.request;
    let mut part = |mark: char, first: String, headers: &[(String, String)], body: Option<&String>| {
        // Writing to a string cannot fail.
        let _ = writeln!(text, "       {mark} {}", visible(&first));
        for (name, value) in headers {
            let _ = writeln!(text, "       {mark} {name}: {}", visible(value));
        }
        for line in body.map(|body| body.lines()).into_iter().flatten() {
            let _ = writeln!(text, "       {mark}   {}", visible(line));
        }
    };
    let first = format!("{} {}", request.method, request.url);
    part('>', first, &request.headers, request.body.as_ref().or(request.body_base64.as_ref()));
    if let Some(response) = &exchange.response {
        let body = response.body.as_ref().or(response.body_base64.as_ref());
        part('<', response.status.to_string(), &response.headers, body);
    }
    if let Some(failure) = &exchange.failure {
        part('<', format!("{}: {}", failure.kind, failure.message), &[], None);
    }
    text
}
