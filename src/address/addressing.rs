//! The ways in which a request names its connection: path, host, header field, or an extension of the host application.
//!
//! Rules: `docs/rules/forwarding.md#1-path-and-address`.

use std::fmt;

use http::header::{HOST, HeaderMap, HeaderName};
use http::uri::Authority;
use http::{Extensions, Request, Uri};

use super::id::ConnectionId;
use super::{Address, Prefix};
use crate::error::Error;

/// The place of the connection id in a pattern of hosts.
const PLACEHOLDER: &str = "{connection}";

/// The ways in which a request may name its connection, for
/// [`PassthroughBuilder::address_by`](crate::PassthroughBuilder::address_by).
///
/// The first way in this order that applies to a request decides, and the connection that this way names is the only connection that is
/// looked up:
///
/// 1. the extension [`RequestedConnection`], if [`extension`](Self::extension) is set and a layer of the host application has inserted it;
/// 2. the host of the request, if it matches the pattern of [`host`](Self::host);
/// 3. the field of [`header`](Self::header), if the request has it;
/// 4. the first segment of the path, unless [`without_path`](Self::without_path) is set.
///
/// A request that no way applies to is answered with `bad-address`. In the first three ways, the path doesn't contain the connection id: all
/// of the path after the mount belongs to the upstream. The host is a name of a connection only, and doesn't
/// select the upstream's host.
///
/// ```
/// use http::HeaderName;
/// use tower_passthrough::address::Addressing;
///
/// let addressing = Addressing::path()
///     .host("{connection}.gw.example.com")?
///     .header(HeaderName::from_static("x-connection"));
/// # Ok::<_, tower_passthrough::address::HostPatternError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Addressing {
    by_path: bool,
    by_extension: bool,
    host: Option<HostPattern>,
    header: Option<HeaderName>,
}

/// The connection of a request, in an extension that a layer of the host application inserts before the request reaches the service.
///
/// It's used if [`Addressing::extension`] is set. The layer chooses the connection by its knowledge of the caller, for
/// example because the caller's key belongs to one connection alone. The authorizer still decides if the caller may use the connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestedConnection(pub ConnectionId);

/// A pattern of hosts, with the connection id in one label: `{connection}.gw.example.com`. It's in lower case.
#[derive(Clone, Debug, PartialEq, Eq)]
struct HostPattern {
    before: Box<str>,
    after: Box<str>,
}

/// The connection that a host names.
struct NamedByHost {
    id: ConnectionId,
    /// The labels in front of the label with the id.
    subdomain: Option<Box<str>>,
}

/// The error of a text that isn't a valid pattern of hosts. It's returned when the service is built, so it's a mistake in the code or in the
/// configuration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct HostPatternError;

impl Addressing {
    /// Returns the default: the first segment of the path after the mount is the connection id.
    #[must_use]
    pub const fn path() -> Self {
        Self {
            by_path: true,
            by_extension: false,
            host: None,
            header: None,
        }
    }

    /// Turns off the way by path. Default: a request that no other way applies to is addressed by its path.
    #[must_use]
    pub const fn without_path(mut self) -> Self {
        self.by_path = false;
        self
    }

    /// Also accepts requests whose host names the connection. `pattern` is a host in which `{connection}` stands for the id, such as
    /// `{connection}.gw.example.com`.
    ///
    /// The host is `:authority`, the authority of an absolute-form target, or otherwise `Host`
    /// ([RFC 9110 §7.2](https://www.rfc-editor.org/rfc/rfc9110#section-7.2)). The port and a dot at the end are ignored. The id is a part of
    /// one label, in lower case, because hosts have no case: a connection whose id contains capitals, dots or other characters than letters,
    /// digits, `-` and `_` can't be named by host. `X-Forwarded-Host` isn't read: a server in front must forward `Host`. A request with more
    /// than one `Host` is answered with `bad-address`.
    ///
    /// Further labels in front of the pattern (`bucket.acme.gw.example.com`) are put in front of the upstream's host, if the integration
    /// permits that with [`Upstream::subdomains`](crate::Upstream::subdomains); otherwise the answer is `domain-refused`.
    ///
    /// The whole path belongs to the upstream, without a mount. [`PassthroughLayer`](crate::PassthroughLayer) answers all requests with such
    /// a host. A router must route them to the service by [`is_by_host`](Self::is_by_host).
    ///
    /// Default: the host isn't read.
    ///
    /// # Errors
    ///
    /// [`HostPatternError`] if the pattern doesn't contain `{connection}` exactly once, followed by a domain, or isn't a valid host.
    pub fn host(mut self, pattern: &str) -> Result<Self, HostPatternError> {
        self.host = Some(HostPattern::parse(pattern).ok_or(HostPatternError)?);
        Ok(self)
    }

