//! HTTP/1.1 to an upstream: a connection of hyper's, driven by the call that uses it.
//!
//! hyper returns a connection as a future, to be spawned as a task. Here it isn't spawned: the call
//! that waits for a response, or the caller that reads it, polls the connection. So dropping a call
//! closes its socket at once, and no other task or thread has to be woken for a response. Only an
//! upload that outlives the head of its response gets a task ([`detached`]).

mod connection;
mod detached;
mod exchange;
mod switch;
mod waker;

pub(super) use self::connection::{Http1, IdlePool, Settings};
pub(super) use self::exchange::Failure;
pub(super) use self::switch::switch;
