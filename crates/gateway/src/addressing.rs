//! The ways in which a call names its connection: `address_by` of the config.
//!
//! The library reads path, host and header field. A connection can also be named by the caller's key, which only this program knows:
//! [`Calls`](crate::calls::Calls) puts the connection into the request's extensions, where the library finds it.

use axum::extract::Request;
use http::HeaderName;
use tower_passthrough::address::Addressing;

/// The header field that names a connection, with `address_by = ["header"]`.
pub(crate) const CONNECTION: HeaderName = HeaderName::from_static("x-connection");

/// A way in which a call names its connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    /// The first segment below the mount.
    Path,
    Host,
    /// The field [`CONNECTION`].
    Header,
    /// The caller's key, if the caller may use a single connection.
    Key,
}

/// The ways that the config allows.
#[derive(Clone, Debug)]
pub(crate) struct Ways {
    ways: Vec<Way>,
    addressing: Addressing,
}

impl Ways {
    /// Returns these ways. `hosts` are the library's settings for the way by host.
    pub(crate) fn new(ways: Vec<Way>, hosts: Addressing) -> Self {
        let has = |way| ways.contains(&way);
        let mut addressing = hosts;
        if !has(Way::Path) {
            addressing = addressing.without_path();
        }
        if has(Way::Header) {
            addressing = addressing.header(CONNECTION);
        }
        if has(Way::Key) {
            addressing = addressing.extension();
        }
        Self { ways, addressing }
    }

    pub(crate) fn addressing(&self) -> &Addressing {
        &self.addressing
    }

    pub(crate) fn has(&self, way: Way) -> bool {
        self.ways.contains(&way)
    }

    /// Returns `true` if the first segment of the path below the mount names the connection of the request, unless its key does.
    pub(crate) fn names_in_path(&self, request: &Request) -> bool {
        let has_field = self.has(Way::Header) && request.headers().contains_key(CONNECTION);
        self.has(Way::Path) && !has_field && !self.addressing.is_by_host(request)
    }

    /// Returns `true` if calls may be below the mount.
    pub(crate) fn has_mount(&self) -> bool {
        self.ways.iter().any(|way| *way != Way::Host)
    }
}

impl Default for Ways {
    fn default() -> Self {
        Self::new(vec![Way::Path], Addressing::path())
    }
}
