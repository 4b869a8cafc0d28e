//! Request headers: what the vendor gets of the caller's, of the host's and of ours.

mod credentials;
mod framing;
mod hop_by_hop;
mod passing;
mod routing;
mod traces;
mod versions;

use http::Request;

use testkit::caller::{raw_call, request};
use testkit::gateway::Gateway;
use testkit::h2_vendor::H2Vendor;

/// What the vendor gets of a request that has no fields of its own, beside our credential.
const BARE: [&str; 2] = ["authorization", "host"];

/// What a vendor on HTTP/2 gets of a GET with these lines.
async fn seen_on_h2(lines: &[&str]) -> (H2Vendor, Request<()>) {
    let vendor = H2Vendor::start().await;
    let gateway = Gateway::to(&vendor).await;
    let sent = request("GET", "/p/c/x", lines, "");
    let answer = async {
        let mut call = vendor.next().await;
        call.ok("ok");
        call.request
    };
    let (response, seen) = tokio::join!(raw_call(gateway.address, sent), answer);
    assert_eq!(response.status(), 200, "{}", response.text());
    (vendor, seen)
}
