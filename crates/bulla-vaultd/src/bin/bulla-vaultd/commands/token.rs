//! `bulla-vaultd token`.

use std::time::{SystemTime, UNIX_EPOCH};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bulla_vaultd::tokens::{Issuer, MAX_LIFETIME};

use crate::args::Token;

/// Prints a token, or a tenants file that lists its issuer.
pub(crate) fn run(args: &Token) -> Result<(), String> {
    let issuer = Issuer::open(&args.issuer, &args.key)?;
    let Some(subject) = &args.subject else {
        let key = URL_SAFE_NO_PAD.encode(issuer.public_key());
        println!("{}", serde_json::json!({ &args.issuer: [key] }));
        return Ok(());
    };
    if args.lifetime > MAX_LIFETIME {
        return Err(format!(
            "--lifetime {}: too long; a vault accepts at most {MAX_LIFETIME} seconds",
            args.lifetime
        ));
    }
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_err(|e| e.to_string())?.as_secs();
    println!("{}", issuer.token(subject, now, args.lifetime));
    Ok(())
}
