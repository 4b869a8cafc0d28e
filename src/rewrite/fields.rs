//! Names of fields, by what a gateway has to do with them.
//!
//! Names are compared with `_` read as `-`, because CGI, WSGI and PHP upstreams don't distinguish the two.
//!
//! Rules: `docs/rules/forwarding.md#3-request-headers`.

use std::borrow::Cow;

use http::header::{CONNECTION, HOST, HeaderMap, HeaderName, HeaderValue};
use smallvec::SmallVec;

/// The maximum number of fields in a head. A map holds 24,576, and panics beyond.
pub(crate) const MAX_FIELDS: usize = 4096;

/// Returns a name in the spelling in which names are compared.
pub(crate) fn canonical(name: &HeaderName) -> Cow<'_, str> {
    let name = name.as_str();
    if name.as_bytes().contains(&b'_') {
        Cow::Owned(name.replace('_', "-"))
    } else {
        Cow::Borrowed(name)
    }
}

/// Returns `true` if `canonical` is another spelling of a name in `names`.
pub(super) fn is_one_of(canonical: &str, names: &[HeaderName]) -> bool {
    names.iter().any(|name| is_spelling(name, canonical))
}

/// Returns `true` if this is the canonical name, or the name with underscores.
pub(super) fn is_spelling(name: &HeaderName, canonical: &str) -> bool {
    let name = name.as_str();
    name.len() == canonical.len()
        && (name == canonical
            || std::iter::zip(name.bytes(), canonical.bytes())
                .all(|(a, b)| a == b || (a == b'_' && b == b'-')))
}

/// Returns `true` for fields that end at this hop (RFC 9110 §7.6.1).
pub(super) fn is_hop_by_hop(canonical: &str) -> bool {
    matches!(
        canonical,
        "connection"
            | "http2-settings"
            | "keep-alive"
            | "proxy-authenticate"
            | "proxy-authorization"
            | "proxy-connection"
            | "te"
            | "transfer-encoding"
            | "upgrade"
    )
}

/// Returns `true` for fields that frame or route a message. Only the client sets them, and they are never trailers (RFC
/// 9110 §6.5.1).
pub(super) fn is_framing_or_routing(canonical: &str) -> bool {
    matches!(
        canonical,
        "content-length" | "expect" | "host" | "max-forwards" | "trailer"
    )
}

/// Returns `true` for fields that only the client sets, so the host application's default headers can't contain them.
pub(crate) fn is_of_the_client(canonical: &str) -> bool {
    is_hop_by_hop(canonical) || is_framing_or_routing(canonical)
}

/// Returns `true` for fields by which callers authenticate to the host application.
pub(super) fn is_caller_credential(canonical: &str) -> bool {
    matches!(
        canonical,
        "authorization" | "cookie" | "proxy-authorization"
    )
}

/// Returns `true` for fields that describe the way of the request so far.
pub(super) fn is_forwarding(canonical: &str) -> bool {
    matches!(canonical, "forwarded" | "via" | "x-real-ip") || canonical.starts_with("x-forwarded-")
}

/// Returns `true` for fields that override the method, and so would bypass an allow-list of methods.
pub(super) fn overrides_method(canonical: &str) -> bool {
    matches!(
        canonical,
        "-method"
            | "http-method-override"
            | "method-override"
            | "x-http-method"
            | "x-http-method-override"
            | "x-http-override"
            | "x-method"
            | "x-method-override"
            | "x-original-method"
            | "x-request-method"
            | "x-rewrite-method"
    )
}

/// Returns `true` for fields that override the path, and so would bypass a scope at upstreams that route by them.
pub(super) fn overrides_path(canonical: &str) -> bool {
    matches!(
        canonical,
        "request-uri"
            | "x-envoy-original-path"
            | "x-http-destinationurl"
            | "x-http-path-override"
            | "x-original-path"
            | "x-original-uri"
            | "x-original-url"
            | "x-override-url"
            | "x-request-uri"
            | "x-rewrite-path"
            | "x-rewrite-uri"
            | "x-rewrite-url"
    )
}

/// Returns the lines of a field. Heads are short, so comparing each name costs less than hashing a name.
pub(super) fn lines(headers: &HeaderMap, name: HeaderName) -> impl Iterator<Item = &HeaderValue> {
    let lines = headers.iter().filter(move |(other, _)| **other == name);
    lines.map(|(_, value)| value)
}

