//! The house's own rules, read from the source: imports run one way, and what is dangerous has one
//! place.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test fails by panicking"
)]

use std::fs;
use std::path::{Path, PathBuf};

/// Modules in the order in which a call needs them. One may import those above it, never one below.
const ORDER: [&str; 26] = [
    "error",
    "secret",
    "pem",
    "address",
    "policy",
    "connection",
    "limits",
    "observe",
    "auth",
    "upstream",
    "store",
    "conformance",
    "sqlite",
    "resolver",
    "rewrite",
    "body",
    "client",
    "refreshing",
    "oauth2",
    "tunnel",
    "resilience",
    "response",
    "settings",
    "refusal",
    "pipeline",
    "service",
];

/// The longest that a file may be, tests aside.
const LONGEST: usize = 400;

/// A source file of the crate.
struct Source {
    /// Relative to `src/`, with `/` on each system.
    path: String,
    /// What isn't under `#[cfg(test)]`.
    code: String,
}

impl Source {
    /// The module of the top level that the file belongs to.
    fn module(&self) -> &str {
        let first = self.path.split('/').next().unwrap_or_default();
        first.strip_suffix(".rs").unwrap_or(first)
    }

    /// The lines of code: without comments, so that prose may name what code may not.
    fn lines(&self) -> impl Iterator<Item = &str> {
        let is_code = |line: &&str| !line.trim_start().starts_with("//");
        self.code.lines().filter(is_code)
    }

    /// Fails if `needle` stands in code outside of `places`, which are files or folders.
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

/// The modules of the top level that a line names: `use crate::a::B`, `use crate::{a, b::{C}}`,
/// `crate::a::f()`.
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
    let rank = |module: &str| ORDER.iter().position(|&other| other == module);
    let mut edges = 0;
    for source in sources() {
        let importer = source.module();
        if importer == "lib" {
            continue;
        }
        let own = rank(importer).unwrap_or_else(|| {
            unreachable!("src/{} is in no place of the list of modules", source.path)
        });
        let code: String = source.lines().flat_map(|line| [line, "\n"]).collect();
        for module in imported(&code) {
            // Items of the root are re-exports: the module itself must be named.
            let imported = rank(&module)
                .unwrap_or_else(|| unreachable!("src/{} imports `crate::{module}`", source.path));
            assert!(
                imported <= own,
                "src/{} imports `crate::{module}`, which stands below it",
                source.path
            );
            edges += usize::from(imported < own);
        }
    }
    assert!(edges > 30, "only {edges} imports were found");
}

#[test]
fn modules_below_the_root_do_not_reach_up_by_super() {
    // `super::super::` out of a folder would be an import that the rule above doesn't see.
    for source in sources() {
        let depth = source.path.matches('/').count();
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
fn only_the_policy_judges_a_destination() {
    for source in sources() {
        source.keeps_to("Destination::judged", &["policy/"]);
        source.keeps_to("Destination(", &["policy/"]);
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
fn only_schemes_look_at_secrets() {
    for source in sources() {
        // An egress proxy has a credential of its own; a store on disk encrypts them, by a key.
        // An egress proxy has a credential of its own, and a token's end is stored with it.
        source.keeps_to(
            ".expose()",
            &[
                "auth/",
                "secret.rs",
                "client/connect/egress/",
                "oauth2/encoding.rs",
                "oauth2/signing.rs",
                "sqlite/contents.rs",
                "sqlite/keys.rs",
                "refreshing/expires_at.rs",
            ],
        );
        source.keeps_to("expose_secret", &["secret.rs"]);
    }
}

#[test]
fn only_one_file_makes_an_error_response() {
    const PROBLEM: &str = "response/problem.rs";
    let sources = sources();
    assert!(sources.iter().any(|source| source.path == PROBLEM));
    for source in &sources {
        source.keeps_to("problem+json", &[PROBLEM]);
        source.keeps_to("Response::builder", &[PROBLEM]);
        source.keeps_to("status_mut()", &[PROBLEM]);
        source.keeps_to("StatusCode::from", &[PROBLEM]);
    }
}

#[test]
fn there_is_no_unsafe_code() {
    let manifest = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.toml"));
    assert!(manifest.unwrap().contains("unsafe_code = \"forbid\""));
    for source in sources() {
        source.keeps_to("unsafe ", &[]);
        source.keeps_to("unsafe{", &[]);
    }
}

#[test]
fn nothing_panics_by_choice_or_prints() {
    for source in sources() {
        for call in [
            "unwrap()",
            "expect(\"",
            "panic!",
            "unreachable!",
            "todo!",
            "println!",
            "dbg!",
        ] {
            source.keeps_to(call, &[]);
        }
    }
}

#[test]
fn files_stay_short() {
    for source in sources() {
        let lines = source.code.lines().count();
        assert!(lines <= LONGEST, "src/{} has {lines} lines", source.path);
    }
}
