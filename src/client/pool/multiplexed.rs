//! An HTTP/2 connection of the pool, and the number of streams that each connection key has on the
//! connection.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use foldhash::quality::RandomState;
use tokio::time::Instant;

use crate::client::http2::{Closed, Http2};
use crate::connection::ConnectionKey;

/// An HTTP/2 connection that counts its streams.
pub(super) struct Multiplexed {
    connection: Http2,
    id: u64,
    streams_by_user: HashMap<ConnectionKey, usize, RandomState>,
    /// The time at which the last stream ended. Before the first stream, the time at which the
    /// connection was opened.
    idle_since: Instant,
    _counted: Counted,
}

/// Counts an HTTP/2 connection of the pool until this value is dropped.
struct Counted(Arc<AtomicUsize>);

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Multiplexed {
    /// Returns a connection without streams. `count` is the number of HTTP/2 connections of the pool.
    pub(super) fn new(connection: Http2, id: u64, count: &Arc<AtomicUsize>) -> Self {
        count.fetch_add(1, Ordering::Relaxed);
        Self {
            connection,
            id,
            streams_by_user: HashMap::default(),
            idle_since: Instant::now(),
            _counted: Counted(Arc::clone(count)),
        }
    }

    pub(super) fn id(&self) -> u64 {
        self.id
    }

    /// Checks that new streams can be opened.
    ///
    /// # Errors
    ///
    /// [`Closed`] after a GOAWAY, or if the connection has ended.
    pub(super) fn check_open(&mut self) -> Result<(), Closed> {
        self.connection.check_open()
    }

    /// Returns `true` if `user` may open another stream. If the connection is `shared`, a user may have as many streams as are free for
    /// others, so streams of a few users never use up the connection.
    pub(super) fn has_room_for(
        &self,
        user: Option<&ConnectionKey>,
        limit: usize,
        shared: bool,
    ) -> bool {
        // If the upstream permits no stream for now, the first stream is opened nevertheless, and
        // waits until the upstream permits it.
        let max = self.connection.max_streams().max(1);
        let free = max.saturating_sub(self.connection.streams());
        let Some(user) = user else {
            return free > 0;
        };
        let open = self.streams_of(user);
        let share = if shared { free.min(limit) } else { limit };
        free > 0 && open < share.max(1)
    }

    /// Returns `true` if the upstream has sent its limit for streams.
    pub(super) fn has_settings(&self) -> bool {
        self.connection.has_settings()
    }

    /// Returns the number of streams of `user`.
    pub(super) fn streams_of(&self, user: &ConnectionKey) -> usize {
        self.streams_by_user.get(user).copied().unwrap_or(0)
    }

    /// Returns the connection keys that have streams.
    pub(super) fn users(&self) -> impl Iterator<Item = &ConnectionKey> {
        self.streams_by_user.keys()
    }

    /// Counts a stream of `user`, and returns the connection on which to open the stream.
    pub(super) fn open_stream(&mut self, user: Option<&ConnectionKey>) -> Http2 {
        self.connection.add_stream();
        if let Some(user) = user {
            *self.streams_by_user.entry(user.clone()).or_default() += 1;
        }
        self.connection.clone()
    }

    /// Counts a stream of `user` as ended.
    pub(super) fn close_stream(&mut self, user: Option<&ConnectionKey>) {
        self.connection.remove_stream();
        self.idle_since = Instant::now();
        let Some(user) = user else {
            return;
        };
        if let Some(open) = self.streams_by_user.get_mut(user) {
            *open -= 1;
            if *open == 0 {
                self.streams_by_user.remove(user);
            }
        }
    }

    /// Returns the number of open streams.
    pub(super) fn streams(&self) -> usize {
        self.connection.streams()
    }

    pub(super) fn is_unused(&self) -> bool {
        self.streams() == 0
    }

    /// Returns the start of the idle time, which is valid only if the connection is unused.
    pub(super) fn idle_since(&self) -> Instant {
        self.idle_since
    }

    pub(super) fn into_connection(self) -> Http2 {
        self.connection
    }
}
