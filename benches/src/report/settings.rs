//! How much is measured: the sizes of a quick, a usual and a full run.

use crate::pairs::Effort;

/// Sizes of everything.
#[derive(Clone)]
pub(crate) struct Settings {
    /// Whether this only shows that the report works.
    pub(crate) quick: bool,
    pub(crate) effort: Effort,
    /// The effort where a ratio is asked for.
    pub(crate) decisive: Effort,
    /// Bytes of the file that commands work on.
    pub(crate) file: u64,
    /// Bytes of what is sealed in memory.
    pub(crate) memory: usize,
    /// Files in the tree, and bytes in all of them together, about.
    pub(crate) tree_files: usize,
    pub(crate) tree_bytes: u64,
    /// Bytes of a single file in an archive.
    pub(crate) large: u64,
    /// Input sizes that the growth of cost is shown over, smallest first.
    pub(crate) inputs: Vec<u64>,
    /// Numbers of entries that it is shown over.
    pub(crate) entries: Vec<u64>,
    /// Entries of the archive that one is read from.
    pub(crate) many: u64,
}

const MIB: u64 = 1 << 20;

impl Settings {
    /// What is done unless something else is asked for: less than half an hour on two cores.
    pub(crate) fn usual() -> Settings {
        Settings {
            quick: false,
            effort: Effort { rounds: 9, at_least: 3, seconds: 6.0 },
            decisive: Effort { rounds: 9, at_least: 3, seconds: 42.0 },
            file: 1024 * MIB,
            memory: 256 << 20,
            tree_files: 20_000,
            tree_bytes: 480 * MIB,
            large: 1024 * MIB,
            inputs: sizes_up_to(4096 * MIB),
            entries: (2..=6).map(|power| 10u64.pow(power)).collect(),
            many: 1_000_000,
        }
    }

    /// More of everything; more than an hour.
    pub(crate) fn full() -> Settings {
        Settings {
            effort: Effort { rounds: 9, at_least: 9, seconds: 0.0 },
            decisive: Effort { rounds: 9, at_least: 9, seconds: 0.0 },
            tree_files: 50_000,
            tree_bytes: 1200 * MIB,
            large: 4096 * MIB,
            ..Settings::usual()
        }
    }

    /// As little as shows that everything works.
    pub(crate) fn quick() -> Settings {
        Settings {
            quick: true,
            effort: Effort { rounds: 1, at_least: 1, seconds: 0.0 },
            decisive: Effort { rounds: 1, at_least: 1, seconds: 0.0 },
            file: 8 * MIB,
            memory: 4 << 20,
            tree_files: 400,
            tree_bytes: 8 * MIB,
            large: 8 * MIB,
            inputs: vec![MIB, 4 * MIB, 16 * MIB],
            entries: vec![100, 1000],
            many: 2000,
        }
    }
}

/// Input sizes that the growth of cost is shown over: 64 MiB, and its doubles.
pub(crate) fn sizes_up_to(largest: u64) -> Vec<u64> {
    let doubled = std::iter::successors(Some(64 * MIB), |size| size.checked_mul(2));
    doubled.take_while(|size| *size <= largest.max(64 * MIB)).collect()
}
