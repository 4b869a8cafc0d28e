//! Replaces links below the base URL by addresses under the mount, so that a client that follows pages or redirects
//! stays under the mount.
//!
//! A link is replaced only if the new address is exact: a call of the new address is simulated, and must lead to the
//! URL that the upstream wrote, byte for byte. All other links stay unchanged.
//!
//! Rules: `docs/rules/forwarding.md#5-responses`.

use std::borrow::Cow;
use std::fmt;

use bytes::Bytes;
use http::header::{CONTENT_LOCATION, Entry, HeaderMap, HeaderValue, LINK, LOCATION};
use http::uri::Uri;

use super::fields::Quotes;
use super::join;
use crate::address::{Address, PathEncoding, Target};
use crate::encoding::percent;
use crate::policy::{Location, Origin};
use crate::upstream::{Route, Upstream};

/// The maximum number of links in a response that are rewritten. Each link may become as long as the caller's own
/// address, so many short links could make a head of any size.
const MAX_LINKS: usize = 64;

/// The context in which the links of a call's response are rewritten.
pub(crate) struct MountedLinks {
    /// The mount and the id, as the caller wrote them: `/passthrough/acme`. Without the id if a header field names the connection, and empty
    /// if the host does.
    mount: Box<str>,
    /// The rest of the caller's path, unchanged.
    remainder: Box<str>,
    /// The base URL in use.
    origin: Origin,
    base_path: Box<str>,
    /// The path of the request to the upstream.
    path: Box<str>,
    upstream: Upstream,
    /// The remainder of the call, as it's routed.
    routed: Box<str>,
    /// The call's `__domain`, decoded, because the address of the next page needs it as well.
    domain: Option<Box<str>>,
    encoding: PathEncoding,
}

impl MountedLinks {
    /// Returns `None` if a reference can't begin with the mount, because a client would resolve it differently.
    pub(crate) fn new(
        uri: &Uri,
        address: &Address<'_>,
        target: &Target<'_>,
        upstream: &Upstream,
        route: &Route<'_>,
        encoding: PathEncoding,
    ) -> Option<Box<Self>> {
        let mount = address.mount_in(uri.path())?;
        let remainder = uri.path().strip_prefix(mount)?;
        if mount.starts_with("//") || !is_plain(mount) {
            return None;
        }
        let joined = join(route.base_path(), upstream.default_query(), target).ok()?;
        Some(Box::new(Self {
            mount: mount.into(),
            remainder: remainder.into(),
            origin: route.destination.origin().clone(),
            base_path: route.base_path().into(),
            path: joined.path().into(),
            upstream: upstream.clone(),
            routed: target.path().into(),
            domain: target.domain().map(Box::from),
            encoding,
        }))
    }

    /// Rewrites `Location`, `Content-Location` and each target in `Link`.
    pub(super) fn rewrite(&self, headers: &mut HeaderMap) {
        let mut left = MAX_LINKS;
        for field in [LOCATION, CONTENT_LOCATION, LINK] {
            let is_list = field == LINK;
            let Ok(Entry::Occupied(mut entry)) = headers.try_entry(field) else {
                continue;
            };
            for value in entry.iter_mut() {
                let rewritten = if is_list {
                    self.link(value.as_bytes(), &mut left)
                } else {
                    self.reference(value.as_bytes()).map(String::into_bytes)
                };
                let rewritten = rewritten.map(Bytes::from);
                if let Some(Ok(rewritten)) = rewritten.map(HeaderValue::from_maybe_shared) {
                    *value = rewritten;
                }
            }
        }
    }

    /// Rewrites a line of `Link` (RFC 8288 §3). Returns `None` if nothing in it changes.
    fn link(&self, line: &[u8], left: &mut usize) -> Option<Vec<u8>> {
        let mut rewritten = Vec::with_capacity(line.len());
        let mut has_changed = false;
        let mut quotes = Quotes::default();
        // A target is only at the beginning of a member.
        let mut begins = true;
        let mut rest = line;
        while let Some((&byte, after)) = rest.split_first() {
            let is_outside = quotes.pass(byte);
            rewritten.push(byte);
            rest = after;
            if is_outside && byte == b'<' && begins {
                let end = after.iter().position(|&byte| byte == b'>')?;
                let (target, tail) = after.split_at_checked(end)?;
                *left = left.saturating_sub(1);
                match Some(target)
                    .filter(|_| *left > 0)
                    .and_then(|target| self.reference(target))
                {
                    Some(address) => {
                        has_changed = true;
                        rewritten.extend_from_slice(address.as_bytes());
                    }
                    None => rewritten.extend_from_slice(target),
                }
                rest = tail;
            }
            begins = is_outside && (byte == b',' || (begins && matches!(byte, b' ' | b'\t')));
        }
        has_changed.then_some(rewritten)
    }

