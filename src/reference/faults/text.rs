//! What faulty servers do to a name on its way through databases, templates and encodings.

use super::Fault;
use crate::reference::deviations::Deviations;
use chrono::NaiveDate;

type Change = fn(&str) -> String;

/// The name as it is kept.
pub(super) fn name(d: &Deviations, name: String) -> String {
    let changes: [(Fault, Change); 15] = [
        (Fault::NameWhitespaceCollapsed, collapsed),
        (Fault::NameEscaped, escaped),
        (Fault::NameMarkupStripped, stripped),
        (Fault::NameAstralLost, without_astral),
        (Fault::NameLatin1Only, |name| name.chars().map(|c| if c > '\u{ff}' { '?' } else { c }).collect()),
        (Fault::NameMojibake, |name| name.bytes().map(char::from).collect()),
        (Fault::NameCutAt64, |name| name.chars().take(64).collect()),
        (Fault::NameCutAt191, |name| name.chars().take(191).collect()),
        (Fault::NameCutAt255Bytes, |name| name[..name.floor_char_boundary(255)].to_owned()),
        (Fault::NameCutAt4000, |name| name.chars().take(4_000).collect()),
        (Fault::NameNumberRewritten, number_rewritten),
        (Fault::NameDateRewritten, |name| {
            name.parse::<NaiveDate>().map_or(name.to_owned(), |date| format!("{date}T00:00:00Z"))
        }),
        (Fault::NameTitleCased, title_cased),
        (Fault::NameQuotesDoubled, |name| name.replace('\'', "''").replace('"', "\"\"")),
        (Fault::NameBackslashesLost, |name| name.replace('\\', "")),
    ];
    first_of(d, &changes, name)
}

/// The name as it is kept behind an answer that has it whole.
pub(super) fn name_kept(d: &Deviations, name: String) -> String {
    let changes: [(Fault, Change); 5] = [
        (Fault::StoredNameCutAt255, |name| name.chars().take(255).collect()),
        (Fault::StoredNameAsciiOnly, |name| name.chars().map(|c| if c.is_ascii() { c } else { '?' }).collect()),
        (Fault::StoredNameAstralLost, without_astral),
        (Fault::StoredNameNumberRewritten, number_rewritten),
        (Fault::StoredNameEscaped, escaped),
    ];
    first_of(d, &changes, name)
}

/// The name as an update keeps it.
pub(super) fn name_changed(d: &Deviations, name: String) -> String {
    let changes: [(Fault, Change); 2] = [
        (Fault::UpdateNameCutAt64, |name| name.chars().take(64).collect()),
        (Fault::UpdateNameAstralLost, without_astral),
    ];
    first_of(d, &changes, name)
}

fn first_of(d: &Deviations, changes: &[(Fault, Change)], name: String) -> String {
    match changes.iter().find(|(fault, _)| d.fault(*fault)) {
        Some((_, change)) => change(&name),
        None => name,
    }
}

fn without_astral(name: &str) -> String {
    name.chars().filter(|c| *c <= '\u{ffff}').collect()
}

fn number_rewritten(name: &str) -> String {
    name.parse::<f64>().ok().filter(|n| n.is_finite()).map_or(name.to_owned(), |number| number.to_string())
}

fn collapsed(name: &str) -> String {
    let mut kept = String::new();
    for c in name.chars() {
        match (c.is_whitespace(), kept.ends_with(' ')) {
            (true, true) => {}
            (true, false) => kept.push(' '),
            (false, _) => kept.push(c),
        }
    }
    kept
}

fn escaped(name: &str) -> String {
    let name = name.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    name.replace('"', "&quot;").replace('\'', "&#39;")
}

fn stripped(name: &str) -> String {
    let mut kept = String::new();
    let mut rest = name;
    while let Some((before, tag)) = rest.split_once('<') {
        kept.push_str(before);
        match tag.split_once('>') {
            Some((_, after)) => rest = after,
            None => return kept + "<" + tag,
        }
    }
    kept + rest
}

fn title_cased(name: &str) -> String {
    let mut starts = true;
    let mut cased = String::new();
    for c in name.chars() {
        if starts {
            cased.extend(c.to_uppercase());
        } else {
            cased.extend(c.to_lowercase());
        }
        starts = c.is_whitespace();
    }
    cased
}

#[cfg(test)]
mod tests {
    use super::{collapsed, escaped, stripped, title_cased};

    #[test]
    fn each_change_changes_what_it_should() {
        assert_eq!(collapsed("a \t b\u{a0}c"), "a b c");
        assert_eq!(escaped("<a & 'b'>"), "&lt;a &amp; &#39;b&#39;&gt;");
        assert_eq!(stripped("a <b>c</b> d < e"), "a c d < e");
        assert_eq!(title_cased("new mcKay fund"), "New Mckay Fund");
    }
}
