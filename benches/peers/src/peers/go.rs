//! Go's `httputil.ReverseProxy`, with the standard library alone.

use std::fs;
use std::path::Path;
use std::process::Command;

use super::{Setup, Wire, config};
use crate::BoxError;

/// Builds the proxy from `go/`. Go rejects a source file on a path with symbolic links, so the file
/// is copied.
pub fn build(scratch: &Path) -> Result<(), String> {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("go");
    let copy = scratch.join("go");
    let copied = fs::create_dir_all(&copy)
        .and_then(|()| fs::copy(source.join("main.go"), copy.join("main.go")))
        .and_then(|_| fs::copy(source.join("go.mod"), copy.join("go.mod")));
    copied.map_err(|error| error.to_string())?;
    let mut go = Command::new("go");
    go.current_dir(&copy)
        .args(["build", "-o", "../go-peer", "."]);
    go.env("GOFLAGS", "-buildvcs=false")
        .env("GOTOOLCHAIN", "local");
    config::succeeds(&mut go)
}

pub fn command(setup: &Setup) -> Result<Command, BoxError> {
    let mut command = Command::new(setup.scratch.join("go-peer"));
    command
        .arg(setup.listen.to_string())
        .arg(setup.vendor.to_string());
    if let Wire::Tls(authority) = &setup.wire {
        command.arg(authority);
    }
    command.env("GOMAXPROCS", setup.workers.to_string());
    Ok(command)
}
