//! What is wrong with a config file: the place, what was expected, exit 2, and no secret.

mod auth;
mod connections;
mod integrations;
mod settings;

use testkit::process::binary::check;

/// The file is refused with these lines, in which each begins with the line and column.
#[track_caller]
fn refused(config: &str, expected: &[&str]) {
    let ended = check(config);
    assert_eq!(ended.code, Some(2), "{config}\n{ended:?}");
    assert_eq!(ended.stdout, "", "{config}");
    let lines: Vec<_> = ended.stderr.lines().collect();
    let expected: Vec<_> = expected.iter().map(|line| format!("FILE:{line}")).collect();
    assert_eq!(lines, expected, "{config}");
}

/// One line that begins so; what follows is a list of ours.
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
