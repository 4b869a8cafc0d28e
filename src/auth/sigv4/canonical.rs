//! The canonical form of a request, which both sides sign
//! (<https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html>).
//!
//! The form is made from the bytes that are sent, and doesn't change them.

use std::borrow::Cow;

use http::header::{HeaderMap, HeaderValue};
use http::{Method, Uri};
use ring::digest;
use zeroize::Zeroizing;

use super::key::Hex;
use crate::encoding::Sink;
use crate::encoding::dot_segments::normalize;
use crate::encoding::hex::encode_hash;
use crate::encoding::percent::{decode, encode_into};

/// The rules by which a service reads a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct PathRules {
    /// The path that is sent is encoded once more, instead of being decoded first.
    pub(super) encoded_again: bool,
    /// Dot segments and empty segments are resolved.
    pub(super) normalized: bool,
}

/// Selects the fields that are signed, by name in lower case.
pub(super) type Signs = fn(&str) -> bool;

/// The lines of a canonical request.
pub(super) struct Canonical<'a> {
    method: &'a str,
    path: String,
    query: Zeroizing<String>,
    host: &'a str,
    /// The names of the signed fields, sorted, including `host`.
    names: Vec<&'a str>,
    headers: &'a HeaderMap,
    payload: &'a [u8],
}

impl<'a> Canonical<'a> {
    /// Returns the canonical request. `payload` is the hash of the payload, or the text that replaces it.
    pub(super) fn new(
        (method, uri, headers): (&'a Method, &'a Uri, &'a HeaderMap),
        rules: PathRules,
        signs: Signs,
        payload: &'a [u8],
    ) -> Self {
        Self {
            method: method.as_str(),
            path: path(uri.path(), rules),
            query: query(uri.query().unwrap_or_default()),
            host: uri.authority().map_or("", |authority| authority.as_str()),
            names: signed_names(headers, signs),
            headers,
            payload,
        }
    }

    /// Returns the names of the signed fields in the form in which they are sent.
    pub(super) fn signed_fields(&self) -> String {
        self.names.join(";")
    }

    pub(super) fn hash(&self) -> Hex {
        let mut context = digest::Context::new(&digest::SHA256);
        self.write(&mut |part| context.update(part));
        encode_hash(context.finish().as_ref())
    }

    /// Writes the request piece by piece, because the whole text would contain a copy of a session's token.
    pub(super) fn write(&self, sink: &mut Sink<'_>) {
        for line in [self.method, &self.path, &self.query] {
            sink(line.as_bytes());
            sink(b"\n");
        }
        for name in &self.names {
            sink(name.as_bytes());
            sink(b":");
            if *name == "host" {
                sink(self.host.as_bytes());
            } else {
                for (nth, value) in self.headers.get_all(*name).iter().enumerate() {
                    if nth > 0 {
                        sink(b",");
                    }
                    write_value(value, sink);
                }
            }
            sink(b"\n");
        }
        sink(b"\n");
        sink(self.signed_fields().as_bytes());
        sink(b"\n");
        sink(self.payload);
    }
}

/// Returns the names of the signed fields, sorted.
pub(super) fn signed_names(headers: &HeaderMap, signs: Signs) -> Vec<&str> {
    let names = headers.keys().map(|name| name.as_str());
    let mut names: Vec<_> = names
        .filter(|name| signs(name) && *name != "host")
        .chain(["host"])
        .collect();
    names.sort_unstable();
    names
}

/// Writes a value without the blanks around it, and with a single blank for several.
fn write_value(value: &HeaderValue, sink: &mut Sink<'_>) {
    let is_blank = |byte: &u8| matches!(byte, b' ' | b'\t');
    let words = value.as_bytes().split(is_blank);
    for (nth, word) in words.filter(|word| !word.is_empty()).enumerate() {
        if nth > 0 {
            sink(b" ");
        }
        sink(word);
    }
}

/// Returns the path in the form in which the service writes it. Without `encoded_again`, the path is decoded, and
/// encoded in AWS's way. S3's errors show the path that S3 signs, and in that path a parenthesis that was sent without
/// encoding is encoded.
pub(super) fn path(sent: &str, rules: PathRules) -> String {
    let path = match rules.normalized {
        true => Cow::Owned(normalize(sent)),
        false => Cow::Borrowed(sent),
    };
    let mut canonical = String::with_capacity(path.len());
    for (nth, segment) in path.split('/').enumerate() {
        if nth > 0 {
            canonical.push('/');
        }
        match rules.encoded_again {
            true => encode_into(&mut canonical, segment.as_bytes()),
            false => encode_into(&mut canonical, &decode(segment.as_bytes())),
        }
    }
    if canonical.is_empty() {
        canonical.push('/');
    }
    canonical
}

/// Returns the pairs of a query, each decoded and encoded in AWS's way, and sorted. AWS reads `+` as a blank, and a
/// name without `=` as a name with an empty value.
pub(super) fn query(sent: &str) -> Zeroizing<String> {
    let mut pairs: Vec<_> = pairs(sent)
        .map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            (encoded(name), encoded(value))
        })
        .collect();
    pairs.sort_unstable_by(|one, other| (&*one.0, &*one.1).cmp(&(&*other.0, &*other.1)));
    let length = pairs
        .iter()
        .map(|(name, value)| name.len() + value.len() + 2)
        .sum();
    let mut canonical = Zeroizing::new(String::with_capacity(length));
    for (nth, (name, value)) in pairs.iter().enumerate() {
        if nth > 0 {
            canonical.push('&');
        }
        canonical.push_str(name);
        canonical.push('=');
        canonical.push_str(value);
    }
    canonical
}

