//! Seals a plan into a file: positional, parallel, each extent run to completion on one thread.
//!
//! A thread fills about 1 MiB, seals it in place, writes it, and takes the next. Nothing is handed
//! over between threads; that is how sealing a file becomes faster than copying it.

use std::fs::File;
use std::io::{self, Write};

use zeroize::Zeroizing;

use crate::error::Result;
use crate::io::file::{InTurn, check_written, cut_back_on_error, write_all_at};
use crate::options::Options;
use crate::parallel::for_each::{EXTENT_LEN, for_each};
use crate::sealing::draft::{Draft, Sealed};
use crate::sealing::plan::Plan;

impl Draft<'_> {
    /// Seals a plan into `output`, which must be empty. Into a regular file, extents are filled,
    /// sealed and written on all workers; anything else is written in order.
    ///
    /// # Errors
    ///
    /// Those of the plan; as [`seal_file`](crate::seal_file) of the output. Then a regular `output`
    /// is empty again.
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

        let extents = self.cipher.tickets(planned.full)?.by(layout.chunk.per(EXTENT_LEN) as u64);
        let Options { workers, progress, .. } = &self.options;
        let in_turn = InTurn::new(output);
        for_each(workers, *progress, extents, Zeroizing::<Vec<u8>>::default, |buffer, tickets| {
            let offset = layout.chunk_offset(tickets.first());
            let plain_len = self.seal_extent(plan, tickets, buffer)?;
            in_turn.write(buffer, offset)?;
            Ok(plain_len)
        })?;

        let writer = At { file: output, offset: layout.chunk_offset(planned.full) };
        let (_, sealed) = self.seal_rest(plan, &planned, writer)?;
        check_written(output, sealed.container_len)?;
        Ok(sealed)
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
