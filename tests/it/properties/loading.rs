//! Whatever people write, it is read, or refused with words: nothing panics.

use std::path::{Path, PathBuf};
use std::sync::{Arc, LazyLock};

use probity::contract::cases::{self as case_files, Vocabulary};
use probity::contract::{Contract, Location};
use probity::document;
use probity::generate::draft::Fixtures;
use probity::generate::seed::Seed;
use probity::plan::{Options, Plan, Selection};
use probity::reference;
use probity::settings::{Overrides, Settings};
use probity::source::{Diagnostic, Place, Source};
use proptest::prelude::*;
use proptest::sample::{Index, select};

use super::bench::{OPPORTUNITIES, cases, folder, orders_fixtures, some_day};

/// An error says something, with and without colour.
fn speaks(error: &Diagnostic) -> Result<(), TestCaseError> {
    prop_assert!(!error.title().is_empty());
    prop_assert!(error.render(false).contains("error"));
    prop_assert!(!error.render(true).is_empty());
    Ok(())
}

fn read_all(folder: &Path) -> Vec<(PathBuf, String)> {
    let mut all: Vec<_> = std::fs::read_dir(folder)
        .expect("a folder")
        .map(|entry| entry.expect("an entry").path())
        .filter(|path| path.extension().is_some_and(|e| e == "yaml"))
        .map(|path| (path.clone(), std::fs::read_to_string(path).expect("a text")))
        .collect();
    all.sort();
    all
}

static CASE_FILES: LazyLock<Vec<String>> = LazyLock::new(|| {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let all = [folder(), root.join("cases/create-opportunity")];
    let files = all.iter().flat_map(|folder| read_all(folder));
    files.filter(|(path, _)| !path.ends_with("openapi.yaml")).map(|(_, text)| text).collect()
});

static DOCUMENTS: LazyLock<[(&str, String); 5]> = LazyLock::new(|| {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let text = |path: &str| std::fs::read_to_string(root.join(path)).expect("a document");
    [
        ("replaceOrder", text("tests/contracts/replace-order/openapi.yaml")),
        ("createOpportunity", text("spec/create-opportunity.yaml")),
        ("addItem", text("tests/documents/library30.yaml")),
        ("addItem", text("tests/documents/library31.yaml")),
        ("addItem", text("tests/documents/library32.yaml")),
    ]
});

/// A change to a text.
#[derive(Clone, Debug)]
enum Change {
    DropLine(Index),
    DoubleLine(Index),
    SwapLines(Index, Index),
    DropToken(Index),
    ReplaceToken(Index, String),
    TakeTokenFrom(Index, Index),
    Cut(Index),
    Insert(Index, char),
}

fn changes() -> impl Strategy<Value = Vec<Change>> {
    let words = select(
        &[
            "null",
            "true",
            "0",
            "-1",
            "1e400",
            "18446744073709551616",
            "9223372036854775807",
            "-9223372036854775808",
            "''",
            "[]",
            "{}",
            "*a",
            "&a x",
            "!!binary x",
            "$ref",
            "'#/components/schemas/Order'",
            "'#'",
            "'#/'",
            "{ $ref: '#/paths' }",
            "[0]",
            "0.5",
            ".inf",
            ".nan",
            "2147483647",
            "1000000",
            "allOf",
            "array",
            "string",
            "integer",
            "date-time",
            "~",
            "? x",
            "|",
            "é",
            "{cel: now}",
            "{fresh: key, length: 0}",
            "{filler: a, times: 3}",
            "{it: x.y}",
            "{integer: {from: 5}}",
            "valid",
            "minimal",
            "first",
            "sent",
            "'{'",
            "\"\\u0000\"",
            "9h",
            "1e9s",
            "{instant: now, digits: 99}",
            "oneOf",
            "nullable",
            "minItems",
            "multipleOf",
            "pattern",
            "'('",
            "'(?=x)'",
            "enum",
            "readOnly",
            "exclusiveMinimum",
            "format",
        ][..],
    )
    .prop_map(str::to_owned);
    let change = prop_oneof![
        1 => any::<Index>().prop_map(Change::DropLine),
        1 => any::<Index>().prop_map(Change::DoubleLine),
        1 => (any::<Index>(), any::<Index>()).prop_map(|(a, b)| Change::SwapLines(a, b)),
        1 => any::<Index>().prop_map(Change::DropToken),
        4 => (any::<Index>(), words).prop_map(|(at, word)| Change::ReplaceToken(at, word)),
        2 => (any::<Index>(), any::<Index>()).prop_map(|(a, b)| Change::TakeTokenFrom(a, b)),
        1 => any::<Index>().prop_map(Change::Cut),
        1 => (any::<Index>(), any::<char>()).prop_map(|(at, c)| Change::Insert(at, c)),
    ];
    proptest::collection::vec(change, 1..4)
}

