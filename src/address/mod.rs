//! The address of a call: the connection id, a path below the base URL, and a query.
//!
//! Exactly the bytes that were checked are forwarded, because no URL type normalises them. The only exception is [`PathEncoding`], which
//! reverts the encoding of generated clients. An upstream whose names contain encoded slashes needs another setting than the default:
//!
//! ```
//! use tower_passthrough::Upstream;
//! use tower_passthrough::address::PathEncoding;
//!
//! // `/@scope%2fname` is sent as the caller wrote it.
//! let npm = Upstream::new("https://registry.npmjs.org")?.path_encoding(PathEncoding::Never);
//! # Ok::<_, tower_passthrough::upstream::BaseUrlError>(())
//! ```

mod addressing;
pub(crate) mod id;
mod mount;
mod path;
mod query;
mod small_str;

pub use self::addressing::{Addressing, HostPatternError, RequestedConnection};
pub use self::id::InvalidConnectionId;
pub use self::mount::PrefixError;
pub use self::path::PathEncoding;

pub(crate) use self::id::ConnectionId;
pub(crate) use self::mount::{Prefix, original_target};
// Hidden: parsing isn't part of the API, and the fuzz targets need it.
#[doc(hidden)]
pub use self::path::Target;
pub(crate) use self::query::{Pairs, has_name, missing_in, without};
pub(crate) use self::small_str::SmallStr;

use std::fmt;

use http::Uri;

use crate::error::Error;

/// The maximum size of path and query that `http::Uri` can hold, in bytes.
pub(crate) const MAX_TARGET_SIZE: usize = 65_534;

/// A request target, divided into the connection id and the upstream's part. This part is parsed when the integration is known.
#[doc(hidden)]
pub struct Address<'a> {
    id: ConnectionId,
    remainder: &'a str,
    query: Option<&'a str>,
    by_host: bool,
    /// The labels that the caller's host puts in front of the upstream's host.
    subdomain: Option<Box<str>>,
}

impl<'a> Address<'a> {
    /// Divides the path of `uri` after the first segment. The mount must already be stripped.
    ///
    /// Only path and query of an absolute-form target are used: its authority never selects the upstream (RFC 9112 §3.2.2).
    ///
    /// # Errors
    ///
    /// [`ErrorCode::BadAddress`](crate::ErrorCode::BadAddress) if the first segment isn't a valid id; [`ErrorCode::UnknownConnection`](crate::ErrorCode::UnknownConnection) if the id isn't UTF-8,
    /// which no store can hold.
    pub fn parse(uri: &'a Uri) -> Result<Self, Error> {
        Self::cut(uri.path(), uri.query())
    }

    /// Parses like [`parse`](Self::parse), but a path from which no router has removed the prefix.
    pub(crate) fn under(prefix: &Prefix, uri: &'a Uri) -> Result<Self, Error> {
        match prefix.below(uri)? {
            // The path is the prefix alone, which contains no id.
            "" if !uri.path().is_empty() => Self::cut("/", uri.query()),
            path => Self::cut(path, uri.query()),
        }
    }

    /// Returns the address of a request whose connection isn't in the path. All of `path` belongs to the upstream.
    fn with_id(id: ConnectionId, path: &'a str, query: Option<&'a str>) -> Result<Self, Error> {
        if !path.is_empty() && !path.starts_with('/') {
            return Err(no_path());
        }
        Ok(Self {
            id,
            remainder: path,
            query,
            by_host: false,
            subdomain: None,
        })
    }

    /// Parses like [`parse`](Self::parse), but a path and a query.
    pub(crate) fn cut(path: &'a str, query: Option<&'a str>) -> Result<Self, Error> {
        let Some(rest) = path.strip_prefix('/') else {
            return Err(no_path());
        };
        // Ids are short, so looking at each byte costs less than starting a search.
        let slash = rest.bytes().position(|byte| byte == b'/');
        let (segment, remainder) = rest.split_at(slash.unwrap_or(rest.len()));
        Ok(Self {
            id: ConnectionId::from_segment(segment)?,
            remainder,
            query,
            by_host: false,
            subdomain: None,
        })
    }

    /// Returns the id of the connection in the target.
    #[must_use]
    pub fn id(&self) -> &ConnectionId {
        &self.id
    }

    /// Returns `true` if the host of the request names the connection.
    pub(crate) fn is_by_host(&self) -> bool {
        self.by_host
    }

    /// Returns the labels that the caller's host puts in front of the upstream's host.
    pub(crate) fn subdomain(&self) -> Option<&str> {
        self.subdomain.as_deref()
    }

    /// Returns the part of `path` before the remainder: the mount and the id as the caller wrote them, the mount alone if the connection is
    /// named by a field, or nothing if it's named by the host. `path` must end with this address.
    pub(crate) fn mount_in<'p>(&self, path: &'p str) -> Option<&'p str> {
        path.strip_suffix(self.remainder)
    }

    /// Returns the path and query to send, relative to the base URL.
    ///
    /// # Errors
    ///
    /// [`ErrorCode::BadAddress`](crate::ErrorCode::BadAddress) for a path that leaves the base path or contains bytes that aren't allowed
    /// in a path; [`ErrorCode::BadDomain`](crate::ErrorCode::BadDomain) for a `__domain` that is given twice, or isn't a host or a URL.
    pub fn target(&self, encoding: PathEncoding) -> Result<Target<'a>, Error> {
        Target::parse(self.remainder, self.query, encoding)
    }
}

fn no_path() -> Error {
    Error::bad_address("the request target has no path")
}

// Path and query aren't printed, because both may contain data that a caller wouldn't want in a log.
impl fmt::Debug for Address<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Address")
            .field("id", &self.id)
            .finish_non_exhaustive()
    }
}
