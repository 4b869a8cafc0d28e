//! Runs of the real `curl`.

use std::process::Stdio;

use tokio::process::Command;

use crate::wait::within;

/// The end of a run of curl. With `--include`, the answer's head and body are on stdout.
#[derive(Debug)]
pub struct Answer {
    pub exit: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

impl Answer {
    /// Returns the final answer's head and body.
    fn parts(&self) -> (&str, &str) {
        let mut rest = self.stdout.as_str();
        loop {
            let (head, after) = rest.split_once("\r\n\r\n").unwrap_or((rest, ""));
            let interim = head
                .split(' ')
                .nth(1)
                .is_some_and(|status| status.starts_with('1'));
            if !interim {
                return (head, after);
            }
            rest = after;
        }
    }

    #[track_caller]
    pub fn status(&self) -> u16 {
        let status = self.parts().0.split(' ').nth(1);
        let status = status.and_then(|status| status.parse().ok());
        status.unwrap_or_else(|| panic!("no answer: {self:?}"))
    }

    pub fn version(&self) -> &str {
        self.parts().0.split(' ').next().unwrap_or_default()
    }

    pub fn body(&self) -> &str {
        self.parts().1
    }

    /// Returns the value of a field of the answer.
    pub fn field(&self, name: &str) -> Option<&str> {
        let mut lines = self.parts().0.lines().skip(1);
        lines.find_map(|line| {
            let (field, value) = line.split_once(": ")?;
            field.eq_ignore_ascii_case(name).then_some(value)
        })
    }

    /// Returns the code of an error that the gateway itself answers with.
    pub fn error(&self) -> Option<&str> {
        self.field("passthrough-error")
    }
}

/// Runs curl with these arguments, and with the arguments that every test needs.
pub async fn curl(arguments: &[&str]) -> Answer {
    let mut command = command();
    command
        .args(["--include", "--max-time", "30"])
        .args(arguments);
    run(command).await
}

/// Returns a command for curl, without the curl settings of the user who runs the tests.
pub fn command() -> Command {
    let mut command = Command::new("curl");
    command
        .args(["--disable", "--silent", "--show-error", "--noproxy", "*"])
        .stdin(Stdio::null())
        .kill_on_drop(true);
    command
}

/// Runs a command to its end, for at most the time that a test waits for any event.
pub async fn run(command: Command) -> Answer {
    within("curl to end", unbounded(command)).await
}

/// Runs a command to its end, without a time limit.
pub async fn unbounded(mut command: Command) -> Answer {
    let output = command.output().await.expect("a curl that runs");
    Answer {
        exit: output.status.code(),
        stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
        stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}
