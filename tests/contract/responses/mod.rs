//! Responses: the fields and bytes of the vendor that are returned, and their form.

mod browser_safe;
mod foreign;
mod head;
mod links;
mod loose;
mod paging;
mod ranges;
mod redirects;
mod renewal;
mod replay;

use testkit::gateway::Setup;
use testkit::pair::Pair;
use testkit::vendor::Vendor;

/// Returns a pair whose vendor answers each request with these bytes.
async fn answering(reply: impl Into<Vec<u8>>) -> Pair {
    answering_with(reply, |setup| setup).await
}

async fn answering_with(reply: impl Into<Vec<u8>>, change: impl FnOnce(Setup) -> Setup) -> Pair {
    Pair::before(Vendor::answering(reply.into()).await, change).await
}
