//! Commands on a single file: file to file, synced and not, through pipes, to nowhere.

use std::io;
use std::path::Path;

use crate::programs::{PROGRAMS, Program};
use crate::scratch::{Comparison, Ready, Scratch, bulla, failed};
use crate::settings::Settings;
use crate::sheet::{Part, Sheet};

/// What cannot be passed, in files and on the disk.
pub(crate) const BOUNDS: [&str; 2] =
    ["writing as much, from memory", "the disk alone, past the page cache"];

/// What all comparisons of files share.
struct Files {
    scratch: Scratch,
    /// The programs, and whether each can be compared with.
    programs: [(Program, Ready); PROGRAMS.len()],
    /// The commands, short of what they work on.
    seal: String,
    open: String,
    bytes: u64,
}

/// Adds a row for each pair of commands.
pub(crate) fn compare(sheet: &mut Sheet, parent: &Path, settings: &Settings) -> io::Result<()> {
    let scratch = Scratch::new(parent, settings, settings.file)?;
    scratch.make_random("plain", settings.file)?;
    let bulla = bulla()?;
    let files = Files {
        programs: PROGRAMS.map(|program| {
            let ready = program.prepare(&scratch);
            (program, ready)
        }),
        scratch,
        seal: format!("{bulla} seal -q -k key"),
        open: format!("{bulla} open -q -k key"),
        bytes: settings.file,
    };
    files.scratch.shell(&format!("{} plain -o sealed", files.seal))?;
    files.sealing(sheet)?;
    files.opening(sheet)?;
    files.synced(sheet)?;
    files.piping(sheet)?;
    files.to_nowhere(sheet)
}

impl Files {
    fn sealing(&self, sheet: &mut Sheet) -> io::Result<()> {
        let ours = format!("{} --no-sync plain -o out1", self.seal);
        let row = |peer, theirs| Comparison::new(Part::Seal, "seal", peer, &ours, theirs);
        self.scratch.compare(sheet, &row("cp", "cp plain out2").asked(Some(0.80)))?;
        self.scratch.compare(sheet, &row("cat", "cat plain > out2"))?;
        let write =
            format!("{} probe write out2 {}", std::env::current_exe()?.display(), self.bytes);
        self.scratch.compare(sheet, &row(BOUNDS[0], &write))?;
        for (program, ready) in &self.programs {
            let theirs = sealing(program, "out2");
            let row = Comparison::new(Part::Seal, "seal", program.name, &ours, &theirs);
            self.scratch.compare(sheet, &row.ready(ready.clone()).asked(program.asked))?;
        }
        Ok(())
    }

    fn opening(&self, sheet: &mut Sheet) -> io::Result<()> {
        let ours = format!("{} --no-sync sealed -o out1", self.open);
        let copy =
            Comparison::new(Part::Open, "open", "cp", &ours, "cp plain out2").asked(Some(0.85));
        self.scratch.compare(sheet, &copy)?;
        for (program, ready) in &self.programs {
            let theirs = program.open.replace("IN", "theirs").replace("OUT", "out2");
            let row = Comparison::new(Part::Open, "open", program.name, &ours, &theirs);
            let ready = self.sealed_by(program, ready);
            self.scratch.compare(sheet, &row.ready(ready).asked(program.asked))?;
            self.scratch.remove("theirs");
        }
        Ok(())
    }

    fn synced(&self, sheet: &mut Sheet) -> io::Result<()> {
        let seal = format!("{} plain -o out1", self.seal);
        let open = format!("{} sealed -o out1", self.open);
        let copy = "cp plain out2 && sync out2";
        for (what, ours) in [("seal", &seal), ("open", &open)] {
            let row = Comparison::new(Part::Synced, what, "cp and sync", ours, copy);
            self.scratch.compare(sheet, &row.asked(Some(0.70)))?;
        }
        let disk = format!("dd if=/dev/zero of=out2 bs=1M count={} oflag=direct", self.bytes >> 20);
        let alone = Comparison::new(Part::Synced, "seal", BOUNDS[1], &seal, &disk);
        self.scratch.compare(sheet, &alone)?;
        for (program, ready) in self.programs.iter().filter(|(program, _)| program.name == "age") {
            let theirs = format!("{} && sync out2", sealing(program, "out2"));
            let row = Comparison::new(Part::Synced, "seal", "age and sync", &seal, &theirs);
            self.scratch.compare(sheet, &row.ready(ready.clone()))?;
        }
        Ok(())
    }

    /// Between two other programs, as on the way over a network.
    fn piping(&self, sheet: &mut Sheet) -> io::Result<()> {
        let through =
            |from: &str, command: &str| format!("cat {from} | {command} | cat > /dev/null");
        let seal = through("plain", &self.seal);
        let open = through("sealed", &self.open);
        for (what, ours, from) in [("seal", &seal, "plain"), ("open", &open, "sealed")] {
            let theirs = through(from, "cat");
            let row = Comparison::new(Part::Pipe, what, "cat", ours, &theirs);
            self.scratch.compare(sheet, &row.asked(Some(1.15)))?;
        }
        for (program, ready) in &self.programs {
            let Some((their_seal, their_open)) = program.pipe else { continue };
            let theirs = through("plain", their_seal);
            let row = Comparison::new(Part::Pipe, "seal", program.name, &seal, &theirs);
            self.scratch.compare(sheet, &row.ready(ready.clone()))?;
            // Opening with each of them would take minutes more, and show no more.
            if program.name == "age" {
                let theirs = through("theirs", their_open);
                let row = Comparison::new(Part::Pipe, "open", program.name, &open, &theirs);
                self.scratch.compare(sheet, &row.ready(self.sealed_by(program, ready)))?;
                self.scratch.remove("theirs");
            }
        }
        Ok(())
    }

    /// Without anything that is written.
    fn to_nowhere(&self, sheet: &mut Sheet) -> io::Result<()> {
        let ours = format!("{} plain -o /dev/null", self.seal);
        for (program, ready) in &self.programs {
            let Some((theirs, _)) = program.pipe else { continue };
            let theirs = format!("{theirs} < plain > /dev/null");
            let row = Comparison::new(Part::Null, "seal", program.name, &ours, &theirs);
            self.scratch.compare(sheet, &row.ready(ready.clone()))?;
        }
        Ok(())
    }

    /// Makes `theirs`: the file, as the program seals it.
    fn sealed_by(&self, program: &Program, ready: &Ready) -> Ready {
        ready.clone().and_then(|()| {
            self.scratch.shell(&sealing(program, "theirs")).map_err(|why| failed(&why))
        })
    }
}

/// How the program seals the file.
fn sealing(program: &Program, output: &str) -> String {
    program.seal.replace("IN", "plain").replace("OUT", output)
}
