//! A comparison as Markdown and as an HTML page that stands alone.

use std::fmt::Write as _;

use super::{Comparison, Row, detail, letter};
use crate::judge::finding::cut;
use crate::report::markdown::{code, prose};
use crate::report::text::escaped;
use crate::report::words::{self, Look};

/// How long a detail is.
const DETAIL: usize = 500;

/// As Markdown: what differs, folded what is the same.
pub fn markdown(comparison: &Comparison) -> String {
    let differing = comparison.differing().count();
    let all = comparison.rows.len();
    let mut out = format!("## {}: {differing} of {all} differ\n\n", prose(&comparison.contract));
    for (i, side) in comparison.sides.iter().enumerate() {
        let _ = writeln!(out, "- **{}**: {}, {}", letter(i), prose(&side.name), code(&side.target));
    }
    table(&mut out, comparison, &mut comparison.differing());
    for row in comparison.differing() {
        let _ = writeln!(out, "\n{}: {}\n", code(&row.id), prose(&row.text));
        for (i, cell) in row.cells.iter().enumerate() {
            let _ = writeln!(out, "- **{}**: {}", letter(i), code(&cut(&detail(cell.as_ref()), DETAIL)));
        }
    }
    if differing < all {
        let _ = write!(out, "\n<details><summary>{} are the same</summary>\n", all - differing);
        table(&mut out, comparison, &mut comparison.rows.iter().filter(|r| !r.differs));
        out += "\n</details>\n";
    }
    out
}

fn table(out: &mut String, comparison: &Comparison, rows: &mut dyn Iterator<Item = &Row>) {
    let mut rows = rows.peekable();
    if rows.peek().is_none() {
        return;
    }
    let letters: Vec<String> = (0..comparison.sides.len()).map(letter).collect();
    let _ = writeln!(out, "\n| | | {} |", letters.join(" | "));
    let _ = writeln!(out, "|---|---|{}", "---|".repeat(letters.len()));
    for row in rows {
        let cells: Vec<String> = row.cells.iter().map(|c| shown(c.as_ref().map(|c| Look::of(c.verdict)))).collect();
        let _ = writeln!(out, "| {} | {} | {} |", words::level(row.level), code(&row.id), cells.join(" | "));
    }
}

fn shown(look: Option<Look>) -> String {
    look.map_or_else(|| "·".to_owned(), |look| format!("{} {}", look.symbol, look.word))
}

const STYLE: &str = "\
:root { color-scheme: light dark; --line: #8884; --pass: #1a7f37; --fail: #cf222e; --other: #9a6700 }
@media (prefers-color-scheme: dark) { :root { --pass: #3fb950; --fail: #f85149; --other: #d29922 } }
body { font: 15px/1.45 system-ui, sans-serif; margin: 2rem auto; max-width: 75rem; padding: 0 1rem }
table { border-collapse: collapse; width: 100% }
th, td { border-bottom: 1px solid var(--line); padding: .35rem .6rem; text-align: left; vertical-align: top }
thead th { position: sticky; top: 0; background: Canvas }
code { font: 13px ui-monospace, monospace; overflow-wrap: anywhere }
.pass { color: var(--pass) } .fail { color: var(--fail) } .inconclusive, .untested { color: var(--other) }
.note { display: block; color: CanvasText; opacity: .8 }
";

/// As a page of HTML that needs nothing else.
pub fn html(comparison: &Comparison) -> String {
    let differing = comparison.differing().count();
    let all = comparison.rows.len();
    let title = escaped(&format!("{}: {differing} of {all} differ", comparison.contract));
    let mut out = format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width\">\n<title>{title}</title>\n<style>{STYLE}</style>\n\
         </head>\n<body>\n<h1>{title}</h1>\n"
    );
    rows(&mut out, comparison, "What differs", &mut comparison.differing());
    rows(&mut out, comparison, "What is the same", &mut comparison.rows.iter().filter(|r| !r.differs));
    out + "</body>\n</html>\n"
}

fn rows(out: &mut String, comparison: &Comparison, title: &str, rows: &mut dyn Iterator<Item = &Row>) {
    let mut rows = rows.peekable();
    if rows.peek().is_none() {
        return;
    }
    let _ = write!(out, "<h2>{title}</h2>\n<table>\n<thead><tr><th>level</th><th>requirement</th>");
    for side in &comparison.sides {
        let _ = write!(out, "<th>{}<br><code>{}</code></th>", escaped(&side.name), escaped(&side.target));
    }
    out.push_str("</tr></thead>\n<tbody>\n");
    for row in rows {
        let _ = write!(
            out,
            "<tr><td>{}</td><td><code>{}</code><span class=\"note\">{}</span></td>",
            words::level(row.level),
            escaped(&row.id),
            escaped(&row.text)
        );
        for cell in &row.cells {
            let Some(found) = cell else {
                out.push_str("<td>not in that run</td>");
                continue;
            };
            let look = Look::of(found.verdict);
            let _ = write!(out, "<td class=\"{}\">{} {}", look.word, look.symbol, look.word);
            let more = detail(cell.as_ref());
            if more != look.word {
                let _ = write!(out, "<code class=\"note\">{}</code>", escaped(&cut(&more, DETAIL)));
            }
            out.push_str("</td>");
        }
        out.push_str("</tr>\n");
    }
    out.push_str("</tbody>\n</table>\n");
}
