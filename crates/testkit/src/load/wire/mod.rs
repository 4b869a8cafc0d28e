//! The encoding of bodies on the wire, for vendors and callers alike.

pub mod http1;
pub mod http2;
