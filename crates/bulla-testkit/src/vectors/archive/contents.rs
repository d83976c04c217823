//! References, encodings, and containers that are damaged or not archives.

use super::case::{Case, case, seal, with_rows};
use super::model::Vector;
use super::whole::sample_items;
use crate::archive::{Item, Piece, Record, Row, kind};
use crate::vectors::label::{bytes, bytes32};

pub(super) fn vectors() -> Vec<Vector> {
    let mut vectors = references();
    vectors.extend(invalid_references());
    vectors.extend(encodings());
    vectors.extend(containers());
    vectors
}

/// Returns the containers that the vectors refer to, with content types 0 and 1.
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
        reference("reference_to_a_whole_plaintext", "The whole plaintext of row 1.", 1, 0, 5000)
            .reads(),
        reference("reference_to_a_range", "A range that spans two chunks.", 1, 4000, 200).reads(),
        reference(
            "reference_to_no_bytes",
            "An empty range at the end of the plaintext.",
            1,
            5000,
            0,
        )
        .reads(),
        reference(
            "reference_to_row_2",
            "The content type of the other container does not matter.",
            2,
            7,
            100,
        )
        .reads(),
        referring(
            "references_overlapping",
            "A-3.3",
            "Only contents in this container must be disjoint.",
            &[Item::reference(b"a", 1, 0, 100), Item::reference(b"b", 1, 50, 100)],
        )
        .reads(),
        referring("rows_unused", "A-3.4", "A row need not be used.", &sample_items()).reads(),
    ]
}

fn invalid_references() -> Vec<Vector> {
    let item = || [Item::reference(b"there", 1, 0, 100)];
    let [other, another] = others();
    let record = |name, comment, change: fn(&mut Record)| {
        referring(name, "A-6.4", comment, &item())
            .archive(|archive| change(&mut archive.records[1]))
            .fails_to_verify("malformed")
    };
    let rows = |name, comment, change: fn(&mut Vec<Record>)| {
        referring(name, "A-3.4", comment, &sample_items())
            .archive(|archive| change(&mut archive.records))
    };
    vec![
        referring(
            "reference_to_another_container",
            "A-3.4",
            "The container supplied for row 1 is not the one that the row names.",
            &item(),
        )
        .others(&[another.clone(), another])
        .fails_to_read(b"there", "wrong_container"),
        referring(
            "reference_to_another_commitment",
            "A-3.4",
            "The last bit of the commitment in the row is flipped.",
            &item(),
        )
        .archive(|archive| archive.records[0].content[95] ^= 1)
        .fails_to_read(b"there", "wrong_container"),
        referring(
            "reference_with_another_key",
            "A-3.4",
            "The key in the row does not open the container.",
            &item(),
        )
        .archive(|archive| archive.records[0].content[32] ^= 1)
        .fails_to_read(b"there", "wrong_key"),
        referring(
            "reference_to_row_3_of_2",
            "A-6.1",
            "The row does not exist.",
            &[Item::reference(b"there", 3, 0, 100)],
        )
        .fails_to_list("malformed"),
        referring(
            "reference_lengths_overflow",
            "A-6.2",
            "The lengths add up to 2^64, which is 0 in the trailer.",
            &[Item::reference(b"a", 1, 0, 1 << 63), Item::reference(b"b", 1, 0, 1 << 63)],
        )
        .fails_to_list("malformed"),
        record(
            "reference_record_row_wrong",
            "The record has row 2, but the index entry has row 1.",
            |r| r.content[3] = 2,
        ),
        record(
            "reference_record_offset_wrong",
            "The record has offset 1, but the index entry has offset 0.",
            |r| r.content[15] = 1,
        ),
        record(
            "reference_record_len_wrong",
            "The record has length 101, but the index entry has length 100.",
            |r| r.content[23] = 101,
        ),
        record("reference_record_kind_file", "The index entry refers to another container.", |r| {
            r.kind = kind::FILE
        }),
        referring(
            "reference_record_of_25_bytes",
            "A-1.2",
            "The content of a reference must have 24 bytes.",
            &item(),
        )
        .archive(|archive| archive.records[1].content.push(0))
        .fails_to_verify("malformed"),
        referring(
            "rows_fewer_than_in_trailer",
            "A-5.3",
            "The record has 2 rows, but the trailer counts 3.",
            &sample_items(),
        )
        .archive(|archive| archive.rows = 3)
        .fails_by_verify("malformed"),
        referring(
            "rows_more_than_in_trailer",
            "A-5.3",
            "The record has 2 rows, but the trailer counts 1.",
            &sample_items(),
        )
        .archive(|archive| archive.rows = 1)
        .fails_by_verify("malformed"),
        rows("rows_without_marker", "The marker is zeroed.", |records| {
            records[0].marker = Some([0; 16])
        })
        .fails_by_verify("malformed"),
        rows("rows_not_first", "Padding precedes the containers record.", |records| {
            let rows = records[0].clone();
            records[0].kind = kind::PADDING;
            records.push(rows);
        })
        .fails_by_verify("malformed"),
        rows("rows_twice", "A second containers record follows the entries.", |records| {
            records.push(records[0].clone());
        })
        .fails_to_verify("malformed"),
        referring(
            "rows_missing_in_trailer",
            "A-5.3",
            "The trailer counts 0 rows.",
            &sample_items(),
        )
        .archive(|archive| archive.rows = 0)
        .fails_to_verify("malformed"),
        referring(
            "reference_to_damaged_chunk",
            "A-3.4",
            "One byte of the other container's chunk 0 is changed.",
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
    let [a, a1, _, c] = sample_items();
    let empty = Item { encoding: 255, ..Item::file(b"d", b"") };
    vec![
        case(
            "encoding_unknown",
            "A-1.4",
            "Only `b` cannot be read; listing succeeds, and so does reading the other contents.",
            &[a, a1, encoded, c],
        )
        .fails_to_read(b"b", "unsupported"),
        case(
            "encoding_unknown_empty",
            "A-1.4",
            "With an unknown encoding, even empty content may stand for any bytes.",
            &[empty],
        )
        .fails_to_read(b"d", "unsupported"),
    ]
}

fn containers() -> Vec<Vector> {
    let content = |name, comment, content| {
        case(name, "A-6.1", comment, &sample_items())
            .content(content)
            .fails_to_open("not_an_archive")
    };
    let long = Item::file(b"a", &bytes("long content", 9000));
    let damaged = |name, comment, chunk: usize| {
        case(name, "A-6.1", comment, &[long.clone(), Item::file(b"b", b"")])
            .container(|container| container[128 + chunk * (4096 + 16)] ^= 1)
    };
    vec![
        content("content_0", "A well-formed archive with the content type for plain bytes.", 0),
        content("content_2", "A well-formed archive with an unassigned content type.", 2),
        content("content_255", "A well-formed archive with a content type for private use.", 255),
        case(
            "content_byte_changed",
            "A-6.1",
            "The content type is changed to 0 with valid checks; the key schedule binds it.",
            &sample_items(),
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
        case("container_truncated", "A-6.1", "The last 200 bytes are missing.", &sample_items())
            .container(|container| container.truncate(container.len() - 200))
            .fails_to_open("truncated"),
        damaged("content_chunk_flipped", "Chunk 0 holds only part of `a`; the index is intact.", 0)
            .fails_to_read(b"a", "chunk_rejected"),
        damaged("last_chunk_flipped", "Chunk 2 holds the index and the trailer.", 2)
            .fails_to_open("chunk_rejected"),
    ]
}
