//! Replaces links to the upstream by addresses under the mount, so that a client that follows pages or redirects stays
//! under the mount.
//!
//! A link is replaced only if the new address is exact: a call of the new address is simulated, and must lead to the
//! URL that the upstream wrote, byte for byte. All other links stay unchanged. A link beside the base path, or on another
//! host that the integration's policy allows, needs `__domain` in its address.
//!
//! Rules: `docs/rules/forwarding.md#5-responses`.

use std::borrow::Cow;
use std::fmt;

use http::uri::PathAndQuery;

use super::MountAddress;
use super::join;
use crate::address::{Address, PathEncoding, Target};
use crate::encoding::percent;
use crate::error::Error;
use crate::policy::{Location, Origin};
use crate::upstream::{Place, Route, Upstream};

/// The context in which the links of a call's response are rewritten.
pub(crate) struct MountedLinks {
    pub(super) mount: MountAddress,
    upstream: Upstream,
    /// The labels that the caller's host puts in front of the upstream's host.
    subdomain: Option<Box<str>>,
    /// The origin and the base path of the call.
    origin: Origin,
    base_path: Box<str>,
    /// The path of the request to the upstream.
    path: Box<str>,
    /// The call's `__domain`, decoded, because the address of the next page needs it as well.
    domain: Option<Box<str>>,
    encoding: PathEncoding,
}

/// A URL at an upstream.
struct Url<'a> {
    origin: &'a Origin,
    /// Begins with `/`.
    path: &'a str,
    query: Option<&'a str>,
}

impl MountedLinks {
    /// Returns `None` if the path of the call can't be made.
    pub(crate) fn new(
        mount: MountAddress,
        subdomain: Option<&str>,
        target: &Target<'_>,
        upstream: &Upstream,
        route: &Route<'_>,
        encoding: PathEncoding,
    ) -> Option<Box<Self>> {
        let joined = join(route.base_path(), upstream.default_query(), target).ok()?;
        Some(Box::new(Self {
            mount,
            upstream: upstream.clone(),
            subdomain: subdomain.map(Box::from),
            origin: route.destination.origin().clone(),
            base_path: route.base_path().into(),
            path: joined.path().into(),
            domain: target.domain().map(Box::from),
            encoding,
        }))
    }

    /// Returns the address under the mount that leads to the same URL as `reference` (RFC 3986 §4.1). Returns `None` if
    /// the reference stays unchanged.
    pub(super) fn reference(&self, reference: &[u8]) -> Option<String> {
        let reference = std::str::from_utf8(reference).ok()?;
        let (reference, fragment) = cut(reference, '#');
        let (path, query) = cut(reference, '?');
        if !fragment.unwrap_or_default().bytes().all(fits)
            || !query.unwrap_or_default().bytes().all(fits)
        {
            return None;
        }
        let is_relative = !path.starts_with('/') && !has_scheme(path);
        let mut address = if is_relative {
            // A reference with only a fragment refers to the response itself.
            if path.is_empty() && query.is_none() {
                return None;
            }
            let page = resolved(&beside(&self.path, path)).into_owned();
            let address = self.address(Url {
                origin: &self.origin,
                path: &page,
                query,
            })?;
            // The path to which the client would resolve the reference without a change.
            let caller = self.mount.path_of_call();
            let caller = resolved(&beside(&caller, path)).into_owned();
            if address == self.mount.url(&with_query(caller, query)) {
                return None;
            }
            address
        } else {
            let (origin, path) = self.absolute(path)?;
            let path = match &*resolved(path) {
                "" => "/".to_owned(),
                path => path.to_owned(),
            };
            self.address(Url {
                origin: &origin,
                path: &path,
                query,
            })?
        };
        if let Some(fragment) = fragment {
            address.push('#');
            address.push_str(fragment);
        }
        Some(address)
    }

