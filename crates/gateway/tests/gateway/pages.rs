//! The pages and the log of the gateway: health, metrics, and one line per call.

use testkit::process::config::Config;
use testkit::process::gateway::Gateway;
use testkit::vendor::Vendor;

#[tokio::test]
async fn healthz_needs_no_key() {
    let vendor = Vendor::ok().await;
    let gateway = Gateway::start(&Config::new(&vendor)).await;
    let answer = gateway.curl("/healthz", &[]).await;
    assert_eq!((answer.status(), answer.body()), (200, "ok\n"));
    let answer = gateway.curl("/healthz", &["--http2-prior-knowledge"]).await;
    assert_eq!((answer.status(), answer.body()), (200, "ok\n"));
    let elsewhere = gateway.curl("/elsewhere", &[]).await;
    assert_eq!((elsewhere.status(), elsewhere.error()), (404, None));
    assert_eq!(elsewhere.field("content-type"), Some("application/json"));
    let body: serde_json::Value = serde_json::from_str(elsewhere.body()).unwrap();
    assert_eq!(body.pointer("/error/code"), Some(&"not-found".into()));
    assert_eq!(body.pointer("/error/message"), body.get("detail"));
    for page in ["/healthz", "/readyz"] {
        let posted = gateway.curl(page, &["-X", "POST"]).await;
        assert_eq!((posted.status(), posted.error()), (405, None), "{page}");
        assert_eq!(posted.field("allow"), Some("GET,HEAD"), "{page}");
        let body: serde_json::Value = serde_json::from_str(posted.body()).unwrap();
        let code = body.pointer("/error/code");
        assert_eq!(code, Some(&"method-not-allowed".into()), "{page}");
    }
    let named = ["-H", "accept: application/problem+json"];
    let problem = gateway.curl("/elsewhere", &named).await;
    assert_eq!(
        (problem.field("content-type"), problem.body()),
        (Some("application/problem+json"), elsewhere.body())
    );
    let head = gateway.curl("/elsewhere", &["-I"]).await;
    let length = elsewhere.body().len().to_string();
    assert_eq!(
        (head.status(), head.field("content-length"), head.body()),
        (404, Some(length.as_str()), "")
    );
    vendor.untouched().await;
}

/// Returns the value of the series of that name whose labels include all of these labels.
fn value(metrics: &str, name: &str, labels: &[&str]) -> Option<f64> {
    let mut lines = metrics
        .lines()
        .filter(|line| line.starts_with(&format!("{name}{{")));
    let line = lines.find(|line| labels.iter().all(|label| line.contains(label)))?;
    line.rsplit_once(' ')?.1.parse().ok()
}

#[tokio::test]
async fn metrics_count_calls_bytes_and_times() {
    let vendor = Vendor::ok().await;
    let gateway = Gateway::start(&Config::new(&vendor)).await;
    for _ in 0..3 {
        gateway.call("/c/x?q=1", &["--data", "12345"]).await;
    }
    gateway.call("/nobody/x", &[]).await;
    gateway.curl("/passthrough/c/x", &[]).await;
    // A call is counted when its last byte was sent, which may be after the caller got the byte.
    gateway.calls(5).await;
    let metrics = gateway.metrics().await;
    let calls = |labels: &[&str]| value(&metrics, "passthrough_calls_total", labels);
    let complete = [
        "integration=\"v\"",
        "method=\"POST\"",
        "status=\"200\"",
        "outcome=\"complete\"",
    ];
    assert_eq!(calls(&complete), Some(3.0), "{metrics}");
    let unknown = [
        "integration=\"none\"",
        "status=\"404\"",
        "code=\"unknown-connection\"",
    ];
    assert_eq!(calls(&unknown), Some(1.0), "{metrics}");
    let stranger = [
        "status=\"401\"",
        "code=\"unauthenticated\"",
        "outcome=\"refused\"",
    ];
    assert_eq!(calls(&stranger), Some(1.0), "{metrics}");
    for (name, total) in [
        ("passthrough_request_bytes_total", 15.0),
        ("passthrough_response_bytes_total", 6.0),
        ("passthrough_call_duration_seconds_count", 3.0),
        ("passthrough_head_duration_seconds_count", 3.0),
    ] {
        assert_eq!(
            value(&metrics, name, &["integration=\"v\""]),
            Some(total),
            "{metrics}"
        );
    }
}

/// A caller that invents ids, methods and statuses doesn't make an unlimited number of series.
#[tokio::test]
async fn l5_labels_of_metrics_are_bounded() {
    let vendor = Vendor::replying(|received| {
        let status = received.target().trim_start_matches('/');
        format!("HTTP/1.1 {status} X\r\nContent-Length: 0\r\n\r\n").into()
    })
    .await;
    let gateway = Gateway::start(&Config::new(&vendor)).await;
    let calls = async |from: u16, to: u16| {
        for number in from..to {
            let method = format!("M{number}");
            gateway
                .call(&format!("/id{number}/{number}"), &["-X", &method])
                .await;
            gateway
                .call(&format!("/c/{number}"), &["-X", &method])
                .await;
        }
        let metrics = gateway.metrics().await;
        let names = ["id", "M", "q4ery"].map(|name| format!("{name}{from}"));
        for name in names {
            assert!(!metrics.contains(&name), "{metrics}");
        }
        let series = metrics
            .lines()
            .filter(|line| line.starts_with("passthrough_calls_total{"));
        series.count()
    };
    let before = calls(900, 905).await;
    let after = calls(905, 925).await;
    assert_eq!(before, after);
    assert_eq!(before, 2);
}

