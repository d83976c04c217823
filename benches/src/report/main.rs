//! Compares bulla with its peers, measures how its cost scales, and writes a report with tables,
//! CSV files and charts.
//!
//! `cargo build --release -p bulla-cli && cargo run --release -p bulla-benches --features libraries
//! --bin report`
//!
//! Modules are listed in dependency order: each imports only from those above it.

mod units;
mod measure;
mod comparisons;
mod output;

use std::io;
use std::path::PathBuf;

use clap::{Parser, Subcommand, ValueEnum};

use crate::comparisons::{files, growth, memory, messages, million_files, peers, trees};
use crate::measure::machine::Machine;
use crate::measure::probe::Probe;
use crate::measure::results::Results;
use crate::measure::settings::{Settings, sizes_up_to};
use crate::output::{csv_files, readme};

/// Compare bulla with other programs and libraries, and write tables, CSV files and charts
///
/// The peers are cp, cat, tar, age, rage, mlar, gpg, openssl, restic, four libraries, and a bare
/// loop over the cipher.
#[derive(Parser)]
struct Args {
    #[command(subcommand)]
    command: Option<Command>,
    /// Write the report into this directory
    #[arg(long, value_name = "DIR", default_value = "target/report.d")]
    out: PathBuf,
    /// Update the generated parts of a README, which are enclosed in speed or results markers
    #[arg(long, value_name = "FILE", conflicts_with = "quick")]
    readme: Vec<PathBuf>,
    /// Measure only these sections, separated by commas [default: all but `many`]
    #[arg(long, value_name = "SECTION", value_delimiter = ',', value_enum)]
    only: Vec<Section>,
    /// Keep sections that are not measured now from an earlier report in the same directory
    #[arg(long, conflicts_with = "quick")]
    keep: bool,
    /// Measure nothing; render the report again from the CSV files in the output directory
    #[arg(
        long,
        conflicts_with_all = [
            "only", "keep", "quick", "full", "mib", "rounds", "seconds", "up_to", "directory",
        ]
    )]
    render_only: bool,
    /// Run everything once on small inputs, to test the report itself
    #[arg(long, conflicts_with = "full")]
    quick: bool,
    /// Use larger inputs and more rounds, and include the section `many`; takes hours
    #[arg(long)]
    full: bool,
    /// Size of the file that commands seal and open, in MiB
    #[arg(long)]
    mib: Option<u64>,
    /// Maximum number of rounds per comparison
    #[arg(long)]
    rounds: Option<usize>,
    /// Seconds after which a comparison starts no new round, once it has completed three;
    /// comparisons with a target get seven times as long
    #[arg(long)]
    seconds: Option<f64>,
    /// Largest input of the scaling measurements, in GiB; needs twice as much disk space
    #[arg(
        long,
        value_name = "GIB",
        value_parser = clap::value_parser!(u64).range(1..=1024),
        conflicts_with = "quick"
    )]
    up_to: Option<u64>,
    /// Measure the disk that contains this directory
    #[arg(long, value_name = "DIR", default_value = ".")]
    directory: PathBuf,
}

#[derive(Subcommand)]
enum Command {
    /// Measurements that the report runs in separate processes
    #[command(subcommand, hide = true)]
    Probe(Probe),
}

/// A part of the report that can be measured on its own.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Section {
    /// The library, compared with a bare loop over the cipher and with a minimal implementation
    Memory,
    /// The library, compared with other libraries
    Libraries,
    /// The command on a single file
    Files,
    /// The command on a directory
    Trees,
    /// Time and memory by input size and by number of entries
    Growth,
    /// Throughput of sealing a file by number of threads
    Threads,
    /// Reading one of a million entries; creates a million files, so use an in-memory directory
    #[value(name = "many")]
    MillionFiles,
}

fn main() -> io::Result<()> {
    let args = Args::parse();
    if let Some(Command::Probe(probe)) = args.command {
        return probe.run();
    }
    let results = if args.render_only { csv_files::read(&args.out)? } else { measure(&args)? };
    output::write(&results, &args.out)?;
    for readme in &args.readme {
        readme::update(&results, readme, &args.out)?;
    }
    println!("\n{}", args.out.join("report.md").display());
    Ok(())
}

/// Measures the selected sections.
fn measure(args: &Args) -> io::Result<Results> {
    let settings = settings(args);
    let selected = |section| {
        let by_default = section != Section::MillionFiles || args.full || args.quick;
        if args.only.is_empty() { by_default } else { args.only.contains(&section) }
    };
    let mut machine = Machine::detect(&args.directory, settings.quick);
    peers::add_versions(&mut machine);
    let mut results = Results::new(machine);
    if selected(Section::Memory) {
        memory::compare(&mut results, &settings)?;
        messages::compare(&mut results, &settings)?;
    }
    if selected(Section::Libraries) {
        #[cfg(feature = "libraries")]
        comparisons::libraries::compare(&mut results, &settings)?;
        #[cfg(not(feature = "libraries"))]
        results.add_fact("libraries", "not measured: built without the `libraries` feature");
    }
    if selected(Section::Files) {
        files::compare(&mut results, &args.directory, &settings)?;
    }
    if selected(Section::Trees) {
        trees::compare(&mut results, &args.directory, &settings)?;
    }
    if selected(Section::Growth) {
        growth::measure_sizes(&mut results, &args.directory, &settings)?;
    }
    if selected(Section::Threads) {
        growth::measure_threads(&mut results, &args.directory, &settings)?;
    }
    if selected(Section::MillionFiles) {
        million_files::compare(&mut results, &args.directory, &settings)?;
    }
    if args.keep {
        csv_files::add_unmeasured(&mut results, &args.out)?;
    }
    Ok(results)
}

fn settings(args: &Args) -> Settings {
    let mut settings = match (args.quick, args.full) {
        (true, _) => Settings::quick(),
        (_, true) => Settings::full(),
        _ => Settings::usual(),
    };
    settings.file = args.mib.map_or(settings.file, |mib| mib << 20);
    for (effort, times) in [(&mut settings.effort, 1.0), (&mut settings.target_effort, 7.0)] {
        effort.max_rounds = args.rounds.unwrap_or(effort.max_rounds).max(1);
        effort.min_rounds = effort.min_rounds.min(effort.max_rounds);
        effort.max_seconds = args.seconds.map_or(effort.max_seconds, |seconds| times * seconds);
    }
    settings.inputs = args.up_to.map_or(settings.inputs, |gib| sizes_up_to(gib << 30));
    settings
}
