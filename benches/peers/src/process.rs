//! The proxy under test: a child, with the processes that it starts.

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

/// A proxy that runs until this is dropped.
pub struct Proxy {
    child: Child,
}

impl Proxy {
    /// Starts it on these processors. What it says on stderr goes to that file, if any.
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

    /// Itself and its descendants.
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
        // Asked first: nginx ends its workers then.
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

/// A program that mustn't outlive who starts it.
#[derive(Args, Debug)]
pub struct Guarded {
    #[arg(last = true, required = true)]
    command: Vec<OsString>,
}

/// Becomes that program. When the process that started this one ends, however it does, so does the
/// program.
pub fn guard(told: &Guarded) -> Result<(), BoxError> {
    set_pdeathsig(Signal::SIGTERM)?;
    let (program, arguments) = told.command.split_first().ok_or("no program was named")?;
    Err(Command::new(program).args(arguments).exec().into())
}

fn parent(process: i32) -> Option<i32> {
    let stat = fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    // The name stands in brackets, and may hold anything.
    let after = stat.rsplit_once(')')?.1;
    after.split_ascii_whitespace().nth(1)?.parse().ok()
}
