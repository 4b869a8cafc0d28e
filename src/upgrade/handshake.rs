//! The requests that open a WebSocket, the request to the upstream, and the responses that open the tunnel.
//!
//! Over HTTP/1.1 callers ask by `Upgrade` (RFC 6455 §4.1), over HTTP/2 by an extended CONNECT (RFC
//! 8441). The vendor is asked over HTTP/1.1 either way, on a connection of its own.

use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher, Hasher as _};
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

use super::NotAsked;
use crate::auth::{AuthContext, AuthRequest};
use crate::body::RequestBody;
use crate::connection::Connection;
use crate::identity::IsolationKey;
use crate::rewrite::members;
use crate::upstream::Upstream;

const WEBSOCKET: HeaderValue = HeaderValue::from_static("websocket");

/// A request that opens a WebSocket, and the caller's side of it.
pub(crate) struct Handshake {
    caller: OnUpgrade,
    version: CallerVersion,
    /// The upstream's side, once it has agreed.
    vendor: Option<OnUpgrade>,
    claim: Option<Claim>,
}

/// The grant that a tunnel was opened by. The tunnel ends when it's no longer granted.
pub(crate) struct Claim {
    connection: Connection,
    upstream: Upstream,
    /// The client certificate by which the upstream knows the tunnel.
    identity: Option<IsolationKey>,
    /// The path as it was judged.
    path: Box<str>,
}

impl Claim {
    pub(crate) fn path(&self) -> &str {
        &self.path
    }

    /// Returns `true` if the tunnel may go on, now that `connection` is its connection. Another credential may be a refreshed one; with
    /// another client certificate the upstream would know the tunnel as somebody else.
    pub(crate) fn is_met_by(&self, connection: &Connection) -> bool {
        connection.has_same_place(&self.connection)
            && self.identity == client_identity(connection, &self.upstream)
    }
}

/// Returns the client certificate that the scheme presents for a connection. `None`: it presents none.
///
/// The scheme is asked with a request without a body, at the handshake and at each check, so that both answers can be compared.
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

/// Both sides of a tunnel, and what it was opened for.
pub(crate) struct Sides {
    pub(crate) caller: OnUpgrade,
    pub(crate) vendor: OnUpgrade,
    pub(crate) claim: Claim,
}

/// The protocol that the caller speaks.
enum CallerVersion {
    Http1,
    /// HTTP/2 has no key, so the upstream gets one of our own.
    Http2 {
        key: HeaderValue,
        accept: HeaderValue,
    },
}

impl Handshake {
    /// Returns the handshake if the request asks for one. The request then becomes the `GET` that the upstream will
    /// see.
    ///
    /// A request with a body never opens a tunnel: one side would take the bytes behind its head for the tunnel's, and the
    /// other for the body.
    pub(crate) fn from_request(head: &mut Parts, body: &RequestBody) -> Option<Box<Self>> {
        let version = match head.method {
            Method::GET if head.headers.contains_key(UPGRADE) => {
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

    /// Notes what has been granted.
    pub(crate) fn claim(&mut self, connection: &Connection, upstream: &Upstream, path: &str) {
        self.claim = Some(Claim {
            connection: connection.clone(),
            upstream: upstream.clone(),
            identity: client_identity(connection, upstream),
            path: path.into(),
        });
    }

    /// Adds the fields that request the upgrade. `headers` are rewritten, and have lost their hop-by-hop fields.
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

    /// Takes the upstream's side if it has agreed. Its head isn't rewritten yet.
    pub(super) fn accept(&mut self, head: &mut response::Parts) -> Result<bool, NotAsked> {
        let response::Parts {
            status,
            headers,
            extensions,
            ..
        } = head;
        if *status != StatusCode::SWITCHING_PROTOCOLS {
            // To a CONNECT each 2xx means that the tunnel is open.
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
            // The caller has the key, and looks for itself.
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

    /// Turns the upstream's rewritten head into the one that opens the caller's side.
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

    /// Returns both sides, if the upstream has agreed.
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
            // Base64 is always a value.
            HeaderValue::from_str(text).unwrap_or(HeaderValue::from_static(""))
        };
        Self::Http2 {
            key: value(&key),
            accept: value(&accept),
        }
    }
}

/// Returns sixteen bytes that no cache and no upstream can have seen. They guard against neither a caller nor an
/// upstream (RFC 6455 §10.3 is about browsers), so hash seeds are random enough.
fn nonce() -> [u8; 16] {
    let half = || RandomState::new().build_hasher().finish().to_be_bytes();
    let mut nonce = [0; 16];
    let (first, second) = nonce.split_at_mut(8);
    first.copy_from_slice(&half());
    second.copy_from_slice(&half());
    nonce
}

/// Returns the value with which an upstream must accept a key (RFC 6455 §4.2.2).
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

/// Returns `true` if any line of the field lists that token.
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
