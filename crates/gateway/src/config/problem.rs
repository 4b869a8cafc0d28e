//! Problems of a config file, with their positions: `gateway.toml:12:9:
//! connection.acme.secret.token: ...`.
//!
//! No message contains a line or a value of the file, because it may be a secret. toml's own
//! display of an error shows the line, and serde's message about a wrong type shows the value, so
//! neither is printed: see [`without_values`].

use std::fmt;
use std::ops::Range;
use std::path::Path;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::nearest;

/// A problem, and the position in the file to which it belongs.
#[derive(Debug)]
pub(crate) struct Problem {
    /// `None` for a problem of the whole file.
    span: Option<Range<usize>>,
    what: String,
    /// The problems of another file, in place of `what`.
    elsewhere: Option<ConfigError>,
}

impl Problem {
    pub(super) fn at<T>(place: &Spanned<T>, what: impl Into<String>) -> Self {
        Self::new(Some(place.span()), what)
    }

    fn new(span: Option<Range<usize>>, what: impl Into<String>) -> Self {
        Self {
            span,
            what: what.into(),
            elsewhere: None,
        }
    }

    /// Returns the problems of another file, which are shown with the positions in that file.
    pub(super) fn elsewhere(error: ConfigError) -> Self {
        Self {
            elsewhere: Some(error),
            ..Self::new(None, "")
        }
    }
    /// Returns a problem of the whole file, such as something that is missing.
    pub(super) fn of_file(what: impl Into<String>) -> Self {
        Self::new(None, what)
    }

    pub(super) fn at_byte(at: usize, what: impl Into<String>) -> Self {
        Self::new(Some(at..at), what)
    }

    /// Returns the problem that toml's parser reports. Its messages are fixed texts, without any
    /// content of the file.
    pub(super) fn of_syntax(error: &toml::de::Error) -> Self {
        Self::new(error.span(), error.message())
    }

    /// Returns the problem that serde, or a type of [`value`](super::value), reports.
    pub(super) fn of_shape(error: &toml::de::Error) -> Self {
        Self::new(error.span(), without_values(error.message()))
    }

    pub(super) fn start(&self) -> usize {
        self.span.as_ref().map_or(0, |span| span.start)
    }
}

/// Collects problems, so that a single run shows all of them.
#[derive(Debug, Default)]
pub(super) struct Problems(Vec<Problem>);

impl Problems {
    /// Returns the value. If there is a problem instead, records it and returns `None`.
    pub(super) fn ok<T>(&mut self, result: Result<T, Problem>) -> Option<T> {
        result.map_err(|problem| self.0.push(problem)).ok()
    }

