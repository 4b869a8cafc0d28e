//! What becomes of a body that the gateway answers without reading (FORWARDING E7).
//!
//! Dropped at once, it would end the stream, or the connection, before the answer is out: the
//! caller still sends, and would see an error in its place. The library does the same for its own
//! answers.

use std::time::Duration;

use axum::body::Body;
use bytes::Bytes;
use http::HeaderMap;
use http::header::EXPECT;
use http_body_util::BodyExt;
use tokio::time::timeout;

/// How much is read on, and for how long.
const BYTES: usize = 256 * 1024;
const TIME: Duration = Duration::from_secs(1);

/// Reads on for a moment, beside the answer.
pub(crate) fn drain(headers: &HeaderMap, body: Body) {
    // A caller that waits to be told to send would be told so by the first read.
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
