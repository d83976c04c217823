//! Salvaging an archive that is both malicious and damaged must take a bounded number of reads and
//! return no unrelated bytes.

use bulla_archive::{Recovered, Salvage};
use bulla_testkit::archive::{self, CorruptibleArchive, Item, Lengths, Piece, Record, kind};
use bulla_testkit::faulty::{Calls, Faulty};
use bulla_testkit::oracles::known;
use bulla_testkit::reference::{self, SealParams};
use bulla_tests::{CHUNK, options};

fn sealed(plaintext: &[u8]) -> Vec<u8> {
    reference::seal(&SealParams {
        key: known::KEY,
        salt: known::SALT,
        chunk_log2: known::CHUNK_LOG2,
        content: archive::CONTENT,
        context: None,
        envelope: b"",
        plaintext,
    })
}

fn salvage(container: &[u8], calls: &Calls) -> Vec<Recovered> {
    let key = bulla::Key::from_bytes(&known::KEY);
    Salvage::new(&key, Faulty::new(container, calls), &options()).unwrap().collect()
}

/// promise 5: consecutive index block heads all claim to extend to the end of the archive,
/// and a chunk inside all of these blocks is lost. The bytes before the lost chunk must be read
/// once, not once for each head.
#[test]
fn reads_each_chunk_once_despite_overlapping_heads() {
    const HEADS: u64 = 4000;
    let heads: Vec<Record> = (1..=HEADS)
        .map(|n| {
            let lengths =
                Lengths { name: 0, attributes: 0, content: (HEADS - n) * archive::HEAD_LEN };
            Record { lengths: Some(lengths), ..Record::new(kind::BLOCK, b"") }
        })
        .collect();
    let mut container = sealed(&archive::encode_records(&heads, &known::MARKER));
    let chunks = container.len() / CHUNK;
    container[128 + (chunks - 2) * (CHUNK + 16)] ^= 1;
    let calls = Calls::without_fault();
    salvage(&container, &calls);
    assert!(calls.count() < 10 * chunks as u64, "{} reads for {chunks} chunks", calls.count());
}

/// a reference to row 0 is ignored. Row 0 is the container itself, so the reference
/// would return the archive's own records as content.
#[test]
fn ignores_references_to_row_0() {
    let pieces = [Item::reference(b"a", 0, 0, 64), Item::file(b"b", b"content")].map(Piece::Entry);
    let records = CorruptibleArchive::new(&[], &pieces).lay_out().all();
    // Without a trailer, salvage walks the records.
    let container = sealed(&archive::encode_records(&records[..2], &known::MARKER));
    let recovered = salvage(&container, &Calls::without_fault());
    let paths: Vec<_> = recovered
        .iter()
        .filter_map(|recovered| match recovered {
            Recovered::Entry(entry) => Some(entry.path()),
            _ => None,
        })
        .collect();
    assert_eq!(paths, [b"b"]);
    assert!(
        recovered
            .iter()
            .any(|r| matches!(r, Recovered::Piece { bytes, .. } if bytes[..] == *b"content"))
    );
}
