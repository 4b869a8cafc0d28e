//! The path below the base URL, used unchanged, or decoded once for generated clients.
//!
//! Rules: `docs/rules/forwarding.md#1-path-and-address`.

use std::borrow::Cow;
use std::fmt;

use super::query::{Pairs, has_name, without, without_method_overrides};
use crate::encoding::dot_segments::leaves_base;
use crate::encoding::percent::{decode, decode_byte, encode_byte_into, is_well_formed};
use crate::encoding::readings::stays_below_root;
use crate::error::Error;

/// The only parameter that the gateway reserves.
const DOMAIN_PARAMETER: &str = "__domain";

/// The rule by which the remainder of a request target is decoded once before it's forwarded.
///
/// Clients made by code generators apply `encodeURIComponent` to the whole path: `/acme/%2Fv2%2Fusers%3Fpage%3D2`.
/// No variant is right for all paths: the documentation of each variant describes the paths for which it is wrong.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum PathEncoding {
    /// Decodes a remainder that contains no literal `/`, but contains an encoded `/`.
    ///
    /// A hand-written remainder of a single segment with `%2F` inside of an id (`/group%2Fproject`) is decoded wrongly:
    /// use [`Never`](Self::Never) for it. A generated path without any slash (`users%3Fx%3D1`) isn't decoded: write
    /// `/users?x=1`, or use [`Always`](Self::Always).
    #[default]
    Auto,
    /// Forwards each byte unchanged.
    Never,
    /// Decodes each remainder.
    Always,
}

/// The path and query of a call, relative to the base URL, and the value of `__domain`.
pub struct Target<'a> {
    path: Cow<'a, str>,
    query: Option<Cow<'a, str>>,
    domain: Option<String>,
}

impl<'a> Target<'a> {
    pub(super) fn parse(
        remainder: &'a str,
        outer: Option<&'a str>,
        encoding: PathEncoding,
    ) -> Result<Self, Error> {
        let (path, inner) = if is_encoded(remainder, encoding) {
            let (path, inner) = decode_remainder(remainder)?;
            (Cow::Owned(path), inner)
        } else {
            (Cow::Borrowed(remainder), None)
        };
        check(&path)?;
        let query = match (inner, outer) {
            (None, outer) => outer.map(Cow::Borrowed),
            (Some(inner), outer) => Some(Cow::Owned(join_queries(inner, outer))),
        };
        let domain = parse_domain(query.as_deref())?;
        let query = match (query, &domain) {
            (Some(Cow::Borrowed(query)), Some(_)) => without(query, DOMAIN_PARAMETER),
            (Some(Cow::Owned(query)), Some(_)) => {
                without(&query, DOMAIN_PARAMETER).map(|query| Cow::Owned(query.into_owned()))
            }
            (query, None) => query,
            (None, Some(_)) => None,
        };
        Ok(Self {
            path,
            query,
            domain,
        })
    }

    /// Returns the path below the base path, which is empty or begins with `/`.
    #[must_use]
    pub fn path(&self) -> &str {
        &self.path
    }

    /// Returns the query without `__domain`. `Some("")` means a `?` without a query.
    #[must_use]
    pub fn query(&self) -> Option<&str> {
        self.query.as_deref()
    }

    /// Returns the value of `__domain`, decoded once.
    #[must_use]
    pub fn domain(&self) -> Option<&str> {
        self.domain.as_deref()
    }

    /// Removes the parameters of the query that override the method.
    pub(crate) fn drop_method_overrides(&mut self) {
        let Some(query) = self.query.as_deref() else {
            return;
        };
        if let Some(kept) = without_method_overrides(query) {
            self.query = (!kept.is_empty()).then_some(Cow::Owned(kept));
        }
    }

    /// Removes the parameters of the query that have one of these decoded names.
    pub(crate) fn drop_parameters(&mut self, names: &[Box<str>]) {
        for name in names {
            self.query = match self.query.take() {
                Some(Cow::Borrowed(query)) => without(query, name),
                Some(Cow::Owned(query)) => {
                    without(&query, name).map(|query| Cow::Owned(query.into_owned()))
                }
                None => None,
            };
        }
    }

    /// Returns `true` if no server on the way reads the path as one outside of the base path.
    pub(crate) fn stays_below_base(&self) -> bool {
        stays_below_root(&self.path)
    }

    /// Returns `true` if an upstream that decodes twice would leave the base path.
    pub(crate) fn leaves_base_if_decoded_twice(&self) -> bool {
        leaves_base(&self.path, true)
    }
}

// Path and query aren't printed, because both may contain data that a caller wouldn't want in a log.
impl fmt::Debug for Target<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Target").finish_non_exhaustive()
    }
}

