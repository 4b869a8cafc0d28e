//! What is left of an exchange when nobody waits for it any more: the end of an upload whose
//! response is there already (FORWARDING B9).

use std::future::{Future as _, poll_fn};
use std::pin::{Pin, pin};
use std::sync::{Arc, Weak};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http_body::{Body as _, Frame};
use hyper::body::Incoming;
use tokio::runtime::Handle;
use tokio::time::sleep;

use super::connection::Http1;
use crate::body::{Drive, Following, UpstreamBody};

/// How long the end of a request may take that hyper holds and nobody follows.
const FLUSH: Duration = Duration::from_secs(30);

/// Lets the upload go on beside the response.
pub(super) fn beside(
    connection: Box<Http1>,
    upload: Option<Following>,
    body: Incoming,
) -> UpstreamBody {
    let reading = Arc::new(());
    drive(connection, upload, Arc::downgrade(&reading));
    UpstreamBody::driven(body, Box::new(Elsewhere { _reading: reading }))
}

/// Lets a request come to its end whose response has come to its own.
pub(super) fn behind(connection: Box<Http1>) {
    drive(connection, None, Weak::new());
}

/// Drives the connection in a task of its own until it's free, and gives it back; or closes it once
/// nothing of the call has moved for the idle timeout. An upload that has ended leaves that to the
/// response, for as long as somebody is `reading` it: a caller without room isn't idle.
fn drive(mut connection: Box<Http1>, upload: Option<Following>, reading: Weak<()>) {
    // Outside of a runtime nothing could be written.
    let Ok(runtime) = Handle::try_current() else {
        return;
    };
    runtime.spawn(async move {
        let gives_up = async {
            let Some(upload) = upload else {
                return sleep(FLUSH).await;
            };
            loop {
                upload.stalls().await;
                if !upload.has_ended() || reading.strong_count() == 0 {
                    return;
                }
            }
        };
        let mut gives_up = pin!(gives_up);
        let is_free = poll_fn(|cx| {
            if gives_up.as_mut().poll(cx).is_ready() {
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

/// A connection that another task drives.
struct Elsewhere {
    _reading: Arc<()>,
}

impl Drive for Elsewhere {
    fn poll_frame(
        &mut self,
        cx: &mut Context<'_>,
        body: &mut Incoming,
    ) -> Poll<Option<hyper::Result<Frame<Bytes>>>> {
        Pin::new(body).poll_frame(cx)
    }

    fn finish(self: Box<Self>) {}
}
