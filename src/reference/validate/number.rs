//! Integers as JSON writes them: `100`, `100.0` and `1e2` are one number.

/// A number without a fraction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::reference) enum Whole {
    Integer(i64),
    /// Beyond 64 bits.
    Large {
        negative: bool,
    },
}

impl Whole {
    /// Reads the text of a JSON number, exactly; none if it has a fraction.
    pub(in crate::reference) fn read(text: &str) -> Option<Self> {
        let (negative, unsigned) = match text.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, text),
        };
        let (mantissa, exponent) = unsigned.split_once(['e', 'E']).unwrap_or((unsigned, "0"));
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let digits = format!("{whole}{fraction}");
        let digits = digits.trim_start_matches('0');
        let significant = digits.trim_end_matches('0');
        if significant.is_empty() {
            return Some(Whole::Integer(0));
        }

        // An exponent beyond 64 bits is as good as the largest one.
        let bound = if exponent.starts_with('-') { i64::MIN / 2 } else { i64::MAX / 2 };
        let exponent = exponent.trim_start_matches('+').parse().unwrap_or(bound).clamp(i64::MIN / 2, i64::MAX / 2);
        let dropped = digits.len() - significant.len();
        let shift = exponent - as_i64(fraction.len()) + as_i64(dropped);
        let zeros = usize::try_from(shift).ok()?;
        if significant.len() + zeros.min(20) > 20 {
            return Some(Whole::Large { negative });
        }
        let digits = format!("{}{significant}{}", if negative { "-" } else { "" }, "0".repeat(zeros));
        Some(digits.parse().map_or(Whole::Large { negative }, Whole::Integer))
    }
}

fn as_i64(length: usize) -> i64 {
    i64::try_from(length).unwrap_or(i64::MAX / 4)
}

#[cfg(test)]
mod tests {
    use super::Whole;

    #[test]
    fn whole_numbers_are_read_exactly() {
        for (text, number) in [
            ("0", 0),
            ("-0.0", 0),
            ("0e999999999999999999999", 0),
            ("100.0", 100),
            ("1.5e1", 15),
            ("1e2", 100),
            ("12300E-2", 123),
            ("-500", -500),
            ("9223372036854775807", i64::MAX),
            ("-9223372036854775808", i64::MIN),
            ("9007199254740993", 9_007_199_254_740_993),
        ] {
            assert_eq!(Whole::read(text), Some(Whole::Integer(number)), "{text}");
        }
    }

    #[test]
    fn fractions_are_told_from_large_numbers() {
        for text in ["0.5", "1e-1", "1.25e1", "1e-999999999999999999999"] {
            assert_eq!(Whole::read(text), None, "{text}");
        }
        for text in ["9223372036854775808", "18446744073709551616", "1e400", "1e999999999999999999999"] {
            assert_eq!(Whole::read(text), Some(Whole::Large { negative: false }), "{text}");
        }
        assert_eq!(Whole::read("-1e19"), Some(Whole::Large { negative: true }));
    }
}
