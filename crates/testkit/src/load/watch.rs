//! The resources that the gateway's process holds, as Linux reports them.

use std::fs;
use std::time::Duration;

use tokio::time::{Instant, sleep_until};

const MIB: u64 = 1 << 20;

/// Returns the resident memory of the process, in bytes.
fn resident(process: u32, line: &str) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let kib = status
        .lines()
        .find_map(|status| status.strip_prefix(line))?;
    let kib = kib.trim().strip_suffix(" kB")?;
    Some(kib.parse::<u64>().ok()? * 1024)
}

/// Returns the number of sockets that the process holds; `None` means that the process hides the
/// number, which it does from every user except root.
pub fn sockets(process: u32) -> Option<usize> {
    let files = fs::read_dir(format!("/proc/{process}/fd")).ok()?;
    let links = files.filter_map(|file| fs::read_link(file.ok()?.path()).ok());
    Some(
        links
            .filter(|link| link.to_string_lossy().starts_with("socket:"))
            .count(),
    )
}

/// The resident memory of the process over time, after a warm-up.
#[derive(Debug)]
pub struct Memory {
    samples: Vec<u64>,
    peak: u64,
}

impl Memory {
    /// Watches for that time: once each second, or more often in a short run.
    pub async fn watch(process: u32, time: Duration) -> Self {
        let warm_up = time / 4;
        let step = (time / 80).min(Duration::from_secs(1));
        let mut at = Instant::now() + warm_up;
        let end = Instant::now() + time;
        let mut samples = Vec::new();
        while at < end {
            sleep_until(at).await;
            samples.extend(resident(process, "VmRSS:"));
            at += step;
        }
        sleep_until(end).await;
        // The kernel updates its own peak only at times.
        let peak = resident(process, "VmHWM:").max(samples.iter().copied().max());
        Self {
            samples,
            peak: peak.unwrap_or_default(),
        }
    }

    /// Returns the median of that tenth, counted from 0.
    fn tenth(&self, tenth: usize) -> u64 {
        let size = self.samples.len();
        let mut part: Vec<_> = self.samples[size * tenth / 10..size * (tenth + 1) / 10].to_vec();
        part.sort_unstable();
        part[part.len() / 2]
    }

    /// Returns whether the memory is at its earlier level: at most a fifth and 8 MiB more.
    pub fn is_flat(&self) -> bool {
        let first = self.tenth(1);
        self.tenth(9) <= first + first / 5 + 8 * MIB
    }
}

impl std::fmt::Display for Memory {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let [first, last, peak] = [self.tenth(1), self.tenth(9), self.peak].map(|held| held / MIB);
        write!(
            f,
            "{first} MiB after the warm-up, {last} MiB in the end, at most {peak} MiB"
        )
    }
}

#[test]
fn memory_that_grows_is_not_flat() {
    let held = |samples: Vec<u64>| Memory { samples, peak: 0 };
    assert!(held(vec![40 * MIB; 60]).is_flat());
    let steps = 0..60;
    assert!(!held(steps.map(|step| (40 + step) * MIB).collect()).is_flat());
    let late = (0..60).map(|step| (40 + if step < 52 { 0 } else { 20 }) * MIB);
    assert!(!held(late.collect()).is_flat());
}
