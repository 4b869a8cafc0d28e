//! The fields of a response that contain links: what becomes of each link, and a query key that an upstream repeats in a link.

use bytes::Bytes;
use http::header::{
    CONTENT_LOCATION, Entry, HeaderMap, HeaderName, HeaderValue, LINK, LOCATION, REFRESH,
};

use super::fields::Quotes;
use super::{ForeignLocations, MountedLinks};
use crate::address::{has_name, without};
use crate::encoding::percent;

/// The fields that clients follow: redirects, pages, resumable uploads (Google), and operations that take long (Azure).
const FIELDS: [HeaderName; 7] = [
    LOCATION,
    CONTENT_LOCATION,
    LINK,
    HeaderName::from_static("x-goog-upload-url"),
    HeaderName::from_static("x-goog-upload-control-url"),
    HeaderName::from_static("operation-location"),
    HeaderName::from_static("azure-asyncoperation"),
];

/// The maximum number of links in a response that are rewritten. Each link may become as long as the caller's own
/// address, so many short links could make a head of any size.
const MAX_LINKS: usize = 64;

/// The rules for the links in a response.
#[derive(Clone, Copy, Debug)]
pub(super) struct LinkRules<'a> {
    /// Rewrites links to addresses under the mount, if the host application requires that.
    pub(super) mounted: Option<&'a MountedLinks>,
    pub(super) foreign: &'a ForeignLocations,
}

/// The result for a link, or for a field with links.
enum Fate<T> {
    Stays,
    Becomes(T),
    Hidden,
}

impl LinkRules<'_> {
    /// Rewrites the links in all fields that clients follow, and removes foreign links.
    pub(super) fn apply(self, headers: &mut HeaderMap) {
        let mut left = MAX_LINKS;
        for field in FIELDS {
            let is_list = field == LINK;
            revise(headers, field, |value| match is_list {
                true => self.line(value, &mut left),
                false => match self.link(value, &mut left) {
                    Fate::Becomes(address) => Fate::Becomes(address.into_bytes()),
                    Fate::Stays => Fate::Stays,
                    Fate::Hidden => Fate::Hidden,
                },
            });
        }
        if *self.foreign != ForeignLocations::Pass {
            revise(headers, REFRESH, |value| {
                match self.foreign.hides_refresh(value) {
                    true => Fate::Hidden,
                    false => Fate::Stays,
                }
            });
        }
    }

    /// Revises a link. `left` is the number of links that may still be rewritten, plus one.
    fn link(self, reference: &[u8], left: &mut usize) -> Fate<String> {
        *left = left.saturating_sub(1);
        let mounted = self.mounted.filter(|_| *left > 0);
        match mounted.and_then(|mounted| mounted.reference(reference)) {
            Some(address) => Fate::Becomes(address),
            None if self.foreign.hides(reference) => Fate::Hidden,
            None => Fate::Stays,
        }
    }

    /// Revises each target in a line of `Link` (RFC 8288 §3).
    fn line(self, line: &[u8], left: &mut usize) -> Fate<Vec<u8>> {
        let Some(members) = members_of_link(line) else {
            // A client may find other targets in a line that isn't valid.
            return match self.foreign {
                ForeignLocations::Pass => Fate::Stays,
                _ => Fate::Hidden,
            };
        };
        let mut kept: Vec<u8> = Vec::with_capacity(line.len());
        let mut has_kept = false;
        let mut has_changed = false;
        let mut has_hidden = false;
        for Member {
            before,
            target,
            after,
        } in members
        {
            let fate = match target {
                _ if self.hides_one_of(before) || self.hides_one_of(after) => Fate::Hidden,
                Some(target) => self.link(target, left),
                None => Fate::Stays,
            };
            if matches!(fate, Fate::Hidden) {
                has_hidden = true;
                continue;
            }
            if has_kept {
                kept.push(b',');
            }
            has_kept = true;
            kept.extend_from_slice(before);
            match fate {
                Fate::Becomes(address) => {
                    has_changed = true;
                    kept.extend_from_slice(address.as_bytes());
                }
                _ => kept.extend_from_slice(target.unwrap_or_default()),
            }
            kept.extend_from_slice(after);
        }
        match (has_hidden, has_changed) {
            (false, false) => Fate::Stays,
            (true, _) if kept.trim_ascii().is_empty() => Fate::Hidden,
            (true, _) => Fate::Becomes(kept.trim_ascii_start().to_vec()),
            (false, true) => Fate::Becomes(kept),
        }
    }
}

