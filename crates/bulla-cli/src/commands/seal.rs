//! `bulla seal`

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use bulla::{Key, Options, Sealed, Sealer};

use super::open::default_output;
use crate::args::Seal;
use crate::failure::{Exit, Failure};
use crate::input::Input;
use crate::key_source::KeySource;
use crate::names::{DASH, bytes, shown, word};
use crate::new_key::{self, NewKey};
use crate::output::{Output, Target};
use crate::progress::watch;
use crate::staging::Access;
use crate::streams::{note, say};
use crate::team::Team;

pub(super) fn run(args: &Seal) -> Result<Exit, Failure> {
    let team = Team::new(args.working.threads)?;
    let mut input = Input::open(args.input.as_deref())?;
    let target = Target::resolve(&output_path(args, &input), args.writing.force)?;
    let source = key_source(args, &input, &target)?;

    let output = target.create(Access::Umask)?;
    if output.is_terminal() {
        let text = "a container is nothing to read on a terminal; name a file with -o FILE, or use a pipe";
        return Err(Failure::usage(target.name(), text));
    }
    let (key, mut new_key) = match &args.new_key {
        Some(path) => NewKey::create(path).map(|(new_key, key)| (key, Some(new_key)))?,
        None => (source.read_for_sealing()?, None),
    };

    let options = Options::new().chunk_size(args.chunk_size).workers(team.workers());
    let sealed = watch(input.len(), args.working.quiet, |progress| {
        seal(&key, &mut input, &output, &options.progress(progress), !args.writing.no_sync)
    });
    let sealed = sealed.map_err(|e| Failure::of_work(&e, &input.name, &target.name()))?;
    output.commit(&target.name(), new_key.as_mut(), !args.writing.no_sync)?;

    if !args.working.quiet {
        report(args, &input, &target, &source, &sealed);
    }
    if sealed.source_grew {
        let text = "it grew while it was sealed; what came after its first length is left out";
        note(&format!("{}: warning: {text}", input.name));
        return Ok(Exit::Warnings);
    }
    Ok(Exit::Done)
}

fn seal(
    key: &Key,
    input: &mut Input,
    output: &Output,
    options: &Options<'_>,
    sync: bool,
) -> bulla::Result<Sealed> {
    let len = input.positional_len().map(|len| bulla::sealed_len(len, options)).transpose()?;
    output.fill(len, sync, |file| write(key, input, file, options, len.is_some() && !output.is_redirected()))
}

fn write(
    key: &Key,
    input: &mut Input,
    output: &File,
    options: &Options<'_>,
    positional: bool,
) -> bulla::Result<Sealed> {
    if positional {
        return bulla::seal_file(key, &input.file, output, options);
    }
    let mut sealer = Sealer::new(key, output, options)?;
    sealer.copy_from(&mut input.file)?;
    Ok(sealer.finish()?.1)
}

fn output_path(args: &Seal, input: &Input) -> PathBuf {
    match (&args.output, &input.path) {
        (Some(output), _) => output.clone(),
        (None, Some(input)) => {
            let mut name = input.clone().into_os_string();
            name.push(".bulla");
            name.into()
        }
        (None, None) => DASH.into(),
    }
}

/// Where the key comes from, once it is clear that no two of the files are one.
fn key_source(args: &Seal, input: &Input, target: &Target) -> Result<KeySource, Failure> {
    let same = |text| Err(Failure::usage(target.name(), text));
    if target.is(input.identity().as_ref()) {
        return same("the output is the input; name another file with -o");
    }
    let Some(new_key) = &args.new_key else {
        let source = KeySource::new(args.key.file.as_deref())?;
        let key_file = source.identity();
        if target.is(key_file.as_ref()) {
            return same("the output is the key file; name another file with -o");
        }
        if key_file.is_some() && key_file == input.identity() {
            let text = "the input is the key file itself; a key that is sealed under itself is lost";
            return Err(Failure::usage(&input.name, text));
        }
        return Ok(source);
    };
    new_key::refuse_existing(new_key)?;
    if matches!(target, Target::New(output) if same_place(output, new_key)) {
        return same("the output and the new key file are the same; name another file");
    }
    Ok(KeySource::File(new_key.clone()))
}

/// Whether two files that do not exist yet would be one.
pub(super) fn same_place(a: &Path, b: &Path) -> bool {
    let folder = |path: &Path| fs::canonicalize(Path::new(".").join(path.parent()?)).ok();
    a.file_name() == b.file_name() && folder(a) == folder(b)
}

fn report(args: &Seal, input: &Input, target: &Target, source: &KeySource, sealed: &Sealed) {
    say(&format!("{}: sealed {} of {}", target.name(), bytes(sealed.plaintext_len), input.name));
    let key = source.path().map(|path| format!(" -k {}", word(path))).unwrap_or_default();
    say(&format!("To open it again: bulla open{key} {}", operands(input, target)));
    if let Some(path) = &args.new_key {
        let name = shown(path);
        say(&format!("Whoever loses {name} loses the data: keep a copy of it apart from the container."));
    }
}

/// What has to stand behind `bulla open -k KEYFILE` to get the input back.
fn operands(input: &Input, target: &Target) -> String {
    let Some(path) = target.path() else {
        return "CONTAINER -o FILE".to_owned();
    };
    if default_output(path).is_some() {
        return word(path);
    }
    let name = input.path.as_deref().and_then(Path::file_name).map_or(Path::new("FILE"), Path::new);
    format!("{} -o {}", word(path), word(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_ways_to_one_place() {
        assert!(same_place(Path::new("x"), Path::new("./x")));
        assert!(same_place(Path::new("src/../x"), Path::new("x")));
        assert!(!same_place(Path::new("x"), Path::new("y")));
        assert!(!same_place(Path::new("src/x"), Path::new("x")));
    }
}
