//! How bodies go over the wire, for vendors and callers alike.

pub mod http1;
pub mod http2;
