//! The machine and the date of the measurements.

use std::fs;
use std::process::Command;

use serde::Serialize;

#[derive(Debug, Serialize)]
pub struct Machine {
    pub processor: String,
    pub processors: usize,
    pub kernel: String,
    pub system: String,
    pub rustc: String,
    pub date: String,
}

impl Machine {
    pub fn here() -> Self {
        let processors = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
        let named = processors
            .lines()
            .find(|line| line.starts_with("model name"));
        let processor = named
            .and_then(|line| line.split_once(": "))
            .map_or("", |(_, name)| name);
        let systems = fs::read_to_string("/etc/os-release").unwrap_or_default();
        let system = systems
            .lines()
            .find_map(|line| line.strip_prefix("PRETTY_NAME="));
        let kernel = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
        Self {
            processor: processor.to_owned(),
            processors: processors
                .lines()
                .filter(|line| line.starts_with("processor"))
                .count(),
            kernel: format!("Linux {}", kernel.trim()),
            system: system.unwrap_or_default().trim_matches('"').to_owned(),
            rustc: said("rustc", &["--version"]),
            date: said("date", &["--utc", "+%Y-%m-%d"]),
        }
    }
}

fn said(program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program).args(arguments).output();
    let output = output.map(|output| output.stdout).unwrap_or_default();
    String::from_utf8_lossy(&output).trim().to_owned()
}
