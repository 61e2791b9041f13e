//! The document as Markdown.

use std::fmt::Write as _;

use super::Catalogue;
use super::examples::{Due, Message};
use crate::report::text::pieces;

/// The document, with a line feed at the end.
pub(super) fn render(catalogue: &Catalogue<'_>) -> String {
    let mut out = String::new();
    // Writing to a string cannot fail.
    let _ = write(&mut out, catalogue);
    out
}

fn write(out: &mut String, catalogue: &Catalogue<'_>) -> std::fmt::Result {
    let contract = catalogue.contract;
    let operation = &contract.operation;
    writeln!(out, "<!-- Written by `{}`: change the cases, not this. -->\n", catalogue.command("markdown"))?;
    writeln!(out, "# {}: the requirements\n", plain(&contract.name))?;
    writeln!(out, "What a server owes that carries out `{} {}`,", operation.method.to_uppercase(), operation.path)?;
    writeln!(out, "each with its level, its source, and requests that show it.\n")?;
    if let Some(usual) = &catalogue.usual {
        writeln!(out, "Examples are made as at {}, with what the reference server provides.", catalogue.moment)?;
        writeln!(out, "Headers are shown where they are not those of the smallest valid request:\n")?;
        fenced(out, "http", &usual.text())?;
    } else {
        writeln!(out, "{}\n", super::WITHOUT)?;
    }
    writeln!(out, "| area | requirements |\n|---|---|")?;
    for (area, entries) in &catalogue.areas {
        writeln!(out, "| [{0}](#{0}) | {1} |", area, entries.len())?;
    }
    for (area, entries) in &catalogue.areas {
        writeln!(out, "{}## {area}\n", if area == &catalogue.areas[0].0 { "\n" } else { "" })?;
        for entry in entries {
            writeln!(out, "### {}\n", entry.requirement.id)?;
            writeln!(out, "**{}** {}\n", entry.level, sentence(&entry.requirement.text))?;
            writeln!(out, "Source: {}\n", plain(&entry.source))?;
            fenced(out, "text", &(entry.tested.join("\n") + "\n"))?;
            for example in &entry.examples {
                let due = match example.due {
                    Due::Accepted => "Accepted",
                    Due::Rejected => "Rejected",
                    Due::Open => "Sent",
                };
                let label =
                    if example.label.is_empty() { String::new() } else { format!(" ({})", plain(&example.label)) };
                writeln!(out, "{due}{label}:\n")?;
                fenced(out, "http", &brief(&example.message, catalogue.usual.as_ref()))?;
            }
        }
    }
    if !contract.open.is_empty() {
        writeln!(out, "## Left to the server\n")?;
        for open in &contract.open {
            writeln!(out, "- {} ({})", sentence(&open.text), plain(&open.id))?;
        }
    }
    // One line feed at the end.
    out.truncate(out.trim_end().len());
    writeln!(out)
}

/// A request without the headers of the smallest one.
pub(super) fn brief(message: &Message, usual: Option<&Message>) -> String {
    let Some(usual) = usual else { return message.text() };
    let headers = message.headers.iter().filter(|h| !usual.headers.contains(h)).cloned();
    let name = |header: &str| header.split(':').next().unwrap_or_default().to_owned();
    let left_out = usual.headers.iter().filter(|h| message.headers.iter().all(|o| name(o) != name(h)));
    let left_out = left_out.map(|h| format!("(without {})", name(h)));
    Message { head: message.head.clone(), headers: headers.chain(left_out).collect(), body: message.body.clone() }
        .text()
}

fn fenced(out: &mut String, language: &str, text: &str) -> std::fmt::Result {
    // Longer than any that the text has.
    let longest = text.split(|c| c != '`').map(str::len).max().unwrap_or_default();
    let fence = "`".repeat(longest.max(2) + 1);
    writeln!(out, "{fence}{language}\n{text}{fence}\n")
}

/// A sentence: what stands between backticks stays code, all else is text.
fn sentence(text: &str) -> String {
    pieces(text).into_iter().map(|(code, piece)| if code { format!("`{piece}`") } else { plain(&piece) }).collect()
}

/// A text that Markdown does not take for markup.
fn plain(text: &str) -> String {
    let mut out = String::new();
    for c in text.chars() {
        if "\\`*_[]<>#|~".contains(c) {
            out.push('\\');
        }
        out.push(c);
    }
    out
}
