//! Compares bulla with its peers, shows how its cost grows, and writes a report: tables, CSV, and
//! charts.
//!
//! `cargo build --release -p bulla-cli && cargo run --release -p bulla-benches --features libraries
//! --bin report`

mod pairs;
mod settings;
mod machine;
mod sheet;
mod scratch;
mod programs;
mod probe;
mod memory;
mod messages;
#[cfg(feature = "libraries")]
mod libraries;
mod files;
mod trees;
mod many;
mod growth;
mod chart;
mod charts;
mod kept;
mod publish;

use std::path::PathBuf;

use clap::{Parser, Subcommand, ValueEnum};

use crate::settings::{Settings, sizes_up_to};
use crate::sheet::Sheet;

/// Compares bulla with cp, cat, tar, age, rage, mlar, gpg, openssl, restic, with four libraries,
/// and with a bare loop over the cipher; shows how its cost grows; and writes tables, CSV and
/// charts.
#[derive(Parser)]
struct Args {
    #[command(subcommand)]
    probe: Option<Inner>,
    /// Directory to write the report into
    #[arg(long, default_value = "target/report.d")]
    out: PathBuf,
    /// A README whose short table, between its speed marks, is to be replaced
    #[arg(long, value_name = "FILE", conflicts_with = "quick")]
    readme: Option<PathBuf>,
    /// Measure only these, with commas between them [default: all but `many`]
    #[arg(long, value_delimiter = ',', value_enum)]
    only: Vec<Section>,
    /// Keep what the directory's report has of all that is not measured now
    #[arg(long, conflicts_with = "quick")]
    keep: bool,
    /// As little as shows that everything works; it measures nothing
    #[arg(long, conflicts_with = "full")]
    quick: bool,
    /// More of everything, `many` included; takes hours
    #[arg(long)]
    full: bool,
    /// MiB in the file that commands work on
    #[arg(long)]
    mib: Option<u64>,
    /// Rounds of each comparison at most
    #[arg(long)]
    rounds: Option<usize>,
    /// Seconds after which a comparison begins no further round, if it had three (and seven times
    /// as many where a ratio is asked for)
    #[arg(long)]
    seconds: Option<f64>,
    /// GiB of the largest input that the growth of cost is shown over; twice as much is written
    #[arg(long, value_name = "GIB", value_parser = clap::value_parser!(u64).range(1..=1024), conflicts_with = "quick")]
    up_to: Option<u64>,
    /// A directory on the disk to be measured
    #[arg(long, default_value = ".")]
    directory: PathBuf,
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
    /// The library to a bare loop over the cipher, and for short messages to the shortest way
    Memory,
    /// The library to others
    Libraries,
    /// The command on a single file
    Files,
    /// The command on a directory
    Trees,
    /// Over input size and entries
    Growth,
    /// Sealing a file, over threads
    Threads,
    /// One entry of a million; makes a million files, so name a directory in memory
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
    settings.decisive.rounds = args.rounds.unwrap_or(settings.decisive.rounds).max(1);
    settings.decisive.at_least = settings.decisive.at_least.min(settings.decisive.rounds);
    settings.decisive.seconds =
        args.seconds.map_or(settings.decisive.seconds, |seconds| 7.0 * seconds);
    settings.inputs = args.up_to.map_or(settings.inputs, |gib| sizes_up_to(gib << 30));
    let asked = |section| {
        let usual = section != Section::Many || args.full || args.quick;
        if args.only.is_empty() { usual } else { args.only.contains(&section) }
    };

    let mut sheet = Sheet::new(&args.directory, settings.quick);
    programs::note_versions(&mut sheet);
    if asked(Section::Memory) {
        memory::compare(&mut sheet, &settings)?;
        messages::compare(&mut sheet, &settings)?;
    }
    if asked(Section::Libraries) {
        #[cfg(feature = "libraries")]
        libraries::compare(&mut sheet, &settings)?;
        #[cfg(not(feature = "libraries"))]
        sheet.fact(
            "libraries",
            "not compared: the report was built without the feature `libraries`",
        );
    }
    if asked(Section::Files) {
        files::compare(&mut sheet, &args.directory, &settings)?;
    }
    if asked(Section::Trees) {
        trees::compare(&mut sheet, &args.directory, &settings)?;
    }
    if asked(Section::Growth) {
        growth::measure(&mut sheet, &args.directory, &settings)?;
    }
    if asked(Section::Threads) {
        growth::threads(&mut sheet, &args.directory, &settings)?;
    }
    if asked(Section::Many) {
        many::compare(&mut sheet, &args.directory, &settings)?;
    }
    if args.keep {
        kept::add(&mut sheet, &args.out)?;
    }
    publish::publish(&sheet, &args.out)?;
    if let Some(readme) = &args.readme {
        publish::into_readme(&sheet, readme, &args.out)?;
    }
    println!("\n{}", args.out.join("report.md").display());
    Ok(())
}
