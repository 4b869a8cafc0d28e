//! The programs of other languages, and their runs.

use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};
use std::time::Duration;

use tokio::io::AsyncWriteExt as _;
use tokio::process::Command;

/// The time that a program may take.
const LIMIT: Duration = Duration::from_secs(300);

/// Returns the value of a variable that names installed packages; without the variable, the test is skipped.
pub(crate) fn installed(variable: &str) -> Option<String> {
    let value = std::env::var(variable).ok();
    if value.is_none() {
        eprintln!("skipped: {variable} isn't set");
    }
    value
}

/// Returns the path of a file in the folder of these tests.
pub(crate) fn file(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/descriptions")
        .join(name)
}

/// Returns the end of a command that runs without the settings of the user, with this text on its standard input.
pub(crate) async fn run(mut command: Command, variables: &[(&str, String)], input: &str) -> Output {
    let path = std::env::var_os("PATH").unwrap_or_default();
    command
        .env_clear()
        .envs([("LANG", "C.UTF-8"), ("NO_PROXY", "*"), ("no_proxy", "*")])
        .env("PATH", path)
        .envs(variables.iter().map(|(name, value)| (name, value)))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true);
    let mut child = command.spawn().expect("a program that runs");
    let mut pipe = child.stdin.take().unwrap();
    let ended = async {
        let _ = pipe.write_all(input.as_bytes()).await;
        drop(pipe);
        child.wait_with_output().await.unwrap()
    };
    let ended = tokio::time::timeout(LIMIT, ended).await;
    ended.unwrap_or_else(|_| panic!("the program didn't end in {LIMIT:?}"))
}

/// Returns the standard output of a command that must succeed.
pub(crate) async fn done(command: Command, variables: &[(&str, String)], input: &str) -> String {
    let output = run(command, variables, input).await;
    let stdout = String::from_utf8_lossy(&output.stdout).into_owned();
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(
        output.status.success(),
        "{}\n{stdout}\n{stderr}",
        output.status
    );
    stdout
}

/// Returns the command for a program in JavaScript, which is read from standard input. Packages are looked for from the
/// current folder.
pub(crate) fn node(packages: &str) -> Command {
    let mut command = Command::new("node");
    command
        .args(["--no-warnings", "--input-type=module", "-"])
        .current_dir(packages);
    command
}
