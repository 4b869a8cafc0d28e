//! The gateway's binary, and runs of the binary that end by themselves.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::LazyLock;

use super::canary;
use super::folder::Folder;

/// Returns the binary that cargo has built next to the test: `target/debug/deps/gateway-HASH`, `target/debug/passthrough-gateway`.
pub fn path() -> &'static Path {
    static BINARY: LazyLock<PathBuf> = LazyLock::new(|| {
        let binary = profile().join("passthrough-gateway");
        assert!(
            binary.exists(),
            "run `cargo build -p passthrough-gateway` with this profile first"
        );
        binary
    });
    &BINARY
}

/// Returns the folder of the profile that the test was built with: `target/debug`.
fn profile() -> PathBuf {
    let own = std::env::current_exe().expect("a path of the test itself");
    let profile = own.parent().and_then(Path::parent);
    profile.expect("target/PROFILE/deps").to_owned()
}

/// Returns a folder for files of tests, below `target`.
pub fn scratch() -> PathBuf {
    let folder = profile().join("scratch");
    std::fs::create_dir_all(&folder).expect("a folder for the files of tests");
    folder
}

/// The end of a run, and the text that the run printed.
#[derive(Debug)]
pub struct Ended {
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
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

/// Runs the binary with these arguments until the run ends.
pub fn run(arguments: &[&str]) -> Ended {
    let output = command()
        .args(arguments)
        .output()
        .expect("a binary that runs");
    Ended::from(output)
}

/// Runs the binary in the same way, with these environment variables, and with this text on stdin.
pub fn run_with(arguments: &[&str], variables: &[(&str, &str)], stdin: &str) -> Ended {
    let mut command = command();
    command
        .args(arguments)
        .envs(variables.iter().copied())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = command.spawn().expect("a binary that runs");
    let mut pipe = child.stdin.take().expect("a pipe");
    // A run that needs no secrets may have ended by then.
    let _ = pipe.write_all(stdin.as_bytes());
    drop(pipe);
    Ended::from(child.wait_with_output().expect("a child"))
}

/// Returns the binary's verdict on a config file with that content: `FILE` stands for the file's path.
pub fn check(config: impl AsRef<[u8]>) -> Ended {
    let folder = Folder::new();
    let file = folder.write("gateway.toml", config);
    let file = file.to_str().expect("a path in UTF-8");
    let mut ended = run(&["--config", file, "--check"]);
    canary::assert_absent("stdout", &ended.stdout);
    canary::assert_absent("stderr", &ended.stderr);
    ended.stderr = ended.stderr.replace(file, "FILE");
    ended
}

impl Ended {
    /// Returns stderr without the warnings of every test's config: its vendor has no TLS, and its calls have no limit.
    pub fn unusual(&self) -> String {
        let usual = |line: &&str| {
            !line.contains(": there is no limit for calls, ") && !line.contains(" has http://, so ")
        };
        let lines = self.stderr.lines().filter(usual);
        lines.map(|line| format!("{line}\n")).collect()
    }
}

/// Returns a command for the binary, without any settings of this process.
pub fn command() -> Command {
    let mut command = Command::new(path());
    command.env_remove("RUST_LOG").stdin(Stdio::null());
    command
}
