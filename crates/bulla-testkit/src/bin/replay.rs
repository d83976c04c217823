//! Runs an oracle on files. Unlike the fuzz targets, it needs no nightly toolchain:
//!
//! ```text
//! cargo run -p bulla-testkit --features vault --bin replay TARGET FILE...
//! ```
//!
//! It panics where the fuzz target would.

use std::{env, fs, io};

use bulla_testkit::oracles::ALL;

fn main() -> io::Result<()> {
    let mut arguments = env::args().skip(1);
    let target = arguments.next().unwrap_or_default();
    let Some((_, oracle)) = ALL.iter().find(|(name, _)| *name == target) else {
        let names: Vec<_> = ALL.iter().map(|(name, _)| *name).collect();
        return Err(io::Error::other(format!(
            "unknown target '{target}'; use one of: {}",
            names.join(", ")
        )));
    };
    for path in arguments {
        eprintln!("{path}");
        oracle(&fs::read(path)?);
    }
    Ok(())
}
