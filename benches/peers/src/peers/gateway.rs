//! The gateway of this repository, built with `cargo build --release -p passthrough-gateway`.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::{Setup, Wire, config};
use crate::BoxError;

const CONFIG: &str = include_str!("../../config/gateway.toml");

/// Builds the gateway. If the caller sets a target directory, the program is in that directory.
pub fn build() -> Result<(), String> {
    let mut cargo = Command::new("cargo");
    cargo.args(["build", "--quiet", "--release", "-p", "passthrough-gateway"]);
    config::succeeds(
        cargo
            .arg("--manifest-path")
            .arg(repository().join("Cargo.toml")),
    )
}

pub fn command(setup: &Setup) -> Result<Command, BoxError> {
    let (base, roots) = match &setup.wire {
        Wire::Tls(authority) => (
            format!("https://vendor.test:{}", setup.vendor.port()),
            format!("extra_roots = [\"{}\"]", authority.display()),
        ),
        _ => (format!("http://{}", setup.vendor), String::new()),
    };
    let blanks = [("@BASE@", base.as_str()), ("@ROOTS@", &roots)];
    let file = config::write("gateway.toml", CONFIG, setup, &blanks)?;
    let mut command = Command::new(program());
    command.arg("--config").arg(file);
    command.env("TOKIO_WORKER_THREADS", setup.workers.to_string());
    Ok(command)
}

fn program() -> PathBuf {
    let target = std::env::var_os("CARGO_TARGET_DIR").map(PathBuf::from);
    let target = target.unwrap_or_else(|| repository().join("target"));
    target.join("release/passthrough-gateway")
}

fn repository() -> &'static Path {
    let own = Path::new(env!("CARGO_MANIFEST_DIR"));
    own.ancestors().nth(2).unwrap_or(own)
}
