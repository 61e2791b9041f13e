//! `report.html`: read as a parser reads it, and opened in a browser.

mod browser;
mod page;

use std::collections::BTreeMap;

use crate::support::Ran;
use crate::support::server::{Answer, Server};

/// Markup that would leave a mark on a page that runs it, and characters that would turn it around.
const HOSTILE: &str = concat!(
    "</script><script>document.title='MARKED'</script>",
    "</style><style>body{display:none}</style>",
    "</pre></textarea></noscript><img src=x onerror=\"document.title='MARKED'\">",
    "<svg onload=\"document.title='MARKED'\"><a href=\"javascript:document.title='MARKED'\">&quot;'</a>",
    "<!--<script>\u{202e}\u{2066}\u{200b}\u{feff}{{ 7 * 7 }}",
);

/// A server that accepts all and puts markup wherever it can, and the run that met it.
fn hostile() -> Ran {
    let body = serde_json::json!({"id": HOSTILE, HOSTILE: HOSTILE, "name": HOSTILE}).to_string();
    let server =
        Server::http(move |_| Answer::json(201, &body).with("X-Markup", "<script>document.title='MARKED'</script>"));
    let ran = crate::support::probity("check --seed 1").settings(&server.url()).exits(1);
    ran.holds(ran.read("reports/exchanges.ndjson").contains("onerror"), "the markup came in");
    ran
}

/// The elements with an id, by id; fails where two have the same.
fn ids<'a>(html: &'a scraper::Html) -> BTreeMap<&'a str, scraper::ElementRef<'a>> {
    let mut all = BTreeMap::new();
    for element in select(html, "[id]") {
        let id = element.attr("id").expect("an id");
        assert!(all.insert(id, element).is_none(), "two elements have the id {id}");
    }
    all
}

fn select<'a>(html: &'a scraper::Html, selector: &str) -> Vec<scraper::ElementRef<'a>> {
    html.select(&scraper::Selector::parse(selector).expect("a selector")).collect()
}
