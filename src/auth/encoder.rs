//! Encoders, with which a scheme changes a payload while it streams.

use std::fmt;

use bytes::Bytes;

/// Encodes a payload while it streams, as needed for signatures of single chunks.
///
/// An encoder is synchronous and pure: it turns bytes into bytes. It must buffer only a few of them.
pub trait BodyEncoder: fmt::Debug + Send + 'static {
    /// Returns the encoded length of a payload of `plain` bytes, or `None` if it's unknown.
    ///
    /// It's called first, and its result is sent as `Content-Length`. If the encoder then returns another number of
    /// bytes, the call ends as if its body had broken off.
    fn encoded_len(&self, plain: Option<u64>) -> Option<u64>;

    /// Takes bytes from the front of `data` until it can return encoded bytes.
    ///
    /// It's called again with the bytes that it didn't take. `None` means that it has taken all of them and needs
    /// more.
    ///
    /// # Errors
    ///
    /// [`EncodeError`] ends the call as if its body had broken off.
    fn encode(&mut self, data: &mut Bytes) -> Result<Option<Bytes>, EncodeError>;

    /// Returns the remaining bytes to send at the end of the payload. It's called once.
    ///
    /// # Errors
    ///
    /// The same errors as [`encode`](Self::encode).
    fn finish(&mut self) -> Result<Bytes, EncodeError>;

    /// Returns the maximum number of bytes of the payload that it buffers at a time.
    ///
    /// This number is reserved from [`buffered_bodies_limit`](crate::PassthroughBuilder::buffered_bodies_limit) before
    /// anything is sent.
    fn max_buffered(&self) -> usize;

    /// Returns the encoder in the state before its first byte, for a payload that is sent again.
    fn restart(&self) -> Box<dyn BodyEncoder>;
}

/// The error of a payload that doesn't match its description, such as its stated length.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EncodeError(pub(crate) &'static str);

impl EncodeError {
    /// Returns an error with that reason, which is only visible to the host application.
    #[must_use]
    pub const fn new(reason: &'static str) -> Self {
        Self(reason)
    }
}

impl fmt::Display for EncodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl std::error::Error for EncodeError {}
