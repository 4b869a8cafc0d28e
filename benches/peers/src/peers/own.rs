//! The proxies in Rust that are part of this program, and are started with other arguments.

use std::process::Command;

use super::{Setup, Wire};
use crate::BoxError;

/// The lock file of this build, which has the version of each package.
const LOCK: &str = include_str!("../../Cargo.lock");

pub fn command(id: &str, setup: &Setup) -> Result<Command, BoxError> {
    let mut command = Command::new(std::env::current_exe()?);
    command.args(["serve", id]);
    command.args(["--listen", &setup.listen.to_string()]);
    command.args(["--vendor", &setup.vendor.to_string()]);
    command.args(["--workers", &setup.workers.to_string()]);
    match &setup.wire {
        Wire::Plain => {}
        Wire::Tls(authority) => {
            command.arg("--authority").arg(authority);
        }
        Wire::Http2 => {
            command.arg("--http2");
        }
    }
    Ok(command)
}

/// Returns the name of a package and its version in this build.
pub fn version(package: &str) -> String {
    let named = format!("name = \"{package}\"\nversion = \"");
    let version = LOCK
        .split_once(&named)
        .and_then(|(_, after)| after.split_once('"'));
    format!("{package} {}", version.map_or("", |(version, _)| version))
}
