//! Translates addresses under the mount in a request to URLs of the upstream: the destination of a COPY or a MOVE (RFC 4918 §10.3), and the
//! resources in `If` (RFC 4918 §10.4).
//!
//! Rules: `docs/rules/forwarding.md#3-request-headers`.

use bytes::Bytes;
use http::header::{Entry, HeaderMap, HeaderName, HeaderValue};

use super::MountedLinks;
use super::paging::cut;
use crate::address::{Address, Target};
use crate::error::Error;
use crate::upstream::Route;

const DESTINATION: HeaderName = HeaderName::from_static("destination");
const IF: HeaderName = HeaderName::from_static("if");

/// Returns an error for a URL that the call may not name.
type MayReach<'a> = dyn Fn(&Target<'_>, &Route<'_>) -> Result<(), Error> + 'a;

/// The part of the gateway's URLs in which an address is.
enum Place<'a> {
    /// Not at the gateway.
    Elsewhere,
    /// At the gateway, but not below the call's connection.
    Beside,
    /// The rest of the path, after the id of the call's connection.
    Below(&'a str),
}

impl MountedLinks {
    /// Translates the addresses under the mount in `Destination` and `If`, if `may_reach` permits their URLs. `is_gateways` returns `true`
    /// for a host that names a connection. Returns `true` if each `Destination` was translated.
    ///
    /// # Errors
    ///
    /// `BadAddress` for an address of the gateway that isn't below the call's connection, or that no call can have.
    pub(crate) fn translate(
        &self,
        headers: &mut HeaderMap,
        is_gateways: &dyn Fn(&str) -> bool,
        may_reach: &MayReach<'_>,
    ) -> Result<bool, Error> {
        let mut is_complete = true;
        let rules = (is_gateways, may_reach);
        for field in [DESTINATION, IF] {
            let is_list = field == IF;
            let Ok(Entry::Occupied(mut entry)) = headers.try_entry(field) else {
                continue;
            };
            for value in entry.iter_mut() {
                // A URL is ASCII, so other values aren't addresses.
                let Ok(text) = value.to_str() else {
                    is_complete &= is_list;
                    continue;
                };
                let translated = match is_list {
                    true => self.tags(text, rules)?,
                    false => self.url_of(text.trim(), rules)?,
                };
                is_complete &= is_list || translated.is_some();
                let translated = translated.map(Bytes::from);
                if let Some(Ok(translated)) = translated.map(HeaderValue::from_maybe_shared) {
                    *value = translated;
                }
            }
        }
        Ok(is_complete)
    }

    /// Translates each URL in angle brackets. Returns `None` if none changes.
    fn tags(
        &self,
        text: &str,
        rules: (&dyn Fn(&str) -> bool, &MayReach<'_>),
    ) -> Result<Option<String>, Error> {
        let mut translated = String::with_capacity(text.len());
        let mut has_changed = false;
        let mut rest = text;
        while let Some((before, after)) = split_at_tag(rest) {
            let Some((tag, behind)) = after.split_once('>') else {
                break;
            };
            let url = self.url_of(tag, rules)?;
            has_changed |= url.is_some();
            translated.push_str(before);
            translated.push('<');
            translated.push_str(url.as_deref().unwrap_or(tag));
            translated.push('>');
            rest = behind;
        }
        translated.push_str(rest);
        Ok(has_changed.then_some(translated))
    }

    /// Returns the upstream's URL for an address under the mount, or `None` if the text isn't an address of the gateway.
    fn url_of(
        &self,
        text: &str,
        (is_gateways, may_reach): (&dyn Fn(&str) -> bool, &MayReach<'_>),
    ) -> Result<Option<String>, Error> {
        let (path, query) = cut(text, '?');
        let below = match self.place_of(path, is_gateways) {
            Place::Elsewhere => return Ok(None),
            Place::Below(below) if !text.contains('#') => below,
            Place::Below(_) | Place::Beside => {
                return Err(Error::bad_address(
                    "`Destination` or `If` has an address of this gateway that isn't below the connection of the call",
                ));
            }
        };
        let (origin, joined) = self.reach(below, query, may_reach)?;
        let (scheme, authority) = (origin.scheme().as_str(), origin.authority());
        Ok(Some(format!("{scheme}://{authority}{joined}")))
    }

    fn place_of<'a>(&self, path: &'a str, is_gateways: &dyn Fn(&str) -> bool) -> Place<'a> {
        let (path, is_absolute) = match path.split_once("://") {
            Some((scheme, rest)) => {
                let slash = rest.find('/').unwrap_or(rest.len());
                let (authority, path) = rest.split_at_checked(slash).unwrap_or((rest, ""));
                let is_http = ["http", "https"]
                    .into_iter()
                    .any(|name| scheme.eq_ignore_ascii_case(name));
                // User info may be the caller's key.
                let (user, authority) = match authority.rsplit_once('@') {
                    Some((user, authority)) => (Some(user), authority),
                    None => (None, authority),
                };
                let host = authority.split(':').next().unwrap_or_default();
                match self.mount.is_at(scheme, authority) {
                    true if is_http && user.is_some() => return Place::Beside,
                    true if is_http => {}
                    false if is_http && is_gateways(host) => return Place::Beside,
                    _ => return Place::Elsewhere,
                }
                (path, true)
            }
            None if path.starts_with('/') && !path.starts_with("//") => (path, false),
            None => return Place::Elsewhere,
        };
        let is_in_a_mount = |mount: &str| {
            let (mount, _) = mount.rsplit_once('/').unwrap_or_default();
            path.strip_prefix(mount)
                .is_some_and(|rest| rest.starts_with('/'))
        };
        let mut mounts = self.mount.paths().into_iter();
        match mounts.clone().find_map(|mount| below(mount, path)) {
            Some(below) => Place::Below(below),
            None if is_absolute || mounts.any(is_in_a_mount) => Place::Beside,
            None => Place::Elsewhere,
        }
    }
}

/// Returns the rest of a path below a mount, whose last segment is the id. The id may be encoded in another way.
fn below<'a>(mount: &str, path: &'a str) -> Option<&'a str> {
    let Some((mount, own)) = mount.rsplit_once('/') else {
        // The host names the connection.
        return Some(if path.is_empty() { "/" } else { path });
    };
    let rest = path.strip_prefix(mount)?.strip_prefix('/')?;
    let (segment, below) = rest.split_at_checked(rest.find('/').unwrap_or(rest.len()))?;
    (segment == own || names_same(segment, own)).then_some(below)
}

/// Splits the text at the first `<` outside of an entity tag, which is quoted and may contain each character.
fn split_at_tag(text: &str) -> Option<(&str, &str)> {
    let mut is_quoted = false;
    let at = text.find(|char: char| {
        is_quoted ^= char == '"';
        char == '<' && !is_quoted
    })?;
    let (before, tag) = text.split_at_checked(at)?;
    Some((before, tag.strip_prefix('<')?))
}

/// Returns `true` if both segments are the same connection id.
fn names_same(segment: &str, other: &str) -> bool {
    let (segment, other) = (format!("/{segment}"), format!("/{other}"));
    match (Address::cut(&segment, None), Address::cut(&other, None)) {
        (Ok(one), Ok(other)) => one.id() == other.id(),
        _ => false,
    }
}
