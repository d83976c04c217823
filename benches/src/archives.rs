//! Archives: a tree of many small files against `tar` and `cp -r`, one large file against sealing it, one entry among a million.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::Path;
use std::process::Command;

use rand::{Rng, RngCore};

use crate::commands::Bench;

/// Files in the tree.
const FILES: usize = 50_000;
/// Bytes in all of them together, about.
const TOTAL: f64 = 1.2e9;
/// Entries in the archive of which one is read.
const ENTRIES: u64 = 1_000_000;

/// Prints a row for each pair.
pub(crate) fn compare(parent: &Path, rounds: usize) -> io::Result<()> {
    let bench = Bench::new(parent, rounds, TOTAL as u64)?;
    make_tree(&bench.path("tree"))?;
    bench.make_key()?;
    let bulla = bench.bulla();
    let backup = format!("{bulla} backup -q -k key");
    let restore = format!("{bulla} restore -q -k key");
    bench.shell(&format!("{backup} tree.bulla tree"))?;
    println!("\n| {FILES} files, 1.2 GB | bulla | the other | ratio of time |\n|---|---|---|---|");
    bench.row("backup to `tar cf`", &format!("{backup} --no-sync out1 tree"), "tar cf out2 tree")?;
    bench.row(
        "restore to `cp -r`",
        &format!("{restore} --no-sync tree.bulla -C out1"),
        "mkdir out2 && cp -r tree out2/",
    )?;
    bench.row(
        "backup through a pipe to `tar c` in it",
        &format!("{backup} - tree | cat > /dev/null"),
        "tar cf - tree | cat > /dev/null",
    )?;
    bench.row(
        "backup to `tar c` into `age`",
        &format!("{backup} --no-sync out1 tree"),
        "tar cf - tree | age -e -i age.key -o out2",
    )?;
    fs::remove_dir_all(bench.path("tree"))?;
    fs::remove_file(bench.path("tree.bulla"))?;

    println!(
        "\n| one file of 4 GiB | as an archive | as a single stream | ratio of time |\n|---|---|---|---|"
    );
    bench.make_random("large", 4 << 30)?;
    bench.row(
        "backup to seal",
        &format!("{backup} --no-sync out1 large"),
        &format!("{bulla} seal -q -k key --no-sync large -o out2"),
    )?;
    fs::remove_file(bench.path("large"))
}

/// Files of log-normal sizes in 250 folders, as photos with their thumbnails are.
fn make_tree(root: &Path) -> io::Result<()> {
    let mut random = rand::rng();
    let sizes: Vec<f64> = (0..FILES).map(|_| (normal(&mut random) * 1.8).exp()).collect();
    let scale = TOTAL / sizes.iter().sum::<f64>();
    let mut content = vec![0; 64 << 20];
    random.fill_bytes(&mut content);
    for (number, size) in sizes.iter().enumerate() {
        let folder = root.join(format!("{:03}", number / 200));
        if number % 200 == 0 {
            fs::create_dir_all(&folder)?;
        }
        let len = ((size * scale) as usize).min(content.len());
        let from = random.random_range(0..=content.len() - len);
        fs::write(folder.join(format!("{number:05}.jpg")), &content[from..from + len])?;
    }
    Ok(())
}

/// A normally distributed number, as the sum of twelve uniform ones.
fn normal(random: &mut impl Rng) -> f64 {
    (0..12).map(|_| random.random_range(0.0..1.0)).sum::<f64>() - 6.0
}

/// Prints the time and the bytes read that it takes to read one small entry among many, and the memory that it takes to make the
/// archive.
pub(crate) fn one_among_many(parent: &Path, rounds: usize) -> io::Result<()> {
    let bench = Bench::new(parent, rounds, 0)?;
    bench.make_key()?;
    println!("\n| one entry among {ENTRIES} | |\n|---|---|");
    let root = bench.path("many");
    for folder in 0..ENTRIES / 1000 {
        let folder = root.join(format!("{folder:04}"));
        fs::create_dir_all(&folder)?;
        for file in 0..1000 {
            File::create(folder.join(format!("{file:04}.txt")))?.write_all(b"a message")?;
        }
    }
    let bulla = bench.bulla();
    let mib =
        bench.peak_memory(&format!("exec {bulla} backup -q -k key --threads 2 --no-sync many.bulla many"))?;
    println!("| peak memory of the backup | {mib:.0} MiB |");
    let cat = format!("{bulla} cat -k key many.bulla many/0567/0890.txt > /dev/null");
    let pair = crate::pairs::in_turn(
        bench.rounds,
        || crate::pairs::time(|| bench.shell(&cat).expect("the entry is there")),
        || crate::pairs::time(|| bench.shell(&format!("{bulla} --version > /dev/null")).expect("runs")),
    );
    println!("| `bulla cat` of one entry, to starting the command at all | {pair} |");
    let traced = Command::new("strace")
        .args(["-f", "-y", "-e", "trace=pread64,read", "-o", "trace", "sh", "-c", &format!("exec {cat}")])
        .current_dir(bench.path(""))
        .output();
    if traced.is_ok_and(|traced| traced.status.success()) {
        let trace = fs::read_to_string(bench.path("trace"))?;
        let of_archive = trace.lines().filter(|line| line.contains("many.bulla>"));
        let read: u64 =
            of_archive.filter_map(|line| line.rsplit("= ").next()?.trim().parse::<u64>().ok()).sum();
        println!("| bytes read of the archive | {read} |");
    } else {
        println!("| bytes read of the archive | `strace` is not installed |");
    }
    fs::remove_dir_all(root)
}
