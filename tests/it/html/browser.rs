//! In headless Chromium: what a server sent does nothing, and what the page's own script does works.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::LazyLock;

use scraper::{ElementRef, Html};

use super::{HOSTILE, hostile, ids, select};
use crate::support::{Ran, flat, probity};

/// Where Chromium may be.
const NAMES: [&str; 4] = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];

/// Chromium without a window, on a profile of its own.
#[track_caller]
fn chromium(arguments: &[String]) -> String {
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
        .args(["--disable-component-update", "--disable-sync", "--virtual-time-budget=5000"])
        .arg(format!("--user-data-dir={}", profile.path().display()))
        .args(arguments)
        .stderr(Stdio::null())
        .output()
        .expect("a browser");
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).expect("UTF-8")
}

/// The page as it is once its scripts have run.
#[track_caller]
fn opened(page: &Path, fragment: &str) -> Html {
    Html::parse_document(&chromium(&["--dump-dom".into(), format!("file://{}#{fragment}", page.display())]))
}

/// What a page measures in a window of this size: the value of a JavaScript expression about its document `d`, as JSON.
#[track_caller]
fn measured(page: &Path, (width, height): (u32, u32), expression: &str) -> serde_json::Value {
    let folder = tempfile::tempdir().expect("a folder");
    let frame = folder.path().join("frame.html");
    // A window of the browser has a least width; a frame has none.
    let text = format!(
        "<!doctype html><style>iframe {{ border: 0 }}</style><title></title>\
         <iframe src=\"file://{}\" width=\"{width}\" height=\"{height}\"></iframe>\
         <script>addEventListener('load', () => {{ const d = document.querySelector('iframe').contentDocument; \
         document.title = JSON.stringify({expression}); }})</script>",
        page.display()
    );
    std::fs::write(&frame, text).expect("a file");
    let arguments = ["--allow-file-access-from-files".into(), "--hide-scrollbars".into(), "--dump-dom".into()];
    let url = format!("file://{}", frame.display());
    let html = Html::parse_document(&chromium(&[&arguments[..], &[url]].concat()));
    serde_json::from_str(&title(&html)).expect("JSON")
}

/// On how many pages a browser prints it.
#[track_caller]
fn printed(page: &Path) -> usize {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("page.pdf");
    let pdf = format!("--print-to-pdf={}", file.display());
    chromium(&[pdf, "--no-pdf-header-footer".into(), format!("file://{}", page.display())]);
    let pdf = std::fs::read(&file).expect("a file");
    regex::bytes::Regex::new(r"/Type /Page\b").expect("a pattern").find_iter(&pdf).count()
}

/// A run with one cause of failure, one with many, and a green one.
static RUNS: LazyLock<[Ran; 3]> = LazyLock::new(|| {
    let many = [
        "name-missing-accepted",
        "key-ignored",
        "token-missing-accepted",
        "read-only-accepted",
        "household-foreign-accepted",
        "owner-foreign-accepted",
        "pipeline-foreign-accepted",
        "changed-body-creates",
        "value-in-cents",
    ];
    let many: String = many.iter().map(|fault| format!(" --fault {fault}")).collect();
    [
        probity("check --seed 1 --fault token-longer-accepted").exits(1),
        probity(&format!("check --seed 1{many}")).exits(1),
        probity("check --seed 1").exits(0),
    ]
});

fn page(ran: &Ran) -> PathBuf {
    ran.folder().join("reports/report.html")
}

#[test]
fn a_failure_is_seen_without_scrolling() {
    for (ran, kind) in RUNS.iter().zip(["one", "many"]) {
        for window in [(1280, 800), (390, 844)] {
            let wanted =
                "['.verdict', '.failing h3', '.sentence', '.due', '.came mark', '.copy button', '.exchange pre']";
            let ends =
                format!("{wanted}.map(s => d.querySelector(s).getBoundingClientRect()).map(r => [r.top, r.bottom])");
            let ends: Vec<[f64; 2]> = serde_json::from_value(measured(&page(ran), window, &ends)).expect("numbers");
            let (request, others) = ends.split_last().expect("all of them");
            assert!(others.iter().all(|[_, end]| *end <= f64::from(window.1)), "{kind} {window:?}: {ends:?}");
            // Its headers and the beginning of its body at least.
            assert!(request[0] + 60.0 <= f64::from(window.1), "{kind} {window:?}: {ends:?}");
        }
    }
}

#[test]
fn pages_are_short() {
    for (ran, most) in RUNS.iter().zip([7_000, 8_500, 3_500]) {
        let height = measured(&page(ran), (1280, 800), "d.scrollingElement.scrollHeight").as_u64().expect("a number");
        assert!(height <= most, "{height} of {most} pixels");
    }
}

#[test]
fn nothing_scrolls_sideways_on_a_phone() {
    let hostile = hostile();
    for ran in RUNS.iter().chain([&hostile]) {
        // Whatever is folded is opened: all of it has to fit.
        let wide = "(() => { d.querySelectorAll('details:not(.exchanges)').forEach(one => { one.open = true; }); \
                    return [...d.querySelectorAll('html, body, .scroll, pre, table')]\
                    .filter(one => one.scrollWidth > Math.max(one.clientWidth, 1) && one.clientWidth > 0 \
                    || one.getBoundingClientRect().right > 361)\
                    .map(one => `${one.tagName} ${one.className} ${one.parentElement?.className} ${one.scrollWidth}`); })()";
        assert_eq!(measured(&page(ran), (360, 740), wide), serde_json::json!([]));
    }
}

#[test]
fn three_pages_are_printed() {
    for ran in RUNS.iter() {
        let pages = printed(&page(ran));
        assert!((1..=3).contains(&pages), "{pages} pages");
    }
}

#[test]
fn what_is_filtered_stands_in_the_address() {
    let ran = &RUNS[1];
    let html = opened(&page(ran), "filter?verdict=fail&text=idempotency%2F");
    let due = ran.ids("fail").iter().filter(|id| id.starts_with("idempotency/")).count();
    let shown: String = select(&html, "#filter output")[0].text().collect();
    assert!(due > 3 && shown.starts_with(&format!("{due} of ")), "{shown}");
    assert_eq!(select(&html, "details.area[open]").len(), 1, "where something is found is open");
    // And what is typed gets there.
    let typed = "(() => { const w = d.defaultView; const text = d.forms.filter.elements.text; text.value = 'cents'; \
                 text.dispatchEvent(new w.Event('input', { bubbles: true })); return w.location.hash; })()";
    assert_eq!(measured(&page(ran), (1280, 800), typed), "#filter?text=cents");
    // A link to what is filtered away, or folded, shows it.
    let html = opened(&page(ran), "robustness/declared-json");
    let requirement = ids(&html)["robustness/declared-json"];
    let folded = |e: ElementRef<'_>| e.value().name() == "details" && e.attr("open").is_none();
    assert!(!requirement.ancestors().filter_map(ElementRef::wrap).any(folded));
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
