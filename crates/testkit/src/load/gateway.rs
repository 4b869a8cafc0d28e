//! The gateway's binary in a separate process.

use std::io::{BufRead, BufReader, Read};
use std::net::SocketAddr;
use std::process::{Child, Stdio};
use std::thread::JoinHandle;

use rustix::process::{Pid, Signal, kill_process};

use crate::process::binary;
use crate::process::folder::Folder;

/// The number of log lines that are kept.
const KEPT: usize = 40;

/// A gateway process; the process is killed when the value is dropped.
pub struct Gateway {
    pub address: SocketAddr,
    child: Child,
    log: Option<JoinHandle<Log>>,
}

/// The end of the text that the process printed on stderr.
#[derive(Debug, Default)]
pub struct Log {
    pub last: Vec<String>,
    /// A line that holds a secret.
    pub leak: Option<String>,
    /// A line that reports a panic.
    pub panic: Option<String>,
}

impl Gateway {
    /// Starts the gateway with the `gateway.toml` in that folder.
    pub fn start(folder: &Folder) -> Self {
        let mut command = binary::command();
        command.arg("--config").arg(folder.path("gateway.toml"));
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("a binary that runs");
        let stderr = child.stderr.take().expect("a pipe");
        let log = std::thread::spawn(move || read(stderr));
        let mut first = String::new();
        let stdout = child.stdout.take().expect("a pipe");
        // No more output comes.
        let _ = BufReader::new(stdout).read_line(&mut first);
        let address = first.trim_end().strip_prefix("listening on http://");
        let address = address.and_then(|address| address.parse().ok());
        let Some(address) = address else {
            let _ = child.kill();
            panic!("{first:?}: {:?}", log.join());
        };
        Self {
            address,
            child,
            log: Some(log),
        }
    }

    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Asks the process to stop.
    pub fn terminate(&self) {
        let id = i32::try_from(self.id()).ok().and_then(Pid::from_raw);
        let id = id.expect("a process id");
        kill_process(id, Signal::TERM).expect("a process that runs");
    }

    /// Returns the exit code of the process, if the process has ended, and not by a signal.
    pub fn exit_code(&mut self) -> Option<i32> {
        let status = self.child.try_wait().expect("a child");
        status.and_then(|status| status.code())
    }

    /// Kills the process, if the process still runs, and returns the log.
    pub fn log(&mut self) -> Log {
        let _ = self.child.kill();
        let _ = self.child.wait();
        let log = self.log.take().map(JoinHandle::join);
        log.and_then(Result::ok).unwrap_or_default()
    }
}

impl Drop for Gateway {
    fn drop(&mut self) {
        self.log();
    }
}

fn read(stderr: impl Read) -> Log {
    let mut log = Log::default();
    for line in BufReader::new(stderr).lines() {
        let Ok(line) = line else { break };
        if line.contains("s0ak-") && log.leak.is_none() {
            log.leak = Some(line.clone());
        }
        if line.contains("panicked at") && log.panic.is_none() {
            log.panic = Some(line.clone());
        }
        // The log has a line of the audit for each call, and an event for each call that failed.
        let is_of_a_call = line.contains(" audit: ") || line.contains(" tower_passthrough: ");
        if !is_of_a_call {
            log.last.push(line);
        }
        if log.last.len() > KEPT {
            log.last.remove(0);
        }
    }
    log
}
