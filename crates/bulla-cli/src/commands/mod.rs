//! The commands, one file for each command or group of commands.

use crate::args::Command;
use crate::args::keys::KeyCommand;
use crate::args::vault::VaultCommand;
use crate::error::{Exit, Failure};

mod shared;
mod backup;
mod restore;
mod list;
mod cat;
mod salvage;
mod seal;
mod open;
mod verify;
mod inspect;
mod key;
mod vault;
mod help;

pub(crate) fn run(command: &Command) -> Result<Exit, Failure> {
    match command {
        Command::Backup(args) => backup::run(args),
        Command::Restore(args) => restore::run(args),
        Command::List(args) => list::run(args),
        Command::Cat(args) => cat::run(args),
        Command::Salvage(args) => salvage::run(args),
        Command::Seal(args) => seal::run(args),
        Command::Open(args) => open::run(args),
        Command::Verify(args) => verify::run(args),
        Command::Inspect(args) => inspect::run(args),
        Command::Keygen(args) => key::keygen::run(args),
        Command::Sheet(args) => key::sheet::run(args),
        Command::Key(KeyCommand::List(args)) => key::slots::list(args),
        Command::Key(KeyCommand::Add(args)) => key::slots::add(args),
        Command::Key(KeyCommand::Remove(args)) => key::slots::remove(args),
        Command::Key(KeyCommand::Rotate(args)) => key::rotate::run(args),
        Command::Key(KeyCommand::Save(args)) => key::slots::save(args),
        Command::Vault(VaultCommand::Register(args)) => vault::register(args),
        Command::Vault(VaultCommand::Recover(args)) => vault::recover(args),
        Command::Vault(VaultCommand::Status(args)) => vault::status(args),
        Command::Vault(VaultCommand::Delete(args)) => vault::delete(args),
        Command::Completions(args) => help::completions(args),
        Command::Man(args) => help::man(args),
        Command::Help(args) => help::help(args),
    }
}
