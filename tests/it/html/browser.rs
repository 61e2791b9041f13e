//! In headless Chromium: what a server sent does nothing, and what the page's own script does works.

use std::path::Path;
use std::process::{Command, Stdio};

use scraper::Html;

use super::{HOSTILE, hostile, ids, select};
use crate::support::{flat, probity};

/// Where Chromium may be.
const NAMES: [&str; 4] = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];

/// The page as it is once its scripts have run.
#[track_caller]
fn opened(page: &Path, fragment: &str) -> Html {
    let is_there = |name: &&&str| {
        let version = Command::new(name).arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status();
        version.is_ok_and(|s| s.success())
    };
    let Some(chromium) = NAMES.iter().find(is_there) else {
        panic!(
            "Chromium is not installed, so nothing is known of what report.html does in a browser: \
             `apt-get install chromium`, or leave these tests out: `cargo test -- --skip browser::`"
        );
    };
    let profile = tempfile::tempdir().expect("a folder");
    let output = Command::new(chromium)
        .args(["--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"])
        .args(["--disable-component-update", "--disable-sync", "--virtual-time-budget=5000", "--dump-dom"])
        .arg(format!("--user-data-dir={}", profile.path().display()))
        .arg(format!("file://{}#{fragment}", page.display()))
        .stderr(Stdio::null())
        .output()
        .expect("a browser");
    assert!(output.status.success(), "{output:?}");
    Html::parse_document(&String::from_utf8(output.stdout).expect("UTF-8"))
}

fn title(html: &Html) -> String {
    select(html, "title")[0].text().collect()
}

#[test]
fn markup_of_a_server_never_runs() {
    let ran = hostile();
    let path = ran.folder().join("reports/report.html");
    // An exchange that is shown only when it is asked for.
    let html = opened(&path, "exchange-1");
    assert_eq!(title(&html), "✗ create-opportunity · probity");
    let exchange = ids(&html)["exchange-1"];
    let text: String = exchange.text().collect();
    assert!(text.contains("onerror=") && text.contains("\\u{202e}"), "it is shown: {text}");
    assert_eq!(select(&html, "img, iframe, object, [onerror], [onload]").len(), 0);
    assert_eq!(select(&html, "script").len(), 3);

    // Even where it stood in the page as markup, the policy would keep it from running.
    let page = ran.read("reports/report.html");
    let markup = format!("<main>{}", HOSTILE.split("<!--").next().expect("markup"));
    let injected = page.replacen("<main>", &markup, 1);
    std::fs::write(&path, &injected).expect("a file");
    let html = opened(&path, "");
    assert!(!select(&html, "img[onerror]").is_empty(), "the markup is in the page");
    assert_eq!(title(&html), "✗ create-opportunity · probity");

    // And without the policy it does: a mark would have been seen.
    let policy = page.find("<meta http-equiv").expect("a policy");
    let end = policy + page[policy..].find('>').expect("its end") + 1;
    std::fs::write(&path, injected.replacen(&page[policy..end], "", 1)).expect("a file");
    assert_eq!(title(&opened(&path, "")), "MARKED");
}

#[test]
fn exchanges_are_shown_when_they_are_asked_for() {
    let ran = probity("check --seed 1 --only response/value-in-dollars").exits(0);
    let path = ran.folder().join("reports/report.html");
    let before = opened(&path, "");
    assert_eq!(select(&before, "details.exchanges[hidden]").len(), 0, "with script, they can be opened");
    assert_eq!(select(&before, "details.exchanges > details").len(), 0, "and are not there before that");
    let html = opened(&path, "exchange-3");
    let due = ran.exchanges().into_iter().find(|e| e["number"] == 3).expect("an exchange");
    let text = flat(&ids(&html)["exchange-3"].text().collect::<Vec<_>>().join(" "));
    for part in [&due["trial"], &due["request"]["url"], &due["response"]["status"]] {
        let part = part.as_str().map_or_else(|| part.to_string(), str::to_owned);
        assert!(text.contains(&part), "{part} in {text}");
    }
    assert!(text.contains("curl -sS -i -X POST"), "{text}");
    assert_eq!(select(&html, "#filter output")[0].text().collect::<String>(), "1 of 1 shown");
}
