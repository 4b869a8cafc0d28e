//! How connections are opened: in tasks of their own, for whoever is first in line by then.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio::runtime::Handle;

use super::afterwards::Afterwards;
use super::host::{Host, Multiplexed, Protocol, State, Waiting};
use super::table::Shared;
use crate::client::connect::Stream;
use crate::client::error::{TransportError, TransportErrorKind};
use crate::client::http1::Http1;
use crate::client::http2::Http2;
use crate::policy::Scheme;

impl State {
    /// Plans as many connections as the line is in need of, and as may be opened at once.
    pub(super) fn open_for_line(&mut self, host: &Host, pool: &Shared, then: &mut Afterwards) {
        if self.calm.left().is_some() {
            return;
        }
        let wanted = self.wanted(pool, host.is_http1(pool));
        let more = wanted.saturating_sub(self.opening);
        self.opening += more;
        then.openings += more;
    }

    /// How many connections should be in the making.
    fn wanted(&self, pool: &Shared, is_http1: bool) -> usize {
        let line = self.line.len();
        let limits = &pool.limits;
        match self.speaks {
            Some(Protocol::Http1) => line.min(limits.handshakes),
            // One is enough for all, until it's full.
            Some(Protocol::Http2) => {
                let has_room = self.multiplexed.len() < limits.multiplexed.max(1);
                usize::from(has_room && self.lacks_streams(limits.streams))
            }
            None if is_http1 => line.min(limits.handshakes),
            // One finds out.
            None => line.min(1),
        }
    }

    /// Whether somebody waits for whom all connections are full. Who has used up his own streams
    /// waits for those.
    fn lacks_streams(&self, limit: usize) -> bool {
        self.line.iter().any(|waiting| {
            let is_full =
                |multiplexed: &Multiplexed| !multiplexed.has_spent(waiting.user.as_ref(), limit);
            self.multiplexed.iter().all(is_full)
        })
    }

    /// Those in line for whom nothing can be opened, as the vendor asked for calm.
    fn cannot_serve(&mut self) -> Vec<(Waiting, TransportError)> {
        let left = self.calm.left();
        let Some(left) = left.filter(|_| self.multiplexed.is_empty() && self.opening == 0) else {
            return Vec::new();
        };
        let line = std::mem::take(&mut self.line).into_iter();
        line.map(|waiting| (waiting, overloaded(left))).collect()
    }

    /// Tells those whom the failure of a connection concerns: the first in line, or all of them
    /// where one connection was to serve all. Who waits for a stream of another goes on waiting.
    fn fails(&mut self, is_http1: bool, error: TransportError, then: &mut Afterwards) {
        let concerned = match self.speaks {
            _ if is_http1 => self.line.len().min(1),
            Some(Protocol::Http1) => self.line.len().min(1),
            _ if self.multiplexed.is_empty() => self.line.len(),
            _ => 0,
        };
        let error = Arc::new(error);
        let concerned = self.line.drain(..concerned);
        then.failed
            .extend(concerned.map(|waiting| (waiting, TransportError::shared(&error))));
    }
}

impl Host {
    /// Whether it will be HTTP/1.1, whatever the vendor says.
    fn is_http1(&self, pool: &Shared) -> bool {
        let is_secure = self.key.origin.scheme() == Scheme::Https;
        !self.key.needs_http2 && pool.protocols.is_http1_for_sure(is_secure)
    }

    /// HTTP/2 connection `id` is at its end. `is_busy`: as the vendor is called too much.
    fn connection_ended(self: &Arc<Self>, id: u64, is_busy: bool) {
        let Some(pool) = self.pool.upgrade() else {
            return;
        };
        let mut then = Afterwards::default();
        let mut state = self.lock();
        if is_busy {
            state.calm.asked_by(id);
        }
        if let Some(at) = state.multiplexed.iter().position(|other| other.id == id) {
            then.http2 = Some(state.multiplexed.swap_remove(at).connection);
        }
        // Whoever waited for a stream of it needs another.
        state.open_for_line(self, &pool, &mut then);
        then.failed = state.cannot_serve();
        drop(state);
        then.finish(self, &pool);
    }

    /// Something has happened on HTTP/2 connection `id`: those in line may have something of it.
    /// `has_grown`: the vendor takes more streams than before.
    fn connection_moved(self: &Arc<Self>, id: u64, has_grown: bool) {
        let Some(pool) = self.pool.upgrade() else {
            return;
        };
        let mut state = self.lock();
        if state.line.is_empty() {
            return;
        }
        let mut multiplexed = state.multiplexed.iter_mut();
        let is_retiring = multiplexed
            .find(|other| other.id == id)
            .is_some_and(|other| other.connection.look().is_err());
        if !has_grown && !is_retiring {
            return;
        }
        let mut then = Afterwards::default();
        state.serve(self, &pool, &mut then);
        drop(state);
        then.finish(self, &pool);
    }

