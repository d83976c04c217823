//! What the reference reports of an archive.

use crate::reference;

/// What is wrong with an archive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The container does not open, or not there.
    Container(reference::Fault),
    /// *content* is another.
    NotAnArchive,
    /// Something does not hold, at this offset or in what begins there.
    Malformed {
        /// Offset in the plaintext.
        at: u64,
        /// What does not hold.
        what: &'static str,
    },
    /// A kind or an encoding that this page does not know.
    Unsupported,
    /// A container given for a row is another than the row's.
    WrongContainer,
}

impl Fault {
    /// The error's name in the vectors.
    pub fn name(self) -> &'static str {
        match self {
            Fault::Container(fault) => fault.name(),
            Fault::NotAnArchive => "not_an_archive",
            Fault::Malformed { .. } => "malformed",
            Fault::Unsupported => "unsupported",
            Fault::WrongContainer => "wrong_container",
        }
    }
}

impl From<reference::Fault> for Fault {
    fn from(fault: reference::Fault) -> Fault {
        Fault::Container(fault)
    }
}

pub(super) fn hold(condition: bool, at: u64, what: &'static str) -> Result<(), Fault> {
    if condition { Ok(()) } else { Err(Fault::Malformed { at, what }) }
}
