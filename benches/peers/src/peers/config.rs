//! What starting a peer takes: a config with its blanks filled in, a build, a version.

use std::fs;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use super::Setup;
use crate::BoxError;

/// Fills in a config's blanks, and writes it where the peer will read it.
pub fn write(
    name: &str,
    template: &str,
    setup: &Setup,
    more: &[(&str, &str)],
) -> Result<PathBuf, BoxError> {
    let blanks = [
        ("@LISTEN@", setup.listen.to_string()),
        ("@VENDOR@", setup.vendor.to_string()),
        ("@WORKERS@", setup.workers.to_string()),
        ("@SCRATCH@", setup.scratch.display().to_string()),
    ];
    let mut config = template.to_owned();
    for (blank, value) in &blanks {
        config = config.replace(blank, value);
    }
    for (blank, value) in more {
        config = config.replace(blank, value);
    }
    let file = setup.scratch.join(name);
    fs::write(&file, config)?;
    Ok(file)
}

/// Runs a build; the error is its last words.
pub fn succeeds(command: &mut Command) -> Result<(), String> {
    let output = command.stdin(Stdio::null()).output();
    let output = output.map_err(|error| format!("{:?}: {error}", command.get_program()))?;
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    let last = said.lines().rfind(|line| !line.trim().is_empty());
    Err(format!(
        "it can't be built: {}",
        last.unwrap_or_default().trim()
    ))
}

/// The first line that a program says of itself, or that it isn't there.
pub fn version(program: &str, argument: &str) -> Result<String, String> {
    let output = Command::new(program).arg(argument).output();
    let output = output.map_err(|_| format!("{program} isn't installed"))?;
    let said = [output.stdout, output.stderr].concat();
    let said = String::from_utf8_lossy(&said);
    let line = said.lines().next().unwrap_or_default();
    // haproxy goes on with the date of its build, and an address.
    Ok(line
        .split(" 20")
        .next()
        .unwrap_or_default()
        .trim()
        .to_owned())
}
