//! Text forms of bytes and of time: percent-encoding, hexadecimal digits, PEM, dates, and the dot segments of a path.
//!
//! Each form has one coder, which all rooms of the crate share.

pub(crate) mod calendar;
pub(crate) mod dot_segments;
pub(crate) mod hex;
pub(crate) mod http_date;
#[cfg(any(feature = "rustls", feature = "oauth1", feature = "oauth2"))]
pub(crate) mod pem;
pub(crate) mod percent;

/// Takes bytes as they're made, so that long or secret text isn't copied on its way.
pub(crate) type Sink<'a> = dyn FnMut(&[u8]) + 'a;
