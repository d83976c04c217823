//! Sealing progress, counted in entries.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// The number of entries that have been read while an archive is being sealed.
///
/// It complements [`bulla::Progress`], which counts bytes. Clones share the counter, so another
/// thread can read it while the archive is being sealed; see
/// [`ArchiveBuilder::progress`](crate::ArchiveBuilder::progress).
#[derive(Clone, Debug, Default)]
pub struct EntryProgress(Arc<AtomicU64>);

impl EntryProgress {
    /// Returns the number of entries that have been read to their end.
    pub fn done(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }

    pub(crate) fn increment(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}
