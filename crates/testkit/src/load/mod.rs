//! Calls of all sorts at a gateway under load, each of which is verified against its request: what the soak and the chaos
//! test share.

pub mod callers;
pub mod content;
pub mod draw;
pub mod gateway;
pub mod place;
pub mod plan;
pub mod vendors;
pub mod verdict;
pub mod watch;
pub mod wire;