    /// Returns the origin and the path of a reference with a scheme, a host or an absolute path.
    fn absolute<'a>(&self, reference: &'a str) -> Option<(Origin, &'a str)> {
        let (scheme, rest) = if has_scheme(reference) {
            let (scheme, rest) = reference.split_once("://")?;
            (scheme, rest)
        } else if let Some(rest) = reference.strip_prefix("//") {
            (self.origin.scheme().as_str(), rest)
        } else {
            return Some((self.origin.clone(), reference));
        };
        let slash = rest.find('/').unwrap_or(rest.len());
        let (authority, path) = rest.split_at_checked(slash)?;
        let location = Location::parse(&format!("{scheme}://{authority}"), None).ok()?;
        Some((location.origin, path))
    }

    /// Returns the address under the mount for a URL of an upstream.
    fn address(&self, url: Url<'_>) -> Option<String> {
        if !is_plain(url.path) {
            return None;
        }
        // A call like this one, then a call without `__domain`, and then a call with the URL's own host in `__domain`.
        if is_same(&self.origin, url.origin) {
            let own = self.domain.as_deref();
            if let Some(address) = self.address_below(&self.base_path, own, &url) {
                return Some(address);
            }
        }
        let mut places = self.upstream.places(self.subdomain.as_deref());
        if let Some(address) = places.find_map(|place| self.address_at(place, None, &url)) {
            return Some(address);
        }
        let base = self.upstream.place(None).ok()?;
        let domain = match base.origin().scheme() == url.origin.scheme() {
            true => url.origin.authority().to_string(),
            false => format!(
                "{}://{}",
                url.origin.scheme().as_str(),
                url.origin.authority()
            ),
        };
        let named = self.upstream.place(Some(&domain)).ok()?;
        self.address_at(named, Some(&domain), &url)
    }

    fn address_at(&self, place: Place<'_>, domain: Option<&str>, url: &Url<'_>) -> Option<String> {
        if !is_same(place.origin(), url.origin) {
            return None;
        }
        let route = self.upstream.permit(place).ok()?;
        self.address_below(route.base_path(), domain, url)
    }

    /// Returns the address of a call with that base path and that `__domain`. Returns `None` if no such call leads to the URL.
    fn address_below(&self, base: &str, domain: Option<&str>, url: &Url<'_>) -> Option<String> {
        let base = base.strip_suffix('/').unwrap_or(base);
        let below = url.path.strip_prefix(base)?;
        if !below.is_empty() && !below.starts_with('/') {
            return None;
        }
        // The path is tried unchanged, and then encoded in the way of generated clients, because the path may be
        // decoded in a call. The default query may be added in a call, so the query is tried without and with it.
        let encoded = below.strip_prefix('/').unwrap_or_default();
        let encoded = encoded.replace('%', "%25").replace('/', "%2F");
        let paths = [below, &format!("/%2F{encoded}")];
        let queries = [self.without_default(url.query), Some(url.query)];
        for query in queries.into_iter().flatten() {
            let query = with_domain(query, domain);
            let exact = |below: &&str| self.leads_to(below, query.as_deref(), url);
            if let Some(below) = paths.into_iter().find(exact) {
                let path = [self.mount.path(), below].concat();
                // Without a mount and an id, a client would send `/`, which leads to another URL.
                if path.is_empty() {
                    return None;
                }
                return Some(self.mount.url(&with_query(path, query.as_deref())));
            }
        }
        None
    }

    /// Returns the part of a query after the default query, or `None` if the query doesn't begin with it.
    fn without_default<'q>(&self, query: Option<&'q str>) -> Option<Option<&'q str>> {
        let rest = query?.strip_prefix(self.upstream.default_query()?)?;
        match rest {
            "" => Some(None),
            rest => rest.strip_prefix('&').map(Some),
        }
    }

    /// Returns `true` if a call with that remainder and query reaches the URL.
    fn leads_to(&self, below: &str, query: Option<&str>, url: &Url<'_>) -> bool {
        let reached = self.reach(below, query, |_, _| Ok(()));
        reached.is_ok_and(|(origin, joined)| {
            is_same(&origin, url.origin)
                && joined.as_str() == with_query(url.path.to_owned(), url.query)
        })
    }

    /// Returns the origin, the path and the query that a call with that remainder and query reaches, if `check` permits it.
    pub(super) fn reach(
        &self,
        below: &str,
        query: Option<&str>,
        check: impl Fn(&Target<'_>, &Route<'_>) -> Result<(), Error>,
    ) -> Result<(Origin, PathAndQuery), Error> {
        // The id doesn't affect the result.
        let path = format!("/c{below}");
        let mut target = Address::cut(&path, query)?.target(self.encoding)?;
        target.drop_parameters(self.upstream.stripped_parameters());
        let place = self.upstream.place_of(&target, self.subdomain.as_deref())?;
        let route = self.upstream.permit(place)?;
        check(&target, &route)?;
        let joined = join(route.base_path(), self.upstream.default_query(), &target)?;
        Ok((route.destination.origin().clone(), joined))
    }
}

