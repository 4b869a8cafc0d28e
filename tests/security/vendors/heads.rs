//! Fields of answers: the number and the size are limited, and no field looks like the gateway's.

use std::time::Duration;

use tower_passthrough::service::ResponseHeaderPolicy;

use testkit::caller::{Caller, RawResponse, get, post, raw_call, request};
use testkit::gateway::{Gateway, Setup};
use testkit::manual::{ManualVendor, VendorConnection};
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

/// Returns a head with so many fields of a vendor, and the other lines.
fn head_of(status: &str, count: usize, value: &str, lines: &str) -> String {
    let fields: String = (0..count)
        .map(|nth| format!("x{nth}: {value}\r\n"))
        .collect();
    format!("HTTP/1.1 {status}\r\n{fields}{lines}\r\n\r\n")
}

/// The gateway has read a part of the body as well when hyper refuses the head, and this part counts for nothing.
#[tokio::test]
async fn v3_a_head_with_many_fields_may_arrive_with_its_body() {
    let vendor = ManualVendor::bind().await;
    let gateway = Gateway::to(&vendor).await;
    let mut caller = Caller::connect(gateway.address).await;
    caller.write(get("/p/c/x")).await;
    let mut connection = vendor.accept().await;
    connection.head().await;
    // After a large body, hyper reads more at a time.
    let large = "b".repeat(4 << 20);
    let head = head_of("200 OK", 1, "y", "Content-Length: 4194304");
    let (response, ()) = Box::pin(async {
        tokio::join!(
            caller.response("GET"),
            connection.write(format!("{head}{large}"))
        )
    })
    .await;
    assert_eq!(response.body.data.len(), large.len());
    let (many, size) = (
        head_of("200 OK", 150, "y", "Content-Length: 500000"),
        500_000,
    );
    caller.write(post("/p/c/x", "sent")).await;
    connection.request().await;
    let body = "b".repeat(size);
    let (response, ()) = Box::pin(async {
        tokio::join!(
            caller.response("POST"),
            connection.write(format!("{many}{body}"))
        )
    })
    .await;
    assert_eq!((response.status(), response.body.data.len()), (200, size));
    assert_eq!(response.head.value("x149"), Some("y"));

    // The head alone is nearly as long as the maximum.
    let value = "y".repeat(1053);
    let long = head_of("200 OK", 115, &value, "Content-Length: 20000");
    assert!(long.len() < 128 * 1024);
    let answer = format!("{long}{}", "b".repeat(20_000));
    let pair = Pair::before(Vendor::answering(answer).await, |setup| setup).await;
    let response = pair.call(get("/p/c/x")).await;
    assert_eq!((response.status(), response.body.data.len()), (200, 20_000));
}

/// Begins an upload, and answers before its end with more fields than hyper reads at first.
async fn answer_early(
    gateway: &Gateway,
    vendor: &ManualVendor,
    idle: Option<&mut VendorConnection>,
) -> RawResponse {
    let mut caller = Caller::connect(gateway.address).await;
    let begun = "POST /p/c/x HTTP/1.1\r\nHost: app.test\r\nContent-Length: 9\r\n\r\nhalf";
    caller.write(begun).await;
    let early = head_of("413 Content Too Large", 150, "y", "Content-Length: 0");
    let mut new = None;
    let connection = match idle {
        Some(idle) => idle,
        None => new.insert(vendor.accept().await),
    };
    connection.head().await;
    connection.write(early).await;
    caller.response("POST").await
}

/// A head with many fields can't be read again while the request is being sent. The next one is read at once, and no
/// connection that was open before stands in its way.
#[tokio::test]
async fn v3_an_early_answer_with_many_fields_fails_once() {
    let vendor = ManualVendor::bind().await;
    let gateway = Gateway::to(&vendor).await;
    let mut callers = Vec::new();
    let mut connections = Vec::new();
    for _ in 0..2 {
        let mut caller = Caller::connect(gateway.address).await;
        caller.write(get("/p/c/x")).await;
        let mut connection = vendor.accept().await;
        connection.head().await;
        connections.push(connection);
        callers.push(caller);
    }
    for (caller, connection) in callers.iter_mut().zip(&mut connections) {
        connection
            .write("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
            .await;
        assert_eq!(caller.response("GET").await.status(), 200);
    }
    let first = answer_early(&gateway, &vendor, connections.last_mut()).await;
    assert_eq!(
        (first.status(), first.error()),
        (502, Some("upstream-protocol"))
    );
    let next = answer_early(&gateway, &vendor, None).await;
    assert_eq!((next.status(), next.error()), (413, None));
    assert_eq!(next.head.value("x149"), Some("y"));
    // The idle connection is closed.
    if let Some(idle) = connections.first_mut() {
        idle.closed().await;
    }
}

#[tokio::test]
async fn v3_a_head_with_many_fields_is_remembered_without_connections() {
    let vendor = ManualVendor::bind().await;
    let gateway = Setup::new(&vendor)
        .transport(|transport| transport.pool_idle_timeout(Duration::from_millis(50)))
        .start()
        .await;
    let mut caller = Caller::connect(gateway.address).await;
    caller.write(get("/p/c/x")).await;
    let mut connection = vendor.accept().await;
    connection.head().await;
    connection
        .write(head_of("200 OK", 150, "y", "Content-Length: 0"))
        .await;
    assert_eq!(caller.response("GET").await.status(), 200);
    connection.closed().await;
    // Meanwhile the pool removes the hosts that it doesn't need. The test passes with any pause.
    tokio::time::sleep(Duration::from_secs(1)).await;
    let early = answer_early(&gateway, &vendor, None).await;
    assert_eq!((early.status(), early.error()), (413, None));
}

/// Bytes of a body can't be read again. The next connection reads as many trailers as fields of a head.
#[tokio::test]
async fn v3_many_trailers_break_a_response_off_once() {
    let trailers: String = (0..150).map(|nth| format!("x{nth}: y\r\n")).collect();
    let answer = format!(
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: x149\r\n\r\n4\r\nbody\r\n0\r\n{trailers}\r\n"
    );
    // The second request isn't sent whole.
    for request in [
        request("GET", "/p/c/x", &["TE: trailers"], ""),
        request(
            "POST",
            "/p/c/x",
            &["TE: trailers", "Content-Length: 9"],
            "half",
        ),
    ] {
        let vendor = ManualVendor::bind().await;
        let gateway = Gateway::to(&vendor).await;
        let method = request.split(' ').next().unwrap_or_default();
        for is_first in [true, false] {
            let mut caller = Caller::connect(gateway.address).await;
            caller.write(&request).await;
            let mut connection = vendor.accept().await;
            connection.head().await;
            connection.write(&answer).await;
            let response = caller.response(method).await;
            assert_eq!(response.status(), 200);
            assert_eq!(response.complete(), !is_first, "{method}");
            // hyper's server sends the trailers that the head names.
            let last = response.body.trailers.last();
            let name = last.map(|(name, _)| name.as_str());
            assert_eq!(name, (!is_first).then_some("x149"), "{method}");
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
