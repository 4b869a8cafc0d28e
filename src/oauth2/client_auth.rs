//! How a client authenticates to a token endpoint (RFC 6749 §2.3).

use super::assertion::Assertion;

/// How the client authenticates.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum ClientAuth {
    /// `client_secret_basic`: id and secret in `Authorization: Basic` (RFC 6749 §2.3.1), each of them
    /// form-encoded first.
    Basic,
    /// `client_secret_post`: id and secret as parameters of the body (RFC 6749 §2.3.1).
    Body,
    /// `private_key_jwt`: a JWT that the client has signed (RFC 7523 §2.2).
    PrivateKeyJwt(Assertion),
    /// Not at all: a public client, which only names itself if it has a client id.
    None,
}
