//! The text that was recorded so far, and the search for secrets in this text.

use std::fmt::Debug;
use std::io;
use std::sync::{LazyLock, Mutex};

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE};

/// The text of logs, reports, errors and `Debug` output so far.
pub(crate) static SAID: LazyLock<Mutex<Vec<u8>>> = LazyLock::new(Mutex::default);

pub(crate) struct Pen;

impl io::Write for Pen {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        SAID.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Records the `Debug` output of a public type.
pub(crate) fn shows(what: &dyn Debug) {
    say(&format!("{what:?}\n{what:#?}\n"));
}

pub(crate) fn say(text: &str) {
    SAID.lock().unwrap().extend_from_slice(text.as_bytes());
}

/// Returns letters and digits that occur nowhere else, so that the search finds them in any surroundings.
pub(crate) fn core(name: &str) -> String {
    format!("Zq7x{name}9Kw3Vb")
}

/// Returns a secret with unusual characters: delimiters of each format, a broken percent sequence, quotes, and a
/// character outside of ASCII.
pub(crate) fn odd(core: &str) -> String {
    format!("{core}+/=&?#\"' %41%zz{{}}\\,;<é>")
}

/// Returns all forms in which `core` could occur in a text.
pub(crate) fn forms(core: &str) -> Vec<String> {
    let bytes = core.as_bytes();
    let list = |bytes: &[u8]| {
        let numbers: Vec<_> = bytes.iter().map(u8::to_string).collect();
        numbers.join(", ")
    };
    let hex = |separator: &str, upper: bool| {
        let digits: Vec<_> = bytes
            .iter()
            .map(|byte| {
                if upper {
                    format!("{byte:02X}")
                } else {
                    format!("{byte:02x}")
                }
            })
            .collect();
        digits.join(separator)
    };
    let mut forms = vec![
        core.to_owned(),
        core.to_lowercase(),
        core.to_uppercase(),
        list(bytes),
        hex("", false),
        hex("", true),
        hex("%", true),
        hex("\\x", false),
        hex(" ", false),
    ];
    // Base64 depends on the bytes before: there is a form for each of the three positions, without the characters at
    // both ends that depend on neighbouring bytes.
    for before in 0..3_usize {
        let padded = [&b"\0\0"[..before], bytes].concat();
        let whole = padded.len() / 3 * 3;
        let skipped = before.div_ceil(3) * 4;
        for engine in [STANDARD, URL_SAFE] {
            let encoded = engine.encode(&padded[..whole]);
            forms.push(encoded[skipped..].to_owned());
        }
    }
    forms
}

/// Fails if the recorded text contains one of the secrets.
pub(crate) fn search(cores: &[String]) {
    let said = String::from_utf8_lossy(&SAID.lock().unwrap()).into_owned();
    for core in cores {
        for form in forms(core) {
            if let Some(at) = said.find(&form) {
                let line = said[..at].rfind('\n').map_or(0, |start| start + 1);
                let end = said[at..].find('\n').map_or(said.len(), |end| at + end);
                panic!("{core} as {form}: {}", &said[line..end]);
            }
        }
    }
}
