//! Upstreams on this machine, which a single setting allows for tests and first steps.

use tower_passthrough::policy::NetworkPolicy;

use testkit::caller::{get, raw_call};
use testkit::gateway::{Gateway, Setup};
use testkit::vendor::Vendor;

/// Starts a gateway in front of that base URL, whose guard allows only this machine and the public internet.
async fn gateway(base_url: &str) -> Gateway {
    let setup = Setup::new(base_url).network(|_| NetworkPolicy::new().dangerous().loopback());
    setup
        .name("localhost", [127, 0, 0, 1])
        .name("private.test", [10, 0, 0, 1])
        .start()
        .await
}

#[tokio::test]
async fn d7_loopback_is_called_without_tls() {
    let vendor = Vendor::ok().await;
    let port = vendor.address().port();
    for host in ["127.0.0.1", "127.1", "localhost", "LOCALHOST"] {
        let gateway = gateway(&format!("http://{host}:{port}")).await;
        let answer = raw_call(gateway.address, get("/p/c/x")).await;
        assert_eq!(answer.status(), 200, "{host}: {}", answer.text());
        vendor.next().await;
    }
    // No server listens there, and the gateway learns this by dialling.
    let gateway = gateway(&format!("http://[::1]:{port}")).await;
    let answer = raw_call(gateway.address, get("/p/c/x")).await;
    assert_eq!(answer.error(), Some("upstream-unreachable"));
}

#[tokio::test]
async fn d7_other_destinations_stay_refused() {
    let vendor = Vendor::ok().await;
    let port = vendor.address().port();
    for base_url in [
        // A name that resolves to this machine. If such names were allowed, each name could be called without TLS.
        format!("http://vendor.test:{port}"),
        format!("http://[::ffff:127.0.0.1]:{port}"),
        format!("http://0.0.0.0:{port}"),
        "http://10.0.0.1".to_owned(),
        "https://10.0.0.1".to_owned(),
        "https://169.254.169.254".to_owned(),
        "http://private.test".to_owned(),
        "https://private.test".to_owned(),
    ] {
        let gateway = gateway(&base_url).await;
        let answer = raw_call(gateway.address, get("/p/c/x")).await;
        assert_eq!(answer.error(), Some("destination-refused"), "{base_url}");
        assert!(matches!(answer.status(), 403 | 502), "{base_url}");
    }
    vendor.untouched().await;
}

/// The gateway's own listener is never dialled, whether loopback is allowed or not.
#[tokio::test]
async fn n6_the_gateways_own_listener_stays_refused() {
    let listener = testkit::gateway::bind().await;
    let address = listener.local_addr().unwrap();
    let origin = format!("http://{address}");
    let setup = Setup::new(origin.as_str()).network(move |_| {
        let network = NetworkPolicy::new().listener(address);
        network.dangerous().loopback()
    });
    let gateway = setup.listener(listener).start().await;
    let answer = raw_call(gateway.address, get("/p/c/x")).await;
    assert_eq!(
        answer.error(),
        Some("destination-refused"),
        "{}",
        answer.text()
    );
}
