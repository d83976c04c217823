//! `bulla-vaultd rotate` and `bulla-vaultd clamp`.

use std::time::Duration;

use bulla_vaultd::vault::Vault;

use crate::args::Operate;
use crate::parts;

/// Seals every record under a new key, then destroys the old one.
pub(crate) fn rotate(args: &Operate) -> Result<(), String> {
    let done =
        vault(args)?.rotate(Duration::from_secs(args.settling)).map_err(|e| e.to_string())?;
    println!(
        "epoch {}: {} accounts sealed anew, the keys before it destroyed",
        done.epoch, done.resealed
    );
    Ok(())
}

/// Goes on after the store was set back.
pub(crate) fn clamp(args: &Operate) -> Result<(), String> {
    let done = vault(args)?.clamp().map_err(|e| e.to_string())?;
    println!(
        "{} accounts clamped, {} registrations lost with what the store has lost",
        done.clamped, done.lost
    );
    Ok(())
}

fn vault(args: &Operate) -> Result<Vault, String> {
    let store = parts::store(&args.reach.store, &args.reach.cluster)?;
    let evaluator = parts::evaluator(&args.reach)?;
    let audit = args.audit.as_deref().map(parts::audit).transpose()?;
    Ok(Vault::new(store, evaluator, audit))
}
