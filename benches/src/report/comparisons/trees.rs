//! Archives of many small files and of one large file, and reading one entry from an archive.

use std::fs;
use std::io;
use std::path::Path;

use rand::{Rng, RngCore};

use crate::comparisons::peers::ARCHIVERS;
use crate::measure::results::{Results, Table};
use crate::measure::scratch::{Comparison, Scratch, bulla, failed};
use crate::measure::settings::Settings;
use crate::units::count;

/// Files in each directory of the tree.
const FILES_PER_DIRECTORY: usize = 200;

/// Adds a row for each pair of commands.
pub(crate) fn compare(results: &mut Results, parent: &Path, settings: &Settings) -> io::Result<()> {
    let scratch = Scratch::new(parent, settings, settings.tree_bytes)?;
    create_tree(&scratch.path("tree"), settings.tree_files, settings.tree_bytes)?;
    let bulla = bulla()?;
    let backup = format!("{bulla} backup -q -k key");
    let backup_tree = format!("{backup} --no-sync out1 tree");
    let restore = format!("{bulla} restore -q -k key --no-sync tree.bulla -C out1");
    let middle = settings.tree_files / 2;
    let path = format!("tree/{}", file_path(middle));
    let entry = format!("{bulla} cat -k key tree.bulla {path} > /dev/null");
    scratch.shell(&format!("{backup} tree.bulla tree"))?;

    let operation = format!("back up {} files", count(settings.tree_files as u64));
    let fill = |template: &str, archive: &str| {
        template.replace("ARCHIVE", archive).replace("OUT", "out2").replace("ENTRY", &path)
    };
    let mut archivers = ARCHIVERS.map(|archiver| (archiver.prepare(&scratch), archiver));
    for (available, archiver) in &mut archivers {
        let theirs = fill(archiver.backup, "out2");
        let row = Comparison::new(Table::Backup, &operation, archiver.name, &backup_tree, &theirs);
        scratch.compare(results, &row.if_available(available.clone()).target(archiver.target))?;
        if available.is_ok() {
            *available = scratch
                .shell(&fill(archiver.backup, archiver.archive))
                .map_err(|error| failed(&error));
        }
    }
    let ours = format!("{backup} - tree | cat > /dev/null");
    let theirs = "tar cf - tree | cat > /dev/null";
    scratch.compare(
        results,
        &Comparison::new(Table::Backup, &format!("{operation}, into a pipe"), "tar", &ours, theirs),
    )?;

    let operation = format!("restore {} files", count(settings.tree_files as u64));
    let theirs = "mkdir out2 && cp -r tree out2/";
    let row = Comparison::new(Table::Restore, &operation, "cp -r", &restore, theirs);
    scratch.compare(results, &row.target(Some(0.90)))?;
    for (available, archiver) in &archivers {
        let theirs = fill(archiver.restore, archiver.archive);
        let row = Comparison::new(Table::Restore, &operation, archiver.name, &restore, &theirs);
        scratch.compare(results, &row.if_available(available.clone()))?;
    }

    let operation = format!("read one of {} files", count(settings.tree_files as u64));
    for (available, archiver) in &archivers {
        let theirs = format!("{} > /dev/null", fill(archiver.entry, archiver.archive));
        let row = Comparison::new(Table::ReadEntry, &operation, archiver.name, &entry, &theirs);
        scratch.compare(results, &row.if_available(available.clone()))?;
    }
    drop(scratch);
    compare_large(results, parent, settings)
}

/// Compares an archive of one large file with the same file sealed as a single stream.
fn compare_large(results: &mut Results, parent: &Path, settings: &Settings) -> io::Result<()> {
    let scratch = Scratch::new(parent, settings, settings.large)?;
    scratch.create_random("large", settings.large)?;
    let bulla = bulla()?;
    let ours = format!("{bulla} backup -q -k key --no-sync out1 large");
    let theirs = format!("{bulla} seal -q -k key --no-sync large -o out2");
    let row =
        Comparison::new(Table::Backup, "back up one large file", "bulla seal", &ours, &theirs);
    scratch.compare(results, &row)
}

/// Creates files with log-normally distributed sizes, like photos with their thumbnails.
fn create_tree(root: &Path, files: usize, total: u64) -> io::Result<()> {
    let mut random = rand::rng();
    let sizes: Vec<f64> = (0..files).map(|_| (normal(&mut random) * 1.8).exp()).collect();
    let scale = total as f64 / sizes.iter().sum::<f64>();
    let mut content = vec![0; 64 << 20];
    random.fill_bytes(&mut content);
    for (number, size) in sizes.iter().enumerate() {
        let file = root.join(file_path(number));
        if number % FILES_PER_DIRECTORY == 0 {
            file.parent().map_or(Ok(()), fs::create_dir_all)?;
        }
        let len = ((size * scale) as usize).min(content.len());
        let from = random.random_range(0..=content.len() - len);
        fs::write(file, &content[from..from + len])?;
    }
    Ok(())
}

fn file_path(number: usize) -> String {
    format!("{:03}/{number:05}.jpg", number / FILES_PER_DIRECTORY)
}

/// Returns a normally distributed number, approximated by the sum of twelve uniform numbers.
fn normal(random: &mut impl Rng) -> f64 {
    (0..12).map(|_| random.random_range(0.0..1.0)).sum::<f64>() - 6.0
}
