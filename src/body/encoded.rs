//! A body that a scheme encodes while it streams.

use std::fmt;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http::HeaderMap;
use http_body::{Body, Frame, SizeHint};

use super::{RequestBody, Tee};
use crate::auth::{BodyEncoder, EncodeError};
use crate::error::BoxError;
use crate::limits::BufferPermit;

pub(super) struct Encoded {
    plain: RequestBody,
    coder: Box<dyn BodyEncoder>,
    /// The plain content that hasn't been encoded yet.
    data: Bytes,
    trailers: Option<HeaderMap>,
    /// The number of bytes that are still to be sent, if the total is known. The total was announced to the upstream.
    left: Option<u64>,
    has_finished: bool,
    /// Keeps a copy of the plain content, as a replay is encoded again.
    tee: Option<Arc<Tee>>,
    /// The memory that the coder buffers. A copy shares it, because only one of them is sent at a time.
    taken: Arc<Mutex<BufferPermit>>,
    /// The number of bytes that the coder has read since its last output, and so may buffer.
    buffered: usize,
}

impl Encoded {
    pub(super) fn new(
        plain: RequestBody,
        coder: Box<dyn BodyEncoder>,
        tee: Option<Arc<Tee>>,
        taken: BufferPermit,
    ) -> Self {
        Self::with_shared(plain, coder, tee, Arc::new(Mutex::new(taken)))
    }

    fn with_shared(
        plain: RequestBody,
        coder: Box<dyn BodyEncoder>,
        tee: Option<Arc<Tee>>,
        taken: Arc<Mutex<BufferPermit>>,
    ) -> Self {
        let left = coder.encoded_len(plain.size_hint().exact());
        // A request without a body must not get an empty body.
        let has_finished = left == Some(0) && plain.is_end_stream();
        Self {
            plain,
            coder,
            data: Bytes::new(),
            trailers: None,
            left,
            has_finished,
            tee,
            taken,
            buffered: 0,
        }
    }

    /// Returns a copy, if the plain body is empty or in memory.
    pub(super) fn try_clone(&self) -> Option<Self> {
        let (plain, taken) = (self.plain.try_clone()?, Arc::clone(&self.taken));
        Some(Self::with_shared(plain, self.coder.restart(), None, taken))
    }

    /// Returns the number of bytes that the encoding adds, as far as it's known.
    pub(super) fn overhead(&self) -> u64 {
        let plain = self.plain.size_hint().exact();
        let added = plain.and_then(|plain| self.left?.checked_sub(plain));
        added.unwrap_or(0)
    }

    pub(super) fn poll_frame(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        loop {
            if !self.data.is_empty() {
                let before = self.data.len();
                match self.coder.encode(&mut self.data) {
                    Ok(Some(coded)) => {
                        self.buffered = 0;
                        return Poll::Ready(Some(self.data_frame(coded)));
                    }
                    Ok(None) => {
                        self.data = Bytes::new();
                        if !self.try_buffer(before) {
                            return Poll::Ready(Some(Err(NoRoom.into())));
                        }
                    }
                    Err(error) => return Poll::Ready(Some(Err(error.into()))),
                }
            }
            if self.has_finished {
                let trailers = self.trailers.take();
                return Poll::Ready(trailers.map(|trailers| Ok(Frame::trailers(trailers))));
            }
            let frame = match self.plain.is_end_stream() {
                true => None,
                false => ready!(Pin::new(&mut self.plain).poll_frame(cx)?),
            };
            if let Some(tee) = &self.tee {
                tee.keep(
                    frame.as_ref(),
                    frame.is_none() || self.plain.is_end_stream(),
                );
            }
            let trailers = match frame.map(Frame::into_data) {
                Some(Ok(data)) => {
                    self.data = data;
                    continue;
                }
                Some(Err(frame)) => frame.into_trailers().ok(),
                None => None,
            };
            self.trailers = trailers;
            match self.finish() {
                Ok(coded) if coded.is_empty() => {}
                Ok(coded) => return Poll::Ready(Some(Ok(Frame::data(coded)))),
                Err(error) => return Poll::Ready(Some(Err(error.into()))),
            }
        }
    }

    /// Counts bytes that the coder has read without an output. Memory is counted when it's used, and not before, so that a caller that
    /// sends nothing takes none. Returns `false` if there is no room.
    fn try_buffer(&mut self, bytes: usize) -> bool {
        self.buffered += bytes;
        let needed = self.buffered.min(self.coder.max_buffered());
        let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        taken.try_grow_to(needed)
    }

    fn data_frame(&mut self, coded: Bytes) -> Result<Frame<Bytes>, BoxError> {
        self.count(&coded)?;
        // The end is reported together with the last byte if possible, because a client that has written the announced
        // length doesn't poll again.
        if self.left == Some(0) && self.data.is_empty() && self.plain.is_end_stream() {
            self.finish()?;
        }
        Ok(Frame::data(coded))
    }

