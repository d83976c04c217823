//! Vault vectors.

use std::collections::BTreeSet;

use bulla_testkit::vectors::vault::{
    DIRECTORY, Derivation, FORMAT, Message, derivations, generate, messages,
};
use serde_json::Value;

use crate::files;

#[test]
fn files_are_up_to_date() {
    files::assert_up_to_date(DIRECTORY, &generate());
}

#[test]
fn files_parse_to_the_generated_vectors() {
    let generated = generate();
    assert!(files::parse::<Message>(FORMAT, &generated["messages.json"]) == messages());
    assert!(files::parse::<Derivation>(FORMAT, &generated["derivations.json"]) == derivations());
}

#[test]
fn enough_vectors_with_plain_names() {
    let messages = messages();
    let invalid = messages.iter().filter(|vector| vector.outcome != "ok").count();
    assert!(
        messages.len() >= 100 && invalid >= 60,
        "{} vectors, {invalid} invalid",
        messages.len()
    );
    files::assert_names_and_comments(messages.iter().map(|v| (&v.name[..], &v.comment[..])));
    assert!(messages.iter().all(|vector| vector.clause.starts_with("V-")));
}

/// The README describes every member, message and outcome that occurs.
#[test]
fn readme_describes_every_member() {
    let mut words: BTreeSet<String> = BTreeSet::new();
    for vector in messages() {
        words.extend([vector.message, vector.outcome]);
    }
    for json in generate().values() {
        let file: Value = serde_json::from_str(json).unwrap();
        words.extend(file["vectors"][0].as_object().unwrap().keys().cloned());
    }
    files::assert_described("## Vault", &words);
}
