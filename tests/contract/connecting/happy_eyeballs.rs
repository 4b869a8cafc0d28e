//! The addresses of a name that are tried, and the error if no address answers. The time between attempts is tested in
//! unit tests with a paused clock.

use testkit::caller::{get, raw_call};
use testkit::gateway::{Gateway, Setup};
use testkit::names::Names;
use testkit::vendor::Vendor;

async fn gateway(vendor: &Vendor, addresses: &[&str]) -> Gateway {
    let names = Names::new().answer("many.test", [addresses]);
    Setup::new(&*format!("http://many.test:{}", vendor.address().port()))
        .network(|network| network.dangerous().any_address())
        .transport(|transport| transport.resolver(names))
        .start()
        .await
}

#[tokio::test]
async fn addresses_that_refuse_are_skipped() {
    // The vendor has one IPv4 address, and the machine may have no IPv6.
    for addresses in [
        &["127.0.0.2", "127.0.0.3", "127.0.0.1"][..],
        &["::1", "127.0.0.1"],
        &["127.0.0.2", "::1", "127.0.0.1"],
        &["127.0.0.1", "::1"],
    ] {
        let vendor = Vendor::ok().await;
        let gateway = gateway(&vendor, addresses).await;
        let response = raw_call(gateway.address, get("/p/c/x")).await;
        assert_eq!(response.status(), 200, "{addresses:?}");
        assert_eq!(vendor.connections().await, 1, "{addresses:?}");
    }
}

#[tokio::test]
async fn families_take_turns_so_that_no_family_uses_up_all_attempts() {
    let vendor = Vendor::ok().await;
    // More IPv6 addresses than are tried for one name.
    let mut addresses = vec!["::1"; 20];
    addresses.push("127.0.0.1");
    let gateway = gateway(&vendor, &addresses).await;
    let response = raw_call(gateway.address, get("/p/c/x")).await;
    assert_eq!(response.status(), 200);
}

#[tokio::test]
async fn refused_connections_are_reported_if_all_addresses_refuse() {
    let vendor = Vendor::ok().await;
    let gateway = gateway(&vendor, &["127.0.0.2", "127.0.0.3"]).await;
    let response = raw_call(gateway.address, get("/p/c/x")).await;
    assert_eq!(response.error(), Some("upstream-unreachable"));
    let told = response.head.value("proxy-status");
    assert_eq!(told, Some("passthrough; error=connection_refused"));
    vendor.untouched().await;
}
