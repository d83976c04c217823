//! `bulla-vaultd audit`.

use std::fs::File;

use bulla_vaultd::audit::{self, Head};

use crate::args::Audit;

/// Verifies an audit log.
pub(crate) fn run(command: &Audit) -> Result<(), String> {
    let Audit::Verify { log, key, head } = command;
    let key = public_key(key)?;
    let expected: Option<Head> = head
        .as_deref()
        .map(str::parse)
        .transpose()
        .map_err(|e: audit::AuditError| format!("--{e}"))?;
    let with_path = |error: &dyn std::fmt::Display| format!("{}: {error}", log.display());
    let mut file = File::open(log).map_err(|e| with_path(&e))?;
    let head = audit::verify(&mut file, &key, expected.as_ref()).map_err(|e| with_path(&e))?;
    println!("verified {} events\nhead {head}", head.number);
    Ok(())
}

/// Reads a public key from an argument, which is either the key itself or a file name.
fn public_key(text: &str) -> Result<Vec<u8>, String> {
    let decode = |text: &str| {
        let text = text.trim();
        let digits = text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
        digits.then(|| {
            (0..32)
                .filter_map(|at| u8::from_str_radix(&text[2 * at..2 * at + 2], 16).ok())
                .collect()
        })
    };
    if let Some(key) = decode(text) {
        return Ok(key);
    }
    let contents = std::fs::read_to_string(text).map_err(|e| format!("--key {text}: {e}"))?;
    decode(&contents).ok_or_else(|| format!("--key {text}: not 64 hexadecimal digits"))
}
