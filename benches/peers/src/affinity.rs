//! Which processors who runs on.

use std::io;

use nix::sched::{CpuSet, sched_getaffinity, sched_setaffinity};
use nix::unistd::Pid;

/// The proxy.
pub const PROXY: &[usize] = &[0];
/// Callers and vendors.
pub const LOAD: &[usize] = &[1];
/// All of them, where the proxy has two workers.
pub const BOTH: &[usize] = &[0, 1];

/// Binds this thread, and the threads and processes that it starts from now on.
pub fn bind(processors: &[usize]) -> io::Result<()> {
    let mut set = CpuSet::new();
    for processor in processors {
        set.set(*processor)?;
    }
    Ok(sched_setaffinity(Pid::from_raw(0), &set)?)
}

/// Does something bound to others, and goes back: a process that is started inherits what the
/// thread that starts it is bound to.
pub fn on<T>(processors: &[usize], act: impl FnOnce() -> T) -> io::Result<T> {
    let before = sched_getaffinity(Pid::from_raw(0))?;
    bind(processors)?;
    let done = act();
    sched_setaffinity(Pid::from_raw(0), &before)?;
    Ok(done)
}
