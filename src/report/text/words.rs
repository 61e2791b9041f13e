//! The one table of verdicts: their symbols, words and colours in every report for people.

use anstyle::{AnsiColor, Color, Style};

use crate::contract::requirement::Level;
use crate::judge::tally::Verdict;

/// How a verdict is shown.
#[derive(Clone, Copy, Debug)]
pub struct Look {
    /// The verdict.
    pub verdict: Verdict,
    /// A symbol, which never stands without a word nearby.
    pub symbol: &'static str,
    /// Its word.
    pub word: &'static str,
    /// What it means, in a few words.
    pub meaning: &'static str,
    /// Its colour on a terminal.
    pub color: AnsiColor,
}

/// All verdicts, in the order in which reports show them.
pub const LOOKS: [Look; 5] = [
    look(Verdict::Pass, "✓", "pass", "held wherever it was tried", AnsiColor::Green),
    look(Verdict::Fail, "✗", "fail", "was broken", AnsiColor::Red),
    look(Verdict::Inconclusive, "?", "inconclusive", "what came of it is not known", AnsiColor::Yellow),
    look(Verdict::Skipped, "–", "skipped", "cannot be tried on this target", AnsiColor::Cyan),
    look(Verdict::Untested, "○", "untested", "nothing tried it", AnsiColor::Magenta),
];

const fn look(
    verdict: Verdict,
    symbol: &'static str,
    word: &'static str,
    meaning: &'static str,
    color: AnsiColor,
) -> Look {
    Look { verdict, symbol, word, meaning, color }
}

impl Look {
    /// The look of a verdict.
    pub fn of(verdict: Verdict) -> Self {
        match verdict {
            Verdict::Pass => LOOKS[0],
            Verdict::Fail => LOOKS[1],
            Verdict::Inconclusive => LOOKS[2],
            Verdict::Skipped => LOOKS[3],
            Verdict::Untested => LOOKS[4],
        }
    }

    /// Its style on a terminal.
    pub fn style(&self) -> Style {
        Style::new().fg_color(Some(Color::Ansi(self.color)))
    }
}

/// A level in a word; probes have none, they are called by what they are.
pub fn level(level: Option<Level>) -> &'static str {
    level.map_or("probe", Level::name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_verdict_has_its_look() {
        for verdict in Verdict::ALL {
            let look = Look::of(verdict);
            assert_eq!((look.verdict, look.word), (verdict, verdict.name()));
            assert_eq!(LOOKS.iter().filter(|l| l.symbol == look.symbol).count(), 1);
            assert_eq!(LOOKS.iter().filter(|l| l.color == look.color).count(), 1);
        }
    }
}
