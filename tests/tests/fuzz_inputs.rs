//! Replays the seeds and regressions of the fuzz targets through the targets' oracles, on stable
//! Rust.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::panic::catch_unwind;
use std::path::{Path, PathBuf};

use bulla_testkit::oracles::{self, Oracle, seeds};

fn fuzz() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz")
}

/// Returns the contents of the files in a directory, by file name.
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

/// Runs an oracle on every input in a directory, and panics with the names of the inputs that fail.
fn replay(directory: &str, target: &str, oracle: Oracle) {
    let inputs = files(&fuzz().join(directory).join(target));
    assert!(!inputs.is_empty(), "fuzz/{directory}/{target} has no inputs");
    let fails = |bytes: &[u8]| catch_unwind(|| oracle(bytes)).is_err();
    let failed: Vec<_> =
        inputs.iter().filter(|(_, bytes)| fails(bytes)).map(|(name, _)| name).collect();
    assert!(failed.is_empty(), "fuzz/{directory}/{target}: failed inputs: {failed:?}");
}

#[test]
fn every_target_accepts_its_seeds() {
    for (target, oracle) in oracles::ALL {
        replay("seeds", target, oracle);
    }
}

#[test]
fn every_target_accepts_its_regressions() {
    for (target, oracle) in oracles::ALL {
        replay("regressions", target, oracle);
    }
}

/// The target whose oracle is in the vault server. The server's own tests replay its inputs.
const SERVER_TARGET: &str = "vault_records";

/// Targets, oracles and input directories correspond one to one, and each target calls its oracle.
#[test]
fn targets_oracles_and_directories_correspond() {
    let all_names = oracles::ALL.iter().map(|(name, _)| *name).chain([SERVER_TARGET]);
    let oracles: BTreeSet<_> = all_names.map(str::to_owned).collect();
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
            source.contains(&format!("oracles::{name}(")) || name == SERVER_TARGET,
            "{name}.rs does not call its oracle"
        );
        assert!(
            manifest.contains(&format!("\"fuzz_targets/{name}.rs\"")),
            "fuzz/Cargo.toml does not list {name}"
        );
    }
}

/// The committed seeds are the ones that the generator writes, with at most 100 for each target.
#[test]
fn seeds_are_up_to_date() {
    let generated = seeds::generate();
    assert_eq!(generated.len(), oracles::ALL.len());
    for (target, seeds) in generated {
        assert!((1..=100).contains(&seeds.len()), "{target}: {} seeds", seeds.len());
        let found = files(&fuzz().join("seeds").join(target));
        let same = found == seeds;
        assert!(
            same,
            "{target}: outdated; run `cargo run -p bulla-testkit --features vault --bin seeds`"
        );
    }
}
