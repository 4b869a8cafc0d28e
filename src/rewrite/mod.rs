//! From the caller's request to the vendor's, and from the vendor's response to the caller's: pure
//! functions of heads.
//!
//! The order of a request's steps decides its safety (FORWARDING H1): fields that end at this hop
//! and those that the caller nominates go first, then the host's and the caller's credentials;
//! defaults are added, framing is set from the body; the connection's own credentials come last,
//! and aren't put on here but by [`auth`](crate::auth).

mod browser_safe;
mod fields;
mod framing;
mod links;
mod paging;
mod request;
mod response;
mod target;
mod trailers;

pub use self::response::ResponseHeaderPolicy;

pub(crate) use self::fields::{MAX_FIELDS, members};
#[cfg(feature = "oauth2")]
pub(crate) use self::fields::{canonical, is_of_the_client};
pub(crate) use self::framing::framed;
pub(crate) use self::paging::MountedLinks;
pub(crate) use self::request::RequestRules;
pub(crate) use self::response::ResponseRules;
pub(crate) use self::target::join;
pub(crate) use self::trailers::{RequestTrailers, ResponseTrailers};
