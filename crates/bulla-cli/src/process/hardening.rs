//! Keeps keys out of core dumps where the system supports it.

/// Disables core dumps, and denies the user's other processes access to this process's memory.
pub(crate) fn protect_memory() {
    #[cfg(any(target_os = "linux", target_os = "android"))]
    {
        use rustix::process::{DumpableBehavior, set_dumpable_behavior};
        // Best effort: if the system refuses, a backup is still better than none.
        let _ = set_dumpable_behavior(DumpableBehavior::NotDumpable);
    }
    #[cfg(unix)]
    {
        use rustix::process::{Resource, Rlimit, setrlimit};
        let _ = setrlimit(Resource::Core, Rlimit { current: Some(0), maximum: Some(0) });
    }
}
