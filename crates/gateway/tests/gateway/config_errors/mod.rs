//! Errors in a config file: the message names the place and the expected value, the exit code is 2, and no secret is
//! printed.

mod auth;
mod connections;
mod integrations;
mod settings;

use testkit::process::binary::{self, Ended};

/// Checks a config. A config without a `[[caller]]` gets one at its end, because it isn't what these tests are about.
#[track_caller]
fn check(config: impl AsRef<[u8]>) -> Ended {
    const CALLER: &[u8] = b"\n[[caller]]\napi_key = \"c4nary\"\nconnections = []\n";
    let config = config.as_ref();
    let table = std::str::from_utf8(config).ok();
    let table = table.and_then(|text| text.parse::<toml::Table>().ok());
    let lacks_one = table.is_some_and(|table| !table.contains_key("caller"));
    let caller = if lacks_one { CALLER } else { b"" };
    binary::check([config, caller].concat())
}

/// Checks that the file is refused with these lines, each of which begins with line and column.
#[track_caller]
fn refused(config: &str, expected: &[&str]) {
    let ended = check(config);
    assert_eq!(ended.code, Some(2), "{config}\n{ended:?}");
    assert_eq!(ended.stdout, "", "{config}");
    let lines: Vec<_> = ended.stderr.lines().collect();
    let expected: Vec<_> = expected.iter().map(|line| format!("FILE:{line}")).collect();
    assert_eq!(lines, expected, "{config}");
}

/// Checks that the file is refused with a line that begins with this text. The rest of the line is a list that may
/// grow.
#[track_caller]
fn refused_with(config: &str, start: &str) {
    let ended = check(config);
    assert_eq!(ended.code, Some(2), "{config}\n{ended:?}");
    assert!(
        ended.stderr.starts_with(&format!("FILE:{start}")),
        "{config}\n{}",
        ended.stderr
    );
    assert_eq!(ended.stderr.lines().count(), 1, "{}", ended.stderr);
}