    /// Returns the address under the mount that leads to the same URL as `reference` (RFC 3986 §4.1). Returns `None` if
    /// the reference stays unchanged.
    fn reference(&self, reference: &[u8]) -> Option<String> {
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
            let address = self.address(&beside(&self.path, path), query)?;
            // The path to which the client would resolve the reference without a change.
            let caller = [&*self.mount, &*self.remainder].concat();
            if address == with_query(beside(&caller, path).into_owned(), query) {
                return None;
            }
            address
        } else {
            let location = Location::parse(&self.absolute(path), None).ok()?;
            let is_here = location.origin.scheme() == self.origin.scheme()
                && location.origin.authority() == self.origin.authority();
            if !is_here {
                return None;
            }
            let root = if location.path.is_empty() { "/" } else { "" };
            self.address(&format!("{}{root}", location.path), query)?
        };
        if let Some(fragment) = fragment {
            address.push('#');
            address.push_str(fragment);
        }
        Some(address)
    }

    /// Returns the reference with scheme and authority.
    fn absolute<'a>(&self, path: &'a str) -> Cow<'a, str> {
        let scheme = self.origin.scheme().as_uri_scheme();
        if has_scheme(path) {
            Cow::Borrowed(path)
        } else if path.starts_with("//") {
            Cow::Owned(format!("{scheme}:{path}"))
        } else {
            Cow::Owned(format!("{scheme}://{}{path}", self.origin.authority()))
        }
    }

    /// Returns the address under the mount for a path and a query of the upstream.
    fn address(&self, path: &str, query: Option<&str>) -> Option<String> {
        if !is_plain(path) {
            return None;
        }
        let base = &*self.base_path;
        let base = base.strip_suffix('/').unwrap_or(base);
        let below = path.strip_prefix(base)?;
        if !below.is_empty() && !below.starts_with('/') {
            return None;
        }
        // If the base URL has no path, a call with only the id reaches the root.
        let vendors = with_query(path.to_owned(), query);
        let query = self.query(query)?;
        // The path is tried unchanged, and then encoded in the way of generated clients, because the path may be
        // decoded in a call.
        let encoded = || {
            let path = below.strip_prefix('/').unwrap_or_default();
            let path = path.replace('%', "%25").replace('/', "%2F");
            format!("/%2F{path}")
        };
        let exact = |below: &str| self.leads_to(below, query.as_deref(), &vendors);
        let below = if exact(below) {
            below.to_owned()
        } else {
            Some(encoded()).filter(|below| exact(below))?
        };
        let address = [&*self.mount, &*below].concat();
        // Without a mount, such a reference would be read as an empty path, or as a host.
        if address.is_empty() || address.starts_with("//") {
            return None;
        }
        Some(with_query(address, query.as_deref()))
    }

    /// Returns the query of a call for which the upstream gets `query`: without the default query, and with `__domain`.
    /// Returns `None` if there is no such query.
    fn query<'q>(&self, query: Option<&'q str>) -> Option<Option<Cow<'q, str>>> {
        let own = match self.upstream.default_query() {
            None => query,
            Some(default) => match query?.strip_prefix(default)? {
                "" => None,
                rest => Some(rest.strip_prefix('&')?),
            },
        };
        let Some(domain) = &self.domain else {
            return Some(own.map(Cow::Borrowed));
        };
        let mut query = own.map_or_else(String::new, |own| format!("{own}&"));
        query.push_str("__domain=");
        percent::encode_into(&mut query, domain.as_bytes());
        Some(Some(Cow::Owned(query)))
    }

    /// Returns `true` if a call with that remainder and query reaches the path and query in `vendors`.
    fn leads_to(&self, below: &str, query: Option<&str>, vendors: &str) -> bool {
        // The id doesn't affect the result.
        let path = format!("/c{below}");
        let Ok(address) = Address::cut(&path, query) else {
            return false;
        };
        let Ok(mut target) = address.target(self.encoding) else {
            return false;
        };
        target.drop_parameters(self.upstream.stripped_parameters());
        let joined = join(&self.base_path, self.upstream.default_query(), &target);
        let is_routed_alike =
            self.domain.is_some() || self.upstream.routes_alike(&self.routed, target.path());
        target.domain() == self.domain.as_deref()
            && is_routed_alike
            && joined.is_ok_and(|joined| joined.as_str() == vendors)
    }
}

// Implemented by hand, because paths and queries may contain data that a caller wouldn't want in a log.
impl fmt::Debug for MountedLinks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MountedLinks").finish_non_exhaustive()
    }
}

