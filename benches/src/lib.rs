//! What the benches and the instruction check share: data that is the same in every run, threads,
//! and the limits that are measured beside.

#![forbid(unsafe_code)]

pub mod limits;
pub mod message;
pub mod names;
pub mod seeded;
pub mod small_files;
pub mod threads;
