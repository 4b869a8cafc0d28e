//! Connections to vendors, kept between calls.
//!
//! ```text
//!  acquire ──▶ a stream of an open HTTP/2 connection that has room
//!     │   └──▶ the HTTP/1.1 connection that came back last
//!     └─ neither: wait in line, and have a connection opened
//!                    ▲                        │
//!  a call ends ──────┴─ whichever is first ───┴─▶ the first in line
//! ```
//!
//! There is a [`Host`](host::Host) for each place that connections lead to: an origin, and where
//! tenants must not share, a connection id. It's locked for moments, and never across an await.

mod acquire;
mod afterwards;
mod calm;
mod host;
mod identified;
mod key;
mod lease;
mod limits;
mod open;
mod protocols;
mod status;
mod sweep;
mod table;

pub(super) use self::key::Key;
pub(super) use self::lease::Lease;
pub(super) use self::limits::Limits;
pub(super) use self::protocols::Protocols;
pub use self::status::PoolStatus;
pub(super) use self::table::Pool;
