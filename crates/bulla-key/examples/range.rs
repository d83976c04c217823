//! Writes a byte range of a container's plaintext to standard output, reading only the chunks that
//! contain it:
//!
//! ```text
//! cargo run --release -p bulla-key --example range -- KEYFILE CONTAINER START END > part
//! ```

use std::error::Error;
use std::fs::{self, File};
use std::io::{self, Write};

use bulla::{Options, RangeReader};
use bulla_key::key_text;
use zeroize::Zeroizing;

fn main() -> Result<(), Box<dyn Error>> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let [key_file, container, start, end] = &args[..] else {
        return Err("usage: range KEYFILE CONTAINER START END".into());
    };
    let key = key_text::parse(&Zeroizing::new(fs::read_to_string(key_file)?))?;
    let reader = RangeReader::new(&key, File::open(container)?, &Options::new())?;
    let plaintext = reader.range(start.parse()?..end.parse()?)?;
    io::stdout().write_all(&plaintext)?;
    Ok(())
}
