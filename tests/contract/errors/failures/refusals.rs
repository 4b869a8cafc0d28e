//! What is refused by the call's own words.

use super::{Caller, Failure, fail, setup};
use crate::support::caller::{get, request};
use crate::support::gateway::Origin;
use crate::support::vendor::Vendor;

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
    vendor.untouched().await;
    failures
}
