//! Opens archives, for the commands that read them.

use std::fs::File;
use std::path::Path;

use bulla::{ContentType, HeaderState, Options, Preamble};
use bulla_archive::{ArchiveReader, Error};

use super::container::read_preamble;
use super::warnings::{REENCRYPT, first_of, warn_of_header_state};
use crate::args::options::KeyArgs;
use crate::error::{Exit, Failure};
use crate::io::input::Input;
use crate::keys::source::KeySource;
use crate::keys::unlock::{UnlockedContainer, unlock};
use crate::process::workers::WorkerPool;

/// The problem with an archive that is read from a pipe, and the remedy.
pub(crate) const NOT_SEEKABLE: &str =
    "cannot read an archive from a pipe; write it to a file first";

/// An archive and its key.
pub(crate) struct Archive {
    pub(crate) input: Input,
    pub(crate) source: KeySource,
    preamble: Preamble,
    unlocked: UnlockedContainer,
}

impl Archive {
    /// Opens an archive and reads its key. Other files are rejected before prompting for a key.
    pub(crate) fn open(path: &Path, key: &KeyArgs, pool: &WorkerPool) -> Result<Archive, Failure> {
        let mut input = Input::open(Some(path))?;
        let source = KeySource::for_unlocking(key)?;
        let preamble = read_preamble(&mut input)?;
        let content_type = preamble.header().content_type();
        if content_type != ContentType::ARCHIVE {
            let error = Error::NotAnArchive { content_type: content_type.0 };
            return Err(Failure::archive(&error, &input.name, &input.name));
        }
        if preamble.header_state().is_none() {
            return Err(Failure::usage(input.name, NOT_SEEKABLE));
        }
        let unlocked = unlock(&preamble, &input.name, &source, key, pool)?;
        Ok(Archive { input, source, preamble, unlocked })
    }

    pub(crate) fn reader<'a>(
        &self,
        options: &Options<'a>,
    ) -> Result<ArchiveReader<'a, &File>, Failure> {
        let preamble = self.preamble.clone();
        ArchiveReader::with_preamble(preamble, self.unlocked.key(), &self.input.file, options)
            .map_err(|e| self.failure(&e, &self.input.name))
    }

    /// Warns about a damaged container that could still be opened.
    pub(crate) fn warn(&self, state: HeaderState) -> Exit {
        let name = &self.input.name;
        first_of([warn_of_header_state(name, state, REENCRYPT), self.unlocked.warn(name)])
    }

    /// Creates the failure for an error while reading the archive or writing to `output`.
    pub(crate) fn failure(&self, error: &Error, output: &str) -> Failure {
        suggest_salvage(Failure::archive(error, &self.input.name, output), error)
    }
}

/// Suggests `bulla salvage` as the remedy for a damaged archive.
pub(crate) fn suggest_salvage(failure: Failure, error: &Error) -> Failure {
    match error {
        // Nothing is lost in this case, and the failure already has a better remedy.
        Error::Container(bulla::Error::TrailingData { .. }) => failure,
        _ if failure.exit == Exit::Damaged => {
            failure.with_remedy("use `bulla salvage` to restore what is left")
        }
        _ => failure,
    }
}
