//! What will be sent: the shared pool of requests, and the trials of scenarios, in order.
//!
//! Nothing here sends anything. The same contract, settings and seed give the same plan, and a
//! requirement's trials do not depend on what other requirements there are.

mod contexts;
mod fit;
mod pool;
mod quick;
mod select;
mod share;
mod trials;

use chrono::{DateTime, Utc};

use crate::contract::Contract;
use crate::contract::requirement::Form;
use crate::generate::draft::{Choice, Draft, Fixtures};
use crate::generate::seed::Seed;
use crate::judge::Judge;
use crate::source::Result;

pub use fit::{Allowance, LeftOut, Limit};
pub use pool::Recipe;
pub use quick::QUICK;
pub use select::{Selection, Shard, ShardError};
pub use trials::{Trial, TrialRow};

/// How many random requests there are by default: half of them valid, half with one fault.
pub const EXAMPLES: usize = 6;

/// What a plan is made for.
#[derive(Clone, Debug)]
pub struct Options {
    /// The run's seed.
    pub seed: Seed,
    /// How many random requests the pool has, valid ones and those with a fault together.
    pub examples: usize,
    /// Which requirements.
    pub selection: Selection,
}

/// Requirements that cannot be tried, by their place in the contract, and why.
pub type Obstacles = Vec<(usize, String)>;

/// What will be sent.
#[derive(Debug)]
pub struct Plan {
    /// Which requirements are tried, by their place in the contract.
    pub selected: Vec<bool>,
    /// The pool's fixed part: the smallest request, a full one, then the rest.
    pub entries: Vec<Entry>,
    /// The smallest request of each operation that steps call besides the contract's own, or why there is none; those that
    /// no step calls have none either.
    pub called: Vec<std::result::Result<Draft, String>>,
    /// How many pairs of random requests follow.
    pub pairs: usize,
    /// Trials of scenarios and probes.
    pub trials: Vec<Trial>,
    /// Requirements that cannot be tried on this target, and why.
    pub obstacles: Obstacles,
    /// What a budget leaves out.
    pub left_out: LeftOut,
    /// How many of the parts that may be left out are tried together: three, or two where there are many.
    pub together: usize,
    /// Whether only the smallest valid request is sent, since it uses up what it speaks of.
    pub once: bool,
    random: pool::Random,
}

/// A request of the shared pool.
#[derive(Clone, Debug)]
pub struct Entry {
    /// What it is called in reports.
    pub name: String,
    /// The request.
    pub draft: Draft,
    /// What it tries, in a few words.
    pub label: String,
    /// The entry that is the same without the fault; None for valid requests.
    pub control: Option<usize>,
    /// The requirement that it tries a part of, by its place in the contract.
    pub about: Option<usize>,
    /// How it was drawn, so that it can be shrunk; None for those that are small already.
    pub recipe: Option<Recipe>,
    /// The same in the plainest context, where it was put into another.
    pub plain: Option<Draft>,
    /// Whether this run sends it.
    pub wanted: bool,
}

impl Entry {
    /// The same in the plainest context: by the caller, without a key, in the smallest request.
    pub fn in_plainest(&self) -> Option<Self> {
        let draft = self.plain.clone()?;
        let recipe = self.recipe.as_ref().and_then(Recipe::plainer);
        Some(Self { draft, recipe, plain: None, control: self.control.map(|_| MINIMAL), ..self.clone() })
    }
}

/// The place of the smallest valid request in the pool.
pub const MINIMAL: usize = 0;
/// The place of a full valid request in the pool.
pub const FULL: usize = 1;

impl Plan {
    /// Plans a run.
    ///
    /// # Errors
    /// Nothing to try: no requirement has a name that was asked for; a contract from which no valid
    /// request can be made.
    pub fn new(contract: &Contract, fixtures: &Fixtures, options: &Options, now: DateTime<Utc>) -> Result<Self> {
        Self::within(contract, fixtures, options, now, usize::MAX)
    }

