//! The recorded counts, stored in a CSV file, and their comparison with measured counts.

use std::collections::BTreeMap;
use std::fmt;
use std::fs;
use std::io;
use std::path::Path;

use crate::counts::Counts;
use crate::environment::Environment;

/// Relative tolerance for the Rust count, which does not vary for unchanged code.
const RUST_TOLERANCE: f64 = 0.01;
/// Relative tolerance for the total count. The C library's allocator takes more or fewer
/// instructions depending on earlier allocations anywhere in the process.
const TOTAL_TOLERANCE: f64 = 0.02;

/// The contents of the CSV file.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Baseline {
    environment: Environment,
    counts: BTreeMap<String, Counts>,
}

impl Baseline {
    pub(crate) fn new(environment: Environment) -> Baseline {
        Baseline { environment, counts: BTreeMap::new() }
    }

    pub(crate) fn read(file: &Path) -> Result<Baseline, String> {
        let text =
            fs::read_to_string(file).map_err(|error| format!("{}: {error}", file.display()))?;
        parse(&text).ok_or_else(|| {
            format!("{}: malformed; restore it, or recreate it with `record`", file.display())
        })
    }

    pub(crate) fn write(&self, file: &Path) -> io::Result<()> {
        fs::write(file, self.to_string())
    }

    pub(crate) fn environment(&self) -> &Environment {
        &self.environment
    }

    pub(crate) fn cases(&self) -> impl Iterator<Item = &str> {
        self.counts.keys().map(String::as_str)
    }

    pub(crate) fn insert(&mut self, case: &str, counts: Counts) {
        self.counts.insert(case.to_owned(), counts);
    }

    /// Compares a case's measured counts with its recorded ones.
    pub(crate) fn compare<'c>(
        &self,
        case: &'c str,
        measured: Counts,
        here: &Environment,
    ) -> Verdict<'c> {
        let compare_total = self.environment.same_machine_code(here);
        Verdict { case, measured, recorded: self.counts.get(case).copied(), compare_total }
    }
}

fn parse(text: &str) -> Option<Baseline> {
    let fact =
        |name: &str| text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "));
    let environment = Environment {
        compiler: fact("# compiler")?.to_owned(),
        valgrind: fact("# valgrind")?.to_owned(),
        c_library: fact("# C library")?.to_owned(),
        processor: fact("# processor")?.to_owned(),
    };
    let rows = text.lines().filter(|line| !line.starts_with('#')).skip(1);
    let counts = rows.map(|row| {
        let mut fields = row.split(',');
        let case = fields.next()?.to_owned();
        let rust = fields.next()?.parse().ok()?;
        let total = fields.next()?.parse().ok()?;
        Some((case, Counts { rust, total }))
    });
    Some(Baseline { environment, counts: counts.collect::<Option<_>>()? })
}

impl fmt::Display for Baseline {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "# Instructions counted by callgrind; see README.md. Written by `instructions record`."
        )?;
        writeln!(f, "# compiler: {}", self.environment.compiler)?;
        writeln!(f, "# valgrind: {}", self.environment.valgrind)?;
        writeln!(f, "# C library: {}", self.environment.c_library)?;
        writeln!(f, "# processor: {}", self.environment.processor)?;
        writeln!(f, "case,rust,total")?;
        self.counts
            .iter()
            .try_for_each(|(case, Counts { rust, total })| writeln!(f, "{case},{rust},{total}"))
    }
}

/// How a case's measured counts compare with its recorded ones.
pub(crate) struct Verdict<'c> {
    case: &'c str,
    measured: Counts,
    recorded: Option<Counts>,
    /// Whether the cipher and the C library run the same code as in the recorded environment.
    compare_total: bool,
}

impl Verdict<'_> {
    /// Returns whether the counts are within tolerance, in either direction.
    ///
    /// A lower count has to be recorded too. Otherwise, a later regression to the old count would
    /// pass.
    pub(crate) fn matches(&self) -> bool {
        self.recorded.is_some_and(|recorded| {
            within(RUST_TOLERANCE, self.measured.rust, recorded.rust)
                && (!self.compare_total
                    || within(TOTAL_TOLERANCE, self.measured.total, recorded.total))
        })
    }
}

fn within(tolerance: f64, measured: u64, recorded: u64) -> bool {
    measured.abs_diff(recorded) as f64 <= tolerance * recorded as f64
}

impl fmt::Display for Verdict<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Counts { rust, total } = self.measured;
        let Some(recorded) = self.recorded else {
            return write!(
                f,
                "DIFFERS: {}: rust {rust}, total {total}; no counts recorded",
                self.case
            );
        };
        let difference =
            |measured: u64, recorded: u64| (measured as f64 / recorded as f64 - 1.0) * 100.0;
        write!(
            f,
            "{}: {}: rust {rust}, recorded {}, {:+.2}%; total {total}, recorded {}, {:+.2}%",
            if self.matches() { "ok" } else { "DIFFERS" },
            self.case,
            recorded.rust,
            difference(rust, recorded.rust),
            recorded.total,
            difference(total, recorded.total),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn environment() -> Environment {
        let [compiler, valgrind, c_library, processor] =
            ["rustc 1.0.0", "valgrind-3.0", "ldd 2.0", "x86_64+aes"].map(str::to_owned);
        Environment { compiler, valgrind, c_library, processor }
    }

    fn baseline() -> Baseline {
        let mut baseline = Baseline::new(environment());
        baseline.insert("seal/4KiB/1MiB", Counts { rust: 1000, total: 100_000 });
        baseline.insert("open/4KiB/1MiB", Counts { rust: 2000, total: 200_000 });
        baseline
    }

    #[test]
    fn parses_its_own_output_and_rejects_missing_fields() {
        assert_eq!(parse(&baseline().to_string()), Some(baseline()));
        assert_eq!(parse("case,rust,total\n"), None);
        assert_eq!(parse(&format!("{}seal,1\n", baseline())), None);
    }

    #[test]
    fn reports_a_difference_in_either_count_and_either_direction() {
        let matches = |rust, total, here: &Environment| {
            baseline().compare("seal/4KiB/1MiB", Counts { rust, total }, here).matches()
        };
        let here = environment();
        assert!(
            matches(1000, 100_000, &here)
                && matches(1010, 102_000, &here)
                && matches(990, 98_000, &here)
        );
        assert!(!matches(1011, 100_000, &here) && !matches(989, 100_000, &here));
        assert!(!matches(1000, 102_001, &here) && !matches(1000, 97_999, &here));
        assert!(!baseline().compare("new", Counts { rust: 1, total: 1 }, &here).matches());

        // On another processor, only the Rust counts are compared.
        let elsewhere = Environment { processor: "x86_64".to_owned(), ..environment() };
        assert!(matches(1000, 300_000, &elsewhere) && !matches(1011, 300_000, &elsewhere));
        // Another compiler does not relax the bounds.
        let newer = Environment { compiler: "rustc 1.1.0".to_owned(), ..environment() };
        assert!(!matches(1011, 100_000, &newer));
        let note = baseline().environment().difference(&newer).unwrap().to_string();
        assert!(note.contains("rustc 1.0.0") && note.contains("rustc 1.1.0"), "{note}");
    }
}
