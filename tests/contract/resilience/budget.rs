//! Retries don't multiply the calls of an outage.

use tokio::task::JoinSet;

use super::{requests, retrying, status};
use testkit::caller::{Caller, get};
use testkit::vendor::Vendor;
use testkit::wait::within;

#[tokio::test]
async fn retry_the_calls_of_an_outage_are_not_multiplied() {
    const CALLS: usize = 200;
    let vendor = Vendor::answering(status("503 Down", "Retry-After: 0\r\n")).await;
    let gateway = retrying(&vendor, 5).await;
    let address = gateway.address;
    let mut callers = JoinSet::new();
    for _ in 0..10 {
        callers.spawn(async move {
            let mut caller = Caller::connect(address).await;
            for _ in 0..CALLS / 10 {
                assert_eq!(caller.call(get("/p/c/x")).await.status(), 503);
            }
        });
    }
    while let Some(ended) = within("the callers", callers.join_next()).await {
        ended.unwrap();
    }
    // A fifth of the calls, and ten for each of the ten seconds that the test may have taken.
    let requests = requests(&vendor).await;
    assert!((CALLS + 10..=CALLS + 60).contains(&requests), "{requests}");
}