impl LinkRules<'_> {
    /// Returns `true` if a text in angle brackets is a foreign location. Some clients find targets by a search for brackets, also in
    /// places where RFC 8288 has none.
    fn hides_one_of(self, text: &[u8]) -> bool {
        let is_off = *self.foreign == ForeignLocations::Pass;
        let mut pieces = text.split(|&byte| byte == b'<').skip(1);
        !is_off
            && pieces.any(|piece| {
                let end = piece.iter().position(|&byte| byte == b'>');
                let tag = piece.get(..end.unwrap_or(piece.len()));
                self.foreign.hides(tag.unwrap_or_default())
            })
    }
}

/// Changes and removes the lines of a field, and keeps their order.
fn revise(
    headers: &mut HeaderMap,
    field: HeaderName,
    mut fate: impl FnMut(&[u8]) -> Fate<Vec<u8>>,
) {
    let Ok(Entry::Occupied(mut entry)) = headers.try_entry(&field) else {
        return;
    };
    let mut has_hidden = false;
    for value in entry.iter_mut() {
        match fate(value.as_bytes()) {
            Fate::Stays => {}
            Fate::Becomes(text) => {
                if let Ok(text) = HeaderValue::from_maybe_shared(Bytes::from(text)) {
                    *value = text;
                }
            }
            Fate::Hidden => {
                has_hidden = true;
                // The lines are marked, because single lines can't be removed from an entry. Lines that were empty before are
                // removed as well.
                *value = HeaderValue::from_static("");
            }
        }
    }
    if !has_hidden {
        return;
    }
    let kept: Vec<HeaderValue> = entry
        .iter()
        .filter(|value| !value.is_empty())
        .cloned()
        .collect();
    entry.remove_entry_mult().1.for_each(drop);
    for value in kept {
        // There is enough room, because the map had more of these lines before.
        let _ = headers.try_append(&field, value);
    }
}

/// A member of `Link`: the bytes up to the `<`, the target, and the bytes from the `>` on. Without a target, all bytes are before it.
#[derive(Default)]
struct Member<'a> {
    before: &'a [u8],
    target: Option<&'a [u8]>,
    after: &'a [u8],
}

impl<'a> Member<'a> {
    fn ended_by(mut self, rest: &'a [u8]) -> Self {
        match self.target {
            Some(_) => self.after = rest,
            None => self.before = rest,
        }
        self
    }
}

/// Splits a line of `Link` at its commas. A target may contain commas. Returns `None` if a `<` that begins a target has no `>`.
fn members_of_link(line: &[u8]) -> Option<Vec<Member<'_>>> {
    let mut members = Vec::new();
    let mut quotes = Quotes::default();
    let mut member = Member::default();
    // A target is only at the beginning of a member.
    let mut begins = true;
    let mut start = 0;
    let mut at = 0;
    while let Some(&byte) = line.get(at) {
        let is_outside = quotes.pass(byte);
        at += 1;
        if is_outside && byte == b'<' && begins {
            let rest = line.get(at..)?;
            let end = rest.iter().position(|&byte| byte == b'>')?;
            member.before = line.get(start..at)?;
            member.target = rest.get(..end);
            at += end;
            start = at;
        } else if is_outside && byte == b',' {
            let rest = line.get(start..at - 1)?;
            members.push(std::mem::take(&mut member).ended_by(rest));
            start = at;
        }
        begins = is_outside && (byte == b',' || (begins && matches!(byte, b' ' | b'\t')));
    }
    members.push(member.ended_by(line.get(start..)?));
    Some(members)
}

