//! The calls that a network connection serves: all calls, the calls of one connection key, or the calls with one
//! credential.

use std::time::Duration;

use std::collections::{BTreeMap, BTreeSet};

use super::{Scheme, assert_ok, at_once, next, two_tenants};
use testkit::caller::{Caller, get};
use testkit::gateway::{Gateway, Origin, Setup};
use testkit::h2_vendor::H2Vendor;
use testkit::pair::Pair;
use testkit::reply::Reply;
use testkit::vendor::Vendor;

fn apart(setup: Setup) -> Setup {
    two_tenants(setup).transport(|transport| transport.isolate_connection_keys(true))
}

fn binding(setup: Setup) -> Setup {
    let scheme = Scheme {
        binds: true,
        ..Scheme::default()
    };
    two_tenants(setup).upstream(|upstream| upstream.auth(scheme))
}

/// Starts a vendor with HTTP/1.1 over TLS.
async fn secure_vendor() -> Vendor {
    Vendor::replying_over_tls(&["http/1.1"], |received| Reply::ok(received.target())).await
}

/// Returns the number of the network connection of each of six calls, which are alternately calls of `one` and `two`.
async fn in_turn(gateway: &Gateway, vendor: &Vendor) -> Vec<usize> {
    let mut connections = Vec::new();
    let mut caller = Caller::connect(gateway.address).await;
    for id in ["one", "two"].repeat(3) {
        // A connection rests before another key uses it.
        tokio::time::sleep(Duration::from_millis(40)).await;
        let answer = caller.call(get(&format!("/p/{id}/{id}"))).await;
        assert_ok(&answer, &format!("/{id}"));
        connections.push(vendor.next().await.connection);
    }
    connections
}

/// Returns the same over HTTP/2.
async fn in_turn_over_http2(gateway: &Gateway, vendor: &H2Vendor) -> Vec<usize> {
    let mut connections = Vec::new();
    let mut caller = Caller::connect(gateway.address).await;
    for id in ["one", "two"].repeat(3) {
        caller.write(get(&format!("/p/{id}/x"))).await;
        let mut call = vendor.next().await;
        call.ok("own");
        assert_ok(&caller.response("GET").await, "own");
        connections.push(call.connection);
    }
    connections
}

#[tokio::test]
async fn k6_each_connection_key_can_have_separate_connections() {
    let pair = Pair::before(
        Vendor::replying(|received| Reply::ok(received.target())).await,
        apart,
    )
    .await;
    let seen = in_turn(&pair.gateway, &pair.vendor).await;
    assert_eq!(seen, [0, 1, 0, 1, 0, 1]);

    let vendor = H2Vendor::start().await;
    let gateway = apart(Setup::new(&vendor)).start().await;
    let seen = in_turn_over_http2(&gateway, &vendor).await;
    assert_eq!(seen, [0, 1, 0, 1, 0, 1]);
}

#[tokio::test]
async fn k6_by_default_connection_keys_share_connections() {
    let vendor = secure_vendor().await;
    let gateway = two_tenants(Setup::new(&vendor)).start().await;
    assert_eq!(in_turn(&gateway, &vendor).await, [0; 6]);

    let vendor = H2Vendor::start().await;
    let gateway = two_tenants(Setup::new(&vendor)).start().await;
    assert_eq!(in_turn_over_http2(&gateway, &vendor).await, [0; 6]);
}

#[tokio::test]
async fn k7_a_scheme_that_binds_connections_separates_credentials() {
    let vendor = secure_vendor().await;
    let gateway = binding(Setup::new(&vendor)).start().await;
    assert_eq!(in_turn(&gateway, &vendor).await, [0, 1, 0, 1, 0, 1]);

    let vendor = H2Vendor::start().await;
    let gateway = binding(Setup::new(&vendor)).start().await;
    assert_eq!(
        in_turn_over_http2(&gateway, &vendor).await,
        [0, 1, 0, 1, 0, 1]
    );
}

/// The credentials that came on each connection.
type Seen = BTreeMap<usize, BTreeSet<String>>;

fn note(seen: &mut Seen, connection: usize, credential: &str) {
    let credentials = seen.entry(connection).or_default();
    credentials.insert(credential.to_owned());
}

fn assert_never_mixed(seen: &Seen) {
    assert!(seen.len() >= 2, "{seen:?}");
    assert!(
        seen.values().all(|credentials| credentials.len() == 1),
        "{seen:?}"
    );
}

fn hundred_mixed_calls() -> Vec<String> {
    ["one", "two"]
        .repeat(50)
        .iter()
        .map(|id| get(&format!("/p/{id}/x")))
        .collect()
}

async fn gateway_that_binds(vendor: &impl Origin) -> Gateway {
    binding(Setup::new(vendor)).start().await
}

#[tokio::test]
async fn k7_many_calls_at_once_never_mix_bound_connections() {
    let vendor = secure_vendor().await;
    let gateway = gateway_that_binds(&vendor).await;
    let mut seen = Seen::new();
    for _ in 0..2 {
        let mut callers = at_once(gateway.address, hundred_mixed_calls());
        while !callers.is_empty() {
            assert_ok(&next(&mut callers).await, "/x");
            let received = vendor.next().await;
            let credential = received.head.value("authorization").unwrap();
            note(&mut seen, received.connection, credential);
        }
    }
    assert_never_mixed(&seen);

    let vendor = H2Vendor::start().await;
    let gateway = gateway_that_binds(&vendor).await;
    let mut seen = Seen::new();
    let mut callers = at_once(gateway.address, hundred_mixed_calls());
    for _ in 0..100 {
        let mut call = vendor.next().await;
        let credential = call.request.headers()["authorization"].to_str().unwrap();
        note(&mut seen, call.connection, credential);
        call.ok("own");
    }
    while !callers.is_empty() {
        assert_ok(&next(&mut callers).await, "own");
    }
    assert_never_mixed(&seen);
}
