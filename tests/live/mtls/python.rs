//! A vendor in another language: Python's `ssl`, which uses OpenSSL.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use tower_passthrough::authorize::AuthorizeFn;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, Command};

use super::{everyone, mixed_calls, setup, tenants};
use testkit::caller::{post, raw_call};
use testkit::certificates;
use testkit::identities::Authority;
use testkit::wait::within;

/// The variable that names the Python to use. If the variable is set, the test isn't skipped.
const PYTHON: &str = "MTLS_PYTHON";

fn pem(label: &str, der: &[u8]) -> String {
    let text = STANDARD.encode(der);
    let lines: Vec<_> = text
        .as_bytes()
        .chunks(64)
        .map(String::from_utf8_lossy)
        .collect();
    let lines = lines.join("\n");
    format!("-----BEGIN {label}-----\n{lines}\n-----END {label}-----\n")
}

/// Writes a file in a folder of the test.
fn file(folder: &Path, name: &str, text: &str) -> PathBuf {
    let path = folder.join(name);
    std::fs::write(&path, text).unwrap();
    path
}

/// Starts the vendor, and returns its address. `None` means that there is no Python.
async fn vendor(authority: &Authority) -> Option<(Child, String)> {
    let wanted = std::env::var_os(PYTHON);
    let python = wanted.clone().unwrap_or_else(|| "python3".into());
    let probe = Command::new(&python).args(["-c", "import ssl"]).output();
    if !probe.await.is_ok_and(|output| output.status.success()) {
        assert!(wanted.is_none(), "{PYTHON} has no ssl");
        eprintln!("skipped: there's no python3 with ssl; {PYTHON} names one");
        return None;
    }
    let folder =
        Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("mtls-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let (certificate, key) = certificates::certificate("vendor.test");
    let certificate = file(
        &folder,
        "certificate.pem",
        &pem("CERTIFICATE", &certificate),
    );
    let key = file(&folder, "key.pem", &pem("PRIVATE KEY", key.secret_der()));
    let authority = file(&folder, "authority.pem", &authority.pem());
    let script = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/tests/live/peers/mtls/server.py"
    );
    let mut server = Command::new(&python)
        .arg(script)
        .args([certificate, key, authority])
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let said = BufReader::new(server.stdout.take().unwrap());
    let port = within("the vendor's port", said.lines().next_line()).await;
    std::fs::remove_dir_all(&folder).unwrap();
    let port = port.unwrap().expect("a vendor that runs");
    Some((server, format!("https://vendor.test:{port}")))
}

/// Skipped if there is no Python. With `MTLS_PYTHON=python3` in the environment, the test fails instead.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_vendor_in_python_sees_the_certificate_of_each_connection() {
    let authority = Authority::new();
    let Some((_server, origin)) = vendor(&authority).await else {
        return;
    };
    let gateway = setup(&*origin);
    let gateway = gateway
        .start_with(tenants(&authority, 10), AuthorizeFn::new(everyone))
        .await;
    mixed_calls(&gateway).await;

    let stranger = Authority::new().certify("stranger").connection();
    let gateway = setup(&*origin).connection(stranger).start().await;
    let answer = raw_call(gateway.address, post("/p/c/x", "body")).await;
    assert_eq!(answer.status(), 502, "{}", answer.text());
}
