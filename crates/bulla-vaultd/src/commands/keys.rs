//! `bulla-vaultd init`.

use crate::args::Hsm;
use crate::parts;

/// Makes the vault's keys.
pub(crate) fn init(args: &Hsm) -> Result<(), String> {
    let hsm = parts::hsm(args, true)?;
    let epochs = hsm.epochs().map_err(|e| e.to_string())?;
    println!("made the vault's keys; epoch {}", epochs.last().copied().unwrap_or(0));
    Ok(())
}