    /// Also accepts requests in which this field contains the connection id, as plain text without percent-encoding.
    ///
    /// The path after the mount belongs to the upstream. The field is removed from all requests. A request with more than one field of this
    /// name is answered with `bad-address`.
    ///
    /// Default: none.
    #[must_use]
    pub fn header(mut self, name: HeaderName) -> Self {
        self.header = Some(name);
        self
    }

    /// Also accepts requests with the extension [`RequestedConnection`].
    ///
    /// The path belongs to the upstream. A mount that is set as [`prefix`](crate::PassthroughBuilder::prefix) is removed from a path below
    /// the mount, and another path is taken as a whole.
    ///
    /// Default: the extension isn't read.
    #[must_use]
    pub const fn extension(mut self) -> Self {
        self.by_extension = true;
        self
    }

    /// Returns `true` if the host of the request names a connection, or is ambiguous. Such a request must reach the service, whatever its
    /// path is.
    #[must_use]
    pub fn is_by_host<B>(&self, request: &Request<B>) -> bool {
        let Some(pattern) = &self.host else {
            return false;
        };
        !matches!(pattern.named(request.uri(), request.headers()), Ok(None))
    }

    /// Returns `true` if the request is addressed by its host or by an extension, so that the path doesn't decide if it's a call.
    pub(crate) fn takes<B>(&self, request: &Request<B>) -> bool {
        let has_extension = || request.extensions().get::<RequestedConnection>().is_some();
        (self.by_extension && has_extension()) || self.is_by_host(request)
    }

    /// Returns `true` if a request to this host names a connection by its host.
    pub(crate) fn names_by_host(&self, host: &str) -> bool {
        let pattern = self.host.as_ref();
        pattern.is_some_and(|pattern| pattern.named_in(host).is_some())
    }

    /// Returns the field that names connections, which no upstream receives.
    pub(crate) fn field(&self) -> Option<&HeaderName> {
        self.header.as_ref()
    }

    /// Returns the address of a request.
    pub(crate) fn address<'u>(
        &self,
        prefix: &Prefix,
        uri: &'u Uri,
        headers: &HeaderMap,
        extensions: &Extensions,
    ) -> Result<Address<'u>, Error> {
        if self.by_extension {
            if let Some(RequestedConnection(id)) = extensions.get() {
                let path = prefix.strip(uri.path()).unwrap_or(uri.path());
                return Address::with_id(id.clone(), path, uri.query());
            }
        }
        if let Some(pattern) = &self.host {
            if let Some(NamedByHost { id, subdomain }) = pattern.named(uri, headers)? {
                let address = Address::with_id(id, uri.path(), uri.query())?;
                return Ok(Address {
                    by_host: true,
                    subdomain,
                    ..address
                });
            }
        }
        if let Some(field) = &self.header {
            let mut values = headers.get_all(field).iter();
            if let Some(value) = values.next() {
                if values.next().is_some() {
                    return Err(Error::bad_address(
                        "the request has more than one field that names its connection; send one",
                    ));
                }
                let id = ConnectionId::from_field(value.as_bytes())?;
                return Address::with_id(id, prefix.below(uri)?, uri.query());
            }
        }
        if self.by_path {
            return Address::under(prefix, uri);
        }
        Err(Error::bad_address(
            "the request doesn't name a connection; name it by the host or by the header field that this gateway reads",
        ))
    }
}

impl Default for Addressing {
    fn default() -> Self {
        Self::path()
    }
}

impl HostPattern {
    fn parse(pattern: &str) -> Option<Self> {
        let pattern = pattern.to_ascii_lowercase();
        let (before, after) = pattern.split_once(PLACEHOLDER)?;
        let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
        let is_name = |name: &str| name.split('.').all(|label| !label.is_empty());
        // In place of the id, any letter shows if the labels around it are complete.
        let host = format!("{before}x{after}");
        let (_, domain) = after.split_once('.')?;
        let top = domain.rsplit('.').next()?;
        let is_number = top.bytes().all(|byte| byte.is_ascii_digit());
        if !host.bytes().all(fits) || !is_name(&host) || is_number {
            return None;
        }
        Some(Self {
            before: before.into(),
            after: after.into(),
        })
    }

    /// Returns the connection that the host of a request names, or `None` if the host doesn't match.
    fn named(&self, uri: &Uri, headers: &HeaderMap) -> Result<Option<NamedByHost>, Error> {
        let named;
        let authority = match uri.authority() {
            Some(authority) => authority,
            None => {
                let mut hosts = headers.get_all(HOST).iter();
                let Some(host) = hosts.next() else {
                    return Ok(None);
                };
                if hosts.next().is_some() {
                    return Err(Error::bad_address("the request has more than one `Host`"));
                }
                match Authority::try_from(host.as_bytes()) {
                    Ok(authority) => named = authority,
                    Err(_) => return Ok(None),
                }
                &named
            }
        };
        let port = authority.as_str().strip_prefix(authority.host());
        let is_clear = port.is_some_and(|port| {
            port.is_empty()
                || port
                    .strip_prefix(':')
                    .is_some_and(|port| port.bytes().all(|byte| byte.is_ascii_digit()))
        });
        if !is_clear {
            return Err(Error::bad_address(
                "the host of the request has user info or a port that isn't a number",
            ));
        }
        Ok(self.named_in(authority.host()))
    }