    /// The vendor of connection `id` has said that it's called too much.
    pub(in crate::client) fn is_called_too_much(&self, id: u64) {
        self.lock().calm.asked_by(id);
    }
}

/// The answer to calls while the vendor is left alone.
pub(super) fn overloaded(left: Duration) -> TransportError {
    TransportError::from(TransportErrorKind::Overloaded).with_retry_after(left)
}

enum Opened {
    Http1(Box<Http1>),
    Http2(Http2, u64),
}

/// A connection in the making. Dropped half-way, as when its runtime ends, it has failed.
pub(super) struct Opening {
    host: Arc<Host>,
    pool: Arc<Shared>,
    is_over: bool,
}

impl Opening {
    /// Opens a connection in a task of its own. The host isn't locked.
    pub(super) fn begin(host: &Arc<Host>, pool: &Arc<Shared>) {
        let mut opening = Self {
            host: Arc::clone(host),
            pool: Arc::clone(pool),
            is_over: false,
        };
        // A body may be dropped outside of a runtime; then there is nobody to open one.
        if let Ok(runtime) = Handle::try_current() {
            runtime.spawn(async move {
                let opened = opening.open().await;
                opening.ends(opened);
            });
        }
    }

    async fn open(&self) -> Result<Opened, TransportError> {
        let connector = &self.pool.connector;
        let stream = connector.connect(self.host.peer(&self.pool)?).await?;
        let id = self.pool.number();
        let needs_http2 = self.host.key.needs_http2;
        if self.pool.protocols.is_http2(&stream, needs_http2) {
            return self.open_http2(stream, id).await;
        }
        if needs_http2 {
            return Err(TransportErrorKind::Http2Unavailable.into());
        }
        match Http1::over(stream, &self.pool.http1, &self.host, id).await? {
            Some(connection) => Ok(Opened::Http1(connection)),
            // The vendor hung up at once.
            None => Err(TransportErrorKind::Unsent.into()),
        }
    }

    async fn open_http2(&self, stream: Stream, id: u64) -> Result<Opened, TransportError> {
        let host = Arc::downgrade(&self.host);
        let ended = move |is_busy| {
            if let Some(host) = host.upgrade() {
                host.connection_ended(id, is_busy);
            }
        };
        let host = Arc::downgrade(&self.host);
        let moved = move |has_grown| {
            if let Some(host) = host.upgrade() {
                host.connection_moved(id, has_grown);
            }
        };
        let mut connection = Http2::over(stream, &self.pool.http2, ended, moved).await?;
        if connection.look().is_err() {
            // The vendor hung up at once.
            return Err(TransportErrorKind::Unsent.into());
        }
        Ok(Opened::Http2(connection, id))
    }

    fn ends(&mut self, opened: Result<Opened, TransportError>) {
        self.is_over = true;
        let (host, pool) = (&self.host, &self.pool);
        let mut then = Afterwards::default();
        let mut state = host.lock();
        state.opening = state.opening.saturating_sub(1);
        let is_forsaken = state.line.is_empty() && state.forsaken > 0;
        state.forsaken = (state.forsaken - usize::from(is_forsaken)).min(state.opening);
        let has_failed = opened.is_err();
        match opened {
            Ok(Opened::Http1(connection)) if is_forsaken => then.http1 = Some(connection),
            Ok(Opened::Http2(connection, _)) if is_forsaken => then.http2 = Some(connection),
            Ok(Opened::Http1(connection)) => {
                state.speaks = Some(Protocol::Http1);
                then.http1 = state.put(connection, &host.key, pool);
            }
            Ok(Opened::Http2(connection, id)) => {
                state.speaks = Some(Protocol::Http2);
                let multiplexed = Multiplexed::new(connection, id, &pool.multiplexed);
                state.multiplexed.push(multiplexed);
                if pool.multiplexed.load(Ordering::Relaxed) > pool.limits.idle_in_all {
                    pool.sweeper.trim();
                }
            }
            Err(error) => state.fails(host.is_http1(pool), error, &mut then),
        }
        if has_failed && !state.multiplexed.is_empty() {
            // Another is tried when the next stream ends, or the next call comes: not at once.
            state.serve_only(host, pool, &mut then);
        } else {
            state.serve(host, pool, &mut then);
        }
        drop(state);
        then.finish(host, pool);
        pool.sweeper.wanted(pool);
    }
}

impl Drop for Opening {
    fn drop(&mut self) {
        if !self.is_over {
            self.ends(Err(TransportErrorKind::ConnectionFailed.into()));
        }
    }
}