/// Splits the text at the first `at`.
fn cut(text: &str, at: char) -> (&str, Option<&str>) {
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

/// Returns the path of a relative reference on a page at `page` (RFC 3986 §5.2.3).
fn beside<'a>(page: &'a str, relative: &str) -> Cow<'a, str> {
    if relative.is_empty() {
        return Cow::Borrowed(page);
    }
    let folder = page.rfind('/').and_then(|slash| page.get(..=slash));
    Cow::Owned([folder.unwrap_or("/"), relative].concat())
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
fn is_plain(path: &str) -> bool {
    let is_dots = |segment: &str| {
        let plain = segment.to_ascii_lowercase().replace("%2e", ".");
        matches!(plain.split(';').next(), Some("." | ".."))
    };
    path.bytes().all(fits) && !path.split('/').any(is_dots)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::DomainPolicy;

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
            let place = self
                .upstream
                .place(target.path(), None, target.domain())
                .ok()?;
            let route = self.upstream.permit(place).ok()?;
            let query = self.upstream.default_query();
            let joined = join(route.base_path(), query, &target).ok()?;
            Some(format!("{}{joined}", route.destination.authority()))
        }

        fn links(&self, uri: &str) -> Option<Box<MountedLinks>> {
            let (path, query) = cut(uri.strip_prefix("/p")?, '?');
            let address = Address::cut(path, query).ok()?;
            let target = address.target(self.encoding).ok()?;
            let place = self
                .upstream
                .place(target.path(), None, target.domain())
                .ok()?;
            let route = self.upstream.permit(place).ok()?;
            let uri = uri.parse().ok()?;
            let upstream = &self.upstream;
            MountedLinks::new(&uri, &address, &target, upstream, &route, self.encoding)
        }

        fn reference(&self, uri: &str, reference: &str) -> Option<String> {
            self.links(uri)?.reference(reference.as_bytes())
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
            "https://v.test/v20/items",
            "https://v.test/v2%2Fitems",
            "https://v.test/v2;x/items",
            "https://v.test/V2/items",
            "https://v.test/",
            "https://v.test",
            "https:/v2/items",
            "https:items",
            "mailto:a@v.test",
            "/v3/items",
            "/",
            "/v2/../v3",
            "/v2/a/%2E%2e/b",
            "/v2/./a",
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
        if let Some(links) = links {
            links.rewrite(&mut headers);
        }
        let line = headers.get(LINK).map_or(0, HeaderValue::len);
        assert!(line > 100_000 && line < 5_000_000, "{line} bytes");
    }

    #[test]
    fn a_relative_reference_stays_if_it_leads_there_by_itself() {
        for reference in ["?page=2", "b?page=2", "../c", "./c", "items/d"] {
            assert_eq!(rewritten(reference), None, "{reference}");
        }
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
        let next = |reference| calls.as_ref()?.reference(call, reference);
        for (reference, address) in [
            (
                "https://eu.v.test/x?page=2",
                Some("/p/c/x?page=2&__domain=eu.v.test"),
            ),
            ("/x#f", Some("/p/c/x?__domain=eu.v.test#f")),
            ("?page=2", Some("/p/c/items?page=2&__domain=eu.v.test")),
            ("https://v.test/v2/x", None),
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
            Some("/p/c/x?y&__domain=https%3A%2F%2Feu.v.test%2Fapi%3Bv%3D1")
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
        let next = |reference| calls.as_ref()?.reference("/p/c/items", reference);
        assert_eq!(next("/v2/a?v=3&page=2").as_deref(), Some("/p/c/a?page=2"));
        assert_eq!(next("/v2/a?v=3").as_deref(), Some("/p/c/a"));
        for reference in ["/v2/a", "/v2/a?page=2&v=3", "/v2/a?v=33", "/v2/a?v=3&"] {
            assert_eq!(next(reference), None, "{reference}");
        }
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

    #[test]
    fn each_target_of_a_list_is_read_and_the_rest_stays() {
        let link = |line: &str| {
            let links = Calls::to("https://v.test/v2")?.links("/p/c/items")?;
            let mut left = MAX_LINKS;
            let line = links.link(line.as_bytes(), &mut left)?;
            String::from_utf8(line).ok()
        };
        for (line, rewritten) in [
            (
                "<https://v.test/v2/a?b=1,2>; rel=\"next\", <https://w.test/v2/a>; rel=last,\t</v2/c>;x",
                "</p/c/a?b=1,2>; rel=\"next\", <https://w.test/v2/a>; rel=last,\t</p/c/c>;x",
            ),
            (
                ", </v2/a>; title=\"x, </v2/b>, \\\", </v2/c>\"; anchor=\"/v2/d\" ,</v2/e>",
                ", </p/c/a>; title=\"x, </v2/b>, \\\", </v2/c>\"; anchor=\"/v2/d\" ,</p/c/e>",
            ),
            ("</v2/a>; title=\u{e9}", "</p/c/a>; title=\u{e9}"),
        ] {
            assert_eq!(link(line).as_deref(), Some(rewritten), "{line}");
        }
        for line in [
            "<https://w.test/a>; rel=next",
            "x=</v2/a>",
            "; rel=</v2/a>",
            "</v2/a",
            "\"</v2/a>",
            "</v2/\u{e9}>",
            "",
        ] {
            assert_eq!(link(line), None, "{line}");
        }
    }
}