// Implemented by hand, because paths and queries may contain data that a caller wouldn't want in a log.
impl fmt::Debug for MountedLinks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MountedLinks").finish_non_exhaustive()
    }
}

fn is_same(one: &Origin, other: &Origin) -> bool {
    one.scheme() == other.scheme() && one.authority() == other.authority()
}

/// Splits the text at the first `at`.
pub(super) fn cut(text: &str, at: char) -> (&str, Option<&str>) {
    match text.split_once(at) {
        Some((before, behind)) => (before, Some(behind)),
        None => (text, None),
    }
}

fn with_query(mut path: String, query: Option<&str>) -> String {
    if let Some(query) = query {
        path.push('?');
        path.push_str(query);
    }
    path
}

/// Returns the query of a call with `__domain`.
fn with_domain<'q>(query: Option<&'q str>, domain: Option<&str>) -> Option<Cow<'q, str>> {
    let Some(domain) = domain else {
        return query.map(Cow::Borrowed);
    };
    let mut query = query.map_or_else(String::new, |query| format!("{query}&"));
    query.push_str("__domain=");
    percent::encode_into(&mut query, domain.as_bytes());
    Some(Cow::Owned(query))
}

/// Returns the path of a relative reference on a page at `page` (RFC 3986 §5.2.3).
fn beside<'a>(page: &'a str, relative: &str) -> Cow<'a, str> {
    if relative.is_empty() {
        return Cow::Borrowed(page);
    }
    let folder = page.rfind('/').and_then(|slash| page.get(..=slash));
    Cow::Owned([folder.unwrap_or("/"), relative].concat())
}

/// Returns an absolute path without the dot segments that each client removes (RFC 3986 §5.2.4). Dot segments that are encoded stay.
fn resolved(path: &str) -> Cow<'_, str> {
    let is_dots = |segment: &str| matches!(segment, "." | "..");
    if !path.split('/').any(is_dots) {
        return Cow::Borrowed(path);
    }
    let mut kept: Vec<&str> = Vec::new();
    let mut segments = path.split('/').skip(1).peekable();
    while let Some(segment) = segments.next() {
        if segment == ".." {
            kept.pop();
        }
        if !is_dots(segment) {
            kept.push(segment);
        } else if segments.peek().is_none() {
            // A path that ends in a dot segment is a folder.
            kept.push("");
        }
    }
    Cow::Owned(format!("/{}", kept.join("/")))
}

/// Returns `true` if a reference begins with a scheme, which is a colon in its first segment (RFC 3986 §4.2).
fn has_scheme(path: &str) -> bool {
    path.split('/')
        .next()
        .is_some_and(|first| first.contains(':'))
}

/// Returns `true` if all clients read the byte in the same way.
fn fits(byte: u8) -> bool {
    byte.is_ascii_graphic() && !b"\"<>\\".contains(&byte)
}

/// Returns `true` if all clients read the path in the same way: it has no dot segment, and no bytes that some clients
/// change.
pub(super) fn is_plain(path: &str) -> bool {
    let is_dots = |segment: &str| {
        let plain = segment.to_ascii_lowercase().replace("%2e", ".");
        matches!(plain.split(';').next(), Some("." | ".."))
    };
    path.bytes().all(fits) && !path.split('/').any(is_dots)
}

#[cfg(test)]
mod tests {
    use http::header::{HOST, HeaderMap, HeaderValue, LINK};
    use http::{Extensions, Uri};

