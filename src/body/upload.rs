//! The progress of a request's body: shared by the body, which the client owns, and the call that waits for a response.

use std::future::{Future as _, poll_fn};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU64, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::task::unconstrained;
use tokio::time::{Instant, Sleep, sleep};

/// The progress of a request's body. Times are kept as milliseconds since the call's start, so that they fit into an
/// atomic.
#[derive(Debug)]
pub(crate) struct Upload {
    started: Instant,
    bytes: AtomicU64,
    moved: AtomicU64,
    state: AtomicU8,
    /// The call has ended, and the upload goes on without it.
    unattended: AtomicBool,
}

/// Shared state that holds the progress of a request's body.
pub(crate) trait Progress: Send + Sync {
    fn progress(&self) -> &Upload;
}

/// The state of a body on its way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum UploadState {
    /// The upstream, or the network to it, has room, and the caller hasn't sent data.
    AwaitsCaller,
    /// The next frame hasn't been polled for.
    AwaitsUpstream,
    /// The last byte has been handed on.
    Ended,
    /// The caller's body broke off.
    Broken,
    /// The body exceeds the limit of the host application, or of a layer of the host application.
    TooLarge,
    /// The caller sent nothing for the idle timeout, while nothing else moved.
    Stalled,
    /// There was no memory for the part that the scheme buffers.
    NoRoom,
}

impl Upload {
    pub(crate) fn new(started: Instant) -> Self {
        Self {
            started,
            bytes: AtomicU64::new(0),
            moved: AtomicU64::new(0),
            state: AtomicU8::new(UploadState::AwaitsUpstream as u8),
            unattended: AtomicBool::new(false),
        }
    }

    /// Counts bytes that the caller sent, and returns the total so far.
    pub(crate) fn add(&self, bytes: usize) -> u64 {
        self.touch();
        let bytes = bytes as u64;
        self.bytes.fetch_add(bytes, Ordering::Relaxed) + bytes
    }

    /// Starts over, as the body is sent again.
    pub(crate) fn restart(&self) {
        self.bytes.store(0, Ordering::Relaxed);
        self.set(UploadState::AwaitsUpstream);
    }

    /// Records that something of the call moved.
    pub(crate) fn touch(&self) {
        let elapsed = u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.moved.store(elapsed, Ordering::Relaxed);
    }

    pub(crate) fn set(&self, state: UploadState) {
        self.state.store(state as u8, Ordering::Release);
    }

    pub(crate) fn state(&self) -> UploadState {
        const STATES: [UploadState; 7] = [
            UploadState::AwaitsCaller,
            UploadState::AwaitsUpstream,
            UploadState::Ended,
            UploadState::Broken,
            UploadState::TooLarge,
            UploadState::Stalled,
            UploadState::NoRoom,
        ];
        let state = usize::from(self.state.load(Ordering::Acquire));
        STATES.get(state).copied().unwrap_or(UploadState::Broken)
    }

    /// Records that the call has ended.
    pub(crate) fn leave(&self) {
        self.unattended.store(true, Ordering::Release);
    }

    /// Returns `true` if the call has ended.
    pub(super) fn is_unattended(&self) -> bool {
        self.unattended.load(Ordering::Acquire)
    }

    pub(crate) fn bytes(&self) -> u64 {
        self.bytes.load(Ordering::Relaxed)
    }

    /// Returns the time at which a byte last moved.
    pub(crate) fn moved(&self) -> Instant {
        self.started + Duration::from_millis(self.moved.load(Ordering::Relaxed))
    }
}

/// A view of an upload for those who send it: its progress, and the time that it may spend without any.
#[derive(Clone)]
pub(crate) struct Following {
    upload: Arc<dyn Progress>,
    idle: Duration,
}

impl Following {
    pub(super) fn new(upload: Arc<dyn Progress>, idle: Duration) -> Self {
        Self { upload, idle }
    }

    /// Returns `true` if the last byte of the body has been handed on.
    pub(crate) fn has_ended(&self) -> bool {
        self.upload.progress().state() == UploadState::Ended
    }

    /// Completes once nothing of the call has moved for the idle timeout, in either direction.
    pub(crate) async fn stalls(&self) {
        let started = Instant::now();
        let mut timer = pin!(sleep(self.idle));
        poll_fn(|cx| {
            let moved = self.upload.progress().moved().max(started);
            poll_still(timer.as_mut(), cx, moved, self.idle, None)
        })
        .await;
    }
}

/// Polls outside of tokio's budget for cooperative tasks (`tokio::task::coop`).
///
/// Bytes that keep arriving use up the budget of a task, and a timer or a signal that is polled afterwards would then always be
/// pending. So everything that ends a wait is polled by this function.
pub(crate) fn poll_unbudgeted<T>(
    cx: &mut Context<'_>,
    poll: impl FnMut(&mut Context<'_>) -> Poll<T>,
) -> Poll<T> {
    pin!(unconstrained(poll_fn(poll))).poll(cx)
}

/// Completes once `limit` has passed since `moved`, or at `end`. The timer is reset when it fires, rather than for each
/// frame.
pub(crate) fn poll_still(
    mut timer: Pin<&mut Sleep>,
    cx: &mut Context<'_>,
    moved: Instant,
    limit: Duration,
    end: Option<Instant>,
) -> Poll<()> {
    poll_unbudgeted(cx, |cx| {
        while timer.as_mut().poll(cx).is_ready() {
            let deadline = moved + limit;
            let deadline = end.map_or(deadline, |end| end.min(deadline));
            if deadline <= Instant::now() {
                return Poll::Ready(());
            }
            timer.as_mut().reset(deadline);
        }
        Poll::Pending
    })
}
