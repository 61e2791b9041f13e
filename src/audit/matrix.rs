//! Runs added up: which faults each requirement finds, and a score.

use serde::Serialize;

use super::expected::{Difference, Table};
use super::run::{Run, Subject};
use crate::contract::Contract;
use crate::contract::requirement::Level;

/// The version of the shape of `audit.json`.
pub const VERSION: u32 = 1;

/// What an audit tries.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Servers with one fault: each must be caught.
    Faults,
    /// Servers with one variation: none may fail a must.
    Variations,
    /// Servers with two variations: none may fail a must.
    Pairs,
}

/// What an audit showed, in the shape of `audit.json`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Audit {
    /// The version of this shape: [`VERSION`].
    pub version: u32,
    /// The version of this program.
    pub tool: String,
    /// What was tried.
    pub kind: Kind,
    /// Whether nothing was left out: every subject of the kind, every requirement.
    pub whole: bool,
    /// The contract's name.
    pub contract: String,
    /// SHA-256 of the contract's document and cases.
    pub contract_hash: String,
    /// The seed of each run.
    pub seed: u64,
    /// The table that says what must come of each.
    pub table: &'static str,
    /// All numbers in one place.
    pub score: Score,
    /// Each server, in the order of the table.
    pub rows: Vec<Row>,
    /// Each requirement that was tried, by id, with the faults that it finds. Empty for other kinds.
    pub requirements: Vec<Killed>,
}

/// One server, and what the check said of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Row {
    /// The name of its fault or variations.
    pub name: String,
    /// The part of the contract that it touches; null for pairs.
    pub area: Option<&'static str>,
    /// What it does, in a sentence; null for pairs.
    pub text: Option<&'static str>,
    /// The musts that it failed.
    pub musts: Vec<String>,
    /// The shoulds and mays that it failed.
    pub shoulds: Vec<String>,
    /// The requirements of which nothing came to be known.
    pub unknown: Vec<String>,
    /// Requirements that should have failed, and did not.
    pub missing: Vec<String>,
    /// Requirements that failed, and should not have.
    pub extra: Vec<String>,
    /// Requirements that should have been judged and were not, or the other way round.
    pub misjudged: Vec<String>,
    /// Whether all that was planned was done.
    pub complete: bool,
    /// Whether this is what must come of it.
    pub expected: bool,
    /// How many requests were sent until one showed a requirement broken, that one included.
    pub until_broken: Option<u64>,
    /// How many requests were sent.
    pub requests: u64,
    /// How long it took, in milliseconds, beside others.
    pub elapsed_ms: u64,
    /// The command that checks it alone.
    pub command: String,
}

/// A requirement, and the faults that it finds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Killed {
    /// Its id.
    pub id: String,
    /// Its level.
    pub level: Level,
    /// The names of the faults that failed it.
    pub by: Vec<String>,
}

/// An audit in numbers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Score {
    /// Servers.
    pub subjects: usize,
    /// Those that failed a must.
    pub by_must: usize,
    /// Those that failed a should, and no must.
    pub by_should: usize,
    /// Those that failed nothing.
    pub not_caught: usize,
    /// Those of which came what must come of them.
    pub expected: usize,
    /// Musts that were tried.
    pub musts: usize,
    /// Those of them that at least one server failed.
    pub musts_killed: usize,
    /// Shoulds and mays that were tried.
    pub shoulds: usize,
    /// Those of them that at least one server failed.
    pub shoulds_killed: usize,
    /// The median of the requests until a server was caught.
    pub median_until_broken: Option<u64>,
}

impl Audit {
    /// Adds up the runs of some subjects, which are in the same order.
    pub fn new(
        contract: &Contract,
        kind: Kind,
        seed: u64,
        whole: bool,
        subjects: &[Subject],
        runs: &[Run],
        table: &Table,
    ) -> Self {
        let rows: Vec<Row> =
            subjects.iter().zip(runs).map(|(subject, run)| row(contract, kind, seed, subject, run, table)).collect();
        let requirements = match kind {
            Kind::Faults => requirements(contract, runs),
            _ => Vec::new(),
        };
        Self {
            version: VERSION,
            tool: env!("CARGO_PKG_VERSION").to_owned(),
            kind,
            whole,
            contract: contract.name.clone(),
            contract_hash: contract.hash.clone(),
            seed,
            table: table.path,
            score: score(&rows, &requirements),
            rows,
            requirements,
        }
    }

