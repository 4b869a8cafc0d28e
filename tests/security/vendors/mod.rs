//! What a vendor may do.

mod answers;
mod browsers;
mod heads;
mod http2;
mod tls;
