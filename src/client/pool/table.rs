//! The hosts of a pool, and what they share.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use foldhash::quality::RandomState;

use super::host::Host;
use super::key::Key;
use super::limits::Limits;
use super::protocols::Protocols;
use super::sweep::Sweeper;
use crate::client::connect::Connector;
use crate::client::connect::{Peer, Stream};
use crate::client::error::TransportError;
use crate::client::{http1, http2};

/// The connections of a transport.
pub(in crate::client) struct Pool {
    shared: Arc<Shared>,
}

/// What all hosts of a pool share.
pub(in crate::client) struct Shared {
    pub(super) connector: Connector,
    pub(super) protocols: Protocols,
    pub(super) limits: Limits,
    pub(super) http1: http1::Settings,
    pub(super) http2: http2::Settings,
    hosts: RwLock<HashMap<Key, Arc<Host>, RandomState>>,
    /// HTTP/1.1 connections at rest, of all hosts.
    pub(super) idle: AtomicUsize,
    /// HTTP/2 connections, of all hosts.
    pub(super) multiplexed: Arc<AtomicUsize>,
    /// Hosts that keep TLS sessions of their own.
    pub(super) sessions: AtomicUsize,
    numbers: AtomicU64,
    pub(super) sweeper: Sweeper,
}

impl Pool {
    pub(in crate::client) fn new(
        connector: Connector,
        protocols: Protocols,
        limits: Limits,
        http1: http1::Settings,
        http2: http2::Settings,
    ) -> Self {
        Self {
            shared: Arc::new(Shared {
                connector,
                protocols,
                limits,
                http1,
                http2,
                hosts: RwLock::default(),
                idle: AtomicUsize::new(0),
                multiplexed: Arc::default(),
                sessions: AtomicUsize::new(0),
                numbers: AtomicU64::new(0),
                sweeper: Sweeper::default(),
            }),
        }
    }

    pub(in crate::client) fn shared(&self) -> &Arc<Shared> {
        &self.shared
    }

    /// Whether HTTP/2 is never spoken to vendors.
    pub(in crate::client) fn lacks_http2(&self) -> bool {
        self.shared.protocols.lacks_http2()
    }

    /// A connection over which HTTP/1.1 alone is spoken, for one call, which it belongs to.
    pub(in crate::client) async fn connect_apart(
        &self,
        key: Key,
    ) -> Result<Stream, TransportError> {
        let connector = &self.shared.connector;
        #[cfg(feature = "rustls")]
        if key.isolation.identity().is_some() {
            let host = self.host(key);
            // So that it's forgotten in time.
            self.shared.sweeper.wanted(&self.shared);
            return connector.connect_for_http1(host.peer(&self.shared)?).await;
        }
        connector.connect_for_http1(Peer::of(&key.origin)).await
    }

    /// The host of that key.
    pub(in crate::client) fn host(&self, key: Key) -> Arc<Host> {
        let hosts = &self.shared.hosts;
        {
            let hosts = hosts.read().unwrap_or_else(PoisonError::into_inner);
            if let Some(host) = hosts.get(&key) {
                return Arc::clone(host);
            }
        }
        let mut hosts = hosts.write().unwrap_or_else(PoisonError::into_inner);
        let host = hosts.entry(key.clone());
        let host = host.or_insert_with(|| Arc::new(Host::new(key, Arc::downgrade(&self.shared))));
        Arc::clone(host)
    }
}

impl Shared {
    pub(in crate::client) fn http1(&self) -> &http1::Settings {
        &self.http1
    }

    /// A number for a new connection.
    pub(super) fn number(&self) -> u64 {
        self.numbers.fetch_add(1, Ordering::Relaxed)
    }

    pub(super) fn find(&self, key: &Key) -> Option<Arc<Host>> {
        let hosts = self.hosts.read().unwrap_or_else(PoisonError::into_inner);
        hosts.get(key).map(Arc::clone)
    }

    pub(super) fn all(&self) -> Vec<Arc<Host>> {
        let hosts = self.hosts.read().unwrap_or_else(PoisonError::into_inner);
        hosts.values().map(Arc::clone).collect()
    }

    /// Forgets hosts that nobody uses and that have no connection.
    pub(super) fn forget_unused(&self) {
        let mut hosts = self.hosts.write().unwrap_or_else(PoisonError::into_inner);
        // With the table locked, nobody gets hold of one that only the table has.
        hosts.retain(|_, host| Arc::strong_count(host) > 1 || host.is_needed());
    }
}

impl Drop for Pool {
    fn drop(&mut self) {
        self.shared.sweeper.ends();
    }
}
