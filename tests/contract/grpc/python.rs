//! A caller in another language: Python, with Google's implementation in C.

use tokio::process::Command;

use super::Place;
use testkit::wait::within;

/// The variable that names a Python with `grpcio`. If the variable is set, the test isn't skipped.
const PYTHON: &str = "GRPC_PYTHON";

/// Skipped if there is no Python with `grpcio`. With `GRPC_PYTHON=python3` in the environment, the test fails instead.
#[tokio::test]
async fn g3_g4_a_caller_in_python() {
    let wanted = std::env::var_os(PYTHON);
    let python = wanted.clone().unwrap_or_else(|| "python3".into());
    let probe = Command::new(&python).args(["-c", "import grpc"]).output();
    let has_grpc = probe.await.is_ok_and(|output| output.status.success());
    if !has_grpc {
        assert!(wanted.is_none(), "{PYTHON} has no grpcio");
        eprintln!("skipped: python3 has no grpcio; {PYTHON} names one that has");
        return;
    }
    let place = Place::new().await;
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/contract/grpc/caller.py");
    let run = Command::new(&python)
        .env("no_proxy", "127.0.0.1")
        .args([script, &place.address.to_string()])
        .kill_on_drop(true)
        .output();
    let output = within("the caller in Python", run).await.unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    let error = String::from_utf8_lossy(&output.stderr);
    assert_eq!(said, "ok\n", "{error}");
}
