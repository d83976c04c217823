//! Seeds for fuzzing, derived from the vectors.
//! `cargo run -p bulla-testkit --features vault --bin seeds` writes them to files.

use std::collections::{BTreeMap, BTreeSet};

use super::known::{KEY, MARKER};
use crate::archive;
use crate::reference;
use crate::vectors;

/// The seeds for one target, by name.
pub type Seeds = BTreeMap<String, Vec<u8>>;

/// Maximum length of an ordinary seed, in bytes.
const LEN_MAX: usize = 1100;
/// Maximum length of a long seed, in bytes. Long seeds have several chunks.
const LONG_MAX: usize = 9000;
/// Maximum number of long seeds for one target.
const LONG_COUNT: usize = 4;
/// Maximum number of ordinary seeds for one target.
const COUNT_MAX: usize = 64;
/// Seeds for every target that reads a description.
const DESCRIPTIONS: [(&str, &[u8]); 6] = [
    ("empty", b""),
    ("zeros", &[0; 48]),
    ("ones", &[1; 48]),
    ("high", &[0xFF; 48]),
    ("counting", &COUNTING),
    (
        "letters",
        b"a/b\x01c\x02 directory/file\x03\x04\x05target\x06\x07 name\x08\x09 note\x10\x11\x12",
    ),
];
const COUNTING: [u8; 96] = {
    let mut bytes = [0; 96];
    let mut i = 0;
    while i < bytes.len() {
        bytes[i] = (i * 37) as u8;
        i += 1;
    }
    bytes
};

/// Returns the seeds for every target in [`ALL`](super::ALL), by target name.
///
/// # Panics
/// In the same cases as [`vectors::container::files`].
pub fn generate() -> BTreeMap<&'static str, Seeds> {
    let whole = "plaintext_4097_bytes";
    let all = containers();
    let mut containers = pick(all.clone());
    // Nearly all other vectors with several chunks have a fault.
    containers.insert(whole.to_owned(), all[whole].clone());
    let archives = pick(archives());
    let with_prefix = |seeds: &Seeds, prefix: &[u8]| {
        seeds
            .iter()
            .map(|(name, bytes)| (name.clone(), [prefix, bytes].concat()))
            .collect::<Seeds>()
    };
    let descriptions = || DESCRIPTIONS.map(|(name, bytes)| (name.to_owned(), bytes.to_vec()));
    // Only every other archive is truncated, to keep the number of seeds down.
    let mut salvage = Seeds::new();
    for (i, (name, bytes)) in archives.iter().enumerate() {
        let (name, damage) = match i % 2 {
            0 => (name.clone(), &[0, 0][..]),
            _ => (format!("{name}_truncated"), &[1, 3, 2, 0, 0, 0][..]),
        };
        salvage.insert(name, [damage, bytes].concat());
    }
    salvage.extend(
        descriptions().map(|(name, bytes)| (name, [&[1, 0, 20, 0, 9, 1], &bytes[..]].concat())),
    );
    BTreeMap::from([
        ("header", headers()),
        ("open_stream", containers.clone()),
        // A range that ends with the first byte of the second chunk of 4096 bytes.
        ("open_range", with_prefix(&containers, &[0, 10, 0x10, 1])),
        ("open_slice", containers),
        ("roundtrip", BTreeMap::from(descriptions())),
        ("resealed", resealed()),
        ("archive_index", BTreeMap::from(descriptions())),
        ("archive_records", archives),
        ("archive_roundtrip", BTreeMap::from(descriptions())),
        ("salvage", salvage),
        ("key_text", key_texts()),
        ("envelope", envelopes()),
        ("faulty_io", faults()),
        #[cfg(feature = "vault")]
        ("vault_messages", vault_messages()),
    ])
}

/// Returns the bodies of the message vectors, a locator file and a token.
#[cfg(feature = "vault")]
fn vault_messages() -> Seeds {
    let messages = vectors::vault::messages()
        .into_iter()
        .map(|vector| (vector.name, vector.body.into_bytes()));
    let mut seeds = pick(messages.collect());
    let derived = vectors::vault::derivations().remove(0);
    seeds.insert("locator_file".to_owned(), derived.locator_file.0);
    seeds.insert("token".to_owned(), b"e30.eyJpc3MiOiJhIiwic3ViIjoiYiJ9.c2ln".to_vec());
    seeds
}

/// Returns the containers of all vectors that use the oracles' key.
fn containers() -> Seeds {
    let known = vectors::container::all().into_iter().filter(|vector| vector.key.0 == KEY);
    known.map(|vector| (vector.name, vector.container.0)).collect()
}

/// Returns the plaintexts of the archive vectors, with each marker replaced by the one that the
/// oracles use.
fn archives() -> Seeds {
    let mut seeds = Seeds::new();
    for vector in vectors::archive::all() {
        let context = vector.context.as_deref();
        let Ok(opened) = reference::open_positional(&vector.container, &KEY, context) else {
            continue;
        };
        let copy = vector.container.first_chunk().expect("it was opened");
        let keys = reference::schedule(&KEY, &reference::bound(copy), context);
        let own = archive::marker(&keys.exporter);
        let mut plaintext = opened.plaintext;
        for at in 0..plaintext.len().saturating_sub(15) {
            if plaintext[at..at + 16] == own {
                plaintext[at..at + 16].copy_from_slice(&MARKER);
            }
        }
        seeds.insert(vector.name, plaintext);
    }
    seeds
}