/// Returns the pairs that aren't empty.
pub(super) fn pairs(query: &str) -> impl Iterator<Item = &str> {
    query.split('&').filter(|pair| !pair.is_empty())
}

/// Encodes a part, which is allocated at its largest size because it may be a session's token.
fn encoded(part: &str) -> Zeroizing<String> {
    let mut blanks = Zeroizing::new(Vec::with_capacity(part.len()));
    blanks.extend(
        part.bytes()
            .map(|byte| if byte == b'+' { b' ' } else { byte }),
    );
    let decoded = decode(&blanks);
    let mut encoded = Zeroizing::new(String::with_capacity(3 * decoded.len()));
    encode_into(&mut encoded, &decoded);
    if let Cow::Owned(decoded) = decoded {
        drop(Zeroizing::new(decoded));
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::*;

    const S3: PathRules = PathRules {
        encoded_again: false,
        normalized: false,
    };
    const OTHERS: PathRules = PathRules {
        encoded_again: true,
        normalized: true,
    };

    #[test]
    fn a_path_for_s3_is_encoded_once() {
        for (sent, canonical) in [
            ("/b/a%20b", "/b/a%20b"),
            ("/b//./../k", "/b//./../k"),
            ("/b/a+b(1)'!*", "/b/a%2Bb%281%29%27%21%2A"),
            ("/b/a%2bb%7e%41", "/b/a%2Bb~A"),
            ("/b/mac@2x.png", "/b/mac%402x.png"),
            ("/b/a=b&c;d,e:f$g", "/b/a%3Db%26c%3Bd%2Ce%3Af%24g"),
            ("/b//key", "/b//key"),
            ("/b/100%25", "/b/100%25"),
            ("/b/100%", "/b/100%25"),
            ("/b/caf\u{e9}", "/b/caf%C3%A9"),
            ("/b/a%2Fb", "/b/a%2Fb"),
            ("/", "/"),
            ("", "/"),
        ] {
            assert_eq!(path(sent, S3), canonical, "{sent}");
        }
    }

    #[test]
    fn others_encode_it_again_and_resolve_dots() {
        for (sent, canonical) in [
            ("/a%20b", "/a%2520b"),
            ("/a//b/./c/../d", "/a/b/d"),
            ("/a/..", "/"),
            ("/../..", "/"),
            ("/a/b/..", "/a/"),
            ("/a/b/", "/a/b/"),
            ("/_search/%3Fa=b%20c", "/_search/%253Fa%3Db%2520c"),
            ("", "/"),
        ] {
            assert_eq!(path(sent, OTHERS), canonical, "{sent}");
        }
    }

    #[test]
    fn a_query_is_sorted_by_name_and_then_by_value() {
        for (sent, canonical) in [
            ("b=2&a=1&a=0", "a=0&a=1&b=2"),
            ("list-type=2&prefix=a/b", "list-type=2&prefix=a%2Fb"),
            ("acl", "acl="),
            ("uploads&", "uploads="),
            ("a=b=c&d=%7e%2f", "a=b%3Dc&d=~%2F"),
            ("a=1+2", "a=1%202"),
            ("Param-3=1&Param=2", "Param=2&Param-3=1"),
            ("a=%zz", "a=%25zz"),
            ("", ""),
        ] {
            assert_eq!(*query(sent), canonical, "{sent}");
        }
    }
}
