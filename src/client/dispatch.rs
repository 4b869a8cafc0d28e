//! A checked destination, and the connection for which a request is sent.

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

use crate::connection::ConnectionKey;
use crate::identity::{ClientIdentity, IsolationKey};
use crate::policy::Destination;

/// The target of a request: a checked [`Destination`], the connection key for which the request is sent, and the network
/// connections that it may use.
///
/// ```
/// use tower_passthrough::Upstream;
/// use tower_passthrough::client::Dispatch;
///
/// let upstream = Upstream::new("https://api.vendor.test/v2")?;
/// let dispatch = Dispatch::new(upstream.destination());
/// assert_eq!(dispatch.destination().authority(), "api.vendor.test");
/// # Ok::<_, tower_passthrough::upstream::BaseUrlError>(())
/// ```
#[derive(Debug)]
pub struct Dispatch {
    destination: Destination,
    key: Option<ConnectionKey>,
    isolation: Isolation,
    isolates_keys: bool,
    /// `true` while the request waits for a network connection.
    is_waiting: AtomicBool,
    resends: AtomicU32,
}

/// The rule by which calls share network connections.
#[derive(Clone, Debug)]
pub(crate) enum Isolation {
    None,
    Key(IsolationKey),
    Identity(ClientIdentity),
}

impl Isolation {
    pub(crate) fn key(&self) -> Option<IsolationKey> {
        match self {
            Self::None => None,
            Self::Key(key) => Some(*key),
            Self::Identity(identity) => Some(identity.isolation_key()),
        }
    }

    pub(crate) fn identity(&self) -> Option<&ClientIdentity> {
        match self {
            Self::Identity(identity) => Some(identity),
            _ => None,
        }
    }
}

impl Dispatch {
    /// Returns a dispatch without a connection key, over shared network connections.
    #[must_use]
    pub fn new(destination: Destination) -> Self {
        Self {
            destination,
            key: None,
            isolation: Isolation::None,
            isolates_keys: false,
            is_waiting: AtomicBool::new(false),
            resends: AtomicU32::new(0),
        }
    }

    /// Sets the connection key for which the request is sent. Default: none.
    #[must_use]
    pub fn on_behalf_of(mut self, key: ConnectionKey) -> Self {
        self.key = Some(key);
        self
    }

    /// Reserves the network connections for calls with the same isolation key. A client certificate has an isolation key as well. Calls
    /// with several keys share network connections only if all of their keys are the same. Default: shared network connections.
    #[must_use]
    pub fn isolated_by(mut self, key: IsolationKey) -> Self {
        self.isolation = match self.isolation {
            Isolation::Identity(identity) => Isolation::Identity(identity.isolated_by(key)),
            Isolation::Key(old) => Isolation::Key(old.and(key)),
            Isolation::None => Isolation::Key(key),
        };
        self
    }

    /// Sets whether calls of other connection keys may use the same network connections. A transport that gets `true` must reserve a
    /// network connection for a single connection key. Default: `false`.
    #[must_use]
    pub fn isolate_connection_keys(mut self, isolate: bool) -> Self {
        self.isolates_keys = isolate;
        self
    }

    /// Returns `true` if network connections are reserved for a single connection key.
    #[must_use]
    pub fn isolates_connection_keys(&self) -> bool {
        self.isolates_keys
    }

    /// Sets the client certificate to present, on network connections that only this identity uses. Default: none.
    #[cfg(feature = "rustls")]
    #[cfg_attr(docsrs, doc(cfg(feature = "rustls")))]
    #[must_use]
    pub fn with_client_identity(self, identity: ClientIdentity) -> Self {
        self.presenting(identity)
    }

    pub(crate) fn presenting(mut self, identity: ClientIdentity) -> Self {
        self.isolation = Isolation::Identity(match self.isolation {
            Isolation::Key(key) => identity.isolated_by(key),
            _ => identity,
        });
        self
    }

    /// Returns the checked destination.
    #[must_use]
    pub fn destination(&self) -> &Destination {
        &self.destination
    }

    /// Returns the connection key for which the request is sent.
    #[must_use]
    pub fn connection_key(&self) -> Option<&ConnectionKey> {
        self.key.as_ref()
    }

    /// Returns the key for which network connections are reserved, or `None` if they may be shared.
    ///
    /// There is a key if the credential authenticates the network connection
    /// ([`Requirements::binds_connection`](crate::auth::Requirements::binds_connection)), or if a client certificate is presented.
    #[must_use]
    pub fn isolation_key(&self) -> Option<IsolationKey> {
        self.isolation.key()
    }

    /// Returns the client certificate to present. A transport that can't present it must fail, and send nothing.
    #[cfg(feature = "rustls")]
    #[cfg_attr(docsrs, doc(cfg(feature = "rustls")))]
    #[must_use]
    pub fn client_identity(&self) -> Option<&ClientIdentity> {
        self.isolation.identity()
    }

    /// Returns `true` if a client certificate is to be presented.
    pub(crate) fn has_client_identity(&self) -> bool {
        self.isolation.identity().is_some()
    }

    pub(crate) fn isolation(&self) -> &Isolation {
        &self.isolation
    }

    /// Records that the request waits for a network connection, so nothing of it has been sent.
    ///
    /// If a timeout ends the wait, the response then contains `sent: false`. If a transport never calls this method, the request is
    /// assumed to have been sent.
    pub fn begin_wait(&self) {
        self.is_waiting.store(true, Ordering::Relaxed);
    }

    /// Records that the request is about to be sent.
    pub fn end_wait(&self) {
        self.is_waiting.store(false, Ordering::Relaxed);
    }

    /// Records that the transport sends the request again, after a part of the request was written. The number of resends is added to
    /// [`CallReport::attempts`](crate::observe::CallReport::attempts).
    pub fn record_resend(&self) {
        self.resends.fetch_add(1, Ordering::Relaxed);
    }

    /// Returns the number of times that the transport has sent the request again.
    #[must_use]
    pub fn resends(&self) -> u32 {
        self.resends.load(Ordering::Relaxed)
    }

    pub(crate) fn is_waiting(&self) -> bool {
        self.is_waiting.load(Ordering::Relaxed)
    }
}

impl From<Destination> for Dispatch {
    fn from(destination: Destination) -> Self {
        Self::new(destination)
    }
}
