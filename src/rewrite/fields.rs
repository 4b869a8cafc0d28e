//! Names of fields, by what a gateway has to do with them.
//!
//! Names are compared with `_` read as `-`, because CGI, WSGI and PHP upstreams don't distinguish the two.
//!
//! Rules: `docs/rules/forwarding.md#3-request-headers`.

use std::borrow::Cow;

use http::header::{CONNECTION, Entry, HOST, HeaderMap, HeaderName, HeaderValue};
use smallvec::SmallVec;

use super::caller_fields;
use super::name_filter::NameFilter;
use crate::address::SmallStr;

/// The maximum number of fields in a head. A map holds 24,576, and panics beyond.
pub(crate) const MAX_FIELDS: usize = 4096;

/// Returns a name in the spelling in which names are compared.
pub(crate) fn canonical(name: &str) -> Cow<'_, str> {
    if name.as_bytes().contains(&b'_') {
        Cow::Owned(name.replace('_', "-"))
    } else {
        Cow::Borrowed(name)
    }
}

/// Returns `true` if `name` is a spelling of a name in `names`.
#[inline]
pub(super) fn is_one_of(name: &str, names: &[HeaderName]) -> bool {
    names.iter().any(|other| is_spelling(other, name))
}

/// Returns `true` if both are spellings of one name.
#[inline]
pub(super) fn is_spelling(name: &HeaderName, other: &str) -> bool {
    let name = name.as_str();
    let is_dash = |byte| matches!(byte, b'-' | b'_');
    name.len() == other.len()
        && (name == other
            || std::iter::zip(name.bytes(), other.bytes())
                .all(|(a, b)| a == b || (is_dash(a) && is_dash(b))))
}