    fn named_in(&self, host: &str) -> Option<NamedByHost> {
        let host = host.strip_suffix('.').unwrap_or(host).to_ascii_lowercase();
        let rest = host.strip_suffix(&*self.after)?;
        let mut dots = rest.rmatch_indices('.').map(|(dot, _)| dot);
        let (subdomain, named) = match dots.nth(self.before.matches('.').count()) {
            Some(dot) => {
                let (subdomain, named) = rest.split_at_checked(dot)?;
                (Some(subdomain), named.strip_prefix('.')?)
            }
            None => (None, rest),
        };
        let id = named.strip_prefix(&*self.before)?;
        let mut labels = subdomain.into_iter().flat_map(|labels| labels.split('.'));
        if !is_label(id) || !labels.all(is_label) {
            return None;
        }
        Some(NamedByHost {
            id: ConnectionId::new(id).ok()?,
            subdomain: subdomain.map(Box::from),
        })
    }
}

fn is_label(label: &str) -> bool {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    !label.is_empty() && label.bytes().all(fits)
}

impl fmt::Display for HostPatternError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(
            "a pattern of hosts must contain `{connection}` once, followed by a domain, such as `{connection}.gw.example.com`, without a scheme and a port",
        )
    }
}

impl std::error::Error for HostPatternError {}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(pattern: &str, host: &str) -> Option<String> {
        let pattern = HostPattern::parse(pattern)?;
        let named = pattern.named_in(host)?;
        let id = named.id.as_str();
        Some(match named.subdomain {
            Some(subdomain) => format!("{subdomain}/{id}"),
            None => id.to_owned(),
        })
    }

    #[test]
    fn an_id_is_one_label_in_lower_case() {
        let pattern = "{connection}.Gw.test";
        for (host, expected) in [
            ("acme.gw.test", Some("acme")),
            ("ACME.GW.test.", Some("acme")),
            ("a-b_1.gw.test", Some("a-b_1")),
            ("xn--bcher-kva.gw.test", Some("xn--bcher-kva")),
            (".gw.test", None),
            ("gw.test", None),
            ("a.acme.gw.test", Some("a/acme")),
            ("A.b.acme.gw.test", Some("a.b/acme")),
            ("..acme.gw.test", None),
            (".acme.gw.test", None),
            ("a b.acme.gw.test", None),
            ("acme.gw.test..", None),
            ("acme.gw.test.evil.test", None),
            ("acmegw.test", None),
            ("a%62.gw.test", None),
            ("a*.gw.test", None),
            ("", None),
        ] {
            assert_eq!(id(pattern, host).as_deref(), expected, "{host}");
        }
        let inside = "gw-{connection}-eu.example.com";
        assert_eq!(id(inside, "gw-a-eu.example.com").as_deref(), Some("a"));
        assert_eq!(id(inside, "gw-eu.example.com"), None);
        assert_eq!(id(inside, "gw--eu.example.com"), None);
        assert_eq!(id(inside, "b.gw-a-eu.example.com").as_deref(), Some("b/a"));
        let deep = "x.{connection}.test";
        assert_eq!(id(deep, "x.a.test").as_deref(), Some("a"));
        assert_eq!(id(deep, "b.c.x.a.test").as_deref(), Some("b.c/a"));
        assert_eq!(id(deep, "b.a.test"), None);
        assert_eq!(id(deep, "bx.a.test"), None);
    }

    #[test]
    fn a_pattern_names_the_connection_once_before_a_domain() {
        for pattern in [
            "{connection}.localhost",
            "gw-{connection}.example.com",
            "{connection}-gw.example.com",
            "a.{connection}.b.test",
        ] {
            assert!(HostPattern::parse(pattern).is_some(), "{pattern}");
        }
        for pattern in [
            "",
            "gw.example.com",
            "{connection}",
            "{connection}gw",
            "{connection}.",
            "{connection}..test",
            ".{connection}.test",
            "{connection}.test.",
            "{connection}.{connection}.test",
            "{Connection.test",
            "{connection}.test:8080",
            "http://{connection}.test",
            "{connection}.a b",
            "{connection}.0.0.1",
            "{connection}.b\u{fc}cher.test",
        ] {
            assert!(HostPattern::parse(pattern).is_none(), "{pattern}");
        }
    }
}
