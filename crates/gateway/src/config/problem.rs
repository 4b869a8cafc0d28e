//! What is wrong with a config file, and where: `gateway.toml:12:9: connection.acme.secret.token:
//! ...`.
//!
//! No message shows a line or a value of the file, as it may be a secret (SECURITY L4). toml's own
//! rendering of an error shows the line, and serde's wording of a wrong type the value, so neither
//! is printed: see [`without_values`].

use std::fmt;
use std::ops::Range;
use std::path::{Path, PathBuf};

use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// One thing that is wrong, and the bytes of the file that it's about.
#[derive(Debug)]
pub(crate) struct Problem {
    /// `None`: it's about the file as a whole.
    span: Option<Range<usize>>,
    what: String,
}

impl Problem {
    pub(super) fn at<T>(place: &Spanned<T>, what: impl Into<String>) -> Self {
        Self {
            span: Some(place.span()),
            what: what.into(),
        }
    }

    /// A key, or a value of it, that a later version will take.
    pub(super) fn not_yet<T>(place: &Spanned<T>, what: &str) -> Self {
        Self::at(place, format!("{what} is not yet supported"))
    }

    /// What something that is absent would have to be.
    pub(super) fn of_file(what: impl Into<String>) -> Self {
        Self {
            span: None,
            what: what.into(),
        }
    }

    pub(super) fn at_byte(at: usize, what: impl Into<String>) -> Self {
        Self {
            span: Some(at..at),
            what: what.into(),
        }
    }

    /// What toml's parser says. Its messages are fixed texts, without a byte of the file.
    pub(super) fn of_syntax(error: &toml::de::Error) -> Self {
        Self {
            span: error.span(),
            what: error.message().to_owned(),
        }
    }

    /// What serde, or a type of [`value`](super::value), says.
    pub(super) fn of_shape(error: &toml::de::Error) -> Self {
        Self {
            span: error.span(),
            what: without_values(error.message()),
        }
    }

    pub(super) fn start(&self) -> usize {
        self.span.as_ref().map_or(0, |span| span.start)
    }
}

/// Collects problems, so that one run shows them all.
#[derive(Debug, Default)]
pub(super) struct Problems(Vec<Problem>);

impl Problems {
    /// The value, or `None` with its problem taken down.
    pub(super) fn ok<T>(&mut self, result: Result<T, Problem>) -> Option<T> {
        result.map_err(|problem| self.0.push(problem)).ok()
    }

    pub(super) fn push(&mut self, problem: Problem) {
        self.0.push(problem);
    }

    /// # Errors
    ///
    /// The problems, if there are any.
    pub(super) fn none(self) -> Result<(), Vec<Problem>> {
        if self.0.is_empty() {
            return Ok(());
        }
        Err(self.0)
    }
}

/// Everything that is wrong with a file, one line each.
#[derive(Debug)]
pub(crate) struct ConfigError {
    file: PathBuf,
    lines: Vec<String>,
}

impl ConfigError {
    /// The file as a whole can't be read.
    pub(super) fn unreadable(file: &Path, error: &std::io::Error) -> Self {
        Self {
            file: file.to_owned(),
            lines: vec![format!(": can't be read: {error}")],
        }
    }

    /// Problems at their places in the text. `tree` tells the key that each of them is about.
    pub(super) fn new(
        file: &Path,
        text: &str,
        tree: &DeTable<'_>,
        mut problems: Vec<Problem>,
    ) -> Self {
        problems.sort_by_key(Problem::start);
        let line = |problem: &Problem| {
            let (line, column) = position(text, problem.start());
            let key = problem
                .span
                .as_ref()
                .and_then(|span| key_at(tree, span.start));
            let key = key.map(|key| format!("{key}: ")).unwrap_or_default();
            format!(":{line}:{column}: {key}{}", problem.what)
        };
        Self {
            file: file.to_owned(),
            lines: problems.iter().map(line).collect(),
        }
    }

    /// One problem of a text that has no tree.
    pub(super) fn broken(file: &Path, text: &str, problem: &Problem) -> Self {
        let (line, column) = position(text, problem.start());
        Self {
            file: file.to_owned(),
            lines: vec![format!(":{line}:{column}: {}", problem.what)],
        }
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, line) in self.lines.iter().enumerate() {
            let end = if index == 0 { "" } else { "\n" };
            write!(f, "{end}{}{line}", self.file.display())?;
        }
        Ok(())
    }
}

impl std::error::Error for ConfigError {}

/// Line and column of a byte, both from 1; the column counts characters.
fn position(text: &str, at: usize) -> (usize, usize) {
    let before = text.as_bytes().get(..at).unwrap_or(text.as_bytes());
    let line_start = before
        .iter()
        .rposition(|&byte| byte == b'\n')
        .map_or(0, |newline| newline + 1);
    let line = before.iter().filter(|&&byte| byte == b'\n').count() + 1;
    // Each character has one byte that doesn't continue another.
    let starts_character = |byte: &&u8| **byte & 0b1100_0000 != 0b1000_0000;
    let column = before
        .iter()
        .skip(line_start)
        .filter(starts_character)
        .count()
        + 1;
    (line, column)
}

