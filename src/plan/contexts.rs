//! The contexts in which valid requests are sent: with a key or without, by each caller, with every field or only what is
//! required, at each of some paths. What is refused must be refused in all of them.

use std::collections::BTreeSet;

use super::{Entry, MINIMAL};
use crate::contract::template::Template;
use crate::exchange::TrialName;
use crate::generate::draft::{Content, KEY_HEADER};
use crate::generate::seed::Seed;

/// A valid request of the pool, as one of few that together show every pair of what contexts differ in.
#[derive(Clone, Debug)]
pub(super) struct Context {
    /// The entry of the pool.
    pub(super) entry: usize,
    /// What it is called.
    pub(super) label: String,
    /// A value for each of the factors: body, path, caller, key.
    values: [usize; FACTORS],
}

const FACTORS: usize = 4;

/// How much it tells that two contexts differ in a factor: a key and the fields beside are looked at by code of their own
/// in most servers.
const WEIGHTS: [usize; FACTORS] = [2, 1, 1, 4];

/// What steps decide themselves, whatever the context.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Fixed {
    pub(super) body: bool,
    pub(super) path: bool,
    pub(super) caller: bool,
    pub(super) key: bool,
}

/// The contexts of a pool. The first is that of the smallest request.
#[derive(Debug)]
pub(super) struct Contexts {
    all: Vec<Context>,
    /// The one that is dealt first where the seed decides.
    first: usize,
}

impl Contexts {
    pub(super) fn new(entries: &[Entry], seed: Seed) -> Self {
        let covers = |e: &Entry| e.control.is_none() && TrialName::is_cover(&e.name);
        let candidates = || entries.iter().enumerate().filter(|(i, e)| *i == MINIMAL || covers(e));
        let fewest = fields(&entries[MINIMAL]);
        let most = candidates().map(|(_, e)| fields(e)).max().unwrap_or(fewest);
        let mut paths: Vec<String> = Vec::new();
        let mut callers: Vec<String> = Vec::new();
        let mut all: Vec<Context> = Vec::new();
        for (i, entry) in candidates() {
            let path = place(&mut paths, path(entry));
            let caller = place(&mut callers, text(&entry.draft.identity));
            let body = match fields(entry) {
                n if n == fewest => 0,
                n if n == most => 1,
                _ => continue,
            };
            let key = usize::from(entry.draft.headers.iter().any(|(n, _)| n.eq_ignore_ascii_case(KEY_HEADER)));
            all.push(Context { entry: i, label: String::new(), values: [body, path, caller, key] });
        }
        let mut chosen = few(&all, [false; FACTORS]);
        for context in &mut chosen {
            let [body, path, caller, key] = context.values;
            let parts = [
                ["only what is required", "every field"][body].to_owned(),
                if paths.len() > 1 { paths[path].clone() } else { String::new() },
                if callers.len() > 1 { callers[caller].clone() } else { String::new() },
                ["no key", "a key"][key].to_owned(),
            ];
            context.label = parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(", ");
        }
        let first = seed.pick("contexts", 0, chosen.len());
        Self { all: chosen, first }
    }

    /// The pool's request for the trial of this number, among several of one table: together they show many contexts.
    pub(super) fn dealt(&self, number: usize) -> usize {
        self.all.get(number % self.all.len().max(1)).map_or(MINIMAL, |context| context.entry)
    }

    /// The same for a trial that stands alone: with another seed it is in another context.
    pub(super) fn dealt_by_seed(&self, number: usize) -> usize {
        self.dealt(self.first + number)
    }

    /// Those that show every pair of what steps leave to them; or of those only so many, as different as can be: others for
    /// another number to begin from.
    pub(super) fn without(&self, fixed: Fixed, most: Option<usize>, from: usize) -> Vec<Context> {
        let fixed = [fixed.body, fixed.path, fixed.caller, fixed.key];
        let mut left = few(&self.all, fixed);
        let Some(most) = most.filter(|most| *most < left.len()) else { return left };
        let first = (self.first + from) % left.len();
        left.rotate_left(first);
        let differs = |a: &Context, b: &Context, f: usize| !fixed[f] && a.values[f] != b.values[f];
        let distance =
            |a: &Context, b: &Context| (0..FACTORS).filter(|f| differs(a, b, *f)).map(|f| WEIGHTS[f]).sum::<usize>();
        let mut chosen: Vec<Context> = Vec::new();
        while chosen.len() < most {
            let nearest = |context: &Context| chosen.iter().map(|c| distance(c, context)).min().unwrap_or_default();
            // Of those that are as far from the others, the first.
            let next = (0..left.len()).rev().max_by_key(|i| nearest(&left[*i])).unwrap_or_default();
            chosen.push(left.remove(next));
        }
        chosen
    }
}

