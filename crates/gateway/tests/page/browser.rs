//! A program in Node that drives Chromium.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use serde_json::Value;
use testkit::process::canary::KEY;
use testkit::process::gateway::Gateway;
use tokio::io::AsyncWriteExt as _;
use tokio::process::Command;

/// The time that a program may take. The start of a browser alone can take seconds.
const LIMIT: Duration = Duration::from_secs(170);

fn read(name: &str) -> String {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/page/node");
    std::fs::read_to_string(folder.join(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// Returns the folder of the packages, and the browser. Without them, the test is skipped.
fn installed() -> Option<(PathBuf, PathBuf)> {
    let Ok(packages) = std::env::var("PAGE_NODE") else {
        eprintln!("skipped: PAGE_NODE isn't set");
        return None;
    };
    let browser = std::env::var("PAGE_CHROMIUM");
    let browser = PathBuf::from(browser.unwrap_or("/usr/bin/chromium".to_owned()));
    if !browser.exists() {
        eprintln!("skipped: there is no {}", browser.display());
        return None;
    }
    Some((packages.into(), browser))
}

/// Runs a program, and returns its line of JSON, or `None` if there is no browser. The program knows the addresses of the gateway
/// and of the vendor, and the caller's key.
pub(crate) async fn run(name: &str, gateway: &Gateway, vendor: &str) -> Option<Value> {
    let (packages, browser) = installed()?;
    let home = testkit::process::folder::Folder::new();
    let input = [read("shared.mjs"), read(&format!("{name}.mjs"))].join("\n");
    let mut command = Command::new("node");
    command
        .args(["--no-warnings", "--input-type=module", "-"])
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap_or_default())
        .env("HOME", home.path("."))
        .env("LANG", "C.UTF-8")
        .env("CHROMIUM", browser)
        .env("GATEWAY", gateway.url(""))
        .env("KEY", KEY)
        .env("VENDOR", vendor)
        .env(
            "PICTURES",
            std::env::var_os("PAGE_PICTURES").unwrap_or_default(),
        )
        // Packages are looked for from the current folder.
        .current_dir(packages)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true);
    let mut child = command.spawn().expect("node");
    let mut pipe = child.stdin.take().unwrap();
    let ended = async {
        let _ = pipe.write_all(input.as_bytes()).await;
        drop(pipe);
        child.wait_with_output().await.unwrap()
    };
    let ended = tokio::time::timeout(LIMIT, ended).await;
    let output = ended.unwrap_or_else(|_| panic!("{name} didn't end in {LIMIT:?}"));
    let stdout = String::from_utf8_lossy(&output.stdout);
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{name}: {stdout}\n{stderr}");
    let line = stdout.lines().rfind(|line| !line.is_empty());
    let value = line.and_then(|line| serde_json::from_str(line).ok());
    Some(value.unwrap_or_else(|| panic!("{name}: no JSON: {stdout}\n{stderr}")))
}
