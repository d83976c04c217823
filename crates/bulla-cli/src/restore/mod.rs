//! Restores entries below a target directory.
//!
//! | module | subject |
//! |---|---|
//! | `directory` | one open directory, in which files are created and renamed; no path leaves it |
//! | `directories` | the tree of directories below the target |
//! | `temporary` | temporary files, which get their final names when they are complete |
//! | `restorer` | directories, links and files with their attributes |
//! | `conflicts` | existing files that the entries to restore would replace |
//! | `writer` | the contents of files, which arrive in pieces from several threads |

pub(crate) mod directory;
pub(crate) mod directories;
pub(crate) mod temporary;
pub(crate) mod restorer;
pub(crate) mod conflicts;
pub(crate) mod writer;
