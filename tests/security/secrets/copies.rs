//! No copies of secrets and of session keys remain.

use std::fs;
use std::path::{Path, PathBuf};

use testkit::caller::{get, raw_call};
use testkit::gateway::Gateway;
use testkit::manual::ManualVendor;
use testkit::wait::within;

/// Returns the crate's files in that folder, with their text.
fn sources(folder: &str) -> Vec<(PathBuf, String)> {
    fn collect(folder: &Path, files: &mut Vec<(PathBuf, String)>) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                collect(&path, files);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let text = fs::read_to_string(&path).unwrap();
                files.push((path, text));
            }
        }
    }
    let mut files = Vec::new();
    collect(
        &Path::new(env!("CARGO_MANIFEST_DIR")).join(folder),
        &mut files,
    );
    files
}

#[test]
fn l9_no_scheme_builds_a_secret_in_a_growing_buffer() {
    let files = sources("src/auth");
    assert!(files.len() > 5);
    // This file writes a time, and not a secret.
    let secret = files
        .iter()
        .filter(|(path, _)| !path.ends_with("hmac/timestamp.rs"));
    for (path, text) in secret {
        let code = text.split("#[cfg(test)]").next().unwrap();
        for growing in [
            "format!(",
            "to_owned()",
            "to_string()",
            "String::from_utf8",
            ".concat()",
            "to_vec()",
        ] {
            assert!(!code.contains(growing), "{growing} in {}", path.display());
        }
    }
}

const CHILD: &str = "PASSTHROUGH_TEST_KEY_LOG";

/// Runs this test binary once more, with the variable that makes TLS libraries write session keys.
#[test]
fn l9_no_session_key_is_logged() {
    let log = std::env::temp_dir().join(format!("passthrough-key-log-{}", std::process::id()));
    let status = std::process::Command::new(std::env::current_exe().unwrap())
        .args([
            "--exact",
            "secrets::copies::l9_a_call_over_tls_in_a_separate_process",
            "--nocapture",
        ])
        .env("SSLKEYLOGFILE", &log)
        .env(CHILD, "1")
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&status.stdout).into_owned();
    assert!(
        status.status.success() && said.contains("1 passed"),
        "{said}"
    );
    assert!(said.contains("a call over TLS was made"), "{said}");
    assert!(!log.exists(), "session keys were logged");
    for (path, text) in sources("src") {
        assert!(
            !text.contains("KeyLogFile") && !text.contains("key_log"),
            "{}",
            path.display()
        );
    }
}

#[tokio::test]
async fn l9_a_call_over_tls_in_a_separate_process() {
    if std::env::var_os(CHILD).is_none() {
        return;
    }
    let vendor = ManualVendor::bind_tls(&["http/1.1"]).await;
    let gateway = Gateway::to(&vendor).await;
    let serve = async {
        let mut connection = vendor.accept().await;
        connection.head().await;
        connection.write("HTTP/1.1 204 No Content\r\n\r\n").await;
        connection
    };
    let both = Box::pin(async { tokio::join!(raw_call(gateway.address, get("/p/c/x")), serve) });
    let (response, _connection) = within("a call over TLS", both).await;
    assert_eq!(response.status(), 204);
    println!("a call over TLS was made");
}
