//! The names of trials, taken apart: what a request was sent for.

/// How the names of requests that belong to no requirement begin.
const POOL: &str = "pool/";

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
        let Some((id, rest)) = name.split_once('#').filter(|_| !name.starts_with(POOL)) else { return whole };
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

    /// The name under which it was planned, whether or not it was sent again.
    pub fn planned(name: &'a str) -> &'a str {
        name.split('~').next().unwrap_or_default()
    }
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
    }
}
