//! The names of trials, put together and taken apart: what a request was sent for. No other file knows their form.

use std::fmt::Display;

/// What the requests are called together that belong to no requirement.
const POOL: &str = "pool";
/// How the names of valid requests in the pool begin that together try all parts, those of random ones, and how those
/// end that have a fault.
const COVER: &str = "cover-";
const RANDOM: &str = "random-";
const FAULT: &str = "-fault";

/// A name such as `area/id#2/step[1]`, `area/id#2~again-1/step` or `pool/full`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TrialName<'a> {
    /// What all requests of one trial share: the name without its step.
    pub trial: &'a str,
    /// The id of the requirement that it was sent for; None in the pool, and in recordings of others.
    pub requirement: Option<&'a str>,
    /// The step, where there is one.
    pub step: Option<&'a str>,
    /// Its place among the requests of the step.
    pub place: usize,
}

impl<'a> TrialName<'a> {
    /// Takes a name apart.
    pub fn read(name: &'a str) -> Self {
        let whole = Self { trial: name, requirement: None, step: None, place: 0 };
        let Some((id, rest)) = name.split_once('#').filter(|_| in_pool(name).is_none()) else { return whole };
        let requirement = Some(id);
        let Some((row, step)) = rest.split_once('/') else { return Self { requirement, ..whole } };
        let trial = &name[..id.len() + 1 + row.len()];
        let (step, place) = match step.strip_suffix(']').and_then(|step| step.split_once('[')) {
            Some((step, place)) => (step, place.parse().unwrap_or_default()),
            None => (step, 0),
        };
        Self { trial, requirement, step: Some(step), place }
    }

    /// What the server may be told of it: the requirement, or the kind of request of the pool.
    pub fn subject(name: &'a str) -> &'a str {
        name.split('#').next().unwrap_or_default()
    }

    /// What it is counted with: its requirement, or the pool as a whole.
    pub fn group(name: &'a str) -> &'a str {
        if in_pool(name).is_some() { POOL } else { Self::subject(name) }
    }

    /// The name under which it was planned, whether or not it was sent again.
    pub fn planned(name: &'a str) -> &'a str {
        name.split('~').next().unwrap_or_default()
    }

    /// The number of a pair of random requests, and whether it is the one of them with a fault.
    pub fn random(name: &str) -> Option<(usize, bool)> {
        let rest = in_pool(name)?.strip_prefix(RANDOM)?;
        let (number, is_fault) = match rest.strip_suffix(FAULT) {
            Some(number) => (number, true),
            None => (rest, false),
        };
        Some((number.parse().ok()?, is_fault))
    }

    /// Whether it is one of the valid requests that together try all parts.
    pub fn is_cover(name: &str) -> bool {
        in_pool(name).is_some_and(|rest| rest.starts_with(COVER))
    }

    /// The name of a request of the pool.
    pub fn of_pool(what: impl Display) -> String {
        format!("{POOL}/{what}")
    }

    /// The name of one of the valid requests that together try all parts.
    pub fn of_cover(number: usize) -> String {
        Self::of_pool(format_args!("{COVER}{number:02}"))
    }

    /// The name of the valid request of a random pair.
    pub fn of_random(number: usize) -> String {
        Self::of_pool(format_args!("{RANDOM}{number:06}"))
    }

    /// The name of the request with a fault beside a valid one.
    pub fn of_fault(valid: &str) -> String {
        format!("{valid}{FAULT}")
    }

    /// The name of a trial of a requirement: its row, or its kind and number.
    pub fn of_row(requirement: &str, row: impl Display) -> String {
        format!("{requirement}#{row}")
    }

    /// The name of a request of a step; with its place where there may be many.
    pub fn of_step(trial: &str, step: &str, place: Option<usize>) -> String {
        match place {
            Some(place) => format!("{trial}/{step}[{place}]"),
            None => format!("{trial}/{step}"),
        }
    }

    /// The name of what is sent once more, and in which way.
    pub fn of_more(planned: &str, way: impl Display) -> String {
        format!("{planned}~{way}")
    }
}

/// What a request of the pool is called there.
fn in_pool(name: &str) -> Option<&str> {
    name.strip_prefix(POOL)?.strip_prefix('/')
}

#[cfg(test)]
mod tests {
    use super::TrialName;

    #[test]
    fn names_are_taken_apart() {
        let read = TrialName::read;
        let step = TrialName { trial: "area/id#2", requirement: Some("area/id"), step: Some("sent"), place: 1 };
        assert_eq!(read("area/id#2/sent[1]"), step);
        assert_eq!(read("area/id#2/sent"), TrialName { place: 0, ..step });
        assert_eq!(read("area/id#2~again-1/sent").trial, "area/id#2~again-1");
        assert_eq!(read("area/id#2"), TrialName { step: None, place: 0, ..step });
        for pool in ["pool/full", "pool/control/required#name", "recorded at noon"] {
            assert_eq!(read(pool), TrialName { trial: pool, requirement: None, step: None, place: 0 });
        }
        assert_eq!(TrialName::subject("area/id#2/sent"), "area/id");
        assert_eq!(TrialName::planned("pool/full~1"), "pool/full");
        let groups =
            ["area/id#2/sent", "pool/control/required#name", "pools", "recorded at noon"].map(TrialName::group);
        assert_eq!(groups, ["area/id", "pool", "pools", "recorded at noon"]);
    }

    #[test]
    fn names_of_the_pool_are_told_apart() {
        assert_eq!(TrialName::random("pool/random-000012"), Some((12, false)));
        assert_eq!(TrialName::random("pool/random-000012-fault"), Some((12, true)));
        for other in ["pool/random-000012~1", "pool/random-", "pool/cover-01", "random-000012", "area/pool/random-1"] {
            assert_eq!(TrialName::random(other), None, "{other}");
        }
        assert!(TrialName::is_cover("pool/cover-01"));
        assert!(!["pool/minimal", "cover-01", "area/cover-01#0"].into_iter().any(TrialName::is_cover));
    }

    #[test]
    fn what_is_put_together_is_taken_apart_again() {
        let valid = TrialName::of_random(7);
        assert_eq!((valid.as_str(), TrialName::random(&valid)), ("pool/random-000007", Some((7, false))));
        assert_eq!(TrialName::random(&TrialName::of_fault(&valid)), Some((7, true)));
        assert!(TrialName::is_cover(&TrialName::of_cover(3)));
        assert_eq!(TrialName::of_cover(3), "pool/cover-03");
        assert_eq!(TrialName::of_pool("full"), "pool/full");
        let trial = TrialName::of_row("area/id", 2);
        let more = TrialName::of_more(&trial, "again-1");
        assert_eq!((more.as_str(), TrialName::planned(&more)), ("area/id#2~again-1", trial.as_str()));
        let read = TrialName { trial: &more, requirement: Some("area/id"), step: Some("sent"), place: 1 };
        assert_eq!(TrialName::read(&TrialName::of_step(&more, "sent", Some(1))), read);
        assert_eq!(TrialName::of_step(&trial, "sent", None), "area/id#2/sent");
    }
}
