//! The proxy under test: a child process, and the processes that the child starts.

use std::ffi::OsString;
use std::fs::{self, File};
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use clap::Args;
use nix::sys::prctl::set_pdeathsig;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::BoxError;
use crate::affinity;

/// A proxy that runs until the value is dropped.
pub struct Proxy {
    child: Child,
}

impl Proxy {
    /// Starts the proxy on these processors. The stderr of the proxy goes to the file, or is
    /// discarded without a file.
    pub fn start(
        command: &Command,
        processors: &[usize],
        stderr: Option<File>,
    ) -> Result<Self, BoxError> {
        let mut guard = Command::new(std::env::current_exe()?);
        guard
            .arg("guard")
            .arg("--")
            .arg(command.get_program())
            .args(command.get_args());
        for (name, value) in command.get_envs() {
            if let Some(value) = value {
                guard.env(name, value);
            }
        }
        guard.stdin(Stdio::null()).stdout(Stdio::null());
        guard.stderr(stderr.map_or_else(Stdio::null, Stdio::from));
        let child = affinity::on(processors, || guard.spawn())??;
        Ok(Self { child })
    }

    pub fn is_alive(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
    }

    /// Returns the proxy's process and its descendants.
    pub fn processes(&self) -> Vec<Pid> {
        let parents: Vec<(i32, i32)> = fs::read_dir("/proc")
            .into_iter()
            .flatten()
            .filter_map(|entry| {
                let process = entry.ok()?.file_name().to_str()?.parse().ok()?;
                Some((process, parent(process)?))
            })
            .collect();
        let mut tree = vec![self.pid().as_raw()];
        let mut at = 0;
        while let Some(process) = tree.get(at).copied() {
            let children = parents.iter().filter(|(_, parent)| *parent == process);
            tree.extend(children.map(|(child, _)| *child));
            at += 1;
        }
        tree.into_iter().map(Pid::from_raw).collect()
    }

    fn pid(&self) -> Pid {
        Pid::from_raw(i32::try_from(self.child.id()).unwrap_or_default())
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        let processes = self.processes();
        // SIGTERM is sent first, because nginx then ends its workers.
        let _ = kill(self.pid(), Signal::SIGTERM);
        let asked = Instant::now();
        while self.is_alive() && asked.elapsed() < Duration::from_millis(500) {
            thread::sleep(Duration::from_millis(5));
        }
        if self.is_alive() {
            for process in processes {
                let _ = kill(process, Signal::SIGKILL);
            }
        }
        let _ = self.child.wait();
    }
}

/// A program that must end together with the process that starts the program.
#[derive(Args, Debug)]
pub struct Guarded {
    #[arg(last = true, required = true)]
    command: Vec<OsString>,
}

/// Replaces this process with the program. The program ends when the parent of this process ends,
/// for any reason.
pub fn guard(told: &Guarded) -> Result<(), BoxError> {
    set_pdeathsig(Signal::SIGTERM)?;
    let (program, arguments) = told.command.split_first().ok_or("no program was named")?;
    Err(Command::new(program).args(arguments).exec().into())
}

fn parent(process: i32) -> Option<i32> {
    let stat = fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    // The name of the process is in brackets, and may contain any character.
    let after = stat.rsplit_once(')')?.1;
    after.split_ascii_whitespace().nth(1)?.parse().ok()
}
