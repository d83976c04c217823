//! Keeps keys out of core dumps, where the system lets us.

/// From now on, the process leaves no core dump, and others of the same user cannot read its
/// memory.
pub(crate) fn keep_secrets_in_memory() {
    #[cfg(any(target_os = "linux", target_os = "android"))]
    {
        use rustix::process::{DumpableBehavior, set_dumpable_behavior};
        // A system that refuses is no reason to refuse a backup.
        let _ = set_dumpable_behavior(DumpableBehavior::NotDumpable);
    }
    #[cfg(unix)]
    {
        use rustix::process::{Resource, Rlimit, setrlimit};
        let _ = setrlimit(Resource::Core, Rlimit { current: Some(0), maximum: Some(0) });
    }
}
