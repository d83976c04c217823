//! The patterns of --exclude and --include.

use globset::{Candidate, Glob, GlobBuilder, GlobSet, GlobSetBuilder};

use crate::error::Failure;

pub(crate) struct Filter {
    exclude: Patterns,
    /// `None` if everything is included.
    include: Option<Patterns>,
}

impl Filter {
    pub(crate) fn new(exclude: &[String], include: &[String]) -> Result<Filter, Failure> {
        let exclude = Patterns::new("--exclude", exclude)?;
        let include =
            if include.is_empty() { None } else { Some(Patterns::new("--include", include)?) };
        Ok(Filter { exclude, include })
    }

    /// Returns whether `path`, and everything below it, is excluded. The walk checks every
    /// directory on the way down.
    pub(crate) fn excludes(&self, path: &[u8], is_directory: bool) -> bool {
        self.exclude.matches(path, is_directory)
    }

    /// Returns whether `path`, which is not a directory, is included because it or one of its
    /// parent directories matches.
    pub(crate) fn includes(&self, path: &[u8]) -> bool {
        let Some(include) = &self.include else { return true };
        let mut slashes = (0..path.len()).filter(|at| path[*at] == b'/');
        include.matches(path, false) || slashes.any(|at| include.matches(&path[..at], true))
    }
}

/// The patterns of one option. Patterns with a trailing slash match directories only.
struct Patterns {
    any: Scopes,
    directories: Scopes,
}

/// Patterns that contain a slash match the whole path; the others match the last component.
struct Scopes {
    whole_path: GlobSet,
    last_component: GlobSet,
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
                return Err(usage("empty pattern; write the name of a file or directory"));
            }
            if stripped.starts_with('/') {
                let why = "paths in the archive do not start with a slash; write photos/raw, \
                           not /home/me/photos/raw";
                return Err(usage(why));
            }
            // `*` does not match a slash, `**` does.
            let glob = GlobBuilder::new(stripped).literal_separator(true).build();
            let glob = glob.map_err(|e| usage(&format!("invalid pattern: {}", e.kind())))?;
            let set = &mut sets[usize::from(is_for_directories)];
            if stripped.contains('/') { set.0.push(glob) } else { set.1.push(glob) }
        }
        let compile = |(whole, last): (Vec<Glob>, Vec<Glob>)| -> Result<Scopes, globset::Error> {
            Ok(Scopes { whole_path: set(whole)?, last_component: set(last)? })
        };
        let [any, directories] = sets.map(compile);
        let failure =
            |e: globset::Error| Failure::usage(option, format!("patterns too large: {}", e.kind()));
        Ok(Patterns { any: any.map_err(failure)?, directories: directories.map_err(failure)? })
    }

    fn matches(&self, path: &[u8], is_directory: bool) -> bool {
        self.any.matches(path) || (is_directory && self.directories.matches(path))
    }
}

impl Scopes {
    fn matches(&self, path: &[u8]) -> bool {
        let last = path.rsplit(|byte| *byte == b'/').next().unwrap_or(path);
        let matches = |set: &GlobSet, path: &[u8]| {
            !set.is_empty() && set.is_match_candidate(&Candidate::from_bytes(path))
        };
        matches(&self.whole_path, path) || matches(&self.last_component, last)
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

    fn excludes(pattern: &str, path: &[u8], is_directory: bool) -> bool {
        Filter::new(&[pattern.to_owned()], &[]).unwrap().excludes(path, is_directory)
    }

    #[test]
    fn excludes_what_a_pattern_matches() {
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
                .for_each(|path| assert!(excludes(pattern, path, false), "{pattern} {path:?}"));
            no.iter()
                .for_each(|path| assert!(!excludes(pattern, path, false), "{pattern} {path:?}"));
        }
        assert!(excludes("cache/", b"p/cache", true) && !excludes("cache/", b"p/cache", false));
    }

    #[test]
    fn includes_what_is_below_a_match() {
        let filter =
            Filter::new(&[], &["*.jpg".to_owned(), "p/raw".to_owned(), "keep/".to_owned()])
                .unwrap();
        for (path, included) in [
            (&b"a.jpg"[..], true),
            (b"p/q/a.jpg", true),
            (b"p/raw/deep/x", true),
            (b"q/keep/x", true),
            (b"q/keep", false),
            (b"p/a.png", false),
            (b"album.jpg/x", true),
        ] {
            assert_eq!(filter.includes(path), included, "{}", path.escape_ascii());
        }
    }

    #[test]
    fn rejects_invalid_patterns() {
        for pattern in ["", "/", "./", "/home/me", "a[", "{a"] {
            assert!(Filter::new(&[pattern.to_owned()], &[]).is_err(), "{pattern}");
            assert!(Filter::new(&[], &[pattern.to_owned()]).is_err(), "{pattern}");
        }
    }
}
