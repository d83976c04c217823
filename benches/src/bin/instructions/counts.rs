//! The counts of one case.

use crate::callgrind::Function;

/// Instructions of one run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Counts {
    /// Those of code in Rust. Where the cipher does most of the work, these alone show what
    /// surrounds it.
    pub(crate) own: u64,
    /// Those and the cipher's and the C library's.
    pub(crate) all: u64,
}

impl Counts {
    pub(crate) fn of(functions: &[Function]) -> Counts {
        let sum = |counted: fn(&Function) -> bool| {
            functions
                .iter()
                .filter(|function| counted(function))
                .map(|function| function.instructions)
                .sum()
        };
        Counts { own: sum(Function::is_own), all: sum(|_| true) }
    }
}
