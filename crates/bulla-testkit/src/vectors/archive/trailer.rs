//! Trailers that are truncated, of the wrong kind, or have wrong values.

use super::case::{case, of_pieces};
use super::model::Vector;
use super::whole::sample_items;
use crate::archive::{Lengths, Piece, Record, Trailer, kind};

pub(super) fn vectors() -> Vec<Vector> {
    let mut vectors = records();
    vectors.extend(offsets());
    vectors.extend(numbers());
    vectors
}

fn records() -> Vec<Vector> {
    let plaintext = |name, comment, change: fn(&mut Vec<u8>)| {
        case(name, "A-6.1", comment, &sample_items()).plaintext(change).fails_to_open("malformed")
    };
    let trailer = |name, comment, change: fn(&mut Record)| {
        let last = |records: &mut Vec<Record>| records.last_mut().into_iter().for_each(change);
        case(name, "A-6.1", comment, &sample_items()).records(last).fails_to_open("malformed")
    };
    let lengths = Lengths { name: 0, attributes: 0, content: 96 };
    vec![
        plaintext("plaintext_empty", "The plaintext is too short for a trailer.", |bytes| {
            bytes.clear()
        }),
        plaintext(
            "plaintext_of_127_bytes",
            "Only the last 127 bytes of an archive are left.",
            |bytes| {
                bytes.drain(..bytes.len() - 127);
            },
        ),
        plaintext("trailer_alone", "The offsets exceed the plaintext.", |bytes| {
            bytes.drain(..bytes.len() - 128);
        }),
        plaintext("trailer_truncated", "The last byte is missing.", |bytes| {
            bytes.pop();
        }),
        plaintext("byte_after_trailer", "One byte follows the trailer.", |bytes| bytes.push(0)),
        plaintext(
            "trailer_twice",
            "The fence of the second trailer does not end where the trailer starts.",
            |bytes| {
                bytes.extend_from_within(bytes.len() - 128..);
            },
        ),
        trailer("trailer_without_marker", "The marker is zeroed.", |trailer| {
            trailer.marker = Some([0; 16])
        }),
        trailer("trailer_kind_padding", "The trailer has the kind of padding.", |trailer| {
            trailer.kind = kind::PADDING
        }),
        trailer("trailer_kind_fence", "The trailer has the kind of a fence.", |trailer| {
            trailer.kind = kind::FENCE
        }),
        {
            let name = move |trailer: &mut Record| {
                trailer.lengths = Some(Lengths { name: 1, content: 95, ..lengths })
            };
            let last = |records: &mut Vec<Record>| records.last_mut().into_iter().for_each(name);
            case(
                "trailer_with_name",
                "A-6.1",
                "The trailer has a one-byte name and 95 bytes of content.",
                &sample_items(),
            )
            .records(last)
            .fails_to_open("malformed")
        },
        trailer(
            "trailer_content_len_95",
            "The length is one less than that of the record's content.",
            |trailer| {
                trailer.lengths = Some(Lengths { name: 0, attributes: 0, content: 95 });
            },
        ),
        trailer(
            "trailer_content_len_97",
            "The length is one more than that of the record's content.",
            |trailer| {
                trailer.lengths = Some(Lengths { name: 0, attributes: 0, content: 97 });
            },
        ),
        trailer(
            "trailer_content_len_maximum",
            "The length is 2^64 - 1, so the end overflows.",
            |trailer| {
                trailer.lengths = Some(Lengths { name: 0, attributes: 0, content: u64::MAX });
            },
        ),
    ]
}

