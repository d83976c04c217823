//! The plaintext of an archive that is being sealed: the planned records, then the tail.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::sync::{Mutex, MutexGuard, PoisonError};

use bulla::Plan;

use crate::builder::content_reader::ContentReader;
use crate::builder::padding::padding_len;
use crate::builder::planned_entries::{PlannedEntries, PlannedEntry};
use crate::builder::progress::EntryProgress;
use crate::builder::slots::Slots;
use crate::builder::source::Source;
use crate::builder::tail::TailWriter;
use crate::format::attributes;
use crate::format::entry::{Entry, Kind};
use crate::format::notes::{Note, State};
use crate::format::record::{HEAD_LEN, Marker};

/// The plaintext of an archive, as a [`Plan`] that reads the sources while the container is being
/// sealed.
pub(crate) struct ArchivePlaintext<S> {
    entries: PlannedEntries<S>,
    /// Entry numbers, in ascending path order.
    by_path: Vec<u32>,
    skipped: Vec<Vec<u8>>,
    padded: bool,
    marker: Marker,
    /// For each entry that differs from the plan, by number: its state, and the number of bytes
    /// found.
    outcomes: Mutex<BTreeMap<u32, (State, u64)>>,
    progress: EntryProgress,
}

impl<S: Source> ArchivePlaintext<S> {
    pub(crate) fn new(
        mut entries: PlannedEntries<S>,
        by_path: Vec<u32>,
        skipped: Vec<Vec<u8>>,
        padded: bool,
        marker: Marker,
        progress: EntryProgress,
    ) -> ArchivePlaintext<S> {
        let outcomes = Mutex::new(entries.take_copied_states());
        ArchivePlaintext { entries, by_path, skipped, padded, marker, outcomes, progress }
    }

    /// Returns the number of entries.
    pub(crate) fn entries_len(&self) -> u64 {
        self.by_path.len() as u64
    }

    /// Returns a note for each entry that differs from the plan and each skipped path. The notes
    /// are complete once the planned bytes have been read.
    pub(crate) fn notes(&self) -> Vec<Note> {
        self.raw_notes(&self.outcomes())
            .map(|(path, state, found)| Note { path: path.to_vec(), state, found })
            .collect()
    }

    fn raw_notes<'l>(
        &'l self,
        outcomes: &'l BTreeMap<u32, (State, u64)>,
    ) -> impl Iterator<Item = (&'l [u8], State, u64)> + Clone {
        let of_entries = outcomes.iter().map(|(number, (state, found))| {
            (self.entries.path(&self.entries.as_slice()[*number as usize]), *state, *found)
        });
        of_entries.chain(self.skipped.iter().map(|path| (&path[..], State::SKIPPED, 0)))
    }

    fn outcomes(&self) -> MutexGuard<'_, BTreeMap<u32, (State, u64)>> {
        // The map is consistent after every step, so a panic in another thread does not matter.
        self.outcomes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Fills the slots with the record of entry `number`, starting at byte `from` of the record,
    /// until the record ends or the slots are full.
    fn fill_entry(
        &self,
        number: usize,
        entry: &PlannedEntry<S>,
        from: u64,
        slots: &mut Slots<'_, '_>,
    ) {
        let head = entry.head();
        let head_bytes = head.to_bytes(&self.marker);
        let path_and_attributes = self.entries.path_and_attributes(entry);
        let mut at = from;
        for (start, part) in [(0, &head_bytes[..]), (HEAD_LEN as u64, path_and_attributes)] {
            // `at` is before `start` only if the slots are full.
            let Some(skip) = at.checked_sub(start) else { break };
            at += slots.put(&part[skip.min(part.len() as u64) as usize..]);
        }
        let mut reader = ContentReader::new(entry, self.entries.path(entry));
        let start = head.content_start();
        let end = start + entry.len;
        while at >= start && at < end {
            let Some(buf) = slots.take(end - at) else { break };
            reader.fill(buf, at - start);
            at += buf.len() as u64;
        }
        if at == end && at > from {
            let attributes = &path_and_attributes[entry.path_len.into()..];
            let planned = attributes::decode(attributes).ok().map(|(metadata, _)| metadata);
            reader.check_end(planned.and_then(|metadata| metadata.mtime));
            self.progress.increment();
        }
        if let Some((state, found)) = reader.outcome() {
            let mut outcomes = self.outcomes();
            // Several threads may read parts of the same file. The file ends at the first byte that
            // any of them could not read.
            let outcome = outcomes.entry(number as u32).or_insert((state, found));
            *outcome = (outcome.0.with(state), outcome.1.min(found));
        }
    }

    /// Returns the index entries in ascending path order.
    fn index_entries<'l>(
        &'l self,
        outcomes: &'l BTreeMap<u32, (State, u64)>,
    ) -> impl Iterator<Item = Result<Entry, &'static str>> + 'l {
        self.by_path.iter().map(move |number| {
            let planned = &self.entries.as_slice()[*number as usize];
            let (state, len) =
                outcomes.get(number).copied().unwrap_or((State::default(), planned.len));
            let is_file = planned.kind == Kind::File;
            let offset = if is_file { planned.start + planned.head().content_start() } else { 0 };
            let path_and_attributes = self.entries.path_and_attributes(planned);
            let mut entry = Entry::new(planned.kind, 0, planned.path_len, path_and_attributes)?;
            (entry.state, entry.offset, entry.len) = (state, offset, len);
            Ok(entry)
        })
    }
}

impl<S: Source> Plan for ArchivePlaintext<S> {
    fn planned_len(&self) -> u64 {
        self.entries.end()
    }

    fn fill(&self, slots: &mut [&mut [u8]], offset: u64) -> bulla::Result<()> {
        let mut slots = Slots::new(slots);
        let mut at = offset;
        let entries = self.entries.as_slice();
        let first = entries.partition_point(|entry| entry.start <= offset).saturating_sub(1);
        for (number, entry) in entries.iter().enumerate().skip(first) {
            if slots.is_full() {
                break;
            }
            self.fill_entry(number, entry, at - entry.start, &mut slots);
            at = offset + slots.filled();
        }
        Ok(())
    }

    fn write_tail(&self, out: &mut dyn Write) -> io::Result<()> {
        let outcomes = self.outcomes();
        let start = self.entries.end();
        let mut tail = TailWriter::new(out, &self.marker, start);
        if self.padded {
            // The padding comes first, but its length depends on that of the rest of the tail.
            let mut measured = TailWriter::new(io::sink(), &self.marker, start);
            measured.write_index(self.raw_notes(&outcomes), self.index_entries(&outcomes))?;
            tail.write_padding(padding_len(measured.offset()))?;
        }
        tail.write_index(self.raw_notes(&outcomes), self.index_entries(&outcomes))
    }
}
