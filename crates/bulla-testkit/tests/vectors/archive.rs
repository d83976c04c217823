//! Archive vectors.

use std::collections::BTreeSet;

use bulla_testkit::vectors::archive::{DIRECTORY, FORMAT, Step, Vector, all, generate};
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
    let at = |step| {
        all.iter().filter(|vector| vector.error.as_ref().map(|error| error.step) == step).count()
    };
    assert!(at(None) >= 50, "{} positive vectors", at(None));
    for (step, least) in
        [(Step::Open, 40), (Step::List, 60), (Step::Content, 5), (Step::Verify, 40)]
    {
        assert!(at(Some(step)) >= least, "{} vectors fail at {step:?}", at(Some(step)));
    }
    files::assert_names_and_comments(all.iter().map(|v| (&v.name[..], &v.comment[..])));
    assert!(all.iter().all(|vector| vector.clause.starts_with("A-")));
}

/// A vector that fails after listing contains the listed entries, unless a reader may fail earlier.
#[test]
fn entries_are_stated_before_a_later_error() {
    for vector in all() {
        let step = vector.error.as_ref().map(|error| error.step);
        let listed = vector.entries.is_some();
        match step {
            None | Some(Step::Content) => assert!(listed, "{}", vector.name),
            Some(Step::Open | Step::List) => assert!(!listed, "{}", vector.name),
            Some(Step::Verify) => {
                assert!(listed || vector.name.starts_with("rows_"), "{}", vector.name)
            }
        }
    }
}

/// The README describes every member, kind, step, state and error that occurs.
#[test]
fn readme_describes_every_member() {
    let mut words = BTreeSet::new();
    for json in generate().values() {
        let file: Value = serde_json::from_str(json).unwrap();
        files::visit_members(&file["vectors"], &mut |name, member, object| {
            words.insert(name.to_owned());
            let error = object.get("step").and(object.get("name"));
            let states = member.as_array().filter(|_| name == "state").into_iter().flatten();
            let word = Some(member).filter(|_| ["kind", "step"].contains(&name));
            let found = states.chain(word).chain(error).filter_map(Value::as_str);
            words.extend(found.map(str::to_owned));
        });
    }
    files::assert_described("## Archives", &words);
}
