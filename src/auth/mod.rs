//! Adds a connection's credential to a request, by the scheme that the upstream requires.
//!
//! | the upstream requires | scheme | secrets |
//! | --- | --- | --- |
//! | a bearer token | [`Bearer`] | `token` |
//! | an access token of OAuth 2.0 | [`AccessToken`] | `access_token` |
//! | user and password | [`Basic`] | `username`, `password` |
//! | a key in a header field | [`Header`] | the names in its template |
//! | a key in the query | [`Query`] | the name of the parameter |
//! | a client certificate | `Mtls` | `certificate`, `private_key` |
//! | a signature for AWS | `SigV4` | `access_key_id`, `secret_access_key` |
//! | a signature of OAuth 1.0a | `OAuth1` | `consumer_key`, `consumer_secret`, `token`, `token_secret` |
//! | another HMAC signature | `Hmac` | `secret` |
//! | something else | your own [`AuthScheme`] | |
//!
//! ```
//! use tower_passthrough::{Upstream, auth};
//!
//! let upstream = Upstream::new("https://api.vendor.test")?
//!     .auth(auth::Header::new("authorization", "Token token={api_key}")?);
//! # Ok::<_, Box<dyn std::error::Error>>(())
//! ```
//!
//! For an upstream that requires two credentials, use a tuple of schemes, which are applied in order:
//!
//! ```
//! use tower_passthrough::{Upstream, auth};
//!
//! let upstream = Upstream::new("https://api.vendor.test")?.auth((
//!     auth::Header::new("dd-api-key", "{api_key}")?,
//!     auth::Header::new("dd-application-key", "{application_key}")?,
//! ));
//! # Ok::<_, Box<dyn std::error::Error>>(())
//! ```
//!
//! A scheme is applied last and takes precedence: the fields that it sets replace the caller's fields of the same name, also if the caller
//! spells them with `_`, sends them twice, or sends them as trailers.

mod context;
mod encoder;
mod error;
mod header;
#[cfg(feature = "hmac")]
mod hmac;
#[cfg(feature = "rustls")]
mod mtls;
#[cfg(feature = "oauth1")]
mod oauth1;
mod request;
mod scheme;
#[cfg(any(feature = "oauth1", feature = "hmac"))]
mod signing;
#[cfg(feature = "sigv4")]
mod sigv4;
mod simple;

pub use self::context::AuthContext;
pub use self::encoder::{BodyEncoder, EncodeError};
pub use self::error::{AuthError, SchemeError};
pub use self::header::Header;
#[cfg(feature = "hmac")]
#[cfg_attr(docsrs, doc(cfg(feature = "hmac")))]
pub use self::hmac::{Hmac, HmacHash, KeyEncoding, SignatureEncoding};
#[cfg(feature = "rustls")]
#[cfg_attr(docsrs, doc(cfg(feature = "rustls")))]
pub use self::mtls::Mtls;
#[cfg(feature = "oauth1")]
#[cfg_attr(docsrs, doc(cfg(feature = "oauth1")))]
pub use self::oauth1::{OAuth1, RsaSha1Signer};
pub use self::request::AuthRequest;
pub use self::scheme::{Applied, AuthScheme, PayloadUse, Requirements};
#[cfg(feature = "sigv4")]
#[cfg_attr(docsrs, doc(cfg(feature = "sigv4")))]
pub use self::sigv4::SigV4;
pub use self::simple::{AccessToken, Basic, Bearer, NoAuth, Query};
pub use crate::connection::CacheKey;
pub use crate::identity::IsolationKey;
#[cfg(feature = "rustls")]
#[cfg_attr(docsrs, doc(cfg(feature = "rustls")))]
pub use crate::identity::{ClientIdentity, InvalidIdentity};
pub use crate::secret::InvalidSecret;

pub(crate) use self::simple::encode_basic;
#[cfg(feature = "catalog")]
pub(crate) use self::simple::{insert_parameter, remove_parameter};
