//! Heads that aren't written as RFC 9112 says, and that vendors send nevertheless.

use super::answering;
use testkit::caller::{Caller, get, post, request};
use testkit::gateway::Gateway;
use testkit::manual::ManualVendor;
use testkit::pair::Pair;
use testkit::reply::Reply;
use testkit::vendor::Vendor;

/// Returns the head with that line, and a body of two bytes.
fn head(line: &str) -> String {
    format!("HTTP/1.1 200 OK\r\nFirst: 1\r\n{line}\r\nContent-Length: 2\r\n\r\nok")
}

#[tokio::test]
async fn b17_a_blank_before_a_colon_is_removed() {
    for line in [
        "X-Frame-Options : DENY",
        "X-Frame-Options\t :DENY",
        "x-frame-options  : DENY ",
    ] {
        let pair = answering(head(line)).await;
        let response = pair.call(get("/p/c/x")).await;
        assert_eq!(
            (response.status(), response.text().as_str()),
            (200, "ok"),
            "{line:?}"
        );
        assert_eq!(
            response.head.values("x-frame-options"),
            ["DENY"],
            "{line:?}"
        );
        assert_eq!(response.head.values("first"), ["1"]);
    }
}

#[tokio::test]
async fn b17_a_folded_field_becomes_a_single_line() {
    for (fold, words) in [
        ("a=1; Path=/;\r\n HttpOnly", "a=1; Path=/; HttpOnly"),
        ("a=1;\r\n\tSecure;\r\n  HttpOnly", "a=1; Secure; HttpOnly"),
        ("\r\n a=1", "a=1"),
        ("a=1;\n HttpOnly", "a=1; HttpOnly"),
    ] {
        for name in ["Set-Cookie:", "Set-Cookie :"] {
            let pair = answering(head(&format!("{name} {fold}"))).await;
            let response = pair.call(get("/p/c/x")).await;
            assert_eq!(
                (response.status(), response.text().as_str()),
                (200, "ok"),
                "{fold:?}"
            );
            let value = response.head.value("set-cookie").unwrap();
            let value: Vec<_> = value.split_ascii_whitespace().collect();
            assert_eq!(value.join(" "), words);
        }
    }
}

#[tokio::test]
async fn b17_a_field_that_frames_the_message_is_never_mended() {
    for fields in [
        "Content-Length : 2\r\n",
        "Content-Length\t: 2\r\nX: 1\r\n",
        "Content-Length:\r\n 2\r\n",
        "Content-Length: 2\r\n 0\r\n",
        "Transfer-Encoding : chunked\r\n",
        "Transfer-Encoding:\r\n chunked\r\n",
        "transfer-encoding: chunked\r\n ,identity\r\n",
        "X : 1\r\nTransfer-Encoding : chunked\r\n",
        "X: 1\r\n 2\r\nContent-Length : 2\r\n",
        // The lines could be read as the end of the head, or as fields of their own.
        "X: 1\r\n \r\nContent-Length: 2\r\n",
        " X: 1\r\nContent-Length: 2\r\n",
    ] {
        let pair = answering(format!("HTTP/1.1 200 OK\r\n{fields}\r\nok")).await;
        pair.refused(get("/p/c/x"), 502, "upstream-protocol").await;
    }
}

#[tokio::test]
async fn b17_a_connection_with_a_mended_response_is_not_used_again() {
    let vendor = Vendor::answering(Reply::from(head("X-A : 1\r\n 2"))).await;
    let pair = Pair::before(vendor, |setup| setup).await;
    let mut caller = Caller::connect(pair.gateway.address).await;
    for method in ["GET", "POST", "GET"] {
        let call = request(method, "/p/c/x", &["Content-Length: 5"], "hello");
        let response = caller.call(call).await;
        assert_eq!((response.status(), response.text().as_str()), (200, "ok"));
        let received = pair.vendor.next().await;
        assert_eq!(received.body.data, b"hello");
        assert_eq!((received.head.method(), received.target()), (method, "/x"));
    }
    // A part of a request may not have been written, and the upstream would read the next request as its rest.
    assert_eq!(pair.vendor.connections().await, 3);
}

