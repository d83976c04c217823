//! Seals into files.

use std::fs::File;

use crate::crypto::key::Key;
use crate::error::Result;
use crate::io::file::{known_len, truncate_on_error};
use crate::io::read_at::read_full_at;
use crate::options::Options;
use crate::sealing::extents::{seal_at_offsets, seal_in_order};
use crate::sealing::plan::{Plan, WholeFile};
use crate::sealing::sealer::Sealer;
use crate::sealing::session::{Sealed, Session};

/// Seals all of `input` into `output`.
///
/// `output` must be empty and, if it is a regular file, not open in append mode. Write to a
/// temporary file, then sync and rename it once this function has returned `Ok`, so that the final
/// name never refers to an incomplete container.
///
/// If both are regular files, all workers read, seal and write extents in parallel. A regular
/// `input` is read from its beginning, regardless of its current position. A pipe, a device, or a
/// file that reports no length, such as those in `/proc`, is read through a [`Sealer`] from its
/// current position.
///
/// The length of a regular `input` is read when sealing starts. If the file grows afterwards, the
/// added bytes are not sealed, and [`Sealed::source_grew`] is set.
///
/// # Errors
///
/// Returns [`Error::SourceShrank`], [`Error::TooLarge`], [`Error::NoRandomness`],
/// [`Error::Cancelled`], [`Error::EnvelopeLength`] or [`Error::Io`]. On an error, a regular
/// `output` is truncated to zero bytes.
///
/// [`Error::SourceShrank`]: crate::Error::SourceShrank
/// [`Error::TooLarge`]: crate::Error::TooLarge
/// [`Error::NoRandomness`]: crate::Error::NoRandomness
/// [`Error::Cancelled`]: crate::Error::Cancelled
/// [`Error::EnvelopeLength`]: crate::Error::EnvelopeLength
/// [`Error::Io`]: crate::Error::Io
///
/// ```
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use bulla::{Key, Options};
/// # let directory = tempfile::tempdir()?;
/// # let target = directory.path().join("notes.bulla");
/// # let source = directory.path().join("notes.txt");
/// # std::fs::write(&source, "remember the clay")?;
/// let key = Key::generate()?;
/// let input = std::fs::File::open(&source)?;
/// let output = tempfile::NamedTempFile::new_in(directory.path())?;
/// bulla::seal_file(&key, &input, output.as_file(), &Options::new())?;
/// output.as_file().sync_all()?;
/// output.persist_noclobber(&target)?;
/// # Ok(()) }
/// ```
pub fn seal_file(key: &Key, input: &File, output: &File, options: &Options<'_>) -> Result<Sealed> {
    seal_session(Session::new(key, options)?, input, output)
}

pub(super) fn seal_session(
    session: Session<'_>,
    mut input: &File,
    output: &File,
) -> Result<Sealed> {
    truncate_on_error(output, || {
        let Some(len) = known_len(input)? else {
            let mut sealer = Sealer::start(session, output)?;
            sealer.copy_from(&mut input)?;
            return Ok(sealer.finish()?.1);
        };
        let sealed = write_plan(session, &WholeFile { file: input, len }, output)?;
        let source_grew = read_full_at(input, &mut [0], len)? > 0;
        Ok(Sealed { source_grew, ..sealed })
    })
}

pub(super) fn seal_session_plan(
    session: Session<'_>,
    plan: &impl Plan,
    output: &File,
) -> Result<Sealed> {
    truncate_on_error(output, || write_plan(session, plan, output))
}

fn write_plan(session: Session<'_>, plan: &impl Plan, output: &File) -> Result<Sealed> {
    if output.metadata()?.is_file() {
        seal_at_offsets(session, plan, output)
    } else {
        Ok(seal_in_order(session, plan, output)?.1)
    }
}
