//! Fences that do not match the blocks.

use super::case::{Case, case};
use super::model::Vector;
use crate::archive::{HEAD_LEN, Item, Layout, Lengths, Record, kind};

/// Starts a vector with four files in two blocks.
fn two_blocks(name: &str, clause: &'static str, comment: &'static str) -> Case {
    let items = [b"a", b"b", b"c", b"d"].map(|name| Item::file(name, name));
    case(name, clause, comment, &items).archive(|archive| archive.block_max = 70)
}

pub(super) fn vectors() -> Vec<Vector> {
    let mut vectors = offsets();
    vectors.extend(names());
    vectors.extend(records());
    vectors
}

fn offsets() -> Vec<Vector> {
    let changed = |name, comment, change: fn(&mut Layout)| {
        two_blocks(name, "A-6.1", comment).layout(change).fails_to_open("malformed")
    };
    vec![
        two_blocks(
            "fence_of_two_blocks",
            "A-5.2",
            "The well-formed archive that the other fence vectors modify.",
        )
        .reads(),
        changed(
            "fence_first_block_after_index_offset",
            "The first block starts one byte after index_offset.",
            |l| l.fence[0].offset += 1,
        ),
        changed(
            "fence_gap_between_blocks",
            "The second block starts one byte after the end of the first.",
            |l| l.fence[1].offset += 1,
        ),
        changed(
            "fence_blocks_overlapping",
            "The second block starts one byte before the end of the first.",
            |l| l.fence[1].offset -= 1,
        ),
        changed("fence_block_repeated", "The second block has the offset of the first.", |l| {
            l.fence[1].offset = l.fence[0].offset
        }),
        changed("fence_blocks_swapped", "The offsets of the two blocks are swapped.", |l| {
            (l.fence[0].offset, l.fence[1].offset) = (l.fence[1].offset, l.fence[0].offset);
        }),
        changed("fence_block_before_index", "The second block is before the index.", |l| {
            l.fence[1].offset = 0
        }),
        changed("fence_offset_overflows", "The offset is 2^64 - 1.", |l| {
            l.fence[1].offset = u64::MAX
        }),
        changed("fence_block_missing", "The listed blocks end before the fence.", |l| {
            l.fence.pop();
            l.trailer.blocks = 1;
        }),
        changed("fence_content_len_plus_1", "The last block would end within the fence.", |l| {
            l.fence[1].content_len += 1
        }),
        changed("fence_content_len_minus_1", "The last block would end before the fence.", |l| {
            l.fence[1].content_len -= 1;
        }),
        changed("fence_content_len_maximum", "The length is 2^32 - 1.", |l| {
            l.fence[1].content_len = u32::MAX
        }),
        changed("fence_block_extra", "A third block follows the second.", |l| {
            let (mut more, end) = (l.fence[1].clone(), l.trailer.fence_offset);
            (more.offset, more.content_len, more.name) = (end, 0, b"e".to_vec());
            l.fence.push(more);
            l.trailer.blocks = 3;
        }),
        two_blocks(
            "fence_blocks_joined",
            "A-6.1",
            "One block spans both, so its content includes a record head.",
        )
        .layout(|l| {
            let second = l.fence.remove(1);
            l.fence[0].content_len += second.content_len + HEAD_LEN as u32;
            l.trailer.blocks = 1;
        })
        .fails_to_list("malformed"),
        two_blocks(
            "fence_block_boundary_shifted",
            "A-6.1",
            "The boundary between the blocks is one byte off.",
        )
        .layout(|l| {
            l.fence[0].content_len += 1;
            l.fence[1].offset += 1;
            l.fence[1].content_len -= 1;
        })
        .fails_to_list("malformed"),
    ]
}

fn names() -> Vec<Vector> {
    let changed =
        |name, comment, change: fn(&mut Layout)| two_blocks(name, "A-6.1", comment).layout(change);
    vec![
        changed("fence_names_descending", "`e` precedes `c`.", |l| l.fence[0].name = b"e".to_vec())
            .fails_to_open("malformed"),
        changed("fence_names_equal", "`c` occurs twice.", |l| l.fence[0].name = b"c".to_vec())
            .fails_to_open("malformed"),
        changed(
            "fence_name_below_first_entry",
            "The first entry is `a`, but the fence has `A`.",
            |l| l.fence[0].name = b"A".to_vec(),
        )
        .fails_to_list("malformed"),
        changed(
            "fence_name_above_first_entry",
            "The first entry is `c`, but the fence has `cc`.",
            |l| {
                l.fence[1].name = b"cc".to_vec();
            },
        )
        .fails_to_list("malformed"),
        changed(
            "fence_name_of_second_entry",
            "The first entry is `a`, but the fence has `b`.",
            |l| {
                l.fence[0].name = b"b".to_vec();
            },
        )
        .fails_to_list("malformed"),
        case(
            "block_overlaps_next_block",
            "A-6.1",
            "The first block has `a` and `d`, but the second starts with `c`.",
            &[b"a", b"c", b"d"].map(|name| Item::file(name, name)),
        )
        .archive(|archive| {
            archive.block_max = 70;
            archive.index.swap(1, 2);
        })
        .fails_to_list("malformed"),
    ]
}

fn records() -> Vec<Vector> {
    let changed = |name, clause, comment, change: fn(&mut Record)| {
        let fence = |records: &mut Vec<Record>| {
            let number = records.len() - 2;
            change(&mut records[number]);
        };
        two_blocks(name, clause, comment).records(fence).fails_to_open("malformed")
    };
    vec![
        changed("fence_without_marker", "A-1.3", "The marker is zeroed.", |fence| {
            fence.marker = Some([0; 16])
        }),
        changed("fence_kind_wrong", "A-1.2", "The record has the kind of a block.", |fence| {
            fence.kind = kind::BLOCK
        }),
        changed("fence_with_encoding", "A-1.4", "Only entries may have an encoding.", |fence| {
            fence.encoding = 1
        }),
        changed(
            "fence_record_len_minus_1",
            "A-6.1",
            "The record ends one byte before the trailer.",
            |fence| {
                let lengths = fence.actual_lengths();
                fence.lengths = Some(Lengths { content: lengths.content - 1, ..lengths });
            },
        ),
        changed(
            "fence_record_len_plus_1",
            "A-6.1",
            "The record ends within the trailer.",
            |fence| {
                let lengths = fence.actual_lengths();
                fence.lengths = Some(Lengths { content: lengths.content + 1, ..lengths });
            },
        ),
        changed(
            "fence_with_trailing_byte",
            "A-5.2",
            "The trailing byte is too short to be another fence entry.",
            |fence| fence.content.push(0),
        ),
        changed(
            "fence_name_len_too_large",
            "A-5.2",
            "The length is 65535, but fewer bytes follow.",
            |fence| {
                fence.content[12..14].copy_from_slice(&[0xFF; 2]);
            },
        ),
        changed("fence_truncated", "A-5.2", "The last name is missing.", |fence| {
            fence.content.pop();
        }),
        two_blocks("padding_between_fence_and_trailer", "A-1.1", "No record is allowed there.")
            .records(|records| records.insert(records.len() - 1, Record::new(kind::PADDING, b"")))
            .fails_to_open("malformed"),
        two_blocks("padding_between_blocks", "A-1.1", "No record is allowed there.")
            .records(|records| records.insert(records.len() - 3, Record::new(kind::PADDING, b"")))
            .fails_to_open("malformed"),
    ]
}
