//! How far a request's body has come: shared by the body, which the client owns, and the call that
//! waits for an answer.

use std::sync::atomic::{AtomicU8, AtomicU64, Ordering};
use std::time::Duration;

use tokio::time::Instant;

/// The progress of one request's body. Its times are milliseconds since the call's start, so that
/// they fit an atomic.
#[derive(Debug)]
pub(crate) struct Upload {
    started: Instant,
    bytes: AtomicU64,
    moved: AtomicU64,
    state: AtomicU8,
}

/// Something that knows how far a request's body has come.
pub(crate) trait Progress: Send + Sync {
    fn progress(&self) -> &Upload;
}

/// What became of the body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum UploadState {
    /// The vendor, or the network to it, has room, and the caller hasn't sent.
    AwaitsCaller,
    /// The next frame hasn't been asked for.
    AwaitsVendor,
    /// The last byte has been handed on.
    Ended,
    /// The caller's body broke off.
    Broken,
    /// It grew over the host's limit.
    TooLarge,
    /// The caller sent nothing for the idle timeout, while nothing else moved.
    Stalled,
}

impl Upload {
    pub(crate) fn new(started: Instant) -> Self {
        Self {
            started,
            bytes: AtomicU64::new(0),
            moved: AtomicU64::new(0),
            state: AtomicU8::new(UploadState::AwaitsVendor as u8),
        }
    }

    /// Counts bytes that the caller sent. The total so far is returned.
    pub(crate) fn add(&self, bytes: usize) -> u64 {
        self.touch();
        let bytes = bytes as u64;
        self.bytes.fetch_add(bytes, Ordering::Relaxed) + bytes
    }

    /// The body is sent once more.
    pub(crate) fn restart(&self) {
        self.bytes.store(0, Ordering::Relaxed);
        self.set(UploadState::AwaitsVendor);
    }

    /// Something moved.
    pub(crate) fn touch(&self) {
        let elapsed = u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.moved.store(elapsed, Ordering::Relaxed);
    }

    pub(crate) fn set(&self, state: UploadState) {
        self.state.store(state as u8, Ordering::Release);
    }

    pub(crate) fn state(&self) -> UploadState {
        const STATES: [UploadState; 6] = [
            UploadState::AwaitsCaller,
            UploadState::AwaitsVendor,
            UploadState::Ended,
            UploadState::Broken,
            UploadState::TooLarge,
            UploadState::Stalled,
        ];
        let state = usize::from(self.state.load(Ordering::Acquire));
        STATES.get(state).copied().unwrap_or(UploadState::Broken)
    }

    pub(crate) fn bytes(&self) -> u64 {
        self.bytes.load(Ordering::Relaxed)
    }

    /// When a byte moved last.
    pub(crate) fn moved(&self) -> Instant {
        self.started + Duration::from_millis(self.moved.load(Ordering::Relaxed))
    }
}
