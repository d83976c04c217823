//! Where and when it was measured.

use std::fs;
use std::path::Path;
use std::process::Command;

/// Facts that a figure is worth nothing without: a name and a value.
pub(crate) struct Machine(Vec<(&'static str, String)>);

impl Machine {
    /// This machine, now; `directory` is on the disk that is measured.
    pub(crate) fn new(directory: &Path, quick: bool) -> Machine {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let mut facts = vec![
            ("date", output("date", &["-u", "+%Y-%m-%d %H:%M UTC"])),
            ("command", command()),
            ("processor", processor()),
            ("cores", cores.to_string()),
            ("memory", memory()),
            ("kernel", output("uname", &["-srm"])),
            ("file system", file_system(directory)),
            ("bulla", env!("CARGO_PKG_VERSION").to_owned()),
            ("cipher's backend", bulla::BACKEND.to_owned()),
        ];
        if quick {
            facts.insert(
                0,
                (
                    "no measurement",
                    "a quick run: it shows that the report works, no more".to_owned(),
                ),
            );
        }
        Machine(facts)
    }

    /// The facts, in order.
    pub(crate) fn facts(&self) -> &[(&'static str, String)] {
        &self.0
    }

    /// The fact of this name.
    pub(crate) fn fact(&self, name: &str) -> &str {
        self.0.iter().find(|(known, _)| *known == name).map_or("", |(_, value)| value)
    }

    /// Adds the version of a peer.
    pub(crate) fn peer(&mut self, name: &'static str, version: String) {
        self.0.push((name, version));
    }
}

/// This command, without the directory that it lies in.
fn command() -> String {
    let mut args = std::env::args();
    let this = args.next().unwrap_or_default();
    let name = Path::new(&this).file_name().unwrap_or_default().to_string_lossy().into_owned();
    std::iter::once(name).chain(args).collect::<Vec<_>>().join(" ")
}

/// The last line that `df` says, since the first is a heading.
fn file_system(directory: &Path) -> String {
    let done = Command::new("df").arg("--output=fstype").arg(directory).output();
    let said =
        done.map(|done| String::from_utf8_lossy(&done.stdout).into_owned()).unwrap_or_default();
    said.lines().nth(1).unwrap_or("unknown").trim().to_owned()
}

/// The model, and the instructions that matter for AES-GCM.
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

/// The first line that a command says, on either output.
pub(crate) fn output(command: &str, args: &[&str]) -> String {
    let Ok(done) = Command::new(command).args(args).output() else {
        return "unknown".to_owned();
    };
    let said = [done.stdout, done.stderr].concat();
    String::from_utf8_lossy(&said).lines().next().unwrap_or("unknown").trim().to_owned()
}
