//! The address at which a caller reaches a connection: scheme and host of the gateway, the mount, and the id.

use std::fmt;

use http::header::{HOST, HeaderMap};
use http::uri::{Authority, Scheme, Uri};
use http::{Extensions, HeaderValue};

use super::paging::is_plain;
use crate::address::Address;
use crate::policy::Location;

/// The maximum length of the host and the port in an address, in bytes: 253 of a name (RFC 1035 §2.3.4), and the port. Each rewritten link
/// contains them.
const MAX_AUTHORITY: usize = 260;

/// The URL at which callers reach the host application, if the host application has set it.
#[derive(Clone, Debug)]
pub(crate) struct PublicUrl {
    scheme: Scheme,
    authority: Authority,
    /// The path that a server in front of the host application removes. It doesn't end with a slash.
    path: Box<str>,
}

impl PublicUrl {
    pub(crate) fn parse(url: &str) -> Result<Self, PublicUrlError> {
        let location = Location::parse(url, None).map_err(|_| PublicUrlError)?;
        Ok(Self {
            scheme: location.origin.scheme().as_uri_scheme(),
            authority: location.origin.authority().clone(),
            path: location.path.trim_end_matches('/').into(),
        })
    }
}

/// The error of a text that isn't valid as a public URL: it isn't an `http` or `https` URL with a host, or it contains user info, a query,
/// a fragment or dot segments. It's returned when the service is built, so it's a mistake in the code or in the configuration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct PublicUrlError;

impl fmt::Display for PublicUrlError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(
            "a public URL must be an `http` or `https` URL with a host, such as `https://gw.example.com`, without user info, a query, a fragment and dot segments",
        )
    }
}

impl std::error::Error for PublicUrlError {}

/// The address of a call's connection, below which all paths of the upstream are, as the caller reaches it.
pub(crate) struct MountAddress {
    scheme: Scheme,
    authority: Authority,
    /// The path that a server in front has removed, the mount and the id: `/passthrough/acme`.
    path: Box<str>,
    /// The host of the request, which may be another than the public URL's.
    requested: Option<Authority>,
    /// The path of the mount and the id in the request.
    requested_path: Box<str>,
    /// The rest of the caller's path, unchanged.
    remainder: Box<str>,
}

impl MountAddress {
    /// Returns the address of a call with that original URI. Without a public URL, the host is the host of the request (RFC 9110 §7.2). The
    /// scheme is an extension of the host application, the scheme of the URI, or otherwise `http`. If the host names the connection, only the
    /// scheme of the public URL is used.
    ///
    /// Returns `None` if the request has no valid host, or if clients could read the mount differently.
    pub(crate) fn new(
        public: Option<&PublicUrl>,
        uri: &Uri,
        address: &Address<'_>,
        headers: &HeaderMap,
        extensions: &Extensions,
    ) -> Option<Self> {
        let mount = address.mount_in(uri.path())?;
        let remainder = uri.path().strip_prefix(mount)?;
        if !is_plain(mount) {
            return None;
        }
        let requested = requested_host(uri, headers);
        let (scheme, authority, outer) = match public {
            Some(public) if address.is_by_host() => (public.scheme.clone(), requested.clone()?, ""),
            Some(public) => (
                public.scheme.clone(),
                public.authority.clone(),
                &*public.path,
            ),
            None => {
                let scheme = extensions.get::<Scheme>().or_else(|| uri.scheme());
                let scheme = scheme.filter(|&scheme| *scheme == Scheme::HTTPS);
                let scheme = scheme.map_or(Scheme::HTTP, Scheme::clone);
                (scheme, requested.clone()?, "")
            }
        };
        Some(Self {
            scheme,
            authority,
            path: [outer, mount].concat().into(),
            requested,
            requested_path: mount.into(),
            remainder: remainder.into(),
        })
    }

    /// Returns the path of the mount and the id.
    pub(super) fn path(&self) -> &str {
        &self.path
    }

    /// Returns the paths of the mount and the id at the public URL and in the request.
    pub(super) fn paths(&self) -> [&str; 2] {
        [&self.path, &self.requested_path]
    }

    /// Returns the path of the call, as the caller wrote it.
    pub(super) fn path_of_call(&self) -> String {
        [&*self.path, &*self.remainder].concat()
    }

    /// Returns the absolute URL with that path.
    pub(super) fn url(&self, path: &str) -> String {
        format!("{}://{}{path}", self.scheme, self.authority)
    }

