//! The client against a vault in memory: a real server of OPAQUE, without what makes a vault of it.

#![allow(clippy::unwrap_used, reason = "a test may unwrap")]

mod server;
mod wire;
mod sample;
mod recovering;
mod registering;
mod killed;
mod lost;
mod hostile;
mod secrets;
