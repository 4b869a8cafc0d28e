//! The requests to a proxy, and the vendor's connection inside of the tunnel.

use tower_passthrough::Secret;

use super::behind;
use crate::connecting::closing_vendor;
use testkit::caller::{Caller, get, raw_call};
use testkit::egress_proxy::{EgressProxy, Verdict};
use testkit::gateway::Setup;
use testkit::h2_vendor::H2Vendor;
use testkit::manual::ManualVendor;
use testkit::names::Names;
use testkit::vendor::Vendor;

fn asked(port: u16) -> String {
    format!("CONNECT 127.0.0.1:{port} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n\r\n")
}

#[tokio::test]
async fn an_http_vendor_is_reached_by_a_tunnel_as_well() {
    let vendor = Vendor::ok().await;
    let proxy = EgressProxy::http(|_| Verdict::Through).await;
    let gateway = behind(&proxy, "", &vendor).start().await;
    let response = raw_call(gateway.address, get("/p/c/x?y")).await;
    assert_eq!((response.status(), &*response.text()), (200, "ok"));
    assert_eq!(proxy.next().await, asked(vendor.address().port()));
    let received = vendor.next().await;
    assert_eq!(received.head.start, "GET /x?y HTTP/1.1");
    let host = format!("vendor.test:{}", vendor.address().port());
    assert_eq!(received.head.value("host"), Some(&*host));
    assert_eq!(received.head.value("authorization"), Some("Bearer s3cr3t"));
}

#[tokio::test]
async fn a_tunnel_is_kept_in_the_pool() {
    let vendor = Vendor::ok().await;
    let proxy = EgressProxy::http(|_| Verdict::Through).await;
    let gateway = behind(&proxy, "", &vendor).start().await;
    let mut caller = Caller::connect(gateway.address).await;
    for _ in 0..3 {
        assert_eq!(caller.call(get("/p/c/x")).await.status(), 200);
    }
    assert_eq!(proxy.connections().await, vendor.connections().await);
}

#[tokio::test]
async fn tls_to_the_vendor_is_inside_of_tls_to_the_proxy() {
    let vendor = ManualVendor::bind_tls(&["http/1.1"]).await;
    let proxy = EgressProxy::https("127.0.0.1", |_| Verdict::Through).await;
    let gateway = behind(&proxy, "", &vendor).start().await;
    let mut caller = Caller::connect(gateway.address).await;
    caller.write(get("/p/c/x")).await;
    let mut connection = vendor.accept().await;
    assert_eq!(connection.head().await.start, "GET /x HTTP/1.1");
    let body = "b".repeat(1 << 20);
    let length = body.len();
    let answer = format!("HTTP/1.1 200 OK\r\nContent-Length: {length}\r\n\r\n{body}");
    let (response, ()) = tokio::join!(caller.response("GET"), connection.write(answer));
    assert_eq!((response.status(), response.text() == body), (200, true));
    assert_eq!(proxy.next().await, asked(vendor.address().port()));
}

#[tokio::test]
async fn http2_works_in_a_tunnel() {
    for tls in [false, true] {
        let vendor = H2Vendor::start().await;
        let proxy = match tls {
            false => EgressProxy::http(|_| Verdict::Through).await,
            true => EgressProxy::https("127.0.0.1", |_| Verdict::Through).await,
        };
        let gateway = behind(&proxy, "", &vendor).start().await;
        let mut caller = Caller::connect(gateway.address).await;
        caller.write(get("/p/c/x")).await;
        vendor.next().await.ok("ok");
        assert_eq!(caller.response("GET").await.text(), "ok");
    }
}

#[tokio::test]
async fn an_http_proxy_is_sent_its_credential_as_basic() {
    let vendor = closing_vendor().await;
    let proxy = EgressProxy::http(|_| Verdict::Through).await;
    let parsed = behind(&proxy, "us%65r:pa:ss@", &vendor).start().await;
    let bare = tower_passthrough::client::EgressProxy::parse(&proxy.url("")).unwrap();
    let set = bare.basic("user", Secret::from("pa:ss")).unwrap();
    let set = Setup::new(&vendor)
        .transport(|transport| transport.egress_proxy(set))
        .start()
        .await;
    let port = vendor.address().port();
    for gateway in [parsed, set] {
        assert_eq!(raw_call(gateway.address, get("/p/c/x")).await.status(), 200);
        let expected = format!(
            "CONNECT 127.0.0.1:{port} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n\
             Proxy-Authorization: Basic dXNlcjpwYTpzcw==\r\n\r\n"
        );
        assert_eq!(proxy.next().await, expected);
    }
}

