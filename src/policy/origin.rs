//! Scheme, host and port (RFC 9110 §4.3.1), and the strict parser of `scheme://host:port/path`.

use std::fmt;
use std::sync::Arc;

use bytes::Bytes;
use http::HeaderValue;
use http::uri::Authority;

use super::host::Host;
use crate::encoding::dot_segments::has_dot_segments;
use crate::encoding::percent::decode;

/// The scheme of an origin.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Scheme {
    /// `http`: without encryption.
    Http,
    /// `https`: over TLS.
    Https,
}

impl Scheme {
    /// Returns the port that is used if none is given.
    #[must_use]
    pub const fn default_port(self) -> u16 {
        match self {
            Self::Http => 80,
            Self::Https => 443,
        }
    }

    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Https => "https",
        }
    }

    pub(crate) fn as_uri_scheme(self) -> http::uri::Scheme {
        match self {
            Self::Http => http::uri::Scheme::HTTP,
            Self::Https => http::uri::Scheme::HTTPS,
        }
    }

    fn parse(text: &str) -> Option<Self> {
        if text.eq_ignore_ascii_case("https") {
            Some(Self::Https)
        } else if text.eq_ignore_ascii_case("http") {
            Some(Self::Http)
        } else {
            None
        }
    }
}

/// Scheme, host and port, and the authority that a request to the origin contains. Cloning
/// increments a reference count.
#[derive(Clone)]
pub struct Origin(Arc<Inner>);

struct Inner {
    scheme: Scheme,
    host: Host,
    port: u16,
    authority: Authority,
    /// The authority as the value of `Host`.
    host_field: HeaderValue,
}

impl Origin {
    /// Returns `None` if the authority isn't valid, which can't happen with a parsed host.
    fn new(scheme: Scheme, host: Host, port: u16) -> Option<Self> {
        let text = if port == scheme.default_port() {
            host.to_string()
        } else {
            format!("{host}:{port}")
        };
        let text = Bytes::from(text);
        let host_field = HeaderValue::from_maybe_shared(text.clone()).ok()?;
        let authority = Authority::from_maybe_shared(text).ok()?;
        Some(Self(Arc::new(Inner {
            scheme,
            host,
            port,
            authority,
            host_field,
        })))
    }

    /// Returns the origin whose host has these labels in front, or `None` if the result isn't the name of a host.
    pub(crate) fn below(&self, labels: &str) -> Option<Self> {
        let Host::Name(name) = self.host() else {
            return None;
        };
        let host = Host::parse(&format!("{labels}.{name}"))?;
        // The parser must not have read the labels as a part of something else.
        let is_below = matches!(&host, Host::Name(below) if below.ends_with(&format!(".{name}")));
        is_below.then(|| Self::new(self.scheme(), host, self.port()))?
    }

    /// Returns the scheme.
    #[must_use]
    pub fn scheme(&self) -> Scheme {
        self.0.scheme
    }

    /// Returns the host.
    #[must_use]
    pub fn host(&self) -> &Host {
        &self.0.host
    }

    /// Returns the port, which is the scheme's default port if none was given.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.0.port
    }

    /// Returns host and port in the form of `Host` and `:authority`: without a default port, and
    /// never with user info.
    #[must_use]
    pub fn authority(&self) -> &Authority {
        &self.0.authority
    }

    /// Returns the authority as the value of `Host`.
    pub(crate) fn host_field(&self) -> &HeaderValue {
        &self.0.host_field
    }
}

impl fmt::Debug for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}({})", self.0.scheme, self.0.authority)
    }
}

/// The error of a base URL or a `__domain` that isn't valid.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct LocationError(pub(crate) &'static str);

impl fmt::Display for LocationError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl std::error::Error for LocationError {}

/// An origin and a path on it.
#[derive(Clone, Debug)]
pub(crate) struct Location {
    pub(crate) origin: Origin,
    /// Empty, or begins with `/`.
    pub(crate) path: Box<str>,
}

impl Location {
    /// Parses an absolute URL. If `scheme` is given, `host` and `host:port` are accepted as well.
    pub(crate) fn parse(text: &str, scheme: Option<Scheme>) -> Result<Self, LocationError> {
        Self::parse_with(text, scheme, Host::parse)
    }

    /// Parses an absolute URL of the host application's own configuration, whose host may contain underscores.
    pub(crate) fn parse_configured(text: &str) -> Result<Self, LocationError> {
        Self::parse_with(text, None, Host::parse_configured)
    }

