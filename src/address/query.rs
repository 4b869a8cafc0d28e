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
    fn what_is_not_reserved_is_not_copied() {
        let query = "a=1+2&b=%20&c[]=1&c[]=2&d=&e&&f=a=b&%zz";
        assert!(matches!(without(query, "__domain"), Some(Cow::Borrowed(same)) if same == query));
    }
}