/// Returns the members of a field that is a list (RFC 9110 §5.6.1), from all its lines, without the blanks around them.
/// Empty members are included.
pub(crate) fn members(headers: &HeaderMap, name: HeaderName) -> impl Iterator<Item = &[u8]> {
    let lines = lines(headers, name).map(HeaderValue::as_bytes);
    let members = lines.flat_map(|line| line.split(|&byte| byte == b','));
    members.map(<[u8]>::trim_ascii)
}

/// The names that `Connection` nominates, from all its lines and in any case, even if the lines also hold invalid
/// members.
pub(super) struct Nominated(SmallVec<[HeaderName; 4]>);

impl Nominated {
    /// Returns `None` if there are too many members, as an attacker could make each comparison with them expensive.
    pub(super) fn from_headers(headers: &HeaderMap) -> Option<Self> {
        const MAX_MEMBERS: usize = 256;
        // Most heads have no such field.
        if !headers.keys().any(|name| *name == CONNECTION) {
            return Some(Self(SmallVec::new()));
        }
        let members = || members(headers, CONNECTION);
        if members().count() > MAX_MEMBERS {
            return None;
        }
        // These options name no field that would be forwarded, and most heads contain them.
        let is_option = |member: &&[u8]| {
            member.eq_ignore_ascii_case(b"keep-alive") || member.eq_ignore_ascii_case(b"close")
        };
        let members = members().filter(|member| !is_option(member));
        // An invalid name can't be the name of a field.
        let names = members.filter_map(|member| HeaderName::from_bytes(member).ok());
        Some(Self(names.collect()))
    }

    pub(super) fn holds(&self, canonical: &str) -> bool {
        is_one_of(canonical, &self.0)
    }
}

/// Follows the quoted strings of a list, which may hold commas (RFC 9651 §3.3.3).
#[derive(Default)]
pub(super) struct Quotes {
    pub(super) open: bool,
    escaped: bool,
}

impl Quotes {
    /// Moves past `byte`, and returns `true` if it's outside of a quoted string.
    pub(super) fn pass(&mut self, byte: u8) -> bool {
        let is_text = std::mem::take(&mut self.escaped);
        self.escaped = self.open && byte == b'\\' && !is_text;
        if byte == b'"' && !is_text {
            self.open = !self.open;
        }
        !self.open
    }
}

/// Sets `Host` as the first field (RFC 9112 §3.2). The other fields keep their order.
pub(crate) fn set_host(headers: &mut HeaderMap, host: HeaderValue) {
    if headers.keys().next() == Some(&HOST) {
        // A field that is replaced keeps its place.
        headers.insert(HOST, host);
    } else {
        rebuild(headers, Some(host), |_, name| *name == HOST);
    }
}

/// Removes `Host`. The other fields keep their order.
pub(crate) fn remove_host(headers: &mut HeaderMap) {
    if headers.contains_key(HOST) {
        rebuild(headers, None, |_, name| *name == HOST);
    }
}

/// Sets `Host` as the first field, and removes the fields for which `goes` returns `true`. The other fields keep their order, which
/// [`HeaderMap::remove`] doesn't keep.
pub(super) fn remove_in_order(
    headers: &mut HeaderMap,
    host: HeaderValue,
    goes: impl Fn(&HeaderName, &str) -> bool,
) {
    // The bits of the first names that are removed. `goes` is called once for each of these names, because it's expensive.
    let mut removed = 0_u128;
    let mut is_any_removed = false;
    for (at, name) in headers.keys().enumerate() {
        if *name != HOST && goes(name, &canonical(name)) {
            is_any_removed = true;
            removed |= bit(at);
        }
    }
    if !is_any_removed {
        return set_host(headers, host);
    }
    rebuild(headers, Some(host), |at, name| match bit(at) {
        _ if *name == HOST => true,
        0 => goes(name, &canonical(name)),
        bit => removed & bit != 0,
    });
}

/// Returns the bit of a name, or 0 if the name has no bit.
fn bit(at: usize) -> u128 {
    let at = u32::try_from(at).unwrap_or(u32::MAX);
    1_u128.checked_shl(at).unwrap_or(0)
}

