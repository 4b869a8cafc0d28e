//! PEM (RFC 7468). Read by hand, because the readers of other crates leave copies of a private key in memory.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use zeroize::Zeroizing;

const END_PREFIX: &[u8] = b"-----END ";

/// The content between a `BEGIN` line and its `END` line.
pub(crate) struct Section<'a> {
    pub(crate) label: &'a [u8],
    pub(crate) der: Zeroizing<Vec<u8>>,
}

/// The error of a text that isn't valid PEM, or is cut off.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct InvalidPem;

/// Returns all sections. Text between them is skipped.
pub(crate) fn sections(pem: &[u8]) -> Result<Vec<Section<'_>>, InvalidPem> {
    let lines = pem.split(|byte| matches!(byte, b'\n' | b'\r'));
    let mut lines = lines.map(<[u8]>::trim_ascii);
    let mut sections = Vec::new();
    while let Some(line) = lines.next() {
        let Some(label) = boundary(line, b"-----BEGIN ") else {
            continue;
        };
        // Allocated at its final size, as a vector that grows leaves copies of the key behind.
        let inside = lines
            .clone()
            .take_while(|line| boundary(line, END_PREFIX).is_none());
        let length = inside.map(<[u8]>::len).sum();
        let mut text = Zeroizing::new(Vec::with_capacity(length));
        loop {
            let line = lines.next().ok_or(InvalidPem)?;
            match boundary(line, END_PREFIX) {
                Some(end) if end == label => break,
                Some(_) => return Err(InvalidPem),
                None => text.extend_from_slice(line),
            }
        }
        let mut der = Zeroizing::new(vec![0; base64::decoded_len_estimate(text.len())]);
        let length = STANDARD.decode_slice(&*text, &mut der);
        der.truncate(length.map_err(|_| InvalidPem)?);
        sections.push(Section { label, der });
    }
    Ok(sections)
}

/// Returns the label of a line that begins or ends a section.
fn boundary<'a>(line: &'a [u8], begin: &[u8]) -> Option<&'a [u8]> {
    line.strip_prefix(begin)?.strip_suffix(b"-----")
}

#[expect(clippy::unwrap_used, reason = "a test fails by panicking")]
#[cfg(test)]
mod tests {
    use super::*;

    fn read(pem: &str) -> Result<Vec<(String, Vec<u8>)>, InvalidPem> {
        let sections = sections(pem.as_bytes())?.into_iter();
        Ok(sections
            .map(|section| {
                let label = String::from_utf8_lossy(section.label).into_owned();
                (label, section.der.to_vec())
            })
            .collect())
    }

    #[test]
    fn sections_are_read_by_their_labels() {
        let pem = "text\r\n-----BEGIN PRIVATE KEY-----\r\nYWJj\r\nZGU=\r\n-----END PRIVATE KEY-----\r\n\
                   more\n-----BEGIN X-----\n-----END X-----";
        let expected = vec![
            ("PRIVATE KEY".to_owned(), b"abcde".to_vec()),
            ("X".to_owned(), Vec::new()),
        ];
        assert_eq!(read(pem), Ok(expected));
        assert_eq!(read("YWJj"), Ok(Vec::new()));
    }

    #[test]
    fn x6_many_sections_take_no_more_memory_than_they_hold() {
        let empty = "-----BEGIN X-----\n-----END X-----\n";
        // With room for the whole text in each section this would be terabytes to be wiped.
        let many = empty.repeat((16 << 20) / empty.len());
        assert_eq!(
            sections(many.as_bytes()).unwrap().len(),
            many.len() / empty.len()
        );
    }

    #[test]
    fn what_breaks_off_or_is_no_base64_is_none() {
        for broken in [
            "-----BEGIN X-----",
            "-----BEGIN X-----\nYWJj",
            "-----BEGIN X-----\nYWJj\n-----END Y-----",
            "-----BEGIN X-----\nYW J*\n-----END X-----",
        ] {
            assert_eq!(read(broken), Err(InvalidPem), "{broken}");
        }
    }
}
