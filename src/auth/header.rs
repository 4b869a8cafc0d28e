//! A scheme that sends a header field with any name. The value is a template with secrets.

use std::fmt;
use std::sync::Arc;

use http::{HeaderName, HeaderValue};

use super::{
    Applied, AuthContext, AuthError, AuthRequest, AuthScheme, CacheKey, Requirements, SchemeError,
};
use crate::secret::sensitive;

/// Sends a field with the value of a template: `Token token={api_key}`.
///
/// Each `{name}` is a secret of the connection; `{{` and `}}` are braces.
///
/// A template that begins with `Negotiate`, `NTLM` or another scheme that authenticates the network connection (in any case) is
/// [isolated](Requirements::binds_connection) without a setting: the network connection is only used for calls with the same secrets.
#[derive(Clone)]
pub struct Header {
    name: HeaderName,
    template: Arc<[Part]>,
    key: CacheKey,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
    Text(Box<str>),
    Secret(Box<str>),
}

impl Header {
    /// Returns the scheme that sends a field with that name and value.
    ///
    /// # Errors
    ///
    /// [`SchemeError`] if the name isn't a field name, or is the name of a field that frames or
    /// routes a message; if the template has an unpaired brace, an empty name, or text that isn't
    /// allowed in a field.
    pub fn new(name: &str, template: &str) -> Result<Self, SchemeError> {
        let name: HeaderName = name
            .parse()
            .map_err(|_| SchemeError("the name isn't a valid field name"))?;
        if is_framing(&name) {
            return Err(SchemeError(
                "the field controls framing or routing, so it can't carry a credential",
            ));
        }
        if template.bytes().any(|byte| byte.is_ascii_control()) {
            return Err(SchemeError("the template contains a control character"));
        }
        Ok(Self {
            name,
            template: parse(template)?.into(),
            key: CacheKey::unique(),
        })
    }
}

impl Header {
    fn value(&self, cx: &AuthContext<'_>) -> Result<HeaderValue, AuthError> {
        // The parts are iterated twice, because a buffer that grows would leave a copy of the
        // secret behind.
        let mut length = 0;
        for part in &*self.template {
            length += match part {
                Part::Text(text) => text.len(),
                Part::Secret(name) => cx.secret(name)?.expose().len(),
            };
        }
        let mut value = Vec::with_capacity(length);
        for part in &*self.template {
            value.extend_from_slice(match part {
                Part::Text(text) => text.as_bytes(),
                Part::Secret(name) => cx.secret(name)?.expose(),
            });
        }
        Ok(sensitive(value)?)
    }
}

// Implemented by hand, because the host application may have written a key into the template
// itself.
impl fmt::Debug for Header {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Header")
            .field("name", &self.name)
            .field("secrets", &self.secrets().collect::<Vec<_>>())
            .finish_non_exhaustive()
    }
}

/// Returns `true` if the credential authenticates the network connection, and not only the request (RFC 4559 §6).
pub(super) fn authenticates_connection(credential: &[u8]) -> bool {
    const SCHEMES: [&[u8]; 6] = [
        b"negotiate",
        b"ntlm",
        b"kerberos",
        b"nego2",
        b"pku2u",
        b"livessp",
    ];
    let credential = credential.trim_ascii_start();
    if !matches!(
        credential.first().map(u8::to_ascii_lowercase),
        Some(b'k' | b'l' | b'n' | b'p')
    ) {
        return false;
    }
    SCHEMES.iter().any(|scheme| {
        let (begin, _) = credential
            .split_at_checked(scheme.len())
            .unwrap_or_default();
        begin.eq_ignore_ascii_case(scheme)
    })
}

/// Returns `true` if the field frames or routes a message.
pub(super) fn is_framing(name: &HeaderName) -> bool {
    let name = name.as_str();
    // Most names need no more than a look at their first byte.
    let first = name.as_bytes().first();
    if !first.is_some_and(|byte| b"cehkmptu".contains(byte)) {
        return false;
    }
    if name.contains('_') {
        return frames(&name.replace('_', "-"));
    }
    frames(name)
}

