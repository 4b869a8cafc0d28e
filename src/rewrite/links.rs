//! Removes a query key from links in which an upstream repeats its request URL.

use http::HeaderMap;
use http::header::{HeaderName, HeaderValue, LINK, LOCATION};

use crate::address::without;

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
    kept
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
}
