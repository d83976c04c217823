//! Two faults at once: which of them is named (F-7.1, F-7.5).

use super::Vector;
use super::label::bytes32;
use super::sample::{Draft, Expected, Sample};
use crate::malform::{Parts, Place, extend, field, truncate};
use crate::reference::{Fault, HeaderState};

/// Bytes of plaintext in a full chunk of all samples here.
const FULL: usize = 4096;

const DAMAGED: Expected = Expected::Fails(Fault::DamagedHeader);
const REJECTED_0: Fault = Fault::ChunkRejected { index: 0 };
const SUITE_2: Fault = Fault::UnsupportedSuite { suite: 2 };
const TRUNCATED_1: Fault = Fault::Truncated { after: 1 };

pub(super) fn vectors() -> Vec<Vector> {
    let mut vectors = before_the_key();
    vectors.extend(with_a_wrong_key());
    vectors.extend(with_a_damaged_header());
    vectors.extend(in_the_chunks());
    vectors
}

fn sample() -> Sample {
    Sample::new("order", 100).with_envelope(64)
}

/// Sets a field of both copies, and makes the checks hold.
fn set(parts: Parts, at: usize, value: &[u8]) -> Parts {
    parts.edit(Place::Both, at, value).remake_check(Place::Both)
}

fn of(sample: &Sample, name: &'static str, container: Vec<u8>, comment: &'static str) -> Draft {
    sample.vector(name, "F-7.1", comment).container(container)
}

fn before_the_key() -> Vec<Vector> {
    let sample = sample();
    let with_context = sample.clone().with_context(b"context");
    let suite_2 = |sample: &Sample| set(sample.parts(), field::SUITE, &[0, 2]);
    let flag_1 = |parts| set(parts, field::FLAGS, &[0, 2]);
    vec![
        of(
            &sample,
            "major_2_and_suite_2",
            set(suite_2(&sample), field::MAJOR, &[2]).join(),
            "In both copies; the major decides what a suite is.",
        )
        .fails(Fault::UnsupportedVersion { major: 2 }),
        of(
            &sample,
            "suite_2_and_critical_flag",
            flag_1(suite_2(&sample)).join(),
            "In both copies; the suite comes first.",
        )
        .fails(SUITE_2),
        of(
            &sample,
            "suite_2_and_cut_in_envelope",
            truncate(&suite_2(&sample).join(), 160),
            "The header is whole, and its suite unknown.",
        )
        .fails(SUITE_2),
        of(
            &with_context,
            "suite_2_and_context_missing",
            suite_2(&with_context).join(),
            "In both copies; the suite comes first.",
        )
        .context(None)
        .fails(SUITE_2),
        of(
            &sample,
            "critical_flag_and_cut_in_envelope",
            truncate(&flag_1(sample.parts()).join(), 160),
            "The header is whole, and the flag unknown.",
        )
        .fails(Fault::UnsupportedFeature),
        of(
            &with_context,
            "cut_in_envelope_and_context_missing",
            truncate(&with_context.container(), 160),
            "The envelope has to be there before a context is asked for.",
        )
        .context(None)
        .fails(Fault::Truncated { after: 0 }),
    ]
}

fn with_a_wrong_key() -> Vec<Vector> {
    let sample = sample();
    let with_context = sample.clone().with_context(b"context");
    let wrong = |name, sample: &Sample, container, comment| {
        of(sample, name, container, comment).key(bytes32("another key"))
    };
    let whole = sample.container();
    vec![
        wrong(
            "wrong_key_and_context_missing",
            &with_context,
            with_context.container(),
            "It takes the context to derive a commitment.",
        )
        .context(None)
        .fails(Fault::ContextRequired),
        wrong(
            "wrong_key_and_context_unexpected",
            &sample,
            whole.clone(),
            "The context is found superfluous before anything is derived.",
        )
        .context(Some(b"context"))
        .fails(Fault::ContextUnexpected),
        wrong(
            "wrong_key_and_cut",
            &sample,
            truncate(&whole, whole.len() - 1),
            "No chunk is looked at under a wrong key.",
        )
        .fails(Fault::WrongKey),
        wrong(
            "wrong_key_and_trailing_byte",
            &sample,
            extend(&whole, b"\n"),
            "No footer is looked for under a wrong key.",
        )
        .fails(Fault::WrongKey),
        wrong(
            "wrong_key_and_chunk_flipped",
            &sample,
            sample.parts().flip_chunk(0, 0).join(),
            "No chunk is looked at under a wrong key.",
        )
        .fails(Fault::WrongKey),
    ]
}

