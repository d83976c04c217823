//! A server's parts, made from what the command line says.

use std::path::Path;
use std::sync::Arc;

use bulla_vaultd::audit::Audit;
use bulla_vaultd::evaluator::{Evaluator, Local, system_clock};
use bulla_vaultd::hsm::{Hsm, HsmError, KeyFile, Pkcs11, Pkcs11Options};
use bulla_vaultd::record::Policy;
use bulla_vaultd::store::{Embedded, Etcd, EtcdOptions, Store};
use zeroize::Zeroizing;

use crate::args::{Cluster, Hsm as HsmArgs, Pace, Reach};

/// The keys that `--hsm` names.
pub(crate) enum Keys {
    File(std::path::PathBuf),
    Module(Pkcs11Options),
}

pub(crate) fn keys(text: &str) -> Result<Keys, String> {
    if let Some(path) = text.strip_prefix("keys:") {
        return Ok(Keys::File(path.into()));
    }
    let options = text.strip_prefix("pkcs11:").and_then(Pkcs11Options::parse);
    options
        .map(Keys::Module)
        .ok_or_else(|| format!("--hsm {text}: neither keys:FILE nor pkcs11:MODULE?token=LABEL"))
}

/// The keys, opened or made.
pub(crate) fn hsm(args: &HsmArgs, make: bool) -> Result<Arc<dyn Hsm>, String> {
    let opened: Result<Arc<dyn Hsm>, HsmError> = match keys(&args.hsm)? {
        Keys::File(path) => {
            let file = if make { KeyFile::create(&path) } else { KeyFile::open(&path) };
            file.map(|file| {
                warn(&file);
                Arc::new(file) as Arc<dyn Hsm>
            })
        }
        Keys::Module(options) => {
            let pin = pin(args.pin_file.as_deref())?;
            let module =
                if make { Pkcs11::create(&options, &pin) } else { Pkcs11::open(&options, &pin) };
            module.map(|module| Arc::new(module) as Arc<dyn Hsm>)
        }
    };
    opened.map_err(|e| e.to_string())
}

/// Says loudly that keys lie in a file.
pub(crate) fn warn(file: &KeyFile) {
    let warning = file.warning();
    let line = "*".repeat(78);
    eprintln!("{line}\n{warning}\n{line}");
}

fn pin(path: Option<&Path>) -> Result<Zeroizing<String>, String> {
    let path = path.ok_or("--pin-file is missing: the PIN is not taken from the command line")?;
    let said = |why: &dyn std::fmt::Display| format!("{}: {why}", path.display());
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = std::fs::metadata(path).map_err(|e| said(&e))?.permissions().mode();
        if mode & 0o077 != 0 {
            return Err(said(&"others than its owner can read it: chmod 600"));
        }
    }
    let mut text = Zeroizing::new(std::fs::read_to_string(path).map_err(|e| said(&e))?);
    let len = text.trim_end_matches(['\r', '\n']).len();
    text.truncate(len);
    Ok(text)
}

/// The store that `--store` or `--marks` names.
pub(crate) fn store(text: &str, cluster: &Cluster) -> Result<Arc<dyn Store>, String> {
    if let Some(path) = text.strip_prefix("redb:") {
        let store = Embedded::open(Path::new(path)).map_err(|e| e.to_string())?;
        return Ok(Arc::new(store));
    }
    if text != "etcd" {
        return Err(format!("{text}: neither redb:FILE nor etcd"));
    }
    if cluster.endpoints.is_empty() {
        return Err("--endpoints is missing: the client address of every etcd member".to_owned());
    }
    let options = EtcdOptions {
        prefix: cluster.prefix.clone(),
        confirm: cluster.confirm,
        ca: cluster.etcd_ca.clone(),
        identity: cluster.etcd_certificate.clone().zip(cluster.etcd_key.clone()),
        ..EtcdOptions::new(cluster.endpoints.clone())
    };
    Etcd::open(&options).map(Etcd::shared).map_err(|e| e.to_string())
}

/// The limits on guessing.
pub(crate) fn policy(pace: &Pace) -> Policy {
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

/// An evaluator in this process.
pub(crate) fn local(
    hsm: Arc<dyn Hsm>,
    marks: Arc<dyn Store>,
    pace: &Pace,
) -> Result<Arc<dyn Evaluator>, String> {
    let local = Local::new(hsm, marks, policy(pace), system_clock()).map_err(|e| e.to_string())?;
    Ok(Arc::new(local))
}

/// The evaluator that the command line names: a process of its own, or one in this process with a
/// key file.
pub(crate) fn evaluator(reach: &Reach) -> Result<Arc<dyn Evaluator>, String> {
    if let Some(socket) = &reach.evaluator {
        #[cfg(unix)]
        return Ok(Arc::new(bulla_vaultd::evaluator::Remote::new(socket.clone())));
        #[cfg(not(unix))]
        return Err(format!("{}: an evaluator's process needs Unix sockets", socket.display()));
    }
    let (Some(text), Some(marks)) = (&reach.hsm, &reach.marks) else {
        return Err("either --evaluator, or --hsm keys:FILE with --marks".to_owned());
    };
    // In the process that talks to the network, a PIN would guard nothing.
    let Keys::File(_) = keys(text)? else {
        return Err("an HSM is reached by an evaluator's process: `bulla-vaultd evaluator`, and --evaluator"
            .to_owned());
    };
    let hsm = hsm(&HsmArgs { hsm: text.clone(), pin_file: None }, false)?;
    local(hsm, store(marks, &reach.cluster)?, &reach.pace)
}

/// The audit log in a directory.
pub(crate) fn audit(directory: &Path) -> Result<Arc<Audit>, String> {
    let said = |why: &dyn std::fmt::Display| format!("{}: {why}", directory.display());
    std::fs::create_dir_all(directory).map_err(|e| said(&e))?;
    let audit = Audit::open(&directory.join("audit.log"), &directory.join("audit.key"))
        .map_err(|e| said(&e))?;
    Ok(Arc::new(audit))
}
