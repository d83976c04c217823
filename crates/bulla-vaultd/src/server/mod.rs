//! The HTTP server.

mod limits;
mod metrics;
mod service;
mod responses;
mod calls;
mod routes;

use std::io;
use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use axum_server::Handle;
use axum_server::tls_rustls::RustlsConfig;
use rustls::ServerConfig;
use rustls::crypto::ring::default_provider;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::version::TLS13;

use routes::router;

pub use limits::{Limits, Rates};
pub use service::Service;

/// How long requests in progress may take to finish during a shutdown.
const SHUTDOWN_TIMEOUT: Duration = Duration::from_secs(10);

/// Returns a TLS 1.3 configuration with this certificate chain and key, both in PEM.
///
/// # Errors
///
/// Returns a message that names the file and the problem.
pub fn tls(certificate: &Path, key: &Path) -> Result<Arc<ServerConfig>, String> {
    let with_path = |path: &Path, why: &dyn std::fmt::Display| format!("{}: {why}", path.display());
    let chain =
        CertificateDer::pem_file_iter(certificate).map_err(|e| with_path(certificate, &e))?;
    let chain = chain.collect::<Result<Vec<_>, _>>().map_err(|e| with_path(certificate, &e))?;
    let private = PrivateKeyDer::from_pem_file(key).map_err(|e| with_path(key, &e))?;
    let config = ServerConfig::builder_with_provider(Arc::new(default_provider()))
        .with_protocol_versions(&[&TLS13])
        .and_then(|config| config.with_no_client_auth().with_single_cert(chain, private));
    let mut config = config.map_err(|e| with_path(certificate, &e))?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(Arc::new(config))
}

/// Serves requests until SIGTERM or SIGINT, then finishes those in progress.
///
/// # Errors
///
/// Returns the listener's I/O errors.
pub async fn run(
    listener: TcpListener,
    service: Arc<Service>,
    tls: Option<Arc<ServerConfig>>,
) -> io::Result<()> {
    let handle = Handle::new();
    let shutdown_handle = handle.clone();
    tokio::spawn(async move {
        shutdown_signal().await;
        shutdown_handle.graceful_shutdown(Some(SHUTDOWN_TIMEOUT));
    });
    listener.set_nonblocking(true)?;
    let app = router(service).into_make_service_with_connect_info::<SocketAddr>();
    match tls {
        Some(config) => {
            let config = RustlsConfig::from_config(config);
            axum_server::from_tcp_rustls(listener, config)?.handle(handle).serve(app).await
        }
        None => axum_server::from_tcp(listener)?.handle(handle).serve(app).await,
    }
}

#[cfg(unix)]
async fn shutdown_signal() {
    use tokio::signal::unix::{SignalKind, signal};
    let Ok(mut terminate) = signal(SignalKind::terminate()) else {
        return std::future::pending().await;
    };
    tokio::select! {
        _ = terminate.recv() => {}
        _ = tokio::signal::ctrl_c() => {}
    }
}

#[cfg(not(unix))]
async fn shutdown_signal() {
    _ = tokio::signal::ctrl_c().await;
}
