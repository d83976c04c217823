//! The command line.

use std::net::SocketAddr;
use std::num::NonZeroU32;
use std::path::PathBuf;

use clap::{Parser, Subcommand};

/// A server for a Backup Key Vault
#[derive(Parser)]
#[command(version, max_term_width = 100)]
pub(crate) struct Args {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Run a complete vault on loopback, for development only
    ///
    /// Keys, records and logs are created in one directory. The keys are not protected by an HSM,
    /// so never use such a vault for real backups.
    Dev(Dev),
    /// Run a server
    Serve(Serve),
    /// Run an evaluator, the only process with access to the HSM
    #[cfg(unix)]
    Evaluator(Evaluator),
    /// Generate the vault's keys in an HSM or a key file
    Init(Hsm),
    /// Sign a token as an identity service would, or print a tenants file
    Token(Token),
    /// Reseal every record under a new key, then destroy the old keys
    ///
    /// After that, copies of records that were locked or deleted earlier cannot be opened.
    Rotate(Operate),
    /// Clamp accounts after the store was restored from a backup
    ///
    /// A clamped account has no more guesses than the backup or its watermark allows.
    Clamp(Operate),
    /// Work with audit logs
    Audit {
        #[command(subcommand)]
        command: Audit,
    },
}

#[derive(clap::Args)]
pub(crate) struct Dev {
    /// Directory for keys, records and logs; created if missing
    #[arg(long, value_name = "DIR")]
    pub(crate) data: PathBuf,
    /// Address to listen on
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8470")]
    pub(crate) listen: SocketAddr,
    #[command(flatten)]
    pub(crate) pace: Pace,
    #[command(flatten)]
    pub(crate) rates: Rates,
}

#[derive(clap::Args)]
pub(crate) struct Serve {
    /// Address to listen on
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8470")]
    pub(crate) listen: SocketAddr,
    /// Tenants file: a JSON object that maps each token issuer to its Ed25519 keys in base64url
    #[arg(long, value_name = "FILE")]
    pub(crate) tenants: PathBuf,
    /// Directory for the audit log; created if missing
    #[arg(long, value_name = "DIR")]
    pub(crate) audit: PathBuf,
    /// Certificate chain in PEM; required unless the address is on loopback
    #[arg(long, value_name = "FILE", requires = "tls_key", help_heading = "TLS")]
    pub(crate) tls_certificate: Option<PathBuf>,
    /// Private key for the certificate in PEM
    #[arg(long, value_name = "FILE", requires = "tls_certificate", help_heading = "TLS")]
    pub(crate) tls_key: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) backend: Backend,
    #[command(flatten)]
    pub(crate) rates: Rates,
}

/// A server's store and evaluator.
#[derive(clap::Args)]
pub(crate) struct Backend {
    /// Record store: redb:FILE or etcd
    #[arg(long, value_name = "STORE", help_heading = "Store")]
    pub(crate) store: String,
    #[command(flatten)]
    pub(crate) cluster: Cluster,
    /// Socket that the evaluator process listens on
    #[arg(
        long,
        value_name = "SOCKET",
        conflicts_with_all = ["hsm", "watermarks"],
        help_heading = "Evaluator"
    )]
    pub(crate) evaluator: Option<PathBuf>,
    /// Key file for an in-process evaluator: keys:FILE; an HSM requires --evaluator
    #[arg(long, value_name = "HSM", requires = "watermarks", help_heading = "Evaluator")]
    pub(crate) hsm: Option<String>,
    /// Watermark store for an in-process evaluator: redb:FILE
    #[arg(long = "marks", value_name = "STORE", help_heading = "Evaluator")]
    pub(crate) watermarks: Option<String>,
    #[command(flatten)]
    pub(crate) pace: Pace,
}

/// An etcd cluster.
#[derive(clap::Args)]
#[command(next_help_heading = "etcd")]
pub(crate) struct Cluster {
    /// Client URLs of all etcd members, comma-separated
    #[arg(long, value_name = "URL", value_delimiter = ',')]
    pub(crate) endpoints: Vec<String>,
    /// Number of members that must hold a change [default: one more than a majority]
    #[arg(long, value_name = "NUMBER")]
    pub(crate) confirm: Option<usize>,
    /// Prefix for all keys
    #[arg(long, value_name = "TEXT", default_value = "/bulla-vault/")]
    pub(crate) prefix: String,
    /// CA certificate for the members in PEM
    #[arg(long, value_name = "FILE")]
    pub(crate) etcd_ca: Option<PathBuf>,
    /// Client certificate in PEM
    #[arg(long, value_name = "FILE", requires = "etcd_key", requires = "etcd_ca")]
    pub(crate) etcd_certificate: Option<PathBuf>,
    /// Private key for the client certificate in PEM
    #[arg(long, value_name = "FILE", requires = "etcd_certificate")]
    pub(crate) etcd_key: Option<PathBuf>,
}

