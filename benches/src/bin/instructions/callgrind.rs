//! Runs a case under callgrind, and reads what it counted.

use std::collections::HashMap;
use std::fs;
use std::path::Path;
use std::process::Command;

use crate::Result;

/// A function, and the instructions that it ran itself.
pub(crate) struct Function {
    pub(crate) name: String,
    /// Whether it lies in the executable, not in a shared library.
    in_executable: bool,
    pub(crate) instructions: u64,
}

impl Function {
    /// Whether these instructions come from code in Rust, ours or what is compiled into it: not
    /// from the cipher's assembly, and not from the C library, which has other code for other
    /// processors. Only names in Rust have paths, or begin with `_R`.
    pub(crate) fn is_own(&self) -> bool {
        self.in_executable && (self.name.contains("::") || self.name.starts_with("_R"))
    }
}

/// The functions of one case, the most costly first.
pub(crate) fn functions(case: &str) -> Result<Vec<Function>> {
    let directory = tempfile::tempdir()?;
    let file = directory.path().join("counts");
    let this = std::env::current_exe()?;
    let output = Command::new("valgrind")
        .args(["--tool=callgrind", "--toggle-collect=*instructions*measured*"])
        .args(["--compress-strings=no", "--compress-pos=no"])
        .arg(format!("--callgrind-out-file={}", file.display()))
        // Where the executable lies and what is in the environment should move neither stack nor
        // heap.
        .arg(Path::new(".").join(this.file_name().unwrap_or_default()))
        .args(["run", case])
        .current_dir(this.parent().unwrap_or(Path::new(".")))
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap_or_default())
        .output()
        .map_err(|error| format!("valgrind cannot be run ({error}); is it installed?"))?;
    if !output.status.success() {
        return Err(format!("{case}: {}", String::from_utf8_lossy(&output.stderr)).into());
    }
    let functions = parse(&fs::read_to_string(&file)?, &this.display().to_string());
    if functions.is_empty() {
        return Err(format!("{case}: callgrind counted nothing").into());
    }
    Ok(functions)
}

/// Sums up the lines of costs by function, without those of the functions that it calls.
fn parse(counts: &str, executable: &str) -> Vec<Function> {
    let mut sums: HashMap<(&str, &str), u64> = HashMap::new();
    let (mut object, mut name, mut of_call) = ("", "", false);
    for line in counts.lines() {
        if let Some(value) = line.strip_prefix("ob=") {
            object = value;
        } else if let Some(value) = line.strip_prefix("fn=") {
            name = value;
        } else if line.starts_with("calls=") {
            of_call = true;
        } else if line.starts_with(|c: char| c.is_ascii_digit()) {
            let cost = line.split(' ').nth(1).and_then(|cost| cost.parse::<u64>().ok());
            if !std::mem::take(&mut of_call) {
                *sums.entry((object, name)).or_default() += cost.unwrap_or(0);
            }
        }
    }
    let mut functions: Vec<Function> = sums
        .into_iter()
        .filter(|(_, instructions)| *instructions > 0)
        .map(|((object, name), instructions)| Function {
            name: name.to_owned(),
            in_executable: object == executable,
            instructions,
        })
        .collect();
    functions.sort_by(|a, b| b.instructions.cmp(&a.instructions).then_with(|| a.name.cmp(&b.name)));
    functions
}

#[cfg(test)]
mod tests {
    use super::*;

    const COUNTS: &str = "\
# callgrind format
version: 1
events: Ir
summary: 1617

ob=/target/release/instructions
fl=???
fn=bulla::oneshot::seal
0 10
0 7
cob=/target/release/instructions
cfi=???
cfn=ring_core_0_17_14__aes_gcm
calls=1 0
0 1000
cob=/lib/libc.so.6
cfi=???
cfn=memcpy
calls=3 0
0 90

fn=ring_core_0_17_14__aes_gcm
0 1000
fn=_aes_loop
0 500

ob=/lib/libc.so.6
fn=memcpy
0 90

ob=/target/release/instructions
fn=bulla::oneshot::seal
0 10

totals: 1617
";

    #[test]
    fn costs_of_calls_are_not_counted_twice() {
        let functions = parse(COUNTS, "/target/release/instructions");
        let found: Vec<_> =
            functions.iter().map(|f| (f.name.as_str(), f.instructions, f.is_own())).collect();
        let expected = [
            ("ring_core_0_17_14__aes_gcm", 1000, false),
            ("_aes_loop", 500, false),
            ("memcpy", 90, false),
            ("bulla::oneshot::seal", 27, true),
        ];
        assert_eq!(found, expected);
    }
}
