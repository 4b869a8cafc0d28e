//! Reads on from a body that nobody wants any more, so that an answer sent first can arrive.
//!
//! hyper closes a connection whose request it couldn't read; the kernel then resets it, and the
//! reset can eat the answer out of the caller's buffer (RFC 9112 §9.6; FORWARDING E7).

use std::future::poll_fn;
use std::pin::Pin;
use std::time::Duration;

use bytes::Bytes;
use http_body::Body;
use tokio::runtime::Handle;
use tokio::time::timeout;

/// How much is read on, and for how long.
const BYTES: usize = 256 * 1024;
const TIME: Duration = Duration::from_secs(1);

/// Drops each frame as it comes, up to the limits. It holds nothing of the vendor's side. Outside
/// of a runtime nothing is read.
pub(super) fn in_background<B>(body: B)
where
    B: Body<Data = Bytes> + Send + Unpin + 'static,
{
    if let Ok(runtime) = Handle::try_current() {
        // The timer is made inside: outside of a runtime that has one it would panic, in a drop.
        runtime.spawn(async move { timeout(TIME, drain(body)).await });
    }
}

async fn drain<B: Body<Data = Bytes> + Unpin>(mut body: B) {
    let mut left = BYTES;
    while let Some(Ok(frame)) = poll_fn(|cx| Pin::new(&mut body).poll_frame(cx)).await {
        let read = frame.data_ref().map_or(0, Bytes::len);
        match left.checked_sub(read) {
            Some(rest) => left = rest,
            None => return,
        }
    }
}
