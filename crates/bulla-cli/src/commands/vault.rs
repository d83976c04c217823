//! `bulla vault register`, `recover`, `status` and `delete`

use std::path::Path;

use bulla_key::{Locator, SlotKind};
use bulla_vault::messages::{RecordState, RecordStatus};
use bulla_vault::{Deleted, RegId, Registered, Terms};
use subtle::ConstantTimeEq;

use super::read_preamble;
use crate::args::{VaultDelete, VaultRecover, VaultRegister, VaultStatus};
use crate::error::{Exit, Failure};
use crate::io::input::Input;
use crate::keys::new_key::NewKey;
use crate::keys::source::KeySource;
use crate::keys::unlock::{envelope_of, of_envelope};
use crate::keys::vault::{Vault, failure, new_password};
use crate::process::cleanup::leftovers;
use crate::terminal::display::shown;
use crate::terminal::streams::{note, print, say};

pub(super) fn register(args: &VaultRegister) -> Result<Exit, Failure> {
    let source = KeySource::new(args.file.as_deref())?;
    let mut vault = Vault::open(&args.vault)?;
    let kept = vault.kept_locators()?;
    if kept.is_empty() && !args.forgotten {
        vault.refuse_key_without_locator()?;
    }
    let key = source.read_for_sealing()?;
    // Who shows that the old password is known replaces the old registration at once.
    let grant = if kept.is_empty() || args.forgotten {
        None
    } else {
        let recovered = vault.recover(&kept)?;
        if !bool::from(recovered.key.expose().ct_eq(key.expose())) {
            let text = "another key lies there, which backups may need; get it with `bulla vault recover`, or delete it first";
            return Err(Failure::usage(vault.address, text));
        }
        Some(recovered.grant)
    };
    let of_first = args.vault.vault_password_file.as_deref().filter(|_| kept.is_empty());
    let password =
        new_password(args.new_password_file.as_deref().or(of_first), "--new-password-file")?;
    let terms = Terms { max: args.guesses, grant, ..Terms::default() };
    let registered = vault.register(&password, &key, &terms)?;
    if args.quiet {
        return Ok(Exit::Done);
    }
    let (address, locator) = (&vault.address, shown(vault.locators.path()));
    match registered {
        Registered::Active => {
            say(&format!("{address}: the key lies there now, behind the password"));
            say(&format!(
                "To get it back it takes the password and {locator}, or a backup that was made with --vault."
            ));
            say(
                "Whoever loses all of these, or the password, loses the key: keep a recovery key apart.",
            );
        }
        Registered::Announced { not_before } => {
            say(&format!(
                "{address}: another registration is in use there; this one replaces it from {}",
                time(not_before)
            ));
            say("Until then the old password counts. The locators of both are kept.");
        }
    }
    Ok(Exit::Done)
}

pub(super) fn recover(args: &VaultRecover) -> Result<Exit, Failure> {
    crate::keys::new_key::refuse_existing(&args.output)?;
    let mut vault = Vault::open(&args.vault)?;
    let mut locators = vault.kept_locators()?;
    if let Some(container) = &args.container {
        for locator in locators_of(container, args.envelope.as_deref())? {
            if locators.iter().all(|kept| kept.registration() != locator.registration()) {
                locators.push(locator);
            }
        }
    }
    let recovered = vault.recover(&locators)?;
    let mut new_key = NewKey::of(&args.output, &recovered.key)?;
    new_key.keep(&mut leftovers());
    if let Some(locator) =
        locators.iter().find(|locator| locator.registration() == recovered.reg_id.as_bytes())
    {
        vault.keep(locator)?;
    }
    if !args.quiet {
        say(&format!("{}: the key is back", shown(&args.output)));
        if recovered.failures > 0 {
            say(
                "If the failed attempts were not yours, choose a new password: bulla vault register -k KEY",
            );
        }
    }
    Ok(Exit::Done)
}

