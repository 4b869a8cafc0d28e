//! Forms, JSON objects and base64 of secrets. Each is written into a buffer of its final size, which is wiped when it's
//! dropped, because a buffer that grows would leave copies behind.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use zeroize::Zeroizing;

use crate::auth::encode_basic;
use crate::encoding::Sink;
use crate::encoding::hex::digits;
use crate::encoding::percent::encode_form;
use crate::secret::Secret;

/// The value of a parameter or a claim.
#[derive(Clone, Copy)]
pub(super) enum Value<'a> {
    Text(&'a str),
    Secret(&'a Secret),
    Number(u64),
}

impl Value<'_> {
    /// Calls `read` with the bytes, without a copy that outlives it.
    fn read(self, read: impl FnOnce(&[u8])) {
        match self {
            Self::Text(text) => read(text.as_bytes()),
            Self::Secret(secret) => read(secret.expose()),
            Self::Number(number) => read(number.to_string().as_bytes()),
        }
    }
}

/// Names and values in order. Each name occurs once.
#[derive(Default)]
pub(super) struct Pairs<'a>(Vec<(&'a str, Value<'a>)>);

impl<'a> Pairs<'a> {
    /// Adds a pair, or replaces the value of that name.
    pub(super) fn set(&mut self, name: &'a str, value: Value<'a>) {
        match self.0.iter_mut().find(|(other, _)| *other == name) {
            Some((_, old)) => *old = value,
            None => self.0.push((name, value)),
        }
    }

    /// Encodes as `application/x-www-form-urlencoded` (RFC 6749 appendix B).
    pub(super) fn form(&self) -> Zeroizing<Vec<u8>> {
        sized(|put| {
            for (index, (name, value)) in self.0.iter().enumerate() {
                if index > 0 {
                    put(b"&");
                }
                encode_form(name.as_bytes(), put);
                put(b"=");
                value.read(|bytes| encode_form(bytes, put));
            }
        })
    }

    /// Encodes as a JSON object (RFC 8259). Returns `None` if a value isn't UTF-8.
    pub(super) fn json(&self) -> Option<Zeroizing<Vec<u8>>> {
        let mut is_text = true;
        for (_, value) in &self.0 {
            value.read(|bytes| is_text &= std::str::from_utf8(bytes).is_ok());
        }
        is_text.then(|| {
            sized(|put| {
                put(b"{");
                for (index, (name, value)) in self.0.iter().enumerate() {
                    if index > 0 {
                        put(b",");
                    }
                    quote(name.as_bytes(), put);
                    put(b":");
                    match value {
                        Value::Number(_) => value.read(&mut *put),
                        Value::Text(_) | Value::Secret(_) => value.read(|bytes| quote(bytes, put)),
                    }
                }
                put(b"}");
            })
        })
    }
}

/// Returns the bytes that `write` writes. `write` is called twice: for the size, and for the bytes.
fn sized(write: impl Fn(&mut Sink<'_>)) -> Zeroizing<Vec<u8>> {
    let mut length = 0;
    write(&mut |bytes| length += bytes.len());
    let mut written = Zeroizing::new(Vec::with_capacity(length));
    write(&mut |bytes| written.extend_from_slice(bytes));
    written
}

fn quote(bytes: &[u8], put: &mut Sink<'_>) {
    put(b"\"");
    for &byte in bytes {
        match byte {
            b'"' | b'\\' => put(&[b'\\', byte]),
            byte if byte < b' ' => {
                put(b"\\u00");
                put(&digits(byte));
            }
            byte => put(&[byte]),
        }
    }
    put(b"\"");
}

/// Returns `Basic` with id and secret, both form-encoded first (RFC 6749 §2.3.1).
pub(super) fn basic(id: Value<'_>, secret: Value<'_>) -> Option<Vec<u8>> {
    let [id, secret] = [id, secret].map(|value| {
        let encoded = sized(|put| value.read(|bytes| encode_form(bytes, put)));
        Secret::from(encoded.as_slice())
    });
    encode_basic(b"Basic ", &id, &secret, b"")
}

/// Returns `Basic` with id and secret without the form encoding (RFC 7617 §2). Returns `None` if the id contains a
/// colon, which ends the id.
pub(super) fn basic_raw(id: Value<'_>, secret: Value<'_>) -> Option<Vec<u8>> {
    let [id, secret] = [id, secret].map(|value| {
        let copied = sized(|put| value.read(put));
        Secret::from(copied.as_slice())
    });
    encode_basic(b"Basic ", &id, &secret, b"")
}

/// Encodes as base64url without padding (RFC 7515 §2) of each part, joined by dots.
pub(super) fn compact(parts: &[&[u8]]) -> Zeroizing<Vec<u8>> {
    let encoded: Vec<_> = parts.iter().map(|part| base64url(part)).collect();
    sized(|put| {
        for (index, part) in encoded.iter().enumerate() {
            if index > 0 {
                put(b".");
            }
            put(part);
        }
    })
}

fn base64url(bytes: &[u8]) -> Zeroizing<Vec<u8>> {
    let mut encoded = Zeroizing::new(vec![0; (bytes.len() * 4).div_ceil(3)]);
    // The buffer has the exact size, so the encoding can't fail.
    let _ = URL_SAFE_NO_PAD.encode_slice(bytes, &mut encoded);
    encoded
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pairs<'a>(secret: &'a Secret) -> Pairs<'a> {
        let mut pairs = Pairs::default();
        pairs.set("grant_type", Value::Text("refresh_token"));
        pairs.set("refresh token", Value::Text("old"));
        pairs.set("n", Value::Number(42));
        pairs.set("refresh token", Value::Secret(secret));
        pairs
    }

    #[test]
    fn forms_are_encoded_as_browsers_do() {
        let secret = Secret::from("a+b/ c=&%~*-._\u{e9}");
        let form = pairs(&secret).form();
        assert_eq!(
            std::str::from_utf8(&form).ok(),
            Some("grant_type=refresh_token&refresh+token=a%2Bb%2F+c%3D%26%25%7E*-._%C3%A9&n=42")
        );
        assert_eq!(form.len(), form.capacity());
    }

    #[test]
    fn json_is_read_back_as_it_was_meant() {
        let odd = "q\"\\\n\u{1}\u{7f}/<\u{e9}\u{1f600}";
        let secret = Secret::from(odd);
        let json = pairs(&secret).json().unwrap_or_default();
        assert_eq!(json.len(), json.capacity());
        let read: serde_json::Value = serde_json::from_slice(&json).unwrap_or_default();
        assert_eq!(
            read,
            serde_json::json!({ "grant_type": "refresh_token", "refresh token": odd, "n": 42 })
        );
        assert!(pairs(&Secret::from(vec![0xff])).json().is_none());
    }

    #[test]
    fn basic_encodes_what_would_move_the_border() {
        let value = basic(Value::Text("a:b"), Value::Text("c d\u{e9}"));
        // `a%3Ab:c+d%C3%A9`
        assert_eq!(value.as_deref(), Some(&b"Basic YSUzQWI6YytkJUMzJUE5"[..]));
    }

    #[test]
    fn a_compact_form_is_that_of_rfc_7515() {
        // Appendix A.1 and appendix C.
        let header = b"{\"typ\":\"JWT\",\r\n \"alg\":\"HS256\"}";
        assert_eq!(
            compact(&[header, &[3, 236, 255, 224, 193]]).as_slice(),
            b"eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9.A-z_4ME"
        );
    }
}
