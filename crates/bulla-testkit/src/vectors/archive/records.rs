//! Records that do not say what the index says: seen by who verifies.

use super::Vector;
use super::case::{case, of_pieces};
use super::whole::four;
use crate::archive::{Item, Lens, Piece, Record, kind, mode, state};

pub(super) fn vectors() -> Vec<Vector> {
    let mut vectors = pairs();
    vectors.extend(heads());
    vectors.extend(strangers());
    vectors
}

/// Record and index entry of one name.
fn pairs() -> Vec<Vector> {
    // Records 0 to 3 are a directory, two files and a link.
    let changed = |name, clause, comment, number: usize, change: fn(&mut Record)| {
        case(name, clause, comment, &four())
            .draft(|draft| change(&mut draft.records[number]))
            .fails_to_verify("malformed")
    };
    let length = |name, comment, state, len: u64| {
        case(name, "A-6.4", comment, &[Item::file(b"file", b"0123456789").in_state(state, 0)])
            .draft(|draft| {
                draft.index[0].len = len;
                // Room before the notes, so that the entry alone is fine.
                draft.records.push(Record::new(kind::PADDING, b""));
            })
            .fails_to_verify("malformed")
    };
    vec![
        changed(
            "record_of_another_kind",
            "A-6.4",
            "The record is a link's, the index entry a file's.",
            2,
            |r| {
                r.kind = kind::LINK;
            },
        ),
        changed(
            "record_of_a_reference",
            "A-6.4",
            "The index says that the content is here.",
            2,
            |r| {
                r.kind = kind::REFERENCE;
            },
        ),
        changed("record_of_another_encoding", "A-6.4", "The index says that it is 0.", 2, |r| {
            r.encoding = 1
        }),
        changed("record_of_another_name", "A-6.4", "`d`, which the index does not know.", 2, |r| {
            r.name = b"d".to_vec();
        }),
        changed(
            "record_of_other_attributes",
            "A-6.4",
            "Mode 600, where the index says 644.",
            1,
            |r| {
                r.attributes = mode(0o600);
            },
        ),
        length("record_longer_than_its_entry", "By one byte, without a state.", 0, 9),
        length(
            "record_longer_than_its_grown_entry",
            "By one byte; what grew is not filled up.",
            state::GREW,
            9,
        ),
        length("record_shorter_than_its_entry", "By one byte, without a state.", 0, 11),
        length(
            "record_shorter_than_its_short_entry",
            "By one byte, in state short.",
            state::SHORT,
            11,
        ),
        case(
            "content_elsewhere_than_its_record",
            "A-6.4",
            "A byte behind its record's head.",
            &[Item::file(b"file", b"0123456789").in_state(state::SHORT, 1)],
        )
        .draft(|draft| draft.index[0].offset += 1)
        .fails_to_verify("malformed"),
        case(
            "contents_exchanged",
            "A-6.4",
            "Each of two entries has the other's content.",
            &[Item::file(b"a", b"aaaa"), Item::file(b"b", b"bbbb")],
        )
        .draft(|draft| {
            let offset = draft.index[0].offset;
            draft.index[0].offset = draft.index[1].offset;
            draft.index[1].offset = offset;
        })
        .fails_to_verify("malformed"),
        case("entry_without_record", "A-6.4", "The record of `c` is missing.", &four())
            .draft(|draft| draft.records[3] = Record::new(kind::PADDING, b""))
            .fails_to_verify("malformed"),
        case("record_without_entry", "A-6.4", "The index does not know `c`.", &four())
            .draft(|draft| drop(draft.index.pop()))
            .fails_to_verify("malformed"),
        case("two_records_of_one_name", "A-6.4", "The record of `a` twice.", &four())
            .draft(|draft| draft.records.push(draft.records[0].clone()))
            .fails_to_verify("malformed"),
    ]
}