    use super::super::ForeignLocations;
    use super::super::links::LinkRules;
    use super::*;
    use crate::policy::DomainPolicy;
    use crate::upstream::DomainOverride;

    const GATEWAY: &str = "http://gw.test";

    /// Makes the addresses to which calls at a mount `/p` are sent, and the links in the responses.
    struct Calls {
        upstream: Upstream,
        encoding: PathEncoding,
    }

    impl Calls {
        fn to(base: &str) -> Option<Self> {
            let domains = DomainPolicy::none().allow("eu.v.test").ok()?;
            Some(Self {
                upstream: Upstream::new(base).ok()?.domains(domains),
                encoding: PathEncoding::Auto,
            })
        }

        /// Returns the address at which the upstream is called, without scheme.
        fn sent(&self, uri: &str) -> Option<String> {
            let (path, query) = cut(uri.strip_prefix("/p")?, '?');
            let address = Address::cut(path, query).ok()?;
            let target = address.target(self.encoding).ok()?;
            let place = self.upstream.place_of(&target, None).ok()?;
            let route = self.upstream.permit(place).ok()?;
            let query = self.upstream.default_query();
            let joined = join(route.base_path(), query, &target).ok()?;
            Some(format!("{}{joined}", route.destination.authority()))
        }

        fn links(&self, uri: &str) -> Option<Box<MountedLinks>> {
            let (path, query) = cut(uri.strip_prefix("/p")?, '?');
            let address = Address::cut(path, query).ok()?;
            let target = address.target(self.encoding).ok()?;
            let place = self.upstream.place_of(&target, None).ok()?;
            let route = self.upstream.permit(place).ok()?;
            let uri: Uri = uri.parse().ok()?;
            let mut headers = HeaderMap::new();
            headers.insert(HOST, HeaderValue::from_static("gw.test"));
            let none = Extensions::new();
            let mount = MountAddress::new(None, &uri, &address, &headers, &none)?;
            MountedLinks::new(mount, None, &target, &self.upstream, &route, self.encoding)
        }

        /// Returns the address without the gateway's origin, which each address must have.
        fn reference(&self, uri: &str, reference: &str) -> Option<String> {
            let address = self.links(uri)?.reference(reference.as_bytes())?;
            let path = address.strip_prefix(GATEWAY);
            Some(path.map_or_else(|| format!("not absolute: {address}"), str::to_owned))
        }
    }

    /// Rewrites a reference in the response to `/p/c/items`, under `https://v.test/v2`.
    fn rewritten(reference: &str) -> Option<String> {
        Calls::to("https://v.test/v2")?.reference("/p/c/items", reference)
    }

    #[test]
    fn what_lies_under_the_base_becomes_an_address_under_the_mount() {
        for (reference, address) in [
            ("https://v.test/v2/items?page=2", "/p/c/items?page=2"),
            ("HTTPS://V.Test:443/v2/items?page=2", "/p/c/items?page=2"),
            ("https://v.test/v2", "/p/c"),
            ("https://v.test/v2/", "/p/c/"),
            ("https://v.test/v2?", "/p/c?"),
            (
                "https://v.test/v2//a/%20;v=1?a=b+c&&d#e?f",
                "/p/c//a/%20;v=1?a=b+c&&d#e?f",
            ),
            ("//v.test/v2/a", "/p/c/a"),
            ("/v2/a:b?c", "/p/c/a:b?c"),
            ("/v3/../v2/./a", "/p/c/a"),
        ] {
            assert_eq!(
                rewritten(reference).as_deref(),
                Some(address),
                "{reference}"
            );
        }
    }

    #[test]
    fn what_lies_elsewhere_or_may_be_read_otherwise_stays() {
        for reference in [
            "http://v.test/v2/items",
            "https://v.test:8443/v2/items",
            "https://w.test/v2/items",
            "https://v.test.evil.test/v2/items",
            "https://v.test@evil.test/v2/items",
            "https://a@v.test/v2/items",
            "https:/v2/items",
            "https:items",
            "mailto:a@v.test",
            "/v2/a/%2E%2e/b",
            "/v2/..;x/a",
            "/v2/a\\b",
            "/v2/a b",
            "/v2/a?b c",
            "/v2/a#b<c",
            "/v2/caf\u{e9}",
            "/v2/a?__domain=eu.v.test",
            "/v2/a?b&%5F_domain=eu.v.test",
            "",
            "#a",
        ] {
            assert_eq!(rewritten(reference), None, "{reference}");
        }
    }