/// Defines a list of canonical names, and the function that finds a name in the list.
macro_rules! names {
    ($(#[$doc:meta])* $vis:vis fn $contains:ident, $LIST:ident: $($name:literal)|+) => {
        pub(super) const $LIST: &[&str] = &[$($name),+];

        $(#[$doc])*
        $vis fn $contains(canonical: &str) -> bool {
            matches!(canonical, $($name)|+)
        }
    };
}

names! {
    /// Returns `true` for fields that end at this hop (RFC 9110 §7.6.1).
    pub(super) fn is_hop_by_hop, HOP_BY_HOP:
        "connection"
            | "http2-settings"
            | "keep-alive"
            | "proxy-authenticate"
            | "proxy-authorization"
            | "proxy-connection"
            | "te"
            | "transfer-encoding"
            | "upgrade"
}

names! {
    /// Returns `true` for fields that frame or route a message. Only the client sets them, and they are never trailers (RFC
    /// 9110 §6.5.1).
    pub(super) fn is_framing_or_routing, FRAMING_OR_ROUTING:
        "content-length" | "expect" | "host" | "max-forwards" | "trailer"
}

/// Returns `true` for fields that only the client sets, so the host application's default headers can't contain them.
pub(crate) fn is_of_the_client(canonical: &str) -> bool {
    is_hop_by_hop(canonical) || is_framing_or_routing(canonical)
}

names! {
    /// Returns `true` for fields by which callers authenticate to the host application.
    pub(super) fn is_caller_credential, CALLER_CREDENTIALS:
        "authorization" | "cookie" | "proxy-authorization"
}

names! {
    fn is_named_forwarding, FORWARDING: "forwarded" | "via" | "x-real-ip"
}

const FORWARDING_PREFIX: &str = "x-forwarded-";

/// Returns `true` for fields that describe the way of the request so far.
pub(super) fn is_forwarding(canonical: &str) -> bool {
    is_named_forwarding(canonical) || canonical.starts_with(FORWARDING_PREFIX)
}

names! {
    /// Returns `true` for fields that override the method, and so would bypass an allow-list of methods.
    pub(super) fn overrides_method, METHOD_OVERRIDES:
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
}

names! {
    /// Returns `true` for fields that override the path, and so would bypass a scope at upstreams that route by them.
    pub(super) fn overrides_path, PATH_OVERRIDES:
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
}

/// The fields of a request to which a rule applies, except those that the host application or the scheme names.
pub(super) static REQUEST_FIELDS: NameFilter = NameFilter::new(
    &[
        HOP_BY_HOP,
        FRAMING_OR_ROUTING,
        CALLER_CREDENTIALS,
        FORWARDING,
        METHOD_OVERRIDES,
        PATH_OVERRIDES,
        caller_fields::NAMES,
    ],
    &[&[FORWARDING_PREFIX], caller_fields::PREFIXES],
);

/// Returns `true` if there is a field with that name. Heads are short, so comparing each name costs less than hashing a name.
#[inline]
pub(crate) fn has(headers: &HeaderMap, name: &HeaderName) -> bool {
    headers.keys().any(|other| other == name)
}

/// Returns the first line of a field. The names are compared, as in [`has`].
#[inline]
pub(crate) fn first_line<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a HeaderValue> {
    // Most heads lack the field, and an iterator of names takes half of the instructions of an iterator of lines.
    if !has(headers, name) {
        return None;
    }
    let mut lines = headers.iter();
    let line = lines.find(|(other, _)| *other == name);
    line.map(|(_, value)| value)
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
        if !has(headers, &CONNECTION) {
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

    #[inline]
    pub(super) fn holds(&self, name: &HeaderName) -> bool {
        is_one_of(name.as_str(), &self.0)
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
pub(crate) fn set_host(headers: &mut HeaderMap, host: &HeaderValue) {
    let has_single_lines = headers.len() == headers.keys_len();
    match headers.iter_mut().next() {
        Some((name, value)) if *name == HOST => {
            if has_single_lines {
                // Costs less than an insertion, which hashes the name.
                if value != host {
                    value.clone_from(host);
                }
            } else {
                // A field that is replaced keeps its place.
                headers.insert(HOST, host.clone());
            }
        }
        _ => rebuild(headers, Some(host), |_, name| *name == HOST),
    }
}

/// Removes `Host`. The other fields keep their order.
pub(crate) fn remove_host(headers: &mut HeaderMap) {
    let Some(at) = headers.keys().position(|name| *name == HOST) else {
        return;
    };
    if is_near_end(headers, at) {
        remove_near_end(headers, at, |other| other == at);
    } else {
        rebuild(headers, None, |_, name| *name == HOST);
    }
}

/// Sets `Host`, and removes the fields for which `goes` returns `true`. The other fields keep their order, which
/// [`HeaderMap::remove`] doesn't keep.
///
/// `Host` becomes the first field. If the request has no such field, because it came over HTTP/2, `Host` becomes the last field: it can then
/// be removed at little cost if the upstream uses HTTP/2 as well. The client puts it first otherwise.
pub(super) fn remove_in_order(
    headers: &mut HeaderMap,
    host: &HeaderValue,
    goes: impl Fn(&HeaderName) -> bool,
) {
    // The bits of the first names that are removed. `goes` is called once for each of these names, because it's expensive.
    let mut removed = 0_u128;
    let mut first = None;
    let mut host_at = None;
    for (at, name) in headers.keys().enumerate() {
        if *name == HOST {
            host_at = Some(at);
        } else if goes(name) {
            first.get_or_insert(at);
            removed |= bit(at);
        }
    }
    let names = headers.keys_len();
    let host_first = host_at.is_some().then_some(host);
    match first {
        None => {}
        // The other fields aren't touched. `Host` in another place is a reason to rebuild the map anyway.
        Some(first) if host_at.is_none_or(|at| at == 0) && is_near_end(headers, first) => {
            remove_near_end(headers, first, |at| removed & bit(at) != 0);
            // A field that couldn't be removed must not stay, but each name of a map can be looked up.
            if headers.keys_len() + removed.count_ones() as usize != names {
                rebuild(headers, host_first, |_, name| *name == HOST || goes(name));
            }
        }
        Some(_) => rebuild(headers, host_first, |at, name| match bit(at) {
            _ if *name == HOST => true,
            0 => goes(name),
            bit => removed & bit != 0,
        }),
    }
    match host_at {
        Some(_) => set_host(headers, host),
        // The map is full only if hyper's server has accepted more fields than it accepts.
        None => drop(headers.try_append(HOST, host.clone())),
    }
}

/// Returns `true` if fields from that place on are removed in place at less cost than by [`rebuild`]: a field that is taken out and
/// inserted again costs one and a half times as much as a field that `rebuild` inserts.
fn is_near_end(headers: &HeaderMap, first: usize) -> bool {
    let names = headers.keys_len();
    let has_single_lines = headers.len() == names;
    has_single_lines && names <= 128 && (names - first) * 3 <= names * 2
}

/// Removes the fields for whose places `goes` returns `true`. `first` is the first of these places. Each field must have a single line.
fn remove_near_end(headers: &mut HeaderMap, first: usize, goes: impl Fn(usize) -> bool) {
    let mut kept = SmallVec::<[(HeaderName, HeaderValue); 8]>::new();
    for at in (first..headers.keys_len()).rev() {
        let is_kept = !goes(at);
        // The last field takes the place of a field that is removed. So the field after the first removed one needs no step.
        if is_kept && at == first + 1 {
            continue;
        }
        if let (Some(field), true) = (take(headers, at), is_kept) {
            kept.push(field);
        }
    }
    while let Some((name, value)) = kept.pop() {
        // The map held these fields before, so they fit.
        let _ = headers.try_append(name, value);
    }
}

/// Removes the field at that place, and returns its name and its value.
fn take(headers: &mut HeaderMap, at: usize) -> Option<(HeaderName, HeaderValue)> {
    let name = headers.keys().nth(at)?;
    let entry = if *name == HOST {
        headers.try_entry(HOST)
    } else {
        // The text is copied, because cloning a name that hyper has parsed allocates memory.
        let name = SmallStr::new(name.as_str());
        headers.try_entry(name.as_str())
    };
    match entry {
        Ok(Entry::Occupied(entry)) => Some(entry.remove_entry()),
        _ => None,
    }
}

/// Returns the bit of a name, or 0 if the name has no bit.
fn bit(at: usize) -> u128 {
    let at = u32::try_from(at).unwrap_or(u32::MAX);
    1_u128.checked_shl(at).unwrap_or(0)
}

/// Inserts the fields again, after `host`, except those for which `goes` returns `true`. `goes` gets the place of each name.
fn rebuild(
    headers: &mut HeaderMap,
    host: Option<&HeaderValue>,
    goes: impl Fn(usize, &HeaderName) -> bool,
) {
    let has_single_lines = headers.len() == headers.keys_len();
    // Most heads fit on the stack. The buffer is drained, because moving it would copy all of it.
    let mut fields = SmallVec::<[(Option<HeaderName>, HeaderValue); 24]>::new();
    fields.extend(headers.drain());
    if let Some(host) = host {
        headers.insert(HOST, host.clone());
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
            if has_single_lines {
                // The name is moved, because cloning it would increment a reference count.
                let _ = headers.try_append(name, value);
            } else {
                let _ = headers.try_append(&name, value);
                kept = Some(name);
            }
        }
        at += 1;
    }
}

/// Removes the fields for which `goes` returns `true`. The order of the other fields isn't kept.
pub(super) fn remove(headers: &mut HeaderMap, goes: impl Fn(&HeaderName) -> bool) {
    // Most responses have no such field.
    if !headers.keys().any(&goes) {
        return;
    }
    let names: SmallVec<[HeaderName; 8]> =
        headers.keys().filter(|name| goes(name)).cloned().collect();
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
        let holds = |name| nominated.holds(&HeaderName::from_static(name));
        for name in ["x-a", "x-b", "x_b"] {
            assert!(holds(name), "{name}");
        }
        assert!(!holds("a") && !holds("x-c"));
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
        remove_in_order(&mut headers, &value("v"), |name| name == "x-gone");
        let expected = "b=\"1\" b=\"4\" c=\"3\" a=\"5\"";
        assert_eq!(lines(&headers), format!("{expected} host=\"v\""));
        set_host(&mut headers, &value("v"));
        let expected = format!("host=\"v\" {expected}");
        assert_eq!(lines(&headers), expected);
        remove_in_order(&mut headers, &value("v"), |_| false);
        assert_eq!(lines(&headers), expected);
        remove_host(&mut headers);
        assert_eq!(lines(&headers), "b=\"1\" b=\"4\" c=\"3\" a=\"5\"");
        set_host(&mut headers, &value("v"));
        assert_eq!(lines(&headers), expected);
        headers.append(HOST, value("other"));
        set_host(&mut headers, &value("v"));
        assert_eq!(lines(&headers), expected);
        set_host(&mut headers, &value("w"));
        assert_eq!(lines(&headers), expected.replace("\"v\"", "\"w\""));
    }

    #[test]
    fn the_order_stays_for_each_choice_of_removed_fields() {
        const NAMES: [&str; 7] = ["a", "b", "c", "d", "e", "f", "accept"];
        let choices = 0..1_usize << NAMES.len();
        let places = (0..=NAMES.len()).map(Some).chain([None]);
        for (removed, host_at) in
            choices.flat_map(|removed| places.clone().map(move |at| (removed, at)))
        {
            let mut headers = HeaderMap::new();
            for (at, name) in NAMES.iter().enumerate() {
                if host_at == Some(at) {
                    headers.insert(HOST, HeaderValue::from_static("gateway"));
                }
                headers.insert(*name, HeaderValue::from_static(name));
            }
            if host_at == Some(NAMES.len()) {
                headers.insert(HOST, HeaderValue::from_static("gateway"));
            }
            let goes = |name: &HeaderName| {
                let at = NAMES.iter().position(|other| name == other);
                at.is_some_and(|at| removed >> at & 1 == 1)
            };
            remove_in_order(&mut headers, &HeaderValue::from_static("vendor"), goes);
            let found: Vec<_> = headers.iter().map(|(name, _)| name.as_str()).collect();
            let kept = NAMES.iter().enumerate();
            let kept = kept.filter(|(at, _)| removed >> at & 1 == 0);
            let kept: Vec<_> = kept.map(|(_, name)| *name).collect();
            let expected = match host_at {
                Some(_) => [&["host"], &*kept].concat(),
                None => [&*kept, &["host"]].concat(),
            };
            assert_eq!(found, expected, "{host_at:?}");
            assert!(headers.get(HOST).is_some_and(|host| host == "vendor"));
            let mut others = headers.iter().filter(|(name, _)| **name != HOST);
            assert!(others.all(|(name, value)| value == name.as_str()));
            remove_host(&mut headers);
            let found: Vec<_> = headers.keys().map(HeaderName::as_str).collect();
            assert_eq!(found, kept);
        }
    }

    #[test]
    fn each_name_with_a_rule_passes_the_filter() {
        for list in [
            HOP_BY_HOP,
            FRAMING_OR_ROUTING,
            CALLER_CREDENTIALS,
            FORWARDING,
            METHOD_OVERRIDES,
            PATH_OVERRIDES,
            caller_fields::NAMES,
            caller_fields::PREFIXES,
            &["x-forwarded-for", "x-forwarded-anything", "remote-user-id"],
        ] {
            for name in list {
                assert!(REQUEST_FIELDS.may_contain(name), "{name}");
                let underscores = name.replace('-', "_");
                assert!(REQUEST_FIELDS.may_contain(&underscores), "{underscores}");
            }
        }
        for name in ["accept", "content-type", "user-agent", "x-request-id"] {
            assert!(!REQUEST_FIELDS.may_contain(name), "{name}");
        }
    }

    #[test]
    fn names_beyond_the_bits_are_removed_as_well() {
        let mut headers = HeaderMap::new();
        for number in 0..200 {
            let name = HeaderName::from_bytes(format!("x-{number}").as_bytes());
            headers.insert(name.unwrap_or(HOST), HeaderValue::from_static("v"));
        }
        let is_odd = |name: &str| name.ends_with(['1', '3', '5', '7', '9']);
        remove_in_order(&mut headers, &HeaderValue::from_static("v"), |name| {
            is_odd(name.as_str())
        });
        assert_eq!(headers.len(), 101);
        assert!(!headers.keys().any(|name| is_odd(name.as_str())));
    }

    #[test]
    fn underscores_are_hyphens() {
        let name = HeaderName::from_static("x_api-key");
        assert_eq!(canonical(name.as_str()), "x-api-key");
        assert!(is_one_of(
            "x-api-key",
            &[HeaderName::from_static("x-api_key")]
        ));
    }
}
