//! Searches for secrets in the bytes that a database has stored.

use std::fs;
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// Texts that must not be found: a secret that is put, a secret that is committed, the name of a secret, and a variable.
pub const CANARIES: [&str; 4] = [
    "c4n4ry-put-value",
    "c4n4ry-commit-value",
    "c4n4ry-secret-name",
    "c4n4ry-variable",
];

/// Adds the contents of all files of a folder.
pub fn files(folder: &Path, found: &mut Vec<u8>) {
    for entry in fs::read_dir(folder).unwrap().flatten() {
        let path = entry.path();
        if path.is_dir() {
            files(&path, found);
        } else if let Ok(bytes) = fs::read(&path) {
            found.extend(bytes);
            // Texts don't continue in the next file.
            found.push(b'\n');
        }
    }
}

/// Searches as text, which is faster. The texts that are searched for are ASCII.
pub fn ascii(bytes: &[u8]) -> String {
    let ascii = bytes.iter().map(|byte| {
        if byte.is_ascii() {
            char::from(*byte)
        } else {
            '\u{7f}'
        }
    });
    ascii.collect()
}

/// Returns the forms in which a text may appear: as it is, in hex, and in Base64 at each offset.
pub fn forms(text: &str) -> Vec<String> {
    let hex: String = text.bytes().map(|byte| format!("{byte:02x}")).collect();
    let mut forms = vec![text.to_owned(), hex.to_uppercase(), hex];
    for offset in 0..3 {
        let coded = STANDARD.encode([&vec![0; offset], text.as_bytes()].concat());
        // Without the characters that also depend on the neighbours.
        let length = coded.len() - 8;
        forms.push(coded.chars().skip(4).take(length).collect());
    }
    forms
}
