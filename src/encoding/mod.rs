//! Text forms of bytes and of time: percent-encoding, hexadecimal digits, PEM, dates, and the dot segments and readings of a path.
//!
//! Each format has a single encoder, which all modules of the crate share.

pub(crate) mod calendar;
pub(crate) mod dot_segments;
pub(crate) mod hex;
pub(crate) mod http_date;
#[cfg(any(feature = "rustls", feature = "oauth1", feature = "oauth2"))]
pub(crate) mod pem;
pub(crate) mod percent;
pub(crate) mod readings;

/// Receives bytes in pieces, so that long or secret text isn't copied.
pub(crate) type Sink<'a> = dyn FnMut(&[u8]) + 'a;
