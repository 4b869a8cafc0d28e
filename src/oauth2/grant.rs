//! What is shown to a token endpoint in return for an access token (RFC 6749 §1.3).

use super::assertion::Assertion;

/// A grant type.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub enum GrantType {
    /// The connection's secret `refresh_token` (RFC 6749 §6), whether the vendor rotates it or not.
    #[default]
    RefreshToken,
    /// The client's own credentials (RFC 6749 §4.4). There is no refresh token.
    ClientCredentials,
    /// A signed JWT (RFC 7523 §2.1), as for Google's service accounts. There is no refresh token.
    ///
    /// A vendor whose clock is behind the host's may call a good assertion `invalid_grant`, which
    /// makes the connection dead: keep the host's clock in time.
    JwtBearer(Assertion),
}

impl GrantType {
    /// The parameter `grant_type`.
    pub(super) const fn name(&self) -> &'static str {
        match self {
            Self::RefreshToken => "refresh_token",
            Self::ClientCredentials => "client_credentials",
            Self::JwtBearer(_) => "urn:ietf:params:oauth:grant-type:jwt-bearer",
        }
    }
}
