//! Reads the rest of a body after the gateway has answered without reading it.
//!
//! If the body were dropped at once, the stream or the connection would end before the answer is
//! sent. The caller is still sending, and would see an error instead of the answer. The library
//! does the same for its own answers.

use std::time::Duration;

use axum::body::Body;
use bytes::Bytes;
use http::HeaderMap;
use http::header::EXPECT;
use http_body_util::BodyExt;
use tokio::time::timeout;

/// The maximum number of bytes that are read. [`TIME`] is the maximum time.
const BYTES: usize = 256 * 1024;
const TIME: Duration = Duration::from_secs(1);

/// Reads the body for a short time, while the answer is sent.
pub(crate) fn drain(headers: &HeaderMap, body: Body) {
    // The first read would send `100 Continue`, and the caller would then send the body.
    if !headers.contains_key(EXPECT) {
        tokio::spawn(timeout(TIME, read(body)));
    }
}

async fn read(mut body: Body) {
    let mut left = BYTES;
    while let Some(Ok(frame)) = body.frame().await {
        match left.checked_sub(frame.data_ref().map_or(0, Bytes::len)) {
            Some(rest) => left = rest,
            None => return,
        }
    }
}
