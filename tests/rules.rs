//! The rules of `docs/rules` and the tests that are named after them: each rule has a test, and each such test has a rule.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

const PAGES: [&str; 2] = ["docs/rules/forwarding.md", "docs/rules/security.md"];
const FOLDERS: [&str; 2] = ["tests", "crates"];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Returns an ID such as `N12`, if the text begins with letters and digits that make one.
fn id(text: &str) -> Option<String> {
    let letters = text.chars().take_while(char::is_ascii_alphabetic).count();
    let digits = text.chars().skip(letters).take_while(char::is_ascii_digit);
    let length = letters + digits.count();
    // `http2_` begins the name of a subject.
    (1..3).contains(&letters).then_some(())?;
    (length > letters).then(|| text.get(..length).unwrap().to_ascii_uppercase())
}

/// Returns the IDs of the headings `### N1. Title`, outside of the section of rules that aren't kept yet.
fn rules() -> BTreeSet<String> {
    let mut rules = BTreeSet::new();
    for page in PAGES {
        let text = fs::read_to_string(root().join(page)).unwrap();
        let text = text.split("\n## Not implemented yet").next().unwrap();
        for heading in text.lines().filter_map(|line| line.strip_prefix("### ")) {
            // Other headings may stand among them.
            let rule = heading.split(". ").next().unwrap_or_default();
            if id(rule).as_deref() != Some(rule) {
                continue;
            }
            assert!(rules.insert(rule.to_owned()), "{page}: {rule} stands twice");
        }
    }
    assert!(rules.len() > 150, "only {} rules were found", rules.len());
    rules
}

/// Returns the functions that are named after an ID, with their files.
fn tests() -> BTreeMap<String, BTreeSet<String>> {
    let mut files = Vec::new();
    for folder in FOLDERS {
        collect(&root().join(folder), &mut files);
    }
    let mut tests = BTreeMap::<_, BTreeSet<_>>::new();
    for file in files {
        let text = fs::read_to_string(&file).unwrap();
        // Only what runs by itself: helpers may be named as they like.
        for after in text
            .split("#[tokio::test")
            .chain(text.split("#[test]"))
            .skip(1)
        {
            let name = after
                .split("fn ")
                .nth(1)
                .and_then(|rest| rest.split('(').next());
            let name = name.unwrap_or_default();
            let Some(id) = id(name).filter(|id| name.as_bytes().get(id.len()) == Some(&b'_'))
            else {
                continue;
            };
            tests
                .entry(id)
                .or_default()
                .insert(format!("{}: {name}", file.display()));
        }
    }
    tests
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(&path, files);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
}

#[test]
fn each_rule_has_a_test() {
    let tests = tests();
    let without: Vec<_> = rules()
        .into_iter()
        .filter(|rule| !tests.contains_key(rule))
        .collect();
    assert!(without.is_empty(), "rules without a test: {without:?}");
}

#[test]
fn each_test_that_is_named_after_a_rule_has_the_rule() {
    let rules = rules();
    let without: Vec<_> = tests()
        .into_iter()
        .filter(|(id, _)| !rules.contains(id))
        .collect();
    assert!(without.is_empty(), "tests without a rule: {without:#?}");
}