/// The places of words, quoted texts and numbers.
fn tokens(text: &str) -> Vec<std::ops::Range<usize>> {
    static TOKEN: LazyLock<regex::Regex> =
        LazyLock::new(|| regex::Regex::new(r#"'[^'\n]*'|"[^"\n]*"|[\w$./-]+|[\[\]{}:,-]"#).expect("a pattern"));
    TOKEN.find_iter(text).map(|m| m.range()).collect()
}

fn changed(text: &str, changes: &[Change]) -> String {
    let mut text = text.to_owned();
    for change in changes {
        let mut lines: Vec<&str> = text.split_inclusive('\n').collect();
        let tokens = tokens(&text);
        if lines.is_empty() || tokens.is_empty() {
            break;
        }
        let n = lines.len();
        text = match change {
            Change::DropLine(at) => {
                lines.remove(at.index(n));
                lines.concat()
            }
            Change::DoubleLine(at) => {
                lines.insert(at.index(n), lines[at.index(n)]);
                lines.concat()
            }
            Change::SwapLines(a, b) => {
                lines.swap(a.index(n), b.index(n));
                lines.concat()
            }
            Change::DropToken(at) => replaced(&text, &tokens[at.index(tokens.len())], ""),
            Change::ReplaceToken(at, word) => replaced(&text, &tokens[at.index(tokens.len())], word),
            Change::TakeTokenFrom(a, b) => {
                let word = text[tokens[b.index(tokens.len())].clone()].to_owned();
                replaced(&text, &tokens[a.index(tokens.len())], &word)
            }
            Change::Cut(at) => text.chars().take(at.index(text.chars().count())).collect(),
            Change::Insert(at, c) => {
                let place = at.index(text.chars().count());
                text.chars().take(place).chain([*c]).chain(text.chars().skip(place)).collect()
            }
        };
    }
    text
}

fn replaced(text: &str, range: &std::ops::Range<usize>, with: &str) -> String {
    format!("{}{with}{}", &text[..range.start], &text[range.end..])
}

fn read_document(text: &str, operation: &str) -> Result<(), TestCaseError> {
    let source = Source::new("document.yaml", text);
    let place = Place { source: Arc::clone(&source), span: 0..1 };
    match document::load(&source, operation, &place) {
        Ok(operation) => {
            let values =
                [serde_json::json!(null), serde_json::json!({"kind": "book", "id": []}), serde_json::json!("a")];
            let sent = operation.bodies.iter().map(|b| &b.schema).chain(operation.parameters.iter().map(|p| &p.schema));
            let came = operation.responses.iter().flat_map(|r| &r.content).filter_map(|m| m.schema.as_ref());
            for schema in sent.chain(came) {
                let _ = (schema.json(), schema.mentions("oneOf"), schema.reaches(&["a".to_owned(), "b".to_owned()]));
                for value in &values {
                    let _ = (schema.violations(value), schema.excesses(value));
                }
            }
            let _ = operation.unsupported_lines();
            Ok(())
        }
        Err(error) => speaks(&error),
    }
}

fn read_cases(text: &str) -> Result<(), TestCaseError> {
    let vocabulary =
        Vocabulary::new(OPPORTUNITIES.contract.defines.timely().chain([("far", false), ("express", false)]));
    match case_files::read(&[Source::new("cases.yaml", text)], &vocabulary, &OPPORTUNITIES.contract.operation, &[]) {
        Ok(_) => Ok(()),
        Err(error) => speaks(&error),
    }
}

fn read_settings(text: &str) -> Result<(), TestCaseError> {
    let overrides = Overrides::default();
    match Settings::read(Some(Source::new("probity.toml", text)), &overrides, &|name| {
        (name != "GONE").then(|| "t".to_owned())
    }) {
        Ok(settings) => match settings.check_fixtures(&OPPORTUNITIES.contract.fixtures) {
            Ok(()) => Ok(()),
            Err(error) => speaks(&error),
        },
        Err(error) => speaks(&error),
    }
}

proptest! {
    #![proptest_config(cases(200))]

    #[test]
    fn any_text_is_read_or_refused(text in any::<String>(), lines in "(([ ]{0,4}(- )?[a-z$]{1,6}: ?[\\[\\]{}'\"&*|>a-z0-9.:,#/-]{0,9}\n){0,12})") {
        for text in [&text, &lines] {
            read_document(text, "x")?;
            read_cases(text)?;
            read_settings(text)?;
        }
    }

    #[test]
    fn limits_beyond_every_float_are_read_or_refused(which in 0_usize..2, at in any::<Index>(), limit in select(&["1e400", "-1e400", "1e-400", "123456789012345678901234567890"][..])) {
        let (operation, text) = &DOCUMENTS[which];
        let limits: Vec<_> = text.match_indices("imum: ").chain(text.match_indices("Length: ")).collect();
        let (begin, word) = limits[at.index(limits.len())];
        let begin = begin + word.len();
        let end = begin + text[begin..].find(['\n', ',', ' ']).expect("the end of a number");
        read_document(&format!("{}{limit}{}", &text[..begin], &text[end..]), operation)?;
    }

    #[test]
    fn mutilated_documents_are_read_or_refused(which in 0_usize..5, changes in changes()) {
        let (operation, text) = &DOCUMENTS[which];
        read_document(&changed(text, &changes), operation)?;
    }

    #[test]
    fn mutilated_cases_are_read_or_refused(which in any::<Index>(), changes in changes()) {
        read_cases(&changed(&CASE_FILES[which.index(CASE_FILES.len())], &changes))?;
    }

    #[test]
    fn mutilated_settings_are_read_or_refused(changes in changes()) {
        read_settings(&changed(&reference::settings_toml("http://127.0.0.1:1"), &changes))?;
    }

    /// Errors point into texts, also where the place is none.
    #[test]
    fn errors_are_drawn_wherever_they_point(text in any::<String>(), from in 0_usize..300, to in 0_usize..300, title in any::<String>()) {
        let place = Place { source: Source::new("t", text), span: from..to };
        let error = place.error(title).label("here").help("there");
        let _ = (error.render(false), error.render(true), place.line(), place.to_string());
    }
}

proptest! {
    #![proptest_config(cases(25))]

    /// A whole contract that is read is planned and looked over for defects, too, within bounds.
    #[test]
    fn mutilated_contracts_are_planned_or_refused(which in any::<Index>(), changes in changes(), fixtures in changes()) {
        let copy = tempfile::tempdir().unwrap();
        let files = read_all(&folder());
        let chosen = which.index(files.len() + 4);
        for (n, (path, text)) in files.iter().enumerate() {
            // The document and contract.yaml more often than the cases.
            let document = path.ends_with("openapi.yaml") && chosen >= files.len();
            let text = if n == chosen || document { changed(text, &changes) } else { text.clone() };
            std::fs::write(copy.path().join(path.file_name().unwrap()), text).unwrap();
        }
        let contract = match Contract::load(&Location::Folder(copy.path().to_owned())) {
            Ok(contract) => contract,
            Err(error) => return speaks(&error),
        };
        let mut values = orders_fixtures();
        if chosen % 3 == 0 {
            let text = changed(&values.to_string(), &fixtures);
            values = serde_json::from_str(&text).unwrap_or(values);
        }
        let fixtures = Fixtures::new(&contract, values, vec!["caller".to_owned(), "deputy".to_owned()]);
        let options = Options { seed: Seed(1), examples: 4, selection: Selection::default() };
        match Plan::new(&contract, &fixtures, &options, some_day()) {
            Ok(plan) => match probity::lint::expressions(&contract, &fixtures, &plan, some_day()) {
                Ok(()) => {
                    let judge = probity::judge::Judge { contract: &contract, fixtures: &fixtures };
                    let _ = (plan.pair(judge, 0), plan.requests());
                    let _ = probity::lint::examples(&contract, &fixtures, some_day());
                }
                Err(error) => speaks(&error)?,
            },
            Err(error) => speaks(&error)?,
        }
    }
}
