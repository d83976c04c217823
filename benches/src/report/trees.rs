//! Archives: a tree of many small files, one large file, one entry among many.

use std::fs;
use std::io;
use std::path::Path;

use rand::{Rng, RngCore};

use crate::programs::ARCHIVERS;
use crate::scratch::{Comparison, Scratch, bulla, failed};
use crate::settings::Settings;
use crate::sheet::{Part, Sheet};

/// Files in a directory of the tree.
const IN_DIRECTORY: usize = 200;

/// Adds a row for each pair of commands.
pub(crate) fn compare(sheet: &mut Sheet, parent: &Path, settings: &Settings) -> io::Result<()> {
    let scratch = Scratch::new(parent, settings, settings.tree_bytes)?;
    make_tree(&scratch.path("tree"), settings.tree_files, settings.tree_bytes)?;
    let bulla = bulla()?;
    let backup = format!("{bulla} backup -q -k key");
    let backup_tree = format!("{backup} --no-sync out1 tree");
    let restore = format!("{bulla} restore -q -k key --no-sync tree.bulla -C out1");
    let middle = settings.tree_files / 2;
    let name = format!("tree/{}", file_name(middle));
    let entry = format!("{bulla} cat -k key tree.bulla {name} > /dev/null");
    scratch.shell(&format!("{backup} tree.bulla tree"))?;

    let what = format!("back up {} files", settings.tree_files);
    let fill = |template: &str, archive: &str| {
        template.replace("ARCHIVE", archive).replace("OUT", "out2").replace("NAME", &name)
    };
    let mut archivers = ARCHIVERS.map(|archiver| (archiver.prepare(&scratch), archiver));
    for (ready, archiver) in &mut archivers {
        let theirs = fill(archiver.backup, "out2");
        let row = Comparison::new(Part::Backup, &what, archiver.name, &backup_tree, &theirs);
        scratch.compare(sheet, &row.ready(ready.clone()).asked(archiver.asked))?;
        if ready.is_ok() {
            *ready =
                scratch.shell(&fill(archiver.backup, archiver.archive)).map_err(|why| failed(&why));
        }
    }
    let ours = format!("{backup} - tree | cat > /dev/null");
    let theirs = "tar cf - tree | cat > /dev/null";
    scratch.compare(
        sheet,
        &Comparison::new(Part::Backup, &format!("{what}, into a pipe"), "tar", &ours, theirs),
    )?;

    let what = format!("restore {} files", settings.tree_files);
    let theirs = "mkdir out2 && cp -r tree out2/";
    let row = Comparison::new(Part::Restore, &what, "cp -r", &restore, theirs);
    scratch.compare(sheet, &row.asked(Some(0.90)))?;
    for (ready, archiver) in &archivers {
        let theirs = fill(archiver.restore, archiver.archive);
        let row = Comparison::new(Part::Restore, &what, archiver.name, &restore, &theirs);
        scratch.compare(sheet, &row.ready(ready.clone()))?;
    }

    let what = format!("read one of {} files", settings.tree_files);
    for (ready, archiver) in &archivers {
        let theirs = format!("{} > /dev/null", fill(archiver.entry, archiver.archive));
        let row = Comparison::new(Part::Entry, &what, archiver.name, &entry, &theirs);
        scratch.compare(sheet, &row.ready(ready.clone()))?;
    }
    drop(scratch);
    large(sheet, parent, settings)
}

/// One large file as an archive, to the same as a single stream.
fn large(sheet: &mut Sheet, parent: &Path, settings: &Settings) -> io::Result<()> {
    let scratch = Scratch::new(parent, settings, settings.large)?;
    scratch.make_random("large", settings.large)?;
    let bulla = bulla()?;
    let ours = format!("{bulla} backup -q -k key --no-sync out1 large");
    let theirs = format!("{bulla} seal -q -k key --no-sync large -o out2");
    let what = format!("back up one file of {} MiB", settings.large >> 20);
    scratch
        .compare(sheet, &Comparison::new(Part::Backup, &what, "bulla seal of it", &ours, &theirs))
}

/// Files of log-normal sizes, as photos with their thumbnails are.
fn make_tree(root: &Path, files: usize, total: u64) -> io::Result<()> {
    let mut random = rand::rng();
    let sizes: Vec<f64> = (0..files).map(|_| (normal(&mut random) * 1.8).exp()).collect();
    let scale = total as f64 / sizes.iter().sum::<f64>();
    let mut content = vec![0; 64 << 20];
    random.fill_bytes(&mut content);
    for (number, size) in sizes.iter().enumerate() {
        let file = root.join(file_name(number));
        if number % IN_DIRECTORY == 0 {
            file.parent().map_or(Ok(()), fs::create_dir_all)?;
        }
        let len = ((size * scale) as usize).min(content.len());
        let from = random.random_range(0..=content.len() - len);
        fs::write(file, &content[from..from + len])?;
    }
    Ok(())
}

fn file_name(number: usize) -> String {
    format!("{:03}/{number:05}.jpg", number / IN_DIRECTORY)
}

/// A normally distributed number, as the sum of twelve uniform ones.
fn normal(random: &mut impl Rng) -> f64 {
    (0..12).map(|_| random.random_range(0.0..1.0)).sum::<f64>() - 6.0
}
