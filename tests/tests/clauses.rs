//! The spec and the tests belong together: every normative clause is cited by a test, and every
//! citation, wherever it stands, names a clause that exists.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// The pages with clauses, and the letter that these begin with.
const PAGES: [(&str, &str); 4] = [
    ("spec/FORMAT.md", "F-"),
    ("spec/ARCHIVE.md", "A-"),
    ("spec/ENVELOPE.md", "E-"),
    ("spec/VAULT.md", "V-"),
];

/// Clauses as in `F-7.2`, of one page.
fn clauses(text: &str, letter: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for (at, _) in text.match_indices(letter) {
        let preceded = text[..at].chars().next_back().is_some_and(char::is_alphanumeric);
        let number: String =
            text[at + 2..].chars().take_while(|c| c.is_ascii_digit() || *c == '.').collect();
        let number = number.trim_end_matches('.');
        if !preceded
            && number.split('.').count() == 2
            && number.split('.').all(|part| !part.is_empty())
        {
            found.insert(format!("{letter}{number}"));
        }
    }
    found
}

fn defined(page: &str, letter: &str) -> BTreeSet<String> {
    let spec = std::fs::read_to_string(root().join(page)).unwrap();
    let heads = spec.split("**").filter(|bold| bold.starts_with(letter) && bold.len() < 8);
    heads.flat_map(|head| clauses(head, letter)).collect()
}

fn sources(directory: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() && !path.ends_with("target") {
            sources(&path, found);
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            found.push(path);
        }
    }
}

/// The part of a source that is tests: all of a file in a `tests` directory, else what follows
/// `#[cfg(test)]`, or its like.
fn test_part<'t>(path: &Path, text: &'t str) -> &'t str {
    if path.components().any(|part| part.as_os_str() == "tests") {
        return text;
    }
    let begins = ["#[cfg(test)]", "#[cfg(all(test,"]
        .iter()
        .filter_map(|attribute| text.find(attribute))
        .min();
    begins.map_or("", |at| &text[at..])
}

#[test]
fn every_clause_is_cited_by_a_test() {
    // Without the dots of the path to the root, which would count as a directory named tests.
    let root = root().canonicalize().unwrap();
    let mut paths = Vec::new();
    for directory in ["crates", "tests"] {
        sources(&root.join(directory), &mut paths);
    }
    paths.retain(|path| !path.ends_with("clauses.rs"));
    for (page, letter) in PAGES {
        let defined = defined(page, letter);
        assert!(defined.len() > 20, "{defined:?}");
        let mut tested = BTreeSet::new();
        for path in &paths {
            let text = std::fs::read_to_string(path).unwrap();
            let path = path.strip_prefix(&root).unwrap();
            tested.extend(clauses(test_part(path, &text), letter));
            let unknown: Vec<_> = clauses(&text, letter).difference(&defined).cloned().collect();
            assert!(
                unknown.is_empty(),
                "{} cites clauses that do not exist: {unknown:?}",
                path.display()
            );
        }
        let untested: Vec<_> = defined.difference(&tested).collect();
        assert!(untested.is_empty(), "clauses of {page} that no test cites: {untested:?}");
    }
}
