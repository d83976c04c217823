//! Envelope vectors.

use std::collections::BTreeSet;

use bulla_testkit::envelope::read::{Secret, authoritative_copy, open};
use bulla_testkit::vectors::envelope::{self, DIRECTORY, FORMAT, Outcome, Vector, all, generate};
use serde_json::Value;

use crate::files;

#[test]
fn files_are_up_to_date() {
    files::assert_up_to_date(DIRECTORY, &generate());
}

#[test]
fn files_parse_to_the_generated_vectors() {
    let parsed: Vec<Vector> =
        generate().values().flat_map(|json| files::parse(FORMAT, json)).collect();
    assert!(parsed == all());
}

#[test]
fn enough_vectors_with_plain_names() {
    let all = all();
    let negative = all.iter().filter(|vector| matches!(vector.outcome, Outcome::Error(_))).count();
    assert!(all.len() >= 70 && negative >= 40, "{} vectors, {negative} negative", all.len());
    files::assert_names_and_comments(all.iter().map(|v| (&v.name[..], &v.comment[..])));
    assert!(all.iter().all(|vector| vector.clause.starts_with("E-")));
}

/// The reference confirms every stated outcome (E-2.1 to E-2.6, E-3.2 to E-3.5, E-4.1 to E-4.5,
/// E-5.1, E-5.2). It does not apply the OpaqueString profile, which one vector needs.
#[test]
fn reference_confirms_every_outcome() {
    for vector in all().iter().filter(|vector| vector.name != "passphrase_is_composed") {
        let secret = match &vector.secret {
            envelope::Secret::RecoveryKey(key) => Secret::Key(key.first_chunk().unwrap()),
            envelope::Secret::Passphrase(text) => Secret::Passphrase(text),
        };
        let header = vector.header.first_chunk().unwrap();
        let opened = authoritative_copy(&vector.first, vector.second.as_deref()).and_then(
            |(envelope, copies)| {
                open(envelope, header, vector.context.as_deref(), secret)
                    .map(|opened| (opened, copies))
            },
        );
        match (opened, &vector.outcome) {
            (Ok((opened, copies)), Outcome::Ok(expected)) => {
                assert_eq!(opened.key[..], expected.container_key[..], "{}", vector.name);
                assert_eq!(
                    (opened.slot, opened.intact),
                    (expected.slot, expected.intact),
                    "{}",
                    vector.name
                );
                assert_eq!(copies, expected.copies, "{}", vector.name);
            }
            (Err(error), Outcome::Error(expected)) => {
                assert_eq!(error, expected, "{}", vector.name)
            }
            (opened, _) => panic!("{}: {opened:?}", vector.name),
        }
    }
}

/// The README describes every member, error and state of the copies that occurs.
#[test]
fn readme_describes_every_member() {
    let mut words = BTreeSet::new();
    for json in generate().values() {
        let file: Value = serde_json::from_str(json).unwrap();
        files::visit_members(&file["vectors"], &mut |name, member, _| {
            words.insert(name.to_owned());
            if let ("copies" | "error", Value::String(word)) = (name, member) {
                words.insert(word.clone());
            }
        });
    }
    files::assert_described("## Envelopes", &words);
}
