//! Contents that lie elsewhere, or cannot be read; containers that hold no archive.

use super::Vector;
use super::case::{Case, case, seal, with_rows};
use super::whole::four;
use crate::archive::{Item, Piece, Record, Row, kind};
use crate::vectors::label::{bytes, bytes32};

pub(super) fn vectors() -> Vec<Vector> {
    let mut vectors = references();
    vectors.extend(bad_references());
    vectors.extend(encodings());
    vectors.extend(containers());
    vectors
}

/// The containers that the vectors refer to: one of bytes, and one that is an archive itself.
fn others() -> [Vec<u8>; 2] {
    let plaintext = bytes("plaintext that is referred to", 5000);
    [seal("other", 0, None, &plaintext), seal("another", 1, None, &plaintext)]
}

fn row(container: &[u8]) -> Row {
    let part = |at: usize| container[at..at + 32].try_into().expect("32 bytes of the header");
    Row { salt: part(32), key: bytes32("key"), commitment: part(64) }
}

fn referring(name: &str, clause: &'static str, comment: &'static str, items: &[Item]) -> Case {
    let rows = others().map(|container| row(&container));
    let pieces: Vec<_> = items.iter().cloned().map(Piece::Entry).collect();
    with_rows(name, clause, comment, &rows, &pieces).others(&others())
}

fn references() -> Vec<Vector> {
    let reference = |name, comment, row, offset, len| {
        let item = Item::reference(b"there", row, offset, len);
        referring(name, "A-3.4", comment, &[Item::file(b"here", b"here"), item])
    };
    vec![
        reference("reference_to_a_whole_plaintext", "Of row 1.", 1, 0, 5000).reads(),
        reference("reference_to_a_range", "Over the border of two chunks.", 1, 4000, 200).reads(),
        reference("reference_to_no_bytes", "At the end.", 1, 5000, 0).reads(),
        reference(
            "reference_to_row_2",
            "Bytes of the plaintext, whatever that container's content is.",
            2,
            7,
            100,
        )
        .reads(),
        referring(
            "references_that_overlap",
            "A-3.3",
            "Only contents in this container are disjoint.",
            &[Item::reference(b"a", 1, 0, 100), Item::reference(b"b", 1, 50, 100)],
        )
        .reads(),
        referring("rows_that_nobody_refers_to", "A-3.4", "Harmless.", &four()).reads(),
    ]
}

fn bad_references() -> Vec<Vector> {
    let item = || [Item::reference(b"there", 1, 0, 100)];
    let [other, another] = others();
    let record = |name, comment, change: fn(&mut Record)| {
        referring(name, "A-6.4", comment, &item())
            .draft(|draft| change(&mut draft.records[1]))
            .fails_to_verify("malformed")
    };
    let rows = |name, comment, change: fn(&mut Vec<Record>)| {
        referring(name, "A-3.4", comment, &four()).draft(|draft| change(&mut draft.records))
    };
    vec![
        referring(
            "reference_to_another_container",
            "A-3.4",
            "The one that is given for row 1 is another.",
            &item(),
        )
        .others(&[another.clone(), another])
        .fails_to_read(b"there", "wrong_container"),
        referring(
            "reference_to_another_commitment",
            "A-3.4",
            "The row's last bit is another.",
            &item(),
        )
        .draft(|draft| draft.records[0].content[95] ^= 1)
        .fails_to_read(b"there", "wrong_container"),
        referring(
            "reference_with_another_key",
            "A-3.4",
            "The row's key does not open the container.",
            &item(),
        )
        .draft(|draft| draft.records[0].content[32] ^= 1)
        .fails_to_read(b"there", "wrong_key"),
        referring(
            "reference_to_row_3_of_2",
            "A-6.1",
            "There is none.",
            &[Item::reference(b"there", 3, 0, 100)],
        )
        .fails_to_list("malformed"),
        referring(
            "reference_lengths_overflow",
            "A-6.2",
            "Their sum is 2^64, the trailer says 0.",
            &[Item::reference(b"a", 1, 0, 1 << 63), Item::reference(b"b", 1, 0, 1 << 63)],
        )
        .fails_to_list("malformed"),
        record("reference_record_of_another_row", "Row 2, where the index says 1.", |r| {
            r.content[3] = 2
        }),
        record("reference_record_of_another_offset", "1, where the index says 0.", |r| {
            r.content[15] = 1
        }),
        record("reference_record_of_another_length", "101, where the index says 100.", |r| {
            r.content[23] = 101
        }),
        record(
            "reference_record_of_a_file",
            "The index says that its content is elsewhere.",
            |r| r.kind = kind::FILE,
        ),
        referring("reference_record_of_25_bytes", "A-1.2", "It has 24.", &item())
            .draft(|draft| draft.records[1].content.push(0))
            .fails_to_verify("malformed"),
        referring(
            "rows_fewer_than_the_trailer_says",
            "A-5.3",
            "The record has 2, the trailer says 3.",
            &four(),
        )
        .draft(|draft| draft.rows = 3)
        .fails_to_verify_at_the_latest("malformed"),
        referring(
            "rows_more_than_the_trailer_says",
            "A-5.3",
            "The record has 2, the trailer says 1.",
            &four(),
        )
        .draft(|draft| draft.rows = 1)
        .fails_to_verify_at_the_latest("malformed"),
        rows("rows_without_marker", "Zeros in its place.", |records| {
            records[0].marker = Some([0; 16])
        })
        .fails_to_verify_at_the_latest("malformed"),
        rows("rows_not_first", "Padding in their place, and they behind it.", |records| {
            let rows = records[0].clone();
            records[0].kind = kind::PADDING;
            records.push(rows);
        })
        .fails_to_verify_at_the_latest("malformed"),
        rows("rows_twice", "The second record of them behind the entries.", |records| {
            records.push(records[0].clone());
        })
        .fails_to_verify("malformed"),
        referring(
            "rows_that_the_trailer_does_not_know",
            "A-5.3",
            "It says that there are none.",
            &four(),
        )
        .draft(|draft| draft.rows = 0)
        .fails_to_verify("malformed"),
        referring(
            "content_of_the_other_damaged",
            "A-3.4",
            "A byte of its chunk 0 was changed.",
            &item(),
        )
        .others(&[changed(&other, 128), other.clone()])
        .fails_to_read(b"there", "chunk_rejected"),
    ]
}