/// A stream is over at once; by position, the footer counts and the other fault is named.
fn with_a_damaged_header() -> Vec<Vector> {
    let sample = sample();
    let damaged = || sample.parts().flip(Place::Header, field::SALT);
    let draft = |name, container, comment| of(&sample, name, container, comment);
    let container = damaged().join();
    let footer_of_suite_2 =
        damaged().edit(Place::Footer, field::SUITE, &[0, 2]).remake_check(Place::Footer).join();
    vec![
        draft(
            "header_damaged_and_cut",
            truncate(&container, container.len() - 1),
            "The last 128 bytes are no footer any more.",
        )
        .fails(Fault::DamagedHeader),
        draft(
            "header_damaged_and_trailing_byte",
            extend(&container, b"\n"),
            "The footer is not looked for: it has to be the last 128 bytes (F-3.4).",
        )
        .fails(Fault::DamagedHeader),
        draft("header_damaged_and_suite_2", footer_of_suite_2, "The copy that counts is judged.")
            .outcomes(DAMAGED, Expected::Fails(SUITE_2)),
        draft("header_damaged_and_wrong_key", container, "The footer counts, whatever the key.")
            .key(bytes32("another key"))
            .outcomes(DAMAGED, Expected::Fails(Fault::WrongKey)),
        draft(
            "header_damaged_and_chunk_flipped",
            damaged().flip_chunk(0, 0).join(),
            "The footer that counts stands at the end, so it is no cut.",
        )
        .outcomes(DAMAGED, Expected::Fails(REJECTED_0)),
        draft(
            "header_damaged_and_footer_twice",
            extend(&damaged().join(), &sample.parts().footer),
            "The second footer counts, and the first one shows the end.",
        )
        .outcomes(DAMAGED, Expected::Fails(Fault::TrailingData { extra: 128 })),
        draft(
            "header_damaged_and_envelope_flipped",
            {
                let mut flipped = sample.envelope.clone();
                flipped[0] ^= 1;
                damaged().envelopes(&flipped, &sample.envelope).join()
            },
            "Both copies of the envelope are handed back, whichever copy of the header counts.",
        )
        .outcomes(DAMAGED, Expected::Opens(HeaderState::HeaderDamaged)),
    ]
}

/// By position, chunk n is looked at first; by stream, last.
fn in_the_chunks() -> Vec<Vector> {
    let two = Sample::new("order of chunks", FULL + 100);
    let three = Sample::new("order of chunks", 2 * FULL + 100);
    let draft = |name, sample: &Sample, container, comment| {
        sample.vector(name, "F-7.5", comment).container(container)
    };
    let flipped = two.parts().flip_chunk(0, 0);
    let container = flipped.join();
    let by_stream_0 = |draft: Draft, positional| {
        draft.outcomes(Expected::Fails(REJECTED_0), Expected::Fails(positional))
    };
    vec![
        by_stream_0(
            draft(
                "first_chunk_flipped_and_cut",
                &two,
                truncate(&container, container.len() - 1),
                "The cut shows first by position.",
            ),
            TRUNCATED_1,
        ),
        by_stream_0(
            draft(
                "first_chunk_flipped_and_trailing_byte",
                &two,
                extend(&container, b"\n"),
                "The trailing byte shows first by position.",
            ),
            Fault::TrailingData { extra: 1 },
        ),
        by_stream_0(
            draft(
                "first_chunk_flipped_and_last_dropped",
                &two,
                flipped.clone().drop_chunk(1).join(),
                "The footer stands; there is no last chunk before it.",
            ),
            TRUNCATED_1,
        ),
        draft(
            "first_chunk_flipped_and_footer_damaged",
            &two,
            flipped.flip(Place::Footer, field::SALT).join(),
            "The last chunk is verified, so nothing was cut.",
        )
        .fails(REJECTED_0),
        draft(
            "first_and_last_chunk_flipped",
            &three,
            three.parts().flip_chunk(0, 0).flip_chunk(2, 0).join(),
            "The lower is named.",
        )
        .fails(REJECTED_0),
        draft(
            "last_chunk_flipped_and_footer_damaged",
            &two,
            two.parts().flip_chunk(1, 0).flip(Place::Footer, field::SALT).join(),
            "No footer stands, so it looks as a cut does.",
        )
        .fails_after(FULL, TRUNCATED_1),
    ]
}
