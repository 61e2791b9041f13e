//! The kill matrix: each fault of the reference server is caught by the requirements of its entry in
//! `matrix/faults.toml`, no more and no fewer, and no variation fails more than its entry in
//! `matrix/variations.toml` allows, which is never a must.
//!
//! A fault costs some seconds of waiting and, without optimisation, half a second of computing.
//! So a debug build tries a sixth of them, an optimised one all:
//!
//! - `PROBITY_MATRIX`: `full` or `sample`
//! - `PROBITY_SEED`: the seed of the checks, and which sixth is tried; 1 where it is missing
//! - `PROBITY_SEEDS`: further seeds, as `2 3 99`; each tries a few faults, or its share of all
//!
//! `cargo test --release --test it matrix::` takes five minutes, `cargo test --test it matrix::` one and a half.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use probity::audit::expected::{Difference, FAULTS, LATER, VARIATIONS};
use probity::audit::{self, Options, Run, Subject, Table};
use probity::contract::requirement::{Form, Level};
use probity::contract::{Contract, Location};
use probity::reference::{Fault, Variation};

/// How many checks run beside each other: they mostly wait.
const JOBS: usize = 40;
/// Of how many faults a debug build tries one.
const PART: usize = 6;
/// How many faults each further seed tries, how many pairs of variations are tried.
const FURTHER: usize = 8;
const PAIRS: usize = 40;
/// Faults whose requirements depend on chance, on the day or on the machine, though they themselves do not.
const LUCKY: [&str; 4] =
    ["close-date-leap-day-refused", "key-forgotten-after-two-seconds", "namesakes-merged", "refusal-answers-200"];

fn contract() -> Arc<Contract> {
    Arc::new(Contract::load(&Location::Embedded).expect("the embedded contract loads"))
}

/// The contract that reads and updates, too.
fn opportunities() -> Arc<Contract> {
    let name = Location::Named("opportunities".to_owned());
    Arc::new(Contract::load(&name).expect("the embedded contract loads"))
}

