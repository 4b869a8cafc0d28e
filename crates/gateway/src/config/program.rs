//! Secrets that programs print: `{ command = ["vault", "kv", "get", ...] }`.
//!
//! Only programs that the config file itself names are run, and not those in files to import or in files of `catalog`, which
//! may come from others. All of them run before the file is converted, several at a time. No shell is involved.
//!
//! Errors contain the name of the program and its exit status. Its arguments and its output may be secrets.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::io::{self, Read as _};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Mutex, MutexGuard, PoisonError, mpsc};
use std::thread;
use std::time::Duration;

use tokio::time::Instant;
use toml::de::{DeTable, DeValue};
use tower_passthrough::Secret;
use zeroize::Zeroizing;

use super::value::COMMAND;

/// The maximum time of a program.
const TIMEOUT: Duration = Duration::from_secs(10);
/// The maximum size of its output, in bytes.
const MAX_OUTPUT: usize = 64 << 10;
/// The number of programs that run at the same time.
const AT_ONCE: usize = 16;
/// The pause between two looks at a program that has closed its output.
const PAUSE: Duration = Duration::from_millis(5);
/// The maximum number of characters of a program's name in an error.
const MAX_NAME: usize = 100;

/// The programs that are running.
static RUNNING: Mutex<Running> = Mutex::new(Running {
    children: BTreeSet::new(),
    is_ending: false,
});

struct Running {
    /// Programs that weren't waited for yet, so that their numbers can't be those of other programs.
    children: BTreeSet<u32>,
    /// `true` if the gateway ends, so that no program is started any more.
    is_ending: bool,
}

/// Ends all programs that are running, because the gateway ends. No other program is started afterwards.
pub(crate) fn end_all() {
    let mut running = running();
    running.is_ending = true;
    for child in &running.children {
        kill_group(*child);
    }
}

fn running() -> MutexGuard<'static, Running> {
    RUNNING.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The secrets that the programs of a config file have printed, or the reasons why there is none.
#[derive(Default)]
pub(super) struct Programs(BTreeMap<Vec<String>, Result<Secret, String>>);

impl Programs {
    /// Runs the programs that the file names. A command that is named several times runs once.
    ///
    /// A path with a slash begins in `folder`, and a name is searched in `PATH`.
    pub(super) fn run(tree: &DeTable<'_>, folder: &Path) -> Self {
        let mut found = BTreeSet::new();
        for (name, value) in tree {
            // They aren't read.
            if &**name.get_ref() == "connection" && !is_store_in(tree) {
                continue;
            }
            commands(value.get_ref(), &mut found);
        }
        let threads = found.len().min(AT_ONCE);
        let waiting = Mutex::new(found.into_iter());
        let done = Mutex::new(BTreeMap::new());
        let work = || {
            loop {
                let next = waiting
                    .lock()
                    .unwrap_or_else(PoisonError::into_inner)
                    .next();
                let Some(command) = next else {
                    return;
                };
                let printed = run(&command, folder);
                let mut done = done.lock().unwrap_or_else(PoisonError::into_inner);
                done.insert(command, printed);
            }
        };
        thread::scope(|scope| {
            for _ in 0..threads {
                scope.spawn(work);
            }
        });
        Self(done.into_inner().unwrap_or_else(PoisonError::into_inner))
    }

    /// Returns the output of that program.
    ///
    /// # Errors
    ///
    /// A text without secrets, if the program has failed, or if it isn't a program of the config file.
    pub(super) fn printed(&self, command: &[String]) -> Result<Secret, String> {
        match self.0.get(command) {
            Some(printed) => printed.clone(),
            None => Err(
                "a program is only run for a secret that is in the config file itself; use { env } or { file } here"
                    .to_owned(),
            ),
        }
    }
}

/// Returns `true` if the connections are stored in the config file.
fn is_store_in(tree: &DeTable<'_>) -> bool {
    let kind = tree
        .get("store")
        .and_then(|store| store.get_ref().as_table()?.get("kind"));
    kind.is_none_or(|kind| kind.get_ref().as_str() == Some("file"))
}

/// Collects the tables of the form `{ command = ["..."] }`.
fn commands(value: &DeValue<'_>, found: &mut BTreeSet<Vec<String>>) {
    match value {
        DeValue::Table(table) => {
            if let (1, Some(command)) = (table.len(), table.get(COMMAND)) {
                if let Some(command) = texts(command.get_ref()) {
                    found.insert(command);
                    return;
                }
            }
            for (_, value) in table {
                commands(value.get_ref(), found);
            }
        }
        DeValue::Array(values) => {
            for value in values {
                commands(value.get_ref(), found);
            }
        }
        _ => {}
    }
}

