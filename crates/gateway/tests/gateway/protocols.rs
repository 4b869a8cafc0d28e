//! HTTP/1.1 and HTTP/2 on one port, and targets that aren't paths.

use testkit::caller::Caller;
use testkit::process::canary::KEY;
use testkit::process::config::Config;
use testkit::process::gateway::Gateway;
use testkit::vendor::Vendor;

async fn start() -> (Vendor, Gateway) {
    let vendor = Vendor::ok().await;
    let gateway = Gateway::start(&Config::new(&vendor)).await;
    (vendor, gateway)
}

#[tokio::test]
async fn both_protocols_are_served_on_one_port() {
    let (vendor, gateway) = start().await;
    for (protocol, version) in [
        ("--http1.1", "HTTP/1.1"),
        ("--http2-prior-knowledge", "HTTP/2"),
        ("--http1.0", "HTTP/1.0"),
    ] {
        let answer = gateway
            .call("/c/x?a=%20", &[protocol, "--data", "123"])
            .await;
        assert_eq!((answer.status(), answer.body()), (200, "ok"), "{protocol}");
        if version != "HTTP/1.0" {
            assert_eq!(answer.version(), version);
        }
        let received = vendor.next().await;
        assert_eq!(received.head.start, "POST /x?a=%20 HTTP/1.1", "{protocol}");
        assert_eq!(received.body.data, b"123", "{protocol}");
    }
}

#[tokio::test]
async fn callers_connections_are_kept() {
    let (vendor, gateway) = start().await;
    let mut caller = Caller::connect(gateway.address).await;
    for _ in 0..3 {
        let request =
            format!("GET /passthrough/c/x HTTP/1.1\r\nHost: a\r\nx-api-key: {KEY}\r\n\r\n");
        let response = caller.call(request).await;
        assert_eq!((response.status(), response.text()), (200, "ok".to_owned()));
    }
    assert_eq!(vendor.connections().await, 1);
}

#[tokio::test]
async fn both_forms_of_sdk_paths_are_served() {
    let (vendor, gateway) = start().await;
    for (path, target) in [
        ("/c/%2Fv2%2Fcustomers%3Fpage%3D2", "/v2/customers?page=2"),
        ("/c/projects/group%2Frepo", "/projects/group%2Frepo"),
    ] {
        assert_eq!(gateway.call(path, &[]).await.status(), 200);
        assert_eq!(vendor.next().await.target(), target);
    }
}

async fn answered(gateway: &Gateway, start_line: &str) -> (u16, Option<String>) {
    let request = format!("{start_line} HTTP/1.1\r\nHost: a\r\nx-api-key: {KEY}\r\n\r\n");
    let response = gateway.raw(request).await;
    (response.status(), response.error().map(str::to_owned))
}

#[tokio::test]
async fn p13_targets_that_are_not_paths_are_refused() {
    let (vendor, gateway) = start().await;
    let refused = |status, code: &str| (status, Some(code.to_owned()));
    let connect = answered(&gateway, "CONNECT vendor.test:443").await;
    assert_eq!(connect, refused(405, "method-refused"));
    let all = answered(&gateway, "OPTIONS *").await;
    assert_eq!(all, refused(400, "bad-address"));
    let trace = answered(&gateway, "TRACE /passthrough/c/x").await;
    assert_eq!(trace, refused(405, "method-refused"));
    vendor.untouched().await;
}

#[tokio::test]
async fn p12_the_authority_of_an_absolute_target_never_selects_the_upstream() {
    let (vendor, gateway) = start().await;
    let (status, _) = answered(&gateway, "GET http://evil.test/passthrough/c/x?a").await;
    assert_eq!(status, 200);
    let received = vendor.next().await;
    assert_eq!(received.target(), "/x?a");
    let host = format!("vendor.test:{}", vendor.address().port());
    assert_eq!(received.head.value("host"), Some(&*host));
}

#[tokio::test]
async fn bytes_that_are_not_http_end_only_their_connection() {
    let (_vendor, gateway) = start().await;
    for garbage in [
        "\r\n\r\n\0\0",
        "PRI * HTTP/2.0\r\n\r\nXX\r\n\r\n",
        "GET / HTTP/9.9\r\n\r\n",
    ] {
        let mut caller = Caller::connect(gateway.address).await;
        caller.write(garbage).await;
        caller.wire.finish().await;
        caller.closed().await;
    }
    assert_eq!(gateway.call("/c/x", &[]).await.status(), 200);
}

/// The list of fields over HTTP/2 contains the target and has 64 KiB, so the target may be almost as long as over HTTP/1.1.
#[tokio::test]
async fn p20_long_targets_are_forwarded_over_both_protocols() {
    let (vendor, gateway) = start().await;
    for length in [20_000, 40_000, 63_000] {
        let target = format!("/c/x?q={}", "a".repeat(length));
        for protocol in ["--http1.1", "--http2-prior-knowledge"] {
            assert_eq!(
                gateway.call(&target, &[protocol]).await.status(),
                200,
                "{length} {protocol}"
            );
            let received = vendor.next().await;
            assert_eq!(received.target(), target.strip_prefix("/c").unwrap());
        }
    }
    // The servers below the gateway answer, and don't reset the stream.
    for length in [65_540, 66_000, 100_000] {
        let target = format!("/c/x?q={}", "a".repeat(length));
        for (protocol, status) in [("--http1.1", 414), ("--http2-prior-knowledge", 431)] {
            let answer = gateway.call(&target, &[protocol]).await;
            assert_eq!(answer.status(), status, "{length} {protocol}: {answer:?}");
        }
    }
    assert!(vendor.try_next().await.is_none());
}

/// hyper refuses these bytes before the gateway sees the request.
#[tokio::test]
async fn p20_bytes_of_a_query_are_forwarded_where_a_uri_may_contain_them() {
    let (vendor, gateway) = start().await;
    let call = |query: &[u8]| {
        let fields = format!(" HTTP/1.1\r\nHost: a\r\nx-api-key: {KEY}\r\n\r\n");
        [b"GET /passthrough/c/x?q=", query, fields.as_bytes()].concat()
    };
    for query in ["a|b", "{a}", "a^b`c", "\u{e9}\u{4e00}", "[a]'b'"] {
        assert_eq!(
            gateway.raw(call(query.as_bytes())).await.status(),
            200,
            "{query}"
        );
        let received = vendor.next().await;
        let line = format!("/x?q={query} HTTP/1.1");
        let raw = String::from_utf8_lossy(&received.head.raw).into_owned();
        assert!(raw.starts_with(&format!("GET {line}")), "{raw}");
    }
    for query in [&b"a\"b"[..], b"<a>", b"a>b", b"\x01"] {
        let answer = gateway.raw(call(query)).await;
        assert_eq!((answer.status(), answer.error()), (400, None), "{query:?}");
    }
    assert!(vendor.try_next().await.is_none());
}
