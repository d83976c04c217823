//! `bulla-vaultd audit`.

use std::fs::File;
use std::path::Path;

use bulla_vaultd::audit::{self, Head};

use crate::args::Audit;

/// Verifies a log.
pub(crate) fn run(command: &Audit) -> Result<(), String> {
    let Audit::Verify { log, key, head } = command;
    let key = public_key(key)?;
    let head: Option<Head> =
        head.as_deref().map(str::parse).transpose().map_err(|_| "--head is no head")?;
    let mut file = File::open(log).map_err(|e| format!("{}: {e}", log.display()))?;
    let head = audit::verify(&mut file, &key, head.as_ref()).map_err(|e| e.to_string())?;
    println!("{} events, all signed and in their order\nhead {head}", head.number);
    Ok(())
}

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
    let read = std::fs::read_to_string(Path::new(text)).map_err(|e| format!("{text}: {e}"))?;
    decode(&read).ok_or_else(|| format!("{text}: not 64 hexadecimal digits"))
}
