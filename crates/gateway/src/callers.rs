//! Callers: API keys, and the permissions of each key.
//!
//! The library leaves the authentication of callers to the host application, which is this program.
//! [`Calls`](crate::calls::Calls) looks up the key, and puts the [`Caller`] into the request's
//! extensions. [`Current`](crate::newest::Current) reads the [`Caller`] there when the library calls
//! the authorizer.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::Request;
use axum::response::Response;
use http::header::{ACCEPT, UPGRADE_INSECURE_REQUESTS, WWW_AUTHENTICATE};
use http::request::Parts;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use sha2::{Digest, Sha256};
use subtle::{Choice, ConditionallySelectable, ConstantTimeEq};
use tower_passthrough::{ConnectionId, ProblemDetails, Scope, Secret};

use crate::keys::KeyPlaces;
use crate::peers::NotACall;
use crate::{audit, metrics, unread};

/// The header that contains a caller's key. It belongs to the host application, so an upstream must
/// never see it.
pub(crate) const API_KEY: HeaderName = HeaderName::from_static("x-api-key");

/// The header that marks the gateway's own errors.
const ERROR: HeaderName = HeaderName::from_static("passthrough-error");

/// The header in which each error of the gateway has a type of RFC 9209.
const PROXY_STATUS: HeaderName = HeaderName::from_static("proxy-status");

/// The challenge for clients that send their key as a password.
const BASIC: HeaderValue = HeaderValue::from_static("Basic realm=\"passthrough\"");

/// The permissions of an API key.
#[derive(Debug)]
pub(crate) struct Caller {
    label: String,
    /// `None` for a caller without a key.
    key: Option<KeyDigest>,
    connections: Vec<String>,
    /// The connection, if the caller may use a single one.
    only_connection: Option<ConnectionId>,
    scope: Scope,
}

impl Caller {
    /// Returns the caller with that name and that key.
    pub(crate) fn new(
        name: String,
        key: KeyDigest,
        connections: Vec<String>,
        scope: Scope,
    ) -> Self {
        let only_connection = match &*connections {
            [id] if !id.contains('*') => ConnectionId::new(id).ok(),
            _ => None,
        };
        Self {
            label: name,
            key: Some(key),
            connections,
            only_connection,
            scope,
        }
    }

    fn anyone() -> Self {
        Self {
            label: "anyone".to_owned(),
            key: None,
            connections: vec!["*".to_owned()],
            only_connection: None,
            scope: Scope::all(),
        }
    }

    /// Returns the caller's name for logs, which reveals nothing about the key.
    pub(crate) fn label(&self) -> &str {
        &self.label
    }

    pub(crate) fn scope(&self) -> &Scope {
        &self.scope
    }

    /// Returns the connection that the caller's key names, which is the only connection that the caller may use.
    pub(crate) fn only_connection(&self) -> Option<&ConnectionId> {
        self.only_connection.as_ref()
    }

    pub(crate) fn may_use(&self, connection: &str) -> bool {
        let mut patterns = self.connections.iter();
        patterns.any(|pattern| matches(pattern, connection))
    }
}

/// All API keys, or the decision that none is needed.
#[derive(Debug)]
pub(crate) enum Callers {
    /// No key is needed: every caller that can reach the listener may use every connection.
    Anyone(Arc<Caller>),
    /// Each caller needs a key.
    Keys(Vec<(KeyDigest, Arc<Caller>)>),
}

/// The digest of a key. Only the digest is stored, and keys are compared by their digests.
pub(crate) type KeyDigest = [u8; 32];

pub(crate) fn digest(key: &[u8]) -> KeyDigest {
    Sha256::digest(key).into()
}

impl Callers {
    pub(crate) fn anyone() -> Self {
        Self::Anyone(Arc::new(Caller::anyone()))
    }

    /// Returns `true` if any caller may use the connection.
    pub(crate) fn may_use(&self, connection: &str) -> bool {
        match self {
            Self::Anyone(anyone) => anyone.may_use(connection),
            Self::Keys(keys) => keys.iter().any(|(_, caller)| caller.may_use(connection)),
        }
    }

    /// Returns each pattern that matches none of these connections, with its caller's name.
    pub(crate) fn without_use<'a, I: Iterator<Item = &'a str>>(
        &self,
        connections: impl Fn() -> I,
    ) -> Vec<(&str, &str)> {
        let Self::Keys(keys) = self else {
            return Vec::new();
        };
        let callers = keys.iter().map(|(_, caller)| caller);
        let patterns = callers.flat_map(|caller| {
            let patterns = caller.connections.iter();
            patterns.map(|pattern| (caller.label(), pattern.as_str()))
        });
        patterns
            .filter(|(_, pattern)| !connections().any(|connection| matches(pattern, connection)))
            .collect()
    }

    /// Returns the caller that has the same key in this config.
    pub(crate) fn still_has(&self, caller: &Caller) -> Option<Arc<Caller>> {
        match self {
            Self::Anyone(anyone) => Some(Arc::clone(anyone)),
            Self::Keys(keys) => find(keys, caller.key.as_ref()?),
        }
    }

    fn find(&self, key: &[u8]) -> Option<Arc<Caller>> {
        match self {
            Self::Anyone(caller) => Some(Arc::clone(caller)),
            Self::Keys(keys) => find(keys, &digest(key)),
        }
    }
}

