//! A long run over connections that a vendor ends at the worst moment.

use std::collections::{HashMap, HashSet};
use std::sync::Mutex;

use tokio::task::JoinSet;

use testkit::caller::{Caller, get, post};
use testkit::gateway::Gateway;
use testkit::reply::Reply;
use testkit::vendor::Vendor;

const CALLERS: usize = 20;
const CALLS: usize = 500;

/// Starts a vendor that answers the first request of each connection, and that ends the connection in one of several ways.
async fn vendor_that_hangs_up() -> Vendor {
    let answered = Mutex::new(HashSet::new());
    Vendor::replying(move |received| {
        let is_first = answered.lock().unwrap().insert(received.connection);
        match (is_first, received.connection % 5) {
            (true, 3) => Reply::ok("ok").close(),
            (true, 4) => Reply::ok("ok").finish(),
            (true, _) => Reply::ok("ok"),
            (false, 0) => Reply::default().close(),
            (false, 1) => Reply::default().finish(),
            (false, _) => Reply::default().reset(),
        }
    })
    .await
}

/// Makes 10,000 calls, and returns the statuses, and the number of times that the vendor has received each target.
async fn calls(call: fn(&str) -> String) -> (Vec<u16>, HashMap<String, usize>) {
    let vendor = vendor_that_hangs_up().await;
    let gateway = Gateway::to(&vendor).await;
    let mut callers = JoinSet::new();
    for caller in 0..CALLERS {
        let address = gateway.address;
        callers.spawn(async move {
            let mut connection = Caller::connect(address).await;
            let mut statuses = Vec::new();
            for number in 0..CALLS {
                let target = format!("/p/c/{caller}/{number}");
                statuses.push(connection.call(call(&target)).await.status());
            }
            statuses
        });
    }
    let statuses = callers.join_all().await.concat();
    let mut seen = HashMap::new();
    while let Some(received) = vendor.try_next().await {
        *seen.entry(received.target().to_owned()).or_default() += 1;
    }
    (statuses, seen)
}

#[tokio::test]
#[ignore = "takes longer than 10 s"]
async fn k2_ten_thousand_gets_all_succeed() {
    let (statuses, seen) = calls(get).await;
    assert_eq!(statuses, vec![200; CALLERS * CALLS]);
    assert!(seen.values().all(|&times| times <= 2));
    let repeated = seen.values().filter(|&&times| times == 2).count();
    assert!(repeated > CALLS, "only {repeated} calls were repeated");
}

#[tokio::test]
#[ignore = "takes longer than 10 s"]
async fn k2_no_post_among_ten_thousand_is_sent_twice() {
    let (statuses, seen) = calls(|target| post(target, "hello")).await;
    assert!(statuses.iter().all(|status| matches!(status, 200 | 502)));
    assert!(seen.values().all(|&times| times == 1));
}
