//! `bulla-vaultd serve` and `bulla-vaultd dev`.

use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::sync::Arc;

use bulla_vaultd::accounts::{Issuer, Tenants};
use bulla_vaultd::audit::Audit;
use bulla_vaultd::evaluator::system_clock;
use bulla_vaultd::hsm::KeyFile;
use bulla_vaultd::http::Service;
use bulla_vaultd::limits::{self, Limits};
use bulla_vaultd::server;
use bulla_vaultd::store::Embedded;
use bulla_vaultd::vault::Vault;

use crate::args::{Dev, Rates, Serve};
use crate::parts;

/// The name of the issuer of a development vault's tokens.
const DEV_ISSUER: &str = "dev";

/// Starts a server.
pub(crate) fn serve(args: Serve) -> Result<(), String> {
    let tls = match args.tls_certificate.as_deref().zip(args.tls_key.as_deref()) {
        Some((certificate, key)) => Some(server::tls(certificate, key)?),
        None if args.listen.ip().is_loopback() => None,
        None => {
            return Err(format!(
                "--listen {}: off loopback a server needs --tls-certificate and --tls-key",
                args.listen
            ));
        }
    };
    let tenants = Tenants::read(&args.tenants)?;
    let store = parts::store(&args.reach.store, &args.reach.cluster)?;
    let evaluator = parts::evaluator(&args.reach)?;
    let audit = parts::audit(&args.audit)?;
    let vault = Vault::new(store, evaluator, Some(Arc::clone(&audit)));
    let service = Service::new(vault, tenants, limits(&args.rates), system_clock())?;
    listen(args.listen, service, tls, &audit, None)
}

/// Starts a whole vault in a directory. The evaluator is in the same process: a key file that its
/// owner can read is guarded by no process boundary, and one process needs nobody who looks after a
/// second.
pub(crate) fn dev(args: Dev) -> Result<(), String> {
    if !args.listen.ip().is_loopback() {
        return Err(format!(
            "--listen {}: a development vault listens on loopback only",
            args.listen
        ));
    }
    let said = |why: &dyn std::fmt::Display| format!("{}: {why}", args.data.display());
    std::fs::create_dir_all(&args.data).map_err(|e| said(&e))?;
    let path = |name: &str| args.data.join(name);
    let keys = path("vault.keys");
    let hsm = if keys.exists() { KeyFile::open(&keys) } else { KeyFile::create(&keys) }
        .map_err(|e| said(&e))?;
    parts::warn(&hsm);
    let store = Embedded::open(&path("records.redb")).map_err(|e| said(&e))?;
    let marks = Embedded::open(&path("marks.redb")).map_err(|e| said(&e))?;
    let evaluator = parts::local(Arc::new(hsm), Arc::new(marks), &args.pace)?;
    let audit = parts::audit(&args.data)?;
    let mut tenants = Tenants::default();
    tenants.add(DEV_ISSUER, Issuer::open(DEV_ISSUER, &path("issuer.key"))?.public_key());
    let vault = Vault::new(Arc::new(store), evaluator, Some(Arc::clone(&audit)));
    let service = Service::new(vault, tenants, limits(&args.rates), system_clock())?;
    listen(args.listen, service, None, &audit, Some(&args.data))
}

/// The configuration of a client, for `~/.config/bulla/vault.toml`.
fn client_configuration(address: &str, public_key: &str) -> String {
    format!("address = \"{address}\"\npublic_key = \"{public_key}\"\n")
}

/// Says how a development vault is used, and leaves what a client needs in its directory.
fn introduce(directory: &Path, address: &str, public_key: &str) -> Result<(), String> {
    let configuration = directory.join("client.toml");
    std::fs::write(&configuration, client_configuration(address, public_key))
        .map_err(|e| format!("{}: {e}", configuration.display()))?;
    println!("a client's configuration: {}", configuration.display());
    println!(
        "a token:    bulla-vaultd token --key {} --issuer {DEV_ISSUER} --subject alice",
        directory.join("issuer.key").display()
    );
    Ok(())
}

fn limits(rates: &Rates) -> Limits {
    Limits::new(limits::Rates { per_address: rates.per_address, per_account: rates.per_account })
}

fn listen(
    address: SocketAddr,
    service: Service,
    tls: Option<Arc<rustls::ServerConfig>>,
    audit: &Audit,
    development: Option<&Path>,
) -> Result<(), String> {
    let listener = TcpListener::bind(address).map_err(|e| format!("--listen {address}: {e}"))?;
    let address = listener.local_addr().map_err(|e| e.to_string())?;
    let scheme = if tls.is_some() { "https" } else { "http" };
    let address = format!("{scheme}://{address}");
    let public_key: String =
        service.public_key().iter().map(|byte| format!("{byte:02x}")).collect();
    println!("vault:      {address}\npublic key: {public_key}");
    if let Some(directory) = development {
        introduce(directory, &address, &public_key)?;
    }
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|e| e.to_string())?;
    let served = runtime.block_on(server::run(listener, Arc::new(service), tls));
    audit.sync();
    served.map_err(|e| e.to_string())
}