#[tokio::test]
async fn a_socks5_proxy_is_asked_for_the_same_tunnel() {
    for (user_info, host) in [("", ""), ("user:pass@", "user:pass@")] {
        let vendor = Vendor::ok().await;
        let proxy = EgressProxy::socks5(|_| Verdict::Through).await;
        let gateway = behind(&proxy, user_info, &vendor).start().await;
        assert_eq!(raw_call(gateway.address, get("/p/c/x")).await.text(), "ok");
        let port = vendor.address().port();
        assert_eq!(proxy.next().await, format!("{host}127.0.0.1:{port}"));
    }
}

#[tokio::test]
async fn the_proxys_own_name_is_resolved_and_not_checked() {
    let vendor = Vendor::ok().await;
    let proxy = EgressProxy::http(|_| Verdict::Through).await;
    let port = proxy.address().port();
    let url = format!("http://proxy.test:{port}");
    let url = tower_passthrough::client::EgressProxy::parse(&url).unwrap();
    // Only the vendor's address may be dialled by the policy, and the first address of the proxy refuses connections.
    let names = Names::new()
        .answer("proxy.test", [&["127.0.0.3", "127.0.0.1"]])
        .answer("far.test", [&["127.0.0.2"]]);
    let network = tower_passthrough::policy::NetworkPolicy::new()
        .allow("127.0.0.2/32".parse().unwrap())
        .dangerous()
        .plaintext();
    let gateway = Setup::new(&*format!("http://far.test:{}", vendor.address().port()))
        .network(|_| network)
        .transport(|transport| transport.resolver(names).egress_proxy(url))
        .start()
        .await;
    // No vendor listens on the port, and the gateway asks the proxy all the same.
    assert_eq!(raw_call(gateway.address, get("/p/c/x")).await.status(), 502);
    assert!(proxy.next().await.starts_with("CONNECT 127.0.0.2:"));
}

#[tokio::test]
async fn the_next_address_is_tried_if_the_proxy_cannot_reach_the_first() {
    let unreachable = "HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n";
    let by_http = EgressProxy::http(move |head| match head.contains("127.0.0.2") {
        true => Verdict::say(unreachable),
        false => Verdict::Through,
    });
    let by_socks = EgressProxy::socks5(|goal| match goal.starts_with("127.0.0.2") {
        true => Verdict::say([5, 4, 0, 1, 0, 0, 0, 0, 0, 0]),
        false => Verdict::Through,
    });
    for proxy in [by_http.await, by_socks.await] {
        let vendor = Vendor::ok().await;
        let names = Names::new().answer("two.test", [&["127.0.0.2", "127.0.0.1"]]);
        let url = tower_passthrough::client::EgressProxy::parse(&proxy.url("")).unwrap();
        let gateway = Setup::new(&*format!("http://two.test:{}", vendor.address().port()))
            .transport(|transport| transport.resolver(names).egress_proxy(url))
            .start()
            .await;
        assert_eq!(raw_call(gateway.address, get("/p/c/x")).await.text(), "ok");
        assert!(proxy.next().await.contains("127.0.0.2"));
        assert!(proxy.next().await.contains("127.0.0.1"));
    }
}

#[tokio::test]
async fn n9_a_proxy_may_resolve_names() {
    let vendor = closing_vendor().await;
    let (address, port) = (vendor.address(), vendor.address().port());
    let script = move |_: &str| Verdict::To(address);
    for (proxy, scheme) in [
        (EgressProxy::http(script).await, "http"),
        (EgressProxy::socks5(script).await, "socks5"),
        (EgressProxy::socks5(script).await, "socks5h"),
    ] {
        let url = format!("{scheme}://{}", proxy.address());
        let mut url = tower_passthrough::client::EgressProxy::parse(&url).unwrap();
        if scheme != "socks5h" {
            url = url.remote_dns(true);
        }
        let names = Names::new();
        let resolver = names.clone();
        let gateway = Setup::new(&*format!("http://remote.test:{port}"))
            .transport(|transport| transport.resolver(resolver).egress_proxy(url))
            .start()
            .await;
        assert_eq!(raw_call(gateway.address, get("/p/c/x")).await.status(), 200);
        assert!(proxy.next().await.contains(&format!("remote.test:{port}")));
        assert_eq!(names.asked(), Vec::<String>::new());
    }
}

#[tokio::test]
async fn n9_names_with_configured_addresses_are_not_sent_to_the_proxy() {
    let vendor = Vendor::ok().await;
    let proxy = EgressProxy::http(|_| Verdict::Through).await;
    let url = tower_passthrough::client::EgressProxy::parse(&proxy.url("")).unwrap();
    let gateway = Setup::new(&vendor)
        .transport(|transport| transport.egress_proxy(url.remote_dns(true)))
        .start()
        .await;
    assert_eq!(raw_call(gateway.address, get("/p/c/x")).await.status(), 200);
    assert_eq!(proxy.next().await, asked(vendor.address().port()));
}
