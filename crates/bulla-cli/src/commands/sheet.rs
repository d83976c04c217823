//! `bulla sheet`

use std::path::Path;

use bulla::{Header, Key};

use super::read_preamble;
use crate::args::{self, Sheet};
use crate::error::{Exit, Failure};
use crate::io::input::Input;
use crate::keys::sheet;
use crate::keys::source::KeySource;
use crate::keys::unlock::unlock;
use crate::terminal::display::DASH;
use crate::terminal::streams::say;

pub(super) fn run(args: &Sheet) -> Result<Exit, Failure> {
    sheet::refuse(&args.output)?;
    if args.container.is_none() && args.key.passphrase_file.is_some() {
        let text = "a sheet is for a key; name the key's file with -k, or the container that the passphrase opens";
        return Err(Failure::usage("--passphrase-file", text));
    }
    let source = KeySource::of_opening(&args.key)?;
    let svg = match &args.container {
        Some(container) => {
            let input = input(container)?;
            let name = container.file_name().unwrap_or_default().to_string_lossy();
            let (key, header) = checked_key(&source, &args.key, input)?;
            sheet::draw(&key, args.paper, Some((&name, &header)))
        }
        // Nothing shows that it is the right one, so a typed one is typed twice.
        None => sheet::draw(&source.read_for_sealing()?, args.paper, None),
    };
    sheet::write(&args.output, &svg, None)?;
    if !args.quiet {
        say(&sheet::advice(&args.output));
    }
    Ok(Exit::Done)
}

fn input(container: &Path) -> Result<Input, Failure> {
    if container == Path::new(DASH) {
        return Err(Failure::usage("--container -", "a sheet names a file; give its name"));
    }
    Input::open(Some(container))
}

/// The key, once it is seen to open the container: a sheet with another one would be found out on
/// the day it is needed.
fn checked_key(
    source: &KeySource,
    args: &args::Key,
    mut input: Input,
) -> Result<(Key, Header), Failure> {
    let preamble =
        read_preamble(&mut input).map_err(|e| Failure::of_work(&e, &input.name, &input.name))?;
    let unlocked = unlock(&preamble, &input.name, source, args)?;
    let Some(key) = unlocked.typed_key() else {
        let text = "a passphrase opened it, and a sheet is for a key; `bulla key add --new-key FILE` adds one";
        return Err(Failure::usage(&input.name, text));
    };
    Ok((Key::from_bytes(key.expose()), preamble.header().clone()))
}