/// Each contract that the faults are tried on, with what must come of its faults, and where that is written.
fn tables() -> [(Arc<Contract>, Table, &'static str); 2] {
    let of = |contract: Arc<Contract>, path| {
        let table = Table::faults(&contract).expect("the table is read");
        (contract, table, path)
    };
    [of(contract(), FAULTS), of(opportunities(), LATER)]
}

fn seed() -> u64 {
    std::env::var("PROBITY_SEED").ok().map_or(1, |text| text.parse().expect("PROBITY_SEED is a number"))
}

fn further_seeds() -> Vec<u64> {
    let text = std::env::var("PROBITY_SEEDS").unwrap_or_else(|_| "2 3 99".to_owned());
    text.split_whitespace().map(|word| word.parse().expect("PROBITY_SEEDS are numbers")).collect()
}

fn is_full() -> bool {
    match std::env::var("PROBITY_MATRIX").as_deref() {
        Ok("full") => true,
        Ok("sample") => false,
        Ok(other) => panic!("PROBITY_MATRIX is full or sample, not {other}"),
        Err(_) => !cfg!(debug_assertions),
    }
}

/// Every so many-th of them, beginning at some place.
fn part(subjects: Vec<Subject>, of: usize, place: u64) -> Vec<Subject> {
    let of = of.max(1);
    let first = usize::try_from(place % of as u64).unwrap_or_default();
    subjects.into_iter().skip(first).step_by(of).collect()
}

/// Checks the subjects, and tells how they differ from what `difference` says.
fn differences(
    contract: &Arc<Contract>,
    subjects: &[Subject],
    seed: u64,
    difference: impl Fn(&Run) -> Difference,
) -> String {
    // One after another: the tests of this file would otherwise crowd the machine.
    static TURN: Mutex<()> = Mutex::new(());
    let _turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
    assert!(!subjects.is_empty());
    let options = Options { seed, jobs: JOBS, timeout: Duration::from_secs(5), only: Vec::new(), quick: false };
    let runs = audit::run::run(contract, subjects, &options, &|_| {}).expect("the checks run");
    let mut text = String::new();
    for (subject, run) in subjects.iter().zip(&runs) {
        let found = difference(run);
        if found.is_empty() && run.complete {
            continue;
        }
        let _ = writeln!(text, "\n{} (seed {seed}):", subject.name);
        for (what, ids) in [
            ("should have failed, and did not", &found.missing),
            ("should not have failed, and did", &found.extra),
            ("should be known, and is not", &found.unknown),
            ("cannot be known, and is", &found.known),
        ] {
            if !ids.is_empty() {
                let _ = writeln!(text, "  {what}: {}", ids.join(" "));
            }
        }
        if !run.complete {
            let _ = writeln!(text, "  the run did not finish: {}", run.reason.as_deref().unwrap_or("no reason"));
        }
        let _ = writeln!(text, "  see it with: {}", subject.command(seed));
    }
    text
}

fn caught(contract: &Arc<Contract>, subjects: &[Subject], seed: u64) {
    let table = Table::faults(contract).expect("the table is read");
    let text = differences(contract, subjects, seed, |run| table.of_fault(run));
    assert!(text.is_empty(), "not as the table of the faults says:\n{text}");
}

#[test]
fn every_fault_is_caught_by_its_requirements() {
    let of = if is_full() { 1 } else { PART };
    caught(&contract(), &part(Subject::faults(&contract()), of, seed()), seed());
}

#[test]
fn every_fault_of_reading_and_updating_is_caught_by_its_requirements() {
    let of = if is_full() { 1 } else { PART };
    caught(&opportunities(), &part(Subject::faults(&opportunities()), of, seed()), seed());
}

#[test]
fn other_seeds_catch_the_same() {
    let seeds = further_seeds();
    for (place, seed) in (0..).zip(&seeds) {
        let all = Subject::faults(&contract());
        let subjects = match is_full() {
            true => part(all, seeds.len(), place),
            false => part(all.clone(), all.len().div_ceil(FURTHER), *seed),
        };
        caught(&contract(), &subjects, *seed);
    }
}

#[test]
fn no_variation_fails_more_than_its_entry() {
    let of = if is_full() { 1 } else { 2 };
    no_more_than_its_entry(&contract(), &part(Subject::variations(), of, seed()));
}

#[test]
fn no_variation_of_reading_and_updating_fails_more_than_its_entry() {
    let of = if is_full() { 1 } else { PART };
    no_more_than_its_entry(&opportunities(), &part(Subject::variations(), of, seed()));
}

fn no_more_than_its_entry(contract: &Arc<Contract>, variations: &[Subject]) {
    let table = Table::variations().expect("the table is read");
    let text = differences(contract, variations, seed(), |run| table.of_variation(run));
    assert!(text.is_empty(), "not as {VARIATIONS} says:\n{text}");
}

#[test]
fn no_pair_of_variations_fails_a_must() {
    let contract = contract();
    let is_must = |id: &&String| contract.requirement(id).is_some_and(|r| r.level == Some(Level::Must));
    let sample = if is_full() { PAIRS } else { PAIRS / 2 };
    let text = differences(&contract, &Subject::pairs(Some(sample), seed()), seed(), |run| Difference {
        extra: run.fails.iter().filter(is_must).cloned().collect(),
        ..Difference::default()
    });
    assert!(text.is_empty(), "servers that keep the contract failed:\n{text}");
}

#[test]
fn the_tables_name_every_fault_and_every_variation() {
    let names = |table: &Table| table.entries.keys().cloned().collect::<BTreeSet<_>>();
    for (contract, table, path) in tables() {
        let faults = audit::run::faults(&contract).map(|f| f.name().to_owned()).collect::<BTreeSet<_>>();
        assert_eq!(names(&table), faults, "{path}");
    }
    let variations = Variation::ALL.iter().map(|l| l.name().to_owned()).collect::<BTreeSet<_>>();
    assert_eq!(names(&Table::variations().unwrap()), variations, "{VARIATIONS}");
}

#[test]
fn the_tables_are_sorted() {
    for (path, text) in [
        (FAULTS, include_str!("../matrix/faults.toml")),
        (LATER, include_str!("../matrix/later.toml")),
        (VARIATIONS, include_str!("../matrix/variations.toml")),
    ] {
        let names: Vec<&str> = text.lines().filter_map(|l| l.strip_prefix('[')?.strip_suffix(']')).collect();
        assert!(names.is_sorted(), "{path}");
    }
    let faults = tables().into_iter().map(|(_, table, _)| table);
    for table in faults.chain([Table::variations().unwrap()]) {
        for (name, entry) in &table.entries {
            for ids in [&entry.fails, &entry.may, &entry.unknown] {
                assert!(ids.is_sorted_by(|a, b| a < b), "{name}: {ids:?}");
            }
        }
    }
}

#[test]
fn the_tables_name_requirements_that_exist() {
    let mut wrong = Vec::new();
    let all = tables().into_iter().map(|(contract, table, _)| (contract, table));
    for (contract, table) in all.chain([(opportunities(), Table::variations().unwrap())]) {
        for (name, entry) in &table.entries {
            let exact = entry.fails.iter().chain(&entry.unknown);
            wrong.extend(exact.filter(|id| contract.requirement(id).is_none()).map(|id| format!("{name}: {id}")));
            for pattern in &entry.may {
                let beginning = pattern.trim_end_matches('*');
                let fits = |id: &str| id == pattern || pattern.ends_with('*') && id.starts_with(beginning);
                if !contract.requirements.iter().any(|r| fits(&r.id)) {
                    wrong.push(format!("{name}: {pattern}"));
                }
                if entry.fails.contains(pattern) {
                    wrong.push(format!("{name}: {pattern} both fails and may"));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn every_fault_fails_something() {
    for (name, entry) in tables().iter().flat_map(|(_, table, _)| &table.entries) {
        assert!(!entry.fails.is_empty(), "{name}");
        assert!(entry.unknown.is_empty(), "{name}: `unknown` is for variations");
    }
}

#[test]
fn only_what_depends_on_chance_is_granted_chance() {
    for (name, entry) in tables().iter().flat_map(|(_, table, _)| &table.entries) {
        let fault = Fault::named(name).unwrap();
        assert!(entry.may.is_empty() || fault.intermittent() || LUCKY.contains(&name.as_str()), "{name}");
    }
    assert!(Table::variations().unwrap().entries.values().all(|entry| entry.may.is_empty()));
}

#[test]
fn no_variation_is_listed_with_a_must() {
    let contract = contract();
    for (name, entry) in &Table::variations().unwrap().entries {
        for id in &entry.fails {
            let level = contract.requirement(id).and_then(|r| r.level);
            assert_eq!(level, Some(Level::Should), "{name}: {id}");
        }
    }
}

#[test]
fn the_readme_counts_right() {
    let contract = contract();
    let table = Table::faults(&contract).unwrap();
    let is_must = |id: &String| contract.requirement(id).is_some_and(|r| r.level == Some(Level::Must));
    let by_must = table.entries.values().filter(|entry| entry.fails.iter().any(is_must)).count();
    let (faults, variations) = (audit::run::faults(&contract).count(), Variation::ALL.len());
    let of_level =
        |wanted: &dyn Fn(Level) -> bool| contract.requirements.iter().filter(|r| r.level.is_some_and(&wanted)).count();
    let musts = of_level(&|level| level == Level::Must);
    let shoulds = of_level(&|level| level != Level::Must);
    let readme = include_str!("../../README.md");
    for text in [
        format!("wrong in {faults} ways"),
        format!("differ in {variations} that"),
        format!("{faults} faults: {by_must} caught by a must, {} by a should only, 0 not caught.", faults - by_must),
        format!("{musts} of {musts} musts and {shoulds} of {shoulds} shoulds find at least one of them."),
        format!("none of these {by_must} faults"),
    ] {
        assert!(readme.contains(&text), "README.md does not say: {text}");
    }
}

#[test]
fn every_must_and_should_is_owed_by_some_fault() {
    let tables = tables();
    let killed: BTreeSet<&String> =
        tables.iter().flat_map(|(_, table, _)| table.entries.values()).flat_map(|e| &e.fails).collect();
    for (contract, _, _) in &tables {
        let requirements = contract.requirements.iter().filter(|r| r.level.is_some()).map(|r| &r.id);
        let survivors: Vec<&String> = requirements.filter(|id| !killed.contains(id)).collect();
        assert!(survivors.is_empty(), "no fault breaks these, so nothing shows that they are tried: {survivors:#?}");
    }
}

/// Some rules speak of some answers only: what brings such an answer is sent with them.
#[test]
fn a_rule_that_is_asked_for_alone_is_tried() {
    let contract = contract();
    let speaks_of_some = |form: &Form| matches!(form, Form::Rule(rule) if rule.when.is_some());
    let rules: Vec<_> = contract.requirements.iter().filter(|r| speaks_of_some(&r.form)).collect();
    assert!(!rules.is_empty());
    let good = Subject { name: "none".to_owned(), faults: Vec::new(), variations: Vec::new() };
    for rule in rules {
        let options = Options { seed: seed(), only: vec![rule.id.clone()], ..Options::default() };
        let runs = audit::run::run(&contract, std::slice::from_ref(&good), &options, &|_| {}).expect("the checks run");
        assert!(runs[0].unknown.is_empty() && runs[0].fails.is_empty(), "{}: {:?}", rule.id, runs[0]);
    }
}
