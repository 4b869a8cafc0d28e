//! A proxy that opens no tunnel.

use std::time::Duration;

use super::behind;
use testkit::caller::{get, raw_call};
use testkit::egress_proxy::{EgressProxy, Verdict};
use testkit::gateway::{Gateway, Setup, bind};
use testkit::vendor::Vendor;

/// Checks that the vendor can't be reached, and that the answer contains nothing about the proxy.
async fn unreachable(gateway: &Gateway, what: &str) {
    let response = raw_call(gateway.address, get("/p/c/x")).await;
    assert_eq!(
        (response.status(), response.error()),
        (502, Some("upstream-unreachable")),
        "{what}"
    );
    let told = response.head.value("proxy-status");
    assert_eq!(
        told,
        Some("passthrough; error=destination_unavailable"),
        "{what}"
    );
    assert!(response.text().contains("\"sent\":false"), "{what}");
    let raw = String::from_utf8_lossy(&response.head.raw).into_owned();
    for word in ["canary", "407", "Basic", "egress"] {
        assert!(
            !raw.contains(word) && !response.text().contains(word),
            "{what}"
        );
    }
}

#[tokio::test]
async fn r8_a_407_of_an_egress_proxy_is_502() {
    let vendor = Vendor::ok().await;
    let challenge = "HTTP/1.1 407 canary\r\nProxy-Authenticate: Basic realm=\"canary\"\r\n\
                     Content-Length: 6\r\n\r\ncanary";
    let proxy = EgressProxy::http(move |_| Verdict::say(challenge)).await;
    let gateway = behind(&proxy, "canary:canary@", &vendor).start().await;
    unreachable(&gateway, "407").await;
    // A credential that the proxy rejects isn't sent again.
    assert_eq!(proxy.connections().await, 1);
    proxy.all_closed().await;
    vendor.untouched().await;
}

#[tokio::test]
async fn other_answers_of_an_http_proxy_open_no_tunnel() {
    let vendor = Vendor::ok().await;
    let huge = format!("HTTP/1.1 200 OK\r\nA: {}\r\n\r\n", "a".repeat(1 << 20));
    for (what, answer) in [
        ("a refusal", "HTTP/1.1 403 canary\r\n\r\n".to_owned()),
        ("an error", "HTTP/1.1 500 canary\r\n\r\n".to_owned()),
        (
            "a redirect",
            "HTTP/1.1 302 canary\r\nLocation: http://127.0.0.1/\r\n\r\n".to_owned(),
        ),
        (
            "a switch",
            "HTTP/1.1 101 canary\r\nUpgrade: canary\r\n\r\n".to_owned(),
        ),
        ("garbage", "canary\r\n\r\n".to_owned()),
        ("another protocol", "SSH-2.0-canary\r\n\r\n".to_owned()),
        ("a huge head", huge),
        ("half a head", "HTTP/1.1 200 OK\r\n".to_owned()),
        ("nothing", String::new()),
    ] {
        let proxy = EgressProxy::http(move |_| Verdict::say(answer.clone())).await;
        let gateway = behind(&proxy, "", &vendor).start().await;
        unreachable(&gateway, what).await;
        proxy.all_closed().await;
    }
    vendor.untouched().await;
}

#[tokio::test]
async fn other_answers_of_a_socks5_proxy_open_no_tunnel() {
    let vendor = Vendor::ok().await;
    for (what, answer) in [
        ("unreachable", &[5, 4, 0, 1, 0, 0, 0, 0, 0, 0][..]),
        ("a rule", &[5, 2, 0, 1, 0, 0, 0, 0, 0, 0]),
        ("garbage", b"HTTP/1.1 200 OK\r\n\r\n"),
        ("half a reply", &[5, 0, 0]),
        ("nothing", &[]),
    ] {
        let proxy = EgressProxy::socks5(move |_| Verdict::say(answer)).await;
        let gateway = behind(&proxy, "canary:canary@", &vendor).start().await;
        unreachable(&gateway, what).await;
        proxy.all_closed().await;
    }
    vendor.untouched().await;
}

#[tokio::test]
async fn a_vendor_that_refuses_the_proxy_is_reported() {
    let vendor = Vendor::ok().await;
    let refused = [5, 5, 0, 1, 0, 0, 0, 0, 0, 0];
    let proxy = EgressProxy::socks5(move |_| Verdict::say(refused)).await;
    let gateway = behind(&proxy, "", &vendor).start().await;
    let response = raw_call(gateway.address, get("/p/c/x")).await;
    let told = response.head.value("proxy-status");
    assert_eq!(told, Some("passthrough; error=connection_refused"));
}

#[tokio::test]
async fn a_failing_proxy_is_not_reported_as_the_vendor() {
    let vendor = Vendor::ok().await;
    let closed = bind().await.local_addr().unwrap();
    let nobody =
        tower_passthrough::client::EgressProxy::parse(&format!("http://{closed}")).unwrap();
    let gateway = Setup::new(&vendor)
        .transport(|transport| transport.egress_proxy(nobody))
        .start()
        .await;
    unreachable(&gateway, "nobody listens").await;
    let other = EgressProxy::https("other.test", |_| Verdict::Through).await;
    let gateway = behind(&other, "", &vendor).start().await;
    unreachable(&gateway, "another certificate").await;
    let unknown = tower_passthrough::client::EgressProxy::parse("http://unknown.test:1").unwrap();
    let gateway = Setup::new(&vendor)
        .transport(|transport| {
            let names = testkit::names::Names::new();
            transport.resolver(names).egress_proxy(unknown)
        })
        .start()
        .await;
    unreachable(&gateway, "an unknown name").await;
    vendor.untouched().await;
}

#[tokio::test]
async fn a_stalled_proxy_ends_with_the_connect_timeout() {
    let vendor = Vendor::ok().await;
    for proxy in [
        EgressProxy::http(|_| Verdict::Silence).await,
        EgressProxy::socks5(|_| Verdict::Silence).await,
        EgressProxy::https("127.0.0.1", |_| Verdict::Silence).await,
    ] {
        let url = tower_passthrough::client::EgressProxy::parse(&proxy.url("")).unwrap();
        let gateway = Setup::new(&vendor)
            .transport(|transport| {
                let transport = transport.connect_timeout(Duration::from_millis(500));
                transport.egress_proxy(url)
            })
            .start()
            .await;
        let response = raw_call(gateway.address, get("/p/c/x")).await;
        assert_eq!(
            (response.status(), response.error()),
            (504, Some("upstream-timeout"))
        );
        let told = response.head.value("proxy-status");
        assert_eq!(told, Some("passthrough; error=connection_timeout"));
        proxy.all_closed().await;
    }
}
