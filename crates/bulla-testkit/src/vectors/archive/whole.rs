//! Archives with nothing wrong about them.

use super::Vector;
use super::case::{case, of_pieces};
use crate::archive::{Item, Piece, Record, attribute, kind, mode, tag};
use crate::vectors::label::bytes;

/// A directory with a file in it, a file and a link, in the order of names.
pub(super) fn four() -> [Item; 4] {
    [
        Item::directory(b"a").with(&mode(0o755)),
        Item::file(b"a/1", b"first").with(&mode(0o644)),
        Item::file(b"b", b"the second"),
        Item::link(b"c", b"a/1"),
    ]
}

pub(super) fn vectors() -> Vec<Vector> {
    let mut vectors = shapes();
    vectors.extend(blocks());
    vectors.extend(padding_and_unknown_records());
    vectors
}

fn shapes() -> Vec<Vector> {
    let [a, a1, b, c] = four();
    let marker_like = [&[0xBB; 16][..], &[1, 0, 0, 1], &[0; 12], b"x"].concat();
    let inner = case("inner archive", "", "", &four()).bytes();
    let inner_record = Record::new(kind::FILE, b"planted").encode(&[0xBB; 16]);
    vec![
        case(
            "no_entries",
            "A-5.3",
            "Notes, fence and trailer alone: index_offset is the fence's.",
            &[],
        )
        .reads(),
        case(
            "one_empty_file",
            "A-3.1",
            "Its content begins where it ends.",
            &[Item::file(b"empty", b"")],
        )
        .reads(),
        case("one_file", "A-3.1", "Five bytes.", &[Item::file(b"file", b"bytes")]).reads(),
        case(
            "file_directory_link",
            "A-1.2",
            "One of each kind, and a file in the directory.",
            &four(),
        )
        .reads(),
        case(
            "records_in_another_order",
            "A-1.1",
            "Records may stand in any order; the index is sorted.",
            &[c.clone(), b.clone(), a1.clone(), a.clone()],
        )
        .reads(),
        case(
            "content_over_three_chunks",
            "A-3.1",
            "A content of 9000 bytes between two short ones.",
            &[a1, Item::file(b"a/2", &bytes("long content", 9000)), b],
        )
        .reads(),
        case(
            "content_like_a_record",
            "A-1.3",
            "A content that looks like a record, with a marker that is not the container's.",
            &[Item::file(b"a", &marker_like), Item::file(b"b", &inner_record)],
        )
        .reads(),
        case(
            "archive_in_an_archive",
            "A-1.3",
            "A file that holds the plaintext of another archive, whose marker is another.",
            &[Item::file(b"a", &inner), Item::file(b"b", b"")],
        )
        .reads(),
        case(
            "in_a_container_with_context",
            "A-6.1",
            "The container needs a context to open.",
            &four(),
        )
        .context(b"photos")
        .reads(),
        case(
            "header_damaged",
            "A-6.1",
            "The container's footer counts, as FORMAT.md says.",
            &four(),
        )
        .container(|container| container[0] ^= 1)
        .reads(),
        case(
            "reserved_bytes_of_the_trailer",
            "A-5.3",
            "The last 40 bytes are zero when written, ignored when read.",
            &four(),
        )
        .layout(|layout| layout.trailer.rest = [0xA5; 40])
        .reads(),
    ]
}

fn blocks() -> Vec<Vector> {
    let many: Vec<_> = (0..40).map(|i| Item::file(format!("{i:02}").as_bytes(), &[i])).collect();
    // Two attributes, as one has at most 65535 bytes.
    let longest = attribute(tag::PRIVATE, &[0; 32764]);
    let longest = [&longest[..], &attribute(tag::PRIVATE + 1, &[0; 32764])].concat();
    vec![
        case(
            "several_blocks",
            "A-5.1",
            "A writer may end a block early: these have three entries at most.",
            &many,
        )
        .draft(|draft| draft.block_max = 110)
        .reads(),
        case("blocks_of_one_entry", "A-5.1", "Each entry has a block of its own.", &four())
            .draft(|draft| draft.block_max = 1)
            .reads(),
        case(
            "an_entry_longer_than_a_block",
            "A-5.1",
            "Attributes of 2^16 bytes: with the head, more than a block has, so it is alone in one.",
            &[Item::file(b"a", b""), Item::file(b"b", b"").with(&longest), Item::file(b"c", b"")],
        )
        .reads(),
    ]
}

fn padding_and_unknown_records() -> Vec<Vector> {
    let padded = |name, clause, comment, at: usize, record: Record| {
        let mut pieces: Vec<_> = four().into_iter().map(Piece::Entry).collect();
        pieces.insert(at, Piece::Other(record));
        of_pieces(name, clause, comment, &pieces)
    };
    let padding = |content: &[u8]| Record::new(kind::PADDING, content);
    let newer = |kind| Record {
        encoding: 7,
        name: b"../newer".to_vec(),
        attributes: b"odd".to_vec(),
        ..Record::new(kind, b"content")
    };
    vec![
        padded("padding", "A-8.1", "Before the notes.", 4, padding(&[0; 100])).reads(),
        padded(
            "padding_of_no_bytes",
            "A-8.1",
            "The shortest padding: a record's head.",
            4,
            padding(b""),
        )
        .reads(),
        padded(
            "padding_first",
            "A-1.1",
            "Padding stands in any place among the entries.",
            0,
            padding(&[0; 9]),
        )
        .reads(),
        padded("padding_not_zero", "A-1.2", "Ignored when read.", 2, padding(b"not zero")).reads(),
        padded(
            "kind_129_skipped",
            "A-1.4",
            "With name, attributes and encoding of its own.",
            1,
            newer(129),
        )
        .reads(),
        padded(
            "kind_255_skipped",
            "A-1.4",
            "With name, attributes and encoding of its own.",
            4,
            newer(255),
        )
        .reads(),
    ]
}
