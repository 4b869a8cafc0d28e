//! The lowest permitted versions of crates, because of advisories, compared with `Cargo.lock`.

use std::cmp::Ordering;
use std::fs;
use std::path::Path;

/// The lowest version of a crate that `Cargo.lock` may have, and the advisories for lower versions.
const LOWEST: [(&str, &str, &str); 13] = [
    (
        "h2",
        "0.4.16",
        "RUSTSEC-2026-0258, 2024-0332, 2024-0003, 2023-0034",
    ),
    ("rustls", "0.23.18", "RUSTSEC-2024-0399, 2024-0336"),
    (
        "rustls-webpki",
        "0.103.13",
        "RUSTSEC-2026-0104, -0099, -0098, -0049",
    ),
    ("idna", "1.0.0", "RUSTSEC-2024-0421"),
    ("bytes", "1.11.1", "RUSTSEC-2026-0007"),
    ("tonic", "0.12.3", "RUSTSEC-2024-0376"),
    ("tracing-subscriber", "0.3.20", "RUSTSEC-2025-0055"),
    ("ring", "0.17.12", "RUSTSEC-2025-0009"),
    ("sqlx", "0.8.1", "RUSTSEC-2024-0363"),
    ("tungstenite", "0.20.1", "RUSTSEC-2023-0065"),
    ("aes-gcm", "0.10.3", "RUSTSEC-2023-0096"),
    ("lru", "0.18.2", "RUSTSEC-2026-0253"),
    ("hickory-proto", "0.26.1", "RUSTSEC-2026-0119"),
];

/// Crates that `Cargo.lock` must not have.
const NEVER: [(&str, &str); 2] = [
    ("rsa", "RUSTSEC-2023-0071: timing, no fix"),
    ("rustls-pemfile", "RUSTSEC-2025-0134: unmaintained"),
];

/// Returns the names and versions of a lock file's packages.
fn packages(lock: &str) -> Vec<(&str, &str)> {
    let mut lines = lock.lines();
    let mut found = Vec::new();
    while let Some(line) = lines.next() {
        if let Some(name) = quoted(line, "name") {
            let version = lines.next().and_then(|line| quoted(line, "version"));
            found.push((name, version.expect("a version below the name")));
        }
    }
    found
}

/// Returns `VALUE` of `key = "VALUE"`.
fn quoted<'a>(line: &'a str, key: &str) -> Option<&'a str> {
    let value = line.strip_prefix(key)?.strip_prefix(" = \"")?;
    value.strip_suffix('"')
}

/// Compares the versions number by number. A version with a `-` is older than the same version without it, and the text
/// after a `+` is ignored.
fn compare(left: &str, right: &str) -> Ordering {
    let split = |version: &str| {
        let version = version.split('+').next().unwrap_or_default().to_owned();
        let (numbers, pre) = match version.split_once('-') {
            Some((numbers, pre)) => (numbers.to_owned(), Some(pre.to_owned())),
            None => (version, None),
        };
        let numbers: Vec<u64> = numbers
            .split('.')
            .map(|part| part.parse().expect("a number"))
            .collect();
        (numbers, pre)
    };
    let ((left, left_pre), (right, right_pre)) = (split(left), split(right));
    left.cmp(&right)
        .then_with(|| left_pre.is_none().cmp(&right_pre.is_none()))
        .then_with(|| left_pre.cmp(&right_pre))
}

fn lock() -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.lock");
    fs::read_to_string(path).expect("a lock file")
}

#[test]
fn versions_are_compared_by_number() {
    for (older, newer) in [
        ("0.4.9", "0.4.16"),
        ("0.23.18", "1.0.0"),
        ("1.0.0-rc.1", "1.0.0"),
        ("0.103.12", "0.103.13"),
        ("1.9.9", "1.10.0"),
    ] {
        assert_eq!(compare(older, newer), Ordering::Less, "{older} {newer}");
        assert_eq!(compare(newer, older), Ordering::Greater, "{older} {newer}");
    }
    assert_eq!(compare("1.2.3+build", "1.2.3"), Ordering::Equal);
}

#[test]
fn no_locked_version_has_a_known_fault() {
    let lock = lock();
    let packages = packages(&lock);
    assert!(packages.len() > 50, "the lock file wasn't understood");
    for name in ["h2", "rustls", "rustls-webpki", "idna", "bytes", "ring"] {
        assert!(
            packages.iter().any(|(other, _)| *other == name),
            "{name} isn't locked"
        );
    }
    for (name, version) in packages {
        for (crate_name, lowest, advisories) in LOWEST {
            let is_older = name == crate_name && compare(version, lowest) == Ordering::Less;
            assert!(
                !is_older,
                "{name} {version} is older than {lowest}: {advisories}"
            );
        }
        for (crate_name, advisory) in NEVER {
            assert_ne!(name, crate_name, "{advisory}");
        }
    }
}
