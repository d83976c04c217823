//! The conditions of a measurement: the machine, the time and the command.

use std::fs;
use std::path::Path;
use std::process::Command;

/// Named facts about the machine and the run, in the order of the report.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Machine(Vec<(String, String)>);

/// The name of the fact that marks a quick run, whose numbers mean nothing.
pub(crate) const NO_MEASUREMENT: &str = "no measurement";

impl Machine {
    /// Describes this machine. `directory` is on the disk to measure.
    pub(crate) fn detect(directory: &Path, quick: bool) -> Machine {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let mut facts = vec![
            ("date", first_line_of("date", &["-u", "+%Y-%m-%d %H:%M UTC"])),
            ("command", command()),
            ("processor", processor()),
            ("cores", cores.to_string()),
            ("memory", memory()),
            ("kernel", first_line_of("uname", &["-srm"])),
            ("file system", file_system(directory)),
            ("bulla", env!("CARGO_PKG_VERSION").to_owned()),
            ("cipher backend", bulla::BACKEND.to_owned()),
        ];
        if quick {
            let warning = "a quick run, which only tests that the report works";
            facts.insert(0, (NO_MEASUREMENT, warning.to_owned()));
        }
        Machine(facts.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
    }

    /// Restores a description from the facts that an earlier report stored.
    pub(crate) fn from_facts(facts: Vec<(String, String)>) -> Machine {
        Machine(facts)
    }

    /// Returns all facts, in order.
    pub(crate) fn facts(&self) -> &[(String, String)] {
        &self.0
    }

    /// Returns the fact called `name`, or an empty string.
    pub(crate) fn fact(&self, name: &str) -> &str {
        self.0.iter().find(|(known, _)| known == name).map_or("", |(_, value)| value)
    }

    /// Adds the version of a peer.
    pub(crate) fn add_peer(&mut self, name: &str, version: String) {
        self.0.push((name.to_owned(), version));
    }
}

/// Returns the first line that a command prints to standard output or standard error, or
/// `unknown`.
pub(crate) fn first_line_of(command: &str, args: &[&str]) -> String {
    let Ok(output) = Command::new(command).args(args).output() else {
        return "unknown".to_owned();
    };
    let printed = [output.stdout, output.stderr].concat();
    String::from_utf8_lossy(&printed).lines().next().unwrap_or("unknown").trim().to_owned()
}

/// Returns the command line of this process, without the directory of the executable.
fn command() -> String {
    let mut args = std::env::args();
    let this = args.next().unwrap_or_default();
    let name = Path::new(&this).file_name().unwrap_or_default().to_string_lossy().into_owned();
    std::iter::once(name).chain(args).collect::<Vec<_>>().join(" ")
}

/// Returns the type of the file system that holds `directory`.
fn file_system(directory: &Path) -> String {
    let output = Command::new("df").arg("--output=fstype").arg(directory).output();
    let printed =
        output.map(|out| String::from_utf8_lossy(&out.stdout).into_owned()).unwrap_or_default();
    // The first line is a heading.
    printed.lines().nth(1).unwrap_or("unknown").trim().to_owned()
}

/// Returns the processor model and the available instruction set extensions that AES-GCM uses.
fn processor() -> String {
    let info = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let field = |name: &str| {
        let line = info.lines().find(|line| line.starts_with(name))?;
        Some(line.split_once(':')?.1.trim().to_owned())
    };
    let flags = field("flags").or_else(|| field("Features")).unwrap_or_default();
    let known = ["aes", "pclmulqdq", "pmull", "vaes", "vpclmulqdq", "avx512f"];
    let found: Vec<&str> = flags.split(' ').filter(|flag| known.contains(flag)).collect();
    format!("{} ({})", field("model name").unwrap_or_else(|| "unknown".to_owned()), found.join(" "))
}

fn memory() -> String {
    let info = fs::read_to_string("/proc/meminfo").unwrap_or_default();
    let kib = info.split_whitespace().nth(1).and_then(|kib| kib.parse::<f64>().ok());
    kib.map_or("unknown".to_owned(), |kib| format!("{:.0} GiB", kib / f64::from(1 << 20)))
}
