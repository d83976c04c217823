//! A server for Backup Key Vaults, as specified in `spec/VAULT.md`.
//!
//! | module | contents |
//! |---|---|
//! | [`record`] | an account's counter, and how a guess changes it |
//! | [`store`] | record storage: redb or etcd |
//! | [`hsm`] | the keys that protect records: PKCS #11, or a key file for development |
//! | [`evaluator`] | the only component with access to the HSM |
//! | [`audit`] | a signed log of events |
//! | [`vault`] | the protocol's calls, step by step |
//! | [`tokens`] | the tokens that identify a request's account |
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
