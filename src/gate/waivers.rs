//! Waivers: failures that are accepted, each with a reason, until they are gone.
//!
//! A waiver covers its requirement as long as that does not hold. Once its failure no longer happens, once it has
//! expired, or where no requirement has its name, it is out of date, and the gate is red until it is deleted. What
//! cannot be known (the run was not about the requirement, or did not get to it) is left alone.

use std::fmt::Write as _;
use std::sync::Arc;

use chrono::NaiveDate;
use serde::Deserialize;
use toml::Spanned;
use toml::value::Datetime;

use crate::judge::tally::Verdict;
use crate::report::model::{Failure, Report, Requirement};
use crate::report::text::visible;
use crate::source::{Diagnostic, Place, Result, Source, did_you_mean};

/// The waivers of a file.
#[derive(Clone, Debug, Default)]
pub struct Waivers(Vec<Waiver>);

/// A failure that is accepted.
#[derive(Clone, Debug)]
pub struct Waiver {
    /// The requirement's id.
    pub id: String,
    /// Why.
    pub reason: String,
    /// Where it is followed up.
    pub issue: Option<String>,
    /// The last day on which it holds.
    pub expires: Option<NaiveDate>,
    /// What each failure that is shown has in its words; another failure of the requirement is not waived.
    pub contains: Option<String>,
    /// Whether it fails now and then only: that it held once does not put the waiver out of date.
    pub intermittent: bool,
    /// Where the id stands.
    pub place: Place,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    #[serde(default)]
    waiver: Vec<WrittenWaiver>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenWaiver {
    id: Spanned<String>,
    reason: Spanned<String>,
    issue: Option<String>,
    expires: Option<Spanned<Datetime>>,
    contains: Option<String>,
    #[serde(default)]
    intermittent: bool,
}

impl Waivers {
    /// Reads a file of waivers.
    ///
    /// # Errors
    /// Text that is not TOML, keys that a waiver does not have, no reason, a date that is none, two waivers of one
    /// requirement.
    pub fn read(source: &Arc<Source>) -> Result<Self> {
        let written: Written = toml::from_str(&source.text).map_err(|e| toml_error(source, &e))?;
        let mut all: Vec<Waiver> = Vec::new();
        for waiver in written.waiver {
            let place = |span| Place { source: Arc::clone(source), span };
            let id = waiver.id.get_ref().clone();
            if waiver.reason.get_ref().trim().is_empty() {
                return Err(place(waiver.reason.span())
                    .error(format!("the waiver of `{id}` has no reason"))
                    .help("say why the failure is accepted: readers of the report will ask"));
            }
            if let Some(other) = all.iter().find(|w| w.id == id) {
                return Err(place(waiver.id.span())
                    .error(format!("`{id}` is waived twice"))
                    .help(format!("the other waiver is in line {}", other.place.line())));
            }
            let expires = waiver.expires.map(|date| {
                let span = date.span();
                day(date.get_ref()).ok_or_else(|| {
                    place(span)
                        .error("this is not a date (YYYY-MM-DD)")
                        .help("write a date without quotes: expires = 2031-02-03")
                })
            });
            all.push(Waiver {
                place: place(waiver.id.span()),
                id,
                reason: waiver.reason.into_inner(),
                issue: waiver.issue,
                expires: expires.transpose()?,
                contains: waiver.contains,
                intermittent: waiver.intermittent,
            });
        }
        Ok(Self(all))
    }

    /// The waiver that covers what came of a requirement.
    pub(super) fn of(&self, requirement: &Requirement, today: NaiveDate) -> Option<&Waiver> {
        self.0.iter().find(|w| w.id == requirement.id && !w.has_expired(today) && w.speaks_of(requirement))
    }

    /// The waivers that are out of date, a line each.
    pub(super) fn stale(&self, report: &Report, today: NaiveDate) -> Vec<String> {
        self.0.iter().filter_map(|w| Some(w.stale_line(&w.stale(report, today)?))).collect()
    }
}

impl Waiver {
    fn has_expired(&self, today: NaiveDate) -> bool {
        self.expires.is_some_and(|last| last < today)
    }

    /// Whether all failures that are shown are those that it means.
    fn speaks_of(&self, requirement: &Requirement) -> bool {
        let Some(text) = &self.contains else { return true };
        requirement.failures.iter().all(|failure| says(failure, text))
    }

