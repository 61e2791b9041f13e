//! The catalogue: the requirements as a document, kept true.

use std::path::Path;

use scraper::{ElementRef, Html, Selector};

use crate::support::probity;
use crate::support::server::{Answer, Request, forward};

#[test]
fn the_file_in_the_repository_is_what_the_contract_says() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("cases/create-opportunity/CATALOGUE.md");
    let file = std::fs::read_to_string(path).unwrap_or_default();
    let written = probity("list --format markdown").exits(0).stdout;
    let differs = file.lines().zip(written.lines()).position(|(one, other)| one != other);
    let differs = differs.or((file != written).then(|| file.lines().count().min(written.lines().count())));
    assert_eq!(
        differs.map(|line| line + 1),
        None,
        "cases/create-opportunity/CATALOGUE.md is not what the contract says from this line on: \
         `cargo run -- list --format markdown > cases/create-opportunity/CATALOGUE.md`"
    );
}

#[test]
fn nothing_around_it_changes_it() {
    let plain = probity("list --format markdown").exits(0);
    let other = probity("list --format markdown").settings("http://127.0.0.1:9").env("TZ", "Asia/Tokyo").exits(0);
    other.holds(plain.stdout == other.stdout, "settings are no matter");
    let part = probity("list --format markdown --only schema/value-type").exits(0);
    let (_, section) = part.stdout.split_once("### ").expect("a requirement");
    let (section, _) = section.split_once("## Left to the server").expect("an end");
    part.holds(plain.stdout.contains(section.trim_end()), "a part is a part of the whole");
    part.holds(!part.stdout.contains("### schema/name-type"), "and no more");
}

#[test]
fn another_contract_has_no_examples() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/contracts/replace-order");
    for format in ["markdown", "html"] {
        let ran = probity(&format!("list --format {format} --contract")).arg(&folder).exits(0);
        ran.says("There are no examples").says("access/").never_says("Accepted");
    }
}

#[test]
fn formats_are_told_apart() {
    probity("list --format markdown --json").exits(2).complains("cannot be used with");
    probity("list --format pdf").exits(2).complains("possible values: markdown, html");
}

fn select<'a>(element: ElementRef<'a>, selector: &str) -> Vec<ElementRef<'a>> {
    element.select(&Selector::parse(selector).expect("a selector")).collect()
}

fn text(element: ElementRef<'_>) -> String {
    element.text().collect()
}

/// A request as the document shows it; none where it shows only a part.
fn request(shown: &str, usual: &[(String, String)]) -> Option<Request> {
    if shown.contains('…') || shown.contains("(Base64)") {
        return None;
    }
    let (head, body) = shown.split_once("\n\n").unwrap_or((shown, ""));
    let mut lines = head.lines();
    let (method, target) = lines.next()?.split_once(' ')?;
    let mut headers = usual.to_vec();
    for line in lines {
        if let Some(name) = line.strip_prefix("(without ").and_then(|l| l.strip_suffix(')')) {
            headers.retain(|(n, _)| n != name);
        } else if let Some((name, value)) = line.split_once(": ") {
            headers.retain(|(n, _)| n != name);
            let token =
                |text: String, (variable, token): &(&str, &str)| text.replace(&format!("${{{variable}}}"), token);
            headers.push((name.to_owned(), probity::reference::TOKENS.iter().fold(value.to_owned(), token)));
        }
    }
    headers.push(("content-length".to_owned(), body.trim_end().len().to_string()));
    let body = body.trim_end().into();
    Some(Request { method: method.to_owned(), target: target.to_owned(), headers, body, before: 0 })
}

#[test]
fn the_reference_server_does_what_the_examples_say() {
    let server = probity::reference::start(probity::reference::Options::default()).expect("a server");
    let page = Html::parse_document(&probity("list --format html").exits(0).stdout);
    let root = page.root_element();
    let usual = request(&text(select(root, "main > pre")[0]), &[]).expect("a request").headers;
    let usual: Vec<_> = usual.into_iter().filter(|(name, _)| name != "content-length").collect();
    let mut tried = [0, 0];
    for article in select(root, "article") {
        for example in select(article, ".sides > div") {
            let (due, shown) = (text(select(example, "h4")[0]), text(select(example, "pre")[0]));
            // What was past or to come for the document is another thing now.
            let Some(request) =
                request(&shown, &usual).filter(|_| !shown.contains("2029-") && !shown.contains("2030-"))
            else {
                continue;
            };
            let due = match due.as_str() {
                "✓ Accepted" => 0,
                "✗ Rejected" => 1,
                _ => continue,
            };
            let Answer::Whole(status, _, _) = forward(&server, &request) else { panic!("no answer to {shown}") };
            let fits = if due == 0 { (200..300).contains(&status) } else { (400..500).contains(&status) };
            assert!(
                fits,
                "{} of {} got {status}:\n{shown}",
                ["Accepted", "Rejected"][due],
                article.attr("id").unwrap_or("")
            );
            tried[due] += 1;
        }
    }
    assert!(tried[0] > 50 && tried[1] > 25, "{tried:?}");
}

#[test]
fn the_page_is_one_file() {
    let page = Html::parse_document(&probity("list --format html").exits(0).stdout);
    assert_eq!(page.errors, [""; 0]);
    let root = page.root_element();
    let ids: Vec<_> = select(root, "[id]").iter().filter_map(|e| e.attr("id")).collect();
    let mut once = ids.clone();
    once.sort_unstable();
    once.dedup();
    assert_eq!(once.len(), ids.len());
    for link in select(root, "[href], [src]") {
        let to = link.attr("href").and_then(|to| to.strip_prefix('#'));
        assert!(to.is_some_and(|to| ids.contains(&to)), "{}", link.html());
    }
    let list = probity("list --json").exits(0);
    let list: Vec<serde_json::Value> = serde_json::from_str(&list.stdout).expect("JSON");
    assert_eq!(select(root, "article").len(), list.len());
    for requirement in list {
        assert!(ids.contains(&requirement["id"].as_str().expect("an id")));
    }
}