fn is_encoded(remainder: &str, encoding: PathEncoding) -> bool {
    // Few paths have a `%`, and the search for a byte is the cheapest.
    if !remainder.as_bytes().contains(&b'%') {
        return false;
    }
    let tail = remainder.strip_prefix('/').unwrap_or_default();
    match encoding {
        PathEncoding::Never => false,
        PathEncoding::Always => tail.contains('%'),
        PathEncoding::Auto => !tail.contains('/') && (tail.contains("%2F") || tail.contains("%2f")),
    }
}

/// Decodes exactly once; the first decoded `?` starts a query.
fn decode_remainder(remainder: &str) -> Result<(String, Option<String>), Error> {
    let tail = remainder.strip_prefix('/').unwrap_or_default();
    let bytes = decode(tail.as_bytes());
    let mut parts = bytes.splitn(2, |&byte| byte == b'?');
    let path = parts.next().unwrap_or_default();
    let query = parts.next();
    // Checked before the bytes are encoded again, because encoding would hide backslashes and control characters.
    if path.iter().any(|&byte| forbidden(byte)) {
        return Err(forbidden_byte());
    }
    let mut target = String::with_capacity(path.len() + 1);
    // An encoded slash at the beginning is part of the path. A literal slash comes in addition to the slash that ends
    // the id.
    if tail.starts_with('/') || path.first() != Some(&b'/') {
        target.push('/');
    }
    encode_illegal(&mut target, path);
    let query = query.map(|bytes| {
        let mut query = String::with_capacity(bytes.len());
        encode_illegal(&mut query, bytes);
        query
    });
    Ok((target, query))
}

/// Appends `bytes`, encoding those that aren't allowed in a request target.
fn encode_illegal(target: &mut String, bytes: &[u8]) {
    for &byte in bytes {
        match byte {
            b'"' | b'<' | b'>' | b'^' | b'{' | b'}' | b'`' | b'#' | b'\\' => {
                encode_byte_into(target, byte);
            }
            0x21..=0x7e => target.push(char::from(byte)),
            _ => encode_byte_into(target, byte),
        }
    }
}

/// Checks the bytes that will be forwarded: no backslash, no control character, and no dot segments that leave the base
/// path.
fn check(path: &str) -> Result<(), Error> {
    if has_forbidden_byte(path.as_bytes()) {
        return Err(forbidden_byte());
    }
    if leaves_base(path, false) {
        return Err(Error::bad_address(
            "the path contains dot segments that leave the base path",
        ));
    }
    Ok(())
}

fn has_forbidden_byte(path: &[u8]) -> bool {
    // Most paths have no encoded bytes. Decoding costs some instructions for each byte.
    let is_special = |&byte: &u8| byte == b'%' || forbidden(byte);
    let Some(at) = path.iter().position(is_special) else {
        return false;
    };
    let mut rest = path.get(at..).unwrap_or_default();
    while let Some((byte, after)) = decode_byte(rest) {
        if forbidden(byte) {
            return true;
        }
        rest = after;
    }
    false
}

const fn forbidden(byte: u8) -> bool {
    byte == b'\\' || byte.is_ascii_control()
}

fn forbidden_byte() -> Error {
    Error::bad_address("the path contains a backslash or a control character")
}

/// Joins the decoded query and the outer query, in this order.
fn join_queries(mut inner: String, outer: Option<&str>) -> String {
    if let Some(outer) = outer.filter(|outer| !outer.is_empty()) {
        if !inner.is_empty() {
            inner.push('&');
        }
        inner.push_str(outer);
    }
    inner
}

/// Returns `false` if the query contains no `__`, neither as it is nor encoded. Most queries contain no `__`, and their pairs needn't be compared.
fn may_name_domain(query: &[u8]) -> bool {
    let mut previous = 0;
    query.iter().any(|&byte| {
        let is_pair = byte == b'_' && previous == b'_';
        previous = byte;
        is_pair || byte == b'%'
    })
}

