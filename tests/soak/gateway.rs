//! The gateway: the example's binary as a process of its own.

use std::fmt::Write as _;
use std::io::{BufRead, BufReader, Read};
use std::net::SocketAddr;
use std::process::{Child, Stdio};
use std::thread::JoinHandle;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};

use crate::kit::binary;
use crate::kit::folder::Folder;
use crate::place::Place;
use crate::plan::{TENANTS, key, token};
use crate::support::certificates;
use crate::vendors::Vendors;

/// How many lines of its log are kept.
const KEPT: usize = 40;

/// The timeouts of a vendor that stalls: short for the soak, and long for a machine that is busy.
const TIMEOUT: Duration = Duration::from_secs(5);

/// Killed when it's dropped.
pub(crate) struct Gateway {
    pub(crate) address: SocketAddr,
    child: Child,
    log: Option<JoinHandle<Log>>,
    _folder: Folder,
}

/// The end of what it printed on stderr.
#[derive(Debug, Default)]
pub(crate) struct Log {
    pub(crate) last: Vec<String>,
    /// A line that holds a secret.
    pub(crate) leak: Option<String>,
}

impl Gateway {
    pub(crate) fn start(vendors: &Vendors) -> Self {
        let folder = Folder::new();
        folder.write("ca.pem", certificates::root_pem());
        let file = folder.write("gateway.toml", config(vendors));
        let mut command = binary::command();
        command.arg("--config").arg(file);
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("a binary that runs");
        let stderr = child.stderr.take().expect("a pipe");
        let log = std::thread::spawn(move || read(stderr));
        let mut first = String::new();
        let stdout = child.stdout.take().expect("a pipe");
        // Nothing more comes.
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
            _folder: folder,
        }
    }

    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Asks it to stop.
    pub(crate) fn terminate(&self) {
        let id = i32::try_from(self.id()).ok().and_then(Pid::from_raw);
        let id = id.expect("a process id");
        kill_process(id, Signal::TERM).expect("a process that runs");
    }

    /// Its exit code, if it has ended, and not by a signal.
    pub(crate) fn exit_code(&mut self) -> Option<i32> {
        let status = self.child.try_wait().expect("a child");
        status.and_then(|status| status.code())
    }

    /// Kills it, if it still runs.
    pub(crate) fn log(&mut self) -> Log {
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
        // Audit lines are one for each call.
        if !line.contains(" audit: ") {
            log.last.push(line);
        }
        if log.last.len() > KEPT {
            log.last.remove(0);
        }
    }
    log
}

/// Each tenant has a connection at each vendor, and a key that opens its own alone.
fn config(vendors: &Vendors) -> String {
    let names = Place::ALL.map(|place| format!("\"{}.test\" = \"127.0.0.1\"", place.name()));
    let timeout = TIMEOUT.as_secs();
    let mut config = format!(
        "listen = \"127.0.0.1:0\"\n\
         [network]\n\
         allow = [\"127.0.0.0/8\"]\n\
         plaintext = true\n\
         extra_roots = [\"ca.pem\"]\n\
         resolve = {{ {} }}\n\
         [timeouts]\n\
         connect = \"20s\"\n\
         response_head = \"{timeout}s\"\n\
         idle = \"{timeout}s\"\n",
        names.join(", ")
    );
    let mut add = |lines: String| config.write_str(&lines).expect("room for more");
    for tenant in 0..TENANTS {
        let key = key(tenant);
        add(format!(
            "[[caller]]\napi_key = \"{key}\"\nconnections = [\"*-{tenant}\"]\n"
        ));
    }
    for place in Place::ALL {
        let (name, origin) = (place.name(), vendors.origin(place));
        add(format!(
            "[integration.{name}]\nbase_url = \"{origin}/api\"\nauth = {{ kind = \"bearer\" }}\n"
        ));
        for tenant in 0..TENANTS {
            let token = token(tenant);
            add(format!(
                "[connection.{name}-{tenant}]\nintegration = \"{name}\"\n\
                 secret = {{ token = \"{token}\" }}\n"
            ));
        }
    }
    config
}
