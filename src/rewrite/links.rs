//! Removes a query key from links in which an upstream repeats its request URL.

use http::HeaderMap;
use http::header::{HeaderName, HeaderValue, LINK, LOCATION};

use crate::address::without;
use crate::encoding::percent;

/// Removes the pairs with those names from the URLs in `Location`, `Content-Location` and `Link`.
pub(super) fn scrub(headers: &mut HeaderMap, names: &[Box<str>]) {
    const CONTENT_LOCATION: HeaderName = http::header::CONTENT_LOCATION;
    for field in [LOCATION, CONTENT_LOCATION, LINK] {
        let Ok(entry) = headers.try_entry(field) else {
            continue;
        };
        let http::header::Entry::Occupied(mut entry) = entry else {
            continue;
        };
        for value in entry.iter_mut() {
            // A value that isn't text may contain the key in an unknown form, so the whole value is
            // removed.
            let scrubbed = value.to_str().ok().map(|text| without_pairs(text, names));
            let scrubbed = scrubbed.and_then(|text| HeaderValue::from_str(&text).ok());
            *value = scrubbed.unwrap_or(HeaderValue::from_static(""));
        }
    }
}

fn without_pairs(text: &str, names: &[Box<str>]) -> String {
    let mut kept = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('?') {
        kept.push_str(before);
        let end = after.find(|char: char| matches!(char, '>' | '#' | '"') || char.is_whitespace());
        let (query, tail) = after
            .split_at_checked(end.unwrap_or(after.len()))
            .unwrap_or((after, ""));
        let scrubbed = names.iter().try_fold(query.to_owned(), |query, name| {
            without(&query, name).map(std::borrow::Cow::into_owned)
        });
        if let Some(query) = scrubbed {
            kept.push('?');
            kept.push_str(&query);
        }
        rest = tail;
    }
    kept.push_str(rest);
    for name in names {
        let mut encoded = String::with_capacity(name.len());
        percent::encode_into(&mut encoded, name.as_bytes());
        for nested in [ENCODED_ONCE, ENCODED_TWICE] {
            if kept.contains(&*encoded) {
                kept = nested.without(&kept, &encoded);
            }
        }
    }
    kept
}

/// The separators of a query inside of a parameter, such as `?next=%2Fx%3Fpage%3D2`.
struct Nested {
    start: &'static str,
    separator: &'static str,
    equals: &'static str,
}

const ENCODED_ONCE: Nested = Nested {
    start: "%3f",
    separator: "%26",
    equals: "%3d",
};

const ENCODED_TWICE: Nested = Nested {
    start: "%253f",
    separator: "%2526",
    equals: "%253d",
};

impl Nested {
    /// Removes the pairs with that name. A pair goes with the separator behind it, or, if it's the last pair, with the separator before it.
    fn without(&self, text: &str, name: &str) -> String {
        let lower = text.to_ascii_lowercase();
        let begins = |at: usize, mark: &str| {
            let rest = lower.as_bytes().get(at..).unwrap_or_default();
            rest.starts_with(mark.as_bytes())
        };
        let mut kept = String::with_capacity(text.len());
        let mut follows_mark = false;
        let mut rest = text;
        while let Some(char) = rest.chars().next() {
            let at = text.len() - rest.len();
            let is_named = follows_mark && rest.starts_with(name);
            if is_named && begins(at + name.len(), self.equals) {
                let ends = |at: &usize| {
                    let byte = lower.as_bytes().get(*at).copied().unwrap_or(b'"');
                    matches!(byte, b'&' | b'>' | b'#' | b'"' | b' ' | b'\t')
                        || begins(*at, self.separator)
                };
                let mut end = (at..lower.len()).find(ends).unwrap_or(lower.len());
                if begins(end, self.separator) {
                    end += self.separator.len();
                } else {
                    follows_mark = false;
                    let before = kept.len().saturating_sub(self.separator.len());
                    let last = kept.get(before..).unwrap_or_default();
                    if last.eq_ignore_ascii_case(self.separator) {
                        kept.truncate(before);
                    }
                }
                rest = text.get(end..).unwrap_or_default();
                continue;
            }
            let marks = [self.start, self.separator];
            let mark = marks.into_iter().find(|mark| begins(at, mark));
            follows_mark = mark.is_some();
            let (taken, after) = rest
                .split_at_checked(mark.map_or(char.len_utf8(), str::len))
                .unwrap_or((rest, ""));
            kept.push_str(taken);
            rest = after;
        }
        kept
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scrubbed(text: &str) -> String {
        without_pairs(text, &["api_key".into()])
    }

    #[test]
    fn the_key_goes_and_nothing_else() {
        assert_eq!(
            scrubbed("https://v.test/x?api_key=S&page=2"),
            "https://v.test/x?page=2"
        );
        assert_eq!(scrubbed("/x?a=1&%61pi_key=S#f"), "/x?a=1#f");
        assert_eq!(scrubbed("/x?api_key=S"), "/x");
        assert_eq!(
            scrubbed("<https://v.test/x?page=2&api_key=S>; rel=\"next\", </y?api_key=S>; rel=last"),
            "<https://v.test/x?page=2>; rel=\"next\", </y>; rel=last"
        );
        assert_eq!(scrubbed("/x?page=2&&b"), "/x?page=2&&b");
    }

    #[test]
    fn a_key_in_an_address_inside_of_an_address_goes_too() {
        for (sent, back) in [
            (
                "/login?next=%2Fx%3Fapi_key%3DS%26page%3D2&a=1",
                "/login?next=%2Fx%3Fpage%3D2&a=1",
            ),
            (
                "/login?next=%2Fx%3fa%3d1%26api_key%3dS#f",
                "/login?next=%2Fx%3fa%3d1#f",
            ),
            ("/login?next=%2Fx%3Fapi_key%3DS", "/login?next=%2Fx%3F"),
            ("/l?n=%3Fapi_key%3DS%26api_key%3DS", "/l?n=%3F"),
            (
                "</l?n=%3Fapi_key%3DS%26api_key%3DS%26b>; rel=next",
                "</l?n=%3Fb>; rel=next",
            ),
            ("/l?n=%253Fapi_key%253DS%2526b%253D1", "/l?n=%253Fb%253D1"),
            (
                "/l?n=%3Fmy_api_key%3D1%26api_keys%3D2",
                "/l?n=%3Fmy_api_key%3D1%26api_keys%3D2",
            ),
        ] {
            assert_eq!(scrubbed(sent), back, "{sent}");
        }
    }
}