    /// Whether everything is as it must be: each server was judged as expected, and if nothing was
    /// left out, each must found a fault.
    pub fn is_good(&self) -> bool {
        let all_killed = self.kind != Kind::Faults || !self.whole || self.score.musts_killed == self.score.musts;
        !self.rows.is_empty() && self.rows.iter().all(|r| r.expected) && all_killed
    }

    /// The musts that no fault failed.
    pub fn survivors(&self) -> impl Iterator<Item = &Killed> {
        self.requirements.iter().filter(|r| r.level == Level::Must && r.by.is_empty())
    }
}

fn row(contract: &Contract, kind: Kind, seed: u64, subject: &Subject, run: &Run, table: &Table) -> Row {
    let is_must = |id: &String| contract.requirement(id).is_some_and(|r| r.level == Some(Level::Must));
    let (musts, shoulds): (Vec<String>, Vec<String>) = run.fails.iter().cloned().partition(is_must);
    let difference = match kind {
        Kind::Faults => table.of_fault(run),
        Kind::Variations => table.of_variation(run),
        // What two variations do to a should is not written down.
        Kind::Pairs => Difference { extra: musts.clone(), ..Difference::default() },
    };
    let judged = match kind {
        Kind::Faults => true,
        Kind::Variations | Kind::Pairs => musts.is_empty() && run.complete,
    };
    let (area, text) = match (subject.faults.as_slice(), subject.variations.as_slice()) {
        ([fault], []) => (Some(fault.area()), Some(fault.text())),
        ([], [variation]) => (Some(variation.area()), Some(variation.text())),
        _ => (None, None),
    };
    Row {
        name: run.name.clone(),
        area,
        text,
        musts,
        shoulds,
        unknown: run.unknown.clone(),
        expected: judged && difference.is_empty(),
        missing: difference.missing,
        extra: difference.extra,
        misjudged: [difference.unknown, difference.known].concat(),
        complete: run.complete,
        until_broken: run.until_broken,
        requests: run.requests,
        elapsed_ms: run.elapsed_ms,
        command: subject.command(seed),
    }
}

fn requirements(contract: &Contract, runs: &[Run]) -> Vec<Killed> {
    let tried = |id: &String| runs.iter().any(|run| run.tried.contains(id));
    let all = contract.requirements.iter().filter(|r| tried(&r.id));
    all.filter_map(|r| {
        let by = runs.iter().filter(|run| run.fails.contains(&r.id)).map(|run| run.name.clone()).collect();
        r.level.map(|level| Killed { id: r.id.clone(), level, by })
    })
    .collect()
}

fn score(rows: &[Row], requirements: &[Killed]) -> Score {
    let count = |wanted: &dyn Fn(&Row) -> bool| rows.iter().filter(|r| wanted(r)).count();
    let (musts, shoulds): (Vec<&Killed>, Vec<&Killed>) = requirements.iter().partition(|r| r.level == Level::Must);
    let killed = |some: &[&Killed]| some.iter().filter(|r| !r.by.is_empty()).count();
    let mut until: Vec<u64> = rows.iter().filter_map(|r| r.until_broken).collect();
    until.sort_unstable();
    Score {
        subjects: rows.len(),
        by_must: count(&|r| !r.musts.is_empty()),
        by_should: count(&|r| r.musts.is_empty() && !r.shoulds.is_empty()),
        not_caught: count(&|r| r.musts.is_empty() && r.shoulds.is_empty()),
        expected: count(&|r| r.expected),
        musts: musts.len(),
        musts_killed: killed(&musts),
        shoulds: shoulds.len(),
        shoulds_killed: killed(&shoulds),
        median_until_broken: until.get(until.len() / 2).copied(),
    }
}
