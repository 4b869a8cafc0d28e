//! The text that is signed: method, address and parameters in a single string (RFC 5849 §3.4.1).

use crate::auth::signing::Parameters;
use crate::encoding::Sink;
use crate::encoding::percent::encode;
use crate::policy::{Destination, Scheme};

/// The signature base string. It's written in pieces, and never stored as a whole.
pub(super) struct BaseString<'a> {
    pub(super) method: &'a str,
    pub(super) destination: &'a Destination,
    /// The path that is sent.
    pub(super) path: &'a str,
    pub(super) parameters: &'a Parameters,
}

impl BaseString<'_> {
    /// Writes `GET&https%3A%2F%2Fupstream.test%2Fpath&a%3D1`.
    pub(super) fn write(&self, sink: &mut Sink<'_>) {
        encode(self.method.to_ascii_uppercase().as_bytes(), sink);
        sink(b"&");
        // The authority must be in lower case and without a default port (§3.4.1.2), which is the
        // form of a destination's authority.
        let scheme = match self.destination.scheme() {
            Scheme::Http => "http://",
            Scheme::Https => "https://",
        };
        let authority = self.destination.authority().as_str();
        for part in [scheme, authority, self.path] {
            encode(part.as_bytes(), sink);
        }
        sink(b"&");
        self.parameters.write(&mut |part| encode(part, sink));
    }

    /// Returns the length of the string, in bytes.
    pub(super) fn length(&self) -> usize {
        let mut length = 0;
        self.write(&mut |part| length += part.len());
        length
    }
}
