//! pingora, in a separate package, because its build needs cmake and OpenSSL.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::{Setup, Wire, config};
use crate::BoxError;

pub fn build() -> Result<(), String> {
    let own = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut cargo = Command::new("cargo");
    cargo.args(["build", "--quiet", "--release", "--package", "pingora-peer"]);
    cargo.arg("--manifest-path").arg(own.join("Cargo.toml"));
    config::succeeds(&mut cargo)
}

pub fn command(setup: &Setup) -> Result<Command, BoxError> {
    let (wire, authority) = match &setup.wire {
        Wire::Plain => ("plain", PathBuf::new()),
        Wire::Tls(authority) => ("tls", authority.clone()),
        Wire::Http2 => ("http2", PathBuf::new()),
    };
    // The build puts the peer into the directory of this program.
    let mut command = Command::new(std::env::current_exe()?.with_file_name("pingora-peer"));
    command
        .arg(setup.listen.to_string())
        .arg(setup.vendor.to_string());
    command
        .arg(setup.workers.to_string())
        .arg(wire)
        .arg(authority);
    Ok(command)
}
