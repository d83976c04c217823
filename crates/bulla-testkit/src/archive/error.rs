//! The errors that the reference reports.

use crate::reference;

/// An error of ARCHIVE.md.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ArchiveError {
    /// The container does not open, or one of its chunks is damaged.
    Container(reference::ContainerError),
    /// The header's *content* field does not identify an archive.
    NotAnArchive,
    /// The archive violates a rule of ARCHIVE.md.
    Malformed {
        /// The plaintext offset of the violation, or of the structure that contains it.
        at: u64,
        /// The violated rule.
        what: &'static str,
    },
    /// A kind or an encoding that ARCHIVE.md does not define.
    Unsupported,
    /// The container supplied for a row is not the one that the row names.
    WrongContainer,
}

impl ArchiveError {
    /// Returns the name that the vectors use for the error.
    pub fn name(self) -> &'static str {
        match self {
            ArchiveError::Container(fault) => fault.name(),
            ArchiveError::NotAnArchive => "not_an_archive",
            ArchiveError::Malformed { .. } => "malformed",
            ArchiveError::Unsupported => "unsupported",
            ArchiveError::WrongContainer => "wrong_container",
        }
    }
}

impl From<reference::ContainerError> for ArchiveError {
    fn from(fault: reference::ContainerError) -> ArchiveError {
        ArchiveError::Container(fault)
    }
}

/// Returns [`ArchiveError::Malformed`] unless `condition` holds.
pub(super) fn ensure(condition: bool, at: u64, what: &'static str) -> Result<(), ArchiveError> {
    if condition { Ok(()) } else { Err(ArchiveError::Malformed { at, what }) }
}
