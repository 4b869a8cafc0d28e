//! Keeps the secrets in this process's memory out of crash reports and debuggers.

/// Disables core dumps, and prevents other processes of the same user from attaching, on systems
/// that support this.
#[cfg(target_os = "linux")]
pub(crate) fn keep_memory_private() {
    use rustix::process::{DumpableBehavior, Resource, Rlimit, set_dumpable_behavior, setrlimit};

    let none = Rlimit {
        current: Some(0),
        maximum: Some(0),
    };
    if setrlimit(Resource::Core, none).is_err() {
        tracing::warn!("core dumps can't be switched off");
    }
    if set_dumpable_behavior(DumpableBehavior::NotDumpable).is_err() {
        tracing::warn!("the process can't be marked undumpable");
    }
}

#[cfg(not(target_os = "linux"))]
pub(crate) fn keep_memory_private() {}
