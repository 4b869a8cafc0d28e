//! Calls that are refused because of their own method, address, query or length.

use super::failure;
use super::{Caller, Failure, fail, setup};
use testkit::caller::raw_call;
use testkit::caller::{get, request};
use testkit::gateway::Origin;
use testkit::vendor::Vendor;

pub(super) async fn all(caller: Caller) -> Vec<Failure> {
    let vendor = Vendor::ok().await;
    let origin = vendor.origin();
    let usual = || (origin.as_str(), setup(&origin));
    let mut failures = Vec::new();
    for (what, sent, expected) in [
        (
            "a path that leaves the base",
            get("/p/c/../x"),
            (400, "bad-address", "http_request_error", false),
        ),
        (
            "a domain that is none",
            get("/p/c/x?__domain=a@b"),
            (400, "bad-domain", "http_request_error", false),
        ),
        (
            "a domain that isn't allowed",
            get("/p/c/x?__domain=evil.test"),
            (403, "domain-refused", "http_request_denied", false),
        ),
        (
            "an unknown id",
            get("/p/nobody/x"),
            (404, "unknown-connection", "http_request_error", false),
        ),
        (
            "TRACE",
            request("TRACE", "/p/c/x", &[], ""),
            (405, "method-refused", "http_request_error", false),
        ),
    ] {
        failures.push(fail(what, expected, usual(), caller(sent)).await);
    }
    let limited = (
        origin.as_str(),
        setup(&origin).options(|o| o.request_body_limit(4)),
    );
    let sent = request("POST", "/p/c/x", &["Content-Length: 5"], "hello");
    let expected = (413, "body-too-large", "http_request_error", false);
    failures.push(fail("a body that is too large", expected, limited, caller(sent)).await);
    for (what, limited) in [
        (
            "as many calls as there may be",
            setup(&origin).options(|o| o.in_flight_limit(0)),
        ),
        (
            "as many calls of the connection as there may be",
            setup(&origin).options(|o| o.in_flight_per_connection_key(0)),
        ),
    ] {
        let expected = (503, "overloaded", "connection_limit_reached", false);
        let limited = (origin.as_str(), limited);
        failures.push(fail(what, expected, limited, caller(get("/p/c/x"))).await);
    }
    vendor.untouched().await;
    failures.push(too_fast(caller).await);
    failures
}

/// Makes the second call of a connection that allows one call per minute.
async fn too_fast(caller: Caller) -> Failure {
    use std::num::NonZeroU32;

    let vendor = Vendor::ok().await;
    let origin = vendor.origin();
    let rate = tower_passthrough::limits::Rate::per_minute(NonZeroU32::MIN);
    let gateway = setup(&origin)
        .options(move |o| o.rate_per_connection_key(rate))
        .start()
        .await;
    let first = raw_call(gateway.address, get("/p/c/x")).await;
    assert_eq!(first.status(), 200);
    let second = raw_call(gateway.address, caller(get("/p/c/x"))).await;
    let expected = (429, "rate-limited", "http_request_denied", false);
    failure("a call too soon", expected, second, &origin)
}
