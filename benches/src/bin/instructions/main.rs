//! Counts the instructions of everything that is done often, by callgrind, and compares them with
//! the counts that are recorded beside: the check of speed that no noise disturbs.
//!
//! `cargo run --release -p bulla-benches --bin instructions -- check`

mod callgrind;
mod cases;
mod counts;
mod environment;
mod recorded;

use std::io::{self, Write};
use std::path::Path;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::counts::Counts;
use crate::environment::Environment;
use crate::recorded::Recorded;

/// Where the counts are recorded.
const FILE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/instructions.csv");

/// Counts instructions by callgrind, and compares them with benches/instructions.csv
#[derive(Parser)]
struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Compare what is measured with what is recorded
    Check {
        /// Only cases whose names contain this
        #[arg(default_value = "")]
        filter: String,
    },
    /// Record what is measured, because a difference is meant
    Record,
    /// Show the functions in which a case spends its instructions
    Show {
        /// The case
        case: String,
    },
    /// Run a case once to warm up and once to be counted; under callgrind
    #[command(hide = true)]
    Run {
        /// The case
        case: String,
    },
    /// Tell what processor it runs on; under valgrind
    #[command(hide = true)]
    Processor,
}

fn main() -> ExitCode {
    let done = match Args::parse().command {
        Command::Check { filter } => check(&filter),
        Command::Record => record(),
        Command::Show { case } => show(&case),
        Command::Run { case } => run(&case),
        Command::Processor => {
            println!("{}", environment::processor());
            Ok(true)
        }
    };
    match done {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

/// Whether all cases are as they were recorded.
fn check(filter: &str) -> Result<bool> {
    let recorded = Recorded::read(Path::new(FILE))?;
    let here = Environment::find()?;
    let mut all_well = true;
    for (case, _) in cases::ALL.iter().filter(|(case, _)| case.contains(filter)) {
        let measured = Counts::of(&callgrind::functions(case)?);
        let verdict = recorded.judge(case, measured, &here);
        println!("{verdict}");
        all_well &= verdict.is_well();
    }
    for case in recorded.cases().filter(|case| cases::ALL.iter().all(|(name, _)| name != case)) {
        println!("{case}: recorded, but there is no such case");
        all_well = false;
    }
    if let Some(difference) = recorded.environment().difference(&here) {
        println!("\n{difference}");
    }
    if !all_well {
        println!(
            "\nIf the difference is meant, record it and commit benches/instructions.csv with the change that makes it:\n    \
             cargo run --release -p bulla-benches --bin instructions -- record\n\
             If not, see where it comes from; run this on both sides of the change:\n    \
             cargo run --release -p bulla-benches --bin instructions -- show CASE"
        );
    }
    Ok(all_well)
}

fn record() -> Result<bool> {
    let mut recorded = Recorded::new(Environment::find()?);
    for (case, _) in cases::ALL {
        recorded.put(case, Counts::of(&callgrind::functions(case)?));
    }
    recorded.write(Path::new(FILE))?;
    Ok(true)
}

fn show(case: &str) -> Result<bool> {
    for function in callgrind::functions(case)? {
        let owner = if function.is_own() { "own" } else { "" };
        writeln!(io::stdout(), "{:>12} {owner:3} {}", function.instructions, function.name)?;
    }
    Ok(true)
}

fn run(case: &str) -> Result<bool> {
    let Some((_, set_up)) = cases::ALL.iter().find(|(name, _)| *name == case) else {
        return Err(format!("there is no case {case}").into());
    };
    let mut work = set_up();
    // What happens once in a process is not counted: the linker's look-ups, the look at the
    // processor.
    work();
    measured(&mut *work);
    Ok(true)
}

/// Callgrind counts while this function runs.
#[inline(never)]
fn measured(work: &mut dyn FnMut()) {
    work();
    // So that the call is none that ends this function before.
    std::hint::black_box(());
}
