//! The data that an egress proxy sees.

use testkit::caller::{get, raw_call, request};
use testkit::egress_proxy::{EgressProxy, Verdict};
use testkit::gateway::{Setup, TOKEN};
use testkit::manual::ManualVendor;
use testkit::vendor::Vendor;

#[tokio::test]
async fn d13_an_egress_proxy_is_asked_only_for_tunnels() {
    let vendor = Vendor::ok().await;
    for proxy in [
        EgressProxy::http(|_| Verdict::Through).await,
        EgressProxy::https("127.0.0.1", |_| Verdict::Through).await,
    ] {
        let url = tower_passthrough::client::EgressProxy::parse(&proxy.url("user:pass@")).unwrap();
        let gateway = Setup::new(&vendor)
            .transport(|transport| transport.egress_proxy(url))
            .start()
            .await;
        let lines = ["X-Own: 1", "Proxy-Authorization: Basic b3RoZXI="];
        let call = request("GET", "/p/c/path?query", &lines, "");
        assert_eq!(raw_call(gateway.address, call).await.status(), 200);
        let port = vendor.address().port();
        let expected = format!(
            "CONNECT 127.0.0.1:{port} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n\
             Proxy-Authorization: Basic dXNlcjpwYXNz\r\n\r\n"
        );
        assert_eq!(proxy.next().await, expected);
        // The proxy's credential isn't sent to the vendor either.
        let received = vendor.next().await;
        assert_eq!(
            received.head.value("authorization"),
            Some(&*format!("Bearer {TOKEN}"))
        );
        assert!(!received.head.has("proxy-authorization"));
    }
}

#[tokio::test]
async fn d13_a_proxy_that_answers_for_the_vendor_is_sent_nothing() {
    // The proxy answers in place of the vendor, and doesn't have the vendor's certificate.
    let vendor = ManualVendor::bind_tls(&["http/1.1"]).await;
    let impostor = ManualVendor::bind_tls_as("127.0.0.1").await;
    let own = impostor.address();
    let proxy = EgressProxy::http(move |_| Verdict::To(own)).await;
    let url = tower_passthrough::client::EgressProxy::parse(&proxy.url("")).unwrap();
    let gateway = Setup::new(&vendor)
        .transport(|transport| transport.egress_proxy(url))
        .start()
        .await;
    let (response, ()) = tokio::join!(
        raw_call(gateway.address, get("/p/c/x")),
        impostor.accept_and_fail()
    );
    assert_eq!(response.error(), Some("upstream-unreachable"));
    let told = response.head.value("proxy-status");
    assert_eq!(told, Some("passthrough; error=tls_certificate_error"));
}
