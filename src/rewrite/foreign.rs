//! The locations outside of the gateway to which a response may lead a caller.

use std::borrow::Cow;

use crate::policy::{DomainPolicy, Location};

/// The locations outside of the gateway that callers get, for
/// [`PassthroughBuilder::foreign_locations`](crate::PassthroughBuilder::foreign_locations).
///
/// A location is foreign if it has a scheme or a host, and [`rewrite_links`](crate::PassthroughBuilder::rewrite_links) hasn't made it an
/// address under the mount. Without `rewrite_links`, the absolute URLs of the upstream itself are foreign as well. A client that follows
/// a foreign location sends its request there, often with the key for the host application.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum ForeignLocations {
    /// Returns all locations as the upstream sent them.
    #[default]
    Pass,
    /// Removes foreign locations. The status stays.
    Hide,
    /// Removes foreign locations, except for the hosts that the policy lists. Their scheme isn't checked.
    Only(DomainPolicy),
}

impl ForeignLocations {
    /// Returns `true` if a location is removed. `reference` is a URL or a relative reference (RFC 3986 §4.1) that hasn't been rewritten.
    pub(super) fn hides(&self, reference: &[u8]) -> bool {
        let listed = match self {
            Self::Pass => return false,
            Self::Hide => None,
            Self::Only(listed) => Some(listed),
        };
        let Ok(reference) = std::str::from_utf8(reference) else {
            return true;
        };
        let reference = as_browsers_read(reference);
        let end = reference.find(['/', '?', '#']);
        let first = end
            .and_then(|end| reference.get(..end))
            .unwrap_or(&reference);
        if !first.contains(':') && !reference.starts_with("//") {
            return false;
        }
        !listed.is_some_and(|listed| is_listed(listed, &reference))
    }

    /// Returns `true` if `Refresh` is removed, because it leads to another page: `5; url=https://v.test/`.
    pub(super) fn hides_refresh(&self, value: &[u8]) -> bool {
        // A blank separates as well (HTML Standard, "shared declarative refresh steps").
        let value = value.trim_ascii();
        let Some(at) = value.iter().position(|byte| b";, \t".contains(byte)) else {
            return false;
        };
        let (_, reference) = value.split_at_checked(at).unwrap_or_default();
        let reference = reference.trim_ascii_start();
        let reference = match reference.first() {
            Some(b';' | b',') => reference.get(1..).unwrap_or_default(),
            _ => reference,
        };
        let reference = reference.trim_ascii();
        let reference = match reference.split_at_checked(3) {
            Some((name, rest)) if name.eq_ignore_ascii_case(b"url") => rest
                .trim_ascii_start()
                .strip_prefix(b"=")
                .unwrap_or(reference),
            _ => reference,
        };
        let is_quote = |byte: &u8| b"\"' \t".contains(byte);
        let start = reference.iter().position(|byte| !is_quote(byte));
        let end = reference.iter().rposition(|byte| !is_quote(byte));
        let text = start
            .zip(end)
            .and_then(|(start, end)| reference.get(start..=end));
        self.hides(text.unwrap_or_default())
    }
}

/// Returns the reference without the bytes that browsers remove, and with the slashes that browsers read (WHATWG URL Standard, "basic URL
/// parser").
fn as_browsers_read(reference: &str) -> Cow<'_, str> {
    let reference = reference.trim_matches(|char: char| char <= ' ');
    if reference.contains(['\\', '\t']) {
        Cow::Owned(reference.replace('\t', "").replace('\\', "/"))
    } else {
        Cow::Borrowed(reference)
    }
}

fn is_listed(listed: &DomainPolicy, reference: &str) -> bool {
    let end = reference.find(['?', '#']).unwrap_or(reference.len());
    let url = reference.get(..end).unwrap_or_default();
    let (scheme, rest) = match url.split_once("://") {
        Some((scheme, rest)) => (scheme, rest),
        // The client takes the scheme of its own request.
        None => ("https", url.strip_prefix("//").unwrap_or_default()),
    };
    let authority = rest.split('/').next().unwrap_or_default();
    let location = Location::parse(&format!("{scheme}://{authority}"), None);
    location.is_ok_and(|location| listed.lists(&location.origin))
}

#[cfg(test)]
mod tests {
    use super::*;

    const FOREIGN: [&[u8]; 12] = [
        b"https://evil.test/x",
        b"HTTPS://api.v.test",
        b"//evil.test",
        b"/\\evil.test",
        b"\\\\evil.test",
        b"/\t/evil.test",
        b" \thttps://evil.test",
        b"https:evil.test",
        b"https:/evil.test",
        b"javascript:alert(1)",
        b"https://api.v.test@evil.test/",
        b"https://\xff",
    ];

    #[test]
    fn only_what_leads_away_is_hidden() {
        for reference in FOREIGN {
            assert!(ForeignLocations::Hide.hides(reference), "{reference:?}");
            assert!(!ForeignLocations::Pass.hides(reference), "{reference:?}");
        }
        for reference in [
            &b""[..],
            b"/",
            b"/x",
            b"x",
            b"?a=b:c",
            b"#a:b",
            b"/x:y",
            b"./a:b",
        ] {
            assert!(!ForeignLocations::Hide.hides(reference), "{reference:?}");
        }
    }

    #[test]
    fn listed_hosts_pass() {
        let listed = DomainPolicy::none().allow("*.v.test");
        let only = listed.map(ForeignLocations::Only).unwrap_or_default();
        for reference in [
            &b"https://api.v.test"[..],
            b"HTTPS://API.v.test:443/x?https://evil.test",
            b"http://api.v.test/..;/x",
            b"//api.v.test/x",
            b"/x",
        ] {
            assert!(!only.hides_refresh(&[b"0; url='", reference, b"'"].concat()));
            assert!(!only.hides(reference), "{reference:?}");
        }
        for reference in FOREIGN {
            let is_listed = reference == b"HTTPS://api.v.test";
            assert_eq!(only.hides(reference), !is_listed, "{reference:?}");
        }
        for reference in [
            &b"https://v.test"[..],
            b"https://api.v.test:8443/",
            b"https://api.v.test.evil.test/",
            b"https://evil.test/api.v.test",
            b"ftp://api.v.test/",
        ] {
            assert!(only.hides(reference), "{reference:?}");
        }
    }

    #[test]
    fn a_refresh_is_read_in_all_its_forms() {
        for value in [
            &b"0; url=https://evil.test"[..],
            b"0;URL = 'https://evil.test'",
            b"0,https://evil.test",
            b"5; url=\"//evil.test\"",
            b"0 url=https://evil.test/",
            b"0 https://evil.test/;x",
            b" 0 ; url=https://evil.test/",
        ] {
            assert!(ForeignLocations::Hide.hides_refresh(value), "{value:?}");
        }
        for value in [&b"5"[..], b"5; url=/x", b"5;", b""] {
            assert!(!ForeignLocations::Hide.hides_refresh(value), "{value:?}");
        }
    }
}
