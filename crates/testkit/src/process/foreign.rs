//! Programs in other languages.

use std::process::{Output, Stdio};
use std::time::Duration;

use serde_json::Value;
use tokio::io::AsyncWriteExt as _;
use tokio::process::Command;

/// Returns the value of a variable that names installed packages; without the variable, the test is skipped.
pub fn installed(variable: &str) -> Option<String> {
    let value = std::env::var(variable).ok();
    if value.is_none() {
        eprintln!("skipped: {variable} isn't set");
    }
    value
}

/// Returns the command for a program in JavaScript, which is read from standard input. Packages are looked for from the
/// current folder.
pub fn node(packages: &str) -> Command {
    let mut command = Command::new("node");
    command
        .args(["--no-warnings", "--input-type=module", "-"])
        .current_dir(packages);
    command
}

/// Returns the end of a command that gets this text on its standard input. Of the environment of the tests, it has only the path of
/// programs, so that the settings of the user who runs the tests have no effect.
pub async fn run(mut command: Command, input: &str, limit: Duration) -> Output {
    let own: Vec<_> = command
        .as_std()
        .get_envs()
        .filter_map(|(name, value)| Some((name.to_owned(), value?.to_owned())))
        .collect();
    command
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap_or_default())
        .envs([("LANG", "C.UTF-8"), ("NO_PROXY", "*"), ("no_proxy", "*")])
        .envs(own)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true);
    let mut child = command.spawn().expect("a program that runs");
    let mut pipe = child.stdin.take().unwrap();
    let ended = async {
        // A program that ends early doesn't read all.
        let _ = pipe.write_all(input.as_bytes()).await;
        drop(pipe);
        child.wait_with_output().await.unwrap()
    };
    let ended = tokio::time::timeout(limit, ended).await;
    ended.unwrap_or_else(|_| panic!("the program didn't end in {limit:?}"))
}

/// The output of a program that has succeeded.
#[derive(Debug)]
pub struct Printed {
    pub stdout: String,
    pub stderr: String,
}

impl Printed {
    /// Runs a command that must succeed.
    pub async fn by(command: Command, input: &str, limit: Duration) -> Self {
        let output = run(command, input, limit).await;
        let stdout = String::from_utf8_lossy(&output.stdout).into_owned();
        let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
        let status = output.status;
        assert!(status.success(), "{status}\n{stdout}\n{stderr}");
        Self { stdout, stderr }
    }

    /// Returns the JSON in the last line of the standard output.
    pub fn json(&self) -> Value {
        let line = self.stdout.lines().rfind(|line| !line.is_empty());
        let value = line.and_then(|line| serde_json::from_str(line).ok());
        value.unwrap_or_else(|| panic!("no JSON: {self:?}"))
    }
}