    #[test]
    fn links_beyond_the_most_stay() {
        let calls = Calls::to("https://v.test/v2");
        let long = format!("/p/c/%2Fv2%2F{}", "a".repeat(60_000));
        let links = calls.and_then(|calls| calls.links(&long));
        let mut headers = HeaderMap::new();
        let many = HeaderValue::try_from("<?a>,".repeat(20_000));
        headers.extend(many.ok().map(|many| (LINK, many)));
        apply(links.as_deref(), &mut headers);
        let line = headers.get(LINK).map_or(0, HeaderValue::len);
        assert!(line > 100_000 && line < 5_000_000, "{line} bytes");
    }

    #[test]
    fn a_relative_reference_stays_if_it_leads_there_by_itself() {
        for reference in ["?page=2", "b?page=2", "./c", "items/d", "items/../e"] {
            assert_eq!(rewritten(reference), None, "{reference}");
        }
        // A client would put the reference in the place of the id.
        assert_eq!(rewritten("../c").as_deref(), Some("/p/c/c?__domain=v.test"));
        let calls = Calls::to("https://v.test");
        let reference = |uri, reference| calls.as_ref()?.reference(uri, reference);
        // The id ends the caller's path, and a client would put the reference in its place.
        assert_eq!(
            reference("/p/c", "b?page=2").as_deref(),
            Some("/p/c/b?page=2")
        );
        assert_eq!(reference("/p/c/", "b?page=2"), None);
        // A generated client's path is one segment.
        let encoded = "/p/c/%2Fv2%2Fitems";
        assert_eq!(reference(encoded, "d").as_deref(), Some("/p/c/v2/d"));
        assert_eq!(
            reference(encoded, "?page=2").as_deref(),
            Some("/p/c/v2/items?page=2")
        );
    }

    #[test]
    fn the_mount_and_the_id_stay_as_the_caller_wrote_them() {
        let calls = Calls::to("https://v.test");
        let next = |uri| calls.as_ref()?.reference(uri, "https://v.test/x");
        assert_eq!(next("/p/a%20b/y").as_deref(), Some("/p/a%20b/x"));
        assert_eq!(next("/p/%63").as_deref(), Some("/p/%63/x"));
        // A client would resolve it away.
        assert_eq!(next("/p/%2E%2E/y"), None);
    }

    #[test]
    fn a_call_of_another_domain_stays_there() {
        let calls = Calls::to("https://v.test/v2");
        let call = "/p/c/items?__domain=eu.v.test&a=1";
        let next = |reference: &str| calls.as_ref()?.reference(call, reference);
        for (reference, address) in [
            (
                "https://eu.v.test/x?page=2",
                Some("/p/c/x?page=2&__domain=eu.v.test"),
            ),
            ("/x#f", Some("/p/c/x?__domain=eu.v.test#f")),
            ("?page=2", Some("/p/c/items?page=2&__domain=eu.v.test")),
            ("https://v.test/v2/x", Some("/p/c/x")),
            ("https://v.test/v3/x", Some("/p/c/v3/x?__domain=v.test")),
            ("https://eu.v.test/x?__domain=w.test", None),
            // An empty query can't be expressed together with `__domain`.
            ("https://eu.v.test/x?", None),
        ] {
            assert_eq!(next(reference).as_deref(), address, "{reference}");
        }
        let call = "/p/c/items?__domain=https%3A%2F%2Feu.v.test%2Fapi%3Bv=1";
        let links = calls.as_ref().and_then(|calls| calls.links(call));
        let next = links.and_then(|links| links.reference(b"/api;v=1/x?y"));
        assert_eq!(
            next.as_deref(),
            Some("http://gw.test/p/c/x?y&__domain=https%3A%2F%2Feu.v.test%2Fapi%3Bv%3D1")
        );
    }

