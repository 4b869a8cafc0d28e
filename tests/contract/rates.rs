//! The rate at which calls of a connection may begin, if the host application limits the rate.

use std::num::NonZeroU32;
use std::time::Duration;

use tower_passthrough::Connection;
use tower_passthrough::limits::Rate;

use testkit::caller::{get, raw_call, request};
use testkit::gateway::{Setup, TOKEN};
use testkit::vendor::Vendor;

#[tokio::test]
async fn e6_a_429_has_the_time_until_the_next_call() {
    let vendor = Vendor::ok().await;
    let two = NonZeroU32::new(2).unwrap();
    let rate = Rate::per_minute(NonZeroU32::MIN).burst(two);
    let gateway = Setup::new(&vendor)
        .also("d", Connection::new("vendor").with_secret("token", TOKEN))
        .options(move |options| options.rate_per_connection_key(rate))
        .start()
        .await;
    for _ in 0..2 {
        let answer = raw_call(gateway.address, get("/p/c/x")).await;
        assert_eq!(answer.status(), 200);
    }
    for method in ["GET", "HEAD", "POST"] {
        let answer = raw_call(gateway.address, request(method, "/p/c/x", &[], "")).await;
        assert_eq!(
            (answer.status(), answer.error()),
            (429, Some("rate-limited")),
            "{method}"
        );
        let seconds: u32 = answer.head.value("retry-after").unwrap().parse().unwrap();
        assert!((30..=60).contains(&seconds), "{method}: {seconds}");
        assert_eq!(answer.head.value("cache-control"), Some("no-store"));
    }
    // Each connection key has its own limit, so the limit doesn't reveal other ids.
    assert_eq!(raw_call(gateway.address, get("/p/d/x")).await.status(), 200);
    for _ in 0..4 {
        let answer = raw_call(gateway.address, get("/p/nobody/x")).await;
        assert_eq!(answer.error(), Some("unknown-connection"));
    }
}

/// `Retry-After` is rounded up, so a caller that waits for this time is accepted.
#[tokio::test]
async fn e6_a_caller_that_waits_for_retry_after_is_accepted() {
    let vendor = Vendor::ok().await;
    // One call per 1.5 seconds, so that a wait of 1 second would be too short.
    let forty = NonZeroU32::new(40).unwrap();
    let rate = Rate::per_minute(forty).burst(NonZeroU32::MIN);
    let gateway = Setup::new(&vendor)
        .options(move |options| options.rate_per_connection_key(rate))
        .start()
        .await;
    let first = raw_call(gateway.address, get("/p/c/x")).await;
    assert_eq!(first.status(), 200);
    let second = raw_call(gateway.address, get("/p/c/x")).await;
    // On a busy machine, more than 1.5 seconds may have passed.
    if second.status() == 429 {
        let seconds: u64 = second.head.value("retry-after").unwrap().parse().unwrap();
        tokio::time::sleep(Duration::from_secs(seconds)).await;
        let third = raw_call(gateway.address, get("/p/c/x")).await;
        assert_eq!(third.status(), 200);
    }
}
