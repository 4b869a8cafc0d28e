//! How connections are opened: in tasks of their own, for whoever is first in line by then.

use std::sync::Arc;
use std::time::Duration;

use super::host::{Host, Multiplexed, Protocol, State, Waiting};
use super::lease::Lease;
use super::table::Shared;
use crate::client::connect::Stream;
use crate::client::error::{TransportError, TransportErrorKind};
use crate::client::http1::Http1;
use crate::client::http2::Http2;
use crate::policy::Scheme;

/// Opens as many connections as the line is in need of, and as may be opened at once.
pub(super) fn open_for_line(host: &Arc<Host>, state: &mut State, pool: &Arc<Shared>) {
    if state.calm.left().is_some() {
        return;
    }
    let is_secure = host.key.origin.scheme() == Scheme::Https;
    let is_http1 = pool.protocols.is_http1_for_sure(is_secure);
    while state.opening < state.wanted(pool, is_http1) {
        state.opening += 1;
        let mut opening = Opening {
            host: Arc::clone(host),
            pool: Arc::clone(pool),
            is_over: false,
        };
        tokio::spawn(async move {
            let opened = opening.open().await;
            opening.ends(opened);
        });
    }
}

impl State {
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

    /// Whom the failure of a connection concerns: the first in line, or all of them where one
    /// connection was to serve all.
    fn fails(&mut self, error: TransportError) -> Vec<(Waiting, TransportError)> {
        let concerned = match self.speaks {
            Some(Protocol::Http1) => self.line.len().min(1),
            _ => self.line.len(),
        };
        let error = Arc::new(error);
        let concerned = self.line.drain(..concerned);
        concerned
            .map(|waiting| (waiting, TransportError::shared(&error)))
            .collect()
    }
}

impl Host {
    /// HTTP/2 connection `id` is at its end. `is_busy`: as the vendor is called too much.
    fn connection_ended(self: &Arc<Self>, id: u64, is_busy: bool) {
        let mut state = self.lock();
        if is_busy {
            state.calm.asked_by(id);
        }
        let ended = state.multiplexed.iter().position(|other| other.id == id);
        let ended = ended.map(|at| state.multiplexed.swap_remove(at));
        // Whoever waited for a stream of it needs another.
        if let Some(pool) = self.pool.upgrade() {
            open_for_line(self, &mut state, &pool);
        }
        let unserved = state.cannot_serve();
        drop(state);
        drop(ended);
        for (waiting, error) in unserved {
            let _ = waiting.hand.send(Err(error));
        }
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

/// A connection in the making. Dropped half-way, as when its runtime ends, it makes room.
struct Opening {
    host: Arc<Host>,
    pool: Arc<Shared>,
    is_over: bool,
}

impl Opening {
    async fn open(&self) -> Result<Opened, TransportError> {
        let stream = self.pool.connector.connect(&self.host.key.origin).await?;
        let id = self.pool.number();
        if self.pool.protocols.is_http2(&stream) {
            return self.open_http2(stream, id).await;
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
        let grown = move || {
            if let Some(host) = host.upgrade() {
                host.stream_is_free();
            }
        };
        let connection = Http2::over(stream, &self.pool.http2, ended, grown).await?;
        Ok(Opened::Http2(connection, id))
    }

    fn ends(&mut self, opened: Result<Opened, TransportError>) {
        self.is_over = true;
        let (host, pool) = (&self.host, &self.pool);
        let mut state = host.lock();
        state.opening -= 1;
        let mut dropped = None;
        let mut failed = Vec::new();
        let is_forsaken = state.line.is_empty() && state.forsaken > 0;
        state.forsaken -= usize::from(is_forsaken);
        match opened {
            Ok(Opened::Http1(connection)) if is_forsaken => dropped = Some(connection),
            Ok(Opened::Http2(..)) if is_forsaken => {}
            Ok(Opened::Http1(connection)) => {
                state.speaks = Some(Protocol::Http1);
                dropped = state.put(connection, &host.key, pool);
            }
            Ok(Opened::Http2(connection, id)) => {
                state.speaks = Some(Protocol::Http2);
                state.multiplexed.push(Multiplexed::new(connection, id));
            }
            Err(error) => failed = state.fails(error),
        }
        let spare: Vec<Lease> = state.serve(host, pool);
        open_for_line(host, &mut state, pool);
        drop(state);
        for (waiting, error) in failed {
            // Whoever has left doesn't ask.
            let _ = waiting.hand.send(Err(error));
        }
        drop((dropped, spare));
        pool.sweeper.wanted(pool);
    }
}

impl Drop for Opening {
    fn drop(&mut self) {
        if !self.is_over {
            self.host.lock().opening -= 1;
        }
    }
}
