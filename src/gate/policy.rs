//! What counts: levels, areas and ids that are denied or allowed, what is waived, and what was so before.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use chrono::NaiveDate;
use globset::GlobMatcher;
use serde::Deserialize;
use toml::Spanned;

use super::waivers::Waivers;
use crate::contract::patterns::glob;
use crate::contract::requirement::Level;
use crate::judge::tally::Verdict;
use crate::report::model::{Form, Report, Requirement, Weight};
use crate::settings::toml_error;
use crate::source::{Diagnostic, Place, Result, Source, did_you_mean};

/// What counts. Without rules, musts do.
#[derive(Clone, Debug, Default)]
pub struct Policy {
    /// Which requirements count, and which do not.
    pub rules: Vec<Rule>,
    /// What is accepted.
    pub waivers: Waivers,
    /// Whether what the budget leaves out makes no run red.
    pub allow_untested: bool,
    /// A report of before: what is no worse than there does not count.
    pub baseline: Option<Box<Report>>,
}

/// What a rule does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Effect {
    /// What it names does not count.
    Allow,
    /// What it names counts.
    Deny,
}

/// One word of a policy: what it names counts, or does not.
#[derive(Clone, Debug)]
pub struct Rule {
    effect: Effect,
    subject: Subject,
    /// Whether it was typed: what was typed beats what a file says.
    typed: bool,
    text: String,
    place: Option<Place>,
}

#[derive(Clone, Debug)]
enum Subject {
    Level(Level),
    Area(String),
    Ids(GlobMatcher),
    Id(String),
    /// Operations of a document that were not reached.
    Unreached,
}

/// The word for operations that were not reached.
const UNREACHED: &str = "unreached";

impl Subject {
    fn fits(&self, id: &str, area: &str, level: Level) -> bool {
        match self {
            Self::Level(own) => *own == level,
            Self::Area(own) => own == area,
            Self::Ids(glob) => glob.is_match(id),
            Self::Id(own) => own == id,
            Self::Unreached => false,
        }
    }

    /// How narrow it is: the narrower wins.
    fn narrowness(&self) -> u8 {
        match self {
            // `*` is wider than anything that has a name.
            Self::Ids(glob) if glob.glob().glob().chars().all(|c| matches!(c, '*' | '/')) => 0,
            Self::Level(_) => 1,
            Self::Area(_) => 2,
            Self::Ids(_) => 3,
            Self::Id(_) | Self::Unreached => 4,
        }
    }
}

impl Rule {
    /// A rule that was typed: a level, an area, an id or a pattern of ids.
    ///
    /// # Errors
    /// A pattern that is none.
    pub fn typed(effect: Effect, text: &str) -> Result<Self> {
        Self::new(effect, text, None)
    }

    fn new(effect: Effect, text: &str, place: Option<Place>) -> Result<Self> {
        let level = [Level::Must, Level::Should, Level::May].into_iter().find(|l| l.name() == text);
        let subject = match level {
            Some(level) => Subject::Level(level),
            None if text == UNREACHED => Subject::Unreached,
            None if text.contains(['*', '?', '[', '{']) => {
                Subject::Ids(glob(text).map_err(|e| at(place.as_ref(), e.title().to_owned()))?.compile_matcher())
            }
            None if text.contains('/') => Subject::Id(text.to_owned()),
            None => Subject::Area(text.to_owned()),
        };
        Ok(Self { effect, subject, typed: place.is_none(), text: text.to_owned(), place })
    }
}

fn at(place: Option<&Place>, title: String) -> Box<Diagnostic> {
    place.map_or_else(|| Diagnostic::new(title.clone()), |p| p.error(title.clone()))
}

impl Policy {
    /// A policy that denies these levels beside musts.
    pub fn denying(levels: impl IntoIterator<Item = Level>) -> Self {
        let rule = |level: Level| Rule {
            effect: Effect::Deny,
            subject: Subject::Level(level),
            typed: true,
            text: level.name().to_owned(),
            place: None,
        };
        Self { rules: levels.into_iter().map(rule).collect(), ..Self::default() }
    }

