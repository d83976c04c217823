//! Opens archives, for the commands that read them.

use std::fs::File;
use std::path::Path;

use bulla::{ContentType, HeaderState, Options, Preamble};
use bulla_archive::{ArchiveReader, Error};

use super::{SEAL_ANEW, first_of, read_preamble, warn_of_copies};
use crate::args;
use crate::error::{Exit, Failure};
use crate::io::input::Input;
use crate::keys::source::KeySource;
use crate::keys::unlock::{Unlocked, unlock};

/// The key to an archive, and where both came from.
pub(super) struct Archive {
    pub(super) input: Input,
    pub(super) source: KeySource,
    pub(super) preamble: Preamble,
    pub(super) unlocked: Unlocked,
}

impl Archive {
    /// Opens the file, and reads the key. Before the key is asked for: what is no archive needs
    /// none.
    pub(super) fn open(path: &Path, key: &args::Key) -> Result<Archive, Failure> {
        let mut input = Input::open(Some(path))?;
        let source = KeySource::of_opening(key)?;
        let preamble = read_preamble(&mut input)
            .map_err(|e| Failure::of_work(&e, &input.name, &input.name))?;
        let content_type = preamble.header().content_type();
        if content_type != ContentType::ARCHIVE {
            let error = Error::NotAnArchive { content_type: content_type.0 };
            return Err(Failure::of_archive(&error, &input.name, &input.name));
        }
        if preamble.header_state().is_none() {
            let text = "an archive is read here and there, which a pipe does not allow; put it into a file first";
            return Err(Failure::usage(input.name, text));
        }
        let unlocked = unlock(&preamble, &input.name, &source, key)?;
        Ok(Archive { input, source, preamble, unlocked })
    }

    pub(super) fn reader<'a>(
        &self,
        options: &Options<'a>,
    ) -> Result<ArchiveReader<'a, &File>, Failure> {
        let preamble = self.preamble.clone();
        ArchiveReader::with_preamble(preamble, self.unlocked.key(), &self.input.file, options)
            .map_err(|e| self.failure(&e, &self.input.name))
    }

    /// Warns of what is not as it should be about the container, though it opened.
    pub(super) fn warn(&self, copies: HeaderState) -> Exit {
        let name = &self.input.name;
        first_of([warn_of_copies(name, copies, SEAL_ANEW), self.unlocked.warn(name)])
    }

    /// Reading the archive, or writing what was read to `output`, failed.
    pub(super) fn failure(&self, error: &Error, output: &str) -> Failure {
        let failure = Failure::of_archive(error, &self.input.name, output);
        match failure.exit {
            Exit::Damaged => {
                failure.and("if there is no other copy, `bulla salvage` restores what is left")
            }
            _ => failure,
        }
    }
}
