//! The client against an in-memory vault. The vault runs a real OPAQUE server, but has no HSM, no
//! durable store and no authentication.

#![allow(clippy::unwrap_used, reason = "a test may unwrap")]

mod server;
mod transport;
mod fixture;
mod recovering;
mod registering;
mod killed;
mod lost;
mod hostile;
mod secrets;
