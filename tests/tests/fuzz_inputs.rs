//! The fuzz targets' seeds and regressions, replayed on stable through the same oracles.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::panic::catch_unwind;
use std::path::{Path, PathBuf};

use bulla_testkit::oracles::{self, Oracle, seeds};

fn fuzz() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz")
}

/// The files of a directory, by name.
fn files(directory: &Path) -> BTreeMap<String, Vec<u8>> {
    let entries =
        fs::read_dir(directory).unwrap_or_else(|error| panic!("{}: {error}", directory.display()));
    let file = |path: PathBuf| {
        (path.file_name().unwrap().to_str().unwrap().to_owned(), fs::read(&path).unwrap())
    };
    entries.map(|entry| file(entry.unwrap().path())).collect()
}

fn names(directory: &Path) -> BTreeSet<String> {
    let entries = fs::read_dir(directory).unwrap();
    entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
}

/// Lets an oracle judge all inputs of a directory, and names all that it panics on.
fn replay(directory: &str, target: &str, oracle: Oracle) {
    let inputs = files(&fuzz().join(directory).join(target));
    assert!(!inputs.is_empty(), "fuzz/{directory}/{target} has no input");
    let fails = |bytes: &[u8]| catch_unwind(|| oracle(bytes)).is_err();
    let failed: Vec<_> =
        inputs.iter().filter(|(_, bytes)| fails(bytes)).map(|(name, _)| name).collect();
    assert!(failed.is_empty(), "fuzz/{directory}/{target}: {failed:?}");
}

#[test]
fn seeds_of_every_target() {
    for (target, oracle) in oracles::ALL {
        replay("seeds", target, oracle);
    }
}

#[test]
fn regressions_of_every_target() {
    for (target, oracle) in oracles::ALL {
        replay("regressions", target, oracle);
    }
}

/// The vault's server has an oracle of its own, which its own tests replay.
const OF_THE_SERVER: &str = "vault_records";

/// Each oracle has a target that calls it, and directories; and there are no others.
#[test]
fn every_oracle_has_a_target_and_directories() {
    let names_of_all = oracles::ALL.iter().map(|(name, _)| *name).chain([OF_THE_SERVER]);
    let oracles: BTreeSet<_> = names_of_all.map(str::to_owned).collect();
    for directory in ["seeds", "regressions"] {
        assert_eq!(names(&fuzz().join(directory)), oracles, "{directory}");
    }
    let targets = files(&fuzz().join("fuzz_targets"));
    let manifest = fs::read_to_string(fuzz().join("Cargo.toml")).unwrap();
    let expected: BTreeSet<_> = oracles.iter().map(|name| format!("{name}.rs")).collect();
    assert_eq!(targets.keys().cloned().collect::<BTreeSet<_>>(), expected);
    for name in &oracles {
        let source = String::from_utf8_lossy(&targets[&format!("{name}.rs")]).into_owned();
        assert!(
            source.contains(&format!("oracles::{name}(")) || name == OF_THE_SERVER,
            "{name}.rs calls another oracle"
        );
        assert!(
            manifest.contains(&format!("\"fuzz_targets/{name}.rs\"")),
            "{name} is not in Cargo.toml"
        );
    }
}

/// The seeds are those that the command writes, a hundred of a target at most.
#[test]
fn seeds_are_as_generated() {
    let generated = seeds::generate();
    assert_eq!(generated.len(), oracles::ALL.len());
    for (target, seeds) in generated {
        assert!((1..=100).contains(&seeds.len()), "{target}: {} seeds", seeds.len());
        let found = files(&fuzz().join("seeds").join(target));
        let same = found == seeds;
        assert!(same, "{target}: run `cargo run -p bulla-testkit --features vault --bin seeds`");
    }
}
