//! One seed, one plan; and no case's requests depend on another case.

use std::collections::BTreeMap;
use std::path::Path;

use probity::plan::Plan;
use proptest::prelude::*;

use super::bench::{Bench, OPPORTUNITIES, ORDERS, cases, folder, orders, some_day};

/// Every request of a plan by its name, and every trial with what it is made from.
fn requests(bench: &Bench, plan: &Plan) -> BTreeMap<String, String> {
    let mut all: BTreeMap<String, String> = BTreeMap::new();
    let id = |about: Option<usize>| about.map(|a| bench.contract.requirements[a].id.as_str());
    for entry in &plan.entries {
        let control = entry.control.map(|c| &plan.entries[c].name);
        let text = format!("{:?} about {:?} beside {control:?}", entry.draft, id(entry.about));
        assert!(all.insert(entry.name.clone(), text).is_none(), "{} stands twice", entry.name);
    }
    for trial in &plan.trials {
        let base = trial.base.map(|b| &plan.entries[b].name);
        let row = trial.row.as_ref().map(|r| &r.label);
        all.insert(trial.name.clone(), format!("{base:?} {row:?} {}", trial.cost));
    }
    for n in 0..plan.pairs.min(4) {
        let (valid, fault) = plan.pair(bench.judge(), n);
        for entry in [valid, fault].into_iter().flatten() {
            all.insert(entry.name.clone(), format!("{:?}", entry.draft));
        }
    }
    all
}

proptest! {
    #![proptest_config(cases(2))]

    #[test]
    fn one_seed_gives_one_plan(seed in any::<u64>()) {
        for bench in [&*OPPORTUNITIES, &*ORDERS] {
            let plan = bench.plan(seed, some_day());
            let again = bench.plan(seed, some_day());
            prop_assert_eq!(plan.requests(), again.requests());
            prop_assert_eq!(requests(bench, &plan), requests(bench, &again));
        }
    }
}

/// A seed with which faults in one place had two controls, of one name.
#[test]
fn two_controls_for_one_place_have_two_names() {
    let bench = &*ORDERS;
    let all = requests(bench, &bench.plan(13_887_412_639_036_087_499, some_day()));
    assert!(all.contains_key("pool/control/tags/0") && all.contains_key("pool/control/tags/0-2"));
}

#[test]
fn another_seed_gives_other_requests() {
    let bench = &*ORDERS;
    let (a, b) = (bench.plan(1, some_day()), bench.plan(2, some_day()));
    assert_ne!(requests(bench, &a)["pool/full"], requests(bench, &b)["pool/full"]);
}

const ADDED: &str = r#"
- id: new-rule
  level: must
  text: Something new.
  source: nowhere
  where: request.body.lines.size() == 2 && has(request.body.serial)
  expect: response.body.total >= 0.0
- id: new-scenario
  level: should
  text: Something else.
  source: nowhere
  steps:
    - sent: { from: valid }
  expect: sent.answered
- id: new-probe
  text: Something odd.
  observe: response.status
- id: aaa-first
  level: must
  text: Nothing is called nobody.
  source: nowhere
  valid: request.body.customer.full_name != 'nobody'
"#;

/// Copies the contract, and changes a file of the copy.
fn changed(to: &Path, file: &str, change: impl Fn(String) -> String) -> Bench {
    for entry in std::fs::read_dir(folder()).expect("a folder") {
        let path = entry.expect("an entry").path();
        std::fs::copy(&path, to.join(path.file_name().expect("a name"))).expect("a copy");
    }
    let path = to.join(file);
    let text = std::fs::read_to_string(&path).unwrap_or_default();
    std::fs::write(path, change(text)).expect("a file");
    orders(to)
}

#[test]
fn an_unrelated_case_changes_no_other_request() {
    let before = requests(&ORDERS, &ORDERS.plan(3, some_day()));
    let folder = tempfile::tempdir().expect("a folder");
    for (file, text) in [("aardvark.yaml", ADDED), ("zebra.yaml", ADDED)] {
        let more = changed(folder.path(), file, |_| text.to_owned());
        let with = requests(&more, &more.plan(3, some_day()));
        assert!(with.len() > before.len());
        for (name, text) in &before {
            assert_eq!(with.get(name), Some(text), "{name}");
        }
        std::fs::remove_file(folder.path().join(file)).expect("a file");
    }
}

#[test]
fn a_case_less_changes_no_other_request() {
    let before = requests(&ORDERS, &ORDERS.plan(3, some_day()));
    let folder = tempfile::tempdir().expect("a folder");
    // Without any case about credentials, requirements of the document's security would come in its place.
    let less = changed(folder.path(), "access.yaml", |text| {
        let end = text.find("- id: foreign-shop").expect("a second case");
        text[..end].to_owned()
    });
    let with = requests(&less, &less.plan(3, some_day()));
    assert!(with.len() < before.len());
    for (name, text) in &with {
        assert_eq!(before.get(name), Some(text), "{name}");
    }
}
