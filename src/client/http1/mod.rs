//! HTTP/1.1 to a vendor: a connection of hyper's that is driven by the call that uses it.
//!
//! hyper hands out a connection as a future, to be spawned as a task. Here nobody spawns it: while
//! a call waits for its response, or a caller reads one, that is what moves the connection on. So a
//! call that is dropped drops its socket in the same moment, no task is woken for a response, and
//! none is asked across threads. Only an upload that outlives the head of its response gets a task
//! ([`rest`]).

mod connection;
mod exchange;
mod rest;
mod switch;
mod waking;

pub(super) use self::connection::{Home, Http1, Settings};
pub(super) use self::exchange::Failure;
pub(super) use self::switch::switch;
