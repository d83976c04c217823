//! Index entries and blocks that do not hold what they have to.

use super::Vector;
use super::case::case;
use super::whole::four;
use crate::archive::{IndexEntry, Item, Lens, Record, kind};

pub(super) fn vectors() -> Vec<Vector> {
    let mut vectors = fields();
    vectors.extend(contents());
    vectors.extend(blocks());
    vectors
}

fn fields() -> Vec<Vector> {
    // Entries 0 to 3 are a directory, two files and a link.
    let changed = |name, clause, comment, number: usize, change: fn(&mut IndexEntry)| {
        case(name, clause, comment, &four())
            .draft(|draft| change(&mut draft.index[number]))
            .fails_to_list("malformed")
    };
    vec![
        changed("index_kind_0", "A-5.1", "The index knows kinds 1 to 3.", 1, |e| e.kind = 0),
        changed("index_kind_4", "A-5.1", "A reference is of kind 1 here.", 1, |e| {
            e.kind = kind::REFERENCE
        }),
        changed(
            "index_kind_128",
            "A-5.1",
            "Records may be skipped, index entries may not.",
            1,
            |e| e.kind = 128,
        ),
        changed("directory_with_offset", "A-5.1", "Its content is none.", 0, |e| e.offset = 32),
        changed("directory_with_length", "A-5.1", "Its content is none.", 0, |e| e.len = 1),
        changed("link_with_offset", "A-5.1", "Its content is none.", 3, |e| e.offset = 32),
        changed("link_with_length", "A-5.1", "Its content is none.", 3, |e| e.len = 1),
        changed("no_such_row", "A-6.1", "There are no rows.", 1, |e| e.container = 1),
        changed("no_such_row_2_32_less_1", "A-6.1", "There are no rows.", 1, |e| {
            e.container = u32::MAX
        }),
        changed(
            "index_name_len_lies",
            "A-6.1",
            "The last entry's name is longer than the block.",
            3,
            |e| {
                e.lens = Some((u16::MAX, 0));
            },
        ),
        changed(
            "index_attr_len_lies",
            "A-6.1",
            "The last entry's attributes are longer than the block.",
            3,
            |e| {
                e.lens = Some((1, u32::MAX));
            },
        ),
        changed("index_attr_len_one_more", "A-6.1", "A byte more than is there.", 3, |e| {
            e.lens = Some((1, e.attributes.len() as u32 + 1));
        }),
        changed(
            "index_name_len_one_less",
            "A-6.1",
            "A byte of the name counts as an attribute.",
            1,
            |e| {
                e.lens = Some((e.name.len() as u16 - 1, e.attributes.len() as u32));
            },
        ),
    ]
}

fn contents() -> Vec<Vector> {
    let two = [Item::file(b"a", b"0123456789"), Item::file(b"b", b"0123456789")];
    let changed = |name, clause, comment, change: fn(&mut IndexEntry, u64)| {
        case(name, clause, comment, &two)
            .draft(|draft| {
                // Where the notes begin: two heads, two names, two contents.
                change(&mut draft.index[1], 2 * (32 + 1 + 10));
            })
            .fails_to_list("malformed")
    };
    let overlap = |name, comment, change: fn(&mut [IndexEntry])| {
        case(name, "A-3.3", comment, &two)
            .draft(|draft| change(&mut draft.index))
            .fails_to_list("malformed")
    };
    vec![
        changed("content_into_the_notes", "A-6.1", "By one byte.", |e, _| e.offset += 1),
        changed("content_behind_notes_offset", "A-6.1", "All of it.", |e, notes| e.offset = notes),
        changed("content_beyond_the_plaintext", "A-6.1", "Far beyond.", |e, _| e.offset = 1 << 47),
        changed(
            "empty_content_behind_notes_offset",
            "A-6.1",
            "Even one of no bytes.",
            |e, notes| {
                (e.offset, e.len) = (notes + 1, 0);
            },
        ),
        changed("content_length_lies", "A-6.1", "2^63 bytes.", |e, _| e.len = 1 << 63),
        changed(
            "content_end_overflows",
            "A-6.1",
            "Offset and length add up to a small number.",
            |e, _| {
                (e.offset, e.len) = (u64::MAX - 9, 20);
            },
        ),
        overlap("contents_overlap", "`b` begins with the last byte of `a`.", |index| {
            index[1].offset = index[0].offset + 9;
        }),
        overlap("contents_overlap_by_length", "`a` ends with the first byte of `b`.", |index| {
            index[0].len = index[1].offset + 1 - index[0].offset;
        }),
        overlap("content_within_another", "`b` is the middle of `a`.", |index| {
            (index[1].offset, index[1].len) = (index[0].offset + 3, 3);
        }),
        overlap("contents_of_one_beginning", "But of two lengths.", |index| {
            (index[1].offset, index[1].len) = (index[0].offset, 5);
        }),
    ]
}

fn blocks() -> Vec<Vector> {
    let changed = |name, clause, comment, change: fn(&mut Record)| {
        case(name, clause, comment, &four())
            .layout(|layout| change(&mut layout.blocks[0]))
            .fails_to_list("malformed")
    };
    vec![
        changed("block_without_marker", "A-1.3", "Zeros in its place.", |block| {
            block.marker = Some([0; 16])
        }),
        changed("block_of_another_kind", "A-6.1", "Padding, but for that as it was.", |block| {
            block.kind = kind::PADDING;
        }),
        changed("block_with_encoding", "A-1.4", "Only entries have an encoding.", |block| {
            block.encoding = 1
        }),
        changed("block_with_a_name", "A-1.4", "Of one byte.", |block| {
            let lens = block.true_lens();
            block.lens = Some(Lens { name: 1, content: lens.content - 1, ..lens });
        }),
        changed(
            "block_of_another_length_than_the_fence_says",
            "A-6.1",
            "In its own head.",
            |block| {
                let lens = block.true_lens();
                block.lens = Some(Lens { content: lens.content - 1, ..lens });
            },
        ),
        case("block_unsorted", "A-6.1", "`b` before `a/1`.", &four())
            .draft(|draft| draft.index.swap(1, 2))
            .fails_to_list("malformed"),
        case("block_with_a_name_twice", "A-6.1", "`b`, in place of `c`.", &four())
            .draft(|draft| draft.index[3] = draft.index[2].clone())
            .fails_to_list("malformed"),
        case("block_with_a_byte_behind", "A-6.1", "Too few for another entry.", &four())
            .layout(|layout| {
                layout.blocks[0].content.push(0);
                layout.fence[0].content_len += 1;
                layout.trailer.fence_offset += 1;
            })
            .fails_to_list("malformed"),
        case("block_without_entries", "A-5.1", "A block has at least one.", &[])
            .draft(|draft| draft.index = Vec::new())
            .layout(|layout| {
                let offset = layout.trailer.index_offset;
                let (content_len, zero, name) = (0, 0, b"a".to_vec());
                layout.blocks.push(Record::new(kind::BLOCK, b""));
                layout.fence.push(crate::archive::FenceEntry { offset, content_len, zero, name });
                layout.trailer.fence_offset += 32;
                layout.trailer.blocks = 1;
            })
            .fails_to_list("malformed"),
    ]
}
