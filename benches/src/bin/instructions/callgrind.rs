//! Runs a case under callgrind and reads its instruction counts.

use std::collections::HashMap;
use std::fs;
use std::path::Path;
use std::process::Command;

use crate::Result;

/// A function and its exclusive instruction count, which does not include the functions it calls.
pub(crate) struct Function {
    pub(crate) name: String,
    /// Whether the function is in the executable rather than in a shared library.
    in_executable: bool,
    pub(crate) instructions: u64,
}

impl Function {
    /// Returns whether the function is Rust code.
    ///
    /// The cipher's assembly and the C library select their code by processor, so their counts
    /// cannot be compared between machines. Rust symbols contain a path or start with `_R`.
    pub(crate) fn is_rust(&self) -> bool {
        self.in_executable && (self.name.contains("::") || self.name.starts_with("_R"))
    }
}

/// Returns the functions that a case runs, the most expensive first.
pub(crate) fn functions(case: &str) -> Result<Vec<Function>> {
    let directory = tempfile::tempdir()?;
    let file = directory.path().join("counts");
    let this = std::env::current_exe()?;
    let output = Command::new("valgrind")
        .args(["--tool=callgrind", "--toggle-collect=*instructions*measured*"])
        .args(["--compress-strings=no", "--compress-pos=no"])
        .arg(format!("--callgrind-out-file={}", file.display()))
        // The executable's path and the environment are on the stack. Both are short and constant,
        // so that they do not shift the stack.
        .arg(Path::new(".").join(this.file_name().unwrap_or_default()))
        .args(["run", case])
        .current_dir(this.parent().unwrap_or(Path::new(".")))
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap_or_default())
        .output()
        .map_err(|error| format!("valgrind: cannot be run ({error}); install it"))?;
    if !output.status.success() {
        return Err(format!("{case}: {}", String::from_utf8_lossy(&output.stderr)).into());
    }
    let functions = parse(&fs::read_to_string(&file)?, &this.display().to_string());
    if functions.is_empty() {
        return Err(format!("{case}: callgrind counted no instructions").into());
    }
    Ok(functions)
}

/// Sums the cost lines of a callgrind file by function, without the inclusive costs of calls.
fn parse(counts: &str, executable: &str) -> Vec<Function> {
    let mut sums: HashMap<(&str, &str), u64> = HashMap::new();
    let (mut object, mut name, mut is_call_cost) = ("", "", false);
    for line in counts.lines() {
        if let Some(value) = line.strip_prefix("ob=") {
            object = value;
        } else if let Some(value) = line.strip_prefix("fn=") {
            name = value;
        } else if line.starts_with("calls=") {
            is_call_cost = true;
        } else if line.starts_with(|c: char| c.is_ascii_digit()) {
            let cost = line.split(' ').nth(1).and_then(|cost| cost.parse::<u64>().ok());
            if !std::mem::take(&mut is_call_cost) {
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
fn=bulla::seal
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
fn=bulla::seal
0 10

totals: 1617
";

    #[test]
    fn excludes_the_cost_of_calls() {
        let functions = parse(COUNTS, "/target/release/instructions");
        let found: Vec<_> =
            functions.iter().map(|f| (f.name.as_str(), f.instructions, f.is_rust())).collect();
        let expected = [
            ("ring_core_0_17_14__aes_gcm", 1000, false),
            ("_aes_loop", 500, false),
            ("memcpy", 90, false),
            ("bulla::seal", 27, true),
        ];
        assert_eq!(found, expected);
    }
}
