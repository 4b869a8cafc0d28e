//! Connections that are driven by a separate task, because their calls no longer poll them: an upload
//! may continue after the head of the response, and the end of a request may still have to be written
//! after the end of the response.

use std::future::{Future as _, poll_fn};
use std::pin::{Pin, pin};
use std::sync::{Arc, Weak};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use http_body::{Body as _, Frame};
use hyper::body::Incoming;
use tokio::runtime::Handle;
use tokio::time::sleep;

use super::connection::{Http1, IdlePool, check_trailers};
use crate::body::{Drive, Following, UpstreamBody};

/// The time limit for writing the end of a request that hyper has buffered.
const FLUSH_TIMEOUT: Duration = Duration::from_secs(30);

/// Continues an upload in a task, and returns the response's body.
pub(super) fn continue_upload(
    connection: Box<Http1>,
    upload: Option<Following>,
    body: Incoming,
) -> UpstreamBody {
    let reader = Arc::new(());
    let pool = connection.pool();
    drive(connection, upload, Arc::downgrade(&reader));
    let driver = DetachedDriver {
        _reader: reader,
        pool,
    };
    UpstreamBody::driven(body, Box::new(driver))
}

/// Writes the end of a request in a task, after its response has been read.
pub(super) fn finish_request(connection: Box<Http1>) {
    drive(connection, None, Weak::new());
}

/// Drives the connection in a task until the connection is free, and checks it in. If the call makes
/// no progress for the idle timeout, closes the connection instead. After the upload has ended, the
/// timeout doesn't apply while the response has a `reader`, because a caller who reads slowly isn't
/// idle.
fn drive(mut connection: Box<Http1>, upload: Option<Following>, reader: Weak<()>) {
    // Outside of a runtime nothing could be written, so the connection is closed.
    let Ok(runtime) = Handle::try_current() else {
        return;
    };
    runtime.spawn(async move {
        let timed_out = async {
            let Some(upload) = upload else {
                return sleep(FLUSH_TIMEOUT).await;
            };
            loop {
                upload.stalls().await;
                if !upload.has_ended() || reader.strong_count() == 0 {
                    return;
                }
            }
        };
        let mut timed_out = pin!(timed_out);
        let is_free = poll_fn(|cx| {
            if timed_out.as_mut().poll(cx).is_ready() {
                return Poll::Ready(false);
            }
            connection.poll_free(cx).map(|()| true)
        })
        .await;
        if is_free {
            let _ = connection.try_check_in();
        }
    });
}

/// The driver of a response's body whose connection is driven by a task. While this value exists, the
/// response has a reader.
struct DetachedDriver {
    _reader: Arc<()>,
    pool: Option<Arc<dyn IdlePool>>,
}

impl Drive for DetachedDriver {
    fn poll_frame(
        &mut self,
        cx: &mut Context<'_>,
        body: &mut Incoming,
    ) -> Poll<Option<hyper::Result<Frame<Bytes>>>> {
        let frame = ready!(Pin::new(body).poll_frame(cx));
        check_trailers(&frame, self.pool.as_ref());
        Poll::Ready(frame)
    }

    fn finish(self: Box<Self>) {}
}
