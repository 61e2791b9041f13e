//! The schemas of what people write: they take every file that is here, and nothing that the loader does not know.

use std::path::{Path, PathBuf};

use probity::contract::{Contract, Location};
use serde_json::{Value, json};

use crate::support::schema::{Schema, toml, yaml};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The folders of contracts.
fn contracts() -> Vec<PathBuf> {
    let folders = |folder: &str| std::fs::read_dir(root().join(folder)).expect("a folder");
    let all = folders("cases").chain(folders("tests/contracts")).map(|entry| entry.expect("an entry").path());
    let mut all: Vec<PathBuf> = all.filter(|path| path.join("contract.yaml").is_file()).collect();
    all.sort();
    assert!(all.len() >= 3, "{all:?}");
    all
}

/// The case files of a contract: its YAML without `contract.yaml` and its document.
fn case_files(folder: &Path) -> Vec<PathBuf> {
    let document = yaml(&std::fs::read_to_string(folder.join("contract.yaml")).expect("a file"))["spec"].clone();
    let entries = std::fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").path());
    let is_cases = |path: &PathBuf| {
        let name = path.file_name().expect("a name").to_string_lossy();
        name.ends_with(".yaml") && name != "contract.yaml" && document != *name
    };
    let mut all: Vec<PathBuf> = entries.filter(is_cases).collect();
    all.sort();
    all
}

#[test]
fn every_contract_here_fits() {
    let (contract, cases) = (Schema::of("contract"), Schema::of("cases"));
    for folder in contracts() {
        let read = |path: &Path| yaml(&std::fs::read_to_string(path).expect("a file"));
        let file = folder.join("contract.yaml");
        contract.fits(&file.display().to_string(), &read(&file));
        for file in case_files(&folder) {
            cases.fits(&file.display().to_string(), &read(&file));
        }
    }
}

/// The blocks of a language in a page.
fn blocks(page: &str, language: &str) -> Vec<String> {
    let fence = format!("```{language}\n");
    page.split(&fence).skip(1).map(|rest| rest.split("```").next().unwrap_or_default().to_owned()).collect()
}

#[test]
fn the_examples_of_the_pages_fit() {
    let (settings, contract, cases) = (Schema::of("settings"), Schema::of("contract"), Schema::of("cases"));
    let (mut tables, mut contracts, mut lists) = (0, 0, 0);
    let pages = std::fs::read_dir(root().join("docs")).expect("a folder").map(|entry| entry.expect("an entry").path());
    for page in pages.chain([root().join("README.md")]) {
        let (name, text) = (page.display().to_string(), std::fs::read_to_string(&page).expect("a page"));
        // Tables of Cargo.toml and lists of waivers are no settings.
        for block in blocks(&text, "toml").iter().filter(|block| !block.contains("[dev-") && !block.contains("[[")) {
            settings.fits(&name, &toml(block));
            tables += 1;
        }
        for block in blocks(&text, "yaml") {
            if block.starts_with("- id: ") {
                cases.fits(&name, &yaml(&block));
                lists += 1;
            } else if ["spec:", "lookup:", "operation:"].iter().any(|key| block.starts_with(key)) {
                // A page may show a part of a contract.
                let mut whole = json!({ "spec": "x", "operation": "x" });
                let part = yaml(&block);
                let entries = part.as_object().expect("a map").clone();
                whole.as_object_mut().expect("a map").extend(entries);
                contract.fits(&name, &whole);
                contracts += 1;
            }
        }
    }
    assert!(tables >= 4 && contracts >= 3 && lists >= 6, "{tables} {contracts} {lists}");
}

/// The pointers of all maps in a value.
fn maps(value: &Value, at: &str, all: &mut Vec<String>) {
    match value {
        Value::Object(map) => {
            all.push(at.to_owned());
            for (name, value) in map {
                maps(value, &format!("{at}/{}", name.replace('~', "~0").replace('/', "~1")), all);
            }
        }
        Value::Array(items) => {
            items.iter().enumerate().for_each(|(place, value)| maps(value, &format!("{at}/{place}"), all));
        }
        _ => {}
    }
}

/// Each map of a file gets a key that nobody knows: where the loader says so, the schema must, and the other way round.
fn agree(schema: &Schema, folder: &Path, file: &Path) -> usize {
    let text = std::fs::read_to_string(file).expect("a file");
    let whole = yaml(&text);
    let (mut all, mut refused) = (Vec::new(), 0);
    maps(&whole, "", &mut all);
    for at in all {
        let mut changed = whole.clone();
        let map = changed.pointer_mut(&at).and_then(Value::as_object_mut).expect("a map");
        map.insert("nobody_knows".to_owned(), json!("1"));
        std::fs::write(file, changed.to_string()).expect("a file");
        let error = Contract::load(&Location::Folder(folder.to_owned())).map_err(|error| error.to_string()).err();
        let unknown = error.as_ref().is_some_and(|error| error.contains("unknown key"));
        // A step with two names is no step: the loader has other words for it.
        let named =
            error.as_ref().is_some_and(|error| error.contains("one key, its name") || error.contains("have one name"));
        assert_eq!(schema.takes(&changed), !(unknown || named), "{} at {at}: {error:?}", file.display());
        refused += usize::from(unknown);
    }
    std::fs::write(file, text).expect("a file");
    refused
}

#[test]
fn loader_and_schema_refuse_the_same_keys() {
    let (contract, cases) = (Schema::of("contract"), Schema::of("cases"));
    let from = root().join("tests/contracts/replace-order");
    let folder = tempfile::tempdir().expect("a folder");
    for entry in std::fs::read_dir(&from).expect("a folder") {
        let path = entry.expect("an entry").path();
        std::fs::copy(&path, folder.path().join(path.file_name().expect("a name"))).expect("a copy");
    }
    let mut refused = agree(&contract, folder.path(), &folder.path().join("contract.yaml"));
    for file in case_files(folder.path()) {
        refused += agree(&cases, folder.path(), &file);
    }
    assert!(refused > 30, "{refused}");
}
