//! `bulla-vaultd serve` and `bulla-vaultd dev`.

use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::sync::Arc;

use bulla_vaultd::audit::AuditLog;
use bulla_vaultd::evaluator::system_clock;
use bulla_vaultd::hsm::KeyFile;
use bulla_vaultd::server::{self, Limits, Service};
use bulla_vaultd::store::Embedded;
use bulla_vaultd::tokens::{Issuer, Tenants};
use bulla_vaultd::vault::Vault;

use crate::args::{Dev, Rates, Serve};
use crate::setup;

/// The issuer of a development vault's tokens.
const DEV_ISSUER: &str = "dev";

/// Runs a server.
pub(crate) fn serve(args: Serve) -> Result<(), String> {
    let tls = match args.tls_certificate.as_deref().zip(args.tls_key.as_deref()) {
        Some((certificate, key)) => Some(server::tls(certificate, key)?),
        None if args.listen.ip().is_loopback() => None,
        None => {
            return Err(format!(
                "--listen {}: TLS is required except on loopback; add --tls-certificate and \
                 --tls-key",
                args.listen
            ));
        }
    };
    let tenants = Tenants::read(&args.tenants)?;
    let store = setup::store(&args.backend.store, &args.backend.cluster)?;
    let evaluator = setup::evaluator(&args.backend)?;
    let audit = setup::audit_log(&args.audit)?;
    let vault = Vault::new(store, evaluator, Some(Arc::clone(&audit)));
    let service = Service::new(vault, tenants, limits(&args.rates), system_clock())?;
    listen(args.listen, service, tls, &audit, None)
}

/// Runs a complete vault in a directory.
///
/// The evaluator runs in this process, because a process boundary would not protect a key file that
/// the same user can read.
pub(crate) fn dev(args: Dev) -> Result<(), String> {
    if !args.listen.ip().is_loopback() {
        return Err(format!(
            "--listen {}: not a loopback address; a development vault must not be reachable from \
             other machines",
            args.listen
        ));
    }
    let with_path = |error: &dyn std::fmt::Display| format!("{}: {error}", args.data.display());
    std::fs::create_dir_all(&args.data).map_err(|e| with_path(&e))?;
    let path = |name: &str| args.data.join(name);
    let keys = path("vault.keys");
    let hsm = if keys.exists() { KeyFile::open(&keys) } else { KeyFile::create(&keys) }
        .map_err(|e| with_path(&e))?;
    setup::print_warning(&hsm);
    let store = Embedded::open(&path("records.redb")).map_err(|e| with_path(&e))?;
    let watermarks = Embedded::open(&path("marks.redb")).map_err(|e| with_path(&e))?;
    let evaluator = setup::local_evaluator(Arc::new(hsm), Arc::new(watermarks), &args.pace)?;
    let audit = setup::audit_log(&args.data)?;
    let mut tenants = Tenants::default();
    tenants.add(DEV_ISSUER, Issuer::open(DEV_ISSUER, &path("issuer.key"))?.public_key());
    let vault = Vault::new(Arc::new(store), evaluator, Some(Arc::clone(&audit)));
    let service = Service::new(vault, tenants, limits(&args.rates), system_clock())?;
    listen(args.listen, service, None, &audit, Some(&args.data))
}

fn limits(rates: &Rates) -> Limits {
    Limits::new(server::Rates { per_address: rates.per_address, per_account: rates.per_account })
}

/// Serves requests until a shutdown signal arrives. `development` is a development vault's
/// directory.
fn listen(
    address: SocketAddr,
    service: Service,
    tls: Option<Arc<rustls::ServerConfig>>,
    audit: &AuditLog,
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
    let result = runtime.block_on(server::run(listener, Arc::new(service), tls));
    audit.sync();
    result.map_err(|e| e.to_string())
}

/// Writes a client configuration to a development vault's directory, and prints how to use it.
fn introduce(directory: &Path, address: &str, public_key: &str) -> Result<(), String> {
    let configuration = directory.join("client.toml");
    std::fs::write(&configuration, client_configuration(address, public_key))
        .map_err(|e| format!("{}: {e}", configuration.display()))?;
    println!("client configuration: {}", configuration.display());
    println!(
        "token command: bulla-vaultd token --key {} --issuer {DEV_ISSUER} --subject alice",
        directory.join("issuer.key").display()
    );
    Ok(())
}

/// Returns the client configuration, for `~/.config/bulla/vault.toml`.
fn client_configuration(address: &str, public_key: &str) -> String {
    format!("address = \"{address}\"\npublic_key = \"{public_key}\"\n")
}
