//! The files in spec/vectors/envelope are the generator's, and the page beside them describes them.

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;

use bulla_testkit::envelope::read::{Secret, counts, open};
use bulla_testkit::vectors::envelopes::{
    self, DIRECTORY, FORMAT, Outcome, VERSION, VectorFile, all, generate,
};
use serde_json::Value;

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
        // Not assert_eq: a hundred kilobytes twice would hide the name.
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
    let mut read = Vec::new();
    for json in generate().values() {
        let file: VectorFile = serde_json::from_str(json).unwrap();
        assert_eq!((&file.format[..], file.version), (FORMAT, VERSION));
        read.extend(file.vectors);
    }
    assert!(read == all());
}

#[test]
fn counts_and_names() {
    let all = all();
    let negative = all.iter().filter(|vector| matches!(vector.outcome, Outcome::Error(_))).count();
    assert!(all.len() >= 70 && negative >= 40, "{} vectors, {negative} negative", all.len());
    let names: BTreeSet<&str> = all.iter().map(|vector| &vector.name[..]).collect();
    assert_eq!(names.len(), all.len(), "two vectors have one name");
    for vector in &all {
        let telling = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
        assert!(vector.name.chars().all(telling), "{}", vector.name);
        assert!(vector.comment.ends_with('.'), "{}", vector.name);
        assert!(vector.clause.starts_with("E-"), "{}", vector.name);
    }
}

/// E-2.1 to E-2.6, E-3.2 to E-3.5, E-4.1 to E-4.5, E-5.1, E-5.2: the slow reader comes to what is
/// stated. What is typed is an OpaqueString already, in all vectors but one.
#[test]
fn slow_reader_comes_to_every_outcome() {
    for vector in all().iter().filter(|vector| vector.name != "passphrase_is_composed") {
        let secret = match &vector.secret {
            envelopes::Secret::RecoveryKey(key) => Secret::Key(key.first_chunk().unwrap()),
            envelopes::Secret::Passphrase(text) => Secret::Passphrase(text),
        };
        let header = vector.header.first_chunk().unwrap();
        let opened =
            counts(&vector.first, vector.second.as_deref()).and_then(|(envelope, copies)| {
                open(envelope, header, vector.context.as_deref(), secret)
                    .map(|opened| (opened, copies))
            });
        match (opened, &vector.outcome) {
            (Ok((opened, copies)), Outcome::Ok(stated)) => {
                assert_eq!(opened.key[..], stated.container_key[..], "{}", vector.name);
                assert_eq!(
                    (opened.slot, opened.intact),
                    (stated.slot, stated.intact),
                    "{}",
                    vector.name
                );
                assert_eq!(copies, stated.copies, "{}", vector.name);
            }
            (Err(error), Outcome::Error(stated)) => assert_eq!(error, stated, "{}", vector.name),
            (opened, _) => panic!("{}: {opened:?}", vector.name),
        }
    }
}

/// Every member and every word that stands for one of a few is in the page's part on envelopes.
#[test]
fn readme_describes_every_field() {
    let page = fs::read_to_string(directory().join("README.md")).unwrap();
    let (_, page) = page.split_once("## Envelopes").unwrap();
    let mut words = BTreeSet::new();
    for json in generate().values() {
        let file: Value = serde_json::from_str(json).unwrap();
        collect(&file["vectors"], &mut words);
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
                if let ("copies" | "error", Value::String(word)) = (&name[..], value) {
                    words.insert(word.clone());
                }
                collect(value, words);
            }
        }
        _ => {}
    }
}
