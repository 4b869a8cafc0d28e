//! The processor time of a process, over all of its threads.

use std::fs;
use std::time::Duration;

/// Returns the processor time of a process, or `None` if the system doesn't report the time in
/// nanoseconds.
pub(crate) fn time(process: u32) -> Option<Duration> {
    let threads = fs::read_dir(format!("/proc/{process}/task")).ok()?;
    let mut total = Duration::ZERO;
    for thread in threads {
        let times = fs::read_to_string(thread.ok()?.path().join("schedstat")).ok()?;
        let on_processor = times.split_ascii_whitespace().next()?.parse().ok()?;
        total += Duration::from_nanos(on_processor);
    }
    Some(total)
}