    fn finish(&mut self) -> Result<Bytes, EncodeError> {
        self.has_finished = true;
        let coded = self.coder.finish()?;
        self.count(&coded)?;
        match self.left {
            Some(left) if left > 0 => Err(EncodeError(
                "the encoded body is shorter than its announced length",
            )),
            _ => Ok(coded),
        }
    }

    fn count(&mut self, coded: &Bytes) -> Result<(), EncodeError> {
        if let Some(left) = &mut self.left {
            let rest = left.checked_sub(coded.len() as u64);
            *left = rest.ok_or(EncodeError(
                "the encoded body is longer than its announced length",
            ))?;
        }
        Ok(())
    }

    pub(super) fn is_end_stream(&self) -> bool {
        self.has_finished && self.trailers.is_none()
    }

    pub(super) fn size_hint(&self) -> SizeHint {
        self.left.map_or_else(SizeHint::new, SizeHint::with_exact)
    }
}

/// The error of a body for which the scheme can't buffer more.
#[derive(Debug)]
pub(super) struct NoRoom;

impl fmt::Display for NoRoom {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("too many request bodies are buffered")
    }
}

impl std::error::Error for NoRoom {}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

    use std::future::poll_fn;

    use http::HeaderValue;

    use super::*;
    use crate::connection::ConnectionKey;
    use crate::limits::BufferBudget;

    /// Writes each byte twice, after a `<` and before a `>`, and announces a given length.
    #[derive(Clone, Copy, Debug)]
    struct Twice {
        says: Option<u64>,
        begun: bool,
    }

    impl BodyEncoder for Twice {
        fn encoded_len(&self, _: Option<u64>) -> Option<u64> {
            self.says
        }

        fn encode(&mut self, data: &mut Bytes) -> Result<Option<Bytes>, EncodeError> {
            if !std::mem::replace(&mut self.begun, true) {
                return Ok(Some(Bytes::from_static(b"<")));
            }
            let byte = data.split_to(1);
            Ok(Some([&byte[..], &byte[..]].concat().into()))
        }

        fn finish(&mut self) -> Result<Bytes, EncodeError> {
            Ok(Bytes::from_static(b">"))
        }

        fn max_buffered(&self) -> usize {
            0
        }

        fn restart(&self) -> Box<dyn BodyEncoder> {
            Box::new(Self {
                begun: false,
                ..*self
            })
        }
    }

    fn coded(says: Option<u64>, trailers: bool) -> RequestBody {
        let trailer = ("x-sum".parse().unwrap(), HeaderValue::from_static("1"));
        let trailers = trailers.then(|| HeaderMap::from_iter([trailer]));
        let plain = RequestBody::buffered(Bytes::from_static(b"abc"), trailers, None);
        let coder = Box::new(Twice { says, begun: false });
        let key = ConnectionKey::try_from("c").unwrap();
        let room = Arc::new(BufferBudget::new(0));
        plain.encoded(coder, None, BufferPermit::empty(&room, &key))
    }

    /// Returns the body that comes out, with a `!` for an error and a `+` for trailers.
    async fn read(body: &mut RequestBody) -> String {
        let mut text = String::new();
        while let Some(frame) = poll_fn(|cx| Pin::new(&mut *body).poll_frame(cx)).await {
            match frame.map(Frame::into_data) {
                Ok(Ok(data)) => text.push_str(std::str::from_utf8(&data).unwrap()),
                Ok(Err(_)) => text.push('+'),
                Err(_) => text.push('!'),
            }
        }
        text
    }

    #[tokio::test]
    async fn a_body_comes_out_coded_once_and_once_more() {
        for (says, trailers, expected) in [
            (Some(8), false, "<aabbcc>"),
            (None, false, "<aabbcc>"),
            (None, true, "<aabbcc>+"),
            // Never more than the promised length: bytes that would look like the end aren't
            // sent before the body has ended. Less is an error too.
            (Some(7), false, "<aabb!"),
            (Some(4), false, "<aa!"),
            (Some(9), false, "<aabbcc!"),
        ] {
            let mut body = coded(says, trailers);
            assert_eq!(body.size_hint().exact(), says);
            assert!(!body.is_end_stream());
            let mut again = body.try_clone().unwrap();
            assert_eq!(read(&mut body).await, expected);
            assert!(body.is_end_stream());
            assert_eq!(again.size_hint().exact(), says);
            assert_eq!(read(&mut again).await, expected);
        }
    }

    #[tokio::test]
    async fn what_is_left_is_what_was_promised_less_what_came() {
        let mut body = coded(Some(8), false);
        for left in [7, 5, 3, 1] {
            poll_fn(|cx| Pin::new(&mut body).poll_frame(cx)).await;
            assert_eq!(body.size_hint().exact(), Some(left));
        }
        poll_fn(|cx| Pin::new(&mut body).poll_frame(cx)).await;
        assert!(body.is_end_stream());
    }
}
