//! The plaintext of an archive that is being sealed: each planned byte when it is asked for, then
//! the tail.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use bulla::Plan;

use crate::builder::content_reader::Reading;
use crate::builder::planned_entries::{Planned, Planning};
use crate::builder::slots::Slots;
use crate::builder::source::Source;
use crate::builder::tail;
use crate::format::attributes;
use crate::format::entry::{Entry, Kind};
use crate::format::notes::{Note, State};
use crate::format::record::{HEAD_LEN, Marker};

pub(crate) struct Log<'d, S> {
    planning: Planning<S>,
    by_path: Vec<u32>,
    marker: Marker,
    /// Of entries that are not as planned, by their number: the state, and the bytes that were
    /// found.
    outcomes: Mutex<BTreeMap<u32, (State, u64)>>,
    done: &'d AtomicU64,
}

impl<'d, S: Source> Log<'d, S> {
    pub(crate) fn new(
        mut planning: Planning<S>,
        by_path: Vec<u32>,
        marker: Marker,
        done: &'d AtomicU64,
    ) -> Log<'d, S> {
        let outcomes = Mutex::new(std::mem::take(&mut planning.carried));
        Log { planning, by_path, marker, outcomes, done }
    }

    pub(crate) fn entries_len(&self) -> u64 {
        self.planning.planned.len() as u64
    }

    /// What is not as planned.
    pub(crate) fn notes(&self) -> Vec<Note> {
        let outcomes = self.outcomes();
        let of_entries = outcomes.iter().map(|(number, (state, found))| {
            let path = self.planning.path(&self.planning.planned[*number as usize]).to_vec();
            Note { path, state: *state, found: *found }
        });
        let skipped = self.planning.skipped.iter().cloned();
        of_entries
            .chain(skipped.map(|path| Note { path, state: State::SKIPPED, found: 0 }))
            .collect()
    }

    fn outcomes(&self) -> MutexGuard<'_, BTreeMap<u32, (State, u64)>> {
        // What is shared is whole at every step.
        self.outcomes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Fills the slots with entry `number` from byte `from` of its record on, as far as either
    /// goes.
    fn fill_entry(
        &self,
        number: usize,
        planned: &Planned<S>,
        from: u64,
        slots: &mut Slots<'_, '_>,
    ) {
        let head = planned.head();
        let bytes = head.to_bytes(&self.marker);
        let mut at = from;
        for (start, part) in [(0, &bytes[..]), (HEAD_LEN as u64, self.planning.named(planned))] {
            // If it is smaller, the slots are full already.
            let Some(skip) = at.checked_sub(start) else { break };
            at += slots.put(&part[skip.min(part.len() as u64) as usize..]);
        }
        let mut reading = Reading::new(planned, self.planning.path(planned));
        let start = head.content_start();
        while at >= start && at < start + planned.len {
            let Some(room) = slots.take(start + planned.len - at) else { break };
            reading.fill(room, at - start);
            at += room.len() as u64;
        }
        if at == start + planned.len && at > from {
            reading.check_end(
                attributes::decode(&self.planning.named(planned)[planned.path_len.into()..]).ok(),
            );
            self.done.fetch_add(1, Ordering::Relaxed);
        }
        if let Some((state, found)) = reading.outcome() {
            let mut outcomes = self.outcomes();
            // Parts of one file are read by several threads: it ends at the first byte that any of
            // them missed.
            let outcome = outcomes.entry(number as u32).or_insert((state, found));
            *outcome = (outcome.0.with(state), outcome.1.min(found));
        }
    }

    /// The entries as the index has them.
    fn entries<'l>(
        &'l self,
        outcomes: &'l BTreeMap<u32, (State, u64)>,
    ) -> impl Iterator<Item = Result<Entry, &'static str>> + 'l {
        self.by_path.iter().map(move |number| {
            let planned = &self.planning.planned[*number as usize];
            let (state, len) =
                outcomes.get(number).copied().unwrap_or((State::default(), planned.len));
            let is_file = planned.kind == Kind::File;
            let offset = if is_file { planned.start + planned.head().content_start() } else { 0 };
            let mut entry =
                Entry::new(planned.kind, 0, planned.path_len, self.planning.named(planned))?;
            (entry.state, entry.offset, entry.len) = (state, offset, len);
            Ok(entry)
        })
    }
}

impl<S: Source> Plan for Log<'_, S> {
    fn planned_len(&self) -> u64 {
        self.planning.end
    }

    fn fill(&self, slots: &mut [&mut [u8]], offset: u64) -> bulla::Result<()> {
        let mut slots = Slots::new(slots);
        let mut at = offset;
        let first = self
            .planning
            .planned
            .partition_point(|planned| planned.start <= offset)
            .saturating_sub(1);
        for (number, planned) in self.planning.planned.iter().enumerate().skip(first) {
            if slots.is_full() {
                break;
            }
            self.fill_entry(number, planned, at - planned.start, &mut slots);
            at = offset + slots.filled();
        }
        Ok(())
    }

    fn write_tail(&self, out: &mut dyn Write) -> io::Result<()> {
        let outcomes = self.outcomes();
        let notes = outcomes.iter().map(|(number, (state, found))| {
            (self.planning.path(&self.planning.planned[*number as usize]), *state, *found)
        });
        let skipped = self.planning.skipped.iter().map(|path| (&path[..], State::SKIPPED, 0));
        let notes = notes.chain(skipped);
        let at = self.planning.end;
        if self.planning.padded {
            let mut counted = tail::Counted::new(io::sink(), at);
            tail::write(&mut counted, &self.marker, notes.clone(), self.entries(&outcomes))?;
            tail::write_padding(out, &self.marker, at, counted.at())?;
            let padded = at + tail::padding_len(counted.at());
            return tail::write(
                &mut tail::Counted::new(out, padded),
                &self.marker,
                notes,
                self.entries(&outcomes),
            );
        }
        tail::write(&mut tail::Counted::new(out, at), &self.marker, notes, self.entries(&outcomes))
    }
}
