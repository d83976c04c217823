//! Keeps keys out of core dumps, where the operating system allows it.

/// Disables core dumps, and prevents other processes of the same user from reading this process's
/// memory. Failures are ignored, because a system that refuses this can still run a vault.
pub(crate) fn disable_core_dumps() {
    #[cfg(any(target_os = "linux", target_os = "android"))]
    {
        use rustix::process::{DumpableBehavior, set_dumpable_behavior};
        // Best effort; see above.
        let _ = set_dumpable_behavior(DumpableBehavior::NotDumpable);
    }
    #[cfg(unix)]
    {
        use rustix::process::{Resource, Rlimit, setrlimit};
        let _ = setrlimit(Resource::Core, Rlimit { current: Some(0), maximum: Some(0) });
    }
}
