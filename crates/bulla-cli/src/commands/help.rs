//! `bulla help`, `bulla man` and `bulla completions`, which are generated from the definition of
//! the command line.

use std::io::{self, ErrorKind, Write};

use clap::{Command, CommandFactory};
use clap_complete::generate;
use clap_mangen::Man;

use crate::args::Cli;
use crate::args::help::{CompletionsArgs, EXIT_CODES, EXIT_CODES_TOPIC, HelpArgs, ManArgs};
use crate::error::{Exit, Failure};
use crate::terminal::message::print;

/// The width at which the exit codes are wrapped.
const WIDTH: usize = 80;

pub(super) fn help(args: &HelpArgs) -> Result<Exit, Failure> {
    if args.command == [EXIT_CODES_TOPIC] {
        print(&exit_codes()).map_err(|e| Failure::io("standard output", &e))?;
        return Ok(Exit::Success);
    }
    find(&args.command)?;
    // clap reports the text of `--help` as an error.
    let words = ["bulla"].into_iter().chain(args.command.iter().map(String::as_str));
    let Err(help) = Cli::command().try_get_matches_from(words.chain(["--help"])) else {
        return Ok(Exit::Success);
    };
    match help.print() {
        Err(e) if e.kind() != ErrorKind::BrokenPipe => Err(Failure::io("standard output", &e)),
        _ => Ok(Exit::Success),
    }
}

pub(super) fn completions(args: &CompletionsArgs) -> Result<Exit, Failure> {
    // Generated in memory, because clap panics if it cannot write.
    let mut script = Vec::new();
    generate(args.shell, &mut Cli::command(), "bulla", &mut script);
    write(&script)
}

pub(super) fn man(args: &ManArgs) -> Result<Exit, Failure> {
    // Without this, the page would omit the description of options that `-h` hides.
    let command = find(&args.command)?.mut_args(|arg| arg.hide_short_help(false));
    let name = ["bulla"].into_iter().chain(args.command.iter().map(String::as_str));
    let name = name.collect::<Vec<_>>().join("-");
    let title = name.to_uppercase();
    let mut page = Vec::new();
    let rendered = Man::new(command.name(name)).title(title).render(&mut page);
    rendered.map_err(|e| Failure::io("man", &e))?;
    let page = String::from_utf8_lossy(&page)
        .replace(".SH EXTRA\nExamples:\n", ".SH EXAMPLES\n")
        .replace(".SH EXTRA\n", ".SH NOTES\n");
    let exit_status = if args.command.is_empty() { exit_status_section() } else { String::new() };
    write((page + &exit_status).as_bytes())
}

/// Finds a command by the words of its name.
fn find(words: &[String]) -> Result<Command, Failure> {
    let mut command = Cli::command();
    command.build();
    let mut name = command.get_name().to_owned();
    for word in words {
        let found: Option<&Command> = command.find_subcommand(word);
        command = found.cloned().ok_or_else(|| {
            Failure::usage(format!("{name} {word}"), "no such command; see `bulla --help`")
        })?;
        name = format!("{name} {word}");
    }
    Ok(command)
}

/// Formats the exit codes for a terminal.
fn exit_codes() -> String {
    const INDENT: usize = 9;
    let mut text = "Exit codes:".to_owned();
    for (code, meaning) in EXIT_CODES {
        let mut line = format!("  {code:<INDENT$}", INDENT = INDENT - 2);
        for word in meaning.split(' ') {
            if line.len() + word.len() > WIDTH {
                text.push_str(&format!("\n{}", line.trim_end()));
                line = " ".repeat(INDENT);
            }
            line.push_str(word);
            line.push(' ');
        }
        text.push_str(&format!("\n{}", line.trim_end()));
    }
    text
}

/// Formats the exit codes as a section of a manual page.
fn exit_status_section() -> String {
    let codes = EXIT_CODES.map(|(code, meaning)| format!(".TP\n\\fB{code}\\fR\n{meaning}\n"));
    format!(".SH \"EXIT STATUS\"\n{}", codes.concat())
}

fn write(bytes: &[u8]) -> Result<Exit, Failure> {
    let mut stdout = io::stdout().lock();
    match stdout.write_all(bytes).and_then(|()| stdout.flush()) {
        // The reader has seen enough.
        Err(e) if e.kind() != ErrorKind::BrokenPipe => Err(Failure::io("standard output", &e)),
        _ => Ok(Exit::Success),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_exit_code_is_described() {
        let codes = [
            Exit::Success,
            Exit::Environment,
            Exit::Usage,
            Exit::WrongKey,
            Exit::Damaged,
            Exit::Unsupported,
            Exit::Warnings,
        ];
        for (number, exit) in codes.into_iter().enumerate() {
            assert_eq!(exit as usize, number);
            assert_eq!(EXIT_CODES[number].0, number.to_string());
        }
    }

    #[test]
    fn exit_codes_are_wrapped() {
        assert!(exit_codes().lines().all(|line| line.len() <= WIDTH));
    }
}
