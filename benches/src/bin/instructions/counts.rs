//! The instruction counts of one case.

use crate::callgrind::Function;

/// The number of instructions in one run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Counts {
    /// Instructions in Rust code. In many cases, the cipher does most of the work; this count shows
    /// the code around it.
    pub(crate) rust: u64,
    /// All instructions, including the cipher's assembly and the C library.
    pub(crate) total: u64,
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
        Counts { rust: sum(Function::is_rust), total: sum(|_| true) }
    }
}
