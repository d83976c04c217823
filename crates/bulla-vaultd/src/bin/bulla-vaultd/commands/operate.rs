//! `bulla-vaultd rotate` and `bulla-vaultd clamp`.

use std::time::Duration;

use bulla_vaultd::vault::Vault;

use crate::args::Operate;
use crate::setup;

/// Reseals every record under a new key, then destroys the old keys.
pub(crate) fn rotate(args: &Operate) -> Result<(), String> {
    let rotation =
        vault(args)?.rotate(Duration::from_secs(args.settling)).map_err(|e| e.to_string())?;
    println!(
        "epoch {}: resealed {} {}; destroyed the keys of all earlier epochs",
        rotation.epoch,
        rotation.resealed,
        plural(rotation.resealed, "account")
    );
    Ok(())
}

/// Clamps accounts after the store was rolled back.
pub(crate) fn clamp(args: &Operate) -> Result<(), String> {
    let clamping = vault(args)?.clamp().map_err(|e| e.to_string())?;
    println!(
        "clamped {} {}; {} {} lost",
        clamping.clamped,
        plural(clamping.clamped, "account"),
        clamping.lost,
        plural(clamping.lost, "registration")
    );
    Ok(())
}

fn vault(args: &Operate) -> Result<Vault, String> {
    let store = setup::store(&args.backend.store, &args.backend.cluster)?;
    let evaluator = setup::evaluator(&args.backend)?;
    let audit = args.audit.as_deref().map(setup::audit_log).transpose()?;
    Ok(Vault::new(store, evaluator, audit))
}

fn plural(count: u64, noun: &str) -> String {
    if count == 1 { noun.to_owned() } else { format!("{noun}s") }
}
