//! Replays the seeds and regressions of the `vault_records` fuzz target on the stable toolchain.

#![allow(clippy::unwrap_used, reason = "a test may unwrap")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::panic::catch_unwind;
use std::path::{Path, PathBuf};

use bulla_vaultd::oracle::{DECODERS, accepted, seeds, vault_records};

fn directory(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz").join(name).join("vault_records")
}

/// Returns a directory's files, keyed by name.
fn files(directory: &Path) -> BTreeMap<String, Vec<u8>> {
    let entries =
        fs::read_dir(directory).unwrap_or_else(|error| panic!("{}: {error}", directory.display()));
    let file = |path: PathBuf| {
        (path.file_name().unwrap().to_str().unwrap().to_owned(), fs::read(&path).unwrap())
    };
    entries.map(|entry| file(entry.unwrap().path())).collect()
}

#[test]
fn seeds_and_regressions_pass() {
    for name in ["seeds", "regressions"] {
        let inputs = files(&directory(name));
        assert!(!inputs.is_empty(), "fuzz/{name}/vault_records has no inputs");
        let fails = |bytes: &[u8]| catch_unwind(|| vault_records(bytes)).is_err();
        let failed: Vec<_> =
            inputs.iter().filter(|(_, bytes)| fails(bytes)).map(|(name, _)| name).collect();
        assert!(failed.is_empty(), "fuzz/{name}/vault_records: {failed:?}");
    }
}

/// If a decoder rejected all its seeds, the fuzzer would have to find valid inputs by chance.
#[test]
fn every_decoder_accepts_a_seed() {
    let seeds = files(&directory("seeds"));
    let taken: BTreeSet<_> = seeds.values().filter_map(|bytes| accepted(bytes)).collect();
    assert_eq!(taken, DECODERS.iter().map(|(name, _)| *name).collect());
    let refused: Vec<_> =
        seeds.iter().filter(|(_, bytes)| accepted(bytes).is_none()).map(|(name, _)| name).collect();
    assert!(refused.is_empty(), "{refused:?}");
}

#[test]
fn seeds_are_up_to_date() {
    let same = files(&directory("seeds")) == seeds::generate();
    assert!(
        same,
        "outdated seeds: run `cargo test -p bulla-vaultd --test fuzz_inputs -- --ignored`"
    );
}

/// A decoder does not trust a length before it has the bytes: a frame that claims the maximum
/// length is rejected.
#[test]
fn rejects_hostile_lengths() {
    let regressions = files(&directory("regressions"));
    let hostile: Vec<_> = regressions.iter().filter(|(name, _)| name.contains("length")).collect();
    assert!(!hostile.is_empty());
    for (name, bytes) in hostile {
        assert!(accepted(bytes).is_none(), "{name}");
    }
}

#[test]
#[ignore = "writes the seeds"]
fn write_seeds() {
    let directory = directory("seeds");
    fs::create_dir_all(&directory).unwrap();
    for (name, bytes) in seeds::generate() {
        fs::write(directory.join(name), bytes).unwrap();
    }
}
