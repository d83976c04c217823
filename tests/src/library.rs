//! Wraps the library in the interface of the reference implementation, and adds a function for
//! whole files.

use std::fs::File;

use bulla::Key;
use bulla_testkit::reference::{ContainerError, OpenedContainer};

pub use bulla_testkit::library::*;

/// Opens a container from one file into another.
///
/// # Panics
///
/// Panics if a temporary file cannot be used, or if opening fails and the output is not empty.
pub fn open_file(
    container: &[u8],
    key: &[u8; 32],
    context: Option<&[u8]>,
) -> Result<OpenedContainer, ContainerError> {
    let directory = tempfile::tempdir().expect("cannot create a temporary directory");
    let (from, to) = (directory.path().join("sealed"), directory.path().join("opened"));
    std::fs::write(&from, container).expect("cannot write a file");
    let output = File::create(&to).expect("cannot create a file");
    let input = File::open(&from).expect("cannot open a file");
    let opened = bulla::open_file(&Key::from_bytes(key), &input, &output, &options(context));
    let plaintext = std::fs::read(&to).expect("cannot read a file");
    assert!(
        opened.is_ok() || plaintext.is_empty(),
        "{opened:?}, but the output has {} bytes",
        plaintext.len()
    );
    opened.map(|opened| opened_container(plaintext, opened.header_state)).map_err(container_error)
}
