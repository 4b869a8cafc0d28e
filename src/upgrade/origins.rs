//! The origins of web pages that may open WebSockets. No same-origin policy of browsers holds for WebSockets: a page of any origin can
//! open one with the visitor's cookies, and read and write through it (RFC 6455 §10.2).

use std::fmt;

use http::Uri;
use http::header::{HOST, HeaderMap, HeaderName, HeaderValue, ORIGIN};
use http::uri::{Authority, Scheme};

const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// The origins, other than the request's own, that may open WebSockets.
#[derive(Clone, Debug, Default)]
pub(crate) struct Origins(Vec<Box<str>>);

/// The error of a text that isn't an origin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct OriginError;

impl Origins {
    /// Adds `scheme://host` or `scheme://host:port`, as browsers write it in `Origin`, or `null`.
    pub(crate) fn add(&mut self, origin: &str) -> Result<(), OriginError> {
        let (scheme, host) = match origin.split_once("://") {
            Some(parts) => parts,
            None if origin == "null" => ("null", "null"),
            None => return Err(OriginError),
        };
        let is_unfit = |byte: u8| !byte.is_ascii_graphic() || b"/?#@\\".contains(&byte);
        if scheme.is_empty()
            || host.is_empty()
            || [scheme, host].iter().any(|part| part.bytes().any(is_unfit))
        {
            return Err(OriginError);
        }
        let origin = origin.to_ascii_lowercase();
        // A browser doesn't write a default port.
        let default_port = match scheme {
            scheme if scheme.eq_ignore_ascii_case("https") => ":443",
            scheme if scheme.eq_ignore_ascii_case("http") => ":80",
            _ => "",
        };
        self.0
            .push(origin.strip_suffix(default_port).unwrap_or(&origin).into());
        Ok(())
    }

    /// Returns `true` if the request comes from a page of its own origin, from a page of a listed origin, or from a client that isn't a
    /// browser, which sends neither `Origin` nor `Sec-Fetch-Site`. `uri` is the request's own URI.
    pub(crate) fn permit(&self, headers: &HeaderMap, uri: &Uri) -> bool {
        let mut origins = headers.get_all(ORIGIN).iter();
        let is_listed = |origin: &HeaderValue| {
            let is = |listed: &str| origin.as_bytes().eq_ignore_ascii_case(listed.as_bytes());
            self.0.iter().any(|listed| is(listed))
        };
        let is_own = match (origins.next(), origins.next()) {
            (None, _) => true,
            (Some(origin), None) if is_listed(origin) => return true,
            (Some(origin), None) => is_of(origin, headers, uri),
            (Some(_), Some(_)) => false,
        };
        // `none`: the person has entered the address. A page of another subdomain, `same-site`, isn't trusted.
        let mut sites = headers.get_all(SEC_FETCH_SITE).iter();
        is_own && sites.all(|site| matches!(site.as_bytes(), b"same-origin" | b"none"))
    }
}

/// Returns `true` if the origin has the host and port of the request. A server in front may have removed TLS, so an origin with `https`
/// fits a request without it.
fn is_of(origin: &HeaderValue, headers: &HeaderMap, uri: &Uri) -> bool {
    let Some((scheme, named)) = origin
        .to_str()
        .ok()
        .and_then(|origin| origin.split_once("://"))
    else {
        return false;
    };
    let default_port = match scheme {
        "https" => 443,
        "http" if uri.scheme() != Some(&Scheme::HTTPS) => 80,
        _ => return false,
    };
    let mut hosts = headers.get_all(HOST).iter();
    let own = match (uri.authority(), hosts.next(), hosts.next()) {
        (Some(authority), _, _) => Some(authority.clone()),
        (None, Some(host), None) => Authority::try_from(host.as_bytes()).ok(),
        _ => None,
    };
    let port = |authority: &Authority| match authority.as_str().strip_prefix(authority.host()) {
        Some("") => Some(default_port),
        _ => authority.port_u16(),
    };
    let (Some(own), Ok(named)) = (own, named.parse::<Authority>()) else {
        return false;
    };
    own.host().eq_ignore_ascii_case(named.host())
        && port(&own).is_some()
        && port(&own) == port(&named)
}