    #[test]
    fn a_default_query_is_said_once() {
        let calls = || {
            let calls = Calls::to("https://v.test/v2")?;
            let upstream = calls.upstream.query("v=3").ok()?;
            Some(Calls { upstream, ..calls })
        };
        let calls = calls();
        let next = |reference: &str| calls.as_ref()?.reference("/p/c/items", reference);
        assert_eq!(next("/v2/a?v=3&page=2").as_deref(), Some("/p/c/a?page=2"));
        assert_eq!(next("/v2/a?v=3").as_deref(), Some("/p/c/a"));
        // The caller's parameter replaces the default of its name.
        for query in ["page=2&v=3", "v=33", "v=3&"] {
            let expected = format!("/p/c/a?{query}");
            assert_eq!(next(&format!("/v2/a?{query}")), Some(expected));
        }
        assert_eq!(next("/v2/a"), None);
    }

    /// A call of each address reaches the URL that the upstream wrote.
    #[test]
    fn addresses_are_exact_however_paths_are_read() {
        for encoding in [
            PathEncoding::Auto,
            PathEncoding::Never,
            PathEncoding::Always,
        ] {
            for base in [
                "https://v.test",
                "https://v.test/",
                "https://v.test/v2",
                "https://v.test/v2/",
            ] {
                let calls = Calls::to(base).map(|calls| Calls { encoding, ..calls });
                let calls = calls.as_ref();
                let mut exact = 0;
                for rest in [
                    "",
                    "/",
                    "/a",
                    "/a%2Fb",
                    "/%2Fa",
                    "/a%252Fb",
                    "/a%2Fb/c",
                    "//a%2Fb",
                    "/a%3Fb",
                    "/%25",
                    "/%zz",
                    "/a%2Fb%23",
                    "/%2f%2F",
                ] {
                    for query in ["", "?", "?a=%2F/&b"] {
                        let url = format!(
                            "v.test{}{rest}{query}",
                            base.strip_prefix("https://v.test")
                                .unwrap_or_default()
                                .trim_end_matches('/')
                        );
                        let address = calls
                            .and_then(|calls| calls.reference("/p/c/x", &format!("https://{url}")));
                        let Some(address) = address else { continue };
                        exact += 1;
                        let sent = calls.and_then(|calls| calls.sent(&address));
                        let root = url.replacen("v.test?", "v.test/?", 1);
                        let root = if root == "v.test" {
                            "v.test/".to_owned()
                        } else {
                            root
                        };
                        assert_eq!(
                            sent.as_deref(),
                            Some(&*root),
                            "{encoding:?} {base} {address}"
                        );
                    }
                }
                assert!(exact > 30, "{encoding:?} {base}: {exact} of 39");
            }
        }
        let calls = Calls::to("https://v.test");
        let next = calls.and_then(|calls| calls.reference("/p/c/x", "/group%2Fproject?a"));
        assert_eq!(next.as_deref(), Some("/p/c/%2Fgroup%252Fproject?a"));
    }

    /// A link beside the base path, or on a host that the policy allows, needs `__domain`.
    #[test]
    fn links_beside_the_base_path_are_reached_by_domain() {
        for (reference, address) in [
            ("https://v.test/v20/items", "/p/c/v20/items?__domain=v.test"),
            (
                "https://v.test/v2%2Fitems",
                "/p/c/%2Fv2%252Fitems?__domain=v.test",
            ),
            (
                "https://v.test/v2;x/items",
                "/p/c/v2;x/items?__domain=v.test",
            ),
            ("https://v.test/V2/items", "/p/c/V2/items?__domain=v.test"),
            ("https://v.test/", "/p/c/?__domain=v.test"),
            ("https://v.test", "/p/c/?__domain=v.test"),
            ("/v3/items?a#b", "/p/c/v3/items?a&__domain=v.test#b"),
            ("/v2/../v3", "/p/c/v3?__domain=v.test"),
            ("/..", "/p/c/?__domain=v.test"),
            ("https://EU.v.test/v2/x", "/p/c/v2/x?__domain=eu.v.test"),
            ("//eu.v.test/x", "/p/c/x?__domain=eu.v.test"),
        ] {
            assert_eq!(
                rewritten(reference).as_deref(),
                Some(address),
                "{reference}"
            );
        }
        let plain = Calls::to("http://v.test/v2");
        let next = |reference| plain.as_ref()?.reference("/p/c/items", reference);
        assert_eq!(
            next("https://eu.v.test/x").as_deref(),
            Some("/p/c/x?__domain=https%3A%2F%2Feu.v.test")
        );
        for reference in [
            "http://v.test/v3",
            "https://v.test:8443/v3",
            "https://us.v.test/v3",
            "https://eu.v.test:8443/v3",
        ] {
            assert_eq!(rewritten(reference), None, "{reference}");
        }
    }

