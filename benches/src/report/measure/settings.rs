//! How much a quick, a default and a full run measure.

use crate::measure::alternate::Effort;

/// The sizes and repetitions of a run.
#[derive(Clone)]
pub(crate) struct Settings {
    /// Whether the run only tests that the report works.
    pub(crate) quick: bool,
    /// The effort of comparisons without a target.
    pub(crate) effort: Effort,
    /// The effort of comparisons with a target.
    pub(crate) target_effort: Effort,
    /// Bytes in the file that commands seal and open.
    pub(crate) file: u64,
    /// Bytes that are sealed in memory.
    pub(crate) memory: usize,
    /// Files in the directory tree.
    pub(crate) tree_files: usize,
    /// The approximate total number of bytes in the tree.
    pub(crate) tree_bytes: u64,
    /// Bytes in the file that is an archive's only entry.
    pub(crate) large: u64,
    /// Input sizes of the scaling measurements in bytes, smallest first.
    pub(crate) inputs: Vec<u64>,
    /// Entry counts of the scaling measurements.
    pub(crate) entries: Vec<u64>,
    /// Files in the archive from which one entry is read.
    pub(crate) million: u64,
}

const MIB: u64 = 1 << 20;

impl Settings {
    /// Returns the default settings. A run takes less than half an hour on two cores.
    pub(crate) fn usual() -> Settings {
        Settings {
            quick: false,
            effort: Effort { max_rounds: 9, min_rounds: 3, max_seconds: 6.0 },
            target_effort: Effort { max_rounds: 9, min_rounds: 3, max_seconds: 42.0 },
            file: 1024 * MIB,
            memory: 256 << 20,
            tree_files: 20_000,
            tree_bytes: 480 * MIB,
            large: 1024 * MIB,
            inputs: sizes_up_to(4096 * MIB),
            entries: (2..=6).map(|power| 10u64.pow(power)).collect(),
            million: 1_000_000,
        }
    }

    /// Returns settings with more rounds and larger inputs. A run takes more than an hour.
    pub(crate) fn full() -> Settings {
        let effort = Effort { max_rounds: 9, min_rounds: 9, max_seconds: 0.0 };
        Settings {
            effort,
            target_effort: effort,
            tree_files: 50_000,
            tree_bytes: 1200 * MIB,
            large: 4096 * MIB,
            ..Settings::usual()
        }
    }

    /// Returns the smallest settings that exercise every comparison.
    pub(crate) fn quick() -> Settings {
        let effort = Effort { max_rounds: 1, min_rounds: 1, max_seconds: 0.0 };
        Settings {
            quick: true,
            effort,
            target_effort: effort,
            file: 8 * MIB,
            memory: 4 << 20,
            tree_files: 400,
            tree_bytes: 8 * MIB,
            large: 8 * MIB,
            inputs: vec![MIB, 4 * MIB, 16 * MIB],
            entries: vec![100, 1000],
            million: 2000,
        }
    }
}

/// Returns 64 MiB and its repeated doublings up to `largest`, in bytes.
pub(crate) fn sizes_up_to(largest: u64) -> Vec<u64> {
    let doubled = std::iter::successors(Some(64 * MIB), |size| size.checked_mul(2));
    doubled.take_while(|size| *size <= largest.max(64 * MIB)).collect()
}
