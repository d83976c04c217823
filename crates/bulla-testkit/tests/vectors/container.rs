//! Container vectors.

use std::collections::BTreeSet;

use bulla_testkit::vectors::bytes;
use bulla_testkit::vectors::container::{FORMAT, Outcome, Vector, all, generate};
use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::files;

#[test]
fn files_are_up_to_date() {
    files::assert_up_to_date("", &generate());
}

#[test]
fn files_parse_to_the_generated_vectors() {
    let parsed: Vec<Vector> =
        generate().values().flat_map(|json| files::parse(FORMAT, json)).collect();
    assert!(parsed == all());
}

/// A vector is negative if positional access fails. A stream opens even fewer vectors.
#[test]
fn enough_vectors_with_plain_names() {
    let all = all();
    let negative =
        all.iter().filter(|vector| matches!(vector.positional, Outcome::Error(_))).count();
    assert!(all.len() >= 60 && negative >= 35, "{} vectors, {negative} negative", all.len());
    files::assert_names_and_comments(all.iter().map(|v| (&v.name[..], &v.comment[..])));
}

/// The README describes every member, error and header state that occurs.
#[test]
fn readme_describes_every_member() {
    let mut words = BTreeSet::new();
    for json in generate().values() {
        let file: Value = serde_json::from_str(json).unwrap();
        files::visit_members(&file, &mut |name, member, _| {
            words.insert(name.to_owned());
            let word = match name {
                "header_state" => member.as_str(),
                "error" => member.get("name").and_then(Value::as_str),
                _ => None,
            };
            words.extend(word.map(str::to_owned));
        });
    }
    files::assert_described("", &words);
}

/// Bytes are derived from labels as the README describes.
#[test]
fn bytes_are_derived_from_labels() {
    let block = |i: u8| Sha256::digest([b"bulla vectors v1\0key\0\0\0\0", &[i][..]].concat());
    let expected: Vec<u8> = (0..3).flat_map(block).collect();
    assert_eq!(bytes("key", 96), expected);
    assert_eq!(all()[0].key[..], expected[..32]);
}
