//! Metrics and logs for dashboards, apart from the tests in `pages`.

use testkit::process::config::Config;
use testkit::process::gateway::Gateway;
use testkit::reply::Reply;
use testkit::vendor::Vendor;
use testkit::wait::{Signal, within};

const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";

/// Returns the value of the series with that name and those labels, in the order in which the gateway prints the
/// labels.
fn value(metrics: &str, series: &str) -> Option<f64> {
    let mut lines = metrics.lines();
    let value = lines.find_map(|line| line.strip_prefix(series)?.strip_prefix(' '))?;
    value.parse().ok()
}

async fn until(gateway: &Gateway, series: &str, expected: f64) {
    let reached = async {
        while value(&gateway.metrics().await, series) != Some(expected) {
            tokio::task::yield_now().await;
        }
    };
    within(series, reached).await;
}

#[tokio::test]
async fn calls_in_flight_are_a_gauge() {
    let release = Signal::new();
    let signal = release.clone();
    let vendor = Vendor::replying(move |_| {
        let reply = Reply::bytes("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\no");
        reply.until(&signal).then("k")
    })
    .await;
    let gateway = Gateway::start(&Config::new(&vendor)).await;
    let in_flight = "passthrough_calls_in_flight";
    assert_eq!(value(&gateway.metrics().await, in_flight), Some(0.0));
    // A refused call is in flight only for a moment.
    gateway.call("/nobody/x", &[]).await;
    gateway.curl("/passthrough/c/x", &[]).await;
    let look = async {
        vendor.next().await;
        until(&gateway, in_flight, 1.0).await;
        release.give();
    };
    let (answer, ()) = tokio::join!(gateway.call("/c/x", &[]), look);
    assert_eq!(answer.body(), "ok");
    until(&gateway, in_flight, 0.0).await;
}

#[tokio::test]
async fn the_pool_is_a_metric() {
    let vendor = Vendor::ok().await;
    let gateway = Gateway::start(&Config::new(&vendor)).await;
    let idle = "passthrough_pool_idle_connections";
    let metrics = gateway.metrics().await;
    for series in [
        idle,
        "passthrough_pool_http2_connections",
        "passthrough_pool_http2_streams",
        "passthrough_pool_opening_connections",
        "passthrough_pool_waiting_calls",
    ] {
        assert_eq!(value(&metrics, series), Some(0.0), "{metrics}");
    }
    gateway.call("/c/x", &[]).await;
    until(&gateway, idle, 1.0).await;
}

#[tokio::test]
async fn refusals_are_counted_by_code_and_retries_by_integration() {
    let vendor = Vendor::ok().await;
    let gateway = Gateway::start(&Config::new(&vendor)).await;
    gateway.call("/c/x", &[]).await;
    gateway.call("/nobody/x", &[]).await;
    gateway.call("/nobody/y", &[]).await;
    gateway.call("/c/x?__domain=evil.test", &[]).await;
    gateway.curl("/passthrough/c/x", &[]).await;
    gateway.calls(5).await;
    let metrics = gateway.metrics().await;
    for (code, count) in [
        ("unknown-connection", 2.0),
        ("domain-refused", 1.0),
        ("unauthenticated", 1.0),
    ] {
        let series = format!("passthrough_refusals_total{{code=\"{code}\"}}");
        assert_eq!(value(&metrics, &series), Some(count), "{metrics}");
    }
    let retries = "passthrough_retries_total{integration=\"v\"}";
    assert_eq!(value(&metrics, retries), Some(0.0), "{metrics}");
}

/// The guide lists each metric of the gateway, and lists no other metric.
#[tokio::test]
async fn the_guide_lists_each_metric() {
    let vendor = Vendor::ok().await;
    let gateway = Gateway::start(&Config::new(&vendor)).await;
    gateway.call("/c/x", &[]).await;
    gateway.call("/nobody/x", &[]).await;
    gateway.calls(2).await;
    let metrics = gateway.metrics().await;
    let kinds = metrics
        .lines()
        .filter_map(|line| line.strip_prefix("# TYPE "));
    let mut told: Vec<_> = kinds.filter_map(|kind| kind.split(' ').next()).collect();
    told.sort_unstable();
    let guide = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../src/docs/observability.md"
    );
    let guide = std::fs::read_to_string(guide).unwrap();
    let rows = guide
        .lines()
        .filter_map(|line| line.strip_prefix("| `passthrough_"));
    let rows = rows.filter_map(|row| row.split('`').next());
    let listed = rows.map(|name| format!("passthrough_{name}"));
    // This metric is registered with the first refresh, and only if there are refreshes.
    let mut listed: Vec<_> = listed
        .filter(|name| name != "passthrough_refreshes_total")
        .collect();
    listed.sort_unstable();
    assert_eq!(told, listed);
}

#[tokio::test]
async fn observe_trace_context() {
    for (table, begins) in [
        ("", false),
        ("[observe]\ntrace_context = \"pass\"", false),
        ("[observe]\ntrace_context = \"start\"", true),
    ] {
        let vendor = Vendor::ok().await;
        let gateway = Gateway::start(&Config::new(&vendor).table(table)).await;
        gateway.call("/c/x", &[]).await;
        let received = vendor.next().await;
        let made = received.head.value("traceparent");
        assert_eq!(made.is_some(), begins, "{table}");
        let own = format!("traceparent: 00-{TRACE}-b7ad6b7169203331-01");
        gateway.call("/c/x", &["-H", &own]).await;
        let received = vendor.next().await;
        let passed = received.head.value("traceparent").unwrap();
        assert_eq!(Some(passed), own.strip_prefix("traceparent: "));

        let calls = gateway.calls(2).await;
        let [first, second] = &*calls else {
            panic!("{calls:#?}");
        };
        let trace = made.and_then(|made| made.split('-').nth(1));
        match trace {
            Some(trace) => assert!(first.contains(&format!("trace={trace}")), "{first}"),
            None => assert!(!first.contains("trace="), "{first}"),
        }
        assert!(second.contains(&format!("trace={TRACE}")), "{second}");
    }
}

#[tokio::test]
async fn the_log_reports_a_vendors_rate_limits() {
    let vendor = Vendor::answering(
        "HTTP/1.1 429 No\r\nX-RateLimit-Remaining: 0\r\nRetry-After: 7\r\nContent-Length: 0\r\n\r\n",
    )
    .await;
    let gateway = Gateway::start(&Config::new(&vendor)).await;
    let answer = gateway.call("/c/x", &["-i"]).await;
    assert_eq!(answer.status(), 429);
    let calls = gateway.calls(1).await.concat();
    for part in [
        "status=429",
        "limit_remaining=0",
        "retry_after_s=7",
        "version=HTTP/1.1",
        "ms=",
    ] {
        assert!(calls.contains(part), "{calls} lacks {part}");
    }
}
