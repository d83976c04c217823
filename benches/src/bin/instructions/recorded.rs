//! The recorded counts: a file of comma-separated values, and how measured ones compare with it.

use std::collections::BTreeMap;
use std::fmt;
use std::fs;
use std::io;
use std::path::Path;

use crate::counts::Counts;
use crate::environment::Environment;

/// How far a count of our own may lie from what is recorded, in parts of it: unchanged code gives
/// the same.
const OWN: f64 = 0.01;
/// The same for the count of all. The C library takes more or less time to find memory, by what was
/// allocated before: anywhere.
const ALL: f64 = 0.02;

/// What the file holds.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Recorded {
    environment: Environment,
    counts: BTreeMap<String, Counts>,
}

impl Recorded {
    pub(crate) fn new(environment: Environment) -> Recorded {
        Recorded { environment, counts: BTreeMap::new() }
    }

    pub(crate) fn read(file: &Path) -> Result<Recorded, String> {
        let text =
            fs::read_to_string(file).map_err(|error| format!("{}: {error}", file.display()))?;
        parse(&text).ok_or_else(|| format!("{}: malformed", file.display()))
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

    pub(crate) fn put(&mut self, case: &str, counts: Counts) {
        self.counts.insert(case.to_owned(), counts);
    }

    pub(crate) fn judge<'c>(
        &self,
        case: &'c str,
        measured: Counts,
        here: &Environment,
    ) -> Verdict<'c> {
        let compare_all = self.environment.same_machine(here);
        Verdict { case, measured, recorded: self.counts.get(case).copied(), compare_all }
    }
}

fn parse(text: &str) -> Option<Recorded> {
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
        let own = fields.next()?.parse().ok()?;
        let all = fields.next()?.parse().ok()?;
        Some((case, Counts { own, all }))
    });
    Some(Recorded { environment, counts: counts.collect::<Option<_>>()? })
}

impl fmt::Display for Recorded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "# Instructions by callgrind; see the README beside. Written by `instructions record`."
        )?;
        writeln!(f, "# compiler: {}", self.environment.compiler)?;
        writeln!(f, "# valgrind: {}", self.environment.valgrind)?;
        writeln!(f, "# C library: {}", self.environment.c_library)?;
        writeln!(f, "# processor: {}", self.environment.processor)?;
        writeln!(f, "case,own,all")?;
        self.counts
            .iter()
            .try_for_each(|(case, Counts { own, all })| writeln!(f, "{case},{own},{all}"))
    }
}

/// How the counts of a case compare.
pub(crate) struct Verdict<'c> {
    case: &'c str,
    measured: Counts,
    recorded: Option<Counts>,
    /// Whether the cipher and the C library run the same code as where it was recorded.
    compare_all: bool,
}

impl Verdict<'_> {
    /// A count that fell is a difference too: recorded, it cannot rise again unseen.
    pub(crate) fn is_well(&self) -> bool {
        self.recorded.is_some_and(|recorded| {
            within(OWN, self.measured.own, recorded.own)
                && (!self.compare_all || within(ALL, self.measured.all, recorded.all))
        })
    }
}

fn within(tolerance: f64, measured: u64, recorded: u64) -> bool {
    measured.abs_diff(recorded) as f64 <= tolerance * recorded as f64
}

impl fmt::Display for Verdict<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Counts { own, all } = self.measured;
        let Some(recorded) = self.recorded else {
            return write!(f, "{}: {own} own of {all}; NOTHING IS RECORDED", self.case);
        };
        let difference =
            |measured: u64, recorded: u64| (measured as f64 / recorded as f64 - 1.0) * 100.0;
        write!(
            f,
            "{}: {}: own {own}, recorded {}, {:+.2}%; all {all}, recorded {}, {:+.2}%",
            if self.is_well() { "well" } else { "DIFFERS" },
            self.case,
            recorded.own,
            difference(own, recorded.own),
            recorded.all,
            difference(all, recorded.all),
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

    fn recorded() -> Recorded {
        let mut recorded = Recorded::new(environment());
        recorded.put("seal/4KiB/1MiB", Counts { own: 1000, all: 100_000 });
        recorded.put("open/4KiB/1MiB", Counts { own: 2000, all: 200_000 });
        recorded
    }

    #[test]
    fn there_and_back() {
        assert_eq!(parse(&recorded().to_string()), Some(recorded()));
        assert_eq!(parse("case,own,all\n"), None);
        assert_eq!(parse(&format!("{}seal,1\n", recorded())), None);
    }

    #[test]
    fn a_difference_is_seen_in_either_count_and_either_direction() {
        let well = |own, all, here: &Environment| {
            recorded().judge("seal/4KiB/1MiB", Counts { own, all }, here).is_well()
        };
        let here = environment();
        assert!(
            well(1000, 100_000, &here) && well(1010, 102_000, &here) && well(990, 98_000, &here)
        );
        assert!(!well(1011, 100_000, &here) && !well(989, 100_000, &here));
        assert!(!well(1000, 102_001, &here) && !well(1000, 97_999, &here));
        assert!(!recorded().judge("new", Counts { own: 1, all: 1 }, &here).is_well());

        // On another processor only our own code is the same.
        let elsewhere = Environment { processor: "x86_64".to_owned(), ..environment() };
        assert!(well(1000, 300_000, &elsewhere) && !well(1011, 300_000, &elsewhere));
        // Another compiler excuses nothing.
        let newer = Environment { compiler: "rustc 1.1.0".to_owned(), ..environment() };
        assert!(!well(1011, 100_000, &newer));
        let said = recorded().environment().difference(&newer).unwrap().to_string();
        assert!(said.contains("rustc 1.0.0") && said.contains("rustc 1.1.0"), "{said}");
    }
}
