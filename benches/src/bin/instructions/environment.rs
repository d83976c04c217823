//! What instruction counts depend on besides the code: the compiler, the C library, and valgrind
//! with the processor that it emulates.

use std::fmt;
use std::process::Command;

use crate::Result;

/// The environment in which counts were measured.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Environment {
    /// The output of `rustc --version`.
    pub(crate) compiler: String,
    /// The output of `valgrind --version`.
    pub(crate) valgrind: String,
    /// The first line of `ldd --version`, or empty if that command does not exist.
    pub(crate) c_library: String,
    /// The architecture, and the extensions for which the cipher has its own code.
    pub(crate) processor: String,
}

impl Environment {
    /// Inspects this machine.
    pub(crate) fn detect() -> Result<Environment> {
        let this = std::env::current_exe()?.display().to_string();
        let compiler = std::env::var("RUSTC").unwrap_or("rustc".to_owned());
        Ok(Environment {
            compiler: output_of(&compiler, &["--version"])?,
            valgrind: output_of("valgrind", &["--version"])?,
            c_library: output_of("ldd", &["--version"]).map_or(String::new(), |output| {
                output.lines().next().unwrap_or_default().to_owned()
            }),
            // Run under valgrind, which emulates a processor that is older than the real one.
            processor: output_of("valgrind", &["--tool=none", "--quiet", &this, "processor"])?,
        })
    }

    /// Returns whether the cipher and the C library run the same code in both environments.
    pub(crate) fn same_machine_code(&self, other: &Environment) -> bool {
        self.valgrind == other.valgrind
            && self.c_library == other.c_library
            && self.processor == other.processor
    }

    /// Returns how the recorded environment differs from `here`, or `None` if it does not.
    pub(crate) fn difference<'e>(&'e self, here: &'e Environment) -> Option<Difference<'e>> {
        (self != here).then_some(Difference { recorded: self, here })
    }
}

/// A recorded environment that differs from this machine's.
///
/// Formats as advice on how to interpret the counts.
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
                "note: recorded with {}, measured with {}. The compiler may be why counts are \
                 out of bounds. With this compiler, record the counts of the last commit that \
                 was within bounds, then check again.",
                recorded.compiler, here.compiler
            )?;
        }
        if !recorded.same_machine_code(here) {
            writeln!(
                f,
                "note: recorded with {}, {}, {}; measured with {}, {}, {}. The cipher and the C \
                 library may run different code there, so only the Rust counts were compared.",
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

/// Returns the standard output of a program.
fn output_of(program: &str, args: &[&str]) -> Result<String> {
    let output = Command::new(program).args(args).output();
    let output =
        output.map_err(|error| format!("{program}: cannot be run ({error}); install it"))?;
    if !output.status.success() {
        return Err(
            format!("{program} {args:?}: {}", String::from_utf8_lossy(&output.stderr)).into()
        );
    }
    Ok(String::from_utf8(output.stdout)?.trim().to_owned())
}

/// Returns the processor that this process runs on.
#[cfg(target_arch = "x86_64")]
pub(crate) fn processor() -> String {
    let extensions = [
        ("aes", is_x86_feature_detected!("aes")),
        ("pclmulqdq", is_x86_feature_detected!("pclmulqdq")),
        ("movbe", is_x86_feature_detected!("movbe")),
        ("avx", is_x86_feature_detected!("avx")),
        ("avx2", is_x86_feature_detected!("avx2")),
        ("sha", is_x86_feature_detected!("sha")),
        ("avx512f", is_x86_feature_detected!("avx512f")),
    ];
    let detected = extensions.iter().filter(|(_, detected)| *detected).map(|(name, _)| *name);
    std::iter::once("x86_64").chain(detected).collect::<Vec<_>>().join("+")
}

/// Returns the processor that this process runs on.
#[cfg(not(target_arch = "x86_64"))]
pub(crate) fn processor() -> String {
    std::env::consts::ARCH.to_owned()
}