/// Returns the caller with that digest. Every digest is compared completely, so that the time that
/// this takes reveals nothing about the keys.
fn find(keys: &[(KeyDigest, Arc<Caller>)], digest: &KeyDigest) -> Option<Arc<Caller>> {
    let mut found = Choice::from(0);
    let mut position = 0_u64;
    for ((known, _), at) in keys.iter().zip(0_u64..) {
        let equal = known.as_slice().ct_eq(digest.as_slice());
        position.conditional_assign(&at, equal);
        found |= equal;
    }
    if !bool::from(found) {
        return None;
    }
    let position = usize::try_from(position).ok()?;
    keys.get(position).map(|(_, caller)| Arc::clone(caller))
}

/// The data for the authentication of calls.
#[derive(Debug)]
pub(crate) struct Authentication {
    callers: Arc<Callers>,
    places: KeyPlaces,
    /// The text that tells a caller where the key is looked for.
    detail: String,
}

impl Authentication {
    pub(crate) fn new(callers: Arc<Callers>, places: KeyPlaces) -> Self {
        Self {
            detail: places.detail(),
            callers,
            places,
        }
    }

    /// Returns the request, from which keys are removed, and its caller. Returns the answer 401 for a request without a valid key.
    pub(crate) async fn authenticate(
        &self,
        request: Request,
    ) -> Result<(Request, Arc<Caller>), Response> {
        let (request, caller) = match &*self.callers {
            Callers::Anyone(caller) => return Ok((request, Arc::clone(caller))),
            Callers::Keys(_) => {
                let find = |key: &[u8]| self.callers.find(key);
                self.places.take(request, find).await
            }
        };
        if let Some(caller) = caller {
            return Ok((request, caller));
        }
        audit::unauthenticated(&request);
        metrics::unauthenticated(request.method());
        let (head, body) = request.into_parts();
        unread::drain(&head.headers, body);
        Err(unauthenticated(&head, &self.detail))
    }
}

// A gRPC client reads this status as UNAUTHENTICATED, so no separate answer for gRPC is needed.
fn unauthenticated(request: &Parts, detail: &str) -> Response {
    let problem = ProblemDetails::new(
        StatusCode::UNAUTHORIZED,
        "unauthenticated",
        detail.to_owned(),
    );
    let response = problem.to_response(&request.method, &request.headers);
    let mut response = response.map(Body::new);
    response.extensions_mut().insert(NotACall);
    let headers = response.headers_mut();
    headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
    // git and other tools send a user and a password only after this challenge (RFC 9110 §11.6.1). A browser, which would ask
    // its user for a password and would then send it from pages of other sites as well, is recognised by the fields that it sends.
    if !is_browser(&request.headers) {
        headers.append(WWW_AUTHENTICATE, BASIC);
    }
    // Distinguishes this 401 from an upstream's, because the library removes the field from
    // upstreams' responses.
    headers.insert(ERROR, HeaderValue::from_static("unauthenticated"));
    headers.insert(
        PROXY_STATUS,
        HeaderValue::from_static("passthrough; error=http_request_denied"),
    );
    response
}

/// Returns `true` if the request has a field that only browsers send. Over `http://`, they omit `Sec-Fetch-Mode`.
fn is_browser(headers: &HeaderMap) -> bool {
    let accept = headers.get(ACCEPT).map(HeaderValue::as_bytes);
    let wants_page =
        accept.is_some_and(|accept| accept.windows(9).any(|part| part == b"text/html"));
    wants_page
        || headers.contains_key("sec-fetch-mode")
        || headers.contains_key(UPGRADE_INSECURE_REQUESTS)
}

/// Returns `true` if `text` matches a pattern in which `*` matches any characters. It needs a
/// single pass, as each part is matched at the first place where it fits.
fn matches(pattern: &str, text: &str) -> bool {
    let mut pieces = pattern.split('*');
    let first = pieces.next().unwrap_or_default();
    let Some(mut rest) = text.strip_prefix(first) else {
        return false;
    };
    let Some(last) = pieces.next_back() else {
        return rest.is_empty();
    };
    for piece in pieces {
        match rest.split_once(piece) {
            Some((_, after)) => rest = after,
            None => return false,
        }
    }
    rest.ends_with(last)
}

/// Returns the reason why the text can't be an API key.
pub(crate) fn unusable(key: &Secret) -> Option<&'static str> {
    let key = key.expose();
    if key.is_empty() {
        Some("is empty")
    } else if key.trim_ascii() != key || key.iter().any(u8::is_ascii_control) {
        Some("begins or ends with a blank, or contains a control character")
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_key_finds_its_own_caller() {
        let keys = ["a", "b", "c"].map(|key| digest(key.as_bytes()));
        let keys: Vec<_> = keys
            .into_iter()
            .zip(1..)
            .map(|(digest, number)| {
                let caller = Caller::new(format!("caller-{number}"), digest, vec![], Scope::all());
                (digest, Arc::new(caller))
            })
            .collect();
        let label =
            |key: &str| find(&keys, &digest(key.as_bytes())).map(|caller| caller.label.clone());
        assert_eq!(label("a").as_deref(), Some("caller-1"));
        assert_eq!(label("c").as_deref(), Some("caller-3"));
        assert_eq!(label("d"), None);
        assert_eq!(label(""), None);
    }

    #[test]
    fn a_star_stands_for_anything() {
        for (pattern, text) in [
            ("acme", "acme"),
            ("team-*", "team-"),
            ("team-*", "team-a*"),
            ("*", "x"),
            ("a*c*e", "abcde"),
            ("a**b", "ab"),
        ] {
            assert!(matches(pattern, text), "{pattern} {text}");
        }
        for (pattern, text) in [
            ("acme", "ACME"),
            ("acme", "acme2"),
            ("team-*", "team"),
            ("a*a", "a"),
            ("*x*", "abc"),
            ("", "a"),
        ] {
            assert!(!matches(pattern, text), "{pattern} {text}");
        }
    }
}
