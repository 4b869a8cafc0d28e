//! Fills templates, in a single pass and without copies of long values.

use base64::Engine as _;
use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD};
use http::request::Parts;
use zeroize::Zeroizing;

use super::template::{DigestForm, Function, NonceForm, Part, Template, Value};
use crate::auth::signing::{Nonce, Parameters, is_form, pairs, text};
use crate::auth::{AuthContext, AuthError};
use crate::encoding::Sink;
use crate::encoding::calendar::since_epoch;
use crate::encoding::hex::{self, HexCase};
use crate::encoding::percent::{decode_form, encode};
use crate::policy::Scheme;

/// The values that a template is filled with.
pub(super) struct TemplateContext<'a> {
    pub(super) request: &'a Parts,
    pub(super) cx: &'a AuthContext<'a>,
    pub(super) nonce: Nonce,
    /// The name of the secret that holds the id of the key.
    pub(super) key_id: &'a str,
    /// The encoded signature, which is empty until it's known.
    pub(super) signature: &'a [u8],
}

impl TemplateContext<'_> {
    /// Renders the template into a buffer of its final size, which is wiped when it's dropped: a buffer that grows would
    /// leave copies of secrets behind.
    pub(super) fn render(&self, template: &Template) -> Result<Zeroizing<Vec<u8>>, AuthError> {
        self.collect(&template.0)
    }

    /// Renders the template into `sink`, piece by piece.
    pub(super) fn write(&self, template: &Template, sink: &mut Sink<'_>) -> Result<(), AuthError> {
        self.fill(&template.0, sink)
    }

    fn collect(&self, parts: &[Part]) -> Result<Zeroizing<Vec<u8>>, AuthError> {
        let mut all = Zeroizing::new(Vec::with_capacity(self.max_size(parts)?));
        self.fill(parts, &mut |piece| all.extend_from_slice(piece))?;
        Ok(all)
    }

    /// Returns the maximum size of the rendered parts, in bytes. The size is known without computing a hash.
    fn max_size(&self, parts: &[Part]) -> Result<usize, AuthError> {
        let mut room = 0;
        for part in parts {
            room += match part {
                Part::Text(text) => text.len(),
                Part::Value(value) => {
                    let mut length = 0;
                    self.value(value, &mut |piece| length += piece.len())?;
                    length
                }
                Part::Call(Function::Digest(hash, form), _) => match form {
                    DigestForm::Bytes => hash.output_len(),
                    DigestForm::Hex => 2 * hash.output_len(),
                    DigestForm::Base64 => base64_len(hash.output_len()),
                },
                Part::Call(function, inner) => {
                    let inner = self.max_size(inner)?;
                    match function {
                        Function::Percent => 3 * inner,
                        Function::Hex | Function::UpperHex => 2 * inner,
                        Function::Base64 | Function::Base64Url => base64_len(inner),
                        Function::Lower | Function::Upper | Function::Digest(..) => inner,
                    }
                }
            };
        }
        Ok(room)
    }

    fn fill(&self, parts: &[Part], sink: &mut Sink<'_>) -> Result<(), AuthError> {
        for part in parts {
            match part {
                Part::Text(text) => sink(text.as_bytes()),
                Part::Value(value) => self.value(value, sink)?,
                Part::Call(function, inner) => self.call(*function, inner, sink)?,
            }
        }
        Ok(())
    }

    fn call(
        &self,
        function: Function,
        inner: &[Part],
        sink: &mut Sink<'_>,
    ) -> Result<(), AuthError> {
        // Processed byte by byte, because a copy of a secret would have to be wiped.
        match function {
            Function::Lower => self.fill(inner, &mut |piece| {
                piece
                    .iter()
                    .for_each(|byte| sink(&[byte.to_ascii_lowercase()]));
            }),
            Function::Upper => self.fill(inner, &mut |piece| {
                piece
                    .iter()
                    .for_each(|byte| sink(&[byte.to_ascii_uppercase()]));
            }),
            Function::Percent => self.fill(inner, &mut |piece| encode(piece, sink)),
            Function::Hex => {
                self.fill(inner, &mut |piece| hex::encode(piece, HexCase::Lower, sink))
            }
            Function::UpperHex => {
                self.fill(inner, &mut |piece| hex::encode(piece, HexCase::Upper, sink))
            }
            Function::Base64 | Function::Base64Url => {
                let engine = match function {
                    Function::Base64 => BASE64_STANDARD,
                    _ => BASE64_URL_SAFE_NO_PAD,
                };
                let plain = self.collect(inner)?;
                sink(Zeroizing::new(engine.encode(&*plain)).as_bytes());
                Ok(())
            }
            Function::Digest(hash, form) => {
                let digest = hash.digest(|sink| self.fill(inner, sink))?;
                match form {
                    DigestForm::Bytes => sink(digest.as_ref()),
                    DigestForm::Hex => hex::encode(digest.as_ref(), HexCase::Lower, sink),
                    DigestForm::Base64 => sink(BASE64_STANDARD.encode(digest).as_bytes()),
                }
                Ok(())
            }
        }
    }

    fn value(&self, value: &Value, sink: &mut Sink<'_>) -> Result<(), AuthError> {
        let uri = &self.request.uri;
        let destination = self.cx.destination();
        let query = uri.query().unwrap_or_default();
        match value {
            Value::Method => sink(self.request.method.as_str().as_bytes()),
            Value::Scheme => sink(match destination.scheme() {
                Scheme::Http => b"http",
                Scheme::Https => b"https",
            }),
            Value::Host => sink(destination.authority().as_str().as_bytes()),
            Value::Hostname => sink(destination.authority().host().as_bytes()),
            Value::Port => sink(http::HeaderValue::from(destination.port()).as_bytes()),
            Value::Path => sink(uri.path().as_bytes()),
            Value::PathAndQuery => {
                let target = uri.path_and_query().map_or("/", |target| target.as_str());
                sink(target.as_bytes());
            }
            Value::Query => sink(query.as_bytes()),
            Value::QuerySorted => write_sorted(query, sink),
            Value::QueryCanonical => Parameters::new(&[query.as_bytes()], &[]).write(sink),
            Value::QueryParameter(name) => write_parameter(query.as_bytes(), name, sink),
            Value::Body => sink(self.body()),
            Value::FormCanonical => Parameters::new(&[self.form()], &[]).write(sink),
            Value::FormParameter(name) => write_parameter(self.form(), name, sink),
            Value::Header(name) => {
                for (nth, value) in self.request.headers.get_all(name).iter().enumerate() {
                    if nth > 0 {
                        sink(b", ");
                    }
                    sink(value.as_bytes());
                }
            }
            Value::KeyId => sink(text(self.cx, self.key_id)?),
            Value::Secret(name) => sink(text(self.cx, name)?),
            Value::Timestamp(form) => sink(form.format(since_epoch(self.cx.now())).as_bytes()),
            Value::Nonce(form) => {
                let nonce = match form {
                    NonceForm::Hex => self.nonce.hex(),
                    NonceForm::Uuid => self.nonce.uuid(),
                    NonceForm::Base64 => self.nonce.base64(),
                };
                sink(nonce.as_bytes());
            }
            Value::Signature => sink(self.signature),
        }
        Ok(())
    }

    fn body(&self) -> &[u8] {
        self.cx.payload().map(|body| &**body).unwrap_or_default()
    }

    fn form(&self) -> &[u8] {
        match is_form(&self.request.headers) {
            true => self.body(),
            false => &[],
        }
    }
}

/// Returns the length of padded base64 for `length` bytes.
const fn base64_len(length: usize) -> usize {
    length.div_ceil(3) * 4
}

/// Writes the pairs unchanged, sorted by name and then by value, as bytes.
fn write_sorted(query: &str, sink: &mut Sink<'_>) {
    let mut all: Vec<_> = query.split('&').filter(|pair| !pair.is_empty()).collect();
    all.sort_unstable_by_key(|pair| pair.split_once('=').unwrap_or((pair, "")));
    for (nth, pair) in all.into_iter().enumerate() {
        if nth > 0 {
            sink(b"&");
        }
        sink(pair.as_bytes());
    }
}

/// Writes the decoded value of the first parameter of that name, if there is such a parameter.
fn write_parameter(encoded: &[u8], name: &str, sink: &mut Sink<'_>) {
    let is_name = |encoded: &[u8]| {
        let mut decoded = Vec::with_capacity(encoded.len());
        decode_form(encoded, &mut |byte| decoded.extend_from_slice(byte));
        decoded == name.as_bytes()
    };
    if let Some((_, value)) = pairs(encoded).find(|(other, _)| is_name(other)) {
        decode_form(value, sink);
    }
}
