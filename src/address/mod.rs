//! What a caller's request target names: a connection, a path under its base URL, a query.
//!
//! Bytes stay as they came: nothing here goes through a normalising URL type, and what is judged is
//! what is forwarded. The one exception is [`PathEncoding`], which undoes the encoding of generated
//! clients.
//!
//! ```
//! use tower_passthrough::Upstream;
//! use tower_passthrough::address::PathEncoding;
//!
//! // A vendor whose names hold encoded slashes: `/@scope%2fname` is sent as it came.
//! let npm = Upstream::new("https://registry.npmjs.org")?.path_encoding(PathEncoding::Never);
//! # Ok::<_, tower_passthrough::upstream::BaseUrlError>(())
//! ```

mod dots;
pub(crate) mod id;
mod original;
mod path;
pub(crate) mod percent;
mod prefix;
mod query;
mod reading;
mod small_str;

pub use self::id::InvalidConnectionId;
pub use self::path::PathEncoding;
pub use self::prefix::PrefixError;

pub(crate) use self::id::ConnectionId;
pub(crate) use self::original::as_it_came;
// Hidden: parsing is no API, and the fuzz targets need it.
#[doc(hidden)]
pub use self::path::Target;
pub(crate) use self::percent::decode as decode_once;
pub(crate) use self::percent::encode_query_value;
pub(crate) use self::prefix::Prefix;
pub(crate) use self::query::without;
pub(crate) use self::reading::all_readings;
pub(crate) use self::small_str::SmallStr;

use std::fmt;

use http::Uri;

use crate::error::Error;

/// The longest path and query that `http::Uri` can hold, in bytes.
pub(crate) const LONGEST_TARGET: usize = 65_534;

/// A request target, cut at the connection id; the rest is read when the integration is known.
#[doc(hidden)]
pub struct Address<'a> {
    id: ConnectionId,
    remainder: &'a str,
    query: Option<&'a str>,
}

impl<'a> Address<'a> {
    /// Cuts the path of `uri`, from which the mount has been taken off, after its first segment.
    ///
    /// Of an absolute-form target only path and query count: its authority never routes (RFC 9112
    /// §3.2.2).
    ///
    /// # Errors
    ///
    /// [`ErrorCode::BadAddress`](crate::ErrorCode::BadAddress) if there is no id, or it can't be
    /// one; [`ErrorCode::UnknownConnection`](crate::ErrorCode::UnknownConnection) if it's no UTF-8,
    /// which no store can hold.
    pub fn parse(uri: &'a Uri) -> Result<Self, Error> {
        Self::cut(uri.path(), uri.query())
    }

    /// As [`parse`](Self::parse), below a prefix that no router has taken off.
    pub(crate) fn under(prefix: &Prefix, uri: &'a Uri) -> Result<Self, Error> {
        let outside = || Error::bad_address("the path lies outside of the mount");
        let path = prefix.strip(uri.path()).ok_or_else(outside)?;
        Self::cut(path, uri.query())
    }

    pub(crate) fn cut(path: &'a str, query: Option<&'a str>) -> Result<Self, Error> {
        let Some(rest) = path.strip_prefix('/') else {
            return Err(Error::bad_address("the request target has no path"));
        };
        let (segment, remainder) = match rest.find('/') {
            Some(slash) => rest.split_at(slash),
            None => (rest, ""),
        };
        Ok(Self {
            id: ConnectionId::from_segment(segment)?,
            remainder,
            query,
        })
    }

    /// The connection that the caller names.
    #[must_use]
    pub fn id(&self) -> &ConnectionId {
        &self.id
    }

    /// What stands before the remainder in `path`, whose end this address is: mount and id, as the
    /// caller wrote them.
    pub(crate) fn mount_in<'p>(&self, path: &'p str) -> Option<&'p str> {
        path.strip_suffix(self.remainder)
    }

    /// The path and query to send, relative to the base URL.
    ///
    /// # Errors
    ///
    /// [`ErrorCode::BadAddress`](crate::ErrorCode::BadAddress) for a path that leaves the base path
    /// or holds what no path may; [`ErrorCode::BadDomain`](crate::ErrorCode::BadDomain) for a
    /// `__domain` that is given twice or is no host or URL.
    pub fn target(&self, encoding: PathEncoding) -> Result<Target<'a>, Error> {
        Target::parse(self.remainder, self.query, encoding)
    }
}

// Without path and query: both may hold what a caller wouldn't want in a log (SECURITY L2).
impl fmt::Debug for Address<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Address")
            .field("id", &self.id)
            .finish_non_exhaustive()
    }
}
