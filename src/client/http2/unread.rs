//! The bytes of responses that have arrived over HTTP/2 and that callers haven't read yet.
//!
//! The flow-control window of a stream permits an upstream to send 256 KiB ahead of the caller. With many callers that don't read,
//! the sum of all windows is too much memory. So the windows of a connection become smaller (RFC 9113 §6.9.2) when its streams have
//! more unread bytes than are free for all others: connections whose callers read keep their windows. An upstream that sends more
//! than the smaller windows permit, while there are very many unread bytes, loses its streams.
//!
//! Rules: `docs/rules/security.md#6-resources-that-may-be-used-up`.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::MAX_STREAMS;

/// The flow-control window of a stream, in bytes.
pub(super) const WINDOW: u32 = 256 * 1024;
/// The flow-control window of a stream of a connection with too many unread bytes.
const REDUCED_WINDOW: u32 = 8 * 1024;
/// The flow-control window of a connection, in bytes. It's the sum of the windows of all streams, so callers that don't read can't use up
/// the part of another stream.
pub(super) const CONNECTION_WINDOW: u32 = MAX_STREAMS * WINDOW;

/// The number of unread bytes of all connections that should not be exceeded.
const SHARED: usize = 64 << 20;
/// The number of unread bytes of all connections above which streams are reset.
const MAX: usize = 256 << 20;
/// The number of unread bytes that a stream may have above [`MAX`]. An upstream that observes the reduced window stays below it.
const MAX_OF_STREAM: usize = 4 * REDUCED_WINDOW as usize;

/// The number of unread bytes of all connections of a transport.
#[derive(Debug, Default)]
pub(super) struct Unread(AtomicUsize);

impl Unread {
    fn free(&self) -> usize {
        SHARED.saturating_sub(self.0.load(Ordering::Relaxed))
    }
}

/// The number of unread bytes of a connection.
#[derive(Debug, Default)]
pub(super) struct Share {
    all: Arc<Unread>,
    bytes: AtomicUsize,
}

impl Share {
    pub(super) fn new(all: Arc<Unread>) -> Self {
        Self {
            all,
            bytes: AtomicUsize::new(0),
        }
    }

    /// Adds bytes of a stream that has `of_stream` unread bytes with them. Returns `false` if the stream must be reset.
    #[must_use]
    pub(super) fn add(&self, bytes: usize, of_stream: usize) -> bool {
        self.bytes.fetch_add(bytes, Ordering::Relaxed);
        let all = self.all.0.fetch_add(bytes, Ordering::Relaxed) + bytes;
        all <= MAX || of_stream <= MAX_OF_STREAM
    }

    pub(super) fn remove(&self, bytes: usize) {
        self.bytes.fetch_sub(bytes, Ordering::Relaxed);
        self.all.0.fetch_sub(bytes, Ordering::Relaxed);
    }

    /// Returns the window for the streams of a new connection.
    pub(super) fn first_window(&self) -> u32 {
        self.window(REDUCED_WINDOW)
    }

    /// Returns the window that the streams should have instead of their `current` window.
    pub(super) fn window(&self, current: u32) -> u32 {
        let (own, free) = (self.bytes.load(Ordering::Relaxed), self.all.free());
        let is_full_size = match current {
            WINDOW => own <= free,
            // All of these windows may be used at once, before the upstream reads that they have become smaller again.
            _ => own <= free / 2 && free >= CONNECTION_WINDOW as usize,
        };
        if is_full_size { WINDOW } else { REDUCED_WINDOW }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn two() -> (Share, Share) {
        let all = Arc::<Unread>::default();
        (Share::new(Arc::clone(&all)), Share::new(all))
    }

    #[test]
    fn only_a_connection_with_more_unread_bytes_than_are_free_has_small_windows() {
        let (stalled, reads) = two();
        assert_eq!(stalled.first_window(), WINDOW);
        assert!(stalled.add(SHARED / 2, SHARED));
        assert_eq!(stalled.window(WINDOW), WINDOW);
        assert!(stalled.add(1, SHARED));
        assert_eq!(stalled.window(WINDOW), REDUCED_WINDOW);
        assert_eq!(reads.window(WINDOW), WINDOW);
        assert_eq!(reads.first_window(), WINDOW);
        stalled.remove(SHARED / 6);
        assert_eq!(stalled.window(REDUCED_WINDOW), REDUCED_WINDOW);
        stalled.remove(2);
        assert_eq!(stalled.window(REDUCED_WINDOW), WINDOW);
    }

    #[test]
    fn a_new_connection_has_small_windows_while_little_is_free() {
        let (stalled, new) = two();
        assert!(stalled.add(SHARED - CONNECTION_WINDOW as usize, SHARED));
        assert_eq!(new.first_window(), WINDOW);
        assert!(stalled.add(1, SHARED));
        assert_eq!(new.first_window(), REDUCED_WINDOW);
    }

    #[test]
    fn above_256_mib_only_streams_with_few_bytes_go_on() {
        let (one, other) = two();
        assert!(one.add(MAX, MAX));
        assert!(other.add(1, MAX_OF_STREAM));
        assert!(!other.add(1, MAX_OF_STREAM + 1));
    }
}
