//! The layers that ARCHITECTURE.md draws, held against the source.

mod source;
mod table;

use std::collections::{BTreeMap, BTreeSet};

use source::Tree;
use table::Table;

/// Circles that are meant: an alternative of a schema has edges of its own, which may be alternatives again.
const MEANT_CIRCLES: &[&[&str]] = &[&["generate/fault/edge", "generate/fault/whole"]];

/// What a module may do only where the table says so, and the words that show it.
const PRIVILEGES: &[(&str, &str)] = &[
    ("clock", r"\b(Utc|Local|SystemTime|Instant)::now\b|\.elapsed\(\)"),
    (
        "sockets",
        r"\b(Tcp|Udp|Unix)(Stream|Listener|Socket)\b|\breqwest::(Client|Request|get)\b|\bhyper::(client|server)\b",
    ),
    ("chance", r"\b(rand|getrandom|fastrand)::|\bRandomState\b|\bTestRng\b"),
    ("domain", r"(?i)opportunit|household|pipeline|advisor|probability|book_id|close.?date|assigned.?to|owner_id"),
];

/// The imports that lead from one module of `src/` to one that stands below it in the table.
fn upward(tree: &Tree, table: &Table) -> Vec<String> {
    let mut all = Vec::new();
    for (file, targets) in tree.imports() {
        for target in targets {
            let (from, to) = (table.rank(top(&file)), table.rank(top(&target)));
            if from.zip(to).is_some_and(|(from, to)| from < to) {
                all.push(format!("{file} uses {target}"));
            }
        }
    }
    all
}

/// The circles of imports between files. A file may use what the modules around it declare (`super::…`): their root is
/// the face of all of its parts.
fn circles(tree: &Tree) -> Vec<Vec<String>> {
    let mut edges: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for (file, targets) in tree.imports() {
        let targets = targets.into_iter().filter(|target| !file.starts_with(&format!("{target}/"))).collect();
        edges.insert(file, targets);
    }
    let reached: BTreeMap<&String, BTreeSet<&String>> =
        edges.keys().map(|file| (file, reachable(&edges, file))).collect();
    let mut all: BTreeSet<Vec<String>> = BTreeSet::new();
    for (file, ahead) in &reached {
        let circle: Vec<String> =
            ahead.iter().filter(|other| reached[**other].contains(file)).map(|f| (*f).clone()).collect();
        if circle.len() > 1 {
            all.insert(circle);
        }
    }
    all.into_iter().collect()
}

fn reachable<'a>(edges: &'a BTreeMap<String, BTreeSet<String>>, from: &str) -> BTreeSet<&'a String> {
    let mut found = BTreeSet::new();
    let mut open = vec![from];
    while let Some(next) = open.pop() {
        for target in edges.get(next).into_iter().flatten() {
            if let Some((target, _)) = edges.get_key_value(target)
                && found.insert(target)
            {
                open.push(target);
            }
        }
    }
    found
}

/// What modules do without the table's leave, and leave that no module takes.
fn privileges(tree: &Tree, table: &Table) -> Vec<String> {
    let mut all = Vec::new();
    for (privilege, pattern) in PRIVILEGES {
        let pattern = regex::Regex::new(pattern).expect("a pattern");
        let mut taken = BTreeSet::new();
        for (file, text) in tree.texts() {
            let Some(found) = pattern.find(text) else { continue };
            taken.insert(top(file).to_owned());
            if !table.allows(top(file), privilege) {
                all.push(format!("{file} is not allowed `{privilege}`: {}", found.as_str()));
            }
        }
        let idle = table.modules().filter(|module| table.allows(module, privilege) && !taken.contains(*module));
        all.extend(idle.map(|module| format!("{module} does not use its leave for `{privilege}`")));
    }
    all
}

fn top(file: &str) -> &str {
    file.split('/').next().unwrap_or_default()
}

#[test]
fn the_table_and_the_crate_name_the_same_modules_in_the_same_order() {
    let (tree, table) = (Tree::of_crate(), Table::of_architecture());
    let modules: BTreeSet<&str> = tree.texts().map(|(file, _)| top(file)).collect();
    let listed: Vec<&str> = table.modules().collect();
    assert_eq!(listed.iter().copied().collect::<BTreeSet<_>>(), modules, "ARCHITECTURE.md, and src/");
    let bullets = include_str!("../../src/lib.rs").lines().filter_map(|line| line.strip_prefix("//! - "));
    let bullets = bullets.flat_map(|line| line.split(':').next().unwrap_or_default().split(", "));
    let bullets: Vec<&str> = bullets.map(|name| name.trim_matches(['[', ']', '`'])).collect();
    assert_eq!(bullets, listed, "the crate's own list, and the table's");
}

#[test]
fn no_import_goes_up() {
    assert_eq!(upward(&Tree::of_crate(), &Table::of_architecture()), [""; 0]);
}

#[test]
fn no_files_import_each_other() {
    assert_eq!(circles(&Tree::of_crate()), MEANT_CIRCLES);
}

#[test]
fn clocks_sockets_chance_and_the_domain_stay_where_they_belong() {
    assert_eq!(privileges(&Tree::of_crate(), &Table::of_architecture()), [""; 0]);
}

#[test]
fn what_breaks_the_layers_is_found() {
    let table =
        Table::read("| module | job | may |\n|---|---|---|\n| `low` | x | |\n| `high` | x | clock, sockets |\n");
    let tree = Tree::of([
        ("low", "use crate::high::{\n    Thing,\n    other::Other,\n};\nfn f() { let household = 1; }"),
        ("high", "pub use part::Part;\nmod part;\nmod twin;"),
        ("high/part", "use super::twin;\nfn f() { Instant::now(); }"),
        ("high/twin", "fn f(part: super::Part) {}\n#[cfg(test)]\nmod tests {\n    use crate::nowhere;\n}"),
    ]);
    assert_eq!(upward(&tree, &table), ["low uses high"]);
    // Through the name that the root gives it, too.
    assert_eq!(circles(&tree), [["high/part", "high/twin"]]);
    assert_eq!(
        privileges(&tree, &table),
        ["high does not use its leave for `sockets`", "low is not allowed `domain`: household"]
    );
}
