//! How bodies go over the wire, for vendors and callers alike.

pub(crate) mod http1;
pub(crate) mod http2;
