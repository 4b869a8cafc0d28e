//! Database servers as processes, each in a folder of its own. They end with the test's process.

use std::fs;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering};
use std::time::Duration;

/// The maximum time in which a server must start.
pub(crate) const START_TIMEOUT: Duration = Duration::from_secs(60);
static NUMBER: AtomicUsize = AtomicUsize::new(0);

/// Returns a number that this process hasn't used.
pub(crate) fn next_number() -> usize {
    NUMBER.fetch_add(1, Ordering::Relaxed)
}

/// Returns a command that runs as a user who isn't root, because some servers refuse root.
pub(crate) fn as_user(program: &Path) -> Command {
    if !rustix::process::getuid().is_root() {
        return Command::new(program);
    }
    let mut command = Command::new("setpriv");
    command
        .args(["--reuid=nobody", "--regid=nogroup", "--clear-groups", "--"])
        .arg(program);
    command.env("HOME", "/nonexistent");
    command
}

/// Runs a command to its end, and returns its output. Fails if the command fails.
pub(crate) fn run(command: &mut Command) -> String {
    let output = command.stdin(Stdio::null()).output().unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    assert!(
        output.status.success(),
        "{command:?}: {}{}",
        text(&output.stdout),
        text(&output.stderr)
    );
    text(&output.stdout)
}

/// Removes the folders of this process after its end, because a static value is never dropped.
fn clean_up_later() {
    static CLEANER: OnceLock<Child> = OnceLock::new();
    CLEANER.get_or_init(|| {
        let folders = std::env::temp_dir().join(format!("tpd-{}-*", std::process::id()));
        let mut shell = Command::new("/bin/sh");
        shell
            .arg("-c")
            .arg(format!("read -r _; sleep 3; rm -rf {}", folders.display()));
        shell
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap()
    });
}

/// Creates an empty folder that the user can write to.
pub(crate) fn folder(name: &str) -> PathBuf {
    clean_up_later();
    let number = next_number();
    let path = std::env::temp_dir().join(format!("tpd-{}-{number}-{name}", std::process::id()));
    let _ = fs::remove_dir_all(&path);
    fs::create_dir(&path).unwrap();
    if rustix::process::getuid().is_root() {
        run(Command::new("chown").arg("nobody:nogroup").arg(&path));
    }
    path
}

/// Returns a port at which nothing listens.
///
/// The operating system gives ports of this range to nobody that doesn't ask for them, so a server that was stopped finds its port again.
pub(crate) fn free_port() -> u16 {
    const FIRST: u32 = 10_240;
    const COUNT: u32 = 20_000;
    static TAKEN: AtomicU32 = AtomicU32::new(0);
    // Processes begin at different ports.
    let first = std::process::id().wrapping_mul(211);
    let ports = (0..COUNT).map(|_| {
        let offset = first.wrapping_add(TAKEN.fetch_add(1, Ordering::Relaxed));
        u16::try_from(FIRST + offset % COUNT).unwrap()
    });
    let is_free = |port: &u16| TcpListener::bind(("127.0.0.1", *port)).is_ok();
    ports.into_iter().find(is_free).expect("a port is free")
}

/// A process that ends when this value is dropped, and when the test's process ends.
#[derive(Debug)]
pub(crate) struct Process(Child);

impl Process {
    /// Starts the command under a shell that waits for the end of its standard input, and then stops the command at once.
    pub(crate) fn start(command: &str, log: &Path) -> Self {
        let script = format!(
            "({command}) </dev/null >>{log} 2>&1 & child=$!; read -r _; kill -QUIT $child 2>/dev/null; \
             for i in 1 2 3 4 5 6 7 8 9 10; do kill -0 $child 2>/dev/null || exit 0; sleep 0.1; done; \
             kill -KILL $child",
            log = log.display()
        );
        let mut shell = as_user(Path::new("/bin/sh"));
        shell
            .arg("-c")
            .arg(script)
            .current_dir("/")
            .stdin(Stdio::piped());
        let shell = shell
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        Self(shell)
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        drop(self.0.stdin.take());
        let _ = self.0.wait();
    }
}
