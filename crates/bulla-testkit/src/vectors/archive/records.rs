//! Records that contradict the index, which only verification detects.

use super::case::{case, of_pieces};
use super::model::Vector;
use super::whole::sample_items;
use crate::archive::{Item, Lengths, Piece, Record, kind, mode, state};

pub(super) fn vectors() -> Vec<Vector> {
    let mut vectors = pairs();
    vectors.extend(heads());
    vectors.extend(misplaced());
    vectors
}

/// Records that differ from the index entry of the same name.
fn pairs() -> Vec<Vector> {
    // Records 0 to 3 are a directory, two files and a link.
    let changed = |name, clause, comment, number: usize, change: fn(&mut Record)| {
        case(name, clause, comment, &sample_items())
            .archive(|archive| change(&mut archive.records[number]))
            .fails_to_verify("malformed")
    };
    let length = |name, comment, state, len: u64| {
        case(name, "A-6.4", comment, &[Item::file(b"file", b"0123456789").in_state(state, 0)])
            .archive(|archive| {
                archive.index[0].len = len;
                // Leave room before the notes, so that the entry by itself is valid.
                archive.records.push(Record::new(kind::PADDING, b""));
            })
            .fails_to_verify("malformed")
    };
    vec![
        changed(
            "record_kind_wrong",
            "A-6.4",
            "The record is a symbolic link, but the index entry is a file.",
            2,
            |r| {
                r.kind = kind::LINK;
            },
        ),
        changed(
            "record_kind_reference",
            "A-6.4",
            "The index entry has its content in this container.",
            2,
            |r| {
                r.kind = kind::REFERENCE;
            },
        ),
        changed("record_encoding_wrong", "A-6.4", "The index entry has encoding 0.", 2, |r| {
            r.encoding = 1
        }),
        changed("record_name_wrong", "A-6.4", "The index has no entry `d`.", 2, |r| {
            r.name = b"d".to_vec();
        }),
        changed(
            "record_attributes_wrong",
            "A-6.4",
            "The record has mode 600, but the index entry has mode 644.",
            1,
            |r| {
                r.attributes = mode(0o600);
            },
        ),
        length(
            "record_longer_than_entry",
            "The record is one byte longer, and the state does not allow padding.",
            0,
            9,
        ),
        length(
            "record_longer_than_grown_entry",
            "The record is one byte longer, but a file that grew is not padded.",
            state::GREW,
            9,
        ),
        length(
            "record_shorter_than_entry",
            "The record is one byte shorter, and the state is 0.",
            0,
            11,
        ),
        length(
            "record_shorter_than_short_entry",
            "The record is one byte shorter, and the state is short.",
            state::SHORT,
            11,
        ),
        case(
            "content_offset_wrong",
            "A-6.4",
            "The content starts one byte after the head of its record.",
            &[Item::file(b"file", b"0123456789").in_state(state::SHORT, 1)],
        )
        .archive(|archive| archive.index[0].offset += 1)
        .fails_to_verify("malformed"),
        case(
            "contents_swapped",
            "A-6.4",
            "Two entries refer to each other's content.",
            &[Item::file(b"a", b"aaaa"), Item::file(b"b", b"bbbb")],
        )
        .archive(|archive| {
            let offset = archive.index[0].offset;
            archive.index[0].offset = archive.index[1].offset;
            archive.index[1].offset = offset;
        })
        .fails_to_verify("malformed"),
        case("entry_without_record", "A-6.4", "The record of `c` is missing.", &sample_items())
            .archive(|archive| archive.records[3] = Record::new(kind::PADDING, b""))
            .fails_to_verify("malformed"),
        case(
            "record_without_entry",
            "A-6.4",
            "The index entry of `c` is missing.",
            &sample_items(),
        )
        .archive(|archive| drop(archive.index.pop()))
        .fails_to_verify("malformed"),
        case("record_duplicated", "A-6.4", "The record of `a` occurs twice.", &sample_items())
            .archive(|archive| archive.records.push(archive.records[0].clone()))
            .fails_to_verify("malformed"),
    ]
}

