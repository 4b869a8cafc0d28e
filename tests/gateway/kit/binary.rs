//! The example's binary, and runs of it that end by themselves.

use std::path::PathBuf;
use std::process::{Command, Output, Stdio};

use super::canary;
use super::folder::Folder;

/// The binary, built beside this one: `target/debug/deps/gateway-HASH`,
/// `target/debug/examples/gateway`.
pub(crate) fn path() -> PathBuf {
    let own = std::env::current_exe().expect("a path of one's own");
    let profile = own.parent().and_then(|deps| deps.parent());
    let path = profile
        .expect("target/PROFILE/deps")
        .join("examples/gateway");
    assert!(
        path.exists(),
        "no {path:?}: run `cargo build --example gateway` first"
    );
    path
}

/// How a run ended, and what it said.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl From<Output> for Ended {
    fn from(output: Output) -> Self {
        Self {
            code: output.status.code(),
            stdout: String::from_utf8(output.stdout).expect("UTF-8 on stdout"),
            stderr: String::from_utf8(output.stderr).expect("UTF-8 on stderr"),
        }
    }
}

/// Runs it with these arguments until it ends.
pub(crate) fn run(arguments: &[&str]) -> Ended {
    let output = command()
        .args(arguments)
        .output()
        .expect("a binary that runs");
    Ended::from(output)
}

/// What it says of a config file of that content: `FILE` stands for the file's path.
pub(crate) fn check(config: impl AsRef<[u8]>) -> Ended {
    let folder = Folder::new();
    let file = folder.write("gateway.toml", config);
    let file = file.to_str().expect("a path in UTF-8");
    let mut ended = run(&["--config", file, "--check"]);
    canary::assert_absent("stdout", &ended.stdout);
    canary::assert_absent("stderr", &ended.stderr);
    ended.stderr = ended.stderr.replace(file, "FILE");
    ended
}

/// The binary, with nothing of this process's own settings.
pub(crate) fn command() -> Command {
    let mut command = Command::new(path());
    command.env_remove("RUST_LOG").stdin(Stdio::null());
    command
}
