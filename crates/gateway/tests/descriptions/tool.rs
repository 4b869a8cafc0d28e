//! The programs of other languages, and their runs.

use std::path::{Path, PathBuf};
use std::time::Duration;

use testkit::process::foreign::{self, Printed};
pub(crate) use testkit::process::foreign::{installed, node};
use tokio::process::Command;

/// The time that a program may take.
const LIMIT: Duration = Duration::from_secs(300);

/// Returns the path of a file in the folder of these tests.
pub(crate) fn file(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/descriptions")
        .join(name)
}

/// Returns the end of a command that gets this text on its standard input.
pub(crate) async fn run(command: Command, input: &str) -> std::process::Output {
    foreign::run(command, input, LIMIT).await
}

/// Returns the standard output of a command that must succeed.
pub(crate) async fn done(command: Command, input: &str) -> String {
    Printed::by(command, input, LIMIT).await.stdout
}
