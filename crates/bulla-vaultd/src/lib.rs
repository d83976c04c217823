//! The server of Backup Key Vaults, specified in `spec/VAULT.md`.
//!
//! | part | is |
//! |---|---|
//! | [`record`] | the counter of an account and what a guess does to it |
//! | [`store`] | where records lie: redb, or etcd |
//! | [`hsm`] | the keys that guard them: PKCS #11, or a key file for development |
//! | [`evaluator`] | the one part that reaches the HSM |
//! | [`vault`] | the calls, step by step |
//! | [`accounts`], [`limits`] | who may ask, and how often |
//! | [`audit`] | what was done, in a signed chain |
//! | [`http`] | the protocol's HTTP side |

#![forbid(unsafe_code)]

// Floors: a module uses only those above it in this list.
mod files;
pub mod record;
pub mod store;
pub mod hsm;
pub mod evaluator;
pub mod audit;
pub mod vault;
pub mod accounts;
#[cfg(feature = "server")]
pub mod limits;
#[cfg(feature = "server")]
mod metrics;
#[cfg(feature = "server")]
pub mod http;
#[cfg(feature = "server")]
pub mod server;
#[doc(hidden)]
pub mod oracle;
