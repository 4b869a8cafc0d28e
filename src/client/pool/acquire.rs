//! How a call comes by a connection.

use std::sync::Arc;

use tokio::sync::oneshot;
use tokio::time::timeout;

use super::afterwards::Afterwards;
use super::host::{Host, Waiting};
use super::lease::Lease;
use super::open::overloaded;
use super::table::Shared;
use crate::client::error::{TransportError, TransportErrorKind};
use crate::client::http1::Home as _;
use crate::connection::ConnectionKey;

impl Host {
    /// A connection, or a stream of one. Whichever is first: one that another call gives back, or
    /// a new one.
    ///
    /// # Errors
    ///
    /// `Overloaded` if too many are in line, or the vendor asked for calm; else why no connection
    /// could be opened.
    ///
    /// # Cancel safety
    ///
    /// A caller that leaves the line loses its place; a connection that is being opened for it goes
    /// to another in line, and is closed if there is none.
    pub(in crate::client) async fn acquire(
        self: &Arc<Self>,
        pool: &Arc<Shared>,
        user: Option<&ConnectionKey>,
    ) -> Result<Lease, TransportError> {
        loop {
            let lease = match self.enter(pool, user)? {
                Entry::Lease(Lease::Http1(mut connection)) => {
                    // The vendor may have closed it meanwhile, whoever opened it.
                    connection.has_rested();
                    Lease::Http1(connection)
                }
                Entry::Lease(stream) => stream,
                Entry::Place(place) => place.wait(pool).await?,
            };
            let Lease::Http1(connection) = lease else {
                return Ok(lease);
            };
            let home: Arc<Self> = Arc::clone(self);
            if let Some(connection) = connection.lend(home) {
                return Ok(Lease::Http1(connection));
            }
        }
    }

    /// Takes what is there, or else a place in line.
    fn enter(
        self: &Arc<Self>,
        pool: &Arc<Shared>,
        user: Option<&ConnectionKey>,
    ) -> Result<Entry<'_>, TransportError> {
        let mut state = self.lock();
        if let Some(lease) = state.take(self, pool, user) {
            return Ok(Entry::Lease(lease));
        }
        if state.line.len() >= pool.limits.waiting {
            state.line.retain(|waiting| !waiting.hand.is_closed());
        }
        if state.line.len() >= pool.limits.waiting {
            return Err(TransportErrorKind::Overloaded.into());
        }
        if state.multiplexed.is_empty() && state.opening == 0 {
            if let Some(left) = state.calm.left() {
                return Err(overloaded(left));
            }
        }
        let (hand, lease) = oneshot::channel();
        state.line.push_back(Waiting {
            user: user.cloned(),
            hand,
        });
        let mut then = Afterwards::default();
        state.open_for_line(self, pool, &mut then);
        let waits_for_stream = !state.multiplexed.is_empty();
        drop(state);
        let place = Place {
            host: self,
            lease,
            waits_for_stream,
        };
        then.finish(self, pool);
        Ok(Entry::Place(place))
    }
}

/// What a call finds.
enum Entry<'a> {
    Lease(Lease),
    Place(Place<'a>),
}

/// A place in line.
struct Place<'a> {
    host: &'a Arc<Host>,
    lease: oneshot::Receiver<Result<Lease, TransportError>>,
    /// Whether there are connections, and all are full.
    waits_for_stream: bool,
}

impl Place<'_> {
    async fn wait(mut self, pool: &Shared) -> Result<Lease, TransportError> {
        let lost = |_| TransportError::from(TransportErrorKind::ConnectionFailed);
        if self.waits_for_stream {
            // Streams end when their calls do: the head timeout is what limits this wait.
            return (&mut self.lease).await.map_err(lost)?;
        }
        match timeout(pool.limits.connect_time, &mut self.lease).await {
            Ok(lease) => lease.map_err(lost)?,
            Err(_) => Err(TransportErrorKind::ConnectionTimeout.into()),
        }
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        if self.lease.is_terminated() {
            return;
        }
        // A caller that leaves isn't connected for (FORWARDING B10).
        self.lease.close();
        // A stream that was handed over this moment goes to the next in line when it's dropped.
        if let Ok(Ok(Lease::Http1(connection))) = self.lease.try_recv() {
            Arc::clone(self.host).keep(connection);
            return;
        }
        let mut state = self.host.lock();
        state.line.retain(|waiting| !waiting.hand.is_closed());
        if state.opening > state.line.len() + state.forsaken {
            state.forsaken += 1;
        }
    }
}
