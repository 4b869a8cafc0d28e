//! Compares the public API of the published libraries, with all features, with the lists in the folder `tests/api`, so
//! that each change of the API is seen in a diff.
//!
//! ```text
//! cargo run -p public-api-snapshot              # fails, and prints the changes
//! cargo run -p public-api-snapshot -- --write   # writes the lists
//! ```
//!
//! rustdoc's JSON isn't stable yet, so `RUSTC_BOOTSTRAP` is set for this command alone, and a compiler whose format the
//! crate `public-api` can't read is an error.

use std::collections::BTreeSet;
use std::error::Error;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

const LIBRARIES: [&str; 4] = [
    "tower-passthrough",
    "tower-passthrough-postgres",
    "tower-passthrough-redis",
    "tower-passthrough-sqlite",
];

fn main() -> Result<ExitCode, Box<dyn Error>> {
    let write = std::env::args().any(|argument| argument == "--write");
    let mut code = ExitCode::SUCCESS;
    for library in LIBRARIES {
        let file = folder().join(format!("{library}.txt"));
        let api = public_api(library)?;
        if write {
            std::fs::write(&file, api)?;
            continue;
        }
        let expected = std::fs::read_to_string(&file)?;
        if api == expected {
            continue;
        }
        code = ExitCode::FAILURE;
        eprintln!("The public API of {library} isn't what tests/api/{library}.txt says:");
        let old: BTreeSet<_> = expected.lines().collect();
        let new: BTreeSet<_> = api.lines().collect();
        for line in old.difference(&new) {
            eprintln!("- {line}");
        }
        for line in new.difference(&old) {
            eprintln!("+ {line}");
        }
        eprintln!("If the change is meant, run `cargo run -p public-api-snapshot -- --write`.");
    }
    Ok(code)
}

/// Returns a line for each public item of a library, without what each type has by a derive or by a blanket implementation.
fn public_api(library: &str) -> Result<String, Box<dyn Error>> {
    let arguments = [
        "rustdoc",
        "--quiet",
        "--lib",
        "--all-features",
        "-p",
        library,
    ];
    let json = [
        "--",
        "-Z",
        "unstable-options",
        "--output-format",
        "json",
        "--cap-lints",
        "allow",
    ];
    let mut command = Command::new(env!("CARGO"));
    command.args(arguments).args(json);
    command.env("RUSTC_BOOTSTRAP", "1").current_dir(folder());
    if !command.status()?.success() {
        return Err(format!("rustdoc failed for {library}").into());
    }
    let name = library.replace('-', "_");
    let file = target()?.join("doc").join(name).with_extension("json");
    let api = public_api::Builder::from_rustdoc_json(file)
        .omit_blanket_impls(true)
        .omit_auto_trait_impls(true)
        .omit_auto_derived_impls(true)
        .build()?;
    Ok(api.to_string())
}

fn folder() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Returns cargo's target directory.
fn target() -> Result<PathBuf, Box<dyn Error>> {
    let mut command = Command::new(env!("CARGO"));
    command.args(["metadata", "--format-version=1", "--no-deps"]);
    let output = command.current_dir(folder()).output()?;
    let metadata: serde_json::Value = serde_json::from_slice(&output.stdout)?;
    let folder = metadata
        .get("target_directory")
        .and_then(|folder| folder.as_str());
    Ok(folder
        .ok_or("cargo doesn't say where its target directory is")?
        .into())
}