/// Limits on guessing.
#[derive(clap::Args)]
#[command(next_help_heading = "Guesses")]
pub(crate) struct Pace {
    /// Delays after 0, 1, 2, ... guesses, comma-separated; the last one applies to all later
    /// guesses
    #[arg(long, value_name = "SECONDS", value_delimiter = ',')]
    pub(crate) delays: Vec<u64>,
    /// Time allowed to finish the last guess before another attempt locks the record
    #[arg(long, value_name = "SECONDS", default_value_t = 600)]
    pub(crate) grace: u64,
    /// Cap on failures over an account's lifetime
    #[arg(long, value_name = "NUMBER", default_value_t = 100)]
    pub(crate) lifetime_failures: u32,
}

/// Request rates.
#[derive(clap::Args)]
#[command(next_help_heading = "Rate limits")]
pub(crate) struct Rates {
    /// Requests per second from one address
    #[arg(long, value_name = "NUMBER", default_value = "20")]
    pub(crate) per_address: NonZeroU32,
    /// Requests per minute for one account
    #[arg(long, value_name = "NUMBER", default_value = "60")]
    pub(crate) per_account: NonZeroU32,
}

#[derive(clap::Args)]
#[command(next_help_heading = "HSM")]
pub(crate) struct Hsm {
    /// HSM: pkcs11:MODULE?token=LABEL, or keys:FILE for development
    #[arg(long, value_name = "HSM")]
    pub(crate) hsm: String,
    /// File with the HSM user's PIN; must be readable only by its owner
    #[arg(long, value_name = "FILE")]
    pub(crate) pin_file: Option<PathBuf>,
}

#[cfg(unix)]
#[derive(clap::Args)]
pub(crate) struct Evaluator {
    /// Socket to listen on
    #[arg(long, value_name = "SOCKET")]
    pub(crate) socket: PathBuf,
    /// Watermark store: redb:FILE, or etcd for a cluster that all evaluators share
    ///
    /// This cluster must not be the one that stores the records.
    #[arg(long = "marks", value_name = "STORE")]
    pub(crate) watermarks: String,
    #[command(flatten)]
    pub(crate) hsm: Hsm,
    #[command(flatten)]
    pub(crate) cluster: Cluster,
    #[command(flatten)]
    pub(crate) pace: Pace,
}

#[derive(clap::Args)]
pub(crate) struct Token {
    /// Issuer's private key (PKCS #8); created if missing
    #[arg(long, value_name = "FILE")]
    pub(crate) key: PathBuf,
    /// Issuer name
    #[arg(long, value_name = "NAME")]
    pub(crate) issuer: String,
    /// Token subject, which identifies the account
    #[arg(long, value_name = "NAME", required_unless_present = "tenant")]
    pub(crate) subject: Option<String>,
    /// Token lifetime
    #[arg(long, value_name = "SECONDS", default_value_t = 300)]
    pub(crate) lifetime: u64,
    /// Print a tenants file with this issuer instead of a token
    #[arg(long, conflicts_with = "subject")]
    pub(crate) tenant: bool,
}

#[derive(clap::Args)]
pub(crate) struct Operate {
    #[command(flatten)]
    pub(crate) backend: Backend,
    /// Directory for an audit log; must not be in use by a running server
    #[arg(long, value_name = "DIR")]
    pub(crate) audit: Option<PathBuf>,
    /// Longest time a server may spend on a call that began before the new key existed
    #[arg(long, value_name = "SECONDS", default_value_t = 60)]
    pub(crate) settling: u64,
}

#[derive(Subcommand)]
pub(crate) enum Audit {
    /// Verify an audit log and print its head
    Verify {
        /// Audit log
        log: PathBuf,
        /// Public key: 64 hexadecimal digits, or a file that contains them
        #[arg(long, value_name = "KEY")]
        key: String,
        /// Earlier head that the log must still contain
        #[arg(long, value_name = "HEAD")]
        head: Option<String>,
    },
}
