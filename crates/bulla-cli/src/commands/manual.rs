//! `bulla completions` and `bulla man`, both made from the definition of the command line.

use std::io::{self, ErrorKind, Write};

use clap::{Command, CommandFactory};
use clap_complete::generate;
use clap_mangen::Man as Page;

use crate::args::{Cli, Completions, Man};
use crate::error::{Exit, Failure};

pub(super) fn completions(args: &Completions) -> Result<Exit, Failure> {
    // In memory first: it panics where it cannot write.
    let mut script = Vec::new();
    generate(args.shell, &mut Cli::command(), "bulla", &mut script);
    write(&script)
}

pub(super) fn man(args: &Man) -> Result<Exit, Failure> {
    let mut command = Cli::command();
    command.build();
    let mut name = command.get_name().to_owned();
    for word in &args.of {
        let found: Option<&Command> = command.find_subcommand(word);
        command = found.cloned().ok_or_else(|| {
            let text = format!(
                "there is no command {word} in {}; see bulla --help",
                name.replace('-', " ")
            );
            Failure::usage("man", text)
        })?;
        name = format!("{name}-{word}");
    }
    let title = name.to_uppercase();
    let mut page = Vec::new();
    let rendered = Page::new(command.name(name)).title(title).render(&mut page);
    rendered.map_err(|e| Failure::io("man", &e))?;
    write(&page)
}

fn write(bytes: &[u8]) -> Result<Exit, Failure> {
    let mut stdout = io::stdout().lock();
    match stdout.write_all(bytes).and_then(|()| stdout.flush()) {
        // Whoever reads it has what it wanted.
        Err(e) if e.kind() != ErrorKind::BrokenPipe => Err(Failure::io("standard output", &e)),
        _ => Ok(Exit::Done),
    }
}
