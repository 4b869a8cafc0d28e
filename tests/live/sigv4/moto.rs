//! boto3 with a key that AWS wouldn't accept, through the gateway, to moto, which verifies signatures with the stored
//! key.

use std::ffi::OsString;
use std::process::Stdio;
use std::time::Duration;

use serde_json::Value;
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, Command};
use tower_passthrough::auth::SigV4;
use tower_passthrough::{Connection, Upstream};

use super::python;
use testkit::gateway::{Gateway, Setup};

/// The time limit, which is long, because interpreters start slowly on a busy machine.
const PATIENCE: Duration = Duration::from_secs(120);

fn script(name: &str) -> String {
    format!(
        "{}/tests/live/peers/moto/{name}",
        env!("CARGO_MANIFEST_DIR")
    )
}

/// moto, and a gateway in front of moto for each service.
struct Place {
    python: OsString,
    s3: Gateway,
    streaming: Gateway,
    dynamodb: Gateway,
    _moto: Child,
}

impl Place {
    async fn new() -> Option<Self> {
        let python = python("boto3, moto.server").await?;
        let mut moto = Command::new(&python)
            .arg(script("server.py"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let mut said = String::new();
        let mut output = BufReader::new(moto.stdout.take().unwrap());
        tokio::time::timeout(PATIENCE, output.read_line(&mut said))
            .await
            .expect("moto prints its address")
            .unwrap();
        let said: Value = serde_json::from_str(&said).unwrap();
        let origin = format!("http://127.0.0.1:{}", said["port"]);
        let connection = Connection::new("vendor")
            .with_secret("access_key_id", said["id"].as_str().unwrap())
            .with_secret("secret_access_key", said["secret"].as_str().unwrap());
        let gateway = |scheme: SigV4| {
            Setup::new(&*origin)
                .connection(connection.clone())
                .upstream(move |upstream: Upstream| upstream.auth(scheme))
                .start()
        };
        let s3 = || SigV4::new("s3", "eu-central-1").unwrap();
        Some(Self {
            s3: gateway(s3()).await,
            streaming: gateway(s3().streaming()).await,
            dynamodb: gateway(SigV4::new("dynamodb", "eu-central-1").unwrap()).await,
            python,
            _moto: moto,
        })
    }

    /// Runs the caller, which must print `ok`.
    async fn call(&self, name: &str) {
        let mount = |gateway: &Gateway| format!("http://{}/p/c", gateway.address);
        let run = Command::new(&self.python)
            .env("no_proxy", "127.0.0.1")
            .arg(script(name))
            .args([&self.s3, &self.dynamodb, &self.streaming].map(mount))
            .kill_on_drop(true)
            .output();
        let output = tokio::time::timeout(PATIENCE, run).await;
        let output = output.expect("the caller ends").unwrap();
        let error = String::from_utf8_lossy(&output.stderr);
        assert_eq!(String::from_utf8_lossy(&output.stdout), "ok\n", "{error}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn boto3_uses_s3_and_dynamodb() {
    let Some(place) = Place::new().await else {
        return;
    };
    place.call("caller.py").await;
}

/// Returns the largest amount of memory that this process has held, in KiB.
fn peak() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
    line.split_whitespace().nth(1)?.parse().ok()
}

const CHILD: &str = "PASSTHROUGH_TEST_LARGE_UPLOADS";

/// Runs this test binary once more, because other tests hold memory in this process.
#[tokio::test]
#[ignore = "takes longer than 10 s: cargo test --features full --test live -- --ignored"]
async fn x1_100_mib_are_streamed() {
    if python("boto3, moto.server").await.is_none() {
        return;
    }
    let run = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "sigv4::moto::x1_100_mib_in_a_separate_process"])
        .arg("--nocapture")
        .env(CHILD, "1")
        .kill_on_drop(true)
        .output();
    let output = tokio::time::timeout(2 * PATIENCE, run).await;
    let output = output.expect("the uploads end").unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(said.contains("1 passed"), "{said}{error}");
    assert!(said.contains("100 MiB went through"), "{said}{error}");
}

/// The limit is far above the memory of an upload, and far below the upload's size.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn x1_100_mib_in_a_separate_process() {
    if std::env::var_os(CHILD).is_none() {
        return;
    }
    let Some(place) = Place::new().await else {
        return;
    };
    let before = peak();
    place.call("large.py").await;
    if let (Some(before), Some(after)) = (before, peak()) {
        println!("from {before} to {after} KiB");
        assert!(after < before + 48 * 1024, "from {before} to {after} KiB");
    }
    println!("100 MiB went through");
}
