//! Which of the things that are found are backed up: the patterns after --exclude and --include.

use globset::{Candidate, Glob, GlobBuilder, GlobSet, GlobSetBuilder};

use crate::error::Failure;

pub(crate) struct Filter {
    exclude: Patterns,
    /// None if everything is included.
    include: Option<Patterns>,
}

impl Filter {
    pub(crate) fn new(exclude: &[String], include: &[String]) -> Result<Filter, Failure> {
        let exclude = Patterns::new("--exclude", exclude)?;
        let include =
            if include.is_empty() { None } else { Some(Patterns::new("--include", include)?) };
        Ok(Filter { exclude, include })
    }

    /// Whether `name` is left out, and what lies in it if it is a directory. It is enough to ask
    /// for each name on the way down.
    pub(crate) fn excludes(&self, name: &[u8], is_directory: bool) -> bool {
        self.exclude.match_one(name, is_directory)
    }

    /// Whether `name`, which is no directory, is to be backed up: it, or a directory that it lies
    /// in, matches.
    pub(crate) fn includes(&self, name: &[u8]) -> bool {
        let Some(include) = &self.include else { return true };
        let slashes = (0..name.len()).filter(|at| name[*at] == b'/');
        include.match_one(name, false)
            || slashes.into_iter().any(|at| include.match_one(&name[..at], true))
    }
}

/// Patterns for anything, and such that end in a slash and are for directories.
struct Patterns {
    any: Scopes,
    directories: Scopes,
}

/// Patterns with a slash, which are for whole names, and without, which are for the last component.
struct Scopes {
    names: GlobSet,
    last: GlobSet,
}

impl Patterns {
    fn new(option: &str, patterns: &[String]) -> Result<Patterns, Failure> {
        let mut sets = [const { (Vec::new(), Vec::new()) }; 2];
        for pattern in patterns {
            let usage = |why: &str| Failure::usage(format!("{option} {pattern}"), why);
            let stripped = pattern.strip_prefix("./").unwrap_or(pattern);
            let (stripped, is_for_directories) = match stripped.strip_suffix('/') {
                Some(stripped) => (stripped, true),
                None => (stripped, false),
            };
            if stripped.is_empty() {
                return Err(usage("this matches nothing; name what it should match"));
            }
            if stripped.starts_with('/') {
                let why = "names in the archive begin with the last name of a PATH, and never with a slash; \
                           write photos/raw, not /home/me/photos/raw";
                return Err(usage(why));
            }
            // `*` stays within a component, `**` does not.
            let glob = GlobBuilder::new(stripped).literal_separator(true).build();
            let glob = glob.map_err(|e| usage(&format!("no pattern: {}", e.kind())))?;
            let set = &mut sets[usize::from(is_for_directories)];
            if stripped.contains('/') { set.0.push(glob) } else { set.1.push(glob) }
        }
        let compile = |(names, last): (Vec<Glob>, Vec<Glob>)| -> Result<Scopes, globset::Error> {
            Ok(Scopes { names: set(names)?, last: set(last)? })
        };
        let [any, directories] = sets.map(compile);
        let failure =
            |e: globset::Error| Failure::usage(option, format!("too large: {}", e.kind()));
        Ok(Patterns { any: any.map_err(failure)?, directories: directories.map_err(failure)? })
    }

    fn match_one(&self, name: &[u8], is_directory: bool) -> bool {
        self.any.match_one(name) || (is_directory && self.directories.match_one(name))
    }
}

impl Scopes {
    fn match_one(&self, name: &[u8]) -> bool {
        let last = name.rsplit(|byte| *byte == b'/').next().unwrap_or(name);
        (!self.names.is_empty() && self.names.is_match_candidate(&Candidate::from_bytes(name)))
            || (!self.last.is_empty() && self.last.is_match_candidate(&Candidate::from_bytes(last)))
    }
}

fn set(globs: Vec<Glob>) -> Result<GlobSet, globset::Error> {
    let mut builder = GlobSetBuilder::new();
    globs.into_iter().for_each(|glob| {
        builder.add(glob);
    });
    builder.build()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn excludes(pattern: &str, name: &[u8], is_directory: bool) -> bool {
        Filter::new(&[pattern.to_owned()], &[]).unwrap().excludes(name, is_directory)
    }

    #[test]
    fn patterns() {
        for (pattern, yes, no) in [
            (
                "*.tmp",
                &[&b"a.tmp"[..], b"p/q/a.tmp", b"p/caf\xe9.tmp", b".tmp"][..],
                &[&b"a.tmpx"[..], b"tmp"][..],
            ),
            ("cache", &[b"cache", b"p/cache"], &[b"cache2", b"cache/x"]),
            ("p/raw", &[b"p/raw"], &[b"raw", b"q/p/raw", b"p/raw/x"]),
            ("./p/raw", &[b"p/raw"], &[b"raw"]),
            ("p/*.jpg", &[b"p/a.jpg"], &[b"p/q/a.jpg", b"a.jpg"]),
            ("**/cache", &[b"cache", b"p/q/cache"], &[b"p/cached"]),
            ("p/**/a", &[b"p/a", b"p/q/r/a"], &[b"a"]),
            ("[ab].{x,y}", &[b"a.x", b"p/b.y"], &[b"c.x"]),
            ("?", &[b"a", b"p/b"], &[b"ab"]),
        ] {
            yes.iter()
                .for_each(|name| assert!(excludes(pattern, name, false), "{pattern} {name:?}"));
            no.iter()
                .for_each(|name| assert!(!excludes(pattern, name, false), "{pattern} {name:?}"));
        }
        assert!(excludes("cache/", b"p/cache", true) && !excludes("cache/", b"p/cache", false));
    }

    #[test]
    fn includes() {
        let filter =
            Filter::new(&[], &["*.jpg".to_owned(), "p/raw".to_owned(), "keep/".to_owned()])
                .unwrap();
        for (name, included) in [
            (&b"a.jpg"[..], true),
            (b"p/q/a.jpg", true),
            (b"p/raw/deep/x", true),
            (b"q/keep/x", true),
            (b"q/keep", false),
            (b"p/a.png", false),
            (b"album.jpg/x", true),
        ] {
            assert_eq!(filter.includes(name), included, "{}", name.escape_ascii());
        }
    }

    #[test]
    fn no_patterns() {
        for pattern in ["", "/", "./", "/home/me", "a[", "{a"] {
            assert!(Filter::new(&[pattern.to_owned()], &[]).is_err(), "{pattern}");
            assert!(Filter::new(&[], &[pattern.to_owned()]).is_err(), "{pattern}");
        }
    }
}
