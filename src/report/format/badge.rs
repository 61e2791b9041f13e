//! A badge: an SVG of our own, and the JSON that shields.io makes one of.

use serde_json::json;

use crate::judge::tally::Verdict;
use crate::report::model::{Cause, Report};
use crate::report::text::{escaped, width};

/// What a badge says.
struct Badge {
    label: String,
    message: String,
    color: Color,
}

/// A colour by its name at shields.io, and a value on which white can be read.
struct Color(&'static str, &'static str);

const GREEN: Color = Color("brightgreen", "#357a00");
const YELLOW: Color = Color("yellow", "#8a6100");
const RED: Color = Color("red", "#c0392b");
const GREY: Color = Color("lightgrey", "#6b6b6b");

fn badge(report: &Report) -> Badge {
    let counting: Vec<_> = report.selected().filter(|r| report.weight(r).excuse().is_none()).collect();
    let of = |verdict| counting.iter().filter(|r| r.verdict == verdict).count();
    let excused = report.selected().filter(|r| report.weight(r).is_put_up_with() && report.excuse(r).is_some()).count();
    let (pass, fail) = (of(Verdict::Pass), of(Verdict::Fail));
    let all = counting.len();
    let exit = report.ruling.as_ref().map(|r| r.exit);
    let (message, color) = match (report.end.preflight_failed, report.end.cause, exit) {
        (true, ..) | (_, Some(Cause::Defect), _) => ("not tested".to_owned(), GREY),
        _ if fail > 0 => (format!("{fail} of {all} fail"), RED),
        (_, _, Some(0)) if excused > 0 => (format!("{pass} hold, {excused} waived"), YELLOW),
        (_, _, Some(0)) if pass > 0 => (format!("{pass} of {all} hold"), GREEN),
        _ => ("not known".to_owned(), YELLOW),
    };
    Badge { label: report.header.contract.name.clone(), message, color }
}

/// The JSON of an endpoint badge of shields.io.
pub fn shields(report: &Report) -> String {
    let badge = badge(report);
    let json = json!({"schemaVersion": 1, "label": badge.label, "message": badge.message, "color": badge.color.0});
    format!("{json}\n")
}

/// An SVG of one line, 20 pixels high.
pub fn svg(report: &Report) -> String {
    let Badge { label, message, color } = badge(report);
    // Verdana at 11 pixels takes 6.5 a letter or so; the text is stretched to just that.
    let letters = |text: &str| width(text) * 13 / 2;
    let (left, right) = (letters(&label) + 10, letters(&message) + 10);
    let all = left + right;
    let (label, message) = (escaped(&label), escaped(&message));
    let text = |x: usize, length: usize, text: &str| {
        format!("<text x=\"{x}\" y=\"14\" textLength=\"{length}\" lengthAdjust=\"spacingAndGlyphs\">{text}</text>")
    };
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{all}\" height=\"20\" role=\"img\" aria-label=\"{label}: {message}\">\
         <title>{label}: {message}</title>\
         <rect width=\"{all}\" height=\"20\" rx=\"3\" fill=\"{}\"/>\
         <path d=\"M3 0h{}v20H3a3 3 0 0 1-3-3V3a3 3 0 0 1 3-3z\" fill=\"#555\"/>\
         <g fill=\"#fff\" font-family=\"Verdana,DejaVu Sans,sans-serif\" font-size=\"11\">{}{}</g></svg>\n",
        color.1,
        left - 3,
        text(5, left - 10, &label),
        text(left + 5, right - 10, &message),
    )
}
