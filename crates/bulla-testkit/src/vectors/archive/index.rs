//! Invalid index entries and blocks.

use super::case::case;
use super::model::Vector;
use super::whole::sample_items;
use crate::archive::{FenceEntry, IndexEntry, Item, Lengths, Record, kind};

pub(super) fn vectors() -> Vec<Vector> {
    let mut vectors = fields();
    vectors.extend(contents());
    vectors.extend(blocks());
    vectors
}

fn fields() -> Vec<Vector> {
    // Entries 0 to 3 are a directory, two files and a link.
    let changed = |name, clause, comment, number: usize, change: fn(&mut IndexEntry)| {
        case(name, clause, comment, &sample_items())
            .archive(|archive| change(&mut archive.index[number]))
            .fails_to_list("malformed")
    };
    vec![
        changed("index_kind_0", "A-5.1", "An index entry has kind 1, 2 or 3.", 1, |e| e.kind = 0),
        changed("index_kind_4", "A-5.1", "A reference has kind 1 in the index.", 1, |e| {
            e.kind = kind::REFERENCE
        }),
        changed(
            "index_kind_128",
            "A-5.1",
            "Unknown records may be skipped, but unknown index entries may not.",
            1,
            |e| e.kind = 128,
        ),
        changed("directory_with_offset", "A-5.1", "A directory has no content.", 0, |e| {
            e.offset = 32
        }),
        changed("directory_with_length", "A-5.1", "A directory has no content.", 0, |e| e.len = 1),
        changed("link_with_offset", "A-5.1", "A symbolic link has no content.", 3, |e| {
            e.offset = 32
        }),
        changed("link_with_length", "A-5.1", "A symbolic link has no content.", 3, |e| e.len = 1),
        changed("row_out_of_range", "A-6.1", "The archive has no rows.", 1, |e| e.container = 1),
        changed(
            "row_maximum",
            "A-6.1",
            "The row is 2^32 - 1, and the archive has no rows.",
            1,
            |e| e.container = u32::MAX,
        ),
        changed(
            "index_name_len_too_large",
            "A-6.1",
            "The name of the last entry exceeds the block.",
            3,
            |e| {
                e.lengths = Some((u16::MAX, 0));
            },
        ),
        changed(
            "index_attr_len_too_large",
            "A-6.1",
            "The attributes of the last entry exceed the block.",
            3,
            |e| {
                e.lengths = Some((1, u32::MAX));
            },
        ),
        changed(
            "index_attr_len_plus_1",
            "A-6.1",
            "The attributes of the last entry exceed the block by one byte.",
            3,
            |e| {
                e.lengths = Some((1, e.attributes.len() as u32 + 1));
            },
        ),
        changed(
            "index_name_len_minus_1",
            "A-6.1",
            "The last byte of the name is read as an attribute.",
            1,
            |e| {
                e.lengths = Some((e.name.len() as u16 - 1, e.attributes.len() as u32));
            },
        ),
    ]
}

