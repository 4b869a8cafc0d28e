//! Calls of all sorts at a gateway under load, with each answer checked against its request: the parts that the soak and the chaos test
//! share.

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
