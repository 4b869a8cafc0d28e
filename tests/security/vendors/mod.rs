//! The misbehaviour of vendors.

mod answers;
mod browsers;
mod heads;
mod http2;
mod tls;