fn contents() -> Vec<Vector> {
    let two = [Item::file(b"a", b"0123456789"), Item::file(b"b", b"0123456789")];
    let changed = |name, clause, comment, change: fn(&mut IndexEntry, u64)| {
        case(name, clause, comment, &two)
            .archive(|archive| {
                // The notes start after two heads, two names and two contents.
                change(&mut archive.index[1], 2 * (32 + 1 + 10));
            })
            .fails_to_list("malformed")
    };
    let overlap = |name, comment, change: fn(&mut [IndexEntry])| {
        case(name, "A-3.3", comment, &two)
            .archive(|archive| change(&mut archive.index))
            .fails_to_list("malformed")
    };
    vec![
        changed(
            "content_overlaps_notes",
            "A-6.1",
            "The content ends one byte after notes_offset.",
            |e, _| e.offset += 1,
        ),
        changed(
            "content_after_notes_offset",
            "A-6.1",
            "The content starts at notes_offset.",
            |e, notes| e.offset = notes,
        ),
        changed("content_beyond_plaintext", "A-6.1", "The offset is 2^47.", |e, _| {
            e.offset = 1 << 47
        }),
        changed(
            "content_empty_after_notes_offset",
            "A-6.1",
            "The bound applies to empty content as well.",
            |e, notes| {
                (e.offset, e.len) = (notes + 1, 0);
            },
        ),
        changed("content_len_too_large", "A-6.1", "The length is 2^63.", |e, _| e.len = 1 << 63),
        changed(
            "content_end_overflows",
            "A-6.1",
            "The sum of offset and length overflows to a small number.",
            |e, _| {
                (e.offset, e.len) = (u64::MAX - 9, 20);
            },
        ),
        overlap(
            "contents_overlapping_by_offset",
            "`b` starts with the last byte of `a`.",
            |index| {
                index[1].offset = index[0].offset + 9;
            },
        ),
        overlap("contents_overlapping_by_len", "`a` ends with the first byte of `b`.", |index| {
            index[0].len = index[1].offset + 1 - index[0].offset;
        }),
        overlap("content_within_another", "`b` is in the middle of `a`.", |index| {
            (index[1].offset, index[1].len) = (index[0].offset + 3, 3);
        }),
        overlap(
            "contents_with_same_start",
            "The two contents have the same offset but different lengths.",
            |index| {
                (index[1].offset, index[1].len) = (index[0].offset, 5);
            },
        ),
    ]
}

fn blocks() -> Vec<Vector> {
    let changed = |name, clause, comment, change: fn(&mut Record)| {
        case(name, clause, comment, &sample_items())
            .layout(|layout| change(&mut layout.blocks[0]))
            .fails_to_list("malformed")
    };
    vec![
        changed("block_without_marker", "A-1.3", "The marker is zeroed.", |block| {
            block.marker = Some([0; 16])
        }),
        changed("block_kind_wrong", "A-6.1", "The block has the kind of padding.", |block| {
            block.kind = kind::PADDING;
        }),
        changed("block_with_encoding", "A-1.4", "Only entries may have an encoding.", |block| {
            block.encoding = 1
        }),
        changed("block_with_name", "A-1.4", "The record has a name of one byte.", |block| {
            let lengths = block.actual_lengths();
            block.lengths = Some(Lengths { name: 1, content: lengths.content - 1, ..lengths });
        }),
        changed(
            "block_len_differs_from_fence",
            "A-6.1",
            "The length in the record's head differs from the one in the fence.",
            |block| {
                let lengths = block.actual_lengths();
                block.lengths = Some(Lengths { content: lengths.content - 1, ..lengths });
            },
        ),
        case("block_unsorted", "A-6.1", "`b` precedes `a/1`.", &sample_items())
            .archive(|archive| archive.index.swap(1, 2))
            .fails_to_list("malformed"),
        case(
            "block_with_duplicate_name",
            "A-6.1",
            "The name `c` is replaced with `b`.",
            &sample_items(),
        )
        .archive(|archive| archive.index[3] = archive.index[2].clone())
        .fails_to_list("malformed"),
        case(
            "block_with_trailing_byte",
            "A-6.1",
            "The trailing byte is too short to be another entry.",
            &sample_items(),
        )
        .layout(|layout| {
            layout.blocks[0].content.push(0);
            layout.fence[0].content_len += 1;
            layout.trailer.fence_offset += 1;
        })
        .fails_to_list("malformed"),
        case("block_without_entries", "A-5.1", "A block has at least one entry.", &[])
            .archive(|archive| archive.index = Vec::new())
            .layout(|layout| {
                let offset = layout.trailer.index_offset;
                let (content_len, zero, name) = (0, 0, b"a".to_vec());
                layout.blocks.push(Record::new(kind::BLOCK, b""));
                layout.fence.push(FenceEntry { offset, content_len, zero, name });
                layout.trailer.fence_offset += 32;
                layout.trailer.blocks = 1;
            })
            .fails_to_list("malformed"),
    ]
}
