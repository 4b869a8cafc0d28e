//! Converts the caller's request to the upstream's request, and the upstream's response to the caller's response. All
//! functions here are pure functions of heads.
//!
//! The order of the steps for a request makes it safe. Fields that end at this hop and those that the caller nominates are
//! removed first, then the credentials of the host and the caller. Defaults are added, and framing is set from the body. The
//! connection's credentials come last, and are set by [`auth`](crate::auth).

mod browser_safe;
mod caller_fields;
mod destination;
mod fields;
mod foreign;
mod framing;
mod links;
mod mount_address;
mod name_filter;
mod paging;
mod request;
mod response;
mod target;
mod trailers;

pub use self::foreign::ForeignLocations;
pub use self::mount_address::PublicUrlError;

pub(crate) use self::caller_fields::CallerFields;
pub(crate) use self::fields::{MAX_FIELDS, first_line, has, members, remove_host, set_host};
#[cfg(feature = "oauth2")]
pub(crate) use self::fields::{canonical, is_of_the_client};
pub(crate) use self::framing::{framed, has_odd_coding, says_its_length};
pub(crate) use self::mount_address::{MountAddress, PublicUrl};
pub(crate) use self::paging::MountedLinks;
pub(crate) use self::request::RequestRules;
pub(crate) use self::response::{ResponseFields, ResponseRules};
pub(crate) use self::target::join;
pub(crate) use self::trailers::{RequestTrailers, ResponseTrailers};