    /// Returns `true` if the URL's authority is the gateway's, in each spelling of it.
    pub(super) fn is_at(&self, scheme: &str, authority: &str) -> bool {
        let plain = |authority: &str| {
            let default = match scheme.eq_ignore_ascii_case("https") {
                true => 443,
                false => 80,
            };
            let (host, port) = match authority.rsplit_once(':') {
                Some((host, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => {
                    (host, port.parse().unwrap_or(default))
                }
                _ => (authority, default),
            };
            let host = host.strip_suffix('.').unwrap_or(host);
            (host.to_ascii_lowercase(), port)
        };
        let is = |own: &Authority| plain(authority) == plain(own.as_str());
        is(&self.authority) || self.requested.as_ref().is_some_and(is)
    }
}

/// Returns the authority of an absolute target, or otherwise of the only `Host`. Returns `None` unless each client reads it in the same way.
fn requested_host(uri: &Uri, headers: &HeaderMap) -> Option<Authority> {
    let authority = match uri.authority() {
        Some(authority) => authority.clone(),
        None => {
            let mut hosts = headers.get_all(HOST).iter();
            let host = hosts.next().filter(|_| hosts.next().is_none())?;
            authority_in(host)?
        }
    };
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"-._:[]".contains(&byte);
    let has_host = !authority.host().is_empty();
    let is_plain = has_host && authority.as_str().bytes().all(fits);
    (is_plain && authority.as_str().len() <= MAX_AUTHORITY).then_some(authority)
}

fn authority_in(host: &HeaderValue) -> Option<Authority> {
    Authority::try_from(host.as_bytes()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(
        public: Option<&str>,
        uri: &'static str,
        host: &[&'static str],
        scheme: Option<Scheme>,
    ) -> Option<String> {
        let public = public.map(|url| PublicUrl::parse(url).ok());
        let uri = Uri::from_static(uri);
        let address = Address::cut(uri.path().strip_prefix("/p")?, uri.query()).ok()?;
        let mut headers = HeaderMap::new();
        for host in host {
            headers.append(HOST, HeaderValue::from_static(host));
        }
        let mut extensions = Extensions::new();
        if let Some(scheme) = scheme {
            extensions.insert(scheme);
        }
        let public = public.flatten();
        let address = MountAddress::new(public.as_ref(), &uri, &address, &headers, &extensions)?;
        Some(address.url(address.path()))
    }

    #[test]
    fn without_a_public_url_the_request_says_where_it_was_sent() {
        for (uri, host, scheme, expected) in [
            ("/p/c/x", &["gw.test"][..], None, Some("http://gw.test/p/c")),
            (
                "/p/c/x",
                &["Gw.test:8080"],
                Some(Scheme::HTTPS),
                Some("https://Gw.test:8080/p/c"),
            ),
            ("/p/c", &["[::1]:80"], None, Some("http://[::1]:80/p/c")),
            ("/p/c", &["my_gw"], None, Some("http://my_gw/p/c")),
            (
                "https://gw.test/p/c/x",
                &["other.test"],
                None,
                Some("https://gw.test/p/c"),
            ),
            ("/p/c/x", &[], None, None),
            ("/p/c/x", &["a.test", "a.test"], None, None),
            ("/p/c/x", &["a@gw.test"], None, None),
            ("/p/c/x", &["gw.test/x"], None, None),
            ("/p/c/x", &["gw.test>; rel=next"], None, None),
            ("/p/c/x", &["g%77.test"], None, None),
            ("/p/c/x", &[""], None, None),
            ("/p/c/x", &[":80"], None, None),
        ] {
            let url = url(None, uri, host, scheme);
            assert_eq!(url.as_deref(), expected, "{uri} {host:?}");
        }
    }

    #[test]
    fn a_public_url_replaces_what_the_request_says() {
        for (public, expected) in [
            ("https://gw.test", "https://gw.test/p/c"),
            ("https://GW.test:443/", "https://gw.test/p/c"),
            ("http://gw.test:81/out/", "http://gw.test:81/out/p/c"),
        ] {
            let url = url(Some(public), "/p/c/x", &["evil.test"], None);
            assert_eq!(url.as_deref(), Some(expected), "{public}");
        }
        for text in [
            "",
            "gw.test",
            "/p",
            "ftp://gw.test",
            "https://",
            "https://a@gw.test",
            "https://gw.test/?a",
            "https://gw.test/#a",
            "https://gw.test/../a",
        ] {
            assert!(PublicUrl::parse(text).is_err(), "{text}");
        }
    }
}
