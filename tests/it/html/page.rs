use std::sync::LazyLock;

use scraper::{ElementRef, Html};

use super::{HOSTILE, hostile, ids, select};
use crate::support::{Ran, flat, normalised, probity};

/// A run that fails in several ways, and leaves much out.
static FAILS: LazyLock<Ran> = LazyLock::new(|| {
    probity(
        "check --seed 1 --skip 'robustness/*' --fault value-in-cents --fault key-ignored --fault probability-unchecked",
    )
    .exits(1)
});

fn page(ran: &Ran) -> Html {
    let html = Html::parse_document(&ran.read("reports/report.html"));
    assert_eq!(html.errors, [""; 0], "the page is well-formed");
    html
}

/// What a reader sees, line by line, without what no two runs have in common.
fn outline(html: &Html) -> String {
    let mut lines = Vec::new();
    let wanted = "h1, h2, h3, h4, h5, h6, p, li, dl > div, tr, summary, pre, label, nav";
    for element in select(html, wanted) {
        let within = |id: &str| {
            let of = |e: ElementRef<'_>| e.attr("aria-labelledby") == Some(id);
            element.ancestors().filter_map(ElementRef::wrap).any(of)
        };
        if within("latency") || within("timeline") || element.ancestors().any(|a| is(a, "noscript")) {
            continue;
        }
        let name = element.value().name();
        let indent = if name.starts_with('h') { "" } else { "  " };
        let text = element.text().collect::<Vec<_>>().join(" ");
        lines.push(format!("{indent}{name}: {}", flat(&text)));
    }
    let volatile = [
        (r"hash [0-9a-f]{12}", "hash HASH"),
        (r"probity-MARK-[0-9a-f]{20}", "probity-MARK-KEY"),
        (r"date: \w+, [\w :]+ GMT", "date: DATE"),
        (r"\d+ requests, \d+ of them accepted", "N requests, N of them accepted"),
        (r"created \d+ records", "created N records"),
        (r"\d+ requests are a sample", "N requests are a sample"),
        (r"\d+ requirements of the contract", "N requirements of the contract"),
        (r"server's less ours: .*", "server's less ours: N"),
        (r"by exchange \d+", "by exchange N"),
        (r"\d{4}-\d\d-\d\d \d\d:\d\d UTC, \d+ requests in TIME", "DATE UTC, N requests in TIME"),
        (r"Exchange \d+", "Exchange N"),
        (r"all of the \d+ exchanges", "all of the N exchanges"),
    ];
    volatile.iter().fold(normalised(&lines.join("\n")), |text, (pattern, with)| {
        regex::Regex::new(pattern).expect("a pattern").replace_all(&text, *with).into_owned()
    })
}

fn is(node: ego_tree::NodeRef<'_, scraper::Node>, name: &str) -> bool {
    ElementRef::wrap(node).is_some_and(|e| e.value().name() == name)
}

#[test]
fn tells_of_a_run_all_that_there_is() {
    let ran = probity(
        "check --seed 1 --only response/value-in-dollars --only schema/value-type --only probes/omitted-probability",
    )
    .arg("--fault=value-in-cents")
    .exits(1);
    insta::assert_snapshot!("page", outline(&page(&ran)));
}

#[test]
fn every_link_leads_somewhere_in_the_page() {
    for ran in
        [&*FAILS, &hostile(), &probity("check --only operation/answered").settings("http://127.0.0.1:1").exits(3)]
    {
        let html = page(ran);
        let ids = ids(&html);
        let links = select(&html, "[href], [src], [action], [srcset], [data], [poster]");
        assert!(!links.is_empty());
        for link in links {
            let to = link.attr("href").and_then(|to| to.strip_prefix('#'));
            let to = to.unwrap_or_else(|| panic!("{} leads out of the page", link.html()));
            assert!(ids.contains_key(to), "#{to} leads nowhere");
        }
        for id in ["fail", "pass", "inconclusive", "untested"].iter().flat_map(|verdict| ran.ids(verdict)) {
            assert!(ids.contains_key(&id[..]), "{id} can be linked to");
        }
        let style: String = select(&html, "style").iter().flat_map(|s| s.text()).collect();
        assert!(!style.contains("url(") && !style.contains("@import"), "the style fetches nothing");
    }
}

