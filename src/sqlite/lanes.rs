//! Where SQLite runs: on tokio's blocking threads, never on those that serve calls.
//!
//! A lane is a number of connections to the file, and a fair line of those who wait for one. Waiting
//! holds no thread. What has begun ends, also if whoever asked has gone away.

use std::sync::{Arc, Mutex, PoisonError};

use rusqlite::Connection;
use tokio::runtime::Handle;
use tokio::sync::Semaphore;

use super::error::Fault;

#[derive(Clone)]
pub(super) struct Lane(Arc<Shared>);

struct Shared {
    free: Mutex<Vec<Connection>>,
    places: Arc<Semaphore>,
}

impl Lane {
    pub(super) fn new(connections: Vec<Connection>) -> Self {
        Self(Arc::new(Shared {
            places: Arc::new(Semaphore::new(connections.len())),
            free: Mutex::new(connections),
        }))
    }

    /// Runs `work` with one of the connections.
    pub(super) async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Connection) -> Result<T, Fault> + Send + 'static,
    ) -> Result<T, Fault> {
        let place = Arc::clone(&self.0.places).acquire_owned().await;
        let place = place.map_err(|_| Fault::Stopped)?;
        let shared = Arc::clone(&self.0);
        let work = move || {
            let mut seat = Seat::take(&shared)?;
            let result = seat
                .connection
                .as_mut()
                .ok_or(Fault::Stopped)
                .and_then(work);
            // The connection is back before its place is free.
            drop(seat);
            drop(place);
            result
        };
        let work = tokio::task::spawn_blocking(work);
        work.await.map_err(|_| Fault::Stopped)?
    }
}

// Closing the last connection to a file writes the log into it, which takes a while.
impl Drop for Shared {
    fn drop(&mut self) {
        let free = self.free.get_mut().unwrap_or_else(PoisonError::into_inner);
        let free = std::mem::take(free);
        if let Ok(runtime) = Handle::try_current() {
            runtime.spawn_blocking(move || drop(free));
        }
    }
}

/// Gives a connection back, whatever happens.
struct Seat<'a> {
    shared: &'a Shared,
    connection: Option<Connection>,
}

impl<'a> Seat<'a> {
    fn take(shared: &'a Shared) -> Result<Self, Fault> {
        let mut free = shared.free.lock().unwrap_or_else(PoisonError::into_inner);
        let connection = free.pop().ok_or(Fault::Stopped)?;
        Ok(Self {
            shared,
            connection: Some(connection),
        })
    }
}

impl Drop for Seat<'_> {
    fn drop(&mut self) {
        let mut free = self
            .shared
            .free
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        free.extend(self.connection.take());
    }
}
