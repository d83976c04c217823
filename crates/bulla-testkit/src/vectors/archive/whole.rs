//! Well-formed archives.

use super::case::{case, of_pieces};
use super::model::Vector;
use crate::archive::{Item, Piece, Record, attribute, kind, mode, tag};
use crate::vectors::label::bytes;

/// Returns a directory, a file in that directory, another file and a symbolic link, sorted by name.
pub(super) fn sample_items() -> [Item; 4] {
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
    let [a, a1, b, c] = sample_items();
    let marker_like = [&[0xBB; 16][..], &[1, 0, 0, 1], &[0; 12], b"x"].concat();
    let inner = case("inner archive", "", "", &sample_items()).bytes();
    let inner_record = Record::new(kind::FILE, b"planted").encode(&[0xBB; 16]);
    vec![
        case(
            "no_entries",
            "A-5.3",
            "Only notes, fence and trailer are present, so index_offset equals fence_offset.",
            &[],
        )
        .reads(),
        case("one_empty_file", "A-3.1", "The content is empty.", &[Item::file(b"empty", b"")])
            .reads(),
        case("one_file", "A-3.1", "A five-byte file.", &[Item::file(b"file", b"bytes")]).reads(),
        case(
            "file_directory_link",
            "A-1.2",
            "One entry of each kind, and a file in the directory.",
            &sample_items(),
        )
        .reads(),
        case(
            "records_in_another_order",
            "A-1.1",
            "Records may be in any order; the index is sorted.",
            &[c.clone(), b.clone(), a1.clone(), a.clone()],
        )
        .reads(),
        case(
            "content_over_three_chunks",
            "A-3.1",
            "A 9000-byte file between two short ones.",
            &[a1, Item::file(b"a/2", &bytes("long content", 9000)), b],
        )
        .reads(),
        case(
            "content_resembling_record",
            "A-1.3",
            "The content resembles a record with another container's marker.",
            &[Item::file(b"a", &marker_like), Item::file(b"b", &inner_record)],
        )
        .reads(),
        case(
            "archive_in_archive",
            "A-1.3",
            "The file is the plaintext of another archive, with another marker.",
            &[Item::file(b"a", &inner), Item::file(b"b", b"")],
        )
        .reads(),
        case(
            "container_with_context",
            "A-6.1",
            "The container requires a context.",
            &sample_items(),
        )
        .context(b"photos")
        .reads(),
        case(
            "container_header_flipped",
            "A-6.1",
            "The footer of the container is authoritative, as in FORMAT.md.",
            &sample_items(),
        )
        .container(|container| container[0] ^= 1)
        .reads(),
        case(
            "trailer_reserved_nonzero",
            "A-5.3",
            "The last 40 bytes are written as zeros and ignored by readers.",
            &sample_items(),
        )
        .layout(|layout| layout.trailer.rest = [0xA5; 40])
        .reads(),
    ]
}

fn blocks() -> Vec<Vector> {
    let many: Vec<_> = (0..40).map(|i| Item::file(format!("{i:02}").as_bytes(), &[i])).collect();
    // Two attributes, because a single one has at most 65535 bytes.
    let longest = attribute(tag::PRIVATE, &[0; 32764]);
    let longest = [&longest[..], &attribute(tag::PRIVATE + 1, &[0; 32764])].concat();
    vec![
        case(
            "several_blocks",
            "A-5.1",
            "A writer may end a block early. These blocks have at most three entries.",
            &many,
        )
        .archive(|archive| archive.block_max = 110)
        .reads(),
        case(
            "blocks_of_one_entry",
            "A-5.1",
            "Every entry is in a separate block.",
            &sample_items(),
        )
        .archive(|archive| archive.block_max = 1)
        .reads(),
        case(
            "entry_longer_than_block",
            "A-5.1",
            "An entry with 2^16 bytes of attributes exceeds the block size and has its own block.",
            &[Item::file(b"a", b""), Item::file(b"b", b"").with(&longest), Item::file(b"c", b"")],
        )
        .reads(),
    ]
}

fn padding_and_unknown_records() -> Vec<Vector> {
    let padded = |name, clause, comment, at: usize, record: Record| {
        let mut pieces: Vec<_> = sample_items().into_iter().map(Piece::Entry).collect();
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
        padded("padding", "A-8.1", "Padding before the notes.", 4, padding(&[0; 100])).reads(),
        padded("padding_empty", "A-8.1", "The shortest padding is a record head.", 4, padding(b""))
            .reads(),
        padded(
            "padding_first",
            "A-1.1",
            "Padding may be anywhere among the entries.",
            0,
            padding(&[0; 9]),
        )
        .reads(),
        padded(
            "padding_not_zero",
            "A-1.2",
            "The content of a padding record is ignored.",
            2,
            padding(b"not zero"),
        )
        .reads(),
        padded(
            "kind_129_skipped",
            "A-1.4",
            "An unknown record with a name, attributes and an encoding.",
            1,
            newer(129),
        )
        .reads(),
        padded(
            "kind_255_skipped",
            "A-1.4",
            "An unknown record with a name, attributes and an encoding.",
            4,
            newer(255),
        )
        .reads(),
    ]
}
