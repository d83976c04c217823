//! The command line.

use std::net::SocketAddr;
use std::num::NonZeroU32;
use std::path::PathBuf;

use clap::{Parser, Subcommand};

/// A server of a Backup Key Vault
#[derive(Parser)]
#[command(version, max_term_width = 100)]
pub(crate) struct Args {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Start a whole vault on loopback, with everything it needs made in one directory: to try it
    /// out, never for real keys
    Dev(Dev),
    /// Start a server
    Serve(Serve),
    /// Start an evaluator: the process that alone reaches the HSM
    #[cfg(unix)]
    Evaluator(Evaluator),
    /// Make the vault's keys in an HSM or a key file
    Init(Hsm),
    /// Sign a token, as an identity service would
    Token(Token),
    /// Seal every record under a new key, then destroy the old one
    Rotate(Operate),
    /// Go on after the store was set back to an older state, without giving guesses back
    Clamp(Operate),
    /// The audit log
    Audit {
        #[command(subcommand)]
        command: Audit,
    },
}

#[derive(clap::Args)]
pub(crate) struct Dev {
    /// The directory for keys, records and logs
    #[arg(long, value_name = "DIR")]
    pub(crate) data: PathBuf,
    /// The address to listen on
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8470")]
    pub(crate) listen: SocketAddr,
    #[command(flatten)]
    pub(crate) pace: Pace,
    #[command(flatten)]
    pub(crate) rates: Rates,
}

#[derive(clap::Args)]
pub(crate) struct Serve {
    /// The address to listen on
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8470")]
    pub(crate) listen: SocketAddr,
    /// The certificate chain, in PEM: needed unless the address is on loopback
    #[arg(long, value_name = "FILE", requires = "tls_key")]
    pub(crate) tls_certificate: Option<PathBuf>,
    /// The certificate's key, in PEM
    #[arg(long, value_name = "FILE", requires = "tls_certificate")]
    pub(crate) tls_key: Option<PathBuf>,
    /// The tenants: a JSON object of token issuers, each with its Ed25519 keys in base64url
    #[arg(long, value_name = "FILE")]
    pub(crate) tenants: PathBuf,
    /// The directory for the audit log
    #[arg(long, value_name = "DIR")]
    pub(crate) audit: PathBuf,
    #[command(flatten)]
    pub(crate) reach: Reach,
    #[command(flatten)]
    pub(crate) rates: Rates,
}

/// Where records and keys are.
#[derive(clap::Args)]
pub(crate) struct Reach {
    /// Where records lie: redb:FILE, or etcd
    #[arg(long, value_name = "STORE")]
    pub(crate) store: String,
    #[command(flatten)]
    pub(crate) cluster: Cluster,
    /// The socket of the evaluator's process
    #[arg(long, value_name = "SOCKET", conflicts_with_all = ["hsm", "marks"])]
    pub(crate) evaluator: Option<PathBuf>,
    /// Without an evaluator's process: the key file, as keys:FILE. An HSM's PIN belongs into a
    /// process of its own
    #[arg(long, value_name = "HSM", requires = "marks")]
    pub(crate) hsm: Option<String>,
    /// Without an evaluator's process: where marks lie, as redb:FILE
    #[arg(long, value_name = "STORE")]
    pub(crate) marks: Option<String>,
    #[command(flatten)]
    pub(crate) pace: Pace,
}

/// An etcd cluster.
#[derive(clap::Args)]
pub(crate) struct Cluster {
    /// The client address of each etcd member, of all of them
    #[arg(long, value_name = "URL", value_delimiter = ',')]
    pub(crate) endpoints: Vec<String>,
    /// Members that must hold a change before it counts [default: one more than a majority]
    #[arg(long, value_name = "NUMBER")]
    pub(crate) confirm: Option<usize>,
    /// What the names of records begin with
    #[arg(long, value_name = "TEXT", default_value = "/bulla-vault/")]
    pub(crate) prefix: String,
    /// The certificate that signs the members', in PEM
    #[arg(long, value_name = "FILE")]
    pub(crate) etcd_ca: Option<PathBuf>,
    /// This client's certificate for etcd, in PEM
    #[arg(long, value_name = "FILE", requires = "etcd_key", requires = "etcd_ca")]
    pub(crate) etcd_certificate: Option<PathBuf>,
    /// Its key, in PEM
    #[arg(long, value_name = "FILE", requires = "etcd_certificate")]
    pub(crate) etcd_key: Option<PathBuf>,
}

