//! The resources that processes use: processor time and memory.

use std::fs;
use std::time::Duration;

use nix::time::clock_getcpuclockid;
use nix::unistd::Pid;

use crate::BoxError;

/// Returns the processor time that the processes have used, in user space and in the kernel, over
/// all running and ended threads. The clock is the same as in `/proc/PID/schedstat`, which shows
/// the time of each thread in nanoseconds, not in ticks.
pub fn processor(processes: &[Pid]) -> Result<Duration, BoxError> {
    processes.iter().try_fold(Duration::ZERO, |sum, process| {
        Ok(sum + Duration::from(clock_getcpuclockid(*process)?.now()?))
    })
}

/// The resident memory, in KiB.
#[derive(Clone, Copy, Debug, Default)]
pub struct Memory {
    /// The resident set size: shared pages count in full for each process.
    pub rss: f64,
    /// The proportional set size: shared pages are divided among the processes that share them.
    pub pss: f64,
}

/// Returns the memory that the processes use now.
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
