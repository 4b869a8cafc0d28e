//! Rules about the source code, checked by reading the source: imports run one way, and code that can do harm is in one
//! place.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test fails by panicking"
)]

use std::fs;
use std::path::{Path, PathBuf};

/// Returns the rooms in their order, from the table in CONTRIBUTING.md: a room may import the rooms above it.
fn rooms() -> Vec<String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let text = fs::read_to_string(root.join("CONTRIBUTING.md")).unwrap();
    let table = text.split("| room | what it holds |").nth(1).unwrap();
    let rows = table
        .lines()
        .skip(2)
        .take_while(|line| line.starts_with('|'));
    let rooms: Vec<_> = rows
        .flat_map(|row| row.split('|').nth(1).unwrap_or_default().split(','))
        .map(|room| room.trim().trim_matches('`').to_owned())
        .collect();
    assert!(rooms.len() > 15, "the table of rooms wasn't found");
    rooms
}

/// A source file of the crate.
struct Source {
    /// The path relative to `src/`, with `/` on each system.
    path: String,
    /// The code that isn't under `#[cfg(test)]`.
    code: String,
}

impl Source {
    /// Returns the top-level module that contains the file.
    fn module(&self) -> &str {
        let first = self.path.split('/').next().unwrap_or_default();
        first.strip_suffix(".rs").unwrap_or(first)
    }

    /// Returns the lines of code without comments, because comments may contain words that code may not contain.
    fn lines(&self) -> impl Iterator<Item = &str> {
        let is_code = |line: &&str| !line.trim_start().starts_with("//");
        self.code.lines().filter(is_code)
    }

    /// Fails if `needle` occurs in code outside of `places`, which are files or folders.
    fn keeps_to(&self, needle: &str, places: &[&str]) {
        if places.iter().any(|place| self.path.starts_with(place)) {
            return;
        }
        let found = self.lines().find(|line| line.contains(needle));
        assert_eq!(found, None, "`{needle}` in src/{}", self.path);
    }
}

fn sources() -> Vec<Source> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    collect(&root, &mut files);
    let read = |file: PathBuf| {
        let text = fs::read_to_string(&file).unwrap();
        let code = text.split("#[cfg(test)]\nmod ").next().unwrap_or_default();
        let path = file.strip_prefix(&root).unwrap().display().to_string();
        Source {
            path: path.replace('\\', "/"),
            code: code.to_owned(),
        }
    };
    let sources: Vec<_> = files.into_iter().map(read).collect();
    assert!(sources.len() > 30, "the source wasn't found");
    sources
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("a readable folder") {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(&path, files);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
}

/// Returns the top-level modules that a line names: `use crate::a::B`, `use crate::{a, b::{C}}`, `crate::a::f()`.
fn imported(code: &str) -> Vec<String> {
    let is_name = |char: char| char.is_ascii_alphanumeric() || char == '_';
    let mut modules = Vec::new();
    for after in code.split("crate::").skip(1) {
        if let Some(group) = after.strip_prefix('{') {
            let mut depth = 1_usize;
            let mut name = String::new();
            let mut at_start = true;
            for char in group.chars() {
                match char {
                    '{' => depth += 1,
                    '}' => depth -= 1,
                    ',' if depth == 1 => at_start = true,
                    char if depth == 1 && at_start && is_name(char) => {
                        name.push(char);
                        continue;
                    }
                    _ => {}
                }
                if !name.is_empty() {
                    modules.push(std::mem::take(&mut name));
                    at_start = char == ',';
                }
                if depth == 0 {
                    break;
                }
            }
        } else {
            modules.push(after.chars().take_while(|&char| is_name(char)).collect());
        }
    }
    modules
}

#[test]
fn imports_are_read_in_each_form() {
    assert_eq!(imported("use crate::error::Error;"), ["error"]);
    assert_eq!(
        imported("use crate::{error, policy::{Host, Origin}, store::X};"),
        ["error", "policy", "store"]
    );
    assert_eq!(
        imported("let x = crate::body::f(crate::auth::Y);"),
        ["body", "auth"]
    );
}

#[test]
fn imports_run_one_way() {
    let rooms = rooms();
    let rank = |module: &str| rooms.iter().position(|other| other == module);
    let mut edges = 0;
    for source in sources() {
        let importer = source.module();
        if importer == "lib" {
            continue;
        }
        let own = rank(importer).unwrap_or_else(|| {
            unreachable!("src/{} isn't in a room of CONTRIBUTING.md", source.path)
        });
        let code: String = source.lines().flat_map(|line| [line, "\n"]).collect();
        for module in imported(&code) {
            // Items of the root are re-exports, so code must import them from their module.
            let imported = rank(&module)
                .unwrap_or_else(|| unreachable!("src/{} imports `crate::{module}`", source.path));
            assert!(
                imported <= own,
                "src/{} imports `crate::{module}`, which is below it in the table",
                source.path
            );
            edges += usize::from(imported < own);
        }
    }
    assert!(edges > 30, "only {edges} imports were found");
}