    fn parse_with(
        text: &str,
        scheme: Option<Scheme>,
        parse_host: fn(&str) -> Option<Host>,
    ) -> Result<Self, LocationError> {
        let refuse = |why| Err(LocationError(why));
        if text
            .chars()
            .any(|char| char.is_control() || char.is_whitespace() || char == '\\')
        {
            return refuse("it contains a blank, a control character or a backslash");
        }
        if text.contains(['?', '#']) {
            return refuse("it contains a query or a fragment");
        }
        let (scheme, rest) = match (text.split_once("://"), scheme) {
            (Some((written, rest)), _) => match Scheme::parse(written) {
                Some(scheme) => (scheme, rest),
                None => return refuse("its scheme is neither http nor https"),
            },
            (None, Some(scheme)) if !text.contains('/') => (scheme, text),
            (None, _) => return refuse("it's neither a host nor an absolute URL"),
        };
        let (authority, path) = rest
            .find('/')
            .map_or((rest, ""), |slash| rest.split_at(slash));
        if authority.contains('@') {
            return refuse("it contains user info");
        }
        let Some((host, port)) = split_port(authority) else {
            return refuse("its port isn't valid");
        };
        let Some(host) = parse_host(host) else {
            return refuse("its host isn't valid");
        };
        if !fits_path(path) {
            return refuse(
                "its path contains dot segments or characters that a path can't contain",
            );
        }
        match Origin::new(scheme, host, port.unwrap_or(scheme.default_port())) {
            Some(origin) => Ok(Self {
                origin,
                path: path.into(),
            }),
            None => refuse("its host isn't valid"),
        }
    }

    /// Returns `true` if the path can be that of a location.
    pub(crate) fn fits_path(path: &str) -> bool {
        fits_path(path)
    }
}

/// Splits host and port. Returns `None` if the text after the colon isn't a port.
fn split_port(authority: &str) -> Option<(&str, Option<u16>)> {
    let end_of_host = authority.find(']').map_or(0, |bracket| bracket + 1);
    let (_, after) = authority.split_at_checked(end_of_host)?;
    let Some(colon) = after.find(':') else {
        return Some((authority, None));
    };
    let (host, port) = authority.split_at_checked(end_of_host + colon)?;
    let digits = port.strip_prefix(':')?;
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let port = digits.parse().ok().filter(|&port| port != 0)?;
    Some((host, Some(port)))
}

/// Returns `true` if the path is judged fit like the path of a call, and has no dot segments at all.
fn fits_path(path: &str) -> bool {
    let legal = |byte: u8| byte.is_ascii_graphic() && !b"\"<>^`{|}".contains(&byte);
    let forbidden = |byte: &u8| *byte == b'\\' || byte.is_ascii_control();
    path.bytes().all(legal)
        && !decode(path.as_bytes()).iter().any(forbidden)
        && !has_dot_segments(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> Option<String> {
        let location = Location::parse(text, Some(Scheme::Https)).ok()?;
        Some(format!("{:?}{}", location.origin, location.path))
    }

    #[test]
    fn hosts_and_absolute_urls_are_locations() {
        assert_eq!(parsed("EU.v.com.").as_deref(), Some("Https(eu.v.com)"));
        assert_eq!(parsed("eu.v.com:443").as_deref(), Some("Https(eu.v.com)"));
        assert_eq!(
            parsed("eu.v.com:8443").as_deref(),
            Some("Https(eu.v.com:8443)")
        );
        assert_eq!(parsed("[::1]:80").as_deref(), Some("Https([::1]:80)"));
        assert_eq!(
            parsed("HTTP://v.com:80/api/").as_deref(),
            Some("Http(v.com)/api/")
        );
        assert_eq!(
            parsed("https://v.com/@a/%20;v=1").as_deref(),
            Some("Https(v.com)/@a/%20;v=1")
        );
        assert_eq!(
            parsed("https://v.com/a%2Fb%25/..c/d..").as_deref(),
            Some("Https(v.com)/a%2Fb%25/..c/d..")
        );
    }

    #[test]
    fn everything_else_is_refused() {
        for text in [
            "",
            "/",
            "//h",
            "https://",
            "https:///x",
            "ftp://v.com",
            "h:0",
            "h:65536",
            "h:",
            "h:+5",
            "h:5x",
            "a@b",
            "https://a@b/",
            "v.com/x",
            "v.com\\.evil",
            "v.com?x",
            "v.com#x",
            "https://v.com/a b",
            "https://v.com/..",
            "https://v.com/a/%2E%2e/b",
            "https://v.com/a/..;x",
            "https://v.com/a/..%3Bx",
            "https://v.com/a%2f..%2Fb",
            "https://v.com/..%2fb",
            "https://v.com/a%2F.",
            "https://v.com/a;%2f../b",
            "https://v.com/..%5Cb",
            "https://v.com/a%5cb",
            "https://v.com/a%0d%0aX:y",
            "https://v.com/a%00",
            "https://v.com/a%7F",
            "v.com:80@evil.test",
            "good.test\\@evil.test",
            "h:80://x",
            "[::1]x",
            "javascript:alert(1)",
        ] {
            assert_eq!(parsed(text), None, "{text}");
        }
        assert!(Location::parse("v.com", None).is_err());
    }
}
