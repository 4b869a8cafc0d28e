//! A line of the log that isn't an event of `tracing`: a line for each call, which must cost little.

use std::cell::RefCell;
use std::fmt::{self, Display, Write as _};
use std::io::Write;
use std::net::IpAddr;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use humantime::format_rfc3339_seconds;

use super::{LogFormat, queue};

/// The size up to which the memory of a line is kept for the next line, in bytes.
const KEPT: usize = 16 * 1024;

thread_local! {
    static BUFFER: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
    static CLOCK: RefCell<Clock> = const { RefCell::new(Clock { second: 0, text: String::new() }) };
}

/// The text of the last second in which a line was written. Most lines are written in the same second as the line before.
struct Clock {
    /// The number of seconds since 1970, and their text up to the seconds: `2026-01-31T12:00:00`.
    second: u64,
    text: String,
}

impl Clock {
    /// Appends a time in the form of RFC 3339, in UTC and with microseconds. Times before 1970 become the first second of 1970.
    fn append(&mut self, now: SystemTime, bytes: &mut Vec<u8>) {
        let since = now.duration_since(UNIX_EPOCH).unwrap_or_default();
        if self.text.is_empty() || self.second != since.as_secs() {
            self.second = since.as_secs();
            self.text.clear();
            let second = format_rfc3339_seconds(UNIX_EPOCH + Duration::from_secs(self.second));
            let _ = write!(self.text, "{second}");
            // The `Z` follows after the microseconds.
            self.text.pop();
        }
        bytes.extend_from_slice(self.text.as_bytes());
        // Seven digits, of which the first becomes the point.
        let mut micros = itoa::Buffer::new();
        let digits = micros.format(1_000_000 + since.subsec_micros());
        bytes.push(b'.');
        bytes.extend_from_slice(digits.as_bytes().get(1..).unwrap_or_default());
        bytes.push(b'Z');
    }
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
        let mut line = Line { bytes, format };
        match format {
            LogFormat::Text => {
                line.time();
                // The levels are in a column of five characters.
                line.raw(if level.len() < 5 { b"  " } else { b" " });
                for text in [level, " ", target, ": ", message] {
                    line.raw(text.as_bytes());
                }
            }
            LogFormat::Json => {
                line.raw(b"{\"timestamp\":\"");
                line.time();
                line.raw(b"\"");
                line.text("level", level);
                line.text("target", target);
                line.text("message", message);
            }
        }
        members(&mut line);
        line.raw(match format {
            LogFormat::Text => b"\n",
            LogFormat::Json => b"}\n",
        });
    }

    /// Adds a text, in quotation marks.
    pub(crate) fn text(&mut self, name: &str, value: &str) {
        self.name(name);
        let needs_no_escape =
            |byte: u8| matches!(byte, b' '..=b'~') && byte != b'"' && byte != b'\\';
        match self.format {
            _ if value.bytes().all(needs_no_escape) => {
                for text in [b"\"", value.as_bytes(), b"\""] {
                    self.raw(text);
                }
            }
            LogFormat::Text => self.add(format_args!("{value:?}")),
            LogFormat::Json => self.json(value),
        }
    }

    /// Adds a text that a caller has chosen. In the text format, it has quotation marks only if it could be mistaken for another member.
    pub(crate) fn chosen(&mut self, name: &str, value: &str) {
        match self.format {
            LogFormat::Text if is_plain(value) => {
                self.name(name);
                self.raw(value.as_bytes());
            }
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

    /// Adds an IP address.
    pub(crate) fn address(&mut self, name: &str, address: IpAddr) {
        let IpAddr::V4(address) = address else {
            return self.plain(name, address);
        };
        // Most callers have such an address, and `Display` is several times slower.
        self.name(name);
        let mark: &[u8] = match self.format {
            LogFormat::Text => b"",
            LogFormat::Json => b"\"",
        };
        let mut before = mark;
        for octet in address.octets() {
            self.raw(before);
            self.raw(itoa::Buffer::new().format(octet).as_bytes());
            before = b".";
        }
        self.raw(mark);
    }

    /// Adds a number.
    pub(crate) fn number(&mut self, name: &str, value: impl Into<u64>) {
        self.name(name);
        self.raw(itoa::Buffer::new().format(value.into()).as_bytes());
    }

    fn name(&mut self, name: &str) {
        let (before, after): (&[u8], &[u8]) = match self.format {
            LogFormat::Text => (b" ", b"="),
            LogFormat::Json => (b",\"", b"\":"),
        };
        for text in [before, name.as_bytes(), after] {
            self.raw(text);
        }
    }

    fn json(&mut self, text: &str) {
        let start = self.bytes.len();
        // Writing into memory doesn't fail.
        let _ = serde_json::to_writer(&mut *self.bytes, text);
        let written = self.bytes.split_off(start);
        let written = String::from_utf8_lossy(&written);
        self.add(format_args!("{}", Harmless(&written)));
    }

    fn time(&mut self) {
        CLOCK.with_borrow_mut(|clock| clock.append(SystemTime::now(), self.bytes));
    }

    fn raw(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
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
    fn a_time_has_six_digits_after_the_point() {
        let mut clock = Clock {
            second: 0,
            text: String::new(),
        };
        for (micros, expected) in [
            (0, "1970-01-01T00:00:00.000000Z"),
            (1, "1970-01-01T00:00:00.000001Z"),
            (951_782_399_999_999, "2000-02-28T23:59:59.999999Z"),
            (951_782_400_000_000, "2000-02-29T00:00:00.000000Z"),
            (951_782_400_120_000, "2000-02-29T00:00:00.120000Z"),
        ] {
            let mut text = Vec::new();
            let time = UNIX_EPOCH + Duration::from_micros(micros);
            clock.append(time, &mut text);
            assert_eq!(String::from_utf8(text).as_deref(), Ok(expected));
            assert_eq!(humantime::format_rfc3339_micros(time).to_string(), expected);
        }
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
            line.address("f", IpAddr::from([127, 0, 0, 255]));
            line.address("g", IpAddr::from([0, 0, 0, 0, 0, 0, 0, 1]));
        });
        let text = String::from_utf8_lossy(&bytes);
        let (_, rest) = text.split_once(' ').unwrap_or_default();
        assert_eq!(
            rest,
            " WARN t: m a=x-1 b=\"x y=\\\"z\\\"\" c=\"\\u{202e}\\n\" d=7 e=HTTP/1.1 f=127.0.0.255 g=::1\n"
        );
    }
}
