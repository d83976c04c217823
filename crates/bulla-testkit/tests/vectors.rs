//! The files in spec/vectors are the generator's, and their page describes them.

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;

use bulla_testkit::vectors::{
    FORMAT, Outcome, VERSION, VectorFile, all, archive, bytes, envelopes, generate, vault,
};
use serde_json::Value;
use sha2::{Digest, Sha256};

const HOW_TO: &str =
    "if the change is meant, write them anew: cargo run -p bulla-testkit --bin vectors";

fn directory() -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../spec/vectors"))
}

#[test]
fn files_are_up_to_date() {
    for (name, json) in generate() {
        let file = fs::read_to_string(directory().join(name)).unwrap_or_default();
        // Not assert_eq: a hundred kilobytes twice would hide the name.
        assert!(file == json, "spec/vectors/{name} is not what the generator makes; {HOW_TO}");
    }
}

#[test]
fn no_stray_files() {
    let mut known: BTreeSet<String> = generate().into_keys().map(String::from).collect();
    known.insert("README.md".into());
    known.insert(archive::DIRECTORY.into()); // tests/archive_vectors.rs looks into it
    known.insert(envelopes::DIRECTORY.into()); // and tests/envelope_vectors.rs into that
    known.insert(vault::DIRECTORY.into()); // and tests/vault_vectors.rs into this
    for entry in fs::read_dir(directory()).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        assert!(known.contains(&name), "spec/vectors/{name} is no file of the generator's");
    }
}

#[test]
fn files_are_read_as_they_are_written() {
    let all = all();
    let mut read = Vec::new();
    for json in generate().values() {
        let file: VectorFile = serde_json::from_str(json).unwrap();
        assert_eq!((&file.format[..], file.version), (FORMAT, VERSION));
        read.extend(file.vectors);
    }
    assert!(read == all);
}

/// A vector is negative if it does not open with positional access; a stream opens fewer still.
#[test]
fn counts_and_names() {
    let all = all();
    let negative =
        all.iter().filter(|vector| matches!(vector.positional, Outcome::Error(_))).count();
    assert!(all.len() >= 60 && negative >= 35, "{} vectors, {negative} negative", all.len());
    let names: BTreeSet<&str> = all.iter().map(|vector| &vector.name[..]).collect();
    assert_eq!(names.len(), all.len(), "two vectors have one name");
    for vector in &all {
        let telling = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
        assert!(vector.name.chars().all(telling), "{}", vector.name);
        assert!(vector.comment.ends_with('.'), "{}", vector.name);
    }
}

/// Every member, every error and every state of the copies that occurs is in the page's tables.
#[test]
fn readme_describes_every_field() {
    let page = fs::read_to_string(directory().join("README.md")).unwrap();
    let mut words = BTreeSet::new();
    for json in generate().values() {
        collect(&serde_json::from_str(json).unwrap(), &mut words);
    }
    let missing: Vec<_> =
        words.iter().filter(|word| !page.contains(&format!("`{word}`"))).collect();
    assert!(missing.is_empty(), "spec/vectors/README.md does not say what these are: {missing:?}");
}

/// The names of members, and the values of those that are one word of a few.
fn collect(value: &Value, words: &mut BTreeSet<String>) {
    match value {
        Value::Array(values) => values.iter().for_each(|value| collect(value, words)),
        Value::Object(members) => {
            for (name, value) in members {
                words.insert(name.clone());
                if let ("copies", Value::String(word)) = (&name[..], value) {
                    words.insert(word.clone());
                }
                if let ("error", Some(Value::String(word))) = (&name[..], value.get("name")) {
                    words.insert(word.clone());
                }
                collect(value, words);
            }
        }
        _ => {}
    }
}

/// What the page says of the bytes that look random.
#[test]
fn bytes_follow_from_labels() {
    let block = |i: u8| Sha256::digest([b"bulla vectors v1\0key\0\0\0\0", &[i][..]].concat());
    let expected: Vec<u8> = (0..3).flat_map(block).collect();
    assert_eq!(bytes("key", 96), expected);
    assert_eq!(all()[0].key[..], expected[..32]);
}
