//! What makes a run red: levels, areas and ids, waivers, a baseline; and that every report agrees.

use serde_json::{Value, json};

use crate::support::{Ran, probity};

/// One must that fails, one that holds.
const CENTS: &str = "check --seed 1 --only response/value-in-dollars --only close-date/leap-day --fault value-in-cents";
/// The same on a server that is right.
const MENDED: &str = "check --seed 1 --only response/value-in-dollars --only close-date/leap-day";
const WAIVER: &str = "[[waiver]]\nid = \"response/value-in-dollars\"\nreason = \"mended in the next release\"\n\
                      issue = \"https://example.com/1\"\n";

fn ruling(ran: &Ran) -> Value {
    ran.report()["ruling"].clone()
}

/// How many failures and errors the JUnit file has, and how many cases are skipped.
fn junit(ran: &Ran) -> (usize, usize) {
    let junit = quick_junit::Report::deserialize_from_str(&ran.read("reports/junit.xml")).expect("JUnit");
    let suites = || junit.test_suites.iter();
    (suites().map(|s| s.failures + s.errors).sum(), suites().map(|s| s.skipped).sum())
}

#[test]
fn levels_areas_and_ids_are_denied_and_allowed() {
    for (words, code) in [
        ("", 1),
        ("--allow response", 0),
        ("--allow 'response/*'", 0),
        ("--allow response/value-in-dollars", 0),
        ("--allow response --deny response/value-in-dollars", 1),
        ("--allow must", 0),
        ("--allow must --deny response", 1),
    ] {
        let ran = probity(&format!("{CENTS} {words} --report shields")).exits(code);
        ran.verdict("response/value-in-dollars", "fail");
        assert_eq!(ruling(&ran)["exit"], code, "{words}");
        assert_eq!(junit(&ran), (code as usize, 1 - code as usize), "{words}");
    }
    let ran = probity(&format!("{CENTS} --allow response")).exits(0);
    ran.says("1 must failed, which does not count");
    probity(&format!("{CENTS} --allow respons")).exits(2).complains("did you mean `response`?");
    let ran = probity(&format!("{CENTS} --deny 'x/*'")).exits(2);
    ran.complains("no requirement has the area or id `x/*`").holds(ran.files().is_empty(), "nothing was run");
}

#[test]
fn the_settings_say_it_too() {
    let server = probity::reference::start(probity::reference::Options {
        faults: [probity::reference::Fault::named("value-in-cents").expect("a fault")].into_iter().collect(),
        ..Default::default()
    })
    .expect("a server");
    let words = "check --seed 1 --only response/value-in-dollars --only close-date/leap-day";
    let settings = |gate: &str| {
        let text = format!("{}\n[gate]\n{gate}", probity::reference::settings_toml(&server.url));
        probity(words).tokens().file("probity.toml", text)
    };
    settings("").exits(1);
    settings("allow = ['response']").exits(0);
    settings("waivers = 'known.toml'").file("known.toml", WAIVER).exits(0);
    let wrong = settings("allow = ['respons']").exits(2);
    wrong.complains("did you mean `response`?").complains("probity.toml:").complains("allow = ['respons']");
    settings("denny = ['response']").exits(2).complains("unknown field `denny`");
    settings("waivers = 'gone.toml'").exits(2).complains("cannot read gone.toml");
}

#[test]
fn what_is_waived_is_shown_as_such_everywhere() {
    let ran = probity(&format!("{CENTS} --waivers known.toml --report markdown,sarif,ctrf,shields"))
        .file("known.toml", WAIVER)
        .exits(0);
    ran.verdict("response/value-in-dollars", "fail");
    let excuse = "waived: mended in the next release (https://example.com/1)";
    ran.says("Conformant but for waivers: 1 of 2 musts hold; 1 is waived.").says(excuse);
    assert_eq!(
        ruling(&ran)["weights"]["response/value-in-dollars"],
        json!({"weight": "waived", "reason": "mended in the next release", "issue": "https://example.com/1"})
    );
    assert_eq!(junit(&ran), (0, 1));
    ran.holds(ran.read("reports/junit.xml").contains(excuse), "junit.xml says why");
    ran.holds(ran.read("reports/report.md").contains("waived: mended in the next release"), "report.md says why");
    let page = ran.read("reports/report.html");
    let failed = page.split_once("<h2 id=\"failed\">").and_then(|(_, after)| after.split_once("</section>"));
    ran.holds(
        failed.is_some_and(|(failed, _)| failed.contains(excuse)),
        "report.html says why where it tells what failed",
    );
    let read = |file: &str| -> Value { serde_json::from_str(&ran.read(file)).expect("JSON") };
    let sarif = read("reports/report.sarif");
    assert_eq!(sarif["runs"][0]["results"][0]["suppressions"][0]["justification"], excuse);
    let ctrf = read("reports/ctrf-report.json");
    assert_eq!(ctrf["results"]["summary"]["failed"], 0);
    assert_eq!(read("reports/badge.json")["message"], "1 hold, 1 put up with");
    let again = probity("report").arg(ran.folder().join("reports")).exits(0);
    again.says(excuse);
}

