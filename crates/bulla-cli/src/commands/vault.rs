//! `bulla vault register`, `recover`, `status` and `delete`

use std::path::Path;

use bulla_key::{Locator, SlotKind};
use bulla_vault::messages::{RecordState, RecordStatus};
use bulla_vault::{Deleted, RegId, Registered, RegistrationOptions};
use subtle::ConstantTimeEq;

use super::shared::container::read_preamble;
use crate::args::vault::{VaultDeleteArgs, VaultRecoverArgs, VaultRegisterArgs, VaultStatusArgs};
use crate::error::{Exit, Failure};
use crate::io::input::Input;
use crate::keys::new_key::{NewKeyFile, reject_existing};
use crate::keys::source::KeySource;
use crate::keys::unlock::{envelope_failure, read_envelope};
use crate::keys::vault::{Vault, new_password, vault_failure};
use crate::process::cleanup::Cleanup;
use crate::process::workers::WorkerPool;
use crate::terminal::display::shown;
use crate::terminal::message::{note, print, say};

pub(super) fn register(args: &VaultRegisterArgs) -> Result<Exit, Failure> {
    let source = KeySource::for_key(args.file.as_deref())?;
    let pool = WorkerPool::new(None)?;
    let mut vault = Vault::open(&args.vault, &pool)?;
    let stored = vault.stored_locators()?;
    if stored.is_empty() && !args.forgotten {
        vault.reject_key_without_locator()?;
    }
    let key = source.read_for_sealing()?;
    // Proving knowledge of the old password allows an immediate replacement.
    let grant = if stored.is_empty() || args.forgotten {
        None
    } else {
        let recovered = vault.recover(&stored)?;
        if !bool::from(recovered.key.expose().ct_eq(key.expose())) {
            let problem = "the vault stores another key, which backups may need; use \
                           `bulla vault recover` to export it, or `bulla vault delete` to \
                           delete it";
            return Err(Failure::usage(vault.address, problem));
        }
        Some(recovered.grant)
    };
    let first_password = args.vault.vault_password_file.as_deref().filter(|_| stored.is_empty());
    let password =
        new_password(args.new_password_file.as_deref().or(first_password), "--new-password-file")?;
    let options =
        RegistrationOptions { max_guesses: args.guesses, grant, ..RegistrationOptions::default() };
    let registered = vault.register(&password, &key, &options)?;
    if args.quiet.quiet {
        return Ok(Exit::Success);
    }
    let (address, locator) = (&vault.address, shown(vault.locators.path()));
    match registered {
        Registered::Active => {
            say(&format!("{address}: the key is stored in the vault"));
            say(&format!(
                "To recover it, you need the password and {locator} or a backup made with --vault."
            ));
            say("Without them, the key is lost. Keep a recovery key elsewhere.");
        }
        Registered::Announced { not_before } => {
            say(&format!(
                "{address}: another registration is active; the new one replaces it on {}",
                time(not_before)
            ));
            say("Until then the old password remains valid. Both locators are kept.");
        }
    }
    Ok(Exit::Success)
}

pub(super) fn recover(args: &VaultRecoverArgs) -> Result<Exit, Failure> {
    reject_existing(&args.output)?;
    let pool = WorkerPool::new(None)?;
    let mut vault = Vault::open(&args.vault, &pool)?;
    let mut locators = vault.stored_locators()?;
    if let Some(container) = &args.container {
        for locator in locators_of(container, args.envelope.as_deref())? {
            if locators.iter().all(|stored| stored.registration() != locator.registration()) {
                locators.push(locator);
            }
        }
    }
    let recovered = vault.recover(&locators)?;
    let mut new_key = NewKeyFile::create(&args.output, &recovered.key)?;
    new_key.keep(&mut Cleanup::lock());
    if let Some(locator) =
        locators.iter().find(|locator| locator.registration() == recovered.reg_id.as_bytes())
    {
        vault.store_locator(locator)?;
    }
    if !args.quiet.quiet {
        say(&format!("{}: recovered the key", shown(&args.output)));
        if recovered.failures > 0 {
            say("If the failed attempts were not yours, change the password: \
                 bulla vault register -k KEY");
        }
    }
    Ok(Exit::Success)
}