fn changed(container: &[u8], at: usize) -> Vec<u8> {
    let mut container = container.to_vec();
    container[at] ^= 1;
    container
}

fn encodings() -> Vec<Vector> {
    let encoded = Item { encoding: 1, ..Item::file(b"b", b"encoded") };
    let [a, a1, _, c] = four();
    let empty = Item { encoding: 255, ..Item::file(b"d", b"") };
    vec![
        case(
            "encoding_unknown",
            "A-1.4",
            "An error of `b` alone: listing and the others are fine.",
            &[a, a1, encoded, c],
        )
        .fails_to_read(b"b", "unsupported"),
        case(
            "encoding_unknown_of_no_bytes",
            "A-1.4",
            "What its content is, nobody can tell.",
            &[empty],
        )
        .fails_to_read(b"d", "unsupported"),
    ]
}

fn containers() -> Vec<Vector> {
    let content = |name, comment, content| {
        case(name, "A-6.1", comment, &four()).content(content).fails_to_open("not_an_archive")
    };
    let long = Item::file(b"a", &bytes("long content", 9000));
    let damaged = |name, comment, chunk: usize| {
        case(name, "A-6.1", comment, &[long.clone(), Item::file(b"b", b"")])
            .container(|container| container[128 + chunk * (4096 + 16)] ^= 1)
    };
    vec![
        content("content_0", "A well-formed archive, but the header says that it is bytes.", 0),
        content("content_2", "A well-formed archive, but of a content that nobody knows.", 2),
        content("content_255", "A well-formed archive, but the header says private use.", 255),
        case(
            "content_byte_changed",
            "A-6.1",
            "From 1 to 0, checks remade: the key schedule binds it.",
            &four(),
        )
        .container(|container| {
            for copy in [0, container.len() - 128] {
                container[copy + 13] = 0;
                let header: &mut [u8; 128] =
                    (&mut container[copy..copy + 128]).try_into().expect("128 bytes");
                crate::reference::write_check(header);
            }
        })
        .fails_to_open("wrong_key"),
        case("container_cut", "A-6.1", "The last 200 bytes are missing.", &four())
            .container(|container| container.truncate(container.len() - 200))
            .fails_to_open("truncated"),
        damaged(
            "chunk_of_a_content_damaged",
            "Chunk 0: the index is fine, the content of `a` is not.",
            0,
        )
        .fails_to_read(b"a", "chunk_rejected"),
        damaged("last_chunk_damaged", "Chunk 2, which has trailer and index.", 2)
            .fails_to_open("chunk_rejected"),
    ]
}
