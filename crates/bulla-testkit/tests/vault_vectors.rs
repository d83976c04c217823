//! The files in spec/vectors/vault are the generator's, and the page beside them describes them.

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;

use bulla_testkit::vectors::vault::{
    DIRECTORY, Derivation, FORMAT, Message, VERSION, VectorFile, derivations, generate, messages,
};

const HOW_TO: &str =
    "if the change is meant, write them anew: cargo run -p bulla-testkit --bin vectors";

fn directory() -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../spec/vectors"))
}

#[test]
fn files_are_up_to_date() {
    let made = generate();
    for (name, json) in &made {
        let file = fs::read_to_string(directory().join(DIRECTORY).join(name)).unwrap_or_default();
        assert!(
            file == *json,
            "spec/vectors/{DIRECTORY}/{name} is not what the generator makes; {HOW_TO}"
        );
    }
    for entry in fs::read_dir(directory().join(DIRECTORY)).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        assert!(
            made.contains_key(&*name),
            "spec/vectors/{DIRECTORY}/{name} is no file of the generator's"
        );
    }
}

#[test]
fn files_are_read_as_they_are_written() {
    let made = generate();
    let read: VectorFile<Message> = serde_json::from_str(&made["messages.json"]).unwrap();
    assert_eq!((&read.format[..], read.version), (FORMAT, VERSION));
    assert!(read.vectors == messages());
    let read: VectorFile<Derivation> = serde_json::from_str(&made["derivations.json"]).unwrap();
    assert_eq!((&read.format[..], read.version), (FORMAT, VERSION));
    assert!(read.vectors == derivations());
}

#[test]
fn counts_and_names() {
    let messages = messages();
    let bad = messages.iter().filter(|vector| vector.outcome != "ok").count();
    assert!(messages.len() >= 100 && bad >= 60, "{} vectors, {bad} bad", messages.len());
    let names: BTreeSet<&str> = messages.iter().map(|vector| &vector.name[..]).collect();
    assert_eq!(names.len(), messages.len(), "two vectors have one name");
    for vector in &messages {
        assert!(
            vector.name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_'),
            "{}",
            vector.name
        );
        assert!(
            vector.comment.ends_with('.') && vector.clause.starts_with("V-"),
            "{}",
            vector.name
        );
    }
}

/// Every member and every word that stands for one of a few is in the page's part on the vault.
#[test]
fn readme_describes_every_field() {
    let page = fs::read_to_string(directory().join("README.md")).unwrap();
    let (_, page) = page.split_once("## Vault").unwrap();
    let mut words: BTreeSet<String> = BTreeSet::new();
    for vector in messages() {
        words.extend([vector.message, vector.outcome]);
    }
    for json in generate().values() {
        let file: serde_json::Value = serde_json::from_str(json).unwrap();
        words.extend(file["vectors"][0].as_object().unwrap().keys().cloned());
    }
    let missing: Vec<_> =
        words.iter().filter(|word| !page.contains(&format!("`{word}`"))).collect();
    assert!(missing.is_empty(), "spec/vectors/README.md does not say what these are: {missing:?}");
}