/// Removes the pairs with those names from the URLs in the fields that clients follow. Browsers follow `Refresh` as well.
pub(super) fn scrub(headers: &mut HeaderMap, names: &[Box<str>]) {
    for field in FIELDS.into_iter().chain([REFRESH]) {
        let Ok(Entry::Occupied(mut entry)) = headers.try_entry(field) else {
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
        let end = end_of_query(after, names);
        let (query, tail) = after.split_at_checked(end).unwrap_or((after, ""));
        let unescaped = without_escaped(query, names);
        let scrubbed = names.iter().try_fold(unescaped, |query, name| {
            without(&query, name).map(std::borrow::Cow::into_owned)
        });
        if let Some(scrubbed) = scrubbed.filter(|kept| !kept.is_empty() || query.is_empty()) {
            kept.push('?');
            kept.push_str(&scrubbed);
        }
        rest = tail;
    }
    kept.push_str(rest);
    for name in names {
        let encoded = encoded(name);
        for nested in [ENCODED_ONCE, ENCODED_TWICE] {
            if kept.contains(&*encoded) {
                kept = nested.without(&kept, &encoded);
            }
        }
    }
    kept
}

/// Returns the length of the query. A query may contain another question mark, behind which frameworks write the query of a nested address
/// as it is. That query is a query of its own, unless the question mark is a part of a key.
fn end_of_query(text: &str, names: &[Box<str>]) -> usize {
    let mut pair_start = 0;
    // `true` if the pair is a key. Known from its first question mark on.
    let mut is_key = None;
    for (at, char) in text.char_indices() {
        match char {
            '&' => (pair_start, is_key) = (at + 1, None),
            '?' => {
                let is_key = is_key.get_or_insert_with(|| {
                    let pair = text.get(pair_start..at).unwrap_or_default();
                    names.iter().any(|name| has_name(pair, name))
                });
                if !*is_key {
                    return at;
                }
            }
            '>' | '#' | '"' => return at,
            char if char.is_whitespace() => return at,
            _ => {}
        }
    }
    text.len()
}

/// Returns the query without the pairs with those names, if the pairs are separated by `&amp;`.
fn without_escaped(query: &str, names: &[Box<str>]) -> String {
    let mut kept = query.to_owned();
    if query.contains(AMP) {
        for name in names {
            kept = ESCAPED_FOR_HTML.without(&format!("{AMP}{kept}"), &encoded(name));
            kept = kept.strip_prefix(AMP).unwrap_or(&kept).to_owned();
        }
    }
    kept
}

fn encoded(name: &str) -> String {
    let mut encoded = String::with_capacity(name.len());
    percent::encode_into(&mut encoded, name.as_bytes());
    encoded
}

/// The separators of a query inside of a parameter, such as `?next=%2Fx%3Fpage%3D2`.
struct Nested {
    /// The marks before the first pair. Some encoders leave a question mark as it is.
    starts: &'static [&'static str],
    separator: &'static str,
    /// Some encoders leave an equals sign as it is.
    equals: [&'static str; 2],
}

const AMP: &str = "&amp;";

/// Some servers write a link into a header field as they write it into a page.
const ESCAPED_FOR_HTML: Nested = Nested {
    starts: &[AMP],
    separator: AMP,
    equals: ["=", "="],
};

const ENCODED_ONCE: Nested = Nested {
    starts: &["%3f", "?"],
    separator: "%26",
    equals: ["%3d", "="],
};

const ENCODED_TWICE: Nested = Nested {
    starts: &["%253f", "%3f", "?"],
    separator: "%2526",
    equals: ["%253d", "="],
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
            let is_equals = |mark| begins(at + name.len(), mark);
            if is_named && self.equals.into_iter().any(is_equals) {
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
            let mut marks = self.starts.iter().chain([&self.separator]);
            let mark = marks.find(|mark| begins(at, mark));
            follows_mark = mark.is_some();
            let (taken, after) = rest
                .split_at_checked(mark.map_or(char.len_utf8(), |mark| mark.len()))
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
                "/login?next=/x?api_key=S%2B&page=2",
                "/login?next=/x?page=2",
            ),
            ("/login?next=/x?api_key=S", "/login?next=/x"),
            (
                "/login?next=%2Fx%3Fapi_key=S%26page=2",
                "/login?next=%2Fx%3Fpage=2",
            ),
            (
                "/login?next=%2Fx%3Fapi_key=S&a=1",
                "/login?next=%2Fx%3F&a=1",
            ),
            ("/l?n=%253Fapi_key=S%2526b", "/l?n=%253Fb"),
            ("/next?api_key=pa?ss&page=2", "/next?page=2"),
            ("/next?a=1&api_key=pa?ss?x", "/next?a=1"),
            (
                "/login?next=/x?api_key%3DS%26page%3D2",
                "/login?next=/x?page%3D2",
            ),
            ("/login?next=/x?a%3D1%26api_key%3DS", "/login?next=/x?a%3D1"),
            ("/l?n=%3Fapi_key%253DS%2526b", "/l?n=%3Fb"),
            ("/x?api_key=S&amp;page=2", "/x?page=2"),
            ("/x?a=1&amp;b=2", "/x?a=1&amp;b=2"),
            ("/x?", "/x?"),
            ("/x?a=1&amp;api_key=S&amp;b=2", "/x?a=1&amp;b=2"),
            ("/x?a=1&amp;api_key=S", "/x?a=1"),
            ("/x;api_key=1?a;api_key=1", "/x;api_key=1?a;api_key=1"),
            ("5; url=/x?api_key=S", "5; url=/x"),
            ("/a;api_keys=1?x??y=?;z", "/a;api_keys=1?x??y=?;z"),
            (
                "/l?n=%3Fmy_api_key%3D1%26api_keys%3D2",
                "/l?n=%3Fmy_api_key%3D1%26api_keys%3D2",
            ),
        ] {
            assert_eq!(scrubbed(sent), back, "{sent}");
        }
    }
}