/// Parses the value of `__domain`, decoded once. `+` isn't decoded.
fn parse_domain(query: Option<&str>) -> Result<Option<String>, Error> {
    let query = query.unwrap_or_default();
    if !may_name_domain(query.as_bytes()) {
        return Ok(None);
    }
    let mut found = Pairs::new(query).filter(|pair| has_name(pair, DOMAIN_PARAMETER));
    let Some(pair) = found.next() else {
        return Ok(None);
    };
    if found.next().is_some() {
        return Err(Error::bad_domain("`__domain` is given more than once"));
    }
    let value = match pair.split_once('=') {
        Some((_, value)) if !value.is_empty() => value,
        _ => {
            return Err(Error::bad_domain(
                "`__domain` is empty; name a host, or remove the parameter",
            ));
        }
    };
    if !is_well_formed(value.as_bytes()) {
        return Err(Error::bad_domain(
            "`__domain` isn't percent-encoded correctly",
        ));
    }
    match String::from_utf8(decode(value.as_bytes()).into_owned()) {
        Ok(value) => Ok(Some(value)),
        Err(_) => Err(Error::bad_domain("`__domain` isn't UTF-8")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::ErrorCode;

    fn target(remainder: &str, query: Option<&str>, encoding: PathEncoding) -> String {
        match Target::parse(remainder, query, encoding) {
            Ok(target) => match target.query() {
                Some(query) => format!("{}?{query}", target.path()),
                None => target.path().to_owned(),
            },
            Err(error) => error.code().to_string(),
        }
    }

    fn auto(remainder: &str) -> String {
        target(remainder, None, PathEncoding::Auto)
    }

    #[test]
    fn generated_clients_paths_are_decoded_exactly_once() {
        assert_eq!(auto("/%2Fv2%2Fc%3Fx%3D1"), "/v2/c?x=1");
        assert_eq!(auto("/v2%2fc"), "/v2/c");
        assert_eq!(auto("/%2Fa%2520b"), "/a%20b");
        assert_eq!(auto("/%2Fq%3Ft%3Da%20b"), "/q?t=a%20b");
        assert_eq!(auto("/%2Fa%23b"), "/a%23b");
        assert_eq!(auto("/%2Fprojects%2Fg%252Fp"), "/projects/g%2Fp");
        assert_eq!(auto("/%2Fcaf%C3%A9%3Fq%3D%C3%A9"), "/caf%C3%A9?q=%C3%A9");
        assert_eq!(auto("/%2Fq%3Fa%3D%0A"), "/q?a=%0A");
        assert_eq!(auto("/%2F%2Fx"), "//x");
    }

    #[test]
    fn what_holds_a_literal_slash_is_never_decoded() {
        for path in ["/projects/group%2Fproject", "/a%2Fb/", "/a/%3F"] {
            assert_eq!(auto(path), path);
        }
        assert_eq!(auto("/users%3Fx%3D1"), "/users%3Fx%3D1");
    }

    #[test]
    fn always_and_never_say_what_they_do() {
        assert_eq!(
            target("/users%3Fx%3D1", None, PathEncoding::Always),
            "/users?x=1"
        );
        assert_eq!(target("//a%2Fb", None, PathEncoding::Always), "//a/b");
        assert_eq!(
            target("/group%2Fproject", None, PathEncoding::Never),
            "/group%2Fproject"
        );
    }

    #[test]
    fn a_decoded_query_precedes_the_outer_one() {
        assert_eq!(
            target("/%2Fa%3Fx%3D1", Some("y=2"), PathEncoding::Auto),
            "/a?x=1&y=2"
        );
        assert_eq!(
            target(
                "/%2Fa%3F__domain%3Dh",
                Some("__domain=h"),
                PathEncoding::Auto
            ),
            "bad-domain"
        );
    }

    #[test]
    fn backslashes_and_controls_are_refused_in_the_path_alone() {
        for path in [
            "/a%5Cb",
            "/a%5c",
            "/%00",
            "/a%0d%0aX:1",
            "/%7F",
            "/%2Fa%0A",
            "/%2Fa%5Cb",
        ] {
            assert_eq!(auto(path), "bad-address", "{path}");
        }
        assert_eq!(
            target("/x", Some("q=a%0Ab\\"), PathEncoding::Auto),
            "/x?q=a%0Ab\\"
        );
    }

    #[test]
    fn a_bare_question_mark_stays_and_an_emptied_query_goes() {
        assert_eq!(target("/x", Some(""), PathEncoding::Auto), "/x?");
        assert_eq!(target("/x", Some("__domain=h"), PathEncoding::Auto), "/x");
        assert_eq!(
            target("/x", Some("a=1&%5F_domain=h"), PathEncoding::Auto),
            "/x?a=1"
        );
    }

    #[test]
    fn a_domain_is_given_once_with_a_value() {
        for query in [
            "__domain",
            "__domain=",
            "__domain=a&__domain=a",
            "__domain=%zz",
            "__domain=%ff",
        ] {
            let code =
                Target::parse("/x", Some(query), PathEncoding::Auto).map_err(|error| error.code());
            assert_eq!(code.err(), Some(ErrorCode::BadDomain), "{query}");
        }
    }
}