/// Selects distinct seeds: ordinary ones, evenly spaced, and a few long ones.
fn pick(all: Seeds) -> Seeds {
    let mut seen = BTreeSet::new();
    let all: Vec<_> = all.into_iter().filter(|(_, bytes)| seen.insert(bytes.clone())).collect();
    let select = |len: std::ops::RangeInclusive<usize>, count: usize| {
        let fitting: Vec<_> =
            all.iter().filter(|(_, bytes)| len.contains(&bytes.len())).cloned().collect();
        let step = fitting.len().div_ceil(count).max(1);
        fitting.into_iter().step_by(step).collect::<Vec<_>>()
    };
    [select(0..=LEN_MAX, COUNT_MAX), select(LEN_MAX + 1..=LONG_MAX, LONG_COUNT)]
        .concat()
        .into_iter()
        .collect()
}

/// Returns containers with most of their chunks removed.
fn headers() -> Seeds {
    let without_chunks = |bytes: Vec<u8>| match bytes.len() {
        len @ 400.. => [&bytes[..140], &bytes[len - 140..]].concat(),
        _ => bytes,
    };
    pick(containers().into_iter().map(|(name, bytes)| (name, without_chunks(bytes))).collect())
}

/// Returns a description for each kind of change.
fn resealed() -> Seeds {
    let shape = [0, 0x20, 0x08, 9, 0, 1, 0x10, 2, 0];
    let mut seeds = Seeds::new();
    for change in 0..12u8 {
        let parts = [&shape[..], &[0, 2 * change + 1, 2, 1, 0, 40, 5, 6, 7, 8]].concat();
        seeds.insert(format!("parts_{change}"), parts);
    }
    for change in 0..8u8 {
        let bytes = [&shape[..], &[0, 2 * change, 0x10, 90, 3, 1, 2, 3]].concat();
        seeds.insert(format!("bytes_{change}"), bytes);
    }
    for at in [1, 2, 4, 6, 8, 12, 24] {
        let bound = [&shape[..], &[1, at, 1, 1]].concat();
        seeds.insert(format!("bound_{at}"), bound);
    }
    seeds
}

/// Returns descriptions of every kind of fault, each at several calls.
fn faults() -> Seeds {
    let case = |kind: u8, n: u8| {
        let bytes =
            [&[kind, n, kind & n & 1, 5, 3, 0xE8, 0x21, 0], &b"faulty input and output"[..]]
                .concat();
        (format!("fault_{kind}_at_{n}"), bytes)
    };
    (0..7).flat_map(|kind| [0, 1, 2, 5, 9].map(|n| case(kind, n))).collect()
}

/// Returns the copies in the envelope vectors, and one envelope two more times, with options that
/// recompute its check and its MAC.
fn envelopes() -> Seeds {
    let input = |options: u8, first: &[u8], second: &[u8]| {
        [&[options][..], &(first.len() as u16).to_be_bytes(), first, second].concat()
    };
    let mut seeds = Seeds::new();
    for vector in vectors::envelope::all() {
        let (first, second) = (&vector.first[..], vector.second.as_deref());
        if first.len() <= LEN_MAX {
            seeds.insert(
                vector.name,
                input(if second.is_some() { 4 } else { 0 }, first, second.unwrap_or_default()),
            );
        }
        if seeds.len() == 1 {
            seeds.insert("check_recomputed".to_owned(), input(1, first, &[]));
            seeds.insert("mac_recomputed".to_owned(), input(2, first, &[]));
        }
    }
    let mut seen = BTreeSet::new();
    seeds.retain(|_, bytes| seen.insert(bytes.clone()));
    seeds
}

/// Returns keys as text, with valid and invalid digits and separators.
fn key_texts() -> Seeds {
    let digits = "0123456789abcdef".repeat(4);
    let grouped: Vec<String> = digits
        .as_bytes()
        .chunks(4)
        .map(|group| String::from_utf8_lossy(group).into_owned())
        .collect();
    let texts = [
        ("digits", digits.clone()),
        ("upper_case", digits.to_uppercase()),
        ("groups", grouped.join(" ")),
        ("dashes", grouped.join("-")),
        ("long_dashes", grouped.join(" \u{2013} ")),
        ("lines", grouped.chunks(4).map(|line| line.join(" ")).collect::<Vec<_>>().join("\r\n")),
        ("byte_order_mark", format!("\u{FEFF}{digits}\n")),
        ("look_alikes", digits.replace('0', "O").replace('1', "l")),
        ("one_missing", digits[1..].to_owned()),
        ("one_too_many", format!("{digits}0")),
        ("invalid_digit", digits.replace('9', "g")),
        ("empty", String::new()),
    ];
    texts.into_iter().map(|(name, text)| (name.to_owned(), text.into_bytes())).collect()
}
