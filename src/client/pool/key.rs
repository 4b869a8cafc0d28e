//! What connections may be shared for.

use std::hash::{Hash, Hasher};

use crate::address::ConnectionId;
use crate::policy::{Destination, Holder, Origin};

/// Calls of one key may use the same connections.
#[derive(Clone)]
pub(in crate::client) struct Key {
    pub(super) origin: Origin,
    /// For whom alone they are, where connection ids are kept apart (FORWARDING K6).
    connection: Option<ConnectionId>,
    /// Whose they are, where they're authenticated themselves (FORWARDING K7).
    pub(super) holder: Holder,
    /// Whether they're HTTP/2, or none, as the calls are gRPC (FORWARDING G3).
    pub(super) needs_http2: bool,
}

impl Key {
    /// That of a destination. `apart`: each connection id has connections of its own.
    /// `needs_http2`: over HTTP/1.1 the call would mean nothing.
    pub(in crate::client) fn of(destination: &Destination, apart: bool, needs_http2: bool) -> Self {
        Self {
            origin: destination.origin().clone(),
            connection: destination.connection().filter(|_| apart).cloned(),
            holder: destination.holder().clone(),
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
            && self.holder.owner() == other.holder.owner()
            && self.needs_http2 == other.needs_http2
    }
}

impl Eq for Key {}

impl Hash for Key {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.origin.scheme().hash(state);
        self.origin.authority().as_str().hash(state);
        self.connection.hash(state);
        self.holder.owner().hash(state);
        self.needs_http2.hash(state);
    }
}
