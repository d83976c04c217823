//! Checks that every normative clause of the specifications is cited by a test, and that every
//! citation in the source names an existing clause.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// The specifications and the prefixes of their clauses.
const SPECIFICATIONS: [(&str, &str); 4] = [
    ("spec/FORMAT.md", "F-"),
    ("spec/ARCHIVE.md", "A-"),
    ("spec/ENVELOPE.md", "E-"),
    ("spec/VAULT.md", "V-"),
];

/// Returns the clauses with the given prefix that `text` cites, such as `F-7.2`.
fn clauses(text: &str, prefix: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for (at, _) in text.match_indices(prefix) {
        let preceded = text[..at].chars().next_back().is_some_and(char::is_alphanumeric);
        let number: String =
            text[at + 2..].chars().take_while(|c| c.is_ascii_digit() || *c == '.').collect();
        let number = number.trim_end_matches('.');
        if !preceded
            && number.split('.').count() == 2
            && number.split('.').all(|part| !part.is_empty())
        {
            found.insert(format!("{prefix}{number}"));
        }
    }
    found
}

/// Returns the clauses that a specification defines.
fn defined(page: &str, prefix: &str) -> BTreeSet<String> {
    let spec = std::fs::read_to_string(root().join(page)).unwrap();
    let heads = spec.split("**").filter(|bold| bold.starts_with(prefix) && bold.len() < 8);
    heads.flat_map(|head| clauses(head, prefix)).collect()
}

/// Adds the paths of all Rust files in `directory` and its subdirectories to `found`.
fn sources(directory: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() && !path.ends_with("target") {
            sources(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

/// Returns the part of a source file that contains tests. In a `tests` directory, this is the whole
/// file. Elsewhere, it starts at the first `#[cfg(test)]` or `#[cfg(all(test,`.
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
    // The path has to be canonical, because the unresolved root has a `tests` component.
    let root = root().canonicalize().unwrap();
    let mut paths = Vec::new();
    for directory in ["crates", "tests"] {
        sources(&root.join(directory), &mut paths);
    }
    paths.retain(|path| !path.ends_with("clauses.rs"));
    for (page, prefix) in SPECIFICATIONS {
        let defined = defined(page, prefix);
        assert!(defined.len() > 20, "{defined:?}");
        let mut tested = BTreeSet::new();
        for path in &paths {
            let text = std::fs::read_to_string(path).unwrap();
            let path = path.strip_prefix(&root).unwrap();
            tested.extend(clauses(test_part(path, &text), prefix));
            let unknown: Vec<_> = clauses(&text, prefix).difference(&defined).cloned().collect();
            assert!(unknown.is_empty(), "{} cites unknown clauses: {unknown:?}", path.display());
        }
        let untested: Vec<_> = defined.difference(&tested).collect();
        assert!(untested.is_empty(), "no test cites these clauses of {page}: {untested:?}");
    }
}
