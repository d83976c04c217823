//! `bulla-vaultd token`.

use std::time::{SystemTime, UNIX_EPOCH};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bulla_vaultd::accounts::{Issuer, MAX_LIFETIME};

use crate::args::Token;

/// Shows a token, or what makes its issuer a tenant.
pub(crate) fn run(args: &Token) -> Result<(), String> {
    let issuer = Issuer::open(&args.issuer, &args.key)?;
    let Some(subject) = &args.subject else {
        let key = URL_SAFE_NO_PAD.encode(issuer.public_key());
        println!("{}", serde_json::json!({ &args.issuer: [key] }));
        return Ok(());
    };
    if args.lifetime > MAX_LIFETIME {
        return Err(format!(
            "--lifetime {}: a vault takes no token that lives longer than {MAX_LIFETIME} s",
            args.lifetime
        ));
    }
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_err(|e| e.to_string())?.as_secs();
    println!("{}", issuer.token(subject, now, args.lifetime));
    Ok(())
}
