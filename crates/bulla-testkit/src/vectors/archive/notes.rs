//! States and notes.

use super::Vector;
use super::case::case;
use super::whole::four;
use crate::archive::{Item, Lens, Note, Record, kind, state};

pub(super) fn vectors() -> Vec<Vector> {
    let mut vectors = states();
    vectors.extend(malformed());
    vectors
}

fn states() -> Vec<Vector> {
    let file = |content: &[u8]| Item::file(b"file", content);
    let left_out = |name: &[u8]| Note::new(name, state::SKIPPED, 0);
    vec![
        case(
            "state_short",
            "A-3.2",
            "3 of 10 bytes were there; zeros fill the record, and are no content.",
            &[file(b"abc").in_state(state::SHORT, 7), Item::file(b"next", b"next")],
        )
        .reads(),
        case(
            "state_short_of_nothing",
            "A-3.2",
            "Not one byte of 10 was there.",
            &[file(b"").in_state(state::SHORT, 10)],
        )
        .reads(),
        case(
            "state_grew",
            "A-3.2",
            "Cut at the planned length.",
            &[file(b"abc").in_state(state::GREW, 0)],
        )
        .reads(),
        case(
            "state_changed",
            "A-3.2",
            "Of its planned length.",
            &[file(b"abc").in_state(state::CHANGED, 0)],
        )
        .reads(),
        case(
            "state_unreadable",
            "A-3.2",
            "An error after 2 of 10 bytes.",
            &[file(b"ab").in_state(state::UNREADABLE, 8)],
        )
        .reads(),
        case(
            "state_short_and_changed",
            "A-4.1",
            "States are bits.",
            &[file(b"ab").in_state(state::SHORT | state::CHANGED, 8)],
        )
        .reads(),
        case("left_out", "A-4.1", "Names that are no entries'.", &four())
            .draft(|draft| draft.notes = vec![left_out(b"socket"), left_out(b"a/pipe")])
            .reads(),
        case("left_out_under_any_name", "A-4.1", "They need not keep to A-2.1.", &four())
            .draft(|draft| {
                draft.notes =
                    [&b""[..], b"..", b"/dev/null", b"a\0b", &[b'n'; 5000]].map(left_out).to_vec();
            })
            .reads(),
        case(
            "notes_with_bits_of_a_newer_release",
            "A-4.1",
            "Bits 5 and up are ignored when read.",
            &[file(b"abc").in_state(state::CHANGED, 0)],
        )
        .draft(|draft| draft.notes[0].state |= 0xFFE0)
        .reads(),
    ]
}

fn malformed() -> Vec<Vector> {
    let note = Note::new(b"socket", state::SKIPPED, 0);
    let lens = |name, comment, content: u64| {
        case(name, "A-1.1", comment, &four())
            .draft(|draft| draft.notes.push(note.clone()))
            .layout(|layout| {
                let lens = layout.notes.true_lens();
                assert_eq!(lens.content, 22);
                layout.notes.lens = Some(Lens { content, ..lens });
            })
            .fails_to_verify("malformed")
    };
    let changed = |name, clause, comment, change: fn(&mut Record)| {
        case(name, clause, comment, &four())
            .layout(|layout| change(&mut layout.notes))
            .fails_to_verify("malformed")
    };
    vec![
        lens("notes_end_before_the_index", "By one byte.", 21),
        lens("notes_end_in_the_index", "By one byte.", 23),
        case("note_name_cut", "A-4.1", "The last name is longer than what is there.", &four())
            .draft(|draft| draft.notes.push(Note { name_len: Some(7), ..note.clone() }))
            .fails_to_verify("malformed"),
        case("note_name_len_lies", "A-4.1", "65535 bytes of name that are not there.", &four())
            .draft(|draft| draft.notes.push(Note { name_len: Some(u16::MAX), ..note.clone() }))
            .fails_to_verify("malformed"),
        case("note_head_cut", "A-4.1", "15 bytes where a note has 16 and a name.", &four())
            .draft(|draft| {
                draft.notes.push(Note { name_len: Some(0), name: vec![0; 15], ..note.clone() })
            })
            .fails_to_verify("malformed"),
        changed("notes_of_another_kind", "A-1.1", "Padding in their place.", |notes| {
            notes.kind = kind::PADDING
        }),
        changed("notes_without_marker", "A-1.3", "The last bit of it is another.", |notes| {
            notes.marker = Some([0; 16]);
        }),
        changed("notes_with_encoding", "A-1.4", "Only entries have an encoding.", |notes| {
            notes.encoding = 1
        }),
    ]
}
