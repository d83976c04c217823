//! Checks that are the same for every kind of vector.

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;

use bulla_testkit::vectors::{JsonFiles, VERSION, VectorFile, archive, envelope, vault};
use serde::de::DeserializeOwned;
use serde_json::Value;

/// Returns a path within spec/vectors.
fn path(name: &str) -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../spec/vectors")).join(name)
}

/// Checks that a subdirectory of spec/vectors contains the generated files and no others.
pub(crate) fn assert_up_to_date(subdirectory: &str, generated: &JsonFiles) {
    for (name, json) in generated {
        let file = fs::read_to_string(path(subdirectory).join(name)).unwrap_or_default();
        // Not assert_eq, which would print both files, at about a hundred kilobytes each.
        assert!(
            file == *json,
            "spec/vectors/{subdirectory}/{name} differs from the generated file; \
             to update it, run: cargo run -p bulla-testkit --bin vectors"
        );
    }
    let others = ["README.md", archive::DIRECTORY, envelope::DIRECTORY, vault::DIRECTORY];
    for entry in fs::read_dir(path(subdirectory)).expect("a directory") {
        let name = entry.expect("an entry").file_name().into_string().expect("UTF-8");
        let is_known = generated.contains_key(&*name)
            || subdirectory.is_empty() && others.contains(&name.as_str());
        assert!(is_known, "spec/vectors/{subdirectory}/{name} is not a generated file");
    }
}

/// Parses a generated file.
pub(crate) fn parse<V: DeserializeOwned>(format: &str, json: &str) -> Vec<V> {
    let file: VectorFile<V> = serde_json::from_str(json).expect("a vector file");
    assert_eq!((&file.format[..], file.version), (format, VERSION));
    file.vectors
}

/// Checks that names are unique and plain, and that every comment is a sentence.
pub(crate) fn assert_names_and_comments<'v>(vectors: impl Iterator<Item = (&'v str, &'v str)>) {
    let mut names = BTreeSet::new();
    for (name, comment) in vectors {
        let is_plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
        assert!(name.chars().all(is_plain), "{name}");
        assert!(names.insert(name), "two vectors are named {name}");
        assert!(comment.ends_with('.'), "{name}");
    }
}

/// Checks that the README describes every word in the part after `heading`.
pub(crate) fn assert_described(heading: &str, words: &BTreeSet<String>) {
    let readme = fs::read_to_string(path("README.md")).expect("a README");
    let (_, part) = readme.split_once(heading).expect("a heading");
    let missing: Vec<_> =
        words.iter().filter(|word| !part.contains(&format!("`{word}`"))).collect();
    assert!(missing.is_empty(), "spec/vectors/README.md does not describe {missing:?}");
}

/// Calls `visit` for every member of every object within a value.
pub(crate) fn visit_members(value: &Value, visit: &mut impl FnMut(&str, &Value, &Value)) {
    match value {
        Value::Array(values) => values.iter().for_each(|value| visit_members(value, visit)),
        Value::Object(members) => {
            for (name, member) in members {
                visit(name, member, value);
                visit_members(member, visit);
            }
        }
        _ => {}
    }
}
