//! The commands, a file for each.

use std::io::{Seek, SeekFrom};

use bulla::{HeaderState, Key, Opener, Options, Preamble};

use crate::args::{Command, KeyCommand, VaultCommand};
use crate::commands::layout::{body, head_len};
use crate::error::{Exit, Failure};
use crate::io::input::Input;
use crate::terminal::streams::note;

mod archive;
mod backup;
mod cat;
mod inspect;
mod key;
mod keygen;
mod layout;
mod list;
mod manual;
mod open;
mod restore;
mod rotate;
mod salvage;
mod seal;
mod sheet;
mod vault;
mod verify;

pub(crate) fn run(command: &Command) -> Result<Exit, Failure> {
    match command {
        Command::Keygen(args) => keygen::run(args),
        Command::Sheet(args) => sheet::run(args),
        Command::Backup(args) => backup::run(args),
        Command::Restore(args) => restore::run(args),
        Command::List(args) => list::run(args),
        Command::Cat(args) => cat::run(args),
        Command::Salvage(args) => salvage::run(args),
        Command::Seal(args) => seal::run(args),
        Command::Open(args) => open::run(args),
        Command::Verify(args) => verify::run(args),
        Command::Inspect(args) => inspect::run(args),
        Command::Completions(args) => manual::completions(args),
        Command::Man(args) => manual::man(args),
        Command::Vault(VaultCommand::Register(args)) => vault::register(args),
        Command::Vault(VaultCommand::Recover(args)) => vault::recover(args),
        Command::Vault(VaultCommand::Status(args)) => vault::status(args),
        Command::Vault(VaultCommand::Delete(args)) => vault::delete(args),
        Command::Key(KeyCommand::List(args)) => key::list(args),
        Command::Key(KeyCommand::Add(args)) => key::add(args),
        Command::Key(KeyCommand::Remove(args)) => key::remove(args),
        Command::Key(KeyCommand::Save(args)) => key::save(args),
        Command::Key(KeyCommand::Rotate(args)) => rotate::run(args),
    }
}

/// What a container tells without its key. It knows the state of header and footer,
/// [`Preamble::copies`], if the input can be read at any offset.
fn read_preamble(input: &mut Input) -> bulla::Result<Preamble> {
    match input.positional_len() {
        Some(_) => Preamble::read_at(&input.file),
        None => Preamble::read(&mut input.file),
    }
}

/// Opens a container from its first chunk to its last, in this order.
fn opener<'a, 'i>(
    preamble: Preamble,
    key: &Key,
    input: &'i Input,
    options: &Options<'a>,
) -> bulla::Result<Opener<'a, &'i std::fs::File>> {
    let mut file = &input.file;
    if preamble.header_state().is_some() {
        // It was read at an offset, which moved nothing.
        file.seek(SeekFrom::Start(head_len(preamble.header())))?;
    }
    Opener::with_preamble(preamble, key, file, options)
}

/// For a progress bar; none if the length does not tell.
fn plaintext_len(preamble: &Preamble, input: &Input) -> Option<u64> {
    Some(body(preamble.header(), input.len()?)?.plaintext_len)
}

/// What to do about a container that opens in spite of its damage.
const SEAL_ANEW: &str =
    "all of the content is there; seal it anew, before more of the container is damaged";

/// Warns of a copy of the header that is not as it should be. What was asked for is done all the
/// same.
fn warn_of_copies(name: &str, copies: HeaderState, advice: &str) -> Exit {
    let state = match copies {
        HeaderState::Intact => return Exit::Done,
        HeaderState::HeaderDamaged => "the header is damaged, and the footer stands in for it",
        HeaderState::FooterDamaged => {
            "the footer, which is the header's spare copy, is damaged or missing"
        }
        HeaderState::Differ => "header and footer are both valid and differ; the header counts",
        _ => "header and footer are not as they should be",
    };
    note(&format!("{name}: warning: {state}; {advice}"));
    Exit::Warnings
}

/// The first of several outcomes that is not the best one.
fn first_of(exits: impl IntoIterator<Item = Exit>) -> Exit {
    exits.into_iter().find(|exit| *exit != Exit::Done).unwrap_or(Exit::Done)
}
