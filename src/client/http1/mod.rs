//! HTTP/1.1 to an upstream. The call that uses a connection of hyper also drives the connection.
//!
//! hyper returns a connection as a future, which programs usually spawn as a task. Here the future
//! isn't spawned: it's polled by the call that waits for a response, or by the caller that reads the
//! response's body. So dropping a call closes its socket at once, and no other task or thread has to
//! be woken for a response. A connection is driven by a task ([`detached`]) only if an upload
//! continues after the head of the response, or if the end of a request isn't written yet when the
//! response has been read.

mod connection;
mod detached;
mod exchange;
mod keep_alive;
mod mend;
mod resend;
mod switch;
mod waker;

pub(super) use self::connection::{End, Http1, IdlePool, Settings};
pub(super) use self::exchange::{Failure, Spare};
pub(super) use self::switch::switch;
