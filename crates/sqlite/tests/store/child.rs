//! The test program, started again as another process that uses the same file.

use std::io::{BufRead, BufReader, Lines, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

/// The environment variables with the child's role and its file.
const ROLE: &str = "PASSTHROUGH_TEST_ROLE";
const FILE: &str = "PASSTHROUGH_TEST_FILE";

/// The mark in front of the text of a child, which distinguishes the line from lines of the test harness.
const MARK: &str = "child: ";

/// A child process, which is killed when the value is dropped.
pub(super) struct Process {
    child: Child,
    stdin: ChildStdin,
    lines: Lines<BufReader<ChildStdout>>,
}

impl Process {
    /// Runs `test`, a path from the root of this program, in that role.
    pub(super) fn start(test: &str, role: &str, file: &Path) -> Self {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", test, "--nocapture", "--test-threads", "1"])
            .env(ROLE, role)
            .env(FILE, file)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("this program");
        let stdin = child.stdin.take().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        Self {
            child,
            stdin,
            lines,
        }
    }

    /// Returns the child's next line; `None` means that the child has ended.
    pub(super) fn heard(&mut self) -> Option<String> {
        loop {
            let line = self.lines.next()?.unwrap();
            if let Some((_, said)) = line.split_once(MARK) {
                return Some(said.to_owned());
            }
        }
    }

    /// Lets the child continue.
    pub(super) fn go(&mut self) {
        self.stdin.write_all(b"go\n").unwrap();
        self.stdin.flush().unwrap();
    }

    /// Kills the child with SIGKILL, on systems with signals.
    pub(super) fn kill(&mut self) {
        let _ = self.child.kill();
        self.child.wait().unwrap();
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
    }
}

/// Returns the file, if this process is a child in that role.
pub(super) fn file_of(role: &str) -> Option<PathBuf> {
    let is_role = std::env::var(ROLE).is_ok_and(|asked| asked == role);
    is_role.then(|| std::env::var_os(FILE).unwrap().into())
}

/// Sends a line to the parent.
pub(super) fn say(what: &str) {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{MARK}{what}").unwrap();
    out.flush().unwrap();
}

/// Waits for a line of the parent.
pub(super) fn wait() {
    std::io::stdin().lock().lines().next().unwrap().unwrap();
}
