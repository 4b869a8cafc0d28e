//! Drains a request's body that isn't needed any more, so that a response that was sent early can arrive.
//!
//! hyper closes a connection whose request wasn't read to its end. The kernel then resets it, and a reset can remove the
//! response from the caller's receive buffer (RFC 9112 §9.6).

use std::future::poll_fn;
use std::pin::Pin;
use std::time::Duration;

use bytes::Bytes;
use http_body::Body;
use tokio::runtime::Handle;
use tokio::time::timeout;

/// The maximum number of bytes to drain.
const MAX_SIZE: usize = 256 * 1024;
/// The maximum time to drain for.
const DRAIN_TIMEOUT: Duration = Duration::from_secs(1);

/// Drops each frame as it comes, up to the limits, without holding anything of the upstream's side. Does nothing outside
/// of a runtime.
pub(super) fn in_background<B>(body: B)
where
    B: Body<Data = Bytes> + Send + Unpin + 'static,
{
    if let Ok(runtime) = Handle::try_current() {
        // The timer is made inside of the task: outside of a runtime that has timers, a new timer would panic, in a drop.
        runtime.spawn(async move { timeout(DRAIN_TIMEOUT, drain(body)).await });
    }
}

async fn drain<B: Body<Data = Bytes> + Unpin>(mut body: B) {
    let mut left = MAX_SIZE;
    while let Some(Ok(frame)) = poll_fn(|cx| Pin::new(&mut body).poll_frame(cx)).await {
        let read = frame.data_ref().map_or(0, Bytes::len);
        match left.checked_sub(read) {
            Some(rest) => left = rest,
            None => return,
        }
    }
}
