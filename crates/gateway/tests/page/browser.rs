//! A program in Node that drives Chromium.

use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::Value;
use testkit::process::canary::KEY;
use testkit::process::foreign::{Printed, installed, node};
use testkit::process::gateway::Gateway;

/// The time that a program may take. The start of a browser alone can take seconds.
const LIMIT: Duration = Duration::from_secs(170);

fn read(name: &str) -> String {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/page/node");
    std::fs::read_to_string(folder.join(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// Returns the folder of the packages, and the browser. Without them, the test is skipped.
fn browser() -> Option<(String, PathBuf)> {
    let packages = installed("PAGE_NODE")?;
    let browser = std::env::var("PAGE_CHROMIUM");
    let browser = PathBuf::from(browser.unwrap_or("/usr/bin/chromium".to_owned()));
    if !browser.exists() {
        eprintln!("skipped: there is no {}", browser.display());
        return None;
    }
    Some((packages, browser))
}

/// Runs a program, and returns its line of JSON, or `None` if there is no browser. The program knows the addresses of the gateway
/// and of the vendor, and the caller's key.
pub(crate) async fn run(name: &str, gateway: &Gateway, vendor: &str) -> Option<Value> {
    let (packages, browser) = browser()?;
    let home = testkit::process::folder::Folder::new();
    let input = [read("shared.mjs"), read(&format!("{name}.mjs"))].join("\n");
    let mut command = node(&packages);
    command
        .env("HOME", home.path("."))
        .env("CHROMIUM", browser)
        .env("GATEWAY", gateway.url(""))
        .env("KEY", KEY)
        .env("VENDOR", vendor)
        .env(
            "PICTURES",
            std::env::var_os("PAGE_PICTURES").unwrap_or_default(),
        );
    Some(Printed::by(command, &input, LIMIT).await.json())
}