/// The pace of guesses.
#[derive(clap::Args)]
pub(crate) struct Pace {
    /// Seconds between guesses, by how many were wrong; the last one holds for all further ones
    #[arg(long, value_name = "SECONDS", value_delimiter = ',')]
    pub(crate) delays: Vec<u64>,
    /// Seconds for which the last guess may still be finished before another one locks the record
    #[arg(long, value_name = "SECONDS", default_value_t = 600)]
    pub(crate) grace: u64,
    /// Failures over an account's life
    #[arg(long, value_name = "NUMBER", default_value_t = 100)]
    pub(crate) lifetime_failures: u32,
}

/// How often anybody may ask.
#[derive(clap::Args)]
pub(crate) struct Rates {
    /// Requests per second from one address
    #[arg(long, value_name = "NUMBER", default_value = "20")]
    pub(crate) per_address: NonZeroU32,
    /// Requests per minute for one account
    #[arg(long, value_name = "NUMBER", default_value = "60")]
    pub(crate) per_account: NonZeroU32,
}

#[derive(clap::Args)]
pub(crate) struct Hsm {
    /// The keys: pkcs11:MODULE?token=LABEL, or keys:FILE for development
    #[arg(long, value_name = "HSM")]
    pub(crate) hsm: String,
    /// The file with the PIN of the HSM's user; only its owner may read it
    #[arg(long, value_name = "FILE")]
    pub(crate) pin_file: Option<PathBuf>,
}

#[cfg(unix)]
#[derive(clap::Args)]
pub(crate) struct Evaluator {
    /// The socket to listen on
    #[arg(long, value_name = "SOCKET")]
    pub(crate) socket: PathBuf,
    #[command(flatten)]
    pub(crate) hsm: Hsm,
    /// Where marks lie: redb:FILE, or etcd for a cluster that all evaluators share and that is not
    /// the records'
    #[arg(long, value_name = "STORE")]
    pub(crate) marks: String,
    #[command(flatten)]
    pub(crate) cluster: Cluster,
    #[command(flatten)]
    pub(crate) pace: Pace,
}

#[derive(clap::Args)]
pub(crate) struct Token {
    /// The issuer's key: PKCS #8. It is made if there is none
    #[arg(long, value_name = "FILE")]
    pub(crate) key: PathBuf,
    /// The issuer's name
    #[arg(long, value_name = "NAME")]
    pub(crate) issuer: String,
    /// Whose account
    #[arg(long, value_name = "NAME", required_unless_present = "tenant")]
    pub(crate) subject: Option<String>,
    /// Seconds that the token lives
    #[arg(long, value_name = "SECONDS", default_value_t = 300)]
    pub(crate) lifetime: u64,
    /// Show the line for the tenants' file instead
    #[arg(long, conflicts_with = "subject")]
    pub(crate) tenant: bool,
}

#[derive(clap::Args)]
pub(crate) struct Operate {
    #[command(flatten)]
    pub(crate) reach: Reach,
    /// The directory for the audit log; not that of a server that runs
    #[arg(long, value_name = "DIR")]
    pub(crate) audit: Option<PathBuf>,
    /// Seconds that a call may take that began before the new key was there
    #[arg(long, value_name = "SECONDS", default_value_t = 60)]
    pub(crate) settling: u64,
}

#[derive(Subcommand)]
pub(crate) enum Audit {
    /// Verify a log and show its head
    Verify {
        /// The log
        log: PathBuf,
        /// The public key, 64 hexadecimal digits, or the file that holds them
        #[arg(long, value_name = "KEY")]
        key: String,
        /// A head that was shown before, which the log must still hold
        #[arg(long, value_name = "HEAD")]
        head: Option<String>,
    },
}
