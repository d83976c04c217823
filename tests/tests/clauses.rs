//! The spec and the tests belong together: every normative clause is cited by a test, and every citation, wherever it
//! stands, names a clause that exists.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// Clauses as in `F-7.2`.
fn clauses(text: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for (at, _) in text.match_indices("F-") {
        let preceded = text[..at].chars().next_back().is_some_and(char::is_alphanumeric);
        let number: String = text[at + 2..].chars().take_while(|c| c.is_ascii_digit() || *c == '.').collect();
        let number = number.trim_end_matches('.');
        if !preceded && number.split('.').count() == 2 && number.split('.').all(|part| !part.is_empty()) {
            found.insert(format!("F-{number}"));
        }
    }
    found
}

fn defined() -> BTreeSet<String> {
    let spec = std::fs::read_to_string(root().join("spec/FORMAT.md")).unwrap();
    spec.split("**").filter(|bold| bold.starts_with("F-") && bold.len() < 8).flat_map(clauses).collect()
}

fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() && !path.ends_with("target") {
            sources(&path, found);
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            found.push(path);
        }
    }
}

/// The part of a source that is tests: all of a file in a `tests` folder, else what follows `#[cfg(test)]`.
fn test_part<'t>(path: &Path, text: &'t str) -> &'t str {
    if path.components().any(|part| part.as_os_str() == "tests") {
        return text;
    }
    text.find("#[cfg(test)]").map_or("", |at| &text[at..])
}

#[test]
fn every_clause_is_cited_by_a_test() {
    let defined = defined();
    assert!(defined.len() > 30, "{defined:?}");
    let mut paths = Vec::new();
    for folder in ["crates", "tests"] {
        // Without the dots of the path to the root, which would count as a folder named tests.
        sources(&root().canonicalize().unwrap().join(folder), &mut paths);
    }
    let root = root().canonicalize().unwrap();
    let mut tested = BTreeSet::new();
    for path in paths {
        let text = std::fs::read_to_string(&path).unwrap();
        let path = path.strip_prefix(&root).unwrap();
        if !path.ends_with("clauses.rs") {
            tested.extend(clauses(test_part(path, &text)));
            let unknown: Vec<_> = clauses(&text).difference(&defined).cloned().collect();
            assert!(unknown.is_empty(), "{} cites clauses that do not exist: {unknown:?}", path.display());
        }
    }
    let untested: Vec<_> = defined.difference(&tested).collect();
    assert!(untested.is_empty(), "clauses of spec/FORMAT.md that no test cites: {untested:?}");
}
