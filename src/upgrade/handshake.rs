//! The handshake of a WebSocket: the caller's request, the request to the upstream, and the responses that open the tunnel.
//!
//! Callers over HTTP/1.1 use `Upgrade` (RFC 6455 §4.1), and callers over HTTP/2 use an extended CONNECT
//! (RFC 8441). In both cases the upstream gets an HTTP/1.1 request, on a dedicated network connection.
//!
//! Rules: `docs/rules/forwarding.md#6-upgrades`.

use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher, Hasher as _};
use std::sync::{Mutex, PoisonError};
use std::time::SystemTime;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::header::{
    CONNECTION, CONTENT_LENGTH, HeaderMap, HeaderName, HeaderValue, SEC_WEBSOCKET_ACCEPT,
    SEC_WEBSOCKET_KEY, SEC_WEBSOCKET_VERSION, TRANSFER_ENCODING, UPGRADE,
};
use http::request::Parts;
use http::uri::PathAndQuery;
use http::{Extensions, Method, Request, StatusCode, Version, response};
use http_body::Body as _;
use hyper::upgrade::OnUpgrade;
use sha1_smol::Sha1;
use tokio::time::Instant;

use super::NotAsked;
use crate::auth::{AuthContext, AuthRequest};
use crate::body::RequestBody;
use crate::connection::Connection;
use crate::identity::IsolationKey;
use crate::rewrite::{has, members};
use crate::upstream::Upstream;

const WEBSOCKET: HeaderValue = HeaderValue::from_static("websocket");

/// A request that opens a WebSocket, and the caller's side of the tunnel.
pub(crate) struct Handshake {
    caller: OnUpgrade,
    version: CallerVersion,
    /// The upstream's side of the tunnel, once the upstream has agreed.
    vendor: Option<OnUpgrade>,
    claim: Option<Claim>,
}

/// The permission with which a tunnel was opened. The tunnel ends when the permission is withdrawn.
pub(crate) struct Claim {
    connection: Connection,
    upstream: Upstream,
    /// The client certificate that was presented to the upstream.
    identity: Option<IsolationKey>,
    /// The path in the form in which it was checked.
    path: Box<str>,
    /// The time of the first check that failed since the last check that didn't.
    failing_since: Mutex<Option<Instant>>,
}

impl Claim {
    pub(crate) fn path(&self) -> &str {
        &self.path
    }

    /// Notes that a check begins, and returns the time since which checks fail: now, if the last check didn't fail.
    pub(crate) fn begin_check(&self) -> Instant {
        let mut failing_since = self
            .failing_since
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        *failing_since.get_or_insert_with(Instant::now)
    }

    /// Notes that a check hasn't failed.
    pub(crate) fn pass_check(&self) {
        *self
            .failing_since
            .lock()
            .unwrap_or_else(PoisonError::into_inner) = None;
    }

    /// Returns `true` if the tunnel may stay open with the present version of its connection. The credential may differ, because it may
    /// have been refreshed. The client certificate must be the same, because with another certificate the tunnel would belong to
    /// another identity.
    pub(crate) fn is_met_by(&self, connection: &Connection) -> bool {
        connection.has_same_place(&self.connection)
            && self.identity == client_identity(connection, &self.upstream)
    }
}

/// Returns the client certificate that the scheme presents for a connection, or `None` if the scheme presents no certificate.
///
/// The scheme is applied to the same request without a body at the handshake and at each check, so that the results can be compared.
fn client_identity(connection: &Connection, upstream: &Upstream) -> Option<IsolationKey> {
    let destination = upstream.destination();
    let uri = destination.uri(PathAndQuery::from_static("/")).ok()?;
    let (mut head, ()) = Request::get(uri).body(()).ok()?.into_parts();
    let payload = Bytes::new();
    let cx = AuthContext::new(connection, &destination, SystemTime::now())
        .with_payload(&payload)
        .with_payload_length(Some(0));
    let mut request = AuthRequest::new(&mut head);
    let mut applied = upstream.scheme().apply(&mut request, &cx).ok()?;
    let identity = applied.take_client_identity()?;
    Some(identity.isolation_key())
}

/// Both sides of a tunnel, and the permission with which the tunnel was opened.
pub(crate) struct Sides {
    pub(crate) caller: OnUpgrade,
    pub(crate) vendor: OnUpgrade,
    pub(crate) claim: Claim,
}

/// The HTTP version of the caller.
enum CallerVersion {
    Http1,
    /// A handshake over HTTP/2 has no `Sec-WebSocket-Key`, so the upstream gets a key that is made here.
    Http2 {
        key: HeaderValue,
        accept: HeaderValue,
    },
}

impl Handshake {
    /// Returns the handshake if the request opens a WebSocket. The request is then changed into the `GET` that the
    /// upstream will receive.
    ///
    /// A request with a body never opens a tunnel. One side would interpret the bytes after the head as tunnel data, and
    /// the other side would interpret them as the body.
    pub(crate) fn from_request(head: &mut Parts, body: &RequestBody) -> Option<Box<Self>> {
        let version = match head.method {
            Method::GET if has(&head.headers, &UPGRADE) => {
                let asks = head.version == Version::HTTP_11
                    && lists(&head.headers, CONNECTION, b"upgrade")
                    && lists(&head.headers, UPGRADE, b"websocket")
                    && !head.headers.contains_key(TRANSFER_ENCODING)
                    && body.is_end_stream();
                asks.then_some(CallerVersion::Http1)?
            }
            Method::CONNECT if is_extended(&head.extensions) => CallerVersion::http2(),
            _ => return None,
        };
        let caller = head.extensions.remove::<OnUpgrade>()?;
        head.method = Method::GET;
        Some(Box::new(Self {
            caller,
            version,
            vendor: None,
            claim: None,
        }))
    }

