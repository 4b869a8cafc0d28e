//! Raw query pairs, split at `&`. A name ends at the first `=`. Pairs are never decoded and encoded again.
//!
//! Rules: `docs/rules/forwarding.md#2-query`.

use std::borrow::Cow;

use crate::encoding::percent::decode;

/// The pairs of a raw query in order, including empty pairs.
#[derive(Clone, Debug)]
pub(crate) struct Pairs<'a>(std::str::Split<'a, char>);

impl<'a> Pairs<'a> {
    pub(crate) fn new(query: &'a str) -> Self {
        Self(query.split('&'))
    }
}

impl<'a> Iterator for Pairs<'a> {
    type Item = &'a str;

    fn next(&mut self) -> Option<&'a str> {
        self.0.next()
    }
}

/// Returns `true` if the pair's name, decoded once, is exactly `name`.
pub(crate) fn has_name(pair: &str, name: &str) -> bool {
    // Most pairs begin with another byte.
    if let (Some(first), Some(expected)) = (pair.as_bytes().first(), name.as_bytes().first()) {
        if first != expected && *first != b'%' {
            return false;
        }
    }
    let raw = pair.split_once('=').map_or(pair, |(raw, _)| raw);
    // A name with encoded bytes is longer than the decoded name.
    raw == name || (raw.len() > name.len() && *decode(raw.as_bytes()) == *name.as_bytes())
}

/// Returns `query` without the pairs of that decoded name, each with an adjoining `&`. Returns `None` if nothing is
/// left, so that the `?` must be removed too.
pub(crate) fn without<'a>(query: &'a str, name: &str) -> Option<Cow<'a, str>> {
    // Most queries contain no such pair, and aren't copied.
    if !Pairs::new(query).any(|pair| has_name(pair, name)) {
        return Some(Cow::Borrowed(query));
    }
    let mut kept = String::with_capacity(query.len());
    for (nth, pair) in Pairs::new(query)
        .filter(|pair| !has_name(pair, name))
        .enumerate()
    {
        if nth > 0 {
            kept.push('&');
        }
        kept.push_str(pair);
    }
    (!kept.is_empty()).then_some(Cow::Owned(kept))
}

/// Returns the pairs of `default` whose names aren't in `query`, or `None` if there are none. Names are compared decoded, with `+` as a blank.
pub(crate) fn missing_in<'a>(default: &'a str, query: &str) -> Option<Cow<'a, str>> {
    let is_sent = |pair: &&str| {
        let name = form_name(pair);
        Pairs::new(query).any(|other| !other.is_empty() && form_name(other) == name)
    };
    if !Pairs::new(default).any(|pair| is_sent(&pair)) {
        return Some(Cow::Borrowed(default));
    }
    let missing: Vec<_> = Pairs::new(default).filter(|pair| !is_sent(pair)).collect();
    (!missing.is_empty()).then(|| Cow::Owned(missing.join("&")))
}

/// Returns the decoded name of a pair, with `+` as a blank.
fn form_name(pair: &str) -> Cow<'_, [u8]> {
    let raw = pair.split_once('=').map_or(pair, |(raw, _)| raw);
    match raw.contains('+') {
        false => decode(raw.as_bytes()),
        true => Cow::Owned(decode(raw.replace('+', " ").as_bytes()).into_owned()),
    }
}

/// Returns `query` without the parameters that override the method at some upstreams, or `None` if the query has no such parameter.
///
/// Some upstreams also split a query at `;`.
pub(super) fn without_method_overrides(query: &str) -> Option<String> {
    let is_separator = |char: char| matches!(char, '&' | ';');
    if !query.split(is_separator).any(overrides_method) {
        return None;
    }
    let mut kept = String::with_capacity(query.len());
    for part in query.split_inclusive(is_separator) {
        if !overrides_method(part.strip_suffix(is_separator).unwrap_or(part)) {
            kept.push_str(part);
        }
    }
    // The separator before a removed parameter at the end.
    if query
        .rsplit(is_separator)
        .next()
        .is_some_and(overrides_method)
    {
        kept.pop();
    }
    Some(kept)
}

