//! Mutual TLS (RFC 8446 §4.3.2): the connection's own client certificate.

use super::{
    Applied, AuthContext, AuthError, AuthRequest, AuthScheme, ClientIdentity, Requirements,
};

/// Presents the secret `certificate`, a chain in PEM whose first certificate is the client's own,
/// with the secret `private_key`, its key in PEM: PKCS #8, PKCS #1 or SEC 1, without a password.
///
/// It adds nothing to the request: combine it in a tuple with a scheme that does. The parsed certificate is kept with the
/// [`Connection`](crate::Connection), so a store should return clones of one connection rather than make one for each call.
///
/// A certificate that was changed in the store counts from the next call on: network connections on
/// which the old one was presented, and their TLS sessions, serve no call of the new one, and are
/// gone after the pool's idle time at most
/// ([`pool_idle_timeout`](crate::client::HttpTransportBuilder::pool_idle_timeout)).
///
/// A vendor that asks for no certificate is shown none, and so is one that asks only once it has seen
/// the request, by renegotiation or after the handshake (RFC 8446 §4.6.2). Nothing is sent to one at
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
