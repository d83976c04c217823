//! `bulla verify`

use std::io;

use bulla::{Error, Key, Opened, Options, Preamble, RangeReader};

use super::{SEAL_ANEW, failure_of_opening, opener, plaintext_len, read_preamble, warn_of_copies};
use crate::args::Verify;
use crate::failure::{Exit, Failure};
use crate::input::Input;
use crate::key_source::KeySource;
use crate::names::bytes;
use crate::progress::watch;
use crate::streams::print;
use crate::team::Team;

pub(super) fn run(args: &Verify) -> Result<Exit, Failure> {
    let team = Team::new(args.working.threads)?;
    let mut input = Input::open(Some(&args.input))?;
    let source = KeySource::new(args.key.file.as_deref())?;
    let preamble = read_preamble(&mut input).map_err(|e| Failure::of_work(&e, &input.name, &input.name))?;
    let key = source.read()?;

    let options = Options::new().workers(team.workers());
    let len = plaintext_len(&preamble, &input);
    let opened = watch(len, args.working.quiet, |progress| {
        verify(&preamble, &key, &input, &options.progress(progress))
    });
    let opened = opened.map_err(|e| failure_of_opening(&e, &preamble, &input, &input.name, &source))?;

    if !args.working.quiet {
        let text = format!("{}: all {} verified", input.name, bytes(opened.plaintext_len));
        print(&text).map_err(|e| Failure::io("standard output", &e))?;
    }
    Ok(warn_of_copies(&input.name, opened.copies, SEAL_ANEW))
}

fn verify(preamble: &Preamble, key: &Key, input: &Input, options: &Options<'_>) -> bulla::Result<Opened> {
    if preamble.copies().is_some() {
        match RangeReader::with_preamble(preamble.clone(), key, &input.file, options) {
            Ok(reader) => {
                reader.verify()?;
                return Ok(reader.opened());
            }
            // Of the last chunk; the one to name is the first that is damaged, which shows below.
            Err(Error::ChunkRejected { .. }) => {}
            Err(error) => return Err(error),
        }
    }
    opener(preamble.clone(), key, input, options)?.copy_to(&mut io::sink())
}