    #[test]
    fn a_base_path_that_is_a_boundary_stays_in_each_address() {
        let calls = Calls::to("https://v.test/v2").map(|calls| Calls {
            upstream: calls
                .upstream
                .domain_override(DomainOverride::ReplaceAuthority),
            ..calls
        });
        let next = |reference: &str| calls.as_ref()?.reference("/p/c/items", reference);
        assert_eq!(next("https://v.test/v2/x").as_deref(), Some("/p/c/x"));
        assert_eq!(
            next("https://eu.v.test/v2/x").as_deref(),
            Some("/p/c/x?__domain=eu.v.test")
        );
        for reference in [
            "https://v.test/v3/x",
            "/v3/x",
            "https://eu.v.test/v3",
            "../x",
        ] {
            assert_eq!(next(reference), None, "{reference}");
        }
    }

    #[test]
    fn dot_segments_are_removed_as_clients_do() {
        for (path, expected) in [
            ("/a/b", "/a/b"),
            ("/a/./b/../c", "/a/c"),
            ("/a/..", "/"),
            ("/a/.", "/a/"),
            ("/../a", "/a"),
            ("/a//../b", "/a/b"),
            ("/..a/b..", "/..a/b.."),
        ] {
            assert_eq!(resolved(path), expected, "{path}");
        }
    }

    fn apply(links: Option<&MountedLinks>, headers: &mut HeaderMap) {
        let rules = LinkRules {
            mounted: links,
            foreign: &ForeignLocations::Pass,
        };
        rules.apply(headers);
    }

    #[test]
    fn each_target_of_a_list_is_read_and_the_rest_stays() {
        let link = |line: &str| {
            let links = Calls::to("https://v.test/v2")?.links("/p/c/items")?;
            let mut headers = HeaderMap::new();
            headers.insert(LINK, HeaderValue::from_str(line).ok()?);
            apply(Some(&links), &mut headers);
            let line = String::from_utf8(headers.get(LINK)?.as_bytes().to_vec());
            Some(line.ok()?.replace(GATEWAY, "GW"))
        };
        for (line, rewritten) in [
            (
                "<https://v.test/v2/a?b=1,2>; rel=\"next\", <https://w.test/v2/a>; rel=last,\t</v2/c>;x",
                "<GW/p/c/a?b=1,2>; rel=\"next\", <https://w.test/v2/a>; rel=last,\t<GW/p/c/c>;x",
            ),
            (
                ", </v2/a>; title=\"x, </v2/b>, \\\", </v2/c>\"; anchor=\"/v2/d\" ,</v2/e>",
                ", <GW/p/c/a>; title=\"x, </v2/b>, \\\", </v2/c>\"; anchor=\"/v2/d\" ,<GW/p/c/e>",
            ),
            ("</v2/a>; title=\u{e9}", "<GW/p/c/a>; title=\u{e9}"),
        ] {
            assert_eq!(link(line).as_deref(), Some(rewritten), "{line}");
        }
        for line in [
            "<https://w.test/a>; rel=next, x",
            "x=</v2/a>",
            "; rel=</v2/a>",
            "</v2/a",
            "\"</v2/a>",
            "</v2/\u{e9}>",
            "",
        ] {
            assert_eq!(link(line).as_deref(), Some(line), "{line}");
        }
    }
}
