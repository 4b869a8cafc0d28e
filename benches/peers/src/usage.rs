//! What processes take: the processor's time, and memory.

use std::fs;
use std::time::Duration;

use nix::time::clock_getcpuclockid;
use nix::unistd::Pid;

use crate::BoxError;

/// The processor's time that they have taken, in user space and in the kernel, by all threads that
/// there are or were: the clock that `/proc/PID/schedstat` shows for each thread, in nanoseconds
/// and not in ticks.
pub fn processor(processes: &[Pid]) -> Result<Duration, BoxError> {
    processes.iter().try_fold(Duration::ZERO, |sum, process| {
        Ok(sum + Duration::from(clock_getcpuclockid(*process)?.now()?))
    })
}

/// KiB that are resident.
#[derive(Clone, Copy, Debug, Default)]
pub struct Memory {
    /// Pages that are shared count for each process.
    pub rss: f64,
    /// Pages that are shared are divided among those that share them.
    pub pss: f64,
}

/// The memory that they take now.
pub fn memory(processes: &[Pid]) -> Result<Memory, BoxError> {
    let mut sum = Memory::default();
    for process in processes {
        let rollup = fs::read_to_string(format!("/proc/{process}/smaps_rollup"))?;
        let kib = |name: &str| {
            let line = rollup.lines().find_map(|line| line.strip_prefix(name));
            let kib = line.and_then(|rest| rest.split_ascii_whitespace().next()?.parse().ok());
            kib.unwrap_or(0.0)
        };
        sum.rss += kib("Rss:");
        sum.pss += kib("Pss:");
    }
    Ok(sum)
}
