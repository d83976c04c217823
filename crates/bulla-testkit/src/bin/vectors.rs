//! Writes the vector files to spec/vectors or another directory:
//!
//! ```text
//! cargo run -p bulla-testkit --bin vectors [DIRECTORY]
//! ```

use std::path::{Path, PathBuf};
use std::{env, fs, io};

use bulla_testkit::vectors::{JsonFiles, archive, container, envelope, vault};

fn main() -> io::Result<()> {
    let default = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../spec/vectors");
    let directory = env::args_os().nth(1).map_or(default, PathBuf::from);
    write(&directory, "", &container::generate())?;
    write(&directory, archive::DIRECTORY, &archive::generate())?;
    write(&directory, envelope::DIRECTORY, &envelope::generate())?;
    write(&directory, vault::DIRECTORY, &vault::generate())
}

/// Writes the files that changed and reports the status of every file.
fn write(root: &Path, subdirectory: &str, files: &JsonFiles) -> io::Result<()> {
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
    for entry in fs::read_dir(&directory)? {
        let name = entry?.file_name().to_string_lossy().into_owned();
        if name.ends_with(".json") && !files.contains_key(name.as_str()) {
            println!("stray     {}: not a generated file; delete it", shown(&name));
        }
    }
    Ok(())
}
