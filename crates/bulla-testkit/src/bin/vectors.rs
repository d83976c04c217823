//! Writes the vectors' files: `cargo run -p bulla-testkit --bin vectors [DIRECTORY]`, spec/vectors
//! by default.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::{env, fs, io};

use bulla_testkit::vectors::{archive, envelopes, generate, vault};

fn main() -> io::Result<()> {
    let by_default = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../spec/vectors");
    let directory = env::args_os().nth(1).map_or(by_default, PathBuf::from);
    write(&directory, "", &generate())?;
    write(&directory, archive::DIRECTORY, &archive::generate())?;
    write(&directory, envelopes::DIRECTORY, &envelopes::generate())?;
    write(&directory, vault::DIRECTORY, &vault::generate())
}

/// Writes what changed, and says so.
fn write(root: &Path, subdirectory: &str, files: &BTreeMap<&str, String>) -> io::Result<()> {
    let directory = root.join(subdirectory);
    fs::create_dir_all(&directory)?;
    let shown = |name: &str| Path::new(subdirectory).join(name).display().to_string();
    for (name, json) in files {
        let path = directory.join(name);
        let change = match fs::read(&path) {
            Ok(before) if before == json.as_bytes() => "unchanged",
            Ok(_) => "changed",
            Err(error) if error.kind() == io::ErrorKind::NotFound => "new",
            Err(error) => return Err(error),
        };
        if change != "unchanged" {
            fs::write(&path, json)?;
        }
        println!("{change:9} {}", shown(name));
    }
    let names: BTreeSet<_> = files.keys().copied().collect();
    for entry in fs::read_dir(&directory)? {
        let name = entry?.file_name().to_string_lossy().into_owned();
        if name.ends_with(".json") && !names.contains(name.as_str()) {
            println!("stray     {}: no vector file has this name, so delete it", shown(&name));
        }
    }
    Ok(())
}
