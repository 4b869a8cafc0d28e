//! `/metrics`, `/healthz` and `/readyz`: on the callers' address, or on an address for operators.

use rustix::process::Signal;

use testkit::caller::Caller;
use testkit::gateway::Origin;
use testkit::manual::ManualVendor;
use testkit::process::binary::{check, run};
use testkit::process::canary::KEY;
use testkit::process::config::Config;
use testkit::process::curl::{Answer, curl};
use testkit::process::folder::Folder;
use testkit::process::gateway::Gateway;
use testkit::vendor::Vendor;

const OPERATOR: &str = "[operator]\nlisten = \"127.0.0.1:0\"";

/// The series of an integration, which only callers with a key and operators see.
const SERIES: &str = "integration=\"v\"";

async fn at(address: std::net::SocketAddr, path: &str) -> Answer {
    curl(&[&format!("http://{address}{path}")]).await
}

#[tokio::test]
async fn metrics_need_a_key_where_callers_are() {
    let vendor = Vendor::ok().await;
    let gateway = Gateway::start(&Config::new(&vendor)).await;
    gateway.call("/c/x", &[]).await;
    gateway.calls(1).await;
    for fields in [&[][..], &["-H", "x-api-key: wrong"]] {
        for form in [
            &[][..],
            &["--http2-prior-knowledge"],
            &["--head"],
            &["-X", "POST"],
        ] {
            let answer = gateway.curl("/metrics", &[fields, form].concat()).await;
            let answered = (answer.status(), answer.error());
            assert_eq!(answered, (401, Some("unauthenticated")), "{answer:?}");
            assert!(!answer.body().contains(SERIES), "{answer:?}");
        }
    }
    assert!(gateway.metrics().await.contains(SERIES));
    let bearer = format!("Authorization: Bearer {KEY}");
    let answer = gateway.curl("/metrics", &["-H", &bearer]).await;
    assert_eq!(answer.status(), 200);
    assert_eq!(
        answer.field("content-type"),
        Some("text/plain; version=0.0.4")
    );
    for (path, body) in [("/healthz", "ok\n"), ("/readyz", "ready\n")] {
        let answer = gateway.curl(path, &[]).await;
        assert_eq!((answer.status(), answer.body()), (200, body));
    }
}

#[tokio::test]
async fn an_address_for_operators_has_them_without_a_key_and_no_other_has() {
    let vendor = Vendor::ok().await;
    for mount in ["/passthrough", "/"] {
        let config = Config::new(&vendor)
            .top(&format!("mount = \"{mount}\""))
            .table(OPERATOR);
        let gateway = Gateway::start(&config).await;
        let operator = gateway.operator().await;
        let key = format!("x-api-key: {KEY}");
        let path = format!("{}/c/x", mount.trim_end_matches('/'));
        assert_eq!(gateway.curl(&path, &["-H", &key]).await.status(), 200);
        vendor.next().await;
        gateway.calls(1).await;
        let metrics = at(operator, "/metrics").await;
        assert_eq!(metrics.status(), 200);
        assert!(metrics.body().contains(SERIES), "{metrics:?}");
        assert_eq!(at(operator, "/healthz").await.body(), "ok\n");
        assert_eq!(at(operator, "/readyz").await.body(), "ready\n");
        // No calls.
        for path in ["/", &path, "/passthrough"] {
            assert_eq!(at(operator, path).await.status(), 404, "{path}");
        }
        for page in ["/metrics", "/healthz", "/readyz"] {
            let answer = gateway.curl(page, &["-H", &key]).await;
            assert_eq!(answer.status(), 404, "{page}");
            assert!(!answer.body().contains("ok\n"), "{page}");
        }
        assert!(vendor.try_next().await.is_none());
    }
}

/// Upstreams may not lead back to it, as to the callers' address.
#[tokio::test]
async fn no_upstream_is_the_address_for_operators() {
    // Bound, and no listener: no other process gets the port, and the gateway still can.
    let reserved = tokio::net::TcpSocket::new_v4().unwrap();
    reserved.set_reuseaddr(true).unwrap();
    reserved.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let operator = reserved.local_addr().unwrap();
    let table = format!("[operator]\nlisten = \"{operator}\"");
    let config = Config::new(&*format!("http://{operator}")).table(&table);
    let gateway = Gateway::start(&config).await;
    assert_eq!(gateway.operator().await, operator);
    let answer = gateway.call("/c/metrics", &[]).await;
    assert_eq!(
        (answer.status(), answer.error()),
        (403, Some("destination-refused"))
    );
    let status = answer.field("proxy-status").unwrap_or_default();
    assert!(status.contains("proxy_loop_detected"), "{status}");
}

