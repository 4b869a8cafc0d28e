//! The route of a request: `Host`, `Via`, forwarding fields, loops and TRACE.

use std::sync::{Arc, Mutex};

use super::{BARE, seen_on_h2};
use testkit::caller::{get, raw_call, request};
use testkit::gateway::{Origin, Setup, bind};
use testkit::h2_caller::{self, H2Caller};
use testkit::in_process::InProcess;
use testkit::pair::Pair;

#[tokio::test]
async fn h8_host_is_the_vendors_host() {
    let pair = Pair::new().await;
    let host = format!("vendor.test:{}", pair.vendor.address().port());
    for sent in [
        "GET /p/c/x HTTP/1.1\r\nHost: app.test\r\n\r\n",
        "GET /p/c/x HTTP/1.1\r\nHost: app.test:8080\r\nX-Forwarded-Host: evil.test\r\n\r\n",
        "GET /p/c/x HTTP/1.1\r\nHost:\r\n\r\n",
        "GET /p/c/x HTTP/1.0\r\n\r\n",
        "GET http://user:pass@app.test/p/c/x HTTP/1.1\r\nHost: app.test\r\n\r\n",
    ] {
        let received = pair.seen(sent).await;
        assert_eq!(received.head.names(), BARE, "{sent}");
        assert_eq!(received.head.value("host"), Some(host.as_str()), "{sent}");
    }
    let mut caller = H2Caller::connect(pair.gateway.address).await;
    let request = h2_caller::request("GET", "/p/c/x").header("host", "app.test");
    assert_eq!(caller.call(request.body(()).unwrap()).await.status, 200);
    let received = pair.vendor.next().await;
    assert_eq!(received.head.values("host"), [host.as_str()]);
}

#[tokio::test]
async fn h8_over_http2_there_is_only_the_authority() {
    let (vendor, seen) = seen_on_h2(&["X-A: 1"]).await;
    let authority = seen.uri().authority().unwrap().as_str();
    assert_eq!(format!("https://{authority}"), vendor.origin());
    assert!(!seen.headers().contains_key("host"));
}

#[tokio::test]
async fn h8_a_default_port_is_not_sent() {
    for (base, authority) in [
        ("https://vendor.test", "vendor.test"),
        ("https://vendor.test:443", "vendor.test"),
        ("https://Vendor.TEST.:443/v2", "vendor.test"),
        ("https://vendor.test:80", "vendor.test:80"),
        ("http://vendor.test:80", "vendor.test"),
        ("http://vendor.test:443", "vendor.test:443"),
    ] {
        let seen = Arc::new(Mutex::new(None));
        let sink = Arc::clone(&seen);
        let transport = InProcess::new(move |request| {
            let host = request.headers().get("host").cloned();
            *sink.lock().unwrap() = Some((request.uri().authority().cloned(), host));
            http::Response::new("")
        });
        let response = transport.call(base, http::Request::get("/c/x")).await;
        assert_eq!(response.status(), 200, "{base}");
        let (uri, host) = seen.lock().unwrap().take().unwrap();
        assert_eq!(
            uri.as_ref().map(http::uri::Authority::as_str),
            Some(authority),
            "{base}"
        );
        if let Some(host) = host {
            assert_eq!(host, authority, "{base}");
        }
    }
}

const FORWARDING: [&str; 8] = [
    "Forwarded: for=192.0.2.1;host=app.test",
    "X-Forwarded-For: 192.0.2.1, 192.0.2.2",
    "X-Forwarded-Host: app.test",
    "X-Forwarded-Proto: https",
    "X-Forwarded-Port: 443",
    "X-Forwarded-Prefix: /p",
    "X-Real-IP: 192.0.2.1",
    "X-Forwarded-Anything: 1",
];

#[tokio::test]
async fn h9_forwarding_fields_and_via_are_neither_forwarded_nor_added() {
    let pair = Pair::new().await;
    for line in FORWARDING.into_iter().chain([
        "Via: 1.1 cdn",
        "X_Forwarded_For: 192.0.2.1",
        "X_Real_IP: 192.0.2.1",
    ]) {
        let received = pair.seen(request("GET", "/p/c/x", &[line], "")).await;
        assert_eq!(received.head.names(), BARE, "{line}");
    }
}

#[tokio::test]
async fn h9_an_option_forwards_forwarding_fields() {
    let pair = Pair::with(|setup| setup.options(|o| o.pass_forwarded(true))).await;
    let received = pair.seen(request("GET", "/p/c/x", &FORWARDING, "")).await;
    for line in FORWARDING {
        let (name, value) = line.split_once(": ").unwrap();
        assert_eq!(received.head.values(name), [value]);
    }
    assert!(!received.head.has("via"));
}

#[tokio::test]
async fn h9_an_option_adds_via() {
    let pair = Pair::with(|setup| setup.options(|o| o.via("gw").unwrap())).await;
    let received = pair.seen(get("/p/c/x")).await;
    assert_eq!(received.head.values("via"), ["1.1 gw"]);

    // The entry comes after the entries of the request (RFC 9110 §7.6.3), so a loop over two gateways is detected.
    let sent = request("GET", "/p/c/x", &["Via: 1.0 cdn, 1.1 lb"], "");
    let received = pair.seen(&sent).await;
    assert_eq!(
        received.head.values("via").join(", "),
        "1.0 cdn, 1.1 lb, 1.1 gw"
    );
}

#[tokio::test]
async fn h10_the_gateways_own_listener_is_never_dialled() {
    for host in ["vendor.test", "127.0.0.1", "127.1"] {
        let listener = bind().await;
        let port = listener.local_addr().unwrap().port();
        let gateway = Setup::new(format!("http://{host}:{port}").as_str())
            .path("/p/c")
            .listener(listener)
            .start()
            .await;
        let response = raw_call(gateway.address, get("/p/c/x")).await;
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
async fn h10_a_call_with_the_gateways_own_via_is_a_loop() {
    let pair = Pair::with(|setup| setup.options(|o| o.via("gw").unwrap())).await;
    for line in [
        "Via: 1.1 gw",
        "Via: 1.0 cdn, 1.1 gw, 1.1 lb",
        "Via: HTTP/1.1 gw (comment)",
    ] {
        let sent = request("GET", "/p/c/x", &[line], "");
        let response = pair.refused(sent, 403, "destination-refused").await;
        let status = response.head.value("proxy-status");
        assert_eq!(
            status,
            Some("passthrough; error=proxy_loop_detected"),
            "{line}"
        );
    }
    pair.vendor.untouched().await;
    pair.seen(request("GET", "/p/c/x", &["Via: 1.1 gw2, 1.1 lb (gw)"], ""))
        .await;
}

#[tokio::test]
async fn h23_trace_is_refused_and_max_forwards_is_forwarded_unchanged() {
    let pair = Pair::new().await;
    let trace = request("TRACE", "/p/c/x", &["Max-Forwards: 0"], "");
    let response = pair.refused(trace, 405, "method-refused").await;
    assert!(
        !response.text().contains("Max-Forwards"),
        "the gateway answered with the request"
    );
    pair.vendor.untouched().await;

    for method in ["OPTIONS", "GET"] {
        for value in ["0", "5", "x"] {
            let line = format!("Max-Forwards: {value}");
            let received = pair.seen(request(method, "/p/c/x", &[&line], "")).await;
            assert_eq!(received.head.values("max-forwards"), [value]);
        }
    }
}