/// Inserts the fields again, after `host`, except those for which `goes` returns `true`. `goes` gets the place of each name.
fn rebuild(
    headers: &mut HeaderMap,
    host: Option<HeaderValue>,
    goes: impl Fn(usize, &HeaderName) -> bool,
) {
    // Most heads fit on the stack. The buffer is drained, because moving it would copy all of it.
    let mut fields = SmallVec::<[(Option<HeaderName>, HeaderValue); 24]>::new();
    fields.extend(headers.drain());
    if let Some(host) = host {
        headers.insert(HOST, host);
    }
    let mut at = 0;
    let mut kept: Option<HeaderName> = None;
    for (name, value) in fields.drain(..) {
        // A further line of the same field has no name.
        let Some(name) = name else {
            if let Some(name) = &kept {
                // The map held these fields before, so they fit.
                let _ = headers.try_append(name, value);
            }
            continue;
        };
        kept = None;
        if !goes(at, &name) {
            let _ = headers.try_append(&name, value);
            kept = Some(name);
        }
        at += 1;
    }
}

/// Removes the fields for which `goes` returns `true`. The order of the other fields isn't kept.
pub(super) fn remove(headers: &mut HeaderMap, goes: impl Fn(&HeaderName, &str) -> bool) {
    let names: SmallVec<[HeaderName; 8]> = headers
        .keys()
        .filter(|name| goes(name, &canonical(name)))
        .cloned()
        .collect();
    for name in names {
        headers.remove(name);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nominations_are_read_from_each_line_and_survive_anything() {
        let mut headers = HeaderMap::new();
        for line in [&b"close, X-A"[..], b"\t,, x-b ,", b"\xff, a b", b""] {
            headers.append(
                CONNECTION,
                HeaderValue::from_bytes(line).unwrap_or(HeaderValue::from_static("")),
            );
        }
        let nominated = Nominated::from_headers(&headers).unwrap_or(Nominated(SmallVec::new()));
        for name in ["x-a", "x-b"] {
            assert!(nominated.holds(name), "{name}");
        }
        assert!(!nominated.holds("a") && !nominated.holds(""));
    }

    #[test]
    fn too_many_nominations_are_not_compared() {
        let mut headers = HeaderMap::new();
        headers.insert(CONNECTION, HeaderValue::from_static("a,a,a"));
        assert!(Nominated::from_headers(&headers).is_some());
        if let Ok(many) = HeaderValue::from_str(&"a,".repeat(300)) {
            headers.insert(CONNECTION, many);
        }
        assert!(Nominated::from_headers(&headers).is_none());
    }

    #[test]
    fn host_comes_first_and_the_order_stays() {
        let mut headers = HeaderMap::new();
        let value = HeaderValue::from_static;
        for (name, text) in [
            ("b", "1"),
            ("x-gone", "2"),
            ("c", "3"),
            ("b", "4"),
            ("a", "5"),
        ] {
            headers.append(HeaderName::from_static(name), value(text));
        }
        let lines = |headers: &HeaderMap| {
            let lines = headers.iter();
            let line = |(name, value): (&HeaderName, &HeaderValue)| format!("{name}={value:?}");
            lines.map(line).collect::<Vec<_>>().join(" ")
        };
        remove_in_order(&mut headers, value("v"), |_, name| name == "x-gone");
        let expected = "host=\"v\" b=\"1\" b=\"4\" c=\"3\" a=\"5\"";
        assert_eq!(lines(&headers), expected);
        remove_in_order(&mut headers, value("v"), |_, _| false);
        assert_eq!(lines(&headers), expected);
        remove_host(&mut headers);
        assert_eq!(lines(&headers), "b=\"1\" b=\"4\" c=\"3\" a=\"5\"");
        set_host(&mut headers, value("v"));
        assert_eq!(lines(&headers), expected);
    }

    #[test]
    fn names_beyond_the_bits_are_removed_as_well() {
        let mut headers = HeaderMap::new();
        for number in 0..200 {
            let name = HeaderName::from_bytes(format!("x-{number}").as_bytes());
            headers.insert(name.unwrap_or(HOST), HeaderValue::from_static("v"));
        }
        let is_odd = |name: &str| name.ends_with(['1', '3', '5', '7', '9']);
        remove_in_order(&mut headers, HeaderValue::from_static("v"), |_, name| {
            is_odd(name)
        });
        assert_eq!(headers.len(), 101);
        assert!(!headers.keys().any(|name| is_odd(name.as_str())));
    }

    #[test]
    fn underscores_are_hyphens() {
        let name = HeaderName::from_static("x_api-key");
        assert_eq!(canonical(&name), "x-api-key");
        assert!(is_one_of(
            "x-api-key",
            &[HeaderName::from_static("x-api_key")]
        ));
    }
}
