//! Writes the vectors' files: `cargo run -p bulla-testkit --bin vectors [DIRECTORY]`, spec/vectors by default.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::{env, fs, io};

use bulla_testkit::vectors::generate;

fn main() -> io::Result<()> {
    let by_default = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../spec/vectors");
    let directory = env::args_os().nth(1).map_or(by_default, PathBuf::from);
    fs::create_dir_all(&directory)?;
    let files = generate();
    for (name, json) in &files {
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
        println!("{change:9} {name}");
    }
    let names: BTreeSet<_> = files.into_keys().collect();
    for entry in fs::read_dir(&directory)? {
        let name = entry?.file_name().to_string_lossy().into_owned();
        if name.ends_with(".json") && !names.contains(name.as_str()) {
            println!("stray     {name}: no vector file has this name, so delete it");
        }
    }
    Ok(())
}