/// The log has one line per call, also for a refused call: the caller, the target and the result.
#[tokio::test]
async fn l10_the_log_has_a_line_for_each_call() {
    let vendor = Vendor::ok().await;
    let port = vendor.address().port();
    let gateway = Gateway::start(&Config::new(&vendor)).await;
    gateway.call("/c/p4th?q=q4ery", &["--data", "b0dy"]).await;
    gateway.call("/nobody/p4th", &[]).await;
    gateway.call("/c/p4th?__domain=evil.test", &[]).await;
    gateway.call("/c/..%2fp4th/x", &[]).await;
    gateway.curl("/passthrough/c/p4th", &["-X", "PUT"]).await;
    let calls = gateway.calls(5).await;
    let expected = [
        vec![
            "caller=\"caller-1\"",
            "connection=c",
            "integration=\"v\"",
            "method=\"POST\"",
            "verdict=\"allowed\"",
            "outcome=\"complete\"",
            "status=200",
            "request_bytes=4",
            "response_bytes=2",
            "attempts=1",
        ],
        vec![
            "connection=nobody",
            "verdict=\"refused\"",
            "code=\"unknown-connection\"",
            "status=404",
        ],
        vec![
            "connection=c",
            "verdict=\"refused\"",
            "code=\"domain-refused\"",
            "status=403",
            "attempts=0",
        ],
        vec![
            "connection=c",
            "verdict=\"refused\"",
            "code=\"bad-address\"",
            "status=400",
        ],
        vec![
            "method=\"PUT\"",
            "verdict=\"refused\"",
            "code=\"unauthenticated\"",
            "status=401",
        ],
    ];
    assert_eq!(calls.len(), expected.len(), "{calls:#?}");
    for (call, expected) in calls.iter().zip(expected) {
        for part in expected {
            assert!(call.contains(part), "{call} lacks {part}");
        }
    }
    let host = format!("host=\"vendor.test:{port}\"");
    assert!(calls.iter().any(|call| call.contains(&host)), "{calls:#?}");
    let log = gateway.stderr.text();
    for unsaid in ["p4th", "q4ery", "b0dy"] {
        assert!(!log.contains(unsaid), "{log}");
    }
}

/// An address is checked late in a call, and the call still counts as refused.
#[tokio::test]
async fn l10_a_call_to_a_refused_address_is_logged_as_refused() {
    let vendor = Vendor::ok().await;
    let network = "plaintext = true\nresolve = { \"vendor.test\" = \"127.0.0.1\" }";
    let gateway = Gateway::start(&Config::new(&vendor).network(network)).await;
    gateway.call("/c/x", &[]).await;
    let calls = gateway.calls(1).await;
    for part in ["verdict=\"refused\"", "code=\"destination-refused\""] {
        assert!(calls.iter().all(|call| call.contains(part)), "{calls:#?}");
    }
    vendor.untouched().await;
}

/// Text that a caller chose can't begin another line.
#[tokio::test]
async fn l3_a_caller_cannot_forge_a_line_of_the_log() {
    let vendor = Vendor::ok().await;
    let gateway = Gateway::start(&Config::new(&vendor)).await;
    for id in [
        "a%0a%1b[31m%20audit:%20call%20",
        "a\u{2028}b",
        "%E2%80%A8x",
        "%22%20verdict=x",
    ] {
        gateway.call(&format!("/{id}/x"), &[]).await;
    }
    let calls = gateway.calls(4).await;
    assert_eq!(calls.len(), 4, "{calls:#?}");
    let log = gateway.stderr.text();
    assert!(!log.contains(['\u{1b}', '\u{2028}']), "{log:?}");
}

/// Audit lines can't be switched off, and other crates log little unless `RUST_LOG` names them.
#[tokio::test]
async fn l10_rust_log_does_not_switch_the_audit_off() {
    let vendor = Vendor::ok().await;
    for level in ["off", "error", "trace", "no such=thing=", ""] {
        let folder = testkit::process::folder::Folder::new();
        let variables = [("RUST_LOG", level)];
        let gateway = Gateway::start_in(folder, &Config::new(&vendor), &variables).await;
        gateway.call("/c/x", &["--http2-prior-knowledge"]).await;
        assert_eq!(gateway.calls(1).await.len(), 1, "{level}");
        let log = gateway.stderr.text();
        assert!(
            !log.contains(" h2::") && !log.contains(" hyper"),
            "{level}: {log}"
        );
    }
}

#[tokio::test]
async fn l3_an_id_cannot_forge_a_field_of_the_audit_line() {
    let vendor = Vendor::ok().await;
    let gateway = Gateway::start(&Config::new(&vendor)).await;
    let path = "/x%20verdict=allowed%20status=200%20a=%22b/y";
    assert_eq!(gateway.call(path, &[]).await.status(), 404);
    let calls = gateway.calls(1).await;
    let line = calls.first().map(String::as_str).unwrap_or_default();
    assert!(
        line.contains(r#"connection="x verdict=allowed status=200 a=\"b" "#),
        "{line}"
    );
}