    /// Looks for rules that speak of nothing.
    ///
    /// # Errors
    /// The first rule that no requirement fits, given all of them as id and level.
    pub fn check<'a>(&self, all: impl Iterator<Item = (&'a str, Option<Level>)> + Clone) -> Result<()> {
        let area = |id: &'a str| id.rsplit('/').nth(1).unwrap_or(id);
        for rule in &self.rules {
            let mut levels = all.clone().filter_map(|(id, level)| Some((id, level?)));
            let is_level = matches!(rule.subject, Subject::Level(_) | Subject::Unreached);
            if !is_level && !levels.any(|(id, level)| rule.subject.fits(id, area(id), level)) {
                let known = all.clone().flat_map(|(id, _)| [id, area(id)]);
                let help = did_you_mean(&rule.text, known);
                return Err(at(rule.place.as_ref(), format!("no requirement has the area or id `{}`", rule.text))
                    .help(help.unwrap_or_else(|| "use must, should, may, an area, an id or a pattern".to_owned())));
            }
        }
        Ok(())
    }

    /// Whether a run is not green that did not reach an operation.
    pub fn denies_unreached(&self) -> bool {
        let own = self.rules.iter().filter(|rule| matches!(rule.subject, Subject::Unreached));
        own.max_by_key(|rule| (rule.typed, rule.effect)).is_some_and(|rule| rule.effect == Effect::Deny)
    }

    /// Whether a requirement counts, waivers and baseline aside; probes never do.
    pub fn counts(&self, requirement: &Requirement) -> bool {
        let Some(level) = requirement.level else { return false };
        let fitting = self.rules.iter().filter(|r| r.subject.fits(&requirement.id, &requirement.area, level));
        let strongest = fitting.max_by_key(|r| (r.subject.narrowness(), r.typed, r.effect));
        strongest.map_or(level == Level::Must, |r| r.effect == Effect::Deny)
    }

    /// How a requirement counts on this day.
    pub(super) fn weight(&self, report: &Report, requirement: &Requirement, today: NaiveDate) -> Weight {
        let bad = super::badness(requirement.verdict) > super::badness(Verdict::Skipped);
        if let Some(waiver) = self.waivers.of(requirement, today).filter(|_| bad) {
            return Weight::Waived { reason: waiver.reason.clone(), issue: waiver.issue.clone() };
        }
        let left_to_budget =
            self.allow_untested && requirement.verdict == Verdict::Untested && super::met_budget(report);
        if !self.counts(requirement) || left_to_budget {
            return Weight::Allowed;
        }
        let options = &report.header.options;
        let is_fed = matches!(requirement.form, Form::Rule | Form::Always);
        // Another part may speak to it; of traffic that others chose nothing more can be asked.
        let elsewhere = options.recorded || (options.shard.is_some() && is_fed);
        if elsewhere && requirement.verdict == Verdict::Untested && requirement.counts.left_out == 0 {
            return Weight::Elsewhere;
        }
        match &self.baseline {
            Some(before) if bad && !super::baseline::is_worse(before, requirement) => Weight::Known,
            _ => Weight::Counts,
        }
    }
}

/// The table `[gate]` of the settings.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    /// What counts and what does not.
    pub rules: Vec<Rule>,
    /// The file of waivers, from the folder of the settings.
    pub waivers: Option<PathBuf>,
    /// Whether what the budget leaves out makes no run red.
    pub allow_untested: bool,
}

#[derive(Default, Deserialize)]
struct Written {
    #[serde(default)]
    gate: WrittenGate,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenGate {
    #[serde(default)]
    deny: Vec<Spanned<String>>,
    #[serde(default)]
    allow: Vec<Spanned<String>>,
    waivers: Option<String>,
    #[serde(default)]
    allow_untested: bool,
}

impl Settings {
    /// Reads the table out of a file of settings; all else in there is not its business.
    ///
    /// # Errors
    /// Keys that it does not have, patterns that are none.
    pub fn read(source: &Arc<Source>) -> Result<Self> {
        let written: Written = toml::from_str(&source.text).map_err(|e| toml_error(source, &e))?;
        let place = |word: &Spanned<String>| Place { source: Arc::clone(source), span: word.span() };
        let rule = |effect, word: &Spanned<String>| Rule::new(effect, word.get_ref(), Some(place(word)));
        let denied = written.gate.deny.iter().map(|word| rule(Effect::Deny, word));
        let allowed = written.gate.allow.iter().map(|word| rule(Effect::Allow, word));
        let rules = denied.chain(allowed).collect::<Result<_>>()?;
        let folder = Path::new(&source.path).parent().unwrap_or(Path::new(""));
        let waivers = written.gate.waivers.map(|file| folder.join(file));
        Ok(Self { rules, waivers, allow_untested: written.gate.allow_untested })
    }
}
