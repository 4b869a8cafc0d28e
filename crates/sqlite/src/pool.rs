//! Runs SQLite on tokio's blocking threads, never on the threads that serve calls.
//!
//! A pool is a number of connections to the file, and a fair queue of callers that wait for a connection. Waiting doesn't block a thread.
//! Work that has begun runs to its end, even if its caller has disconnected.

use std::sync::{Arc, Mutex, PoisonError};

use rusqlite::Connection;
use tokio::runtime::Handle;
use tokio::sync::Semaphore;

use crate::error::InternalError;

#[derive(Clone)]
pub(crate) struct ConnectionPool(Arc<Shared>);

struct Shared {
    free: Mutex<Vec<Connection>>,
    permits: Arc<Semaphore>,
}

impl ConnectionPool {
    pub(crate) fn new(connections: Vec<Connection>) -> Self {
        Self(Arc::new(Shared {
            permits: Arc::new(Semaphore::new(connections.len())),
            free: Mutex::new(connections),
        }))
    }

    /// Runs `work` with a connection of the pool.
    pub(crate) async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Connection) -> Result<T, InternalError> + Send + 'static,
    ) -> Result<T, InternalError> {
        let permit = Arc::clone(&self.0.permits).acquire_owned().await;
        let permit = permit.map_err(|_| InternalError::Stopped)?;
        let shared = Arc::clone(&self.0);
        let work = move || {
            let mut pooled = PooledConnection::check_out(&shared)?;
            let result = pooled
                .connection
                .as_mut()
                .ok_or(InternalError::Stopped)
                .and_then(work);
            // The connection must be back in the pool before its permit is free.
            drop(pooled);
            drop(permit);
            result
        };
        let work = tokio::task::spawn_blocking(work);
        work.await.map_err(|_| InternalError::Stopped)?
    }
}

// Closed on a blocking thread, because closing the last connection to a file writes the log into the file, which takes a while.
impl Drop for Shared {
    fn drop(&mut self) {
        let free = self.free.get_mut().unwrap_or_else(PoisonError::into_inner);
        let free = std::mem::take(free);
        if let Ok(runtime) = Handle::try_current() {
            runtime.spawn_blocking(move || drop(free));
        }
    }
}

/// Puts a connection back into the pool when it's dropped, also after a panic.
struct PooledConnection<'a> {
    shared: &'a Shared,
    connection: Option<Connection>,
}

impl<'a> PooledConnection<'a> {
    fn check_out(shared: &'a Shared) -> Result<Self, InternalError> {
        let mut free = shared.free.lock().unwrap_or_else(PoisonError::into_inner);
        let connection = free.pop().ok_or(InternalError::Stopped)?;
        Ok(Self {
            shared,
            connection: Some(connection),
        })
    }
}

impl Drop for PooledConnection<'_> {
    fn drop(&mut self) {
        let mut free = self
            .shared
            .free
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        free.extend(self.connection.take());
    }
}
