//! Seals a plan extent by extent.
//!
//! Each thread fills an extent of about 1 MiB, seals it in place, writes it to the file, and takes
//! the next one. Threads pass nothing to each other, which is why sealing a file can be faster than
//! copying it.

#[cfg(any(unix, windows))]
use std::fs::File;
use std::io::{self, Read, Write};

use zeroize::Zeroizing;

use crate::error::Result;
use crate::format::chunk::Tickets;
use crate::format::geometry::Body;
use crate::format::run::seal_run;
#[cfg(any(unix, windows))]
use crate::io::file::{OffsetWriter, SerializedWriter, check_file_len, write_all_at};
use crate::options::Options;
use crate::parallel::for_each::EXTENT_LEN;
#[cfg(any(unix, windows))]
use crate::parallel::for_each::for_each;
use crate::parallel::ordered::for_each_in_order;
use crate::sealing::plan::Plan;
use crate::sealing::sealer::Sealer;
use crate::sealing::session::{Sealed, Session};

/// Seals `plan` into a regular file: each extent is written at its offset by the thread that sealed
/// it.
#[cfg(any(unix, windows))]
pub(super) fn seal_at_offsets(
    session: Session<'_>,
    plan: &impl Plan,
    output: &File,
) -> Result<Sealed> {
    let layout = session.header.layout();
    let planned = layout.body_of_plaintext(plan.planned_len())?;
    output.set_len(layout.container_len(&planned))?;
    write_all_at(output, &session.head(), 0)?;

    let Options { workers, progress, .. } = &session.options;
    let writer = SerializedWriter::new(output);
    let extents = extents(&session, &planned)?;
    for_each(workers, *progress, extents, |buffer: &mut Zeroizing<Vec<u8>>, tickets| {
        let offset = layout.chunk_offset(tickets.first());
        let plain_len = seal_extent(&session, plan, tickets, buffer)?;
        writer.write_at(buffer, offset)?;
        Ok(plain_len)
    })?;

    let rest = OffsetWriter::new(output, layout.chunk_offset(planned.full));
    let (_, sealed) = seal_rest(session, plan, &planned, rest)?;
    check_file_len(output, sealed.container_len)?;
    Ok(sealed)
}

/// Seals `plan` into a stream: extents are sealed on all workers and written in order on this
/// thread.
pub(super) fn seal_in_order<W: Write>(
    session: Session<'_>,
    plan: &impl Plan,
    mut writer: W,
) -> Result<(W, Sealed)> {
    let planned = session.header.layout().body_of_plaintext(plan.planned_len())?;
    writer.write_all(&session.head())?;

    let Options { workers, progress, .. } = &session.options;
    for_each_in_order(
        workers,
        *progress,
        extents(&session, &planned)?,
        |buffer: &mut Zeroizing<Vec<u8>>, tickets| seal_extent(&session, plan, tickets, buffer),
        |buffer| Ok(writer.write_all(buffer)?),
    )?;
    seal_rest(session, plan, &planned, writer)
}

/// Issues the tickets for the full chunks of the planned bytes, one extent at a time.
fn extents(
    session: &Session<'_>,
    planned: &Body,
) -> Result<impl Iterator<Item = Tickets> + Send + use<>> {
    let chunks = session.header.chunk_size().chunks_in(EXTENT_LEN);
    Ok(session.cipher.tickets(planned.full)?.runs_of(chunks as u64))
}

/// Fills `buffer` with full chunks of the plan and seals them in place. The buffer is laid out like
/// the container. Returns the number of plaintext bytes.
fn seal_extent(
    session: &Session<'_>,
    plan: &impl Plan,
    tickets: Tickets,
    buffer: &mut Zeroizing<Vec<u8>>,
) -> Result<u64> {
    let chunk = session.header.chunk_size();
    let (first, chunks) = (tickets.first(), tickets.len() as usize);
    buffer.resize(chunks * chunk.sealed(), 0);
    let mut slots: Vec<&mut [u8]> =
        buffer.chunks_mut(chunk.sealed()).map(|slot| &mut slot[..chunk.bytes()]).collect();
    plan.fill(&mut slots, first << chunk.log2())?;
    // From here on, only the ciphertext may be written again, and only this thread can change the
    // buffer (F-6.1).
    let plain_len = chunks * chunk.bytes();
    seal_run(&session.cipher, tickets, chunk, plain_len, buffer);
    Ok(plain_len as u64)
}

/// Seals everything after the full chunks of the planned bytes. The remaining planned bytes share a
/// chunk with the first bytes of the tail, and that chunk is sealed only once (F-6.1).
fn seal_rest<W: Write>(
    session: Session<'_>,
    plan: &impl Plan,
    planned: &Body,
    writer: W,
) -> Result<(W, Sealed)> {
    let start = planned.full << session.header.chunk_size().log2();
    let mut sealer = Sealer::after_chunks(session, writer, start);
    sealer.copy_from(&mut PlanReader { plan, offset: start })?;
    plan.write_tail(&mut sealer)?;
    sealer.finish()
}

/// Reads the planned bytes as a stream.
struct PlanReader<'p, P> {
    plan: &'p P,
    offset: u64,
}

impl<P: Plan> Read for PlanReader<'_, P> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let left = self.plan.planned_len().saturating_sub(self.offset);
        let read = usize::try_from(left).map_or(buf.len(), |left| left.min(buf.len()));
        if read > 0 {
            self.plan.fill(&mut [&mut buf[..read]], self.offset)?;
            self.offset += read as u64;
        }
        Ok(read)
    }
}
