//! The server of Backup Key Vaults, as specified in `spec/VAULT.md`.
//!
//! | module | contents |
//! |---|---|
//! | [`record`] | the counter of an account, and the effect of a guess on it |
//! | [`store`] | storage of records: redb, or etcd |
//! | [`hsm`] | the keys that protect records: PKCS #11, or a key file for development |
//! | [`evaluator`] | the only component with access to the HSM |
//! | [`audit`] | a signed log of what was done |
//! | [`vault`] | the calls of the protocol, step by step |
//! | [`tokens`] | the tokens that name the account of a request |
//! | `server` | HTTP, rate limits and metrics; feature `server` |
//! | `oracle` | fuzzing oracles and seeds; feature `oracles` |

#![forbid(unsafe_code)]

// Modules are listed in dependency order: each imports only from those above it.
mod files;
pub mod record;
pub mod store;
pub mod hsm;
pub mod evaluator;
pub mod audit;
pub mod vault;
pub mod tokens;
#[cfg(feature = "server")]
pub mod server;
#[cfg(feature = "oracles")]
#[doc(hidden)]
pub mod oracle;
