//! Addresses are cached for a short time, and connections that need a name at the same time share a look-up.

use std::io;
use std::net::IpAddr;
use std::pin::Pin;
use std::time::Duration;

use tokio::sync::watch;
use tokio::task::JoinSet;
use tower_passthrough::Grant;
use tower_passthrough::authorize::AuthorizeError;
use tower_passthrough::client::Resolve;
use tower_passthrough::{Authorize, CallContext, Connection, ConnectionId, MemoryStore, Scope};

use super::closing_vendor;
use testkit::caller::{get, raw_call};
use testkit::gateway::{Gateway, Setup, TOKEN};
use testkit::names::Names;
use testkit::vendor::Vendor;
use testkit::wait::{Signal, within};

const LONG: Duration = Duration::from_secs(3600);

/// Starts a gateway in front of the vendor under that name, with a cache that keeps answers for that time.
async fn gateway(
    vendor: &Vendor,
    host: &str,
    resolver: impl Resolve,
    cache: Option<(Duration, Duration)>,
) -> Gateway {
    Setup::new(&*format!("http://{host}:{}", vendor.address().port()))
        .transport(move |transport| {
            let transport = transport.resolver(resolver);
            match cache {
                Some((positive, negative)) => transport.dns_cache(positive, negative),
                None => transport,
            }
        })
        .start()
        .await
}

async fn status(gateway: &Gateway) -> u16 {
    raw_call(gateway.address, get("/p/c/x")).await.status()
}

#[tokio::test]
async fn addresses_are_cached() {
    let vendor = closing_vendor().await;
    // Another look-up would return an address on which no vendor listens.
    let names = Names::new().answer("kept.test", [&["127.0.0.1"], &["127.77.0.1"]]);
    let gateway = gateway(&vendor, "kept.test", names.clone(), Some((LONG, LONG))).await;
    for _ in 0..3 {
        assert_eq!(status(&gateway).await, 200);
    }
    assert_eq!(names.asked(), ["kept.test"]);
    assert_eq!(vendor.connections().await, 3);
}

#[tokio::test]
async fn failed_look_ups_are_cached() {
    let vendor = Vendor::ok().await;
    let names = Names::new();
    let gateway = gateway(&vendor, "unknown.test", names.clone(), Some((LONG, LONG))).await;
    for _ in 0..3 {
        let response = raw_call(gateway.address, get("/p/c/x")).await;
        assert_eq!(response.error(), Some("upstream-unreachable"));
        let told = response.head.value("proxy-status");
        assert_eq!(told, Some("passthrough; error=dns_error"));
    }
    assert_eq!(names.asked(), ["unknown.test"]);
}

#[tokio::test]
async fn a_time_of_zero_switches_the_cache_off() {
    let vendor = closing_vendor().await;
    let zero = Some((Duration::ZERO, Duration::ZERO));
    let names = Names::all_to_loopback();
    let gateway_of_known = gateway(&vendor, "known.test", names.clone(), zero).await;
    for _ in 0..3 {
        assert_eq!(status(&gateway_of_known).await, 200);
    }
    assert_eq!(names.asked().len(), 3);
    let names = Names::new();
    let gateway_of_unknown = gateway(&vendor, "unknown.test", names.clone(), zero).await;
    for _ in 0..3 {
        assert_eq!(status(&gateway_of_unknown).await, 502);
    }
    assert_eq!(names.asked().len(), 3);
}

#[tokio::test]
async fn answers_of_a_custom_resolver_are_not_cached_by_default() {
    let vendor = closing_vendor().await;
    let names = Names::all_to_loopback();
    let gateway = gateway(&vendor, "own.test", names.clone(), None).await;
    for _ in 0..3 {
        assert_eq!(status(&gateway).await, 200);
    }
    assert_eq!(names.asked().len(), 3);
}

/// A resolver that answers when the test gives the signal.
struct Waiting {
    names: Names,
    signal: Signal,
}

impl Resolve for Waiting {
    fn resolve<'a>(
        &'a self,
        name: &'a str,
    ) -> Pin<Box<dyn Future<Output = io::Result<Vec<IpAddr>>> + Send + 'a>> {
        let answer = self.names.resolve(name);
        Box::pin(async {
            self.signal.given().await;
            answer.await
        })
    }
}

/// An authorizer that allows every caller, and counts the calls.
struct Counting(watch::Sender<usize>);

impl Authorize for Counting {
    async fn authorize(
        &self,
        _: &ConnectionId,
        _: CallContext<'_>,
    ) -> Result<Grant, AuthorizeError> {
        self.0.send_modify(|calls| *calls += 1);
        Ok(Scope::all().into())
    }
}

#[tokio::test]
async fn concurrent_calls_share_a_look_up_that_survives_callers_who_leave() {
    let vendor = closing_vendor().await;
    let (names, signal) = (Names::all_to_loopback(), Signal::new());
    let waiting = Waiting {
        names: names.clone(),
        signal: signal.clone(),
    };
    let calls = watch::Sender::new(0);
    let mut begun = calls.subscribe();
    let store =
        MemoryStore::from_iter([("c", Connection::new("vendor").with_secret("token", TOKEN))]);
    let gateway = Setup::new(&*format!("http://shared.test:{}", vendor.address().port()))
        .transport(move |transport| transport.resolver(waiting).dns_cache(LONG, LONG))
        .start_with(store, Counting(calls))
        .await;
    let mut callers = JoinSet::new();
    let first = callers.spawn(raw_call(gateway.address, get("/p/c/x")));
    let has_begun = begun.wait_for(|&calls| calls == 1);
    within("the first call", has_begun).await.unwrap();
    for _ in 0..10 {
        callers.spawn(raw_call(gateway.address, get("/p/c/x")));
    }
    let have_begun = begun.wait_for(|&calls| calls == 11);
    within("all calls", have_begun).await.unwrap();
    first.abort();
    // A call that would start its own look-up has done so by then.
    for _ in 0..100 {
        tokio::task::yield_now().await;
    }
    signal.give();
    let mut answered = 0;
    while let Some(call) = within("a call to end", callers.join_next()).await {
        match call {
            Ok(response) => {
                assert_eq!(response.status(), 200);
                answered += 1;
            }
            Err(error) => assert!(error.is_cancelled()),
        }
    }
    assert_eq!((answered, names.asked().len()), (10, 1));
}