    /// Why it is out of date, if it is.
    fn stale(&self, report: &Report, today: NaiveDate) -> Option<String> {
        let Some(requirement) = report.requirement(&self.id) else {
            let ids = report.requirements.iter().map(|r| r.id.as_str());
            let hint = did_you_mean(&self.id, ids).map_or_else(String::new, |hint| format!(" ({hint})"));
            return Some(format!("no requirement has this id{hint}"));
        };
        // The run was not about it, or is a part that another part makes up for.
        if !requirement.selected {
            return None;
        }
        // A part of a run, a quick one, or traffic that others chose, may just not have met it.
        let options = &report.header.options;
        let is_whole = report.end.complete && options.shard.is_none() && !options.recorded && !options.quick;
        match requirement.verdict {
            Verdict::Pass if is_whole && !self.intermittent => Some("its failure no longer happens".to_owned()),
            _ if self.has_expired(today) => self.expires.map(|last| format!("it expired after {last}")),
            Verdict::Fail if !self.speaks_of(requirement) => {
                self.contains.as_ref().map(|text| format!("the failure no longer contains `{text}`"))
            }
            // Nothing is known of it.
            _ => None,
        }
    }

    fn stale_line(&self, why: &str) -> String {
        let (first, last) = self.lines();
        let lines = if first == last { format!("line {first}") } else { format!("lines {first} to {last}") };
        let what = match why.starts_with("it expired") {
            true => format!("fix the server, or extend `expires`; otherwise delete {lines}"),
            false => format!("delete {lines}"),
        };
        format!("{}: the waiver of {} is out of date, {why}: {what}", self.place, self.id)
    }

    /// Its first and its last line, counted from 1.
    fn lines(&self) -> (usize, usize) {
        let own = self.place.line();
        let lines: Vec<&str> = self.place.source.text.lines().collect();
        let is_head = |line: &str| line.trim_start().starts_with('[');
        let first = (1..=own).rev().find(|n| lines.get(n - 1).is_some_and(|l| is_head(l))).unwrap_or(own);
        let next = (own..lines.len()).find(|i| is_head(lines[*i])).unwrap_or(lines.len());
        // What stands above the next head belongs to that.
        let is_own = |i: &usize| !lines[*i].trim().is_empty() && !lines[*i].trim_start().starts_with('#');
        let last = (own - 1..next).rev().find(is_own).map_or(own, |i| i + 1);
        (first, last)
    }
}

/// Whether a failure has a text in its words or in what the server answered.
fn says(failure: &Failure, text: &str) -> bool {
    let answers = failure.exchanges.iter().filter_map(|e| e.response.as_ref()?.body.as_deref());
    [failure.label.as_str(), &failure.expected, &failure.actual].into_iter().chain(answers).any(|t| t.contains(text))
}

fn day(written: &Datetime) -> Option<NaiveDate> {
    match (written.date, written.time) {
        (Some(date), None) => NaiveDate::from_ymd_opt(i32::from(date.year), u32::from(date.month), u32::from(date.day)),
        _ => None,
    }
}

/// An error in a file of TOML that holds no token.
fn toml_error(source: &Arc<Source>, error: &toml::de::Error) -> Box<Diagnostic> {
    let message = error.message().trim_end().to_owned();
    match error.span() {
        Some(span) => Place { source: Arc::clone(source), span }.error(message),
        None => Diagnostic::new(format!("{}: {message}", source.path)),
    }
    .help("a waiver is a table [[waiver]] with the keys id, reason, issue, expires, contains, intermittent")
}

/// A file that waives what failed and counts, to begin with.
pub fn first_file(report: &Report) -> String {
    let mut out = format!(
        "# Known failures that are accepted. When a failure no longer happens, the gate is red until its waiver is\n\
         # deleted. Besides id and reason it may have\n\
         #   issue = \"https://…\"      where it is tracked\n\
         #   expires = {}     the last day on which it applies\n\
         #   contains = \"…\"           text of the failure; other failures of the requirement are not waived\n\
         #   intermittent = true      it fails now and then: the waiver stays after a run without it\n",
        report.header.started.get(..10).unwrap_or("2031-02-03")
    );
    // What failed leaves others undecided, which keep a run from being green just as well.
    let undecided = report.selected().filter(|r| r.verdict == Verdict::Inconclusive);
    for requirement in report.failed().into_iter().chain(undecided).filter(|r| report.is_red(r)) {
        let _ = write!(
            out,
            "\n# {}\n# {}\n[[waiver]]\nid = {}\nreason = {}\n",
            visible(&requirement.text),
            visible(&crate::judge::finding::cut(&requirement.trouble(), 200)),
            quoted(&requirement.id),
            quoted(&format!("known since {}", report.header.started.get(..10).unwrap_or("the first run"))),
        );
        if requirement.again.is_some_and(|again| again.broken < again.sent) {
            out += "intermittent = true\n";
        }
    }
    out
}

fn quoted(text: &str) -> String {
    toml::Value::from(text).to_string()
}
