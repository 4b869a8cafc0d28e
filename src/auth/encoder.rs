//! Payloads that a scheme changes while they stream.

use std::fmt;

use bytes::Bytes;

/// What a scheme makes of a payload on its way, as signatures of single chunks do. Synchronous and
/// pure: bytes in, bytes out. It must keep but little of them.
pub trait BodyEncoder: fmt::Debug + Send + 'static {
    /// How many bytes come out of all, if `plain` go in. `None`: nobody knows. It's asked before
    /// anything else, and what it says is sent as `Content-Length`: if other than that many come
    /// out, the call ends as if its body had broken off.
    fn encoded_len(&self, plain: Option<u64>) -> Option<u64>;

    /// Takes from the front of `data`, until there is something to send. It's called again with
    /// what it left. `None`: it has taken all, and needs more.
    ///
    /// # Errors
    ///
    /// [`EncodeError`] ends the call as if its body had broken off.
    fn encode(&mut self, data: &mut Bytes) -> Result<Option<Bytes>, EncodeError>;

    /// What is left to be sent when nothing more comes. It's called once.
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
    /// For that reason, which only the host sees.
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
