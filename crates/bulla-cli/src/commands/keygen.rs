//! `bulla keygen`

use bulla_key::key_text;

use crate::args::Keygen;
use crate::error::{Exit, Failure};
use crate::keys::new_key::NewKey;
use crate::keys::sheet;
use crate::process::cleanup::leftovers;
use crate::terminal::display::{DASH, shown, word};
use crate::terminal::streams::{print, say, stdout_is_terminal};

pub(super) fn run(args: &Keygen) -> Result<Exit, Failure> {
    if args.output.as_os_str() == DASH {
        let text = "a key goes to a file of its own, never to standard output; name one";
        return Err(Failure::usage("-o -", text));
    }
    if let Some(sheet) = &args.sheet {
        if *sheet == args.output {
            return Err(Failure::usage(
                shown(sheet),
                "the sheet and the key file are the same; name another file",
            ));
        }
        sheet::refuse(sheet)?;
    }
    let (mut new_key, key) = NewKey::create(&args.output)?;
    match &args.sheet {
        Some(sheet) => {
            let svg = sheet::draw(&key, args.paper, None);
            sheet::write(sheet, &svg, Some(&mut new_key))?;
        }
        None => new_key.keep(&mut leftovers()),
    }
    if args.quiet {
        return Ok(Exit::Done);
    }
    say(&format!(
        "{}: a new key; to use it: bulla seal -k {} FILE",
        shown(&args.output),
        word(&args.output)
    ));
    say(
        "Whoever loses it loses what it seals: keep a copy of it, on paper say, apart from the containers.",
    );
    if let Some(sheet) = &args.sheet {
        say(&sheet::advice(sheet));
    }
    // Never into a pipe or a file, where nobody expects a secret.
    if stdout_is_terminal() {
        print(&key_text::format(&key)).map_err(|e| Failure::io("standard output", &e))?;
    }
    Ok(Exit::Done)
}