fn offsets() -> Vec<Vector> {
    let changed = |name, comment, change: fn(&mut Trailer)| {
        case(name, "A-6.1", comment, &sample_items())
            .layout(|layout| change(&mut layout.trailer))
            .fails_to_open("malformed")
    };
    vec![
        changed("notes_offset_after_index", "The offset is one byte after index_offset.", |t| {
            t.notes_offset = t.index_offset + 1
        }),
        changed("notes_offset_maximum", "The offset is 2^64 - 1, beyond the plaintext.", |t| {
            t.notes_offset = u64::MAX
        }),
        changed("index_offset_plus_1", "No block starts there.", |t| t.index_offset += 1),
        changed("index_offset_after_fence", "The offset is one byte after fence_offset.", |t| {
            t.index_offset = t.fence_offset + 1
        }),
        changed("index_offset_of_fence", "The index would have no blocks.", |t| {
            t.index_offset = t.fence_offset
        }),
        changed("fence_offset_plus_1", "No record starts there.", |t| t.fence_offset += 1),
        changed("fence_offset_of_last_block", "The record there is not a fence.", |t| {
            t.fence_offset = t.index_offset;
        }),
        changed(
            "fence_offset_overflows_head",
            "The offset is 2^64 - 16, so the end of the head overflows.",
            |t| t.fence_offset = u64::MAX - 15,
        ),
        changed(
            "offsets_zero",
            "All offsets are 0, but the first record is that of an entry.",
            |t| {
                (t.notes_offset, t.index_offset, t.fence_offset) = (0, 0, 0);
            },
        ),
        case("fence_offset_of_trailer", "A-6.1", "A fence must precede the trailer.", &[])
            .layout(|layout| layout.trailer.fence_offset += 32)
            .fails_to_open("malformed"),
        of_pieces(
            "notes_offset_minus_1",
            "A-6.4",
            "No record starts there, but the index does not depend on notes_offset.",
            &[Piece::Other(Record::new(kind::PADDING, b"x"))],
        )
        .layout(|layout| layout.trailer.notes_offset -= 1)
        .fails_to_verify("malformed"),
    ]
}

fn numbers() -> Vec<Vector> {
    let changed = |name, clause, comment, change: fn(&mut Trailer)| {
        case(name, clause, comment, &sample_items()).layout(|layout| change(&mut layout.trailer))
    };
    vec![
        changed("entries_plus_1", "A-6.2", "The index has 4 entries.", |t| t.entries += 1)
            .fails_to_list("malformed"),
        changed("entries_minus_1", "A-6.2", "The index has 4 entries.", |t| t.entries -= 1)
            .fails_to_list("malformed"),
        changed("entries_0", "A-6.2", "The index has 4 entries.", |t| t.entries = 0)
            .fails_to_list("malformed"),
        changed(
            "entries_1000000",
            "A-6.3",
            "The index is too small for this number of entries.",
            |t| t.entries = 1_000_000,
        )
        .fails_to_list("malformed"),
        changed("entries_maximum", "A-6.3", "The entries would not fit into memory.", |t| {
            t.entries = u64::MAX
        })
        .fails_to_list("malformed"),
        changed("blocks_plus_1", "A-6.1", "The fence has 1 block.", |t| t.blocks += 1)
            .fails_to_open("malformed"),
        changed("blocks_0", "A-6.1", "The fence has 1 block.", |t| t.blocks = 0)
            .fails_to_open("malformed"),
        changed("blocks_2_40", "A-6.3", "The fence is too small for this number of blocks.", |t| {
            t.blocks = 1 << 40
        })
        .fails_to_open("malformed"),
        changed("len_sum_plus_1", "A-6.2", "The contents are one byte shorter.", |t| {
            t.len_sum += 1
        })
        .fails_to_list("malformed"),
        changed("len_sum_0", "A-6.2", "The contents are not empty.", |t| t.len_sum = 0)
            .fails_to_list("malformed"),
        changed("rows_without_record", "A-3.4", "The first record is that of a directory.", |t| {
            t.rows = 1
        })
        .fails_by_verify("malformed"),
        changed("rows_65537", "A-3.4", "The number of rows is one more than the maximum.", |t| {
            t.rows = (1 << 16) + 1
        })
        .fails_by_verify("malformed"),
        changed("rows_maximum", "A-6.3", "The rows would not fit into memory.", |t| {
            t.rows = u64::MAX
        })
        .fails_by_verify("malformed"),
    ]
}
