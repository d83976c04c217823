//! Builds a server's components from command-line arguments.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use bulla_vaultd::audit::AuditLog;
use bulla_vaultd::evaluator::{Evaluator, Local, system_clock};
use bulla_vaultd::hsm::{Hsm, HsmError, KeyFile, Pkcs11, Pkcs11Options};
use bulla_vaultd::record::Policy;
use bulla_vaultd::store::{Embedded, Etcd, EtcdOptions, Store};
use zeroize::Zeroizing;

use crate::args::{Backend, Cluster, Hsm as HsmArgs, Pace};

/// Opens the HSM, or generates its keys if `create` is set.
pub(crate) fn hsm(args: &HsmArgs, create: bool) -> Result<Arc<dyn Hsm>, String> {
    let opened: Result<Arc<dyn Hsm>, HsmError> = match HsmLocation::parse(&args.hsm)? {
        HsmLocation::File(path) => {
            let file = if create { KeyFile::create(&path) } else { KeyFile::open(&path) };
            file.map(|file| {
                print_warning(&file);
                Arc::new(file) as Arc<dyn Hsm>
            })
        }
        HsmLocation::Module(options) => {
            let pin = pin(args.pin_file.as_deref())?;
            let module =
                if create { Pkcs11::create(&options, &pin) } else { Pkcs11::open(&options, &pin) };
            module.map(|module| Arc::new(module) as Arc<dyn Hsm>)
        }
    };
    opened.map_err(|e| e.to_string())
}

/// Prints a key file's warning in a frame, so that it is not overlooked.
pub(crate) fn print_warning(file: &KeyFile) {
    let warning = file.warning();
    let line = "*".repeat(78);
    eprintln!("{line}\n{warning}\n{line}");
}

/// Opens the store that `--store` or `--marks` names.
pub(crate) fn store(text: &str, cluster: &Cluster) -> Result<Arc<dyn Store>, String> {
    if let Some(path) = text.strip_prefix("redb:") {
        let store = Embedded::open(Path::new(path)).map_err(|e| e.to_string())?;
        return Ok(Arc::new(store));
    }
    if text != "etcd" {
        return Err(format!("{text}: unknown kind of store; use redb:FILE or etcd"));
    }
    if cluster.endpoints.is_empty() {
        return Err("--endpoints: missing; give the client URLs of all etcd members".to_owned());
    }
    let options = EtcdOptions {
        prefix: cluster.prefix.clone(),
        confirm: cluster.confirm,
        ca: cluster.etcd_ca.clone(),
        identity: cluster.etcd_certificate.clone().zip(cluster.etcd_key.clone()),
        ..EtcdOptions::new(cluster.endpoints.clone())
    };
    Ok(Arc::new(Etcd::open(&options).map_err(|e| e.to_string())?))
}

/// Creates an evaluator in this process.
pub(crate) fn local_evaluator(
    hsm: Arc<dyn Hsm>,
    watermarks: Arc<dyn Store>,
    pace: &Pace,
) -> Result<Arc<dyn Evaluator>, String> {
    let local =
        Local::new(hsm, watermarks, policy(pace), system_clock()).map_err(|e| e.to_string())?;
    Ok(Arc::new(local))
}

/// Returns a server's evaluator, which is either another process or an in-process evaluator with a
/// key file.
pub(crate) fn evaluator(backend: &Backend) -> Result<Arc<dyn Evaluator>, String> {
    if let Some(socket) = &backend.evaluator {
        #[cfg(unix)]
        return Ok(Arc::new(bulla_vaultd::evaluator::Remote::new(socket.clone())));
        #[cfg(not(unix))]
        return Err(format!(
            "--evaluator {}: Unix sockets are not available on this system; use --hsm",
            socket.display()
        ));
    }
    let (Some(text), Some(watermarks)) = (&backend.hsm, &backend.watermarks) else {
        return Err(
            "evaluator: not specified; use --evaluator, or --hsm keys:FILE with --marks".to_owned()
        );
    };
    // If the process that faces the network had the PIN, the PIN would protect nothing.
    let HsmLocation::File(_) = HsmLocation::parse(text)? else {
        return Err(format!(
            "--hsm {text}: only an evaluator process may use an HSM; run `bulla-vaultd evaluator` \
             and use --evaluator"
        ));
    };
    let hsm = hsm(&HsmArgs { hsm: text.clone(), pin_file: None }, false)?;
    local_evaluator(hsm, store(watermarks, &backend.cluster)?, &backend.pace)
}

/// Opens the audit log in a directory.
pub(crate) fn audit_log(directory: &Path) -> Result<Arc<AuditLog>, String> {
    let with_path = |error: &dyn std::fmt::Display| format!("{}: {error}", directory.display());
    std::fs::create_dir_all(directory).map_err(|e| with_path(&e))?;
    let log = AuditLog::open(&directory.join("audit.log"), &directory.join("audit.key"))
        .map_err(|e| with_path(&e))?;
    Ok(Arc::new(log))
}

/// The value of `--hsm`.
enum HsmLocation {
    File(PathBuf),
    Module(Pkcs11Options),
}

impl HsmLocation {
    fn parse(text: &str) -> Result<HsmLocation, String> {
        if let Some(path) = text.strip_prefix("keys:") {
            return Ok(HsmLocation::File(path.into()));
        }
        let options = text.strip_prefix("pkcs11:").and_then(Pkcs11Options::parse);
        options.map(HsmLocation::Module).ok_or_else(|| {
            format!("--hsm {text}: malformed; use keys:FILE or pkcs11:MODULE?token=LABEL")
        })
    }
}

fn pin(path: Option<&Path>) -> Result<Zeroizing<String>, String> {
    let path = path.ok_or("--pin-file: missing; write the PIN to a file that only you can read")?;
    let with_path = |error: &dyn std::fmt::Display| format!("{}: {error}", path.display());
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = std::fs::metadata(path).map_err(|e| with_path(&e))?.permissions().mode();
        if mode & 0o077 != 0 {
            return Err(with_path(&"readable by other users; run `chmod 600` on it"));
        }
    }
    let mut text = Zeroizing::new(std::fs::read_to_string(path).map_err(|e| with_path(&e))?);
    let len = text.trim_end_matches(['\r', '\n']).len();
    text.truncate(len);
    Ok(text)
}

/// Returns the policy that these arguments describe. The last delay applies to all later guesses.
fn policy(pace: &Pace) -> Policy {
    let mut policy = Policy {
        grace: pace.grace,
        lifetime_failures: pace.lifetime_failures,
        ..Policy::default()
    };
    if let Some(last) = pace.delays.last() {
        for (at, delay) in policy.delays.iter_mut().enumerate() {
            *delay = *pace.delays.get(at).unwrap_or(last);
        }
    }
    policy
}
