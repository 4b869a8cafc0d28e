//! What those who send a request's body may know of it once it's out of their hands.

use std::future::poll_fn;
use std::pin::pin;
use std::sync::Arc;

use tokio::time::{Instant, sleep};

use super::idle::poll_still;
use super::request::Uploading;
use super::upload::{Progress as _, UploadState};

/// The progress of a request's body, and how long it may be without any.
#[derive(Clone)]
pub(crate) struct Following(pub(super) Arc<Uploading>);

impl Following {
    /// Whether its last byte has been handed on.
    pub(crate) fn has_ended(&self) -> bool {
        self.0.progress().state() == UploadState::Ended
    }

    /// Ends once nothing of the call has moved for the idle timeout, either way.
    pub(crate) async fn stalls(&self) {
        let started = Instant::now();
        let mut timer = pin!(sleep(self.0.idle));
        poll_fn(|cx| {
            let moved = self.0.progress().moved().max(started);
            poll_still(timer.as_mut(), cx, moved, self.0.idle, None)
        })
        .await;
    }
}
