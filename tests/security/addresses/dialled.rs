//! The checked address is the address that is dialled, and each address is checked again.

use tower_passthrough::policy::{DomainPolicy, NetworkPolicy};

use super::{answer, gateway, prohibited, prohibited_literal};
use testkit::caller::{get, raw_call};
use testkit::gateway::{Setup, bind};
use testkit::names::Names;
use testkit::pair::Pair;
use testkit::reply::Reply;
use testkit::vendor::Vendor;

#[tokio::test]
async fn n1_a_name_that_changes_its_address_is_checked_again() {
    let closing =
        Reply::bytes("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok").close();
    let vendor = Vendor::answering(closing).await;
    // Only the "public" address is allowed, and the next answer has an internal address.
    let names = Names::new().answer(
        "rebound.test",
        [&["127.0.0.1"], &["127.0.0.2"], &["127.0.0.1"]],
    );
    let gateway = gateway(&vendor, "rebound.test", &names, &["127.0.0.1/32"]).await;
    assert_eq!(answer(&gateway).await.0, 200);
    vendor.closed(0).await;
    assert_eq!(answer(&gateway).await, prohibited());
    assert_eq!(answer(&gateway).await.0, 200);
    assert_eq!(names.asked().len(), 3);
}

#[tokio::test]
async fn n1_literal_addresses_are_checked_as_well() {
    let vendor = Vendor::ok().await;
    for host in [
        "127.0.0.1",
        "127.1",
        "2130706433",
        "[::1]",
        "[::ffff:127.0.0.1]",
        "169.254.169.254",
        "10.0.0.1",
    ] {
        let gateway = gateway(&vendor, host, &Names::new(), &[]).await;
        assert_eq!(answer(&gateway).await, prohibited_literal(), "{host}");
    }
    vendor.untouched().await;
    let open = gateway(&vendor, "127.0.0.1", &Names::new(), &["127.0.0.1/32"]).await;
    assert_eq!(answer(&open).await.0, 200);
}

#[tokio::test]
async fn n1_names_answered_without_dns_are_checked_as_well() {
    let vendor = Vendor::ok().await;
    let gateway = Setup::new(&vendor)
        .network(|_| NetworkPolicy::new().dangerous().plaintext())
        .start()
        .await;
    assert_eq!(answer(&gateway).await, prohibited());
    vendor.untouched().await;
}

#[tokio::test]
async fn n4_refused_addresses_are_skipped_and_not_shown() {
    let vendor = Vendor::ok().await;
    let mixed = ["10.11.12.13", "169.254.169.254", "127.0.0.1", "::1"];
    let names = Names::new()
        .answer("mixed.test", [&mixed])
        .answer("internal.test", [&["10.11.12.13", "fd00:99::1"]]);
    let gateway_of_mixed = gateway(&vendor, "mixed.test", &names, &["127.0.0.1/32"]).await;
    assert_eq!(answer(&gateway_of_mixed).await.0, 200);
    assert_eq!(vendor.connections().await, 1);

    let gateway_of_internal = gateway(&vendor, "internal.test", &names, &["127.0.0.1/32"]).await;
    let response = raw_call(gateway_of_internal.address, get("/p/c/x")).await;
    assert_eq!(response.error(), Some("destination-refused"));
    let told = format!(
        "{}{}",
        String::from_utf8_lossy(&response.head.raw),
        response.text()
    );
    for secret in ["10.11", "fd00", "internal.test"] {
        assert!(!told.contains(secret), "{told}");
    }
}

#[tokio::test]
async fn n6_the_gateways_own_listener_is_never_dialled() {
    for host in ["127.0.0.1", "[::ffff:127.0.0.1]", "own.test", "0.0.0.0"] {
        let listener = bind().await;
        let port = listener.local_addr().unwrap().port();
        let names = Names::new().answer("own.test", [&["127.0.0.1"]]);
        let gateway = Setup::new(&*format!("http://{host}:{port}"))
            .listener(listener)
            .network(|network| network.dangerous().any_address())
            .transport(|transport| transport.resolver(names))
            .start()
            .await;
        let response = raw_call(gateway.address, get("/p/c/p/c/x")).await;
        assert_eq!(
            (response.status(), response.error()),
            (403, Some("destination-refused")),
            "{host}"
        );
        let status = response.head.value("proxy-status");
        assert_eq!(
            status,
            Some("passthrough; error=proxy_loop_detected"),
            "{host}"
        );
    }
}