impl fmt::Display for OriginError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(
            "an origin must be `scheme://host` or `scheme://host:port` without a path, or `null`",
        )
    }
}

impl std::error::Error for OriginError {}

#[cfg(test)]
mod tests {
    use super::*;

    fn permits(
        origins: &Origins,
        uri: &'static str,
        lines: &[(&'static str, &'static str)],
    ) -> bool {
        let mut headers = HeaderMap::new();
        for (name, value) in lines {
            headers.append(*name, HeaderValue::from_static(value));
        }
        origins.permit(&headers, &Uri::from_static(uri))
    }

    #[test]
    fn pages_of_the_requests_own_origin_pass() {
        let none = Origins::default();
        for (host, origin) in [
            ("app.test", "https://app.test"),
            ("app.test", "http://app.test"),
            ("APP.test", "https://app.test"),
            ("app.test:8080", "http://app.test:8080"),
            ("app.test:443", "https://app.test"),
            ("app.test", "https://app.test:443"),
            ("[::1]:8080", "http://[::1]:8080"),
        ] {
            assert!(
                permits(&none, "/x", &[("host", host), ("origin", origin)]),
                "{host} {origin}"
            );
        }
        for (host, origin) in [
            ("app.test", "https://evil.test"),
            ("app.test", "https://app.test.evil.test"),
            ("app.test", "https://evil.app.test"),
            ("app.test", "https://app.test:8443"),
            ("app.test:8080", "https://app.test"),
            ("app.test:443", "http://app.test"),
            ("app.test", "ftp://app.test"),
            ("app.test", "app.test"),
            ("app.test", "null"),
            ("app.test", ""),
            ("app.test", "https://evil.test@app.test"),
            ("", "https://"),
        ] {
            assert!(
                !permits(&none, "/x", &[("host", host), ("origin", origin)]),
                "{host} {origin}"
            );
        }
        let both = [
            ("host", "app.test"),
            ("origin", "https://app.test"),
            ("origin", "https://app.test"),
        ];
        assert!(!permits(&none, "/x", &both));
        let hosts = [
            ("host", "app.test"),
            ("host", "evil.test"),
            ("origin", "https://app.test"),
        ];
        assert!(!permits(&none, "/x", &hosts));
        let by_uri =
            |uri, origin| permits(&none, uri, &[("host", "other.test"), ("origin", origin)]);
        assert!(by_uri("https://app.test/x", "https://app.test"));
        assert!(by_uri("http://app.test/x", "https://app.test"));
        assert!(!by_uri("https://app.test/x", "http://app.test"));
        assert!(!by_uri("https://app.test/x", "https://other.test"));
    }

    #[test]
    fn sites_count_with_and_without_an_origin() {
        let none = Origins::default();
        for (site, passes) in [
            ("same-origin", true),
            ("none", true),
            ("same-site", false),
            ("cross-site", false),
            ("x", false),
        ] {
            assert_eq!(
                permits(&none, "/x", &[("sec-fetch-site", site)]),
                passes,
                "{site}"
            );
            let lines = [
                ("host", "app.test"),
                ("origin", "https://app.test"),
                ("sec-fetch-site", site),
            ];
            assert_eq!(permits(&none, "/x", &lines), passes, "{site}");
        }
        assert!(permits(&none, "/x", &[("host", "app.test")]));
    }

    #[test]
    fn listed_origins_pass() {
        let mut listed = Origins::default();
        for origin in ["https://App.example:443", "chrome-extension://abc", "null"] {
            assert_eq!(listed.add(origin), Ok(()), "{origin}");
        }
        for origin in ["https://app.example", "chrome-extension://abc", "null"] {
            let lines = [
                ("host", "gw.test"),
                ("origin", origin),
                ("sec-fetch-site", "cross-site"),
            ];
            assert!(permits(&listed, "/x", &lines), "{origin}");
        }
        for origin in [
            "",
            "app.example",
            "https://",
            "://x",
            "https://a/",
            "https://a b",
            "https://u@a",
            "*",
        ] {
            assert_eq!(Origins::default().add(origin), Err(OriginError), "{origin}");
        }
    }
}
