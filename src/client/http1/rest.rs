//! What is left of an exchange when nobody waits for it any more: the end of an upload whose
//! response is there already (FORWARDING B9).

use std::future::{Future as _, poll_fn};
use std::pin::pin;
use std::task::Poll;
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::time::sleep;

use super::connection::Http1;
use crate::body::Following;

/// How long the end of a request may take that hyper holds and nobody follows.
const FLUSH: Duration = Duration::from_secs(30);

/// Drives the connection in a task of its own until it's free, and gives it back; or closes it once
/// nothing of the call has moved for the idle timeout.
pub(super) fn drive(mut connection: Box<Http1>, upload: Option<Following>) {
    // Outside of a runtime nothing could be written.
    let Ok(runtime) = Handle::try_current() else {
        return;
    };
    runtime.spawn(async move {
        let stalls = async {
            match upload {
                Some(upload) => upload.stalls().await,
                None => sleep(FLUSH).await,
            }
        };
        let mut stalls = pin!(stalls);
        let is_free = poll_fn(|cx| {
            if stalls.as_mut().poll(cx).is_ready() {
                return Poll::Ready(false);
            }
            connection.poll_free(cx).map(|()| true)
        })
        .await;
        if is_free {
            let _ = connection.give_back();
        }
    });
}
