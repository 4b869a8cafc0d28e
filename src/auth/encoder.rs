//! Payloads that a scheme changes while they stream.

use std::fmt;

use bytes::Bytes;

/// Encodes a payload while it streams, as signatures of single chunks need. Synchronous and pure: bytes in, bytes out.
/// It must buffer only little of them.
pub trait BodyEncoder: fmt::Debug + Send + 'static {
    /// Returns the encoded length of a payload of `plain` bytes, or `None` if it's unknown. It's called first, and its
    /// result is sent as `Content-Length`: if another number of bytes comes out, the call ends as if its body had
    /// broken off.
    fn encoded_len(&self, plain: Option<u64>) -> Option<u64>;

    /// Takes bytes from the front of `data` until there is something to send. It's called again with the bytes that it
    /// left. `None` means that it has taken all and needs more.
    ///
    /// # Errors
    ///
    /// [`EncodeError`] ends the call as if its body had broken off.
    fn encode(&mut self, data: &mut Bytes) -> Result<Option<Bytes>, EncodeError>;

    /// Returns the bytes that are left to be sent at the end of the payload. It's called once.
    ///
    /// # Errors
    ///
    /// As [`encode`](Self::encode).
    fn finish(&mut self) -> Result<Bytes, EncodeError>;

    /// The most that it keeps of the payload at a time, in bytes. It's taken of
    /// [`buffered_bodies_limit`](crate::PassthroughBuilder::buffered_bodies_limit) before anything is sent.
    fn max_buffered(&self) -> usize;

    /// The same as it was before its first byte, for a payload that is sent once more.
    fn restart(&self) -> Box<dyn BodyEncoder>;
}

/// The payload isn't what it's said to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EncodeError(pub(crate) &'static str);

impl EncodeError {
    /// Returns an error with that reason, which only the host sees.
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
