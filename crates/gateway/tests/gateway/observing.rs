//! Metrics and logs for dashboards, apart from the tests in `pages`.

use rustix::process::Signal;
use testkit::caller::raw_call;
use testkit::process::canary::KEY;
use testkit::process::config::Config;
use testkit::process::folder::Folder;
use testkit::process::gateway::Gateway;
use testkit::process::output::Output;
use testkit::reply::Reply;
use testkit::vendor::Vendor;
use testkit::wait::{self, within};

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
    let release = wait::Signal::new();
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
    // The first two are registered with a rate that all replicas share, the next with the first refresh, and the others if connections are
    // stored outside of the config file.
    let others = [
        "passthrough_rate_draws_total",
        "passthrough_rate_local_calls_total",
        "passthrough_refreshes_total",
        "passthrough_store_cache_entries",
        "passthrough_store_cache_hits_total",
        "passthrough_store_cache_misses_total",
        "passthrough_store_change_poll_age_seconds",
    ];
    let mut listed: Vec<_> = listed
        .filter(|name| !others.contains(&name.as_str()))
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

/// A pipe that nobody reads is full after 64 KiB, and a write into it waits. The calls go on, a bounded number of lines is kept for the
/// reader, and the log says how many are missing.
#[cfg(unix)]
#[tokio::test]
async fn a_reader_of_the_log_who_stops_delays_no_call() {
    const CALLS: usize = 700;
    let folder = Folder::new();
    let pipe = folder.path("log");
    let made = std::process::Command::new("mkfifo").arg(&pipe).status();
    assert!(made.unwrap().success());
    let vendor = Vendor::ok().await;
    let config = Config::new(&vendor).table("[observe]\npaths = true");
    // Opened for both directions, so that opening doesn't wait for a reader.
    let line = format!("exec 2<>'{}'", pipe.display());
    let mut gateway = Gateway::start_after(&line, &config).await;
    let path = "x".repeat(4096);
    let request = format!(
        "GET /passthrough/c/{path} HTTP/1.1\r\nHost: g\r\nx-api-key: {KEY}\r\nConnection: close\r\n\r\n"
    );
    for _ in 0..CALLS {
        let response = raw_call(gateway.address, &request).await;
        assert_eq!(response.head.status(), 200);
    }
    let dropped = "passthrough_log_lines_dropped_total";
    let dropped = value(&gateway.metrics().await, dropped).unwrap();
    assert!(dropped > 0.0, "all lines were kept");

    let read = Output::of(std::fs::File::open(&pipe).unwrap());
    let note = "passthrough_gateway::log: the reader of the log was too slow, and lines were dropped lines=";
    let text = read.until("the note", |text| text.contains(note)).await;
    let (kept, rest) = text.split_once(note).unwrap();
    let missing: usize = rest.lines().next().unwrap().parse().unwrap();
    assert!(missing as f64 >= dropped);
    let calls = kept
        .lines()
        .filter(|line| line.contains(" audit: call ") && line.contains(&path));
    assert_eq!(calls.count() + missing, CALLS);
    gateway.signal(Signal::TERM);
    assert!(gateway.exit().await.success());
}

/// A stop doesn't wait for a reader who never comes back.
#[cfg(unix)]
#[tokio::test]
async fn a_reader_of_the_log_who_stops_delays_no_stop() {
    let folder = Folder::new();
    let pipe = folder.path("log");
    let made = std::process::Command::new("mkfifo").arg(&pipe).status();
    assert!(made.unwrap().success());
    let vendor = Vendor::ok().await;
    let config = Config::new(&vendor).table("[observe]\npaths = true");
    let line = format!("exec 2<>'{}'", pipe.display());
    let mut gateway = Gateway::start_after(&line, &config).await;
    let path = "x".repeat(4096);
    let request = format!(
        "GET /passthrough/c/{path} HTTP/1.1\r\nHost: g\r\nx-api-key: {KEY}\r\nConnection: close\r\n\r\n"
    );
    for _ in 0..40 {
        raw_call(gateway.address, &request).await;
    }
    gateway.signal(Signal::TERM);
    assert!(gateway.exit().await.success());
}

#[tokio::test]
async fn observe_access_log() {
    let vendor = Vendor::ok().await;
    let config = Config::new(&vendor);
    let without = Config::new(&vendor).table("[observe]\naccess_log = false");
    let gateway = Gateway::start(&without).await;
    gateway.call("/c/x", &[]).await;
    gateway.call("/nobody/x", &[]).await;
    gateway.reload(&config).await;
    gateway.call("/c/y", &[]).await;
    assert_eq!(gateway.calls(1).await.len(), 1);
    let metrics = gateway.metrics().await;
    let count = "passthrough_call_duration_seconds_count{integration=\"v\"}";
    assert_eq!(value(&metrics, count), Some(2.0), "{metrics}");
}
