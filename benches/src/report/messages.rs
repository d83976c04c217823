//! Short messages, each a container of its own, beside the shortest way to make and to open one:
//! what the library's generality costs where there is little to do.

use std::hint::black_box;
use std::io;

use bulla::{Options, Workers};
use bulla_benches::{message, seeded};

use crate::pairs::{Effort, Pair, Work, rotate, time};
use crate::settings::Settings;
use crate::sheet::{Part, Row, Sheet};

/// Bytes of a message.
const LEN: usize = 1 << 10;
/// Rounds: each is over in milliseconds.
const ROUNDS: usize = 51;

/// Adds a row for each direction, with the options that who asks for nothing gets, and on the
/// calling thread.
pub(crate) fn compare(sheet: &mut Sheet, settings: &Settings) -> io::Result<()> {
    let (key, plaintext) = (seeded::key(), seeded::bytes(LEN));
    let container = message::seal(&seeded::KEY, &plaintext);
    let rounds = if settings.quick { 1 } else { ROUNDS };
    let effort = Effort { rounds, at_least: rounds, seconds: 0.0 };
    for (how, options) in
        [("", Options::new()), (", Workers::Serial", Options::new().workers(Workers::Serial))]
    {
        let mut works: [Work<'_>; 4] = [
            &mut || {
                Ok(time(|| {
                    many(settings, || bulla::seal(&key, black_box(&plaintext), &options).is_ok())
                }))
            },
            &mut || {
                Ok(time(|| {
                    many(settings, || {
                        !message::seal(&seeded::KEY, black_box(&plaintext)).is_empty()
                    })
                }))
            },
            &mut || {
                Ok(time(|| {
                    many(settings, || bulla::open(&key, black_box(&container), &options).is_ok())
                }))
            },
            &mut || {
                Ok(time(|| {
                    many(settings, || message::open(&seeded::KEY, black_box(&container)).is_some())
                }))
            },
        ];
        for work in &mut works {
            work()?;
        }
        let [seal, straight_seal, open, straight_open] = rotate(effort, works)?;
        for (verb, ours, theirs) in
            [("seal", &seal, &straight_seal), ("open", &open, &straight_open)]
        {
            sheet.row(Row {
                part: Part::Messages,
                what: format!("{verb} messages of 1 KiB{how}"),
                peer: "the shortest way".to_owned(),
                ours: format!("bulla::{verb}, {} times", times(settings)),
                theirs: format!("benches/src/message.rs, {verb}, as often"),
                bytes: 0,
                asked: Some(1.0 / 0.8),
                outcome: Ok(Pair::new(ours, theirs)),
                kept: None,
            });
        }
    }
    Ok(())
}

/// Messages in a round.
fn times(settings: &Settings) -> usize {
    if settings.quick { 10 } else { 2000 }
}

/// As often as a round has messages; each has to succeed.
fn many(settings: &Settings, mut message: impl FnMut() -> bool) {
    for _ in 0..times(settings) {
        assert!(black_box(message()));
    }
}
