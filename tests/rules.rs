//! The rules of `docs/rules` and the tests that are named after them: each rule has a test, each such test has a rule, and
//! `docs/rules/tests.md` lists them. `UPDATE_INDEX=1 cargo test --test rules` writes the list again.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

const PAGES: [&str; 2] = ["docs/rules/forwarding.md", "docs/rules/security.md"];
const INDEX: &str = "docs/rules/tests.md";
const FOLDERS: [&str; 3] = ["tests", "crates", "src"];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Returns an ID such as `N12`, if the text begins with letters and digits that make one.
fn id(text: &str) -> Option<String> {
    let letters = text.chars().take_while(char::is_ascii_alphabetic).count();
    let digits = text.chars().skip(letters).take_while(char::is_ascii_digit);
    let length = letters + digits.count();
    // A name such as `http2_` isn't the ID of a rule.
    (1..3).contains(&letters).then_some(())?;
    (length > letters).then(|| text.get(..length).unwrap().to_ascii_uppercase())
}

/// A heading of a page of rules: `## Title`, or `### N1. Title`, which has an ID.
struct Heading {
    id: Option<String>,
    title: String,
}

/// Returns the headings of a page, without the section of rules that aren't implemented yet.
fn headings(page: &str) -> Vec<Heading> {
    let text = fs::read_to_string(root().join(page)).unwrap();
    let text = text.split("\n## Not implemented yet").next().unwrap();
    let heading = |line: &str| {
        let title = line
            .strip_prefix("### ")
            .or_else(|| line.strip_prefix("## "))?;
        let rule = title.split(". ").next().unwrap_or_default();
        Some(Heading {
            id: id(rule).filter(|id| id == rule && line.starts_with("### ")),
            title: title.to_owned(),
        })
    };
    text.lines().filter_map(heading).collect()
}

fn rules() -> BTreeSet<String> {
    let mut rules = BTreeSet::new();
    for page in PAGES {
        for rule in headings(page).into_iter().filter_map(|heading| heading.id) {
            assert!(rules.insert(rule.clone()), "{page}: {rule} is there twice");
        }
    }
    assert!(rules.len() > 150, "only {} rules were found", rules.len());
    rules
}

/// Returns the names of the tests that begin with an ID, and the file of each.
fn tests() -> BTreeMap<String, BTreeSet<(String, String)>> {
    let mut files = Vec::new();
    for folder in FOLDERS {
        collect(&root().join(folder), &mut files);
    }
    let mut tests = BTreeMap::<_, BTreeSet<_>>::new();
    for file in files {
        let text = fs::read_to_string(&file).unwrap();
        let file = file.strip_prefix(root()).unwrap();
        let file = file.to_str().unwrap().replace('\\', "/");
        // Only test functions count. Helpers may have any name.
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
                .insert((file.clone(), name.to_owned()));
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

/// Returns the index of rules and their tests.
fn index(tests: &BTreeMap<String, BTreeSet<(String, String)>>) -> String {
    let mut index = String::from(
        "# Rules and their tests\n\n\
         This page is generated from the names of the tests by `UPDATE_INDEX=1 cargo test --test rules`. Each test has the ID of its\n\
         rule as a prefix, so `cargo test` with the ID and `_`, in lower case, runs all tests of a rule.\n",
    );
    for page in PAGES {
        let file = page.strip_prefix("docs/rules/").unwrap();
        for Heading { id, title } in headings(page) {
            let Some(id) = id else {
                if title.starts_with(|first: char| first.is_ascii_digit()) {
                    write!(index, "\n## {title}\n\n").unwrap();
                }
                continue;
            };
            let slug = slug(&title);
            writeln!(index, "- [{title}]({file}#{slug})").unwrap();
            for (path, name) in tests.get(&id).into_iter().flatten() {
                writeln!(index, "  - [`{name}`](../../{path})").unwrap();
            }
        }
    }
    index
}

/// Returns the anchor that the renderers of Markdown make from a heading.
fn slug(title: &str) -> String {
    let kept = |c: &char| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_');
    let text = title.chars().filter(kept);
    text.map(|c| if c == ' ' { '-' } else { c })
        .flat_map(char::to_lowercase)
        .collect()
}

#[test]
fn the_index_lists_all_rules_and_their_tests() {
    let expected = index(&tests());
    let path = root().join(INDEX);
    if std::env::var_os("UPDATE_INDEX").is_some() {
        fs::write(&path, &expected).unwrap();
    }
    let current = fs::read_to_string(path).unwrap_or_default();
    assert!(
        current == expected,
        "{INDEX} isn't current: run `UPDATE_INDEX=1 cargo test --test rules`, and commit the file"
    );
}
