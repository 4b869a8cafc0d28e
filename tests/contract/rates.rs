//! The rate at which calls of a connection may begin, if the host application limits the rate.

use std::num::NonZeroU32;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tower_passthrough::limits::{Drawn, Rate, SharedRate, SharedRateLimit};
use tower_passthrough::store::ConnectionKey;
use tower_passthrough::{BoxError, Connection};

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

/// Has a number of calls for each key, and records the keys that draw.
struct Purse {
    calls: u32,
    draws: Mutex<Vec<(String, u32)>>,
}

impl SharedRate for Purse {
    async fn draw(
        &self,
        key: &ConnectionKey,
        _: Rate,
        want: NonZeroU32,
    ) -> Result<Drawn, BoxError> {
        let mut draws = self.draws.lock().unwrap();
        let of_key = draws.iter().filter(|(drawn, _)| drawn == key.as_str());
        let left = self.calls - of_key.map(|(_, granted)| granted).sum::<u32>();
        let granted = left.min(want.get());
        draws.push((key.as_str().to_owned(), granted));
        Ok(Drawn::new(granted, Duration::from_secs(42)))
    }
}

#[tokio::test]
async fn e6_gateways_with_a_shared_rate_admit_its_calls_together() {
    let vendor = Vendor::ok().await;
    let purse = Arc::new(Purse {
        calls: 5,
        draws: Mutex::default(),
    });
    let rate = Rate::per_minute(NonZeroU32::new(5).unwrap());
    let start = async || {
        let limit = SharedRateLimit::new(rate, Arc::clone(&purse));
        Setup::new(&vendor)
            .also("d", Connection::new("vendor").with_secret("token", TOKEN))
            .options(move |options| options.shared_rate_per_connection_key(limit))
            .start()
            .await
    };
    let gateways = [start().await, start().await];
    let mut admitted = 0;
    for _ in 0..10 {
        for gateway in &gateways {
            let answer = raw_call(gateway.address, get("/p/c/x")).await;
            if answer.status() == 200 {
                admitted += 1;
                continue;
            }
            let code = (answer.status(), answer.error());
            assert_eq!(code, (429, Some("rate-limited")));
            let seconds: u32 = answer.head.value("retry-after").unwrap().parse().unwrap();
            assert!((1..=42).contains(&seconds), "{seconds}");
        }
    }
    assert_eq!(admitted, 5);
    let draws = || purse.draws.lock().unwrap().clone();
    // A gateway that was refused doesn't ask again.
    assert!(draws().len() <= 7, "{:?}", draws());
    assert!(draws().iter().all(|(key, _)| key == "c"));
    // The source isn't asked about ids that don't exist.
    for _ in 0..4 {
        let answer = raw_call(gateways[0].address, get("/p/nobody/x")).await;
        assert_eq!(answer.error(), Some("unknown-connection"));
    }
    assert!(draws().iter().all(|(key, _)| key == "c"));
    assert_eq!(
        raw_call(gateways[0].address, get("/p/d/x")).await.status(),
        200
    );
}
