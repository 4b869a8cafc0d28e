//! The README's table of clients, which must have the versions that these tests install.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::program::read;

/// Returns the cells of the rows of the table in the README's section.
fn rows() -> Vec<Vec<String>> {
    let readme = read("../../../../README.md");
    let (_, section) = readme.split_once("\n## Clients that are tested\n").unwrap();
    let section = section.split("\n## ").next().unwrap_or_default();
    let row = |line: &str| {
        let cells = line.strip_prefix("| ")?.strip_suffix(" |")?.split(" | ");
        Some(cells.map(str::to_owned).collect())
    };
    section.lines().filter_map(row).skip(2).collect()
}

/// Returns the names and versions that the pins of Python, Node and Debian contain.
fn pins() -> BTreeSet<(String, String)> {
    let pair = |line: &str, separator| {
        let (name, version) = line.split_once(separator).unwrap();
        (name.to_owned(), version.to_owned())
    };
    let python = read("python/requirements.txt");
    let python = python.lines().map(|line| pair(line, "=="));
    let node: Value = serde_json::from_str(&read("node/package.json")).unwrap();
    let node = node["dependencies"].as_object().unwrap();
    let node = node
        .iter()
        .map(|(name, version)| (name.clone(), version.as_str().unwrap().to_owned()));
    let debian = read("debian.txt");
    // A line without a version isn't a client, but an interpreter.
    let debian = debian.lines().filter(|line| line.contains(' '));
    let debian = debian.map(|line| pair(line, " "));
    python.chain(node).chain(debian).collect()
}

#[test]
fn the_readme_has_the_version_of_each_installed_client() {
    let listed: BTreeSet<_> = rows()
        .into_iter()
        .filter(|row| row[2] != "the system's")
        .map(|row| (row[0].trim_matches('`').to_owned(), row[2].clone()))
        .collect();
    assert_eq!(listed, pins());
}

#[test]
fn the_versions_in_the_lock_of_node_are_those_of_the_table() {
    let lock: Value = serde_json::from_str(&read("node/package-lock.json")).unwrap();
    let package: Value = serde_json::from_str(&read("node/package.json")).unwrap();
    assert_eq!(
        lock["packages"][""]["dependencies"],
        package["dependencies"]
    );
    assert!(
        !lock.to_string().contains("\"resolved\""),
        "the lock names a registry"
    );
}
