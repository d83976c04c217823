//! `bulla verify`

use std::io;

use bulla::{ContentType, Error, Key, Opened, Options, Preamble, RangeReader};
use bulla_archive::ArchiveReader;

use super::shared::container::{opener, plaintext_len, read_preamble};
use super::shared::warnings::{REENCRYPT, first_of, warn_of_header_state};
use crate::args::containers::VerifyArgs;
use crate::error::{Exit, Failure};
use crate::io::input::Input;
use crate::keys::source::KeySource;
use crate::keys::unlock::unlock;
use crate::process::workers::WorkerPool;
use crate::terminal::display::{bytes, entries};
use crate::terminal::message::print;
use crate::terminal::progress;

pub(super) fn run(args: &VerifyArgs) -> Result<Exit, Failure> {
    let pool = WorkerPool::new(args.threads.threads)?;
    let mut input = Input::open(Some(&args.input))?;
    let source = KeySource::for_unlocking(&args.key)?;
    let preamble = read_preamble(&mut input)?;
    let unlocked = unlock(&preamble, &input.name, &source, &args.key, &pool)?;

    let options = Options::new().workers(pool.workers());
    let len = plaintext_len(&preamble, &input);
    let verified = progress::with_bytes(len, args.quiet.quiet, |progress| {
        verify(&preamble, unlocked.key(), &input, &options.progress(progress))
    });
    let (opened, count) = verified.map_err(|e| Failure::archive(&e, &input.name, &input.name))?;

    if !args.quiet.quiet {
        let size = bytes(opened.plaintext_len);
        let text = match count {
            Some(count) => format!("{}: verified {size}, {}", input.name, entries(count)),
            None => format!("{}: verified {size}", input.name),
        };
        print(&text).map_err(|e| Failure::io("standard output", &e))?;
    }
    Ok(first_of([
        warn_of_header_state(&input.name, opened.header_state, REENCRYPT),
        unlocked.warn(&input.name),
    ]))
}

/// Verifies the container and, if it is an archive that can be read at any offset, the archive.
/// Returns the number of entries of an archive.
fn verify(
    preamble: &Preamble,
    key: &Key,
    input: &Input,
    options: &Options<'_>,
) -> bulla_archive::Result<(Opened, Option<u64>)> {
    if preamble.header_state().is_some() {
        let preamble = preamble.clone();
        let verified = match preamble.header().content_type() {
            ContentType::ARCHIVE => {
                ArchiveReader::with_preamble(preamble, key, &input.file, options)
                    .map(|reader| reader.verify().map(|()| (reader.opened(), Some(reader.len()))))
            }
            _ => RangeReader::with_preamble(preamble, key, &input.file, options)
                .map(|reader| Ok(reader.verify().map(|()| (reader.opened(), None))?))
                .map_err(bulla_archive::Error::from),
        };
        match verified {
            Ok(verified) => return verified,
            // The readers check the last chunk first. Reading sequentially finds the first damaged
            // chunk, which is the one to report.
            Err(bulla_archive::Error::Container(Error::ChunkRejected { .. })) => {}
            Err(error) => return Err(error),
        }
    }
    let opened = opener(preamble.clone(), key, input, options)?.copy_to(&mut io::sink())?;
    Ok((opened, None))
}
