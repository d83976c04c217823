//! The subcommands.

pub(crate) mod audit;
#[cfg(unix)]
pub(crate) mod evaluator;
pub(crate) mod init;
pub(crate) mod operate;
pub(crate) mod serve;
pub(crate) mod token;
