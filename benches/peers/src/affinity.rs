//! The processors on which the proxy, the callers and the vendors run.

use std::io;

use nix::sched::{CpuSet, sched_getaffinity, sched_setaffinity};
use nix::unistd::Pid;

/// The processor of the proxy.
pub const PROXY: &[usize] = &[0];
/// The processor of the callers and the vendors.
pub const LOAD: &[usize] = &[1];
/// Both processors, for a proxy with two workers.
pub const BOTH: &[usize] = &[0, 1];

/// Binds this thread, and the threads and processes that this thread starts later.
pub fn bind(processors: &[usize]) -> io::Result<()> {
    let mut set = CpuSet::new();
    for processor in processors {
        set.set(*processor)?;
    }
    Ok(sched_setaffinity(Pid::from_raw(0), &set)?)
}

/// Runs `act` while this thread is bound to other processors, then restores the binding. A new
/// process inherits the binding of the thread that starts the process.
pub fn on<T>(processors: &[usize], act: impl FnOnce() -> T) -> io::Result<T> {
    let before = sched_getaffinity(Pid::from_raw(0))?;
    bind(processors)?;
    let done = act();
    sched_setaffinity(Pid::from_raw(0), &before)?;
    Ok(done)
}