fn texts(value: &DeValue<'_>) -> Option<Vec<String>> {
    let texts = value.as_array()?.iter();
    let texts: Option<Vec<String>> = texts
        .map(|text| text.get_ref().as_str().map(str::to_owned))
        .collect();
    texts.filter(|texts| is_command(texts))
}

/// Returns `true` if the list begins with the name of a program.
pub(super) fn is_command(texts: &[String]) -> bool {
    texts.first().is_some_and(|program| !program.is_empty())
}

fn run(command: &[String], folder: &Path) -> Result<Secret, String> {
    let (program, arguments) = command.split_first().ok_or("the command is empty")?;
    let shown: String = program.escape_debug().take(MAX_NAME).collect();
    let told = |what: &str| format!("the program `{shown}` {what}");
    let mut command = match program.contains('/') {
        true => Command::new(folder.join(program)),
        false => Command::new(program),
    };
    command
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null());
    // So that the programs that it starts can be ended together with it.
    #[cfg(unix)]
    std::os::unix::process::CommandExt::process_group(&mut command, 0);
    let child = start(&mut command);
    let mut child = child.map_err(|error| told(&format!("can't be started: {}", error.kind())))?;
    let output = read(&mut child, Instant::now() + TIMEOUT);
    if output.is_err() {
        end(&mut child);
    }
    let (mut output, status) = output.map_err(|failure| match failure {
        Failure::Timeout => told(&format!("didn't end within {} s", TIMEOUT.as_secs())),
        Failure::TooLarge => told(&format!("printed more than {} KiB", MAX_OUTPUT >> 10)),
        Failure::Io(error) => told(&format!("can't be read: {}", error.kind())),
    })?;
    if !status.success() {
        return Err(told(&format!("failed: {status}")));
    }
    let line = output.strip_suffix(b"\n");
    let line = line.map(|line| line.strip_suffix(b"\r").unwrap_or(line).len());
    let length = line.unwrap_or(output.len());
    output.truncate(length);
    match output.is_empty() {
        true => Err(told("printed nothing")),
        false => Ok(Secret::from(std::mem::take(&mut *output))),
    }
}

fn start(command: &mut Command) -> io::Result<Child> {
    let mut running = running();
    if running.is_ending {
        return Err(io::ErrorKind::Interrupted.into());
    }
    let child = command.spawn()?;
    running.children.insert(child.id());
    Ok(child)
}

/// Returns the status of the program if it has ended.
fn ended(child: &mut Child) -> io::Result<Option<ExitStatus>> {
    let mut running = running();
    let status = child.try_wait()?;
    if status.is_some() {
        running.children.remove(&child.id());
    }
    Ok(status)
}

enum Failure {
    Timeout,
    TooLarge,
    Io(io::Error),
}

/// Waits until the program has ended, and returns its output.
fn read(child: &mut Child, until: Instant) -> Result<(Zeroizing<Vec<u8>>, ExitStatus), Failure> {
    let stdout = child.stdout.take().ok_or(Failure::Timeout)?;
    let (sender, receiver) = mpsc::channel();
    // A program that it has started may hold the pipe open for longer.
    thread::spawn(move || {
        // As large as it can become, because growing would leave a copy of the secret behind.
        let mut output = Zeroizing::new(Vec::with_capacity(MAX_OUTPUT + 1));
        let limit = u64::try_from(MAX_OUTPUT + 1).unwrap_or(u64::MAX);
        let read = stdout.take(limit).read_to_end(&mut output);
        let _ = sender.send(read.map(|_| output));
    });
    let output = receiver.recv_timeout(until.saturating_duration_since(Instant::now()));
    let output = output.map_err(|_| Failure::Timeout)?.map_err(Failure::Io)?;
    if output.len() > MAX_OUTPUT {
        return Err(Failure::TooLarge);
    }
    loop {
        match ended(child).map_err(Failure::Io)? {
            Some(status) => return Ok((output, status)),
            None if Instant::now() >= until => return Err(Failure::Timeout),
            None => thread::park_timeout(PAUSE),
        }
    }
}

/// Ends the program, and the programs that it has started.
fn end(child: &mut Child) {
    let mut running = running();
    if running.children.remove(&child.id()) {
        kill_group(child.id());
        let _ = child.kill();
        let _ = child.wait();
    }
}

/// Ends a program that wasn't waited for, and the programs that it has started.
fn kill_group(child: u32) {
    #[cfg(unix)]
    if let Some(group) = i32::try_from(child)
        .ok()
        .and_then(rustix::process::Pid::from_raw)
    {
        let _ = rustix::process::kill_process_group(group, rustix::process::Signal::KILL);
    }
    #[cfg(not(unix))]
    let _ = child;
}

// Neither commands nor secrets are printed.
impl fmt::Debug for Programs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Programs")
            .field("commands", &self.0.len())
            .finish()
    }
}
