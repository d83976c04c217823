//! The library, called as the reference is: what the testkit has of it, and whole files.

use std::fs::File;

use bulla::Key;
use bulla_testkit::reference::{ContainerError, OpenedContainer};

pub use bulla_testkit::library::*;

/// Opens from one file into another.
///
/// # Panics
///
/// If there can be no temporary files, or one that is left after an error is not empty.
pub fn open_file(
    container: &[u8],
    key: &[u8; 32],
    context: Option<&[u8]>,
) -> Result<OpenedContainer, ContainerError> {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let (from, to) = (directory.path().join("sealed"), directory.path().join("opened"));
    std::fs::write(&from, container).expect("writes a file");
    let output = File::create(&to).expect("creates a file");
    let input = File::open(&from).expect("opens a file");
    let opened = bulla::open_file(&Key::from_bytes(key), &input, &output, &options(context));
    let plaintext = std::fs::read(&to).expect("reads a file");
    assert!(
        opened.is_ok() || plaintext.is_empty(),
        "{opened:?}, but {} bytes are left",
        plaintext.len()
    );
    opened.map(|opened| opened_container(plaintext, opened.header_state)).map_err(container_error)
}
