//! Opens containers, for the commands that read them.

use std::fs::File;
use std::io::{Seek, SeekFrom};
use std::path::{Path, PathBuf};

use bulla::{Key, Opener, Options, Preamble};

use crate::error::Failure;
use crate::io::input::Input;

/// Reads the public part of a container. [`Preamble::header_state`] is known if the input can be
/// read at any offset.
pub(crate) fn read_preamble(input: &mut Input) -> Result<Preamble, Failure> {
    let preamble = match input.positional_len() {
        Some(_) => Preamble::read_at(&input.file),
        None => Preamble::read(&mut input.file),
    };
    preamble.map_err(|e| Failure::container(&e, &input.name, &input.name))
}

/// Creates an opener that reads the container sequentially.
pub(crate) fn opener<'a, 'i>(
    preamble: Preamble,
    key: &Key,
    input: &'i Input,
    options: &Options<'a>,
) -> bulla::Result<Opener<'a, &'i File>> {
    let mut file = &input.file;
    if preamble.header_state().is_some() {
        // Reading the preamble at an offset did not move the position.
        file.seek(SeekFrom::Start(preamble.header().body_offset()))?;
    }
    Opener::with_preamble(preamble, key, file, options)
}

/// Returns the length of the plaintext for a progress bar, if it is known.
pub(crate) fn plaintext_len(preamble: &Preamble, input: &Input) -> Option<u64> {
    preamble.header().plaintext_len(input.len()?)
}

/// Returns the default output of `bulla open`: the path of the container without `.bulla`.
pub(crate) fn default_output(container: &Path) -> Option<PathBuf> {
    let is_bulla = container.extension().is_some_and(|extension| extension == "bulla");
    is_bulla.then(|| container.with_extension(""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn default_output_is_the_path_without_the_extension() {
        for (container, output) in [
            ("photo.jpg.bulla", Some("photo.jpg")),
            ("directory.bulla/x.bulla", Some("directory.bulla/x")),
            ("photo.jpg", None),
            (".bulla", None),
            ("x.bulla.bak", None),
        ] {
            assert_eq!(
                default_output(Path::new(container)),
                output.map(PathBuf::from),
                "{container}"
            );
        }
    }
}
