//! Fields of answers: the number and the size are limited, and no field looks like the gateway's.

use std::time::Duration;

use tower_passthrough::service::ResponseHeaderPolicy;

use testkit::caller::{Caller, get, raw_call, request};
use testkit::gateway::{Gateway, Setup};
use testkit::manual::ManualVendor;
use testkit::pair::Pair;
use testkit::vendor::Vendor;
use testkit::wait::within;

#[tokio::test]
async fn v2_a_vendor_cannot_forge_the_gateways_error_fields() {
    let answer = "HTTP/1.1 502 Bad Gateway\r\n\
        Passthrough-Error: upstream-unreachable\r\n\
        passthrough_error: upstream-unreachable\r\n\
        Proxy-Status: passthrough; error=dns_error\r\n\
        Proxy-Status: cdn.vendor.test; received-status=200\r\n\
        Proxy-Status: other; error=\"a, b\", passthrough; error=dns_error\r\n\
        Proxy-Status: \"passthrough\"; error=dns_error\r\n\
        Proxy-Status: \tpassthrough ; error=dns_error\r\n\
        Trailer: passthrough-error, proxy-status, x-sum\r\n\
        Transfer-Encoding: chunked\r\n\r\n\
        2\r\nok\r\n0\r\n\
        passthrough-error: upstream-unreachable\r\n\
        passthrough_error: upstream-unreachable\r\n\
        proxy-status: passthrough; error=dns_error\r\n\
        x-sum: 1\r\n\r\n";
    for policy in [ResponseHeaderPolicy::All, ResponseHeaderPolicy::BrowserSafe] {
        let pair = Pair::before(Vendor::answering(answer).await, |setup| {
            setup.options(move |options| options.response_headers(policy))
        })
        .await;
        let response = pair
            .call(request("GET", "/p/c/x", &["TE: trailers"], ""))
            .await;
        assert_eq!(response.status(), 502);
        assert!(!response.head.has("passthrough-error") && !response.head.has("passthrough_error"));
        assert_eq!(
            response.head.values("proxy-status"),
            ["cdn.vendor.test; received-status=200"]
        );
        assert_eq!(
            response.body.trailers,
            [("x-sum".to_owned(), "1".to_owned())]
        );
    }
}

#[tokio::test]
async fn v3_a_head_is_bounded_in_size() {
    let vendor = ManualVendor::bind().await;
    let gateway = Gateway::to(&vendor).await;
    let flood = async {
        let mut connection = vendor.accept().await;
        connection.head().await;
        connection.write("HTTP/1.1 200 OK\r\n").await;
        let line = format!("X-Flood: {}\r\n", "x".repeat(8000));
        let mut written = 0_usize;
        // The vendor writes until the gateway closes the connection; 1 GiB would be far too late.
        while written < 1 << 30 && connection.wire.try_write(line.as_bytes()).await {
            written += line.len();
        }
        written
    };
    let (response, written) = within(
        "an end of the flood",
        Box::pin(async { tokio::join!(raw_call(gateway.address, get("/p/c/x")), flood) }),
    )
    .await;
    assert_eq!(
        (response.status(), response.error()),
        (502, Some("upstream-protocol"))
    );
    assert!(written < 32 << 20, "{written} bytes were read");
}

#[tokio::test]
async fn v3_a_head_is_bounded_in_count() {
    for (count, status) in [(200, 200), (300, 502), (5000, 502)] {
        let fields: String = (0..count).map(|nth| format!("x{nth}: y\r\n")).collect();
        let answer = format!("HTTP/1.1 200 OK\r\n{fields}Content-Length: 0\r\n\r\n");
        let pair = Pair::before(Vendor::answering(answer).await, |setup| setup).await;
        let response = pair.call(get("/p/c/x")).await;
        assert_eq!(response.status(), status, "{count}");
        assert_eq!(
            response.error(),
            (status == 502).then_some("upstream-protocol"),
            "{count}"
        );
    }
}

/// The first such head of an upstream is read twice, and connections after it accept large heads at once.
#[tokio::test]
async fn v3_a_head_with_many_fields_may_arrive_in_any_pieces() {
    let vendor = ManualVendor::bind().await;
    let gateway = Gateway::to(&vendor).await;
    let fields: String = (0..200).map(|nth| format!("x{nth}: y\r\n")).collect();
    let head = format!("HTTP/1.1 200 OK\r\n{fields}Content-Length: 4\r\n\r\n");
    let mut caller = Caller::connect(gateway.address).await;
    caller.write(get("/p/c/x")).await;
    let mut first = vendor.accept().await;
    first.head().await;
    first
        .write("HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n")
        .await;
    let (start, end) = head.split_at(head.len() / 2 + 300);
    first.write(start).await;
    first.write(end).await;
    first.write("bo").await;
    first.write("dy").await;
    let response = caller.response("GET").await;
    assert_eq!((response.status(), response.text().as_str()), (200, "body"));
    assert_eq!(response.head.value("x199"), Some("y"));
    // The request isn't sent again.
    first.closed().await;
    caller.write(get("/p/c/x")).await;
    let mut second = vendor.accept().await;
    for last in [false, true] {
        second.head().await;
        second.write(format!("{head}body")).await;
        let response = caller.response("GET").await;
        assert_eq!((response.status(), response.text().as_str()), (200, "body"));
        if !last {
            caller.write(get("/p/c/x")).await;
        }
    }
}

#[tokio::test]
async fn v3_a_head_is_bounded_in_time() {
    let vendor = ManualVendor::bind().await;
    let gateway = Setup::new(&vendor)
        .options(|options| options.response_head_timeout(Duration::from_millis(300)))
        .start()
        .await;
    let trickle = async {
        let mut connection = vendor.accept().await;
        connection.head().await;
        connection.write("HTTP/1.1 200 OK\r\nX: ").await;
        let mut written = 0_usize;
        // A byte now and then doesn't extend the time limit of a head.
        while connection.wire.try_write(b"y").await {
            written += 1;
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        written
    };
    let (response, written) = within(
        "an end of the trickle",
        Box::pin(async { tokio::join!(raw_call(gateway.address, get("/p/c/x")), trickle) }),
    )
    .await;
    assert_eq!(
        (response.status(), response.error()),
        (504, Some("upstream-timeout"))
    );
    assert!(written > 0);
}

#[tokio::test]
async fn v3_nothing_is_decompressed() {
    // 20 bytes of gzip that would become more bytes; the gateway must not decompress them.
    let gzip = [
        0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3, 0x63, 0x60, 0, 0, 0x8d, 0xef, 2, 0xd2, 1, 0,
    ];
    let mut answer =
        b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 20\r\n\r\n".to_vec();
    answer.extend(gzip);
    let pair = Pair::before(Vendor::answering(answer).await, |setup| setup).await;
    let response = pair
        .call(request("GET", "/p/c/x", &["Accept-Encoding: gzip"], ""))
        .await;
    assert_eq!(response.body.data, gzip);
    assert_eq!(response.head.value("content-encoding"), Some("gzip"));
    assert_eq!(response.head.value("content-length"), Some("20"));
    let plain = pair.vendor.next().await;
    assert_eq!(plain.head.value("accept-encoding"), Some("gzip"));
}
