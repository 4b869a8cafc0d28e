//! Request headers: the fields of the caller, of the host application and of the gateway that reach the vendor.

mod credentials;
mod destination;
mod framing;
mod hop_by_hop;
mod order;
mod passing;
mod routing;
mod traces;
mod versions;

use http::Request;

use testkit::caller::{raw_call, request};
use testkit::gateway::Gateway;
use testkit::h2_vendor::H2Vendor;

/// The names of all fields that the vendor gets for a request without further fields.
const BARE: [&str; 2] = ["authorization", "host"];

/// Returns the request that an HTTP/2 vendor gets for a GET with these lines.
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