fn frames(canonical: &str) -> bool {
    matches!(
        canonical,
        "connection"
            | "content-length"
            | "expect"
            | "http2-settings"
            | "max-forwards"
            | "proxy-connection"
            | "host"
            | "te"
            | "trailer"
            | "transfer-encoding"
            | "upgrade"
            | "keep-alive"
    )
}

fn parse(template: &str) -> Result<Vec<Part>, SchemeError> {
    const UNPAIRED: SchemeError = SchemeError("the template has an unpaired brace");
    let mut parts = Vec::new();
    let mut text = String::new();
    let mut rest = template;
    while let Some(brace) = rest.find(['{', '}']) {
        let (before, at) = rest.split_at(brace);
        text.push_str(before);
        if let Some(after) = at.strip_prefix("{{") {
            text.push('{');
            rest = after;
        } else if let Some(after) = at.strip_prefix("}}") {
            text.push('}');
            rest = after;
        } else {
            let inside = at.strip_prefix('{').ok_or(UNPAIRED)?;
            let (name, after) = inside.split_once('}').ok_or(UNPAIRED)?;
            if name.is_empty() || name.contains('{') {
                return Err(SchemeError(
                    "the template has braces without the name of a secret",
                ));
            }
            if !text.is_empty() {
                parts.push(Part::Text(std::mem::take(&mut text).into()));
            }
            parts.push(Part::Secret(name.into()));
            rest = after;
        }
    }
    text.push_str(rest);
    if !text.is_empty() {
        parts.push(Part::Text(text.into()));
    }
    Ok(parts)
}

impl Header {
    fn secrets(&self) -> impl Iterator<Item = &str> {
        self.template.iter().filter_map(|part| match part {
            Part::Secret(name) => Some(&**name),
            Part::Text(_) => None,
        })
    }
}

impl AuthScheme for Header {
    fn requirements(&self) -> Requirements {
        let binds = match self.template.first() {
            Some(Part::Text(text)) => authenticates_connection(text.as_bytes()),
            _ => false,
        };
        let requirements = Requirements::new()
            .field(self.name.clone())
            .binds_connection(binds);
        self.secrets().fold(requirements, Requirements::secret)
    }

    fn apply(
        &self,
        request: &mut AuthRequest<'_>,
        cx: &AuthContext<'_>,
    ) -> Result<Applied, AuthError> {
        let value = cx.cached_header(&self.key, || self.value(cx))?;
        request.insert_header(self.name.clone(), value);
        Ok(Applied::default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn templates_are_text_and_secrets() {
        let expected = vec![
            Part::Text("Token {a} token=".into()),
            Part::Secret("api_key".into()),
            Part::Text(";".into()),
        ];
        assert_eq!(parse("Token {{a}} token={api_key};"), Ok(expected));
    }

    #[test]
    fn templates_that_authenticate_a_network_connection_bind_it() {
        let binds = |template| {
            let scheme = Header::new("authorization", template);
            scheme.map(|scheme| scheme.requirements().is_binding())
        };
        for template in [
            "Negotiate {token}",
            "negotiate {token}",
            "  NTLM {token}",
            "nTlM{token}",
            "Kerberos {token}",
        ] {
            assert_eq!(binds(template), Ok(true), "{template}");
        }
        for template in [
            "Bearer {token}",
            "{token}",
            "Token NTLM {token}",
            "neg {a}",
            "N",
        ] {
            assert_eq!(binds(template), Ok(false), "{template}");
        }
    }

    #[test]
    fn bad_templates_and_names_are_refused() {
        for template in ["{", "}", "{a", "a}", "{}", "{{a}", "{a{b}}", "a\nb"] {
            assert!(Header::new("x-key", template).is_err(), "{template}");
        }
        for name in [
            "",
            "a b",
            "host",
            "Content-Length",
            "transfer-encoding",
            "connection",
        ] {
            assert!(Header::new(name, "{a}").is_err(), "{name}");
        }
    }
}