#[test]
fn each_room_exists_and_architecture_md_lists_the_same_rooms() {
    let rooms = rooms();
    let sources = sources();
    for room in &rooms {
        let is_there = sources.iter().any(|source| source.module() == room);
        assert!(
            is_there,
            "CONTRIBUTING.md names the room `{room}`, which src/ doesn't have"
        );
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let text = fs::read_to_string(root.join("ARCHITECTURE.md")).unwrap();
    let list = text
        .split("## Rooms, and which may use which")
        .nth(1)
        .unwrap();
    let list = list.split("\n\n").nth(1).unwrap_or_default();
    let named: Vec<_> = list.split('`').skip(1).step_by(2).collect();
    assert_eq!(
        named, rooms,
        "ARCHITECTURE.md and CONTRIBUTING.md list different rooms"
    );
}

#[test]
fn modules_do_not_leave_their_room_by_super() {
    // `super::super::` out of a folder would be an import that the test of imports doesn't see.
    for source in sources() {
        // A module in braces is one level deeper than its file.
        let inline = source
            .lines()
            .any(|line| line.starts_with("mod ") && line.ends_with('{'));
        let depth = source.path.matches('/').count() + usize::from(inline);
        let climbs = "super::".repeat(depth + 1);
        source.keeps_to(&climbs, &[]);
    }
}

#[test]
fn the_root_holds_no_logic() {
    let sources = sources();
    let root = sources
        .iter()
        .find(|source| source.path == "lib.rs")
        .unwrap();
    for line in root.lines() {
        let is_logic = ["fn ", "impl ", "struct ", "enum ", "trait ", "static "]
            .iter()
            .any(|item| {
                line.trim_start()
                    .trim_start_matches("pub ")
                    .starts_with(item)
            });
        assert!(!is_logic, "{line}");
    }
}

#[test]
fn only_the_policy_makes_a_destination() {
    for source in sources() {
        source.keeps_to("Destination::judged", &["policy/"]);
        if source.path.starts_with("policy/") {
            for line in source.lines().filter(|line| line.contains("fn judged")) {
                assert!(
                    line.trim_start().starts_with("pub(super) fn judged"),
                    "{line}"
                );
            }
        }
    }
}

#[test]
fn only_listed_files_expose_secrets() {
    for source in sources() {
        // An egress proxy has its own credential, and a client certificate has a key. A store on disk encrypts secrets,
        // and the end of a token is stored with the token.
        source.keeps_to(
            ".expose()",
            &[
                "auth/",
                "secret.rs",
                "catalog/scheme.rs",
                "client/connect/egress/",
                "oauth2/encoding.rs",
                "oauth2/signing.rs",
                "durable/",
                "identity.rs",
                "refresh/expires_at.rs",
            ],
        );
        source.keeps_to("expose_secret", &["secret.rs"]);
    }
}

#[test]
fn only_one_file_makes_an_error_response() {
    const PROBLEM: &str = "pipeline/problem.rs";
    let sources = sources();
    assert!(sources.iter().any(|source| source.path == PROBLEM));
    for source in &sources {
        // A description of errors names their media types.
        source.keeps_to("problem+json", &[PROBLEM, "openapi/specification.rs"]);
        source.keeps_to("Response::builder", &[PROBLEM]);
        source.keeps_to("status_mut()", &[PROBLEM]);
        source.keeps_to("StatusCode::from", &[PROBLEM]);
    }
}

/// Returns the signatures of functions, from `fn` to the body or the semicolon, each on one line.
fn signatures(code: &str) -> Vec<String> {
    let mut found = Vec::new();
    for (at, _) in code.match_indices("fn ") {
        let (before, rest) = code.split_at(at);
        let last = before.chars().next_back();
        let is_word = last.is_none_or(|char| " (\n".contains(char));
        let rest = rest.trim_start_matches("fn ");
        let signature = rest.split(['{', ';']).next().unwrap_or_default();
        let signature = signature.split_whitespace().collect::<Vec<_>>().join(" ");
        if is_word && signature.contains('(') {
            found.push(signature);
        }
    }
    found
}

#[test]
fn names_keep_to_the_rules() {
    let mut faults = Vec::new();
    for source in sources() {
        let code: String = source.lines().flat_map(|line| [line, "\n"]).collect();
        for signature in signatures(&code) {
            let name = signature.split(['(', '<']).next().unwrap_or_default();
            // A predicate changes nothing, and returns a `bool`.
            let asks = ["is_", "has_", "can_", "may_", "needs_"]
                .iter()
                .any(|start| name.starts_with(start));
            let returns_bool =
                signature.ends_with("-> bool") || signature.contains("Output = bool");
            let changes = signature.contains("&mut self");
            if asks && (!returns_bool || changes) {
                faults.push(format!("src/{}: fn {signature}", source.path));
            }
            // Constructors are `new`, `from_x`, `parse` and `with_x`.
            if name == "of" || name.starts_with("of_") {
                faults.push(format!("src/{}: fn {signature}", source.path));
            }
        }
        for line in source.lines() {
            let line = line
                .trim_start()
                .trim_start_matches("pub(crate) ")
                .trim_start_matches("pub ");
            let name = line
                .strip_prefix("const ")
                .and_then(|rest| rest.split(':').next())
                .unwrap_or_default();
            // A constant's name says what the constant measures.
            if ["FIRST", "MOST", "KEPT", "LONGEST", "STORE", "BYTES", "TIME"].contains(&name) {
                faults.push(format!("src/{}: {line}", source.path));
            }
        }
    }
    assert_eq!(faults, [""; 0], "{faults:#?}");
}

#[test]
fn code_uses_ordinary_privacy() {
    for source in sources() {
        source.keeps_to("pub(in ", &[]);
        source.keeps_to("#[path", &[]);
    }
}
