//! `bulla-vaultd init`.

use crate::args::Hsm;
use crate::setup;

/// Generates the vault's keys.
pub(crate) fn run(args: &Hsm) -> Result<(), String> {
    let hsm = setup::hsm(args, true)?;
    let epochs = hsm.epochs().map_err(|e| e.to_string())?;
    println!("generated the vault's keys; epoch {}", epochs.last().copied().unwrap_or(0));
    Ok(())
}
