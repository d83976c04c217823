//! `bulla verify`

use std::io;

use bulla::{ContentType, Error, Key, Opened, Options, Preamble, RangeReader};
use bulla_archive::ArchiveReader;

use super::{SEAL_ANEW, first_of, opener, plaintext_len, read_preamble, warn_of_copies};
use crate::args::Verify;
use crate::error::{Exit, Failure};
use crate::io::input::Input;
use crate::keys::source::KeySource;
use crate::keys::unlock::unlock;
use crate::process::workers::Team;
use crate::terminal::display::{bytes, entries};
use crate::terminal::progress::watch;
use crate::terminal::streams::print;

pub(super) fn run(args: &Verify) -> Result<Exit, Failure> {
    let team = Team::new(args.working.threads)?;
    let mut input = Input::open(Some(&args.input))?;
    let source = KeySource::of_opening(&args.key)?;
    let preamble =
        read_preamble(&mut input).map_err(|e| Failure::of_work(&e, &input.name, &input.name))?;
    let unlocked = unlock(&preamble, &input.name, &source, &args.key)?;

    let options = Options::new().workers(team.workers());
    let len = plaintext_len(&preamble, &input);
    let opened = watch(len, args.working.quiet, |progress| {
        verify(&preamble, unlocked.key(), &input, &options.progress(progress))
    });
    let (opened, count) = opened.map_err(|e| Failure::of_archive(&e, &input.name, &input.name))?;

    if !args.working.quiet {
        let all = bytes(opened.plaintext_len);
        let text = match count {
            Some(count) => {
                format!("{}: all {all} verified, an archive of {}", input.name, entries(count))
            }
            None => format!("{}: all {all} verified", input.name),
        };
        print(&text).map_err(|e| Failure::io("standard output", &e))?;
    }
    Ok(first_of([
        warn_of_copies(&input.name, opened.header_state, SEAL_ANEW),
        unlocked.warn(&input.name),
    ]))
}

/// Verifies the container, and the archive in it if it is one and can be read at any offset;
/// returns how many entries that has.
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
            // Of one of the last chunks; the one to name is the first that is damaged, which shows
            // below.
            Err(bulla_archive::Error::Container(Error::ChunkRejected { .. })) => {}
            Err(error) => return Err(error),
        }
    }
    let opened = opener(preamble.clone(), key, input, options)?.copy_to(&mut io::sink())?;
    Ok((opened, None))
}