    /// Plans a run with at most so many edges, and so many faults, for each requirement.
    fn within(
        contract: &Contract,
        fixtures: &Fixtures,
        options: &Options,
        now: DateTime<Utc>,
        most: usize,
    ) -> Result<Self> {
        let selected = options.selection.apply(contract)?;
        if let Some(obstacle) = contract.operation.obstacle() {
            return Err(Box::new(obstacle.message.clone()));
        }
        let judge = Judge { contract, fixtures };
        let planner = pool::Planner { most, ..pool::Planner::new(judge, options.seed, now, &selected) };
        let (mut entries, missing) = planner.entries()?;
        let wanted = with_callers(contract, &selected);
        let (mut trials, mut obstacles) = trials::trials(judge, options.seed, &wanted, &entries);
        let called = called(contract, fixtures, options.seed, now);
        for (i, requirement) in contract.requirements.iter().enumerate().filter(|(i, _)| wanted[*i]) {
            let calls = requirement.form.steps().iter().flat_map(|step| &step.sends).filter_map(|send| send.call);
            let uncallable = calls.filter_map(|place| Some((place, called[place].as_ref().err()?))).next();
            if let Some((place, why)) = uncallable {
                trials.retain(|trial| trial.requirement != i);
                obstacles.push((i, format!("`{}` cannot be called: {why}", contract.called[place].operation.id)));
            }
        }
        obstacles.extend(missing);
        let pool_wanted = planner.wants_pool() && options.selection.sends_pool();
        for (i, entry) in entries.iter_mut().enumerate() {
            entry.wanted = i <= FULL || entry.about.is_some() || pool_wanted;
        }
        for base in trials.iter().filter_map(|t| t.base) {
            entries[base].wanted = true;
        }
        for control in entries.iter().filter(|e| e.wanted).filter_map(|e| e.control).collect::<Vec<_>>() {
            entries[control].wanted = true;
        }
        let (random, together) = (planner.random(), planner.together());
        Ok(Self {
            pairs: if pool_wanted { options.examples.div_ceil(2) } else { 0 },
            selected,
            entries,
            called,
            trials,
            obstacles,
            left_out: LeftOut::default(),
            together,
            once: false,
            random,
        })
    }

    /// The same with nothing but the smallest valid request. What needs others is an obstacle.
    #[must_use]
    pub fn once(mut self, contract: &Contract) -> Self {
        self.once = true;
        self.entries.iter_mut().skip(MINIMAL + 1).for_each(|entry| entry.wanted = false);
        self.trials.clear();
        self.pairs = 0;
        let why = "it is sent once, since it uses up what it speaks of";
        let others = contract.requirements.iter().enumerate().filter(|(_, r)| !matches!(r.form, Form::Always(_)));
        self.obstacles = others.map(|(i, _)| (i, why.to_owned())).collect();
        self
    }

    /// How many requests the plan costs on a server that passes.
    pub fn requests(&self) -> usize {
        if self.once {
            return 1;
        }
        // One more at the end, which tells whether the server still stands.
        self.entries.iter().filter(|e| e.wanted).count()
            + 2 * self.pairs
            + self.trials.iter().map(|t| t.cost).sum::<usize>()
            + 1
    }

    /// The smallest valid request of the operation that steps call, by its place among those; of the contract's own without
    /// one.
    pub fn smallest(&self, call: Option<usize>) -> Option<&Draft> {
        match call {
            None => self.entries.get(MINIMAL).map(|entry| &entry.draft),
            Some(place) => self.called.get(place)?.as_ref().ok(),
        }
    }

    /// The random pair of this number: a valid request and the same with one fault.
    pub fn pair(&self, judge: Judge<'_>, number: usize) -> (Option<Entry>, Option<Entry>) {
        self.random.pair(judge, &self.selected, number)
    }
}

/// What is selected, and for each operation of which something is judged that only scenarios send, one that calls it.
fn with_callers(contract: &Contract, selected: &[bool]) -> Vec<bool> {
    let mut wanted = selected.to_vec();
    let all = || contract.requirements.iter().enumerate();
    for (_, requirement) in all().filter(|(i, _)| selected[*i]) {
        let Form::Called(place, _) = requirement.form else { continue };
        if !all().any(|(i, r)| wanted[i] && r.form.calls(place))
            && let Some((caller, _)) = all().find(|(_, r)| r.form.calls(place))
        {
            wanted[caller] = true;
        }
    }
    wanted
}

/// The smallest requests of the operations that steps call.
fn called(
    contract: &Contract,
    fixtures: &Fixtures,
    seed: Seed,
    now: DateTime<Utc>,
) -> Vec<std::result::Result<Draft, String>> {
    let draft = |(place, other): (usize, &Contract)| {
        if !contract.calls(place) {
            return Err("no step calls it".to_owned());
        }
        if let Some(obstacle) = other.operation.obstacle() {
            return Err(obstacle.message.title().to_owned());
        }
        let alternatives = &other.operation.alternatives;
        let own = &contract.operation.security;
        if own.is_some() && !alternatives.is_empty() && !alternatives.iter().any(|a| a.shown() == *own) {
            return Err("it takes other credentials than the contract's operation".to_owned());
        }
        let planner = pool::Planner::new(Judge { contract: other, fixtures }, seed, now, &[]);
        let entry = planner.minimal().map_err(|error| error.title().to_owned())?;
        Ok(Draft { operation: Some(place), ..entry.draft })
    };
    contract.called.iter().enumerate().map(draft).collect()
}

/// What the covering array and chance decide of an entry.
#[derive(Clone, Debug)]
pub struct Shape {
    /// Forces fields in or out where it says so.
    pub presence: Vec<Option<bool>>,
    /// Path values, identity and key.
    pub choice: Choice,
}