    pub(super) fn push(&mut self, problem: Problem) {
        self.0.push(problem);
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
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

/// All problems of a file, and of the files that it names, with a line for each.
#[derive(Debug)]
pub(crate) struct ConfigError {
    lines: Vec<String>,
}

impl ConfigError {
    /// Returns the error of a file that can't be read.
    pub(super) fn unreadable(file: &Path, error: &std::io::Error) -> Self {
        Self {
            lines: vec![format!("{}: can't be read: {error}", file.display())],
        }
    }

    /// Returns the error with the position of each problem in the text. `tree` is used to find the
    /// key of each problem.
    pub(super) fn new(
        file: &Path,
        text: &str,
        tree: &DeTable<'_>,
        mut problems: Vec<Problem>,
    ) -> Self {
        problems.sort_by_key(Problem::start);
        let lines = |problem: Problem| {
            if let Some(elsewhere) = problem.elsewhere {
                return elsewhere.lines;
            }
            let (line, column) = position(text, problem.start());
            let key = problem
                .span
                .as_ref()
                .and_then(|span| key_at(tree, span.start));
            let key = key.map(|key| format!("{key}: ")).unwrap_or_default();
            let file = file.display();
            vec![format!("{file}:{line}:{column}: {key}{}", problem.what)]
        };
        Self {
            lines: problems.into_iter().flat_map(lines).collect(),
        }
    }

    /// Returns the error of a text that can't be parsed.
    pub(super) fn broken(file: &Path, text: &str, problem: &Problem) -> Self {
        let (line, column) = position(text, problem.start());
        let file = file.display();
        Self {
            lines: vec![format!("{file}:{line}:{column}: {}", problem.what)],
        }
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, line) in self.lines.iter().enumerate() {
            let end = if index == 0 { "" } else { "\n" };
            write!(f, "{end}{line}")?;
        }
        Ok(())
    }
}

impl std::error::Error for ConfigError {}

/// Returns the line and the column of a byte, both counted from 1. The column is counted in
/// characters.
fn position(text: &str, at: usize) -> (usize, usize) {
    let before = text.as_bytes().get(..at).unwrap_or(text.as_bytes());
    let line_start = before
        .iter()
        .rposition(|&byte| byte == b'\n')
        .map_or(0, |newline| newline + 1);
    let line = before.iter().filter(|&&byte| byte == b'\n').count() + 1;
    // Each character has exactly one byte that isn't a continuation byte.
    let starts_character = |byte: &&u8| **byte & 0b1100_0000 != 0b1000_0000;
    let column = before
        .iter()
        .skip(line_start)
        .filter(starts_character)
        .count()
        + 1;
    (line, column)
}

/// Returns the dotted key with that byte in its name or its value.
fn key_at(table: &DeTable<'_>, at: usize) -> Option<String> {
    let holds = |span: Range<usize>| span.contains(&at) || span.start == at;
    table.iter().find_map(|(key, value)| {
        let name = key.get_ref().escape_debug();
        // Nested values are searched first, because the innermost key is wanted. The span of a
        // table covers only its header, so it doesn't show whether the byte is in the table.
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

/// Returns `true` if the byte is in a table of an array such as `[[caller]]`. Each of
/// these tables has the span of its header.
fn array_holds(value: &DeValue<'_>, holds: &impl Fn(Range<usize>) -> bool) -> bool {
    value
        .as_array()
        .is_some_and(|items| items.iter().any(|item| holds(item.span())))
}

/// Returns serde's message without the value that it quotes.
///
/// The messages have forms such as `invalid type: string "s3cr3t", expected a map`. The part before
/// the last `, expected ` may contain any value, so it's removed. The part after it is a text of
/// this program. Messages in other forms are texts of this program, or contain only names of keys.
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
            Some(kind) => format!(
                "expected {expected}, found {kind}{}",
                brackets(expected, kind)
            ),
            None => format!("expected {expected}"),
        };
    }
    let message = message.replacen("unknown field", "unknown key", 1);
    let message = message.replacen("missing field", "missing key", 1);
    let hint = similar_key(&message);
    let message = message
        .escape_debug()
        .to_string()
        .replace("\\\"", "\"")
        .replace("\\'", "'");
    message + &hint
}

/// Returns a hint for a value that should be in an array.
fn brackets(expected: &str, found: &str) -> &'static str {
    match (expected, found) {
        ("an array", "a table") => "; put it in brackets: [[...]] as the header, or [{ ... }]",
        _ => "",
    }
}

/// Returns a hint with the keys that are similar to an unknown key.
fn similar_key(message: &str) -> String {
    let names = message.strip_prefix("unknown key `");
    let Some((wanted, known)) = names.and_then(|names| names.split_once("`, expected ")) else {
        return String::new();
    };
    nearest::hint(wanted, known.split('`').skip(1).step_by(2))
}

/// Returns TOML's name for the kind of value that serde found.
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
            (
                "unknown field `listn`, expected one of `log`, `listen`",
                "unknown key `listn`, expected one of `log`, `listen`; did you mean `listen`?",
            ),
            (
                "invalid type: map, expected a sequence",
                "expected an array, found a table; put it in brackets: [[...]] as the header, or [{ ... }]",
            ),
            (
                "invalid type: string \"s3cr3t\", expected a sequence",
                "expected an array, found a string",
            ),
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
