//! Trailers that are cut, of another kind, or lie.

use super::Vector;
use super::case::{case, of_pieces};
use super::whole::four;
use crate::archive::{Lens, Piece, Record, Trailer, kind};

pub(super) fn vectors() -> Vec<Vector> {
    let mut vectors = records();
    vectors.extend(offsets());
    vectors.extend(numbers());
    vectors
}

fn records() -> Vec<Vector> {
    let plaintext = |name, comment, change: fn(&mut Vec<u8>)| {
        case(name, "A-6.1", comment, &four()).plaintext(change).fails_to_open("malformed")
    };
    let trailer = |name, comment, change: fn(&mut Record)| {
        let last = |records: &mut Vec<Record>| records.last_mut().into_iter().for_each(change);
        case(name, "A-6.1", comment, &four()).records(last).fails_to_open("malformed")
    };
    let lens = Lens { name: 0, attributes: 0, content: 96 };
    vec![
        plaintext("plaintext_empty", "No room for a trailer.", |bytes| bytes.clear()),
        plaintext("plaintext_of_127_bytes", "The last 127 bytes of an archive.", |bytes| {
            bytes.drain(..bytes.len() - 127);
        }),
        plaintext("plaintext_of_a_trailer_alone", "Its offsets lie behind it.", |bytes| {
            bytes.drain(..bytes.len() - 128);
        }),
        plaintext("trailer_cut", "The last byte is missing.", |bytes| {
            bytes.pop();
        }),
        plaintext("byte_behind_the_trailer", "One byte more.", |bytes| bytes.push(0)),
        plaintext("trailer_twice", "The second's fence does not end where it begins.", |bytes| {
            bytes.extend_from_within(bytes.len() - 128..);
        }),
        trailer("trailer_without_marker", "Zeros in its place.", |trailer| {
            trailer.marker = Some([0; 16])
        }),
        trailer("trailer_of_another_kind", "Padding, but for that as it was.", |trailer| {
            trailer.kind = kind::PADDING
        }),
        trailer("trailer_of_the_fences_kind", "But for that as it was.", |trailer| {
            trailer.kind = kind::FENCE
        }),
        {
            let name = move |trailer: &mut Record| {
                trailer.lens = Some(Lens { name: 1, content: 95, ..lens })
            };
            let last = |records: &mut Vec<Record>| records.last_mut().into_iter().for_each(name);
            case("trailer_with_a_name", "A-6.1", "Of one byte, and 95 of content.", &four())
                .records(last)
                .fails_to_open("malformed")
        },
        trailer("trailer_content_len_95", "A byte less than is there.", |trailer| {
            trailer.lens = Some(Lens { name: 0, attributes: 0, content: 95 });
        }),
        trailer("trailer_content_len_97", "A byte more than is there.", |trailer| {
            trailer.lens = Some(Lens { name: 0, attributes: 0, content: 97 });
        }),
        trailer("trailer_content_len_2_64_less_1", "An offset that overflows.", |trailer| {
            trailer.lens = Some(Lens { name: 0, attributes: 0, content: u64::MAX });
        }),
    ]
}

fn offsets() -> Vec<Vector> {
    let lie = |name, comment, change: fn(&mut Trailer)| {
        case(name, "A-6.1", comment, &four())
            .layout(|layout| change(&mut layout.trailer))
            .fails_to_open("malformed")
    };
    vec![
        lie("notes_offset_behind_the_index", "By one byte.", |t| {
            t.notes_offset = t.index_offset + 1
        }),
        lie("notes_offset_2_64_less_1", "Behind everything.", |t| t.notes_offset = u64::MAX),
        lie("index_offset_one_more", "No block begins there.", |t| t.index_offset += 1),
        lie("index_offset_behind_the_fence", "By one byte.", |t| {
            t.index_offset = t.fence_offset + 1
        }),
        lie("index_offset_of_the_fence", "As if there were no blocks.", |t| {
            t.index_offset = t.fence_offset
        }),
        lie("fence_offset_one_more", "No record begins there.", |t| t.fence_offset += 1),
        lie("fence_offset_of_the_last_block", "A record begins there, but no fence.", |t| {
            t.fence_offset = t.index_offset;
        }),
        lie("fence_offset_2_64_less_16", "A head there would overflow.", |t| {
            t.fence_offset = u64::MAX - 15
        }),
        lie("all_offsets_zero", "The first record is an entry's.", |t| {
            (t.notes_offset, t.index_offset, t.fence_offset) = (0, 0, 0);
        }),
        case("fence_offset_of_the_trailer", "A-6.1", "There has to be a fence before it.", &[])
            .layout(|layout| layout.trailer.fence_offset += 32)
            .fails_to_open("malformed"),
        of_pieces(
            "notes_offset_one_less",
            "A-6.4",
            "No record begins there; the index is none the worse for it.",
            &[Piece::Other(Record::new(kind::PADDING, b"x"))],
        )
        .layout(|layout| layout.trailer.notes_offset -= 1)
        .fails_to_verify("malformed"),
    ]
}

fn numbers() -> Vec<Vector> {
    let lie = |name, clause, comment, change: fn(&mut Trailer)| {
        case(name, clause, comment, &four()).layout(|layout| change(&mut layout.trailer))
    };
    vec![
        lie("entries_one_more", "A-6.2", "There are 4.", |t| t.entries += 1)
            .fails_to_list("malformed"),
        lie("entries_one_less", "A-6.2", "There are 4.", |t| t.entries -= 1)
            .fails_to_list("malformed"),
        lie("entries_none", "A-6.2", "There are 4, in a block.", |t| t.entries = 0)
            .fails_to_list("malformed"),
        lie("entries_a_million", "A-6.3", "They do not fit into the bytes that are there.", |t| {
            t.entries = 1_000_000
        })
        .fails_to_list("malformed"),
        lie("entries_2_64_less_1", "A-6.3", "More than fit into memory.", |t| t.entries = u64::MAX)
            .fails_to_list("malformed"),
        lie("blocks_one_more", "A-6.1", "There is 1.", |t| t.blocks += 1)
            .fails_to_open("malformed"),
        lie("blocks_none", "A-6.1", "There is 1.", |t| t.blocks = 0).fails_to_open("malformed"),
        lie("blocks_2_40", "A-6.3", "They do not fit into the fence.", |t| t.blocks = 1 << 40)
            .fails_to_open("malformed"),
        lie("len_sum_one_more", "A-6.2", "The contents are shorter.", |t| t.len_sum += 1)
            .fails_to_list("malformed"),
        lie("len_sum_none", "A-6.2", "The contents are longer.", |t| t.len_sum = 0)
            .fails_to_list("malformed"),
        lie("rows_without_a_record", "A-3.4", "The first record is a directory's.", |t| t.rows = 1)
            .fails_to_verify_at_the_latest("malformed"),
        lie("rows_65537", "A-3.4", "More than there may be.", |t| t.rows = (1 << 16) + 1)
            .fails_to_verify_at_the_latest("malformed"),
        lie("rows_2_64_less_1", "A-6.3", "More than fit into memory.", |t| t.rows = u64::MAX)
            .fails_to_verify_at_the_latest("malformed"),
    ]
}
