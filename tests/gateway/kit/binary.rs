//! The example's binary, and runs of it that end by themselves.

#[cfg(feature = "full")]
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::LazyLock;

use super::canary;
use super::folder::Folder;

/// Whether the gateway under test has all features, or else the default ones.
pub(crate) const FULL: bool = cfg!(feature = "full");

/// The binary, built once per run: `cargo test` builds the example's own tests in its place.
pub(crate) fn path() -> &'static Path {
    static BINARY: LazyLock<PathBuf> = LazyLock::new(build);
    &BINARY
}

/// Built beside this one: `target/debug/deps/gateway-HASH`, `target/debug/examples/gateway`.
fn build() -> PathBuf {
    let own = std::env::current_exe().expect("a path of one's own");
    let profile = own.parent().and_then(Path::parent);
    let profile = profile.expect("target/PROFILE/deps");
    let mut cargo = Command::new(env!("CARGO"));
    cargo
        .args(["build", "--quiet", "--example", "gateway", "--target-dir"])
        .arg(profile.parent().expect("target"))
        .current_dir(env!("CARGO_MANIFEST_DIR"));
    if FULL {
        cargo.args(["--features", "full"]);
    }
    if profile.ends_with("release") {
        cargo.arg("--release");
    }
    let built = cargo.status().expect("cargo");
    assert!(built.success(), "the gateway couldn't be built");
    profile.join("examples/gateway")
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

/// The same with these environment variables, and with this on its stdin.
#[cfg(feature = "full")]
pub(crate) fn run_with(arguments: &[&str], variables: &[(&str, &str)], stdin: &str) -> Ended {
    let mut command = command();
    command
        .args(arguments)
        .envs(variables.iter().copied())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = command.spawn().expect("a binary that runs");
    let mut pipe = child.stdin.take().expect("a pipe");
    // One that needs no secrets may have ended by then.
    let _ = pipe.write_all(stdin.as_bytes());
    drop(pipe);
    Ended::from(child.wait_with_output().expect("a child"))
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
