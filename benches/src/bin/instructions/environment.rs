//! What counts depend on besides the code: the compiler, callgrind and the processor that it shows,
//! the C library.

use std::fmt;
use std::process::Command;

use crate::Result;

/// A compiler, a valgrind, a C library, a processor.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Environment {
    /// As `rustc --version` says.
    pub(crate) compiler: String,
    /// As `valgrind --version` says.
    pub(crate) valgrind: String,
    /// As `ldd --version` says; nothing where there is no such command.
    pub(crate) c_library: String,
    /// The extensions of the processor for which the cipher has code of its own.
    pub(crate) processor: String,
}

impl Environment {
    /// This one.
    pub(crate) fn find() -> Result<Environment> {
        let this = std::env::current_exe()?.display().to_string();
        Ok(Environment {
            compiler: said(&std::env::var("RUSTC").unwrap_or("rustc".to_owned()), &["--version"])?,
            valgrind: said("valgrind", &["--version"])?,
            c_library: said("ldd", &["--version"])
                .map_or(String::new(), |said| said.lines().next().unwrap_or_default().to_owned()),
            // Not of the real one: valgrind shows an older one.
            processor: said("valgrind", &["--tool=none", "--quiet", &this, "processor"])?,
        })
    }

    /// Whether the cipher and the C library are the same as there.
    pub(crate) fn same_machine(&self, other: &Environment) -> bool {
        self.valgrind == other.valgrind
            && self.c_library == other.c_library
            && self.processor == other.processor
    }

    /// What to know about counts that were recorded here and measured there.
    pub(crate) fn difference<'e>(&'e self, here: &'e Environment) -> Option<Difference<'e>> {
        (self != here).then_some(Difference { recorded: self, here })
    }
}

/// Two environments that differ.
pub(crate) struct Difference<'e> {
    recorded: &'e Environment,
    here: &'e Environment,
}

impl fmt::Display for Difference<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Difference { recorded, here } = self;
        if recorded.compiler != here.compiler {
            writeln!(
                f,
                "Recorded with another compiler ({}) than this one ({}). Counts that are out of bounds may be its doing: record \
                 the last commit that was within them anew with this compiler, and compare again.",
                recorded.compiler, here.compiler
            )?;
        }
        if !recorded.same_machine(here) {
            writeln!(
                f,
                "Recorded with {}, {}, {}; this is {}, {}, {}. The cipher or the C library may run other code there, so only our \
                 own instructions were compared.",
                recorded.valgrind,
                recorded.c_library,
                recorded.processor,
                here.valgrind,
                here.c_library,
                here.processor
            )?;
        }
        Ok(())
    }
}

/// What a program prints.
fn said(program: &str, args: &[&str]) -> Result<String> {
    let output = Command::new(program).args(args).output();
    let output =
        output.map_err(|error| format!("{program} cannot be run ({error}); is it installed?"))?;
    if !output.status.success() {
        return Err(
            format!("{program} {args:?}: {}", String::from_utf8_lossy(&output.stderr)).into()
        );
    }
    Ok(String::from_utf8(output.stdout)?.trim().to_owned())
}

/// The processor that this runs on.
#[cfg(target_arch = "x86_64")]
pub(crate) fn processor() -> String {
    let has = [
        ("aes", is_x86_feature_detected!("aes")),
        ("pclmulqdq", is_x86_feature_detected!("pclmulqdq")),
        ("movbe", is_x86_feature_detected!("movbe")),
        ("avx", is_x86_feature_detected!("avx")),
        ("avx2", is_x86_feature_detected!("avx2")),
        ("sha", is_x86_feature_detected!("sha")),
        ("avx512f", is_x86_feature_detected!("avx512f")),
    ];
    let names = has.iter().filter(|(_, has)| *has).map(|(name, _)| *name);
    std::iter::once("x86_64").chain(names).collect::<Vec<_>>().join("+")
}

/// The processor that this runs on.
#[cfg(not(target_arch = "x86_64"))]
pub(crate) fn processor() -> String {
    std::env::consts::ARCH.to_owned()
}
