//! Keeps a payload in memory for a scheme that signs it, up to the scheme's limit.

use std::future::poll_fn;
use std::pin::Pin;

use bytes::{Bytes, BytesMut};
use http::HeaderMap;
use http_body::Body as _;

use super::RequestBody;
use crate::auth::PayloadUse;
use crate::error::{Error, ErrorCode};

impl RequestBody {
    /// The body, and its bytes if `payload` asks for them.
    ///
    /// # Errors
    ///
    /// [`ErrorCode::BodyTooLarge`] if it's larger than may be kept.
    pub(crate) async fn keep(
        mut self,
        payload: PayloadUse,
    ) -> Result<(Self, Option<Bytes>), Error> {
        let PayloadUse::Bytes { limit } = payload else {
            return Ok((self, None));
        };
        // Before the first poll, so that a caller that waits for `100 Continue` never sends it.
        if self.size_hint().lower() > limit as u64 {
            return Err(too_large());
        }
        let mut data = BytesMut::new();
        let mut trailers: Option<HeaderMap> = None;
        while let Some(frame) = poll_fn(|cx| Pin::new(&mut self).poll_frame(cx)).await {
            let frame = frame.map_err(|error| {
                Error::bad_address("the request's body broke off").with_source(error)
            })?;
            match frame.into_data() {
                Ok(bytes) if data.len() + bytes.len() > limit => return Err(too_large()),
                Ok(bytes) => data.extend_from_slice(&bytes),
                Err(frame) => trailers = frame.into_trailers().ok(),
            }
        }
        let data = data.freeze();
        Ok((Self::kept(data.clone(), trailers), Some(data)))
    }
}

fn too_large() -> Error {
    Error::new(
        ErrorCode::BodyTooLarge,
        "the body is larger than what the vendor's authentication allows to keep",
    )
}
