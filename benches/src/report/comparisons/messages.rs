//! Short messages, each in its own container, compared with a minimal implementation. The ratio is
//! the cost of the library's generality when there is little to encrypt.

use std::hint::black_box;
use std::io;

use bulla::{Options, Workers};
use bulla_benches::{minimal_container, seeded};

use crate::measure::alternate::{Effort, Operation, PairedTimes, alternate, time};
use crate::measure::results::{Results, Row, Table};
use crate::measure::settings::Settings;

/// Bytes in a message.
const LEN: usize = 1 << 10;
/// The number of rounds. Each round takes milliseconds.
const ROUNDS: usize = 51;

/// Adds rows for sealing and opening, with the default options and with [`Workers::Serial`].
pub(crate) fn compare(results: &mut Results, settings: &Settings) -> io::Result<()> {
    let (key, plaintext) = (seeded::key(), seeded::bytes(LEN));
    let container = minimal_container::seal(&seeded::KEY, &plaintext);
    let rounds = if settings.quick { 1 } else { ROUNDS };
    let effort = Effort { max_rounds: rounds, min_rounds: rounds, max_seconds: 0.0 };
    let per_round = if settings.quick { 10 } else { 2000 };
    let timed = |run: &dyn Fn() -> bool| Ok(time(|| repeat(per_round, run)));
    for (variant, options) in
        [("", Options::new()), (", Workers::Serial", Options::new().workers(Workers::Serial))]
    {
        let mut operations: [Operation<'_>; 4] = [
            &mut || timed(&|| bulla::seal(&key, black_box(&plaintext), &options).is_ok()),
            &mut || {
                timed(&|| !minimal_container::seal(&seeded::KEY, black_box(&plaintext)).is_empty())
            },
            &mut || timed(&|| bulla::open(&key, black_box(&container), &options).is_ok()),
            &mut || {
                timed(&|| minimal_container::open(&seeded::KEY, black_box(&container)).is_some())
            },
        ];
        for operation in &mut operations {
            operation()?;
        }
        let [seal, minimal_seal, open, minimal_open] = alternate(effort, operations)?;
        for (verb, ours, theirs) in [("seal", &seal, &minimal_seal), ("open", &open, &minimal_open)]
        {
            results.add_row(Row {
                table: Table::Messages,
                operation: format!("{verb} 1 KiB messages{variant}"),
                peer: "minimal implementation".to_owned(),
                ours: format!("bulla::{verb}, {per_round} times"),
                theirs: format!("minimal_container::{verb}, {per_round} times"),
                bytes: 0,
                target: Some(1.0 / 0.8),
                outcome: Ok(PairedTimes::new(ours, theirs)),
                stored: None,
            });
        }
    }
    Ok(())
}

/// Processes `count` messages. Panics if one fails.
fn repeat(count: usize, message: &dyn Fn() -> bool) {
    for _ in 0..count {
        assert!(black_box(message()));
    }
}
