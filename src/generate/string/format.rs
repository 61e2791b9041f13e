//! Texts of a format, and which formats are known.

use proptest::prelude::*;
use proptest::strategy::BoxedStrategy;

/// Formats of JSON Schema and OpenAPI for which every generated text is valid.
const KNOWN: &[&str] = &[
    "date-time",
    "date",
    "time",
    "duration",
    "email",
    "idn-email",
    "hostname",
    "idn-hostname",
    "ipv4",
    "ipv6",
    "uri",
    "url",
    "uri-reference",
    "iri",
    "iri-reference",
    "uri-template",
    "uuid",
    "json-pointer",
    "relative-json-pointer",
    "regex",
    "byte",
    "base64",
    "binary",
    "password",
    "string",
];

/// Whether texts of a format can be generated; for any other format only the document's own texts are certain to be
/// valid.
pub fn is_known(format: &str) -> bool {
    KNOWN.contains(&format)
}

/// Texts of a format; None if any text is valid, or the format is unknown.
pub(super) fn strategy(format: &str) -> Option<BoxedStrategy<String>> {
    Some(match format {
        "time" => (0_u32..24, 0_u32..60, 0_u32..60).prop_map(|(h, m, s)| format!("{h:02}:{m:02}:{s:02}Z")).boxed(),
        "duration" => "P[1-9]D|PT[1-9]H|P[1-9]M|PT[1-5][0-9]M".boxed(),
        "email" | "idn-email" => "[a-z]{1,8}(\\.[a-z]{1,6})?@example\\.(com|org)".boxed(),
        "hostname" | "idn-hostname" => "[a-z]{1,10}\\.example\\.com".boxed(),
        "ipv4" => "192\\.0\\.2\\.[1-9][0-9]?".boxed(),
        "ipv6" => "2001:db8::[1-9a-f]{1,4}".boxed(),
        "uri" | "url" | "iri" | "uri-reference" | "iri-reference" | "uri-template" => {
            "https://example\\.com/[a-z0-9]{0,12}".boxed()
        }
        "uuid" => "[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}".boxed(),
        "json-pointer" => "(/[a-z]{1,8}){1,3}".boxed(),
        "relative-json-pointer" => "[0-3](/[a-z]{1,8}){1,2}".boxed(),
        "regex" => "[a-z]{1,8}".boxed(),
        "byte" | "base64" => "([A-Za-z0-9+/]{4}){0,6}".boxed(),
        // An instant or a day that must also match a length or a pattern.
        "date-time" => "20[3-8][0-9]-0[1-9]-[12][0-9]T[01][0-9]:[0-5][0-9]:[0-5][0-9]Z".boxed(),
        "date" => "20[3-8][0-9]-0[1-9]-[12][0-9]".boxed(),
        _ => return None,
    })
}
