//! A gateway that serves, and whose output is checked at the end: no secret may have left the
//! gateway.

use std::net::SocketAddr;
use std::process::{Child, ExitStatus, Stdio};
use std::sync::Mutex;

use rustix::process::{Pid, Signal, kill_process};

use super::canary::{self, KEY};
use super::config::Config;
use super::curl::{self, Answer};
use super::folder::Folder;
use super::output::Output;
use super::{binary, curl::curl};
use crate::caller::{RawResponse, raw_call};

/// A running gateway; the process is killed when the value is dropped.
pub struct Gateway {
    pub address: SocketAddr,
    pub stdout: Output,
    pub stderr: Output,
    child: Killed,
    /// All answers that callers received.
    answers: Mutex<String>,
    folder: Folder,
}

impl Gateway {
    pub async fn start(config: &Config) -> Self {
        Self::start_in(Folder::new(), config, &[]).await
    }

    /// Starts a gateway with its config file in that folder, and with these environment variables.
    pub async fn start_in(folder: Folder, config: &Config, variables: &[(&str, &str)]) -> Self {
        let file = folder.write("gateway.toml", config.to_string());
        let file = file.to_str().expect("a path in UTF-8");
        Self::run(folder, &["--config", file], variables).await
    }

    /// Starts the demo.
    pub async fn demo() -> Self {
        Self::run(Folder::new(), &["--listen", "127.0.0.1:0"], &[]).await
    }

    /// Starts a gateway after a line of shell, which may set limits: `ulimit -n 100`.
    pub async fn start_after(line: &str, config: &Config) -> Self {
        let folder = Folder::new();
        let file = folder.write("gateway.toml", config.to_string());
        let mut command = std::process::Command::new("sh");
        let script = format!("{line}; exec \"$0\" \"$@\"");
        command.arg("-c").arg(script).arg(binary::path());
        command.arg("--config").arg(file);
        command.env_remove("RUST_LOG").stdin(Stdio::null());
        Self::spawn(folder, command).await
    }

    async fn run(folder: Folder, arguments: &[&str], variables: &[(&str, &str)]) -> Self {
        let mut command = binary::command();
        command.args(arguments).envs(variables.iter().copied());
        Self::spawn(folder, command).await
    }

    async fn spawn(folder: Folder, mut command: std::process::Command) -> Self {
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = Killed(command.spawn().expect("a binary that runs"));
        let stdout = Output::of(child.0.stdout.take().expect("a pipe"));
        let stderr = Output::of(child.0.stderr.take().expect("a pipe"));
        let first_line = stdout.until("its address", |text| text.contains('\n'));
        let first_line = first_line.await;
        let address = first_line
            .lines()
            .next()
            .and_then(|line| line.strip_prefix("listening on "))
            .and_then(|url| {
                url.strip_prefix("http://")
                    .or_else(|| url.strip_prefix("https://"))
            });
        let address = address.unwrap_or_else(|| panic!("{first_line:?}: {}", stderr.text()));
        Self {
            address: address.parse().expect("an address"),
            stdout,
            stderr,
            child,
            answers: Mutex::default(),
            folder,
        }
    }

    /// Returns the gateway's URL for a path.
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// Runs curl for that path with these arguments.
    pub async fn curl(&self, path: &str, arguments: &[&str]) -> Answer {
        let url = self.url(path);
        let answer = curl(&[arguments, &["--globoff", "--path-as-is", &url]].concat()).await;
        self.saw(&answer.stdout);
        answer
    }

    /// Runs curl in the same way, with the usual key.
    pub async fn call(&self, path: &str, arguments: &[&str]) -> Answer {
        let key = format!("x-api-key: {KEY}");
        let path = format!("/passthrough{path}");
        self.curl(&path, &[arguments, &["--header", &key]].concat())
            .await
    }

