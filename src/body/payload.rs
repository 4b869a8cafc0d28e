//! Buffers a body for a scheme that signs it, up to the scheme's limit.

use std::future::poll_fn;
use std::pin::Pin;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http::HeaderMap;
use http_body::Body as _;
use tokio::time::timeout;

use super::RequestBody;
use crate::error::{Error, ErrorCode};
use crate::limits::BufferPermit;

impl RequestBody {
    /// Returns the body in memory, and its bytes.
    ///
    /// # Errors
    ///
    /// [`ErrorCode::BodyTooLarge`] beyond the scheme's or the host application's limit, in bytes;
    /// [`ErrorCode::Overloaded`] if too much is already buffered for other calls;
    /// [`ErrorCode::UpstreamTimeout`] if nothing was received for `idle`; [`ErrorCode::BadAddress`]
    /// if the body broke off, or doesn't have the size that it announced.
    pub(crate) async fn buffer(
        mut self,
        limit: usize,
        host_limit: Option<u64>,
        idle: Duration,
        mut taken: BufferPermit,
    ) -> Result<(Self, Bytes), Error> {
        let limit = host_limit
            .and_then(|host| usize::try_from(host).ok())
            .map_or(limit, |host| host.min(limit));
        let size = self.size_hint();
        // Checked before the first poll, so that a caller that waits for `100 Continue` never sends
        // the body.
        if size.lower() > limit as u64 {
            return Err(too_large());
        }
        let mut data = BytesMut::new();
        let mut trailers: Option<HeaderMap> = None;
        loop {
            let frame = timeout(idle, poll_fn(|cx| Pin::new(&mut self).poll_frame(cx))).await;
            let Some(frame) = frame.map_err(|_| Error::body_stalled())? else {
                break;
            };
            match frame.map_err(Error::body_broken)?.into_data() {
                Ok(bytes) if data.len() + bytes.len() > limit => return Err(too_large()),
                Ok(bytes) if !taken.try_grow(bytes.len()) => return Err(no_room()),
                Ok(bytes) => data.extend_from_slice(&bytes),
                Err(frame) => trailers = frame.into_trailers().ok(),
            }
        }
        if size.exact().is_some_and(|exact| exact != data.len() as u64) {
            return Err(Error::body_broken(WrongLength));
        }
        let data = data.freeze();
        Ok((Self::buffered(data.clone(), trailers, Some(taken)), data))
    }
}

pub(crate) fn no_room() -> Error {
    Error::new(
        ErrorCode::Overloaded,
        "too many request bodies are buffered for the upstream's authentication; try again later",
    )
    .with_retry_after(Duration::from_secs(1))
}

fn too_large() -> Error {
    Error::new(
        ErrorCode::BodyTooLarge,
        "the body is larger than the upstream's authentication allows; send a smaller body",
    )
}

/// The error of a body that doesn't have the length that it announced.
#[derive(Debug)]
struct WrongLength;

impl std::fmt::Display for WrongLength {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("the body doesn't have the length in its Content-Length")
    }
}

impl std::error::Error for WrongLength {}
