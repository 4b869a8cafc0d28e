//! Calls that fail after the vendor may have acted.

use super::{Caller, Failure, SHORT, fail, setup};
use testkit::caller::request;
use testkit::gateway::Origin;
use testkit::reply::Reply;
use testkit::vendor::Vendor;

pub(super) async fn all(caller: Caller) -> Vec<Failure> {
    let mut failures = Vec::new();
    let fields: String = (0..300).map(|n| format!("X-{n}: 1\r\n")).collect();
    let many = format!("HTTP/1.1 200 OK\r\n{fields}Content-Length: 0\r\n\r\n");
    let long = "v".repeat(300 * 1024);
    let long = format!("HTTP/1.1 200 OK\r\nX-Long: {long}\r\nContent-Length: 0\r\n\r\n");
    let protocol = (502, "upstream-protocol", "http_protocol_error", true);
    let incomplete = (502, "upstream-protocol", "http_response_incomplete", true);
    for (what, reply, expected) in [
        (
            "no HTTP",
            Reply::from("220 vendor.test ESMTP\r\n\r\n"),
            protocol,
        ),
        ("too many fields", Reply::from(many), protocol),
        ("too long a field", Reply::from(long), protocol),
        (
            "an odd transfer coding",
            Reply::from("HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n"),
            protocol,
        ),
        (
            "half a head",
            Reply::from("HTTP/1.1 200 OK\r\nX-A: 1\r\n").close(),
            incomplete,
        ),
        ("no answer", Reply::default().close(), incomplete),
        ("a reset", Reply::default().reset(), incomplete),
        (
            "an upgrade that wasn't asked for",
            Reply::from(
                "HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: h2c\r\n\r\n",
            ),
            (502, "upstream-protocol", "http_upgrade_failed", true),
        ),
        (
            "silence",
            Reply::silence(),
            (504, "upstream-timeout", "http_response_timeout", true),
        ),
    ] {
        let vendor = Vendor::answering(reply).await;
        let origin = vendor.origin();
        let setup = setup(&origin);
        let setup = if what == "silence" {
            setup.options(|o| o.response_head_timeout(SHORT))
        } else {
            setup
        };
        let sent = request("POST", "/p/c/x?key=mine", &["Content-Length: 5"], "hello");
        failures.push(fail(what, expected, (&origin, setup), caller(sent)).await);
    }
    failures
}