#[test]
fn can_be_read_aloud() {
    let html = page(&FAILS);
    assert_eq!(select(&html, "html[lang=en] > head > title").len(), 1);
    assert_eq!(select(&html, "h1").len(), 1);
    let mut last = 0;
    for heading in select(&html, "h1, h2, h3, h4, h5, h6") {
        let level: u32 = heading.value().name()[1..].parse().expect("a level");
        assert!(level <= last + 1, "no level is left out before {:?}", heading.text().collect::<String>());
        last = level;
    }
    for header in select(&html, "th") {
        assert!(header.attr("scope").is_some(), "{}", header.html());
    }
    for control in select(&html, "select, input") {
        assert!(control.ancestors().any(|a| is(a, "label")), "{}", control.html());
    }
    for picture in select(&html, "svg") {
        let hidden = |e: ElementRef<'_>| e.attr("aria-hidden") == Some("true");
        assert!(
            picture.ancestors().filter_map(ElementRef::wrap).any(hidden) || hidden(picture),
            "a picture has its table"
        );
    }
    // A verdict is a word and a symbol, whatever its colour.
    for verdict in select(&html, ".v") {
        let text = flat(&verdict.text().collect::<String>());
        assert!(text.split(' ').count() >= 2, "{text:?}");
    }
}

#[test]
fn what_failed_is_there_without_script() {
    let html = page(&FAILS);
    let report = FAILS.report();
    for id in FAILS.ids("fail") {
        let requirement = FAILS.requirement(&id);
        let article = ids(&html)[&id[..]];
        // What stands between backticks is code here.
        let plain = |text: &str| flat(text).replace('`', "");
        let text = plain(&article.text().collect::<Vec<_>>().concat());
        let failure = &requirement["failures"][0];
        for part in [&requirement["text"], &failure["curl"][0], &failure["rerun"]] {
            let part = plain(part.as_str().expect("text"));
            assert!(text.contains(&part), "{id} has {part}:\n{text}");
        }
        let exchange = &failure["exchanges"].as_array().and_then(|e| e.last()).expect("an exchange");
        assert!(text.contains(&format!("Exchange {}", exchange["number"])), "{id}");
    }
    let marked: Vec<String> = select(&html, "[id='response/value-in-dollars'] mark")
        .iter()
        .map(|m| flat(&m.text().collect::<String>()))
        .collect();
    assert!(marked.iter().any(|line| line.starts_with("\"value\": ")), "the difference is marked: {marked:?}");
    assert!(report["summary"]["not_selected"].as_u64() > Some(0));
    let not_tested: String = select(&html, "[aria-labelledby=not-tested]")[0].text().collect();
    assert!(
        flat(&not_tested).contains(&format!(
            "{} requirements of the contract were not asked for",
            report["summary"]["not_selected"]
        ))
    );
}

#[test]
fn coverage_says_which_side_was_tried() {
    let cells = |id: &str| {
        let html = page(&FAILS);
        let link = format!(".coverage a[href='#{id}']");
        let row = select(&html, &link)[0].ancestors().filter_map(ElementRef::wrap).find(|e| e.value().name() == "tr");
        flat(&row.expect("a row").text().collect::<Vec<_>>().join(" "))
    };
    let maximum = cells("schema/probability-maximum");
    assert!(maximum.contains("maximum: 100") && maximum.contains(" 0 of ") && maximum.contains("✗ fail"), "{maximum}");
    let coverage = &FAILS.requirement("schema/value-type")["coverage"];
    let sides = format!("{0} of {0} {1} of {1}", coverage["accepted"]["sent"], coverage["rejected"]["sent"]);
    assert!(cells("schema/value-type").contains(&sides), "{sides}");
}

#[test]
fn markup_of_a_server_is_text() {
    let ran = hostile();
    let html = page(&ran);
    // What the page itself has, and not one more.
    for (selector, count) in [
        ("script", 3),
        ("style", 1),
        ("img", 0),
        ("noscript p", select(&html, "noscript p").len()),
        ("[onload], [onerror]", 0),
    ] {
        assert_eq!(select(&html, selector).len(), count, "{selector}");
    }
    let text: String = select(&html, "main")[0].text().collect();
    assert!(text.contains("<img src=x onerror="), "it is shown");
    for invisible in HOSTILE.chars().filter(|c| !c.is_ascii()) {
        assert!(!ran.read("reports/report.html").contains(invisible), "{invisible:?} is spelt out");
        assert!(text.contains(&invisible.escape_unicode().to_string()), "{invisible:?} is shown");
    }
    let policy = select(&html, "meta[http-equiv='Content-Security-Policy']")[0].attr("content").expect("a policy");
    assert!(policy.starts_with("default-src 'none'; ") && !policy.contains("unsafe"), "{policy}");
}
