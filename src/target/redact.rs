//! Keeping tokens out of everything that is written.

use std::borrow::Cow;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE_NO_PAD};

/// Replaces tokens, however they are encoded, by the names of their variables.
#[derive(Clone, Default)]
pub struct Redactor {
    /// Needle and replacement, the longest needle first.
    pairs: Vec<(String, String)>,
}

impl std::fmt::Debug for Redactor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Redactor")
    }
}

impl Redactor {
    /// A redactor for tokens and the names of the variables that hold them.
    pub fn new<'a>(tokens: impl IntoIterator<Item = (&'a str, &'a str)>) -> Self {
        let mut pairs = Vec::new();
        for (token, variable) in tokens {
            // A token so short would turn reports into riddles and protects nothing.
            if token.len() < 4 {
                continue;
            }
            let plain = format!("${{{variable}}}");
            let json = serde_json::json!(token).to_string();
            let percent = percent_encoding::utf8_percent_encode(token, percent_encoding::NON_ALPHANUMERIC).to_string();
            pairs.push((token.to_owned(), plain.clone()));
            let mut chars = token.chars();
            // Spelt so that a shell cuts the same character off.
            if chars.next_back().is_some() && chars.as_str().len() >= 4 {
                pairs.push((chars.as_str().to_owned(), format!("${{{variable}%?}}")));
            }
            let mut chars = token.chars();
            if chars.next().is_some() && chars.as_str().len() >= 4 {
                pairs.push((chars.as_str().to_owned(), format!("${{{variable}#?}}")));
            }
            pairs.push((json.trim_matches('"').to_owned(), plain.clone()));
            pairs.push((percent, format!("{plain}(percent-encoded)")));
            for engine in [&STANDARD, &STANDARD_NO_PAD, &URL_SAFE_NO_PAD] {
                let encoded = engine.encode(token);
                let stem = encoded.trim_end_matches('=').to_owned();
                pairs.push((stem, format!("{plain}(base64)")));
            }
        }
        pairs.sort_by(|a, b| b.0.len().cmp(&a.0.len()).then_with(|| a.cmp(b)));
        pairs.dedup_by(|a, b| a.0 == b.0);
        Self { pairs }
    }

    /// The text without tokens.
    pub fn text<'a>(&self, text: &'a str) -> Cow<'a, str> {
        let mut out = Cow::Borrowed(text);
        for (needle, replacement) in &self.pairs {
            if out.contains(needle.as_str()) {
                out = Cow::Owned(out.replace(needle.as_str(), replacement));
            }
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn replaces_every_encoding() {
        let redactor = Redactor::new([("s3cr3t+/token?", "T")]);
        let encoded = STANDARD.encode("s3cr3t+/token?");
        let percent = "s3cr3t%2B%2Ftoken%3F";
        let text = format!("Bearer s3cr3t+/token?x {encoded} {percent}");
        assert_eq!(
            redactor.text(&text),
            "Bearer ${T}x ${T}(base64)= ${T}(percent-encoded)"
                .replace("(base64)=", if encoded.ends_with('=') { "(base64)=" } else { "(base64)" })
        );
        assert!(matches!(redactor.text("nothing"), Cow::Borrowed(_)));
    }

    #[test]
    fn longer_tokens_first() {
        let redactor = Redactor::new([("token-a", "A"), ("token-a-long", "B")]);
        assert_eq!(redactor.text("token-a-long"), "${B}");
    }
}