    /// Records the permission with which the tunnel is opened.
    pub(crate) fn claim(&mut self, connection: &Connection, upstream: &Upstream, path: &str) {
        self.claim = Some(Claim {
            connection: connection.clone(),
            upstream: upstream.clone(),
            identity: client_identity(connection, upstream),
            path: path.into(),
            failing_since: Mutex::new(None),
        });
    }

    /// Adds the fields that request the upgrade. `headers` must be rewritten already, without hop-by-hop fields.
    pub(crate) fn ask(&self, headers: &mut HeaderMap) {
        headers.insert(CONNECTION, HeaderValue::from_static("upgrade"));
        headers.insert(UPGRADE, WEBSOCKET);
        if let CallerVersion::Http2 { key, .. } = &self.version {
            headers.insert(SEC_WEBSOCKET_KEY, key.clone());
            if !headers.contains_key(SEC_WEBSOCKET_VERSION) {
                headers.insert(SEC_WEBSOCKET_VERSION, HeaderValue::from_static("13"));
            }
        }
    }

    /// Takes the upstream's side of the tunnel, if the upstream has agreed. `head` isn't rewritten yet.
    pub(super) fn accept(&mut self, head: &mut response::Parts) -> Result<bool, NotAsked> {
        let response::Parts {
            status,
            headers,
            extensions,
            ..
        } = head;
        if *status != StatusCode::SWITCHING_PROTOCOLS {
            // The caller would understand any 2xx response to a CONNECT as an open tunnel.
            let is_mistaken =
                matches!(self.version, CallerVersion::Http2 { .. }) && status.is_success();
            return if is_mistaken {
                Err(NotAsked)
            } else {
                Ok(false)
            };
        }
        let is_websocket = lists(headers, UPGRADE, b"websocket") && is_alone(headers, UPGRADE);
        let is_accepted = match &self.version {
            // The caller knows the key, and checks the response itself.
            CallerVersion::Http1 => true,
            CallerVersion::Http2 { accept, .. } => {
                headers.get(SEC_WEBSOCKET_ACCEPT) == Some(accept)
            }
        };
        if !is_websocket || !is_accepted {
            return Err(NotAsked);
        }
        self.vendor = Some(extensions.remove::<OnUpgrade>().ok_or(NotAsked)?);
        Ok(true)
    }

    /// Turns the upstream's rewritten head into the head that opens the caller's side of the tunnel.
    pub(crate) fn answer(&self, status: &mut StatusCode, headers: &mut HeaderMap) {
        headers.remove(CONTENT_LENGTH);
        match self.version {
            CallerVersion::Http1 => {
                headers.insert(CONNECTION, HeaderValue::from_static("upgrade"));
                headers.insert(UPGRADE, WEBSOCKET);
            }
            CallerVersion::Http2 { .. } => {
                *status = StatusCode::OK;
                headers.remove(SEC_WEBSOCKET_ACCEPT);
            }
        }
    }

    /// Returns both sides of the tunnel, if the upstream has agreed.
    pub(crate) fn into_sides(self) -> Option<Sides> {
        Some(Sides {
            caller: self.caller,
            vendor: self.vendor?,
            claim: self.claim?,
        })
    }
}

impl CallerVersion {
    fn http2() -> Self {
        let key = STANDARD.encode(nonce());
        let accept = accept(&key);
        let value = |text: &str| {
            // Base64 is always a valid field value.
            HeaderValue::from_str(text).unwrap_or(HeaderValue::from_static(""))
        };
        Self::Http2 {
            key: value(&key),
            accept: value(&accept),
        }
    }
}

/// Returns sixteen bytes that no cache and no upstream can have seen before. The bytes don't have to protect against a
/// caller or an upstream (the attacks of RFC 6455 §10.3 come from browsers), so hash seeds are random enough.
fn nonce() -> [u8; 16] {
    let half = || RandomState::new().build_hasher().finish().to_be_bytes();
    let mut nonce = [0; 16];
    let (first, second) = nonce.split_at_mut(8);
    first.copy_from_slice(&half());
    second.copy_from_slice(&half());
    nonce
}

/// Returns the value of `Sec-WebSocket-Accept` for a key (RFC 6455 §4.2.2).
fn accept(key: &str) -> String {
    const GUID: &[u8] = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
    let mut digest = Sha1::new();
    digest.update(key.as_bytes());
    digest.update(GUID);
    STANDARD.encode(digest.digest().bytes())
}

fn is_extended(extensions: &Extensions) -> bool {
    extensions
        .get::<hyper::ext::Protocol>()
        .is_some_and(|protocol| protocol.as_str().eq_ignore_ascii_case("websocket"))
}

/// Returns `true` if any line of the field contains that token.
fn lists(headers: &HeaderMap, name: HeaderName, token: &[u8]) -> bool {
    members(headers, name).any(|member| member.eq_ignore_ascii_case(token))
}

fn is_alone(headers: &HeaderMap, name: HeaderName) -> bool {
    members(headers, name).count() == 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_answer_to_a_key_is_that_of_the_standard() {
        // RFC 6455 §1.3.
        assert_eq!(
            accept("dGhlIHNhbXBsZSBub25jZQ=="),
            "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="
        );
    }

    #[test]
    fn no_key_is_used_twice() {
        assert_ne!(nonce(), nonce());
    }

    #[test]
    fn tokens_are_found_in_any_line_and_case() {
        let mut headers = HeaderMap::new();
        headers.append(CONNECTION, HeaderValue::from_static("keep-alive"));
        headers.append(CONNECTION, HeaderValue::from_static("x, UpGrade ,"));
        assert!(lists(&headers, CONNECTION, b"upgrade"));
        assert!(!lists(&headers, CONNECTION, b"up"));
    }
}
