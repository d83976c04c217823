//! Counts instructions with callgrind and compares them with recorded counts.
//!
//! Unlike times, counts do not depend on other load on the machine.
//!
//! `cargo run --release -p bulla-benches --bin instructions -- check`

mod callgrind;
mod cases;
mod counts;
mod environment;
mod baseline;

use std::io::{self, Write};
use std::path::Path;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::baseline::Baseline;
use crate::counts::Counts;
use crate::environment::Environment;

/// The file of recorded counts.
const FILE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/instructions.csv");

/// Count instructions with callgrind and compare them with benches/instructions.csv
#[derive(Parser)]
struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Compare the counts of this build with the recorded ones
    Check {
        /// Check only the cases whose names contain this text
        #[arg(default_value = "")]
        filter: String,
    },
    /// Record the counts of this build
    Record,
    /// List the functions of a case by instruction count
    Show {
        /// Name of the case
        case: String,
    },
    /// Run a case twice: once to warm up, and once for callgrind to count
    #[command(hide = true)]
    Run {
        /// Name of the case
        case: String,
    },
    /// Print the processor that valgrind emulates
    #[command(hide = true)]
    Processor,
}

type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

fn main() -> ExitCode {
    let passed = match Args::parse().command {
        Command::Check { filter } => check(&filter),
        Command::Record => record(),
        Command::Show { case } => show(&case),
        Command::Run { case } => run(&case),
        Command::Processor => {
            println!("{}", environment::processor());
            Ok(true)
        }
    };
    match passed {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Returns whether all counts match the recorded ones.
fn check(filter: &str) -> Result<bool> {
    let baseline = Baseline::read(Path::new(FILE))?;
    let here = Environment::detect()?;
    let mut all_match = true;
    for (case, _) in cases::ALL.iter().filter(|(case, _)| case.contains(filter)) {
        let measured = Counts::of(&callgrind::functions(case)?);
        let verdict = baseline.compare(case, measured, &here);
        println!("{verdict}");
        all_match &= verdict.matches();
    }
    for case in baseline.cases().filter(|case| cases::ALL.iter().all(|(name, _)| name != case)) {
        println!("{case}: counts are recorded, but this case does not exist; record again");
        all_match = false;
    }
    if let Some(difference) = baseline.environment().difference(&here) {
        println!("\n{difference}");
    }
    if !all_match {
        println!(
            "\nIf the difference is intended, record the new counts and commit \
             benches/instructions.csv with your change:\n    \
             cargo run --release -p bulla-benches --bin instructions -- record\n\
             Otherwise, compare the functions of the case before and after your change:\n    \
             cargo run --release -p bulla-benches --bin instructions -- show CASE"
        );
    }
    Ok(all_match)
}

fn record() -> Result<bool> {
    let mut baseline = Baseline::new(Environment::detect()?);
    for (case, _) in cases::ALL {
        baseline.insert(case, Counts::of(&callgrind::functions(case)?));
    }
    baseline.write(Path::new(FILE))?;
    Ok(true)
}

fn show(case: &str) -> Result<bool> {
    for function in callgrind::functions(case)? {
        let language = if function.is_rust() { "rust" } else { "" };
        writeln!(io::stdout(), "{:>12} {language:4} {}", function.instructions, function.name)?;
    }
    Ok(true)
}

fn run(case: &str) -> Result<bool> {
    let Some((_, set_up)) = cases::ALL.iter().find(|(name, _)| *name == case) else {
        return Err(format!("{case}: no such case").into());
    };
    let mut work = set_up();
    // The first run is not counted, because it resolves symbols and detects the processor.
    work();
    measured(&mut *work);
    Ok(true)
}

/// Runs `work`. Callgrind counts instructions while this function is on the stack.
#[inline(never)]
fn measured(work: &mut dyn FnMut()) {
    work();
    // Without this line, the call above could become a tail call, and this function would leave the
    // stack before `work` runs.
    std::hint::black_box(());
}
