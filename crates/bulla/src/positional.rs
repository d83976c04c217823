//! Seals a plan into a file: positional, parallel, each extent run to completion on one thread.
//!
//! A thread fills about 1 MiB, seals it in place, writes it, and takes the next. Nothing is handed over between
//! threads; that is how sealing a file becomes faster than copying it.

use std::fs::File;
use std::io::{self, Write};

use zeroize::Zeroizing;

use crate::chunk::Tickets;
use crate::draft::{Draft, Sealed};
use crate::error::Result;
use crate::extents::{EXTENT_LEN, for_each};
use crate::options::Options;
use crate::output::{check_written, cut_back_on_error, write_all_at};
use crate::plan::{InOrder, Plan};
use crate::run::seal_run;
use crate::sealer::Sealer;

impl Draft<'_> {
    /// Seals a plan into `output`, which must be empty. Into a regular file, extents are filled, sealed and written on all
    /// workers; anything else is written in order.
    ///
    /// # Errors
    ///
    /// Those of the plan; as [`seal_file`](crate::seal_file) of the output. Then a regular `output` is empty again.
    pub fn seal_plan(self, plan: &impl Plan, output: &File) -> Result<Sealed> {
        cut_back_on_error(output, || {
            if output.metadata()?.is_file() {
                self.seal_extents(plan, output)
            } else {
                Ok(self.seal_plan_to(plan, output)?.1)
            }
        })
    }

    pub(crate) fn seal_extents(self, plan: &impl Plan, output: &File) -> Result<Sealed> {
        let layout = self.header.layout();
        let planned = layout.body_of_plaintext(plan.planned_len())?;
        output.set_len(layout.container_len(&planned))?;
        write_all_at(output, &self.head(), 0)?;

        let extents = Extents {
            tickets: self.cipher.tickets(planned.full)?,
            step: layout.chunk.per(EXTENT_LEN) as u64,
        };
        let Options { workers, progress, .. } = &self.options;
        for_each(workers, *progress, extents, Zeroizing::<Vec<u8>>::default, |buffer, tickets| {
            let (first, chunks) = (tickets.first(), tickets.len() as usize);
            buffer.resize(chunks * layout.chunk.sealed(), 0);
            let mut slots: Vec<&mut [u8]> = buffer
                .chunks_mut(layout.chunk.sealed())
                .map(|slot| &mut slot[..layout.chunk.bytes()])
                .collect();
            plan.fill(&mut slots, first << layout.chunk.log2())?;
            // From here on only the ciphertext is retried: what was read lies in a buffer of this thread's own (F-6.1).
            let plain_len = chunks * layout.chunk.bytes();
            let sealed_len = seal_run(&self.cipher, tickets, layout.chunk, plain_len, buffer);
            write_all_at(output, &buffer[..sealed_len], layout.chunk_offset(first))?;
            Ok(plain_len as u64)
        })?;

        // The chunk in which the planned bytes end goes with the tail's first bytes, and is sealed once (F-6.1).
        let start = planned.full << layout.chunk.log2();
        let writer = At { file: output, offset: layout.chunk_offset(planned.full) };
        let mut sealer = Sealer::behind(self, writer, start);
        sealer.copy_from(&mut InOrder { plan, at: start })?;
        plan.write_tail(&mut sealer)?;
        let (_, sealed) = sealer.finish()?;
        check_written(output, sealed.container_len)?;
        Ok(sealed)
    }
}

/// The tickets of full chunks, an extent's worth at a time: taking an extent is taking the right to seal it.
struct Extents {
    tickets: Tickets,
    step: u64,
}

impl Iterator for Extents {
    type Item = Tickets;

    fn next(&mut self) -> Option<Tickets> {
        (self.tickets.len() > 0).then(|| self.tickets.take_off(self.step))
    }
}

/// Writes a file from an offset on, whatever its position is.
struct At<'f> {
    file: &'f File,
    offset: u64,
}

impl Write for At<'_> {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        write_all_at(self.file, buf, self.offset)?;
        self.offset += buf.len() as u64;
        Ok(buf.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
