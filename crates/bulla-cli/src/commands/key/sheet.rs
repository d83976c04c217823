//! `bulla sheet`

use std::path::Path;

use bulla::{Header, Key};

use crate::args::keys::SheetArgs;
use crate::args::options::KeyArgs;
use crate::commands::shared::container::read_preamble;
use crate::error::{Exit, Failure};
use crate::io::input::Input;
use crate::io::path::is_dash;
use crate::keys::sheet;
use crate::keys::source::KeySource;
use crate::keys::unlock::unlock;
use crate::process::workers::WorkerPool;
use crate::terminal::message::say;

pub(crate) fn run(args: &SheetArgs) -> Result<Exit, Failure> {
    sheet::reject_unusable(&args.output)?;
    if args.container.is_none() && args.key.passphrase_file.is_some() {
        let problem = "a sheet contains a key, not a passphrase; use -k, or name the container \
                       with --container";
        return Err(Failure::usage("--passphrase-file", problem));
    }
    let pool = WorkerPool::new(None)?;
    let source = KeySource::for_unlocking(&args.key)?;
    let svg = match &args.container {
        Some(container) => {
            let input = open_input(container)?;
            let name = container.file_name().unwrap_or_default().to_string_lossy();
            let (key, header) = checked_key(&source, &args.key, input, &pool)?;
            sheet::draw(&key, args.paper, Some((&name, &header)))
        }
        // The key cannot be checked, so a typed key must be typed twice.
        None => sheet::draw(&source.read_for_sealing()?, args.paper, None),
    };
    sheet::write(&args.output, &svg, None)?;
    if !args.quiet.quiet {
        say(&sheet::advice(&args.output));
    }
    Ok(Exit::Success)
}

fn open_input(container: &Path) -> Result<Input, Failure> {
    if is_dash(container) {
        return Err(Failure::usage(
            "--container -",
            "cannot read the container from standard input, because the sheet shows its file name; \
             name a file",
        ));
    }
    Input::open(Some(container))
}

/// Returns the key after checking that it unlocks the container. A wrong key on a sheet would only
/// be noticed when the sheet is needed.
fn checked_key(
    source: &KeySource,
    args: &KeyArgs,
    mut input: Input,
    pool: &WorkerPool,
) -> Result<(Key, Header), Failure> {
    let preamble = read_preamble(&mut input)?;
    let unlocked = unlock(&preamble, &input.name, source, args, pool)?;
    let Some(key) = unlocked.user_key() else {
        let problem = "a sheet contains a key, but a passphrase unlocked the container; add a key \
                       with `bulla key add --new-key FILE`";
        return Err(Failure::usage(&input.name, problem));
    };
    Ok((Key::from_bytes(key.expose()), preamble.header().clone()))
}
