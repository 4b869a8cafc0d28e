//! Mutual TLS (RFC 8446 §4.3.2) with the connection's own client certificate.

use super::{
    Applied, AuthContext, AuthError, AuthRequest, AuthScheme, ClientIdentity, Requirements,
};

/// Presents the client certificate of the connection's secrets `certificate` and `private_key`.
///
/// `certificate` is a chain in PEM, which begins with the client's own certificate. `private_key` is its key in PEM:
/// PKCS #8, PKCS #1 or SEC 1, without a password.
///
/// The scheme changes nothing in the request: combine it in a tuple with a scheme that does. The parsed certificate is
/// cached in the [`Connection`](crate::Connection), so a store should return clones of a connection rather than build a
/// new connection for each call.
///
/// A certificate that was changed in the store is used from the next call on. Network connections on which the old
/// certificate was presented, and their TLS sessions, aren't used for calls with the new certificate, and are closed after
/// the pool's idle time at the latest ([`pool_idle_timeout`](crate::client::HttpTransportBuilder::pool_idle_timeout)).
///
/// The certificate isn't presented to an upstream that doesn't request it, nor to an upstream that requests it only after it
/// has received the request, by renegotiation or after the handshake (RFC 8446 §4.6.2). Nothing is sent to an upstream at
/// `http://`.
///
/// ```
/// use tower_passthrough::{Upstream, auth};
///
/// let upstream = Upstream::new("https://api.bank.test")?.auth((auth::Mtls, auth::Bearer));
/// # Ok::<_, Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct Mtls;

impl AuthScheme for Mtls {
    fn requirements(&self) -> Requirements {
        Requirements::new()
            .secret("certificate")
            .secret("private_key")
    }

    fn apply(&self, _: &mut AuthRequest<'_>, cx: &AuthContext<'_>) -> Result<Applied, AuthError> {
        let identity = cx.connection().client_identity(|| {
            Ok::<_, AuthError>(ClientIdentity::from_pem(
                cx.secret("certificate")?,
                cx.secret("private_key")?,
            )?)
        })?;
        Ok(Applied::default().client_identity(identity))
    }
}
