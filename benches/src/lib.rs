//! Parts that the benches share: seeded data, thread pools, archives of small files, and the lower
//! bounds that measurements are compared with.

#![forbid(unsafe_code)]

pub mod units;
pub mod seeded;
pub mod threads;
pub mod limits;
pub mod minimal_container;
pub mod small_files;
