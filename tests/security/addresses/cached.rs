//! A cached answer of DNS is checked like a new answer.

use std::time::Duration;

use tower_passthrough::policy::{DomainPolicy, NetworkPolicy};

use super::{allowing, answer, prohibited};
use testkit::caller::{get, raw_call};
use testkit::gateway::{Setup, bind};
use testkit::names::Names;
use testkit::reply::Reply;
use testkit::vendor::Vendor;

const LONG: Duration = Duration::from_secs(3600);

/// Starts a gateway in front of `host` on the vendor's port, which caches addresses for that time.
async fn gateway(
    vendor: &Vendor,
    host: &str,
    names: &Names,
    network: NetworkPolicy,
    kept: Duration,
) -> testkit::gateway::Gateway {
    let names = names.clone();
    Setup::new(&*format!("http://{host}:{}", vendor.address().port()))
        .network(|_| network)
        .transport(move |transport| transport.resolver(names).dns_cache(kept, kept))
        .start()
        .await
}

async fn closing() -> Vendor {
    let reply = "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok";
    Vendor::answering(Reply::bytes(reply).close()).await
}

#[tokio::test]
async fn n1_cached_addresses_that_are_refused_stay_refused() {
    let vendor = closing().await;
    let names = Names::new().answer("kept.test", [&["127.0.0.2", "10.0.0.1"]]);
    let network = allowing(&["127.0.0.1/32"]).dangerous().plaintext();
    let gateway = gateway(&vendor, "kept.test", &names, network, LONG).await;
    for _ in 0..3 {
        assert_eq!(answer(&gateway).await, prohibited());
    }
    assert_eq!(names.asked().len(), 1);
    vendor.untouched().await;
}

#[tokio::test]
async fn n1_cached_addresses_are_checked_for_each_use() {
    // The same name with two ports: the vendor's port, and the port of the gateway itself.
    let vendor = closing().await;
    let listener = bind().await;
    let own = listener.local_addr().unwrap();
    let names = Names::new().answer("kept.test", [&["127.0.0.1"]]);
    let resolver = names.clone();
    let own_port = format!("kept.test:{}", own.port());
    let domain = own_port.clone();
    let gateway = Setup::new(&*format!("http://kept.test:{}", vendor.address().port()))
        .listener(listener)
        .upstream(move |upstream| upstream.domains(DomainPolicy::none().allow(&domain).unwrap()))
        .transport(move |transport| transport.resolver(resolver).dns_cache(LONG, LONG))
        .start()
        .await;
    assert_eq!(answer(&gateway).await.0, 200);
    let looping = get(&format!("/p/c/x?__domain={own_port}"));
    let response = raw_call(gateway.address, looping).await;
    assert_eq!(response.error(), Some("destination-refused"));
    let told = response.head.value("proxy-status");
    assert_eq!(told, Some("passthrough; error=proxy_loop_detected"));
    assert_eq!(answer(&gateway).await.0, 200);
    assert_eq!(names.asked(), ["kept.test"]);
}

#[tokio::test]
async fn n1_a_name_that_changes_its_address_is_checked_after_the_cache_time() {
    let vendor = closing().await;
    let names = Names::new().answer(
        "rebound.test",
        [&["127.0.0.1"], &["169.254.169.254"], &["127.0.0.1"]],
    );
    let network = || allowing(&["127.0.0.1/32"]).dangerous().plaintext();
    let unkept = gateway(&vendor, "rebound.test", &names, network(), Duration::ZERO).await;
    assert_eq!(answer(&unkept).await.0, 200);
    assert_eq!(answer(&unkept).await, prohibited());
    assert_eq!(answer(&unkept).await.0, 200);
}
