//! Compares bulla with its peers, shows how its cost grows, and writes a report: tables, CSV, and charts.
//!
//! `cargo build --release -p bulla-cli && cargo run --release -p bulla-benches --features libraries --bin report`

mod pairs;
mod settings;
mod machine;
mod sheet;
mod scratch;
mod programs;
mod probe;
mod memory;
#[cfg(feature = "libraries")]
mod libraries;
mod files;
mod trees;
mod many;
mod growth;
mod chart;
mod charts;
mod publish;

use std::path::PathBuf;

use clap::{Parser, Subcommand, ValueEnum};

use crate::settings::Settings;
use crate::sheet::Sheet;

/// Compares bulla with cp, cat, tar, age, rage, mlar, gpg, openssl, restic, with four libraries, and with a bare loop over the
/// cipher; shows how its cost grows; and writes tables, CSV and charts.
#[derive(Parser)]
struct Args {
    #[command(subcommand)]
    probe: Option<Inner>,
    /// Folder to write the report into
    #[arg(long, default_value = "target/report.d")]
    out: PathBuf,
    /// A README whose short table, between its speed marks, is to be replaced
    #[arg(long, value_name = "FILE", conflicts_with = "quick")]
    readme: Option<PathBuf>,
    /// Measure only these, with commas between them [default: all but `many`]
    #[arg(long, value_delimiter = ',', value_enum)]
    only: Vec<Section>,
    /// As little as shows that everything works; it measures nothing
    #[arg(long, conflicts_with = "full")]
    quick: bool,
    /// More of everything, `many` included: input up to 16 GiB, a million entries; takes hours
    #[arg(long)]
    full: bool,
    /// MiB in the file that commands work on
    #[arg(long)]
    mib: Option<u64>,
    /// Rounds of each comparison at most
    #[arg(long)]
    rounds: Option<usize>,
    /// Seconds after which a comparison begins no further round, if it had three
    #[arg(long)]
    seconds: Option<f64>,
    /// A folder on the disk to be measured
    #[arg(long, default_value = ".")]
    folder: PathBuf,
}

#[derive(Subcommand)]
enum Inner {
    /// What the report runs in processes of their own
    #[command(subcommand, hide = true)]
    Probe(probe::Probe),
}

/// A part of the report.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Section {
    /// The library to a bare loop over the cipher
    Memory,
    /// The library to others
    Libraries,
    /// The command on a single file
    Files,
    /// The command on a folder
    Trees,
    /// Over input size, entries and threads
    Growth,
    /// One entry of a million; makes a million files, so name a folder in memory
    Many,
}

fn main() -> std::io::Result<()> {
    let args = Args::parse();
    if let Some(Inner::Probe(probe)) = args.probe {
        return probe.run();
    }
    let mut settings = match (args.quick, args.full) {
        (true, _) => Settings::quick(),
        (_, true) => Settings::full(),
        _ => Settings::usual(),
    };
    settings.file = args.mib.map_or(settings.file, |mib| mib << 20);
    settings.effort.rounds = args.rounds.unwrap_or(settings.effort.rounds).max(1);
    settings.effort.at_least = settings.effort.at_least.min(settings.effort.rounds);
    settings.effort.seconds = args.seconds.unwrap_or(settings.effort.seconds);
    let asked = |section| {
        let usual = section != Section::Many || args.full || args.quick;
        if args.only.is_empty() { usual } else { args.only.contains(&section) }
    };

    let mut sheet = Sheet::new(&args.folder, settings.quick);
    programs::note_versions(&mut sheet);
    if asked(Section::Memory) {
        memory::compare(&mut sheet, &settings)?;
    }
    if asked(Section::Libraries) {
        #[cfg(feature = "libraries")]
        libraries::compare(&mut sheet, &settings)?;
        #[cfg(not(feature = "libraries"))]
        sheet.fact("libraries", "not compared: the report was built without the feature `libraries`");
    }
    if asked(Section::Files) {
        files::compare(&mut sheet, &args.folder, &settings)?;
    }
    if asked(Section::Trees) {
        trees::compare(&mut sheet, &args.folder, &settings)?;
    }
    if asked(Section::Growth) {
        growth::measure(&mut sheet, &args.folder, &settings)?;
    }
    if asked(Section::Many) {
        many::compare(&mut sheet, &args.folder, &settings)?;
    }
    publish::publish(&sheet, &args.out)?;
    if let Some(readme) = &args.readme {
        publish::into_readme(&sheet, readme, &args.out)?;
    }
    println!("\n{}", args.out.join("report.md").display());
    Ok(())
}
