//! The gateway's page, in a real browser.
//!
//! The tests in [`serving`] use curl. The others run a small program in Node, which drives Chromium, and prints one line of
//! JSON. `PAGE_NODE` names a folder with the packages in `node/package.json`; `PAGE_CHROMIUM` names the browser, by default
//! `/usr/bin/chromium`. Without the variable or the browser, these tests are skipped, and print that they are skipped;
//! `.ci/run` installs both. `PAGE_PICTURES=FOLDER` also writes the pictures of `docs/page.md`.
#![cfg(unix)]
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod access;
mod browser;
mod calls;
mod hostile;
mod serving;
