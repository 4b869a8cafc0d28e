//! What connections may be shared for.

use std::hash::{Hash, Hasher};

use crate::client::dispatch::{Dispatch, Isolation};
use crate::connection::ConnectionKey;
use crate::policy::Origin;

/// Calls of one key may use the same connections.
#[derive(Clone)]
pub(in crate::client) struct Key {
    pub(super) origin: Origin,
    /// For whom alone they are, where connection ids are kept apart (FORWARDING K6).
    connection: Option<ConnectionKey>,
    /// Who may share the connections.
    pub(super) isolation: Isolation,
    /// Whether they're HTTP/2, or none, as the calls are gRPC (FORWARDING G3).
    pub(super) needs_http2: bool,
}

impl Key {
    /// That of a destination. `apart`: each connection id has connections of its own.
    /// `needs_http2`: over HTTP/1.1 the call would mean nothing.
    pub(in crate::client) fn new(dispatch: &Dispatch, apart: bool, needs_http2: bool) -> Self {
        Self {
            origin: dispatch.destination().origin().clone(),
            connection: dispatch.connection_key().filter(|_| apart).cloned(),
            isolation: dispatch.isolation().clone(),
            needs_http2,
        }
    }
}

impl PartialEq for Key {
    fn eq(&self, other: &Self) -> bool {
        // An authority has one spelling, and says the port where it isn't the scheme's.
        self.origin.scheme() == other.origin.scheme()
            && self.origin.authority() == other.origin.authority()
            && self.connection == other.connection
            && self.isolation.key() == other.isolation.key()
            && self.needs_http2 == other.needs_http2
    }
}

impl Eq for Key {}

impl Hash for Key {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.origin.scheme().hash(state);
        self.origin.authority().as_str().hash(state);
        self.connection.hash(state);
        self.isolation.key().hash(state);
        self.needs_http2.hash(state);
    }
}
