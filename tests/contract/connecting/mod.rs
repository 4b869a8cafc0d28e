//! The opening of connections to vendors.

mod alpn;
mod dns_cache;
mod egress;
mod happy_eyeballs;
mod tls_resumption;

use testkit::reply::Reply;
use testkit::vendor::Vendor;

/// Starts a vendor that accepts one request per connection, so that each call needs a new connection.
async fn closing_vendor() -> Vendor {
    let reply = "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok";
    Vendor::answering(Reply::bytes(reply).close()).await
}
