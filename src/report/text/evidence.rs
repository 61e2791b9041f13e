//! What the evidence on a requirement is, in the same words and numbers in every report for people.

use crate::report::model::{Again, Requirement};
use crate::report::text::times;

/// The evidence, counted, in a line.
pub fn words(requirement: &Requirement) -> String {
    let counts = &requirement.counts;
    let held = if requirement.level.is_some() { "held" } else { "observed" };
    let all = [
        ("broken", counts.broken),
        (held, counts.holds),
        ("not known", counts.unknown),
        ("not to be tried", counts.skipped),
        ("planned and not sent", counts.left_out),
    ];
    let mut parts: Vec<String> = Vec::new();
    for (word, count) in all {
        match count {
            0 if word == "held" && counts.broken > 0 => parts.push("never held".to_owned()),
            0 => {}
            n => parts.push(format!("{word} {}", times(n))),
        }
    }
    if let Some(until) = counts.until_broken.filter(|_| counts.broken > 1) {
        // Exchanges are numbered from 0 on.
        parts.push(format!("first by exchange {}", until.saturating_sub(1)));
    }
    if let Some(n) = requirement.at_once.filter(|n| *n > 1) {
        parts.push(format!("up to {n} at once"));
    }
    parts.extend(requirement.again.map(again));
    if parts.is_empty() { "none".to_owned() } else { parts.join(", ") }
}

/// What came of sending what failed again.
fn again(again: Again) -> String {
    let sent = format!("sent again {}", times(again.sent));
    match again.broken {
        0 => format!("{sent} and never failed again, so intermittent"),
        n if n == again.sent => format!("{sent} and failed each time"),
        n => format!("{sent} and failed {}, so intermittent", times(n)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::sample::sample;

    #[test]
    fn evidence_is_told_in_words() {
        let mut requirement = sample().requirement("response/name-as-sent").unwrap().clone();
        requirement.counts.until_broken = Some(227);
        assert_eq!(
            words(&requirement),
            "broken 5 times, held 2 times, first by exchange 226, up to 8 at once, sent again 3 times and failed 2 times, \
             so intermittent"
        );
        requirement.counts.holds = 0;
        requirement.again = Some(Again { sent: 2, broken: 0 });
        assert!(words(&requirement).starts_with("broken 5 times, never held, first by"), "{}", words(&requirement));
        assert!(words(&requirement).ends_with("sent again 2 times and never failed again, so intermittent"));
    }
}
