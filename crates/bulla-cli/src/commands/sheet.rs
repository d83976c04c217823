//! `bulla sheet`

use std::io;
use std::path::Path;

use bulla::{Header, Key, Opener, Options};

use super::{failure_of_opening, read_preamble};
use crate::args::Sheet;
use crate::failure::{Exit, Failure};
use crate::input::Input;
use crate::key_source::KeySource;
use crate::names::DASH;
use crate::sheet_file;
use crate::streams::say;

pub(super) fn run(args: &Sheet) -> Result<Exit, Failure> {
    sheet_file::refuse(&args.output)?;
    let source = KeySource::new(args.key.file.as_deref())?;
    let svg = match &args.container {
        Some(container) => {
            let input = input(container)?;
            let name = container.file_name().unwrap_or_default().to_string_lossy();
            let (key, header) = checked_key(&source, input)?;
            sheet_file::draw(&key, args.paper, Some((&name, &header)))
        }
        // Nothing shows that it is the right one, so a typed one is typed twice.
        None => sheet_file::draw(&source.read_for_sealing()?, args.paper, None),
    };
    sheet_file::write(&args.output, &svg, None)?;
    if !args.quiet {
        say(&sheet_file::advice(&args.output));
    }
    Ok(Exit::Done)
}

fn input(container: &Path) -> Result<Input, Failure> {
    if container == Path::new(DASH) {
        return Err(Failure::usage("--container -", "a sheet names a file; give its name"));
    }
    Input::open(Some(container))
}

/// The key, once it is seen to belong to the container: a sheet with another one would be found out on the day it is needed.
fn checked_key(source: &KeySource, mut input: Input) -> Result<(Key, Header), Failure> {
    let preamble = read_preamble(&mut input).map_err(|e| Failure::of_work(&e, &input.name, &input.name))?;
    let key = source.read()?;
    Opener::with_preamble(preamble.clone(), &key, io::empty(), &Options::new())
        .map_err(|e| failure_of_opening(&e, &preamble, &input, &input.name, source))?;
    Ok((key, preamble.header().clone()))
}
