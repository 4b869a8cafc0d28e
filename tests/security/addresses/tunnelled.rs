//! Behind an egress proxy, the guard checks the addresses for which the proxy is asked.

use super::{allowing, answer, prohibited, prohibited_literal};
use testkit::egress_proxy::{EgressProxy, Verdict};
use testkit::gateway::{Gateway, Setup};
use testkit::names::Names;
use testkit::reply::Reply;
use testkit::vendor::Vendor;

/// Starts a gateway in front of `host` on the vendor's port, behind that proxy. The first loopback address is allowed.
async fn gateway(
    vendor: &Vendor,
    host: &str,
    names: &Names,
    proxy: &EgressProxy,
    remote_dns: bool,
) -> Gateway {
    let proxy = tower_passthrough::client::EgressProxy::parse(&proxy.url("")).unwrap();
    let proxy = proxy.remote_dns(remote_dns);
    let network = allowing(&["127.0.0.1/32"]).dangerous().plaintext();
    let names = names.clone();
    Setup::new(&*format!("http://{host}:{}", vendor.address().port()))
        .network(|_| network)
        .transport(|transport| transport.resolver(names).egress_proxy(proxy))
        .start()
        .await
}

async fn proxies() -> [EgressProxy; 2] {
    [
        EgressProxy::http(|_| Verdict::Through).await,
        EgressProxy::socks5(|_| Verdict::Through).await,
    ]
}

#[tokio::test]
async fn n9_a_proxy_is_asked_for_the_checked_address() {
    for proxy in proxies().await {
        let reply = "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok";
        let vendor = Vendor::answering(Reply::bytes(reply).close()).await;
        let names = Names::new().answer(
            "rebound.test",
            [
                &["10.0.0.1", "127.0.0.1"],
                &["127.0.0.2"],
                &["169.254.169.254"],
            ],
        );
        let gateway = gateway(&vendor, "rebound.test", &names, &proxy, false).await;
        assert_eq!(answer(&gateway).await.0, 200);
        assert_eq!(answer(&gateway).await, prohibited());
        assert_eq!(answer(&gateway).await, prohibited());
        let asked = proxy.next().await;
        assert!(
            asked.contains("127.0.0.1:") && !asked.contains("rebound"),
            "{asked}"
        );
        assert_eq!(proxy.connections().await, 1);
    }
}

#[tokio::test]
async fn n9_literal_addresses_are_checked_even_if_the_proxy_resolves_names() {
    for proxy in proxies().await {
        let vendor = Vendor::ok().await;
        for host in ["127.0.0.2", "169.254.169.254", "[::1]", "[::ffff:10.0.0.1]"] {
            for remote_dns in [false, true] {
                let names = Names::new();
                let gateway = gateway(&vendor, host, &names, &proxy, remote_dns).await;
                assert_eq!(answer(&gateway).await, prohibited_literal(), "{host}");
            }
        }
        assert_eq!(proxy.connections().await, 0);
        let names = Names::new();
        let gateway = gateway(&vendor, "127.0.0.1", &names, &proxy, true).await;
        assert_eq!(answer(&gateway).await.0, 200);
    }
}
