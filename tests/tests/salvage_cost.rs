//! What an archive that was made to do harm, and is damaged, costs who salvages it; and what it
//! hands out.

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

/// promise 5: heads of blocks, one behind the other, each of which says that it reaches to
/// the end; and a chunk is lost that all of them hold. What lies before it is read once, and not
/// once for each head.
#[test]
fn heads_that_all_reach_over_one_hole() {
    const HEADS: u64 = 4000;
    let heads: Vec<Record> = (1..=HEADS)
        .map(|n| {
            let lengths = Lengths { name: 0, attributes: 0, content: (HEADS - n) * archive::HEAD_LEN };
            Record { lengths: Some(lengths), ..Record::new(kind::BLOCK, b"") }
        })
        .collect();
    let mut container = sealed(&archive::encode_records(&heads, &known::MARKER));
    let chunks = container.len() / CHUNK;
    container[128 + (chunks - 2) * (CHUNK + 16)] ^= 1;
    let calls = Calls::without_fault();
    salvage(&container, &calls);
    assert!(calls.count() < 10 * chunks as u64, "{} reads of {chunks} chunks", calls.count());
}

/// a reference to row 0, which is this container, is none. It does not hand out the
/// records themselves as a content.
#[test]
fn reference_to_row_0() {
    let pieces = [Item::reference(b"a", 0, 0, 64), Item::file(b"b", b"content")].map(Piece::Entry);
    let records = CorruptibleArchive::new(&[], &pieces).lay_out().all();
    // Without a trailer, so that the records are walked.
    let container = sealed(&archive::encode_records(&records[..2], &known::MARKER));
    let recovered = salvage(&container, &Calls::without_fault());
    let names: Vec<_> = recovered
        .iter()
        .filter_map(|recovered| match recovered {
            Recovered::Entry(entry) => Some(entry.path()),
            _ => None,
        })
        .collect();
    assert_eq!(names, [b"b"]);
    assert!(
        recovered
            .iter()
            .any(|r| matches!(r, Recovered::Piece { bytes, .. } if bytes[..] == *b"content"))
    );
}