/// Few contexts, the first among them, with every pair of values that some have.
fn few(all: &[Context], fixed: [bool; FACTORS]) -> Vec<Context> {
    let pairs = |context: &Context| {
        let free: Vec<usize> = (0..FACTORS).filter(|f| !fixed[*f]).collect();
        let value = |factor: usize| (factor, context.values[factor]);
        // One factor alone is shown with itself.
        free.iter().flat_map(|a| free.iter().map(move |b| (value(*a), value(*b)))).collect::<BTreeSet<_>>()
    };
    let mut chosen: Vec<Context> = all.first().cloned().into_iter().collect();
    let mut seen: BTreeSet<_> = chosen.iter().flat_map(pairs).collect();
    loop {
        let gain = |context: &&Context| pairs(context).difference(&seen).count();
        // Of those that show as much, the first.
        let Some(next) = all.iter().rev().max_by_key(gain).filter(|next| gain(next) > 0) else { return chosen };
        seen.extend(pairs(next));
        chosen.push(next.clone());
    }
}

fn place(names: &mut Vec<String>, name: String) -> usize {
    names.iter().position(|n| *n == name).unwrap_or_else(|| {
        names.push(name);
        names.len() - 1
    })
}

fn path(entry: &Entry) -> String {
    let parts = entry.draft.path.iter().map(|(name, value)| format!("{name} {}", text(value)));
    parts.collect::<Vec<_>>().join(", ")
}

fn text(template: &Template) -> String {
    match template {
        Template::Literal(json) => json.as_str().map_or_else(|| json.to_string(), str::to_owned),
        _ => String::new(),
    }
}

fn fields(entry: &Entry) -> usize {
    match &entry.draft.body {
        Content::Json(Template::Object(fields)) => fields.len(),
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn contexts(sizes: [usize; FACTORS]) -> Vec<Context> {
        let mut all = vec![[0; FACTORS]];
        for (factor, size) in sizes.into_iter().enumerate() {
            let with = |row: &[usize; FACTORS]| {
                let row = *row;
                (0..size).map(move |value| {
                    let mut row = row;
                    row[factor] = value;
                    row
                })
            };
            all = all.iter().flat_map(with).collect();
        }
        all.into_iter().enumerate().map(|(entry, values)| Context { entry, label: String::new(), values }).collect()
    }

    #[test]
    fn few_contexts_show_every_pair() {
        for (sizes, most) in [([2, 2, 2, 2], 6), ([2, 3, 2, 2], 8), ([2, 1, 1, 2], 4), ([1, 1, 1, 1], 1)] {
            let chosen = few(&contexts(sizes), [false; FACTORS]);
            assert!(chosen.len() <= most, "{sizes:?}: {}", chosen.len());
            assert_eq!(chosen[0].values, [0; FACTORS]);
            for a in 0..FACTORS {
                for b in 0..a {
                    let shown: BTreeSet<_> = chosen.iter().map(|c| (c.values[a], c.values[b])).collect();
                    assert_eq!(shown.len(), sizes[a] * sizes[b]);
                }
            }
        }
    }

    #[test]
    fn a_few_of_the_contexts_are_as_different_as_can_be_and_others_for_other_seeds() {
        let all = few(&contexts([2, 2, 2, 2]), [false; FACTORS]);
        let mut firsts = BTreeSet::new();
        for first in 0..all.len() {
            let chosen = Contexts { all: all.clone(), first }.without(Fixed::default(), Some(2), 0);
            assert_eq!(chosen.len(), 2);
            let differs = |f: usize| chosen[0].values[f] != chosen[1].values[f];
            assert!(differs(0) && differs(3), "{chosen:?}");
            firsts.insert(chosen[0].entry);
        }
        assert_eq!(firsts.len(), all.len());
    }

    #[test]
    fn what_steps_decide_themselves_needs_no_context() {
        let chosen = few(&contexts([2, 2, 2, 2]), [false, true, true, false]);
        assert_eq!(chosen.len(), 4);
        assert_eq!(few(&contexts([2, 2, 2, 2]), [true; FACTORS]).len(), 1);
    }
}
