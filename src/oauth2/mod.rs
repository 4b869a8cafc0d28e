//! Access tokens that refresh themselves.

mod source;

pub use self::source::{TokenError, TokenSource, Tokens};
