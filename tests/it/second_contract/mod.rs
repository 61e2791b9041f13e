//! A second, unrelated contract, checked with its own server: the engine knows no field names.

mod market;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::Value;

/// What the server does otherwise, and exactly the requirements that fail for it.
const DEVIATIONS: &[(&str, &[&str])] = &[
    ("lines of any kind", &["schema/lines-item-additional-properties"]),
    ("a hundred of each", &["schema/lines-item-quantity-maximum"]),
    ("prices of nothing", &["schema/lines-item-unit-price-exclusive-minimum"]),
    ("any number of lines", &["schema/lines-max-items"]),
    ("tags twice", &["schema/tags-unique-items"]),
    // What comes back holds what was taken: the response's shape breaks with it.
    ("any postcode to bill", &["operation/response-200-shape", "schema/billing-postcode-pattern"]),
    ("postcodes are searched", &["operation/response-200-shape", "schema/shipping-postcode-pattern"]),
    ("shipped to no country", &["operation/response-200-shape", "schema/shipping-country-required"]),
    ("packs of any size", &["schema/pack-size-multiple-of"]),
    ("long numbers", &["schema/customer-vat-id-max-length"]),
    ("serials as doubles", &["schema/serial-maximum", "schema/serial-minimum"]),
    ("all for nothing", &["schema/discount-exclusive-maximum"]),
    ("any day of a month", &["operation/response-200-shape", "schema/deliver-on-format"]),
    ("no null for a number", &["operation/valid-accepted", "schema/customer-vat-id-type"]),
    ("names counted in bytes", &["operation/valid-accepted"]),
    ("any channel", &["access/channel-required", "schema/header-x-channel-enum", "schema/header-x-channel-required"]),
    ("longer keys are taken", &["access/key-required"]),
    ("404 in plain text", &["operation/response-404-shape"]),
    ("refusals without their title", &["operation/response-404-shape", "operation/response-422-shape"]),
    ("replaced is created", &["order/made-or-replaced"]),
    ("no discount", &["order/total"]),
    ("express is not first", &["defaults/priority"]),
    ("invoices to the shop", &["defaults/invoice-email"]),
    ("ships within the country", &["defaults/shipping"]),
    ("one revision for all", &["order/revisions-differ", "order/written-again"]),
    ("the shop for the order", &["order/path-as-sent"]),
    ("lines in reverse", &["order/lines-as-sent"]),
    ("frozen goods by express", &["order/express-not-frozen"]),
    ("delivered yesterday", &["order/delivery-ahead"]),
];

const SETTINGS: &str = r#"
[identities]
caller = { token = { env = "CLERK_KEY" } }
deputy = { token = { env = "DEPUTY_KEY" } }

[fixtures]
foreign_shop = "east"
shops.north.orders = ["n1", "n2"]
shops.south.orders = ["s1"]
"#;

fn contract() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/contracts/replace-order")
}

fn probity(folder: &Path, url: &str, arguments: &[&str]) -> Output {
    let settings = folder.join("market.toml");
    std::fs::write(&settings, format!("[target]\nurl = \"{url}\"\n{SETTINGS}")).expect("settings");
    Command::new(env!("CARGO_BIN_EXE_probity"))
        .args(arguments)
        .arg("--contract")
        .arg(contract())
        .arg("--config")
        .arg(settings)
        .current_dir(folder)
        .env_clear()
        .env("CLERK_KEY", market::KEY)
        .env("DEPUTY_KEY", market::DEPUTY_KEY)
        .output()
        .expect("probity")
}

/// Checks a server; gives the exit code, the ids of the requirements that have a verdict other than
/// pass, and what was printed.
fn check(deviations: &[&'static str], seed: u64, only: &[&str]) -> (Option<i32>, BTreeSet<(String, String)>, String) {
    let folder = tempfile::tempdir().expect("a folder");
    let url = market::open(deviations);
    let seed = seed.to_string();
    let mut arguments = vec!["check", "--seed", &seed, "--out", "reports"];
    arguments.extend(only.iter().flat_map(|id| ["--only", id]));
    let output = probity(folder.path(), &url, &arguments);
    let printed = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    let report = std::fs::read(folder.path().join("reports/report.json")).unwrap_or_else(|e| panic!("{e}\n{printed}"));
    let report: Value = serde_json::from_slice(&report).expect("a report");
    let text = |v: &Value| v.as_str().unwrap_or_default().to_owned();
    let verdicts = report["requirements"].as_array().expect("requirements").iter().filter(|r| r["selected"] == true);
    let verdicts = verdicts.map(|r| (text(&r["verdict"]), text(&r["id"]))).filter(|(v, _)| v != "pass");
    (output.status.code(), verdicts.collect(), printed)
}

#[test]
fn a_server_that_keeps_the_contract_passes() {
    let (code, verdicts, printed) = check(&[], 7, &[]);
    assert_eq!(verdicts, BTreeSet::new(), "{printed}");
    assert_eq!(code, Some(0), "{printed}");
}

/// Deviations that do not stand in each other's way, four to a server.
#[test]
fn deviations_fail_exactly_what_they_break() {
    let groups: Vec<Vec<usize>> = (0..DEVIATIONS.len().div_ceil(4))
        .map(|g| (g..DEVIATIONS.len()).step_by(DEVIATIONS.len().div_ceil(4)).collect())
        .collect();
    deviate(&groups, false);
}

/// Every third by itself: none is found with the help of another. Only what it breaks is tried.
#[test]
fn a_deviation_by_itself_fails_what_it_breaks() {
    deviate(&(0..DEVIATIONS.len()).step_by(3).map(|i| vec![i]).collect::<Vec<_>>(), true);
}

fn deviate(groups: &[Vec<usize>], narrow: bool) {
    let next = AtomicUsize::new(0);
    let wrong = std::sync::Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..std::thread::available_parallelism().map_or(2, usize::from) {
            scope.spawn(|| {
                while let Some(group) = groups.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let names: Vec<&str> = group.iter().map(|i| DEVIATIONS[*i].0).collect();
                    let expected = group.iter().flat_map(|i| DEVIATIONS[*i].1);
                    let expected: BTreeSet<_> = expected.map(|id| ("fail".to_owned(), (*id).to_owned())).collect();
                    // With one that provokes the refusal whose shape some deviate in.
                    let broken = expected.iter().map(|(_, id)| id.as_str());
                    let only: Vec<&str> = broken.chain(["access/unknown-shop"]).filter(|_| narrow).collect();
                    let (code, verdicts, printed) = check(&names, 11, &only);
                    if verdicts != expected || code != Some(1) {
                        let more: Vec<_> = verdicts.difference(&expected).collect();
                        let less: Vec<_> = expected.difference(&verdicts).collect();
                        wrong.lock().expect("a lock").push(format!(
                            "{names:?}: exit {code:?}, not expected {more:?}, missing {less:?}\n{printed}"
                        ));
                    }
                }
            });
        }
    });
    let wrong = wrong.into_inner().expect("a lock");
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

#[test]
fn other_commands_know_it_too() {
    let folder = tempfile::tempdir().expect("a folder");
    let run = |arguments: &[&str]| {
        let output = probity(folder.path(), "http://127.0.0.1:1", arguments);
        assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8_lossy(&output.stdout).into_owned()
    };
    assert!(run(&["lint"]).contains("no defect found"));
    let plan: Value = serde_json::from_str(&run(&["plan", "--json", "--seed", "3"])).expect("JSON");
    assert!(plan["requests"].as_u64().is_some_and(|n| n < 600), "{}", plan["requests"]);
}