#[tokio::test]
async fn an_address_that_others_reach_is_a_warning() {
    let vendor = Vendor::ok().await;
    let with = |address: &str| {
        let table = format!("[operator]\nlisten = \"{address}\"");
        check(Config::new(&vendor).table(&table).to_string())
    };
    let ended = with("127.0.0.1:9090");
    assert_eq!((ended.code, &*ended.unusual()), (Some(0), ""));
    let ended = with("0.0.0.0:9090");
    assert_eq!(ended.code, Some(0));
    let warning =
        "operators need no key: everybody who reaches 0.0.0.0:9090 may read the metrics\n";
    assert!(ended.stderr.ends_with(warning), "{ended:?}");
    let ended = with("x");
    assert_eq!(ended.code, Some(2));
    let expected = "operator.listen: expected an address and a port such as \"127.0.0.1:8080\", ";
    assert!(ended.stderr.contains(expected), "{ended:?}");
}

/// A load balancer must send no more calls, and operators can watch the stop.
#[tokio::test]
async fn a_gateway_that_stops_is_not_ready() {
    let vendor = ManualVendor::bind().await;
    let config = Config::new(&vendor)
        .top("shutdown = \"1h\"")
        .table(OPERATOR);
    let mut gateway = Gateway::start(&config).await;
    let operator = gateway.operator().await;
    let mut caller = Caller::connect(gateway.address).await;
    let get = format!("GET /passthrough/c/x HTTP/1.1\r\nHost: a\r\nx-api-key: {KEY}\r\n\r\n");
    caller.write(get).await;
    let mut connection = vendor.accept().await;
    connection.head().await;
    assert_eq!(at(operator, "/readyz").await.status(), 200);
    gateway.signal(Signal::TERM);
    while tokio::net::TcpStream::connect(gateway.address)
        .await
        .is_ok()
    {
        tokio::task::yield_now().await;
    }
    let answer = at(operator, "/readyz").await;
    assert_eq!((answer.status(), answer.body()), (503, "not ready\n"));
    assert_eq!(at(operator, "/healthz").await.status(), 200);
    assert_eq!(at(operator, "/metrics").await.status(), 200);
    connection
        .write("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
        .await;
    assert_eq!(caller.response("GET").await.status(), 200);
    drop(caller);
    assert_eq!(gateway.exit().await.code(), Some(0));
}

/// A store that fails for a moment takes no gateway out of service: connections are kept in memory. The unit tests of
/// `readiness` have the end of the grace.
#[tokio::test]
async fn a_store_that_fails_has_a_grace() {
    const STORE_KEY: &str = "YWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWE=";
    let vendor = Vendor::ok().await;
    let folder = Folder::new();
    let file = folder.path("connections.db");
    let store = format!(
        "[store]\nkind = \"sqlite\"\nurl = \"sqlite://connections.db\"\nkey = \"{STORE_KEY}\""
    );
    let config = Config::new(&vendor).table(&store);
    let gateway = Gateway::start_in(folder, &config, &[]).await;
    assert_eq!(gateway.curl("/readyz", &[]).await.status(), 200);
    let other = rusqlite::Connection::open(file).unwrap();
    other.execute_batch("DROP TABLE connections").unwrap();
    let failed = |text: &str| text.contains("the store failed");
    // The result of a check is used again for a second.
    while !failed(&gateway.stderr.text()) {
        assert_eq!(gateway.curl("/readyz", &[]).await.status(), 200);
    }
    assert_eq!(gateway.curl("/readyz", &[]).await.status(), 200);
}

#[tokio::test]
async fn an_address_that_is_taken_is_an_error() {
    let vendor = Vendor::ok().await;
    let taken = vendor.address();
    let folder = Folder::new();
    let table = format!("[operator]\nlisten = \"{taken}\"");
    let config = Config::new(&*vendor.origin()).table(&table);
    let file = folder.write("gateway.toml", config.to_string());
    let ended = run(&["--config", file.to_str().unwrap()]);
    assert_eq!((ended.code, &*ended.stdout), (Some(1), ""));
    let start = format!("can't listen on {taken}: ");
    assert!(ended.stderr.starts_with(&start), "{ended:?}");
    assert!(
        ended
            .stderr
            .ends_with("; choose another address for [operator]\n")
    );
}