/// Invalid record heads. A walk over the records relies on their lengths.
fn heads() -> Vec<Vector> {
    let changed = |name, clause, comment, change: fn(&mut Record)| {
        case(name, clause, comment, &sample_items())
            .archive(|archive| change(&mut archive.records[2]))
            .fails_to_verify("malformed")
    };
    let with_lengths = |name, comment, lengths: Lengths| {
        case(name, "A-1.2", comment, &sample_items())
            .archive(|archive| archive.records[2].lengths = Some(lengths))
            .fails_to_verify("malformed")
    };
    let lengths = Lengths { name: 1, attributes: 0, content: 10 };
    vec![
        changed("record_without_marker", "A-1.3", "The marker is zeroed.", |r| {
            r.marker = Some([0; 16])
        }),
        changed(
            "record_with_another_marker",
            "A-1.3",
            "The marker is not that of this container.",
            |r| r.marker = Some([7; 16]),
        ),
        with_lengths(
            "record_name_len_maximum",
            "The length is 65535.",
            Lengths { name: u16::MAX, ..lengths },
        ),
        with_lengths(
            "record_attr_len_maximum",
            "The length is 2^32 - 1.",
            Lengths { attributes: u32::MAX, ..lengths },
        ),
        with_lengths(
            "record_content_len_plus_1",
            "The next record would start one byte late.",
            Lengths { content: 11, ..lengths },
        ),
        with_lengths(
            "record_content_len_minus_1",
            "The next record would start one byte early.",
            Lengths { content: 9, ..lengths },
        ),
        with_lengths(
            "record_content_len_0",
            "The next record would start at the content.",
            Lengths { content: 0, ..lengths },
        ),
        with_lengths(
            "record_content_len_maximum",
            "The length is 2^64 - 1, so the end overflows.",
            Lengths { content: u64::MAX, ..lengths },
        ),
        with_lengths(
            "record_content_len_wraps_to_itself",
            "Modulo 2^64, the record ends where it starts.",
            Lengths { content: 0u64.wrapping_sub(33), ..lengths },
        ),
        {
            let mut pieces: Vec<_> = sample_items().into_iter().map(Piece::Entry).collect();
            let rest = Record { marker: Some([0; 16]), ..Record::new(kind::PADDING, b"") };
            pieces.insert(1, Piece::Other(rest));
            let comment = "32 bytes between two records are not a record.";
            of_pieces("gap_between_records", "A-1.1", comment, &pieces).fails_to_verify("malformed")
        },
        {
            let mut pieces: Vec<_> = sample_items().into_iter().map(Piece::Entry).collect();
            pieces.push(Piece::Other(Record::new(kind::PADDING, &[0; 40])));
            let comment = "The padding before the notes ends within them.";
            of_pieces("padding_overlaps_notes", "A-1.1", comment, &pieces)
                .archive(|archive| {
                    let lengths = archive.records[4].actual_lengths();
                    archive.records[4].lengths = Some(Lengths { content: 41, ..lengths });
                })
                .fails_to_verify("malformed")
        },
    ]
}

/// Records of a kind that is not allowed among the entries.
fn misplaced() -> Vec<Vector> {
    let among = |name, clause, comment, record: Record| {
        let mut pieces: Vec<_> = sample_items().into_iter().map(Piece::Entry).collect();
        pieces.insert(2, Piece::Other(record));
        of_pieces(name, clause, comment, &pieces)
    };
    let of_kind = |kind, content: &[u8]| Record::new(kind, content);
    let unknown = |name, kind| {
        among(name, "A-1.4", "Unknown kinds below 128 must not be skipped.", of_kind(kind, b"x"))
            .fails_to_verify("unsupported")
    };
    let known =
        |name, comment, record| among(name, "A-1.1", comment, record).fails_to_verify("malformed");
    let padding = of_kind(kind::PADDING, b"");
    vec![
        unknown("kind_0_not_skipped", 0),
        unknown("kind_5_not_skipped", 5),
        unknown("kind_15_not_skipped", 15),
        unknown("kind_21_not_skipped", 21),
        unknown("kind_127_not_skipped", 127),
        known(
            "notes_among_entries",
            "The trailer refers to other notes.",
            of_kind(kind::NOTES, b""),
        ),
        known(
            "block_among_entries",
            "The fence does not list this block.",
            of_kind(kind::BLOCK, b""),
        ),
        known(
            "fence_among_entries",
            "The trailer refers to another fence.",
            of_kind(kind::FENCE, b""),
        ),
        known(
            "trailer_among_entries",
            "The trailer is the last record.",
            of_kind(kind::TRAILER, &[0; 96]),
        ),
        known(
            "rows_among_entries",
            "The containers record comes first, and the trailer counts no rows.",
            of_kind(kind::CONTAINERS, &[0; 96]),
        ),
        among(
            "padding_with_name",
            "A-1.4",
            "Only entries have names.",
            Record { name: b"x".to_vec(), ..padding.clone() },
        )
        .fails_to_verify("malformed"),
        among("padding_with_attributes", "A-1.4", "Only entries have attributes.", {
            Record { attributes: mode(0), ..padding.clone() }
        })
        .fails_to_verify("malformed"),
        among(
            "padding_with_encoding",
            "A-1.4",
            "Only entries may have an encoding.",
            Record { encoding: 1, ..padding },
        )
        .fails_to_verify("malformed"),
    ]
}