pub(super) fn status(args: &VaultStatus) -> Result<Exit, Failure> {
    let mut vault = Vault::open(&args.vault)?;
    let kept = vault.kept_locators()?;
    let address = vault.address.clone();
    let info = vault.client().info().map_err(|e| failure(&e, &address))?;
    let status = vault.client().status().map_err(|e| failure(&e, &address))?;
    let mut lines =
        vec![format!("{address}: version {}, with the configured public key", info.version)];
    let records = [status.current, status.pending];
    lines.extend(records.iter().flatten().map(|record| describe(record, &kept)));
    if records.iter().all(Option::is_none) {
        lines.push("no key lies there".to_owned());
    }
    print(&lines.join("\n")).map_err(|e| Failure::io("standard output", &e))?;
    Ok(Exit::Done)
}

pub(super) fn delete(args: &VaultDelete) -> Result<Exit, Failure> {
    let mut vault = Vault::open(&args.vault)?;
    let kept = vault.kept_locators()?;
    let (address, locator) = (vault.address.clone(), shown(vault.locators.path()));
    if kept.is_empty() {
        return Err(Failure::usage(
            locator,
            "there is no locator, and without it no registration to delete",
        ));
    }
    let grant = match args.forgotten {
        true => None,
        false => {
            let recovered = vault.recover(&kept)?;
            Some((recovered.reg_id, recovered.grant))
        }
    };
    let mut announced = None;
    for reg_id in kept.iter().map(|locator| RegId::from_bytes(*locator.registration())) {
        let own = grant.as_ref().filter(|grant| grant.0 == reg_id).map(|grant| &grant.1);
        let deleted = vault.client().delete(reg_id, own).map_err(|e| failure(&e, &address))?;
        if let Deleted::Announced { not_before } = deleted {
            announced = Some(not_before);
        }
    }
    match announced {
        Some(not_before) => {
            // The locator stays: a login until then calls it off.
            note(&format!(
                "{address}: the key will be deleted from {} on; getting it back before calls that off",
                time(not_before)
            ));
        }
        None => {
            vault.locators.remove().map_err(|e| Failure::io(&locator, &e))?;
            if !args.quiet {
                say(&format!("{address}: the key is deleted, and {locator} with it"));
            }
        }
    }
    Ok(Exit::Done)
}

/// The locators in a container's envelope.
fn locators_of(container: &Path, beside: Option<&Path>) -> Result<Vec<Locator>, Failure> {
    let mut input = Input::open(Some(container))?;
    let preamble =
        read_preamble(&mut input).map_err(|e| Failure::of_work(&e, &input.name, &input.name))?;
    let (envelope, _) =
        envelope_of(&preamble, beside)?.map_err(|e| of_envelope(&e, &input.name))?;
    let locators = envelope.list().into_iter().filter_map(|slot| match slot.kind {
        SlotKind::Locator(locator) => Some(locator),
        _ => None,
    });
    Ok(locators.collect())
}

fn describe(record: &RecordStatus, kept: &[Locator]) -> String {
    let known = kept
        .iter()
        .any(|locator| RegId::from_bytes(*locator.registration()).record_name() == record.name);
    let whose = if known { "its locator is here" } else { "its locator is not here" };
    let state = match record.state {
        RecordState::Active => {
            format!("a key lies there: {} of {} guesses are left", record.left, record.max)
        }
        RecordState::Pending => "a new registration, not used yet".to_owned(),
        RecordState::Locked => "the guesses ran out: the key is gone for good".to_owned(),
    };
    match record.not_before {
        Some(at) => {
            format!("{state}; {whose}; something that was announced happens from {} on", time(at))
        }
        None => format!("{state}; {whose}"),
    }
}

/// A moment as people write it, in UTC.
fn time(seconds: u64) -> String {
    i64::try_from(seconds)
        .ok()
        .and_then(|seconds| jiff::Timestamp::from_second(seconds).ok())
        .map_or_else(|| "a time that is none".to_owned(), |at| at.to_string())
}
