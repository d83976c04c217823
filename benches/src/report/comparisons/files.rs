//! Commands on a single file: from file to file with and without sync, through pipes, and to
//! /dev/null.

use std::io;
use std::path::Path;

use crate::comparisons::peers::{PROGRAMS, Program};
use crate::measure::results::{Results, Table};
use crate::measure::scratch::{Availability, Comparison, Scratch, bulla, failed};
use crate::measure::settings::Settings;

/// Lower bounds for any command that writes a file, and for any that also syncs it.
pub(crate) const BOUNDS: [&str; 2] = ["plain write from memory", "dd with O_DIRECT"];

/// The input, the peers and the commands of all comparisons in this module.
struct Files {
    scratch: Scratch,
    programs: [(Program, Availability); PROGRAMS.len()],
    /// Bulla's commands, without the input and the output.
    seal: String,
    open: String,
    bytes: u64,
}

/// Adds a row for each pair of commands.
pub(crate) fn compare(results: &mut Results, parent: &Path, settings: &Settings) -> io::Result<()> {
    let scratch = Scratch::new(parent, settings, settings.file)?;
    scratch.create_random("plain", settings.file)?;
    let bulla = bulla()?;
    let files = Files {
        programs: PROGRAMS.map(|program| {
            let available = program.prepare(&scratch);
            (program, available)
        }),
        scratch,
        seal: format!("{bulla} seal -q -k key"),
        open: format!("{bulla} open -q -k key"),
        bytes: settings.file,
    };
    files.scratch.shell(&format!("{} plain -o sealed", files.seal))?;
    files.compare_seal(results)?;
    files.compare_open(results)?;
    files.compare_synced(results)?;
    files.compare_pipe(results)?;
    files.compare_dev_null(results)
}

impl Files {
    fn compare_seal(&self, results: &mut Results) -> io::Result<()> {
        let ours = format!("{} --no-sync plain -o out1", self.seal);
        let row = |peer, theirs| Comparison::new(Table::Seal, "seal a file", peer, &ours, theirs);
        self.scratch.compare(results, &row("cp", "cp plain out2").target(Some(0.80)))?;
        self.scratch.compare(results, &row("cat", "cat plain > out2"))?;
        let write =
            format!("{} probe write out2 {}", std::env::current_exe()?.display(), self.bytes);
        self.scratch.compare(results, &row(BOUNDS[0], &write))?;
        for (program, available) in &self.programs {
            let theirs = seal_command(program, "out2");
            let row = Comparison::new(Table::Seal, "seal a file", program.name, &ours, &theirs);
            self.scratch
                .compare(results, &row.if_available(available.clone()).target(program.target))?;
        }
        Ok(())
    }

    fn compare_open(&self, results: &mut Results) -> io::Result<()> {
        let ours = format!("{} --no-sync sealed -o out1", self.open);
        let copy = Comparison::new(Table::Open, "open a file", "cp", &ours, "cp plain out2")
            .target(Some(0.85));
        self.scratch.compare(results, &copy)?;
        for (program, available) in &self.programs {
            let theirs = program.open.replace("IN", "theirs").replace("OUT", "out2");
            let row = Comparison::new(Table::Open, "open a file", program.name, &ours, &theirs);
            let available = self.sealed_by(program, available);
            self.scratch.compare(results, &row.if_available(available).target(program.target))?;
            self.scratch.remove("theirs");
        }
        Ok(())
    }

    fn compare_synced(&self, results: &mut Results) -> io::Result<()> {
        let seal = format!("{} plain -o out1", self.seal);
        let open = format!("{} sealed -o out1", self.open);
        let copy = "cp plain out2 && sync out2";
        for (operation, ours) in [("seal a file, synced", &seal), ("open a file, synced", &open)] {
            let row = Comparison::new(Table::Synced, operation, "cp + sync", ours, copy);
            self.scratch.compare(results, &row.target(Some(0.70)))?;
        }
        let disk = format!("dd if=/dev/zero of=out2 bs=1M count={} oflag=direct", self.bytes >> 20);
        let direct = Comparison::new(Table::Synced, "seal a file, synced", BOUNDS[1], &seal, &disk);
        self.scratch.compare(results, &direct)?;
        for (program, available) in
            self.programs.iter().filter(|(program, _)| program.name == "age")
        {
            let theirs = format!("{} && sync out2", seal_command(program, "out2"));
            let row =
                Comparison::new(Table::Synced, "seal a file, synced", "age + sync", &seal, &theirs);
            self.scratch.compare(results, &row.if_available(available.clone()))?;
        }
        Ok(())
    }

    /// Compares commands in a pipeline between two other programs, as in a network transfer.
    fn compare_pipe(&self, results: &mut Results) -> io::Result<()> {
        let through =
            |from: &str, command: &str| format!("cat {from} | {command} | cat > /dev/null");
        let seal = through("plain", &self.seal);
        let open = through("sealed", &self.open);
        for (operation, ours, from) in
            [("seal through a pipe", &seal, "plain"), ("open through a pipe", &open, "sealed")]
        {
            let theirs = through(from, "cat");
            let row = Comparison::new(Table::Pipe, operation, "cat", ours, &theirs);
            self.scratch.compare(results, &row.target(Some(1.15)))?;
        }
        for (program, available) in &self.programs {
            let Some((their_seal, their_open)) = program.pipe else { continue };
            let theirs = through("plain", their_seal);
            let row =
                Comparison::new(Table::Pipe, "seal through a pipe", program.name, &seal, &theirs);
            self.scratch.compare(results, &row.if_available(available.clone()))?;
            // Opening with every program would add minutes but no information.
            if program.name == "age" {
                let theirs = through("theirs", their_open);
                let row = Comparison::new(
                    Table::Pipe,
                    "open through a pipe",
                    program.name,
                    &open,
                    &theirs,
                );
                self.scratch
                    .compare(results, &row.if_available(self.sealed_by(program, available)))?;
                self.scratch.remove("theirs");
            }
        }
        Ok(())
    }

    /// Compares commands that write to /dev/null.
    fn compare_dev_null(&self, results: &mut Results) -> io::Result<()> {
        let ours = format!("{} plain -o /dev/null", self.seal);
        for (program, available) in &self.programs {
            let Some((theirs, _)) = program.pipe else { continue };
            let theirs = format!("{theirs} < plain > /dev/null");
            let row =
                Comparison::new(Table::DevNull, "seal to /dev/null", program.name, &ours, &theirs);
            self.scratch.compare(results, &row.if_available(available.clone()))?;
        }
        Ok(())
    }

    /// Creates `theirs`, which is the file sealed by the program.
    fn sealed_by(&self, program: &Program, available: &Availability) -> Availability {
        available.clone().and_then(|()| {
            self.scratch.shell(&seal_command(program, "theirs")).map_err(|error| failed(&error))
        })
    }
}

/// Returns the command that seals the file with the program.
fn seal_command(program: &Program, output: &str) -> String {
    program.seal.replace("IN", "plain").replace("OUT", output)
}