    /// Returns a command for curl with the usual key, for a test that runs the command by itself.
    pub fn command(&self, path: &str, arguments: &[&str]) -> tokio::process::Command {
        let mut command = curl::command();
        let key = format!("x-api-key: {KEY}");
        let url = self.url(&format!("/passthrough{path}"));
        command.args(arguments).args(["--header", &key, &url]);
        command
    }

    /// Writes literal bytes, and reads one answer.
    pub async fn raw(&self, request: impl AsRef<[u8]>) -> RawResponse {
        let response = raw_call(self.address, request).await;
        self.saw(&String::from_utf8_lossy(&response.head.raw));
        self.saw(&response.text());
        response
    }

    /// Returns the address for operators, if the config has one.
    pub async fn operator(&self) -> SocketAddr {
        const START: &str = "\nlistening for operators on http://";
        let printed = |text: &str| {
            let line = text.split_once(START)?.1.split_once('\n')?.0;
            line.parse().ok()
        };
        let text = self
            .stdout
            .until("the address for operators", |text| printed(text).is_some());
        printed(&text.await).expect("an address")
    }

    /// Returns the text of `/metrics`, for the usual key.
    pub async fn metrics(&self) -> String {
        let key = format!("x-api-key: {KEY}");
        let answer = self.curl("/metrics", &["--header", &key]).await;
        assert_eq!(answer.status(), 200);
        answer.body().to_owned()
    }

    /// Returns the lines of the log about calls, once there are `count` lines.
    pub async fn calls(&self, count: usize) -> Vec<String> {
        let calls = |text: &str| -> Vec<String> {
            let whole = text.rsplit_once('\n').map_or("", |(whole, _)| whole);
            let calls = whole.lines().filter(|line| line.contains(" audit: call "));
            calls.map(str::to_owned).collect()
        };
        let enough = |text: &str| calls(text).len() >= count;
        let text = self.stderr.until("a line for each call", enough).await;
        calls(&text)
    }

    pub fn id(&self) -> u32 {
        self.child.0.id()
    }

    pub fn signal(&self, signal: Signal) {
        let id = i32::try_from(self.id()).ok().and_then(Pid::from_raw);
        kill_process(id.expect("a process id"), signal).expect("a process that runs");
    }

    /// Writes another config file, and asks the gateway to read the file.
    pub fn hang_up(&self, config: impl AsRef<[u8]>) {
        // The file is replaced in one step, because the gateway may be reading.
        let new = self.folder.write("gateway.toml.new", config);
        std::fs::rename(new, self.folder.path("gateway.toml")).expect("a file in its place");
        self.signal(Signal::HUP);
    }

    /// Does the same as `hang_up`, and waits until the new config is in effect.
    pub async fn reload(&self, config: &Config) {
        let count = |text: &str| text.matches("config reloaded: ").count();
        let before = count(&self.stderr.text());
        self.hang_up(config.to_string());
        let reloaded = |text: &str| count(text) > before;
        self.stderr
            .until("a config that was reloaded", reloaded)
            .await;
    }

    /// Waits for the end of the process.
    pub async fn exit(&mut self) -> ExitStatus {
        self.stdout.ended().await;
        self.child.0.wait().expect("a child")
    }

    /// Records the text that a caller received.
    pub fn saw(&self, text: &str) {
        let mut answers = self
            .answers
            .lock()
            .expect("no panic while the lock is held");
        answers.push_str(text);
    }
}

/// A process that doesn't outlive its test.
struct Killed(Child);

impl Killed {
    fn kill(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Drop for Killed {
    fn drop(&mut self) {
        self.kill();
    }
}

impl Drop for Gateway {
    fn drop(&mut self) {
        self.child.kill();
        let printed = [
            ("stdout", self.stdout.rest()),
            ("stderr", self.stderr.rest()),
        ];
        if std::thread::panicking() {
            let [_, (_, log)] = printed;
            eprintln!("the gateway's log:\n{log}");
            return;
        }
        for (place, text) in printed {
            canary::assert_absent(place, &text);
        }
        canary::assert_absent("an answer", &self.answers.lock().expect("no panic"));
    }
}
