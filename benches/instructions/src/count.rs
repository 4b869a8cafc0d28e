//! Runs a proxy in valgrind, and reads the number of its instructions.

use std::io::{BufRead as _, BufReader};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::{env, fs};

use rustix::process::{Pid, Signal, kill_process};

use crate::cases::{Case, Proxy, Wire};
use crate::vendor::Vendors;
use crate::{BoxError, load};

/// The numbers of calls of the two runs.
const CALLS: [usize; 2] = [200, 1200];
/// The number of calls before the gateway's instructions are counted.
const WARM_UP: usize = 200;

/// Returns the instructions of a call.
pub fn per_call(case: &Case, vendors: &Vendors, profile: Option<&Path>) -> Result<f64, BoxError> {
    let [short, long] = CALLS;
    let few = instructions(case, vendors, short, None)?;
    let many = instructions(case, vendors, long, profile)?;
    Ok((many as f64 - few as f64) / (long - short) as f64)
}

/// Returns the instructions of a process that proxies so many calls.
fn instructions(
    case: &Case,
    vendors: &Vendors,
    calls: usize,
    profile: Option<&Path>,
) -> Result<u64, BoxError> {
    let folder = env::temp_dir().join(format!("instructions-{}", std::process::id()));
    fs::create_dir_all(&folder)?;
    let log = folder.join("log");
    let profile = match profile {
        Some(folder) => folder.join(format!("callgrind.{}", case.name)),
        None => "/dev/null".into(),
    };
    // Addresses that are chosen at random would change the order of hash maps, and the branches of memcpy.
    let mut command = Command::new("setarch");
    command.arg("-R").arg("valgrind").arg("--tool=callgrind");
    // The gateway measures its clock when it begins, with a number of instructions that depends on the time.
    let is_gateway = case.proxy == Proxy::Gateway;
    if is_gateway {
        command.arg("--instr-atstart=no");
    }
    command.arg(format!("--log-file={}", log.display()));
    command.arg(format!("--callgrind-out-file={}", profile.display()));
    match case.proxy {
        Proxy::Gateway => gateway(&mut command, &folder, vendors)?,
        proxy => {
            command.arg(env::current_exe()?).arg(crate::serve::VERB);
            command.args([proxy.as_str(), case.wire.as_str()]);
            command.arg(vendors.of(case.wire).to_string());
            command.arg(&vendors.authority);
        }
    }
    let mut running = Running(
        command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .map_err(|error| format!("setarch and valgrind are needed: {error}"))?,
    );
    let address = running.address()?;
    if is_gateway {
        load::over_http1(address, WARM_UP, case.body)?;
        running.count()?;
    }
    match case.wire {
        Wire::Http2 => load::over_http2(address, calls)?,
        Wire::Http1 | Wire::Tls => load::over_http1(address, calls, case.body)?,
    }
    running.end()?;
    let text = fs::read_to_string(&log)?;
    fs::remove_dir_all(&folder)?;
    let counted = text
        .lines()
        .find_map(|line| line.split_once("Collected : "));
    let (_, counted) = counted.ok_or_else(|| format!("valgrind counted nothing:\n{text}"))?;
    Ok(counted.trim().parse()?)
}

/// Returns the path of the gateway, which is built with `cargo build --release -p passthrough-gateway`.
pub fn gateway_program() -> PathBuf {
    let target = env::var_os("CARGO_TARGET_DIR").map(PathBuf::from);
    let own = Path::new(env!("CARGO_MANIFEST_DIR"));
    let target = target.unwrap_or_else(|| own.join("../../target"));
    target.join("release/passthrough-gateway")
}

/// Adds the gateway of this repository.
fn gateway(command: &mut Command, folder: &Path, vendors: &Vendors) -> Result<(), BoxError> {
    let config = folder.join("gateway.toml");
    let vendor = vendors.of(Wire::Http1);
    fs::write(
        &config,
        format!(
            r#"listen = "127.0.0.1:0"
mount = "/passthrough"
[network]
allow = ["127.0.0.0/8"]
plaintext = true
[[caller]]
api_key = "key-of-a-caller"
connections = ["acme"]
[integration.crm]
base_url = "http://{vendor}/v2"
auth = {{ kind = "bearer" }}
[connection.acme]
integration = "crm"
secret = {{ token = "s3cr3t" }}
"#
        ),
    )?;
    command.arg(gateway_program()).arg("--config").arg(config);
    command.env("TOKIO_WORKER_THREADS", "1");
    Ok(())
}

/// A proxy, which is ended when the value is dropped.
struct Running(Child);

impl Running {
    /// Returns the address that the proxy prints.
    fn address(&mut self) -> Result<SocketAddr, BoxError> {
        let stdout = self.0.stdout.take().ok_or("the proxy has no stdout")?;
        let mut lines = BufReader::new(stdout).lines();
        let address = loop {
            let line = lines.next().ok_or("the proxy didn't start")??;
            if let Some(address) = line.strip_prefix("listening on ") {
                break address.trim_start_matches("http://").parse()?;
            }
        };
        // The pipe must not become full.
        std::thread::spawn(move || lines.for_each(drop));
        Ok(address)
    }

    /// Counts instructions from now on.
    fn count(&self) -> Result<(), BoxError> {
        let mut control = Command::new("callgrind_control");
        control.arg("--instr=on").arg(self.0.id().to_string());
        let status = control.stdout(Stdio::null()).status()?;
        match status.success() {
            true => Ok(()),
            false => Err("callgrind_control, a part of valgrind, has failed".into()),
        }
    }

    fn end(&mut self) -> Result<(), BoxError> {
        let id = i32::try_from(self.0.id()).ok().and_then(Pid::from_raw);
        kill_process(id.ok_or("the proxy has no id")?, Signal::TERM)?;
        self.0.wait()?;
        Ok(())
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