#[test]
fn waivers_that_are_out_of_date_name_the_lines_to_delete() {
    let mended = probity(&format!("{MENDED} --waivers known.toml")).file("known.toml", WAIVER).exits(1);
    let line = "known.toml:2: the waiver of response/value-in-dollars is out of date, its failure no longer happens: \
                delete lines 1 to 4";
    mended.says("Conformant: 2 of 2 musts hold. And 1 waiver is out of date.").says(line);
    assert_eq!(ruling(&mended)["stale"], json!([line]));
    mended.holds(mended.read("reports/report.html").contains(line), "report.html says it");
    assert_eq!(junit(&mended).0, 1, "the tools that show test results are red too");
    probity(&format!("{MENDED} -q --waivers known.toml")).file("known.toml", WAIVER).exits(1).says(line);

    let expired = format!("{WAIVER}expires = 2020-01-01\n");
    let ran = probity(&format!("{CENTS} --waivers known.toml")).file("known.toml", expired).exits(1);
    ran.says("it expired after 2020-01-01").says("Not conformant: 1 of 2 musts failed.");

    let renamed = WAIVER.replace("value-in-dollars", "value-in-dolars");
    let ran = probity(&format!("{CENTS} --waivers known.toml")).file("known.toml", renamed).exits(1);
    ran.says("no requirement has this id (did you mean `response/value-in-dollars`?)");

    let other = format!("{WAIVER}contains = \"euros\"\n");
    let ran = probity(&format!("{CENTS} --waivers known.toml")).file("known.toml", other).exits(1);
    ran.says("what fails now says nothing of `euros`");

    // Nothing is known of what was not tried.
    let narrow = "check --seed 1 --only close-date/leap-day --waivers known.toml";
    probity(narrow).file("known.toml", WAIVER).exits(0);
}

#[test]
fn waivers_are_read_before_anything_is_sent() {
    let ran = probity(&format!("{CENTS} --waivers known.toml")).file("known.toml", "[[waiver]]\nid = 'x'\n").exits(2);
    ran.complains("known.toml:1").complains("missing field `reason`");
    assert_eq!(ran.files().len(), 1);
    probity(&format!("{CENTS} --waivers known.toml")).exits(2).complains("cannot read known.toml");
}

#[test]
fn the_first_file_of_waivers_is_printed() {
    let ran = probity(&format!("{CENTS} --write-waivers")).exits(1);
    ran.complains("Not conformant")
        .holds(ran.stdout.contains("[[waiver]]\nid = \"response/value-in-dollars\"\n"), "a waiver");
    let next = probity(&format!("{CENTS} --waivers known.toml")).file("known.toml", &ran.stdout).exits(0);
    next.says("1 is waived");
    let later = probity("report --write-waivers").arg(ran.folder().join("reports")).exits(0);
    assert_eq!(later.stdout, ran.stdout);
}

#[test]
fn a_baseline_leaves_what_is_worse() {
    let before = probity(CENTS).exits(1).read("reports/report.json");
    let same = probity(&format!("{CENTS} --baseline old.json")).file("old.json", &before).exits(0);
    same.says("No worse than the baseline: 1 of 2 musts hold; 1 is no worse than in the baseline.");
    assert_eq!(junit(&same), (0, 1));
    assert_eq!(ruling(&same)["weights"]["response/value-in-dollars"]["weight"], "known");

    let better = probity(&format!("{MENDED} --baseline old.json")).file("old.json", &before).exits(0);
    better.says("better than in the baseline response/value-in-dollars: fail before, now pass");

    let good = probity(MENDED).exits(0).read("reports/report.json");
    let worse = probity(&format!("{CENTS} --baseline old.json")).file("old.json", good).exits(1);
    let line = "response/value-in-dollars: pass before, now fail";
    worse.says(&format!("worse than in the baseline {line}")).says("Against the baseline: 1 worse.");
    worse.holds(worse.read("reports/report.html").contains(line), "report.html says it");

    probity(&format!("{MENDED} --baseline old.json")).exits(2).complains("cannot read old.json");
    // From the place where it is about to be replaced.
    probity(&format!("{CENTS} --baseline reports/report.json")).file("reports/report.json", &before).exits(0);
}