pub(super) fn status(args: &VaultStatusArgs) -> Result<Exit, Failure> {
    let pool = WorkerPool::new(None)?;
    let mut vault = Vault::open(&args.vault, &pool)?;
    let stored = vault.stored_locators()?;
    let address = vault.address.clone();
    let info = vault.client().info().map_err(|e| vault_failure(&e, &address))?;
    let status = vault.client().status().map_err(|e| vault_failure(&e, &address))?;
    let mut lines =
        vec![format!("{address}: version {}, with the configured public key", info.version)];
    let records = [status.current, status.pending];
    lines.extend(records.iter().flatten().map(|record| describe(record, &stored)));
    if records.iter().all(Option::is_none) {
        lines.push("no key stored".to_owned());
    }
    print(&lines.join("\n")).map_err(|e| Failure::io("standard output", &e))?;
    Ok(Exit::Success)
}

pub(super) fn delete(args: &VaultDeleteArgs) -> Result<Exit, Failure> {
    let pool = WorkerPool::new(None)?;
    let mut vault = Vault::open(&args.vault, &pool)?;
    let stored = vault.stored_locators()?;
    let (address, locator) = (vault.address.clone(), shown(vault.locators.path()));
    if stored.is_empty() {
        return Err(Failure::usage(
            locator,
            "no locator, which is required to delete the registration; use --locator FILE",
        ));
    }
    let grant = match args.forgotten {
        true => None,
        false => {
            let recovered = vault.recover(&stored)?;
            Some((recovered.reg_id, recovered.grant))
        }
    };
    let mut announced = None;
    for reg_id in stored.iter().map(|locator| RegId::from_bytes(*locator.registration())) {
        let own = grant.as_ref().filter(|grant| grant.0 == reg_id).map(|grant| &grant.1);
        let deleted =
            vault.client().delete(reg_id, own).map_err(|e| vault_failure(&e, &address))?;
        if let Deleted::Announced { not_before } = deleted {
            announced = Some(not_before);
        }
    }
    match announced {
        Some(not_before) => {
            // The locator is kept, because a login before then cancels the deletion.
            note(&format!(
                "{address}: the key will be deleted on {}; recovering the key \
                 before then cancels the deletion",
                time(not_before)
            ));
        }
        None => {
            vault.locators.remove().map_err(|e| Failure::io(&locator, &e))?;
            if !args.quiet.quiet {
                say(&format!("{address}: deleted the key and {locator}"));
            }
        }
    }
    Ok(Exit::Success)
}

/// Returns the locators in a container's envelope, or in the saved envelope `file`.
fn locators_of(container: &Path, file: Option<&Path>) -> Result<Vec<Locator>, Failure> {
    let mut input = Input::open(Some(container))?;
    let preamble = read_preamble(&mut input)?;
    let (envelope, _) =
        read_envelope(&preamble, file)?.map_err(|e| envelope_failure(&e, &input.name))?;
    let locators = envelope.list().into_iter().filter_map(|slot| match slot.kind {
        SlotKind::Locator(locator) => Some(locator),
        _ => None,
    });
    Ok(locators.collect())
}

fn describe(record: &RecordStatus, stored: &[Locator]) -> String {
    let has_locator = stored
        .iter()
        .any(|locator| RegId::from_bytes(*locator.registration()).record_name() == record.name);
    let locator = if has_locator { "locator present" } else { "locator missing" };
    let state = match record.state {
        RecordState::Active => {
            format!("key stored: {} of {} guesses left", record.left, record.max)
        }
        RecordState::Pending => "new registration, not used yet".to_owned(),
        RecordState::Locked => "no guesses left: the key was destroyed".to_owned(),
    };
    match record.not_before {
        Some(at) => {
            format!("{state}; {locator}; a change takes effect on {}", time(at))
        }
        None => format!("{state}; {locator}"),
    }
}

/// Formats a Unix time in UTC.
fn time(seconds: u64) -> String {
    i64::try_from(seconds)
        .ok()
        .and_then(|seconds| jiff::Timestamp::from_second(seconds).ok())
        .map_or_else(|| "an invalid date".to_owned(), |at| at.to_string())
}
