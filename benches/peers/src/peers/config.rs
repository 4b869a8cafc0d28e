//! The steps that prepare a peer: filling in its config, building the peer, and reading its version.

use std::fs;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use super::Setup;
use crate::BoxError;

/// Fills in the blanks of a config, and writes the config to the file that the peer reads. Returns
/// the path of the file.
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

/// Runs a build. If the build fails, the error is the last line of its stderr.
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

/// Returns the first line of a program's version output, or an error if the program isn't installed.
pub fn version(program: &str, argument: &str) -> Result<String, String> {
    let output = Command::new(program).arg(argument).output();
    let output = output.map_err(|_| format!("{program} isn't installed"))?;
    let said = [output.stdout, output.stderr].concat();
    let said = String::from_utf8_lossy(&said);
    let line = said.lines().next().unwrap_or_default();
    // The line of haproxy also has the date of its build and an address, which are cut off.
    Ok(line
        .split(" 20")
        .next()
        .unwrap_or_default()
        .trim()
        .to_owned())
}