/// The dotted key whose name or value holds that byte.
fn key_at(table: &DeTable<'_>, at: usize) -> Option<String> {
    let holds = |span: Range<usize>| span.contains(&at) || span.start == at;
    table.iter().find_map(|(key, value)| {
        let name = key.get_ref().escape_debug();
        // Inside first: the innermost key is the one to name. A table's own span is its header's,
        // so it tells nothing of what is in it.
        let inner = match value.get_ref() {
            DeValue::Table(table) => key_at(table, at),
            DeValue::Array(items) => items.iter().find_map(|item| match item.get_ref() {
                DeValue::Table(table) => key_at(table, at),
                _ => None,
            }),
            _ => None,
        };
        match inner {
            Some(inner) => Some(format!("{name}.{inner}")),
            None => {
                (holds(key.span()) || holds(value.span()) || array_holds(value.get_ref(), &holds))
                    .then(|| name.to_string())
            }
        }
    })
}

/// `[[caller]]` is an array whose tables stand apart, each with the span of its header.
fn array_holds(value: &DeValue<'_>, holds: &impl Fn(Range<usize>) -> bool) -> bool {
    value
        .as_array()
        .is_some_and(|items| items.iter().any(|item| holds(item.span())))
}

/// Serde's message without the value that it quotes.
///
/// Its wordings are `invalid type: string "s3cr3t", expected a map` and the like. What was found
/// may hold anything, what was expected is text of ours, so all up to the last `, expected ` is
/// dropped. Messages in none of these forms are texts of ours, or name keys.
fn without_values(message: &str) -> String {
    const QUOTING: [&str; 4] = [
        "invalid type: ",
        "invalid value: ",
        "invalid length ",
        "unknown variant ",
    ];
    if let Some(found) = QUOTING.iter().find_map(|form| message.strip_prefix(form)) {
        let expected = message
            .rsplit_once(", expected ")
            .map_or("another value", |(_, expected)| expected);
        let expected = match expected {
            "a map" => "a table",
            "a sequence" => "an array",
            other => other,
        };
        return match kind(found) {
            Some(kind) => format!("expected {expected}, found {kind}"),
            None => format!("expected {expected}"),
        };
    }
    let message = message.replacen("unknown field", "unknown key", 1);
    let message = message.replacen("missing field", "missing key", 1);
    message
        .escape_debug()
        .to_string()
        .replace("\\\"", "\"")
        .replace("\\'", "'")
}

/// The kind of value that serde says it found, in TOML's words.
fn kind(found: &str) -> Option<&'static str> {
    const KINDS: [(&str, &str); 6] = [
        ("string ", "a string"),
        ("integer ", "an integer"),
        ("floating point ", "a float"),
        ("boolean ", "a boolean"),
        ("map", "a table"),
        ("sequence", "an array"),
    ];
    let kind = KINDS.iter().find(|(serde, _)| found.starts_with(serde));
    kind.map(|(_, toml)| *toml)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_dropped_whatever_they_hold() {
        for (message, printed) in [
            (
                "invalid type: string \"s3cr3t\", expected a map",
                "expected a table, found a string",
            ),
            (
                "invalid type: string \"a, expected b\", expected u16",
                "expected u16, found a string",
            ),
            (
                "invalid type: integer `12345`, expected a string",
                "expected a string, found an integer",
            ),
            (
                "invalid value: integer `-1`, expected 0 or more",
                "expected 0 or more, found an integer",
            ),
            (
                "unknown variant `s3cr3t`, expected `a` or `b`",
                "expected `a` or `b`",
            ),
            ("invalid type: s3cr3t", "expected another value"),
            (
                "unknown field `x\u{1b}`, expected `y`",
                "unknown key `x\\u{1b}`, expected `y`",
            ),
            ("missing field `x`", "missing key `x`"),
        ] {
            assert_eq!(without_values(message), printed);
        }
    }

    #[test]
    fn positions_count_characters_from_one() {
        assert_eq!(position("", 0), (1, 1));
        assert_eq!(position("a\nb\u{e9}c", 5), (2, 3));
        assert_eq!(position("a\n", 2), (2, 1));
        assert_eq!(position("a", 99), (1, 2));
    }

    #[test]
    fn the_innermost_key_is_named() {
        let text = "a = 1\n[b.c]\nd = { e = 2 }\n[[f]]\ng = 3\n[[f]]\ng = 4\n";
        let tree = DeTable::parse(text).map(Spanned::into_inner);
        let key = |needle: &str| key_at(tree.as_ref().ok()?, text.find(needle)?);
        assert_eq!(key("1").as_deref(), Some("a"));
        assert_eq!(key("2").as_deref(), Some("b.c.d.e"));
        assert_eq!(key("4").as_deref(), Some("f.g"));
        assert_eq!(key("[b.c]").as_deref(), Some("b.c"));
        assert_eq!(key("[[f]]").as_deref(), Some("f"));
    }
}
