//! The files in spec/vectors/archive are the generator's, and the page beside them describes them.

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;

use bulla_testkit::vectors::archive::{
    DIRECTORY, FORMAT, Step, VERSION, VectorFile, all, generate,
};
use serde_json::Value;

const HOW_TO: &str =
    "if the change is meant, write them anew: cargo run -p bulla-testkit --bin vectors";

fn directory() -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../spec/vectors"))
}

#[test]
fn files_are_up_to_date() {
    for (name, json) in generate() {
        let file = fs::read_to_string(directory().join(DIRECTORY).join(name)).unwrap_or_default();
        // Not assert_eq: a hundred kilobytes twice would hide the name.
        assert!(
            file == json,
            "spec/vectors/{DIRECTORY}/{name} is not what the generator makes; {HOW_TO}"
        );
    }
}

#[test]
fn no_stray_files() {
    let known = generate();
    for entry in fs::read_dir(directory().join(DIRECTORY)).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        assert!(
            known.contains_key(&*name),
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
    let at = |step| {
        all.iter().filter(|vector| vector.error.as_ref().map(|error| error.step) == step).count()
    };
    assert!(at(None) >= 50, "{} positive vectors", at(None));
    for (step, least) in
        [(Step::Open, 40), (Step::List, 60), (Step::Content, 5), (Step::Verify, 40)]
    {
        assert!(at(Some(step)) >= least, "{} vectors fail at {step:?}", at(Some(step)));
    }
    let names: BTreeSet<&str> = all.iter().map(|vector| &vector.name[..]).collect();
    assert_eq!(names.len(), all.len(), "two vectors have one name");
    for vector in &all {
        let telling = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
        assert!(vector.name.chars().all(telling), "{}", vector.name);
        assert!(vector.comment.ends_with('.'), "{}", vector.name);
        assert!(vector.clause.starts_with("A-"), "{}", vector.name);
    }
}

/// Where the step that fails comes behind listing, what listing gives is stated, unless a reader
/// may look further ahead.
#[test]
fn what_comes_before_the_error_is_stated() {
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

/// Every member and every word that stands for one of a few is in the page's part on archives.
#[test]
fn readme_describes_every_field() {
    let page = fs::read_to_string(directory().join("README.md")).unwrap();
    let (_, page) = page.split_once("## Archives").unwrap();
    let mut words = BTreeSet::new();
    for json in generate().values() {
        collect(&serde_json::from_str(json).unwrap(), &mut words);
    }
    for of_every_file in ["format", "version", "vectors"] {
        words.remove(of_every_file);
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
                let of_error = value.get("step").and(value.get("name"));
                let of_state = value.as_array().filter(|_| name == "state").into_iter().flatten();
                let word = Some(value).filter(|_| ["kind", "step"].contains(&&**name));
                let found = of_state.chain(word).chain(of_error).filter_map(Value::as_str);
                words.extend(found.map(str::to_owned));
                collect(value, words);
            }
        }
        _ => {}
    }
}
