//! Fences that name other blocks than there are.

use super::Vector;
use super::case::{Case, case};
use crate::archive::{HEAD_LEN, Item, Layout, Lens, Record, kind};

/// Four files in two blocks.
fn two_blocks(name: &str, clause: &'static str, comment: &'static str) -> Case {
    let items = [b"a", b"b", b"c", b"d"].map(|name| Item::file(name, name));
    case(name, clause, comment, &items).draft(|draft| draft.block_max = 70)
}

pub(super) fn vectors() -> Vec<Vector> {
    let mut vectors = offsets();
    vectors.extend(names());
    vectors.extend(records());
    vectors
}

fn offsets() -> Vec<Vector> {
    let lie = |name, comment, change: fn(&mut Layout)| {
        two_blocks(name, "A-6.1", comment).layout(change).fails_to_open("malformed")
    };
    vec![
        two_blocks("fence_of_two_blocks", "A-5.2", "As the others here, with nothing wrong.")
            .reads(),
        lie("fence_first_block_behind_index_offset", "By one byte.", |l| l.fence[0].offset += 1),
        lie("fence_gap_between_blocks", "The second begins one byte behind the first.", |l| {
            l.fence[1].offset += 1
        }),
        lie("fence_overlap_of_blocks", "The second begins within the first.", |l| {
            l.fence[1].offset -= 1
        }),
        lie("fence_runs_in_a_circle", "The second block is the first.", |l| {
            l.fence[1].offset = l.fence[0].offset
        }),
        lie("fence_runs_backwards", "The blocks have changed places.", |l| {
            (l.fence[0].offset, l.fence[1].offset) = (l.fence[1].offset, l.fence[0].offset);
        }),
        lie("fence_block_in_the_contents", "The second block lies before the index.", |l| {
            l.fence[1].offset = 0
        }),
        lie("fence_block_2_64_less_1", "An offset that overflows.", |l| {
            l.fence[1].offset = u64::MAX
        }),
        lie("fence_skips_a_block", "It ends before the fence does.", |l| {
            l.fence.pop();
            l.trailer.blocks = 1;
        }),
        lie("fence_content_len_one_more", "The last block would end in the fence.", |l| {
            l.fence[1].content_len += 1
        }),
        lie("fence_content_len_one_less", "The last block would end before the fence.", |l| {
            l.fence[1].content_len -= 1;
        }),
        lie("fence_content_len_2_32_less_1", "More than there is.", |l| {
            l.fence[1].content_len = u32::MAX
        }),
        lie("fence_block_too_many", "A third one, behind the second.", |l| {
            let (mut more, end) = (l.fence[1].clone(), l.trailer.fence_offset);
            (more.offset, more.content_len, more.name) = (end, 0, b"e".to_vec());
            l.fence.push(more);
            l.trailer.blocks = 3;
        }),
        two_blocks(
            "fence_joins_two_blocks",
            "A-6.1",
            "One block of the length of both, with a head amid it.",
        )
        .layout(|l| {
            let second = l.fence.remove(1);
            l.fence[0].content_len += second.content_len + HEAD_LEN as u32;
            l.trailer.blocks = 1;
        })
        .fails_to_list("malformed"),
        two_blocks(
            "fence_and_block_of_another_length",
            "A-6.1",
            "The border between the blocks is a byte off.",
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
    let lie =
        |name, comment, change: fn(&mut Layout)| two_blocks(name, "A-6.1", comment).layout(change);
    vec![
        lie("fence_names_descend", "`e` before `c`.", |l| l.fence[0].name = b"e".to_vec())
            .fails_to_open("malformed"),
        lie("fence_names_equal", "`c` twice.", |l| l.fence[0].name = b"c".to_vec())
            .fails_to_open("malformed"),
        lie("fence_name_below_the_first", "The block begins with `a`.", |l| {
            l.fence[0].name = b"A".to_vec()
        })
        .fails_to_list("malformed"),
        lie("fence_name_above_the_first", "The block begins with `c`, the fence says `cc`.", |l| {
            l.fence[1].name = b"cc".to_vec();
        })
        .fails_to_list("malformed"),
        lie(
            "fence_name_of_the_second_entry",
            "The first block begins with `a`, the fence says `b`.",
            |l| {
                l.fence[0].name = b"b".to_vec();
            },
        )
        .fails_to_list("malformed"),
        case(
            "block_reaches_into_the_next",
            "A-6.1",
            "The first block has `a` and `d`, the second begins with `c`.",
            &[b"a", b"c", b"d"].map(|name| Item::file(name, name)),
        )
        .draft(|draft| {
            draft.block_max = 70;
            draft.index.swap(1, 2);
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
        changed("fence_without_marker", "A-1.3", "Zeros in its place.", |fence| {
            fence.marker = Some([0; 16])
        }),
        changed("fence_of_another_kind", "A-1.2", "A block's.", |fence| fence.kind = kind::BLOCK),
        changed("fence_with_encoding", "A-1.4", "Only entries have an encoding.", |fence| {
            fence.encoding = 1
        }),
        changed("fence_record_one_less", "A-6.1", "It ends a byte before the trailer.", |fence| {
            let lens = fence.true_lens();
            fence.lens = Some(Lens { content: lens.content - 1, ..lens });
        }),
        changed("fence_record_one_more", "A-6.1", "It ends in the trailer.", |fence| {
            let lens = fence.true_lens();
            fence.lens = Some(Lens { content: lens.content + 1, ..lens });
        }),
        changed("fence_with_a_byte_behind", "A-5.2", "Too few for another block.", |fence| {
            fence.content.push(0)
        }),
        changed(
            "fence_name_len_lies",
            "A-5.2",
            "65535 bytes of name that are not there.",
            |fence| {
                fence.content[12..14].copy_from_slice(&[0xFF; 2]);
            },
        ),
        changed("fence_cut", "A-5.2", "The last name has no byte.", |fence| {
            fence.content.pop();
        }),
        two_blocks("padding_between_fence_and_trailer", "A-1.1", "Nothing stands there.")
            .records(|records| records.insert(records.len() - 1, Record::new(kind::PADDING, b"")))
            .fails_to_open("malformed"),
        two_blocks("padding_between_blocks", "A-1.1", "Nothing stands there.")
            .records(|records| records.insert(records.len() - 3, Record::new(kind::PADDING, b"")))
            .fails_to_open("malformed"),
    ]
}
