//! States and notes.

use super::case::case;
use super::model::Vector;
use super::whole::sample_items;
use crate::archive::{Item, Lengths, RawNote, Record, kind, state};

pub(super) fn vectors() -> Vec<Vector> {
    let mut vectors = states();
    vectors.extend(malformed());
    vectors
}

fn states() -> Vec<Vector> {
    let file = |content: &[u8]| Item::file(b"file", content);
    let skipped = |name: &[u8]| RawNote::new(name, state::SKIPPED, 0);
    vec![
        case(
            "state_short",
            "A-3.2",
            "The source had 3 of 10 bytes; zeros pad the record but not the content.",
            &[file(b"abc").in_state(state::SHORT, 7), Item::file(b"next", b"next")],
        )
        .reads(),
        case(
            "state_short_empty",
            "A-3.2",
            "The source had none of 10 bytes.",
            &[file(b"").in_state(state::SHORT, 10)],
        )
        .reads(),
        case(
            "state_grew",
            "A-3.2",
            "The content ends at the planned length.",
            &[file(b"abc").in_state(state::GREW, 0)],
        )
        .reads(),
        case(
            "state_changed",
            "A-3.2",
            "The content has the planned length.",
            &[file(b"abc").in_state(state::CHANGED, 0)],
        )
        .reads(),
        case(
            "state_unreadable",
            "A-3.2",
            "The source failed after 2 of 10 bytes.",
            &[file(b"ab").in_state(state::UNREADABLE, 8)],
        )
        .reads(),
        case(
            "state_short_and_changed",
            "A-4.1",
            "States are bits and may be combined.",
            &[file(b"ab").in_state(state::SHORT | state::CHANGED, 8)],
        )
        .reads(),
        case("skipped", "A-4.1", "The notes contain names that have no entry.", &sample_items())
            .archive(|archive| archive.notes = vec![skipped(b"socket"), skipped(b"a/pipe")])
            .reads(),
        case(
            "skipped_with_any_name",
            "A-4.1",
            "A-2.1 does not restrict the name of a skipped file.",
            &sample_items(),
        )
        .archive(|archive| {
            archive.notes =
                [&b""[..], b"..", b"/dev/null", b"a\0b", &[b'n'; 5000]].map(skipped).to_vec();
        })
        .reads(),
        case(
            "notes_with_unknown_bits",
            "A-4.1",
            "Bits 5 and higher are ignored.",
            &[file(b"abc").in_state(state::CHANGED, 0)],
        )
        .archive(|archive| archive.notes[0].state |= 0xFFE0)
        .reads(),
    ]
}

fn malformed() -> Vec<Vector> {
    let note = RawNote::new(b"socket", state::SKIPPED, 0);
    let lengths = |name, comment, content: u64| {
        case(name, "A-1.1", comment, &sample_items())
            .archive(|archive| archive.notes.push(note.clone()))
            .layout(|layout| {
                let lengths = layout.notes.actual_lengths();
                assert_eq!(lengths.content, 22);
                layout.notes.lengths = Some(Lengths { content, ..lengths });
            })
            .fails_to_verify("malformed")
    };
    let changed = |name, clause, comment, change: fn(&mut Record)| {
        case(name, clause, comment, &sample_items())
            .layout(|layout| change(&mut layout.notes))
            .fails_to_verify("malformed")
    };
    vec![
        lengths("notes_len_minus_1", "The notes end one byte before the index.", 21),
        lengths("notes_len_plus_1", "The notes end one byte after the start of the index.", 23),
        case(
            "note_name_truncated",
            "A-4.1",
            "The last name is one byte longer than the rest of the record.",
            &sample_items(),
        )
        .archive(|archive| archive.notes.push(RawNote { name_len: Some(7), ..note.clone() }))
        .fails_to_verify("malformed"),
        case(
            "note_name_len_too_large",
            "A-4.1",
            "The length is 65535, but fewer bytes follow.",
            &sample_items(),
        )
        .archive(|archive| archive.notes.push(RawNote { name_len: Some(u16::MAX), ..note.clone() }))
        .fails_to_verify("malformed"),
        case(
            "note_head_truncated",
            "A-4.1",
            "15 bytes follow the last note, but a note's head has 16.",
            &sample_items(),
        )
        .archive(|archive| {
            archive.notes.push(RawNote { name_len: Some(0), name: vec![0; 15], ..note.clone() })
        })
        .fails_to_verify("malformed"),
        changed("notes_kind_wrong", "A-1.1", "The notes have the kind of padding.", |notes| {
            notes.kind = kind::PADDING
        }),
        changed("notes_without_marker", "A-1.3", "The marker is zeroed.", |notes| {
            notes.marker = Some([0; 16]);
        }),
        changed("notes_with_encoding", "A-1.4", "Only entries may have an encoding.", |notes| {
            notes.encoding = 1
        }),
    ]
}
