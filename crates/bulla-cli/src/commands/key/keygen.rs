//! `bulla keygen`

use bulla_key::key_text;

use crate::args::keys::KeygenArgs;
use crate::error::{Exit, Failure};
use crate::io::path::is_dash;
use crate::keys::new_key::NewKeyFile;
use crate::keys::sheet;
use crate::process::cleanup::Cleanup;
use crate::terminal::display::{shell_word, shown};
use crate::terminal::message::{print, say, stdout_is_terminal};

pub(crate) fn run(args: &KeygenArgs) -> Result<Exit, Failure> {
    if is_dash(&args.output) {
        let problem = "a key is never written to standard output; name a file";
        return Err(Failure::usage("-o -", problem));
    }
    if let Some(sheet) = &args.sheet {
        if *sheet == args.output {
            return Err(Failure::usage(
                shown(sheet),
                "the sheet and the key file are the same file; choose another name",
            ));
        }
        sheet::reject_unusable(sheet)?;
    }
    let (mut new_key, key) = NewKeyFile::generate(&args.output)?;
    match &args.sheet {
        Some(sheet) => {
            let svg = sheet::draw(&key, args.paper, None);
            sheet::write(sheet, &svg, Some(&mut new_key))?;
        }
        None => new_key.keep(&mut Cleanup::lock()),
    }
    if args.quiet.quiet {
        return Ok(Exit::Success);
    }
    say(&format!(
        "{}: new key; to use it: bulla seal -k {} FILE",
        shown(&args.output),
        shell_word(&args.output)
    ));
    say("If you lose the key, all data sealed with it is lost. Keep a copy elsewhere.");
    if let Some(sheet) = &args.sheet {
        say(&sheet::advice(sheet));
    }
    // Never to a pipe or a file, where nobody expects a secret.
    if stdout_is_terminal() {
        print(&key_text::format(&key)).map_err(|e| Failure::io("standard output", &e))?;
    }
    Ok(Exit::Success)
}
