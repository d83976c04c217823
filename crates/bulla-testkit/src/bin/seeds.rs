//! Writes the fuzz targets' seeds to fuzz/seeds or another directory:
//!
//! ```text
//! cargo run -p bulla-testkit --features vault --bin seeds [DIRECTORY]
//! ```

use std::path::{Path, PathBuf};
use std::{env, fs, io};

use bulla_testkit::oracles::seeds;

fn main() -> io::Result<()> {
    let default = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/seeds");
    let directory = env::args_os().nth(1).map_or(default, PathBuf::from);
    for (target, seeds) in seeds::generate() {
        let directory = directory.join(target);
        fs::create_dir_all(&directory)?;
        for (name, bytes) in &seeds {
            fs::write(directory.join(name), bytes)?;
        }
        for entry in fs::read_dir(&directory)? {
            let name = entry?.file_name().to_string_lossy().into_owned();
            if !seeds.contains_key(&name) {
                println!("stray: {target}/{name}: not a generated seed; delete it");
            }
        }
        println!(
            "{target}: {} seeds, {} bytes",
            seeds.len(),
            seeds.values().map(Vec::len).sum::<usize>()
        );
    }
    Ok(())
}
