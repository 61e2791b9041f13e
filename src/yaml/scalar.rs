//! The meaning of an unquoted scalar, by the core schema of YAML 1.2.

use serde_json::{Number, Value as Json};

/// The value of a plain scalar: null, a boolean or a number by its form, else a string. What YAML 1.1 would have taken
/// for something else (`NO`, `on`, `1_000`, `12:30`) is a string. Infinity and NaN do not exist in JSON, and stay
/// strings.
pub fn plain(text: &str) -> Json {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => Json::Null,
        "true" | "True" | "TRUE" => Json::Bool(true),
        "false" | "False" | "FALSE" => Json::Bool(false),
        _ => number(text).map_or_else(|| Json::String(text.to_owned()), Json::Number),
    }
}

/// A number as the core schema writes it: decimal, `0o17`, `0x1F`, `1.5`, `.5`, `1e3`.
pub fn number(text: &str) -> Option<Number> {
    if !text.starts_with(|c: char| c.is_ascii_digit() || "+-.".contains(c)) {
        return None;
    }
    for (prefix, radix) in [("0o", 8), ("0x", 16)] {
        if let Some(digits) = text.strip_prefix(prefix) {
            let digits = digits.chars().all(|c| c.is_digit(radix)).then_some(digits)?;
            return u64::from_str_radix(digits, radix).ok().map(Number::from);
        }
    }
    let (negative, unsigned) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    let (mantissa, exponent) = match unsigned.find(['e', 'E']) {
        Some(at) => (&unsigned[..at], Some(&unsigned[at + 1..])),
        None => (unsigned, None),
    };
    let (whole, fraction) = match mantissa.split_once('.') {
        Some((whole, fraction)) => (whole, Some(fraction)),
        None => (mantissa, None),
    };
    let digits = |s: &str| s.bytes().all(|b| b.is_ascii_digit());
    if !digits(whole) || !fraction.is_none_or(digits) || (whole.is_empty() && fraction.is_none_or(str::is_empty)) {
        return None;
    }
    // JSON has no leading zeros, and no point without digits on both sides.
    let whole = whole.trim_start_matches('0');
    let mut json = String::from(if negative { "-" } else { "" });
    json.push_str(if whole.is_empty() { "0" } else { whole });
    if let Some(fraction) = fraction {
        json.push('.');
        json.push_str(if fraction.is_empty() { "0" } else { fraction });
    }
    if let Some(exponent) = exponent {
        let plain = exponent.strip_prefix(['+', '-']).unwrap_or(exponent);
        if plain.is_empty() || !digits(plain) {
            return None;
        }
        json.push('e');
        json.push_str(exponent);
    }
    serde_json::from_str(&json).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_read_by_the_core_schema() {
        for (text, json) in [
            ("~", "null"),
            ("True", "true"),
            ("FALSE", "false"),
            ("0", "0"),
            ("-7", "-7"),
            ("+12", "12"),
            ("0017", "17"),
            ("0o17", "15"),
            ("0xfF", "255"),
            ("1.", "1.0"),
            (".5", "0.5"),
            ("-.5e-3", "-0.5e-3"),
            ("1e3", "1e+3"),
            ("99999999999999999999", "99999999999999999999"),
        ] {
            let expected: Json = serde_json::from_str(json).unwrap();
            assert!(!plain(text).is_string(), "{text}");
            assert_eq!(plain(text).to_string().parse::<f64>().ok(), expected.to_string().parse::<f64>().ok(), "{text}");
        }
    }

    #[test]
    fn everything_else_is_a_string() {
        for text in [
            "NO", "no", "on", "y", "Yes", "1_000", "12:30", "0b1", "017.5.1", ".", "-", "+", "1e", "e3", ".inf",
            ".NaN", "0x", "0o8", "1 2", "tRUE", "<<",
        ] {
            assert!(plain(text).is_string(), "{text}");
        }
    }
}