#[tokio::test]
async fn n7_ports_are_those_of_the_base_url_and_of_the_patterns() {
    let other = Vendor::ok().await;
    let names = Names::all_to_loopback();
    let resolver = names.clone();
    let pair = Pair::with(|setup| {
        setup
            .upstream(|upstream| {
                upstream.domains(DomainPolicy::none().allow("eu.vendor.test:9001").unwrap())
            })
            .transport(|transport| transport.resolver(resolver))
    })
    .await;
    let other_port = other.address().port();
    for domain in [
        "eu.vendor.test:22",
        "eu.vendor.test",
        "vendor.test:22",
        "vendor.test",
        &format!("eu.vendor.test:{other_port}"),
        &format!("vendor.test:{other_port}"),
    ] {
        pair.refused(
            get(&format!("/p/c/x?__domain={domain}")),
            403,
            "domain-refused",
        )
        .await;
    }
    for domain in [
        "eu.vendor.test:0",
        "eu.vendor.test:65536",
        "eu.vendor.test:",
        "eu.vendor.test:9001x",
        "eu.vendor.test:-1",
        "eu.vendor.test:%2B9001",
    ] {
        pair.refused(get(&format!("/p/c/x?__domain={domain}")), 400, "bad-domain")
            .await;
    }
    other.untouched().await;
    pair.vendor.untouched().await;
}

#[tokio::test]
async fn n8_ambiguous_spellings_of_addresses_are_refused() {
    let vendor = Vendor::ok().await;
    // `010.0.0.1` is 8.0.0.1 by the WHATWG rules and 10.0.0.1 in some libraries. No table decides, because the
    // integration lists no addresses.
    let pair = Pair::new().await;
    for (domain, status, code) in [
        ("010.0.0.1", 403, "domain-refused"),
        ("[fe80::1%25eth0]", 400, "bad-domain"),
        ("[fe80::1%2525eth0]", 400, "bad-domain"),
    ] {
        pair.refused(get(&format!("/p/c/x?__domain={domain}")), status, code)
            .await;
    }
    for host in [
        "[4000::1]",
        "[::ffff:0:127.0.0.1]",
        "[e000::1]",
        "168.63.129.16",
    ] {
        let gateway = gateway(&vendor, host, &Names::new(), &[]).await;
        assert_eq!(answer(&gateway).await, prohibited_literal(), "{host}");
    }
    vendor.untouched().await;
}

#[tokio::test]
async fn n9_a_connection_is_made_to_the_checked_address_of_one_look_up() {
    let closing =
        Reply::bytes("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok").close();
    let vendor = Vendor::answering(closing).await;
    let names = Names::new().answer("counted.test", [&["127.0.0.1"]]);
    let gateway = gateway(&vendor, "counted.test", &names, &["127.0.0.1/32"]).await;
    for calls in 1..=3 {
        assert_eq!(answer(&gateway).await.0, 200);
        vendor.closed(calls - 1).await;
        assert_eq!(names.asked(), vec!["counted.test"; calls]);
    }
    assert_eq!(vendor.connections().await, 3);
}

#[tokio::test]
async fn n9_a_kept_connection_needs_no_second_look_up() {
    let vendor = Vendor::ok().await;
    // A second look-up would return an address that may not be dialled.
    let names = Names::new().answer("counted.test", [&["127.0.0.1"], &["10.0.0.1"]]);
    let gateway = gateway(&vendor, "counted.test", &names, &["127.0.0.1/32"]).await;
    let mut caller = testkit::caller::Caller::connect(gateway.address).await;
    for _ in 0..3 {
        assert_eq!(caller.call(get("/p/c/x")).await.status(), 200);
    }
    assert_eq!(vendor.connections().await, names.asked().len());
}
