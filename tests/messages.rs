//! The texts of the crates' errors, events, advice and commands, in one list, so that they can be read as prose.
//! `UPDATE_MESSAGES=1 cargo test --test messages` writes the list again.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use proc_macro2::{Delimiter, TokenStream, TokenTree};

const LIST: &str = "tests/messages.txt";
const FOLDERS: [&str; 5] = [
    "src",
    "crates/gateway/src",
    "crates/postgres/src",
    "crates/redis/src",
    "crates/sqlite/src",
];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        // Unit tests in a file of their own.
        let is_test = path.file_stem().is_some_and(|stem| stem == "tests");
        // Facts about vendors, in which each text is data.
        let is_data = path.ends_with("catalog/data.rs");
        if path.is_dir() {
            collect(&path, files);
        } else if path.extension().is_some_and(|found| found == "rs") && !is_test && !is_data {
            files.push(path);
        }
    }
}

/// Adds the prose in the code: literals of at least two words. Attributes and code under `#[cfg(test)]` contain none that users can see,
/// except the documentation of command-line arguments.
fn read(code: TokenStream, has_arguments: bool, texts: &mut Vec<String>) {
    let mut tokens = code.into_iter().peekable();
    while let Some(token) = tokens.next() {
        match token {
            TokenTree::Punct(punct) if punct.as_char() == '#' => {
                // An inner attribute has a `!` before its brackets.
                let _ = tokens.next_if(|next| next.to_string() == "!");
                let Some(TokenTree::Group(attribute)) = tokens.next_if(is_brackets) else {
                    continue;
                };
                let attribute = attribute.stream().to_string();
                if attribute == "cfg (test)" {
                    skip_item(&mut tokens);
                } else if let (true, Some(text)) = (has_arguments, documentation(&attribute)) {
                    texts.push(text);
                }
            }
            TokenTree::Group(group) => read(group.stream(), has_arguments, texts),
            TokenTree::Literal(literal) => {
                let Ok(literal) = syn::parse_str::<syn::LitStr>(&literal.to_string()) else {
                    continue;
                };
                texts.extend(Some(literal.value()).filter(|text| is_prose(text)));
            }
            _ => {}
        }
    }
}

fn is_brackets(token: &TokenTree) -> bool {
    matches!(token, TokenTree::Group(group) if group.delimiter() == Delimiter::Bracket)
}

/// Skips an item up to its body or its semicolon.
fn skip_item(tokens: &mut impl Iterator<Item = TokenTree>) {
    let is_end = |token: &TokenTree| match token {
        TokenTree::Group(group) => group.delimiter() == Delimiter::Brace,
        token => token.to_string() == ";",
    };
    let _ = tokens.find(is_end);
}

/// Returns the text of a `#[doc = "..."]`.
fn documentation(attribute: &str) -> Option<String> {
    let literal = attribute.strip_prefix("doc = ")?;
    let text = syn::parse_str::<syn::LitStr>(literal).ok()?.value();
    Some(text.trim().to_owned()).filter(|text| !text.is_empty())
}

fn is_prose(text: &str) -> bool {
    let is_word = |word: &&str| word.chars().filter(char::is_ascii_lowercase).count() > 1;
    let is_statement = [
        "SELECT ", "INSERT ", "UPDATE ", "DELETE ", "CREATE ", "PRAGMA ",
    ]
    .iter()
    .any(|keyword| text.trim_start().starts_with(keyword));
    text.split_whitespace().filter(is_word).count() > 1 && !is_statement
}

#[test]
fn the_list_of_messages_is_current() {
    let mut files = Vec::new();
    for folder in FOLDERS {
        collect(&root().join(folder), &mut files);
    }
    files.sort();
    let mut list = String::new();
    for file in files {
        let code: TokenStream = fs::read_to_string(&file).unwrap().parse().unwrap();
        let mut texts = Vec::new();
        read(code, file.ends_with("cli.rs"), &mut texts);
        if texts.is_empty() {
            continue;
        }
        let name = file.strip_prefix(root()).unwrap().display().to_string();
        writeln!(list, "\n{}", name.replace('\\', "/")).unwrap();
        for text in texts {
            writeln!(list, "    {}", text.replace('\n', "\\n")).unwrap();
        }
    }
    assert!(list.lines().count() > 300, "too few messages were found");
    let path = root().join(LIST);
    if std::env::var_os("UPDATE_MESSAGES").is_some() {
        fs::write(&path, &list).unwrap();
    }
    let current = fs::read_to_string(path).unwrap_or_default();
    let difference = || {
        let (old, new): (BTreeSet<_>, BTreeSet<_>) =
            (current.lines().collect(), list.lines().collect());
        let changed: Vec<_> = old.symmetric_difference(&new).copied().collect();
        changed.join("\n")
    };
    assert!(
        current == list,
        "{LIST} isn't current. Read the new messages as prose: does each say what is wrong, and what to do? Then run \
         `UPDATE_MESSAGES=1 cargo test --test messages`, and commit the file.\n{}",
        difference()
    );
}

#[test]
fn prose_is_found_and_tests_are_skipped() {
    let code = r#"
        fn f() { write!(f, "the port isn't a number: {port}"); }
        #[expect(clippy::panic, reason = "a lint that is expected")]
        fn g() { let key = "content-type"; }
        #[cfg(test)]
        mod tests { fn h() { panic!("a test that fails"); } }
    "#;
    let mut texts = Vec::new();
    read(code.parse().unwrap(), false, &mut texts);
    assert_eq!(texts, vec!["the port isn't a number: {port}"]);
}
