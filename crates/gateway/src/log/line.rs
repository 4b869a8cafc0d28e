//! A line of the log that isn't an event of `tracing`: a line for each call, which must cost little.

use std::cell::RefCell;
use std::fmt::{self, Display, Write as _};
use std::io::Write;
use std::time::SystemTime;

use humantime::format_rfc3339_micros;

use super::{LogFormat, queue};

/// The size up to which the memory of a line is kept for the next line, in bytes.
const KEPT: usize = 16 * 1024;

thread_local! {
    static BUFFER: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

/// A line under way. Each member follows the members before it.
///
/// Both formats are those of the other lines of the log: text with `name=value`, or a JSON object.
#[derive(Debug)]
pub(crate) struct Line<'a> {
    bytes: &'a mut Vec<u8>,
    format: LogFormat,
}

impl Line<'_> {
    /// Writes a line of the level `INFO`. `members` adds its members.
    pub(crate) fn info(target: &str, message: &str, members: impl FnOnce(&mut Line<'_>)) {
        Self::write("INFO", target, message, members);
    }

    pub(super) fn write(
        level: &str,
        target: &str,
        message: &str,
        members: impl FnOnce(&mut Line<'_>),
    ) {
        BUFFER.with_borrow_mut(|bytes| {
            Self::format(bytes, level, target, message, members);
            queue::push(bytes);
            bytes.clear();
            if bytes.capacity() > KEPT {
                *bytes = Vec::new();
            }
        });
    }

    pub(super) fn format(
        bytes: &mut Vec<u8>,
        level: &str,
        target: &str,
        message: &str,
        members: impl FnOnce(&mut Line<'_>),
    ) {
        let format = LogFormat::current();
        let now = format_rfc3339_micros(SystemTime::now());
        let mut line = Line { bytes, format };
        match format {
            LogFormat::Text => line.add(format_args!("{now} {level:>5} {target}: {message}")),
            LogFormat::Json => {
                line.add(format_args!("{{\"timestamp\":\"{now}\""));
                line.text("level", level);
                line.text("target", target);
                line.text("message", message);
            }
        }
        members(&mut line);
        line.bytes.extend_from_slice(match format {
            LogFormat::Text => b"\n",
            LogFormat::Json => b"}\n",
        });
    }

    /// Adds a text, in quotation marks.
    pub(crate) fn text(&mut self, name: &str, value: &str) {
        self.name(name);
        match self.format {
            LogFormat::Text => self.add(format_args!("{value:?}")),
            LogFormat::Json => self.json(value),
        }
    }

    /// Adds a text that a caller has chosen. In the text format, it has quotation marks only if it could be mistaken for another member.
    pub(crate) fn chosen(&mut self, name: &str, value: &str) {
        match self.format {
            LogFormat::Text if is_plain(value) => self.plain(name, value),
            _ => self.text(name, value),
        }
    }

    /// Adds a value whose text needs no escapes. In the text format, it has no quotation marks.
    pub(crate) fn plain(&mut self, name: &str, value: impl Display) {
        self.name(name);
        match self.format {
            LogFormat::Text => self.add(format_args!("{value}")),
            LogFormat::Json => self.add(format_args!("\"{value}\"")),
        }
    }

    /// Adds a number.
    pub(crate) fn number(&mut self, name: &str, value: impl Into<u64>) {
        self.name(name);
        self.add(format_args!("{}", value.into()));
    }

    fn name(&mut self, name: &str) {
        let (before, after): (&[u8], &[u8]) = match self.format {
            LogFormat::Text => (b" ", b"="),
            LogFormat::Json => (b",\"", b"\":"),
        };
        self.bytes.extend_from_slice(before);
        self.bytes.extend_from_slice(name.as_bytes());
        self.bytes.extend_from_slice(after);
    }

    fn json(&mut self, text: &str) {
        let start = self.bytes.len();
        // Writing into memory doesn't fail.
        let _ = serde_json::to_writer(&mut *self.bytes, text);
        if text
            .bytes()
            .all(|byte| byte.is_ascii_graphic() || byte == b' ')
        {
            return;
        }
        let written = self.bytes.split_off(start);
        let written = String::from_utf8_lossy(&written);
        self.add(format_args!("{}", Harmless(&written)));
    }

    fn add(&mut self, text: std::fmt::Arguments<'_>) {
        let _ = self.bytes.write_fmt(text);
    }
}

/// A text of JSON, in which characters beyond ASCII that a terminal may interpret, such as control characters and characters that change the
/// direction of the text, are escaped as well. Text lines escape the same characters.
pub(super) struct Harmless<'a>(pub(super) &'a str);

impl Display for Harmless<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for char in self.0.chars() {
            let is_plain = match char.is_ascii() {
                true => char != '\u{7f}',
                false => char.escape_debug().len() == 1,
            };
            if is_plain {
                f.write_char(char)?;
                continue;
            }
            for unit in char.encode_utf16(&mut [0; 2]) {
                write!(f, "\\u{unit:04x}")?;
            }
        }
        Ok(())
    }
}

/// Returns `true` if the text can't be mistaken for another member of a line.
pub(crate) fn is_plain(text: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~:@+/%".contains(&byte);
    text.bytes().all(plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_json_line_has_nothing_that_a_terminal_interprets() {
        for text in [
            "a\u{9b}31m\u{202e}b",
            "\u{1b}[\n\"\\",
            "é\u{1f600}\u{e000}\u{feff}",
        ] {
            let json = serde_json::to_string(text).unwrap_or_default();
            let written = Harmless(&json).to_string();
            assert_eq!(serde_json::from_str(&written).ok(), Some(text.to_owned()));
            let is_raw = |char: char| char.is_control() || "\u{202e}\u{feff}".contains(char);
            assert!(!written.contains(is_raw), "{written:?}");
        }
        assert_eq!(Harmless("é").to_string(), "é");
    }

    #[test]
    fn an_empty_or_odd_text_is_in_quotation_marks() {
        let mut bytes = Vec::new();
        Line::format(&mut bytes, "WARN", "t", "m", |line| {
            line.chosen("a", "x-1");
            line.chosen("b", "x y=\"z\"");
            line.text("c", "\u{202e}\n");
            line.number("d", 7_u16);
            line.plain("e", "HTTP/1.1");
        });
        let text = String::from_utf8_lossy(&bytes);
        let (_, rest) = text.split_once(' ').unwrap_or_default();
        assert_eq!(
            rest,
            " WARN t: m a=x-1 b=\"x y=\\\"z\\\"\" c=\"\\u{202e}\\n\" d=7 e=HTTP/1.1\n"
        );
    }
}