/// Returns `true` for `_method=DELETE` and its like, in every spelling that an upstream may read so: PHP reads `.`, `+` and `[` in a name
/// as `_`, and drops blanks before a name.
fn overrides_method(pair: &str) -> bool {
    const NAMES: [&str; 11] = [
        "-method",
        "-http-method",
        "$httpmethod",
        "http-method",
        "http-method-override",
        "httpmethod",
        "method-override",
        "x-http-method",
        "x-http-method-override",
        "x-method",
        "x-method-override",
    ];
    const METHODS: [&str; 9] = [
        "DELETE", "GET", "HEAD", "MERGE", "OPTIONS", "PATCH", "POST", "PUT", "QUERY",
    ];
    let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
    // Shorter than the longest name with all its bytes encoded.
    if name.len() > 80 || !(name.contains('%') || name.to_ascii_lowercase().contains("method")) {
        return false;
    }
    let decoded = decode(name.as_bytes());
    let is_blank = |byte: &u8| matches!(byte, b' ' | b'+');
    let blanks = decoded.iter().take_while(|byte| is_blank(byte)).count();
    let (_, name) = decoded.split_at_checked(blanks).unwrap_or_default();
    // An index: `_method[]`.
    let index = name.iter().skip(1).position(|&byte| byte == b'[');
    let (name, _) = name
        .split_at_checked(index.map_or(name.len(), |index| index + 1))
        .unwrap_or_default();
    let fold = |byte: &u8| match byte {
        b'_' | b'.' | b'[' => b'-',
        byte if is_blank(byte) => b'-',
        byte => byte.to_ascii_lowercase(),
    };
    let is = |other: &str| name.iter().map(fold).eq(other.bytes());
    // `method` is an ordinary parameter of many upstreams, unless its value is a method of HTTP.
    let is_method = || {
        let value = decode(value.as_bytes());
        let value = value.trim_ascii();
        METHODS
            .iter()
            .any(|method| value.eq_ignore_ascii_case(method.as_bytes()))
    };
    NAMES.iter().any(|other| is(other)) || (is("method") && is_method())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stripped(query: &str) -> Option<String> {
        without(query, "__domain").map(Cow::into_owned)
    }

    #[test]
    fn a_reserved_pair_goes_with_one_ampersand() {
        assert_eq!(stripped("a=1&__domain=h&b=2").as_deref(), Some("a=1&b=2"));
        assert_eq!(stripped("a&&__domain=h").as_deref(), Some("a&"));
        assert_eq!(stripped("__domain=h&b").as_deref(), Some("b"));
        assert_eq!(stripped("__domain=h"), None);
        assert_eq!(stripped("").as_deref(), Some(""));
    }

    #[test]
    fn names_are_compared_decoded_once() {
        for reserved in ["__domain=h", "%5F%5Fdomain=h", "__d%6Fmain"] {
            assert!(has_name(reserved, "__domain"), "{reserved}");
        }
        for other in [
            "__Domain=h",
            "x__domain",
            "__domain[]=h",
            "%255F_domain",
            "a=1;__domain=h",
        ] {
            assert!(!has_name(other, "__domain"), "{other}");
        }
    }

    #[test]
    fn overrides_of_the_method_go_in_every_spelling() {
        for pair in [
            "_method=DELETE",
            "_METHOD=delete",
            "%5Fmethod=DELETE",
            "_metho%64=DELETE",
            ".method=DELETE",
            "[method=DELETE",
            "+_method=DELETE",
            "%20_method=DELETE",
            "_method[]=DELETE",
            "_method",
            "X-HTTP-Method-Override=PUT",
            "x_http_method_override=PUT",
            "X-HTTP-Method=PUT",
            "method=DELETE",
            "Method=%70atch",
        ] {
            let kept = |query: &str| without_method_overrides(query);
            assert_eq!(kept(pair).as_deref(), Some(""), "{pair}");
            assert_eq!(kept(&format!("a=1&{pair}")).as_deref(), Some("a=1"));
            assert_eq!(kept(&format!("{pair}&b=2")).as_deref(), Some("b=2"));
            let twice = format!("a&{pair}&{pair}&b;{pair};c&{pair}");
            assert_eq!(kept(&twice).as_deref(), Some("a&b;c"), "{pair}");
        }
        for query in [
            "method=flickr.photos.search",
            "payment_method=PUT",
            "methods=GET",
            "a=_method",
            "",
            "%zz&x",
        ] {
            assert_eq!(without_method_overrides(query), None, "{query}");
        }
    }

    #[test]
    fn what_is_not_reserved_is_not_copied() {
        let query = "a=1+2&b=%20&c[]=1&c[]=2&d=&e&&f=a=b&%zz";
        assert!(matches!(without(query, "__domain"), Some(Cow::Borrowed(same)) if same == query));
    }
}