#[tokio::test]
async fn b17_a_head_in_pieces_is_mended() {
    for is_secure in [false, true] {
        let vendor = match is_secure {
            false => ManualVendor::bind().await,
            true => ManualVendor::bind_tls(&["http/1.1"]).await,
        };
        let gateway = Gateway::to(&vendor).await;
        let mut caller = Caller::connect(gateway.address).await;
        caller.write(post("/p/c/x", "hello")).await;
        let mut connection = vendor.accept().await;
        connection.request().await;
        let chunks = "Transfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n";
        for byte in format!("HTTP/1.1 201 Created\r\nX-A: 1\r\n 2\r\n{chunks}").chars() {
            connection.write(byte.to_string()).await;
            tokio::task::yield_now().await;
        }
        let response = caller.response("POST").await;
        assert_eq!((response.status(), response.text().as_str()), (201, "ok"));
        assert_eq!(
            response
                .head
                .value("x-a")
                .map(|a| a.replace(' ', ""))
                .unwrap(),
            "12"
        );
        connection.wire.finish().await;
    }
}

/// hyper removes the head before it checks the lengths, so the body is at the beginning of the rest.
#[tokio::test]
async fn b17_a_body_is_never_read_as_a_head() {
    let stored = "HTTP/1.1 200 OK\r\nX : y\r\nSet-Cookie: a=b\r\nContent-Length: 2\r\n\r\nhi";
    for fields in [
        "Content-Length: 77\r\nContent-Length: 78\r\n",
        "X : a\r\nContent-Length: 77\r\nContent-Length: 78\r\n",
        "Content-Length: +77\r\n",
        "X : a\r\nContent-Length: 7x\r\n",
    ] {
        let pair = answering(format!("HTTP/1.1 200 OK\r\n{fields}\r\n{stored}")).await;
        pair.refused(get("/p/c/x"), 502, "upstream-protocol").await;
    }
    // The same after an interim response.
    let loose =
        "HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 200 OK\r\nX : y\r\nContent-Length: 2\r\n\r\nok";
    let pair = answering(loose).await;
    pair.refused(get("/p/c/x"), 502, "upstream-protocol").await;
}

#[tokio::test]
async fn b17_a_mended_response_to_head_has_no_body() {
    let pair = answering("HTTP/1.1 200 OK\r\nX : 1\r\nContent-Length: 1234\r\n\r\n").await;
    let mut caller = Caller::connect(pair.gateway.address).await;
    for _ in 0..2 {
        let response = caller.call(request("HEAD", "/p/c/x", &[], "")).await;
        assert_eq!(response.status(), 200);
        assert_eq!(response.head.values("content-length"), ["1234"]);
    }
    assert_eq!(pair.vendor.connections().await, 2);
}

#[tokio::test]
async fn b17_other_loose_heads_are_accepted() {
    for bytes in [
        // Bare LF as the end of each line (RFC 9112 §2.2).
        "HTTP/1.1 200 OK\nContent-Length: 2\n\nok",
        // No reason phrase, and not even the blank before it.
        "HTTP/1.1 200 \r\nContent-Length: 2\r\n\r\nok",
        "HTTP/1.1 200\r\nContent-Length: 2\r\n\r\nok",
        // Empty lines before the status line.
        "\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok",
        "HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok",
    ] {
        let pair = answering(bytes).await;
        let response = pair.call(get("/p/c/x")).await;
        assert_eq!(
            (response.status(), response.text().as_str()),
            (200, "ok"),
            "{bytes:?}"
        );
    }
    // 8-bit bytes in a value.
    let pair = answering(b"HTTP/1.1 200 OK\r\nX-A: \xe9\r\nContent-Length: 2\r\n\r\nok").await;
    assert_eq!(
        pair.call(get("/p/c/x")).await.head.values("x-a"),
        ["\u{e9}"]
    );
}

#[tokio::test]
async fn b17_a_head_that_is_no_http_is_refused() {
    for start in [
        "http/1.1 200 OK",
        " HTTP/1.1 200 OK",
        "HTTP/1.1  200 OK",
        "HTTP/1.1 20 OK",
    ] {
        let pair = answering(format!("{start}\r\nContent-Length: 2\r\n\r\nok")).await;
        pair.refused(get("/p/c/x"), 502, "upstream-protocol").await;
    }
}
