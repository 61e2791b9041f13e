//! What came of sending requests of a report again.

use crate::judge::tally::Verdict;
use crate::replay::outcome::{Item, Replayed, State};
use crate::report::model::Requirement;
use crate::report::terminal::failures::{LINES, shown};
use crate::report::terminal::{Options, Page, cleanup, cost, waited};
use crate::report::text::words::{self, Look};
use crate::report::text::{listed, times, visible};

/// Each requirement, and at the end how many came to what.
pub fn render(replayed: &Replayed, options: &Options) -> String {
    let mut page = Page::new(options);
    let Replayed { recorded, today, .. } = replayed;
    page.text(&format!("probity {}: {}, sent again", env!("CARGO_PKG_VERSION"), recorded.contract));
    page.text(&format!("recorded on {}, {}, run tag {}", recorded.target, recorded.started, recorded.run_tag));
    page.text(&format!("sent to {}, run tag {}", today.target, today.run_tag));
    for item in &replayed.items {
        let is_told = |cause: &String| !page.full && replayed.items.iter().any(|other| other.id == *cause);
        let cause = item.recorded.cause.as_ref().filter(|cause| is_told(cause)).cloned();
        one(&mut page, item, cause);
    }
    page.gap();
    ending(&mut page, replayed);
    page.out
}

/// One requirement; in short where the cause of its failure is told with another.
fn one(page: &mut Page, item: &Item, cause: Option<String>) {
    page.gap();
    let look = Look::of(item.state.look());
    let state = page.styled(look.style().bold(), &format!("{} {:<15}", look.symbol, item.state.word()));
    let id = page.bold(&visible(&item.id));
    page.line(&format!("{state}  {:<6}  {id}", words::level(item.recorded.level)));
    page.indented(2, &item.recorded.text, usize::MAX);
    page.field_of("recorded", &said(&item.recorded), LINES);
    if let Some((today, failure)) = item.today.as_ref().and_then(|today| Some((today, today.failures.first()?))) {
        match cause {
            None => shown(page, failure),
            Some(cause) => {
                page.field_of("today", &today.trouble(), LINES);
                page.field("cause", &format!("probably the same as that of {cause}"));
            }
        }
        return;
    }
    for (i, text) in item.reason.iter().chain(&item.answer).enumerate() {
        page.field_of(if i == 0 { "today" } else { "" }, text, LINES);
    }
    if item.state == State::CannotBeTold && item.today.as_ref().is_some_and(|t| t.verdict == Verdict::Pass) {
        item.recorded.failures.iter().take(1).for_each(|failure| page.command("rerun", &failure.rerun));
    }
    if let Some(again) = item.again.filter(|a| item.state == State::NoLongerFails && a.broken < a.sent) {
        let text = format!(
            "it was intermittent: sent again {}, it failed {}; --times 20 tries more often",
            times(again.sent),
            times(again.broken)
        );
        page.field("note", &text);
    } else if item.state == State::NoLongerFails && item.recorded.at_once.is_some_and(|n| n > 1) {
        page.field("note", "requests that are sent at once do not always collide: --times 20 tries more often");
    }
    let observed = |of: &Requirement| {
        let values: Vec<String> = of.observations.iter().map(|o| o.value.to_string()).collect();
        values.join(", ")
    };
    if let Some(today) = item.today.as_ref().filter(|today| !today.observations.is_empty()) {
        page.field_of("observed", &observed(today), LINES);
    }
}

/// What a report says of a requirement, in a few words.
fn said(requirement: &Requirement) -> String {
    let seen: Vec<String> = requirement.observations.iter().map(|o| o.value.to_string()).collect();
    match requirement.trouble() {
        trouble if !trouble.is_empty() => trouble,
        _ if !seen.is_empty() => seen.join(", "),
        _ => Look::of(requirement.verdict).word.to_owned(),
    }
}

fn ending(page: &mut Page, replayed: &Replayed) {
    if let Some(reason) = &replayed.reason {
        page.text(reason);
    }
    let count = |state: State| replayed.items.iter().filter(|item| item.state == state).count();
    let counts = State::ALL.into_iter().map(|state| (state, count(state))).filter(|(_, count)| *count > 0);
    let counts: Vec<String> = counts.map(|(state, count)| state.counted(count)).collect();
    let sentence = page.bold(&format!("{}.", listed(&counts)));
    page.line(&sentence);
    cost(page, &replayed.figures);
    waited(page, &replayed.figures);
    replayed.cleanup.iter().for_each(|cleaned| cleanup(page, cleaned));
}