/// Heads of records, by which a walk gets from one to the next.
fn heads() -> Vec<Vector> {
    let changed = |name, clause, comment, change: fn(&mut Record)| {
        case(name, clause, comment, &four())
            .draft(|draft| change(&mut draft.records[2]))
            .fails_to_verify("malformed")
    };
    let lie = |name, comment, lens: Lens| {
        case(name, "A-1.2", comment, &four())
            .draft(|draft| draft.records[2].lens = Some(lens))
            .fails_to_verify("malformed")
    };
    let lens = Lens { name: 1, attributes: 0, content: 10 };
    vec![
        changed("record_without_marker", "A-1.3", "Zeros in its place.", |r| {
            r.marker = Some([0; 16])
        }),
        changed("record_with_another_marker", "A-1.3", "Of another container.", |r| {
            r.marker = Some([7; 16])
        }),
        lie("record_name_len_lies", "65535 bytes.", Lens { name: u16::MAX, ..lens }),
        lie("record_attr_len_lies", "2^32 - 1 bytes.", Lens { attributes: u32::MAX, ..lens }),
        lie(
            "record_content_len_one_more",
            "The next record's marker is a byte early.",
            Lens { content: 11, ..lens },
        ),
        lie(
            "record_content_len_one_less",
            "The next record's marker is a byte late.",
            Lens { content: 9, ..lens },
        ),
        lie(
            "record_content_len_none",
            "The next record would be its content.",
            Lens { content: 0, ..lens },
        ),
        lie(
            "record_content_len_2_64_less_1",
            "An offset that overflows.",
            Lens { content: u64::MAX, ..lens },
        ),
        lie("record_content_len_back_to_itself", "Offsets modulo 2^64 would walk in a circle.", {
            Lens { content: 0u64.wrapping_sub(33), ..lens }
        }),
        {
            let mut pieces: Vec<_> = four().into_iter().map(Piece::Entry).collect();
            let rest = Record { marker: Some([0; 16]), ..Record::new(kind::PADDING, b"") };
            pieces.insert(1, Piece::Other(rest));
            let comment = "32 bytes that are no record, between two that are.";
            of_pieces("gap_between_records", "A-1.1", comment, &pieces).fails_to_verify("malformed")
        },
        {
            let mut pieces: Vec<_> = four().into_iter().map(Piece::Entry).collect();
            pieces.push(Piece::Other(Record::new(kind::PADDING, &[0; 40])));
            let comment = "The padding before the notes ends amid them.";
            of_pieces("padding_into_the_notes", "A-1.1", comment, &pieces)
                .draft(|draft| {
                    let lens = draft.records[4].true_lens();
                    draft.records[4].lens = Some(Lens { content: 41, ..lens });
                })
                .fails_to_verify("malformed")
        },
    ]
}

/// Records where none of their kind belongs.
fn strangers() -> Vec<Vector> {
    let among = |name, clause, comment, record: Record| {
        let mut pieces: Vec<_> = four().into_iter().map(Piece::Entry).collect();
        pieces.insert(2, Piece::Other(record));
        of_pieces(name, clause, comment, &pieces)
    };
    let of_kind = |kind, content: &[u8]| Record::new(kind, content);
    let unknown = |name, kind| {
        among(name, "A-1.4", "Below 128, so it must not be skipped.", of_kind(kind, b"x"))
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
            "notes_among_the_entries",
            "The trailer names other notes.",
            of_kind(kind::NOTES, b""),
        ),
        known(
            "block_among_the_entries",
            "The fence names other blocks.",
            of_kind(kind::BLOCK, b""),
        ),
        known(
            "fence_among_the_entries",
            "The trailer names another fence.",
            of_kind(kind::FENCE, b""),
        ),
        known(
            "trailer_among_the_entries",
            "It stands at the end.",
            of_kind(kind::TRAILER, &[0; 96]),
        ),
        known(
            "rows_among_the_entries",
            "They come first, and the trailer has none.",
            of_kind(kind::CONTAINERS, &[0; 96]),
        ),
        among(
            "padding_with_a_name",
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
            "Only entries have an encoding.",
            Record { encoding: 1, ..padding },
        )
        .fails_to_verify("malformed"),
    ]
}
