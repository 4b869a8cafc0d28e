//! Answers of HTTP/1.1 vendors that break a rule, and that other clients accept, misread or refuse.

use testkit::caller::{Caller, RawResponse, get, request};
use testkit::h2_caller::{self, H2Caller};
use testkit::manual::ManualVendor;
use testkit::pair::Pair;
use testkit::reply::Reply;
use testkit::vendor::Vendor;

use testkit::gateway::{Mount, Setup};

/// Returns a vendor that answers `/x` with these bytes, and everything else with `next`.
async fn answering(bytes: impl Into<Vec<u8>>, closes: bool) -> Pair {
    let bytes = bytes.into();
    let vendor = Vendor::replying(move |received| match received.target() {
        "/x" if closes => Reply::bytes(bytes.clone()).close(),
        "/x" => Reply::bytes(bytes.clone()),
        _ => Reply::ok("next"),
    });
    Pair::before(vendor.await, |setup| setup).await
}

/// Returns the answer to a call of `/x`, and the number of connections that this call and the next call used. The next
/// call, on the same connection of the caller, must get its own answer.
async fn answer_before_the_next(method: &str, bytes: impl Into<Vec<u8>>) -> (RawResponse, usize) {
    let pair = answering(bytes, false).await;
    let mut caller = Caller::connect(pair.gateway.address).await;
    let answer = caller
        .call(request(method, "/p/c/x", &["TE: trailers"], ""))
        .await;
    let next = caller.call(get("/p/c/next")).await;
    assert_eq!((next.status(), &*next.text()), (200, "next"), "{answer:?}");
    (answer, pair.vendor.connections().await)
}

/// Returns an answer with these field lines, and these bytes after the head.
fn answer(status: &str, lines: &[&str], rest: &str) -> String {
    let lines: String = lines.iter().map(|line| format!("{line}\r\n")).collect();
    format!("HTTP/1.1 {status}\r\n{lines}\r\n{rest}")
}

#[tokio::test]
async fn b2_a_length_that_is_said_twice_is_returned_once() {
    for lines in [
        &["Content-Length: 2", "Content-Length: 2"][..],
        &["Content-Length: 2, 2"],
        &["Content-Length: 2,2", "Content-Length: 2"],
    ] {
        let sent = answer("200 OK", lines, "ok");
        let (got, connections) = answer_before_the_next("GET", sent).await;
        assert_eq!(got.head.value("content-length"), Some("2"), "{lines:?}");
        assert_eq!((&*got.text(), connections), ("ok", 1), "{lines:?}");
    }
}

#[tokio::test]
async fn b5_a_length_that_is_said_twice_for_a_head_is_returned_once() {
    for lines in [
        &["Content-Length: 2", "Content-Length: 2"][..],
        &["Content-Length: 2, 2"],
    ] {
        let sent = answer("200 OK", lines, "");
        let (got, connections) = answer_before_the_next("HEAD", sent.clone()).await;
        assert_eq!((got.status(), connections), (200, 1), "{lines:?}");
        assert_eq!(got.head.value("content-length"), Some("2"), "{lines:?}");

        for mount in [Mount::Hyper, Mount::Nest, Mount::Layer] {
            let vendor = Vendor::answering(sent.clone()).await;
            let pair = Pair::before(vendor, |setup| setup.mount(mount)).await;
            let got = pair.call(request("HEAD", "/p/c/x", &[], "")).await;
            assert_eq!(got.head.value("content-length"), Some("2"), "{mount:?}");
            let mut caller = H2Caller::connect(pair.gateway.address).await;
            let head = h2_caller::request("HEAD", "/p/c/x").body(()).unwrap();
            let got = caller.call(head).await;
            let lengths: Vec<_> = got.headers.get_all("content-length").iter().collect();
            assert_eq!(got.status, 200, "{mount:?} {lines:?}");
            assert_eq!(lengths, ["2"], "{mount:?} {lines:?}");
        }
    }
}

#[tokio::test]
async fn b2_lengths_that_differ_are_an_error() {
    for lines in [
        &["Content-Length: 2", "Content-Length: 3"][..],
        &["Content-Length: 2, 3"],
        &["Content-Length: 2", "Content-Length: "],
    ] {
        let pair = answering(answer("200 OK", lines, "okk"), false).await;
        pair.refused(get("/p/c/x"), 502, "upstream-protocol").await;
    }
}

#[tokio::test]
async fn b5_lengths_of_a_head_that_differ_are_removed() {
    let lines = ["Content-Length: 2", "Content-Length: 3"];
    let (got, _) = answer_before_the_next("HEAD", answer("200 OK", &lines, "")).await;
    assert_eq!((got.status(), got.head.has("content-length")), (200, false));
}

#[tokio::test]
async fn b2_chunks_that_are_announced_twice_are_decoded_once() {
    for lines in [
        &["Transfer-Encoding: chunked", "transfer-encoding: Chunked"][..],
        &["Transfer-Encoding: chunked, chunked"],
    ] {
        let sent = answer("200 OK", lines, "2\r\nok\r\n0\r\n\r\n");
        let (got, connections) = answer_before_the_next("GET", sent).await;
        assert_eq!(got.head.value("transfer-encoding"), Some("chunked"));
        assert_eq!((&*got.text(), connections), ("ok", 1), "{lines:?}");
    }
}

#[tokio::test]
async fn b2_sizes_of_chunks_with_blanks_extensions_and_zeros_are_read() {
    for chunks in [
        "2 \r\nok\r\n0\r\n\r\n",
        "2  \t\r\nok\r\n0 \r\n\r\n",
        "2;signature=\"a;b\"\r\nok\r\n0;last\r\n\r\n",
        "00000002\r\nok\r\n0000\r\n\r\n",
    ] {
        let sent = answer("200 OK", &["Transfer-Encoding: chunked"], chunks);
        let (got, connections) = answer_before_the_next("GET", sent).await;
        assert_eq!((&*got.text(), got.complete()), ("ok", true), "{chunks:?}");
        assert_eq!(connections, 1, "{chunks:?}");
    }
}

#[tokio::test]
async fn b12_chunks_without_their_last_line_never_look_complete() {
    for chunks in [
        "2\r\nok\r\n",
        "2\r\nok\r\n0\r\n",
        "2\nok\n0\n\n",
        "2\r\nok\r\n0\r\nX-Sum: 1",
    ] {
        let sent = answer("200 OK", &["Transfer-Encoding: chunked"], chunks);
        let pair = answering(sent, true).await;
        let got = pair.call(get("/p/c/x")).await;
        assert!(!got.complete(), "{chunks:?}: {got:?}");
    }
}

#[tokio::test]
async fn b6_a_coding_is_no_error_where_there_is_no_body() {
    for (method, status, coding) in [
        ("HEAD", "200 OK", "identity"),
        ("HEAD", "200 OK", "gzip, chunked"),
        ("GET", "304 Not Modified", "identity"),
    ] {
        let coding = format!("Transfer-Encoding: {coding}");
        let sent = answer(status, &[&coding], "");
        let (got, connections) = answer_before_the_next(method, sent).await;
        assert_eq!(got.error(), None, "{coding}");
        assert!(got.status_line().contains(status), "{got:?}");
        assert_eq!((got.head.has("transfer-encoding"), connections), (false, 1));
    }
}

#[tokio::test]
async fn b6_the_coding_identity_of_a_body_is_an_error() {
    for lines in [
        &["Transfer-Encoding: identity"][..],
        &["Transfer-Encoding: identity", "Content-Length: 2"],
        &["Transfer-Encoding: identity, chunked"],
    ] {
        let pair = answering(answer("200 OK", lines, "ok"), true).await;
        pair.refused(get("/p/c/x"), 502, "upstream-protocol").await;
    }
}

#[tokio::test]
async fn b5_bytes_after_an_answer_without_a_body_reach_no_other_call() {
    const INJECTED: &str = "HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\ninjected";
    for (method, status, lines, rest) in [
        (
            "DELETE",
            "204 No Content",
            &["Transfer-Encoding: chunked"][..],
            "0\r\n\r\n",
        ),
        ("DELETE", "204 No Content", &["Content-Length: 5"], "hello"),
        ("DELETE", "204 No Content", &[], INJECTED),
        ("GET", "304 Not Modified", &["Content-Length: 5"], "hello"),
        ("HEAD", "200 OK", &["Content-Length: 5"], "hello"),
        (
            "HEAD",
            "404 Not Found",
            &["Transfer-Encoding: chunked"],
            "2\r\nno\r\n0\r\n\r\n",
        ),
        ("GET", "200 OK", &["Content-Length: 0"], INJECTED),
    ] {
        let (got, connections) = answer_before_the_next(method, answer(status, lines, rest)).await;
        assert!(got.status_line().contains(status), "{got:?}");
        assert_eq!(
            (&*got.text(), connections),
            ("", 2),
            "{method} {status} {lines:?}"
        );
    }
}

#[tokio::test]
async fn b5_an_answer_without_a_body_ends_with_its_head() {
    for (method, status, line) in [
        ("DELETE", "204 No Content", "Content-Length: 0"),
        ("GET", "304 Not Modified", "Content-Length: 1234"),
        ("GET", "304 Not Modified", "Transfer-Encoding: chunked"),
        ("HEAD", "404 Not Found", "Transfer-Encoding: chunked"),
    ] {
        let (got, connections) = answer_before_the_next(method, answer(status, &[line], "")).await;
        assert!(got.status_line().contains(status), "{got:?}");
        assert_eq!(
            (&*got.text(), connections),
            ("", 1),
            "{method} {status} {line}"
        );
    }
}

#[tokio::test]
async fn k5_line_ends_after_an_answer_reach_no_other_call() {
    for rest in ["ok\n", "ok\r\n", "ok\r\n\r\n", "okok", "ok\0\0\0"] {
        let sent = answer("200 OK", &["Content-Length: 2"], rest);
        let (got, connections) = answer_before_the_next("GET", sent).await;
        assert_eq!((&*got.text(), connections), ("ok", 2), "{rest:?}");
    }
}

#[tokio::test]
async fn b7_the_trailers_of_an_error_arrive_and_the_connection_is_used_again() {
    let sent = answer(
        "500 Internal Server Error",
        &[
            "Trailer: Grpc-Trailer-Content-Type",
            "Transfer-Encoding: chunked",
        ],
        "2\r\nno\r\n0\r\nGrpc-Trailer-Content-Type: application/grpc\r\n\r\n",
    );
    let (got, connections) = answer_before_the_next("GET", sent).await;
    assert_eq!((got.status(), &*got.text(), connections), (500, "no", 1));
    assert_eq!(got.body.trailers.len(), 1, "{got:?}");
    assert_eq!(got.body.trailers[0].1, "application/grpc");
}

#[tokio::test]
async fn v6_a_head_with_a_line_that_is_not_a_field_is_an_error() {
    for line in [
        "Secured by Excellent Serv : x",
        "HTTP 1/1 302:",
        "X-Foo;[a]: x",
        ": x",
        "nonsense",
        "Set-Cookie: a=\u{7f}",
        "Set-Cookie: a=\u{1}",
        "X-A: a\0b",
    ] {
        let sent = answer("200 OK", &[line, "Content-Length: 2"], "ok");
        let pair = answering(sent, false).await;
        pair.refused(get("/p/c/x"), 502, "upstream-protocol").await;
        let next = pair.call(get("/p/c/next")).await;
        assert_eq!((next.status(), &*next.text()), (200, "next"), "{line:?}");
    }
}

#[tokio::test]
async fn h12_values_in_utf8_are_returned_as_bytes() {
    let name = "attachment; filename=\"要求 Müller.txt\"";
    let lines = [
        &*format!("Content-Disposition: {name}"),
        "X-Empty:",
        "Content-Length: 2",
    ];
    let (got, _) = answer_before_the_next("GET", answer("200 OK", &lines, "ok")).await;
    let expected = testkit::head::latin1(name.as_bytes());
    assert_eq!(got.head.value("content-disposition"), Some(&*expected));
    assert_eq!(got.head.value("x-empty"), Some(""));
}

#[tokio::test]
async fn b13_an_http10_vendor_keeps_its_connection_only_if_it_says_so() {
    for (lines, expected) in [("", 2), ("Connection: keep-alive\r\n", 1)] {
        let sent = format!("HTTP/1.0 200 OK\r\n{lines}Content-Length: 2\r\n\r\nok");
        let (got, connections) = answer_before_the_next("GET", sent).await;
        assert_eq!((&*got.text(), connections), ("ok", expected), "{lines:?}");
    }
    let pair = answering("HTTP/1.0 200 OK\r\n\r\nok until the end", true).await;
    let got = pair.call(get("/p/c/x")).await;
    assert_eq!((&*got.text(), got.complete()), ("ok until the end", true));
}

#[tokio::test]
async fn b15_two_early_hints_in_a_row_are_not_the_answer() {
    for interim in [
        "HTTP/1.1 103 Early Hints\r\nLink: </a>; rel=preload\r\n\r\n".repeat(2),
        "HTTP/1.1 102 Processing\r\n\r\nHTTP/1.1 100 Continue\r\n\r\n".to_owned(),
    ] {
        let last = answer("200 OK", &["Content-Length: 2"], "ok");
        let (got, connections) = answer_before_the_next("GET", interim + &last).await;
        assert_eq!((got.status(), &*got.text(), connections), (200, "ok", 1));
    }
}

#[tokio::test]
async fn r1_a_status_that_is_not_three_digits_from_100_is_an_error() {
    for status in [
        "000 Zero", "099 Low", "44 Odd", "2000 Odd", "20x Odd", "-200 Odd", "OK",
    ] {
        let pair = answering(answer(status, &["Content-Length: 2"], "ok"), false).await;
        pair.refused(get("/p/c/x"), 502, "upstream-protocol").await;
    }
}

#[tokio::test]
async fn v8_a_vendor_may_ask_that_its_events_are_not_buffered() {
    let stream = "Content-Type: text/event-stream";
    for (lines, kept) in [
        (&["X-Accel-Buffering: no", stream][..], true),
        (&["X-Accel-Buffering: yes", stream], false),
        (
            &["X-Accel-Buffering: no", "X-Accel-Buffering: yes", stream],
            false,
        ),
        (
            &[
                "X-Accel-Buffering: no",
                "Connection: X-Accel-Buffering",
                stream,
            ],
            false,
        ),
        (
            &["X_Accel_Buffering: no", "X-Accel-Limit-Rate: no", stream],
            false,
        ),
    ] {
        let lines = [lines, &["Content-Length: 2"]].concat();
        let (got, _) = answer_before_the_next("GET", answer("200 OK", &lines, "ok")).await;
        let found = got.head.fields.iter().filter(|(name, _)| {
            let name = name.to_ascii_lowercase().replace('_', "-");
            name.starts_with("x-accel-")
        });
        assert_eq!(
            found.count(),
            usize::from(kept),
            "{lines:?}: {:?}",
            got.head
        );
    }
}

#[tokio::test]
async fn u2_odd_fields_of_a_handshake_and_of_its_101_open_the_tunnel() {
    let upgrade = ["Connection: keep-alive, Upgrade", "Upgrade: WebSocket"];
    let apart = [
        "Connection: keep-alive",
        "Connection: upgrade",
        "Upgrade: websocket",
    ];
    let with_length = [&upgrade[..], &["Content-Length: 0"]].concat();
    for (asked, agreed) in [
        (
            &upgrade[..],
            &[
                "Connection: Upgrade",
                "Upgrade: WebSocket",
                "Content-Length: 0",
            ][..],
        ),
        (
            &upgrade,
            &["Connection: keep-alive, upgrade", "Upgrade: websocket"],
        ),
        (&upgrade, &["Upgrade: websocket"]),
        (
            &upgrade,
            &[
                "Connection: upgrade",
                "Upgrade: websocket",
                "Transfer-Encoding: chunked",
            ],
        ),
        (&apart, &["Connection: Upgrade", "Upgrade: websocket"]),
        (&with_length, &["Connection: Upgrade", "Upgrade: websocket"]),
    ] {
        let vendor = ManualVendor::bind().await;
        let gateway = Setup::new(&vendor).start().await;
        let mut caller = Caller::connect(gateway.address).await;
        let key = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==";
        let lines = [asked, &["Sec-WebSocket-Version: 13", key]].concat();
        caller.write(request("GET", "/p/c/live", &lines, "")).await;
        let mut connection = vendor.accept().await;
        let seen = connection.head().await;
        assert_eq!(seen.value("connection"), Some("upgrade"), "{asked:?}");
        let accept = "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";
        let lines = [agreed, &[accept]].concat();
        connection
            .write(answer("101 Switching Protocols", &lines, "hello"))
            .await;
        let head = caller.head().await;
        assert_eq!(head.status(), 101, "{agreed:?}");
        let framed = head.has("content-length") || head.has("transfer-encoding");
        assert!(!framed, "{agreed:?}: {head:?}");
        assert_eq!(head.value("connection"), Some("upgrade"), "{agreed:?}");
        let (first, _) = caller.wire.exactly(5).await;
        assert_eq!(first, b"hello", "{agreed:?}");
    }
}

#[tokio::test]
async fn r3_line_feeds_alone_end_the_lines_of_a_head() {
    for sent in [
        "HTTP/1.1 200 OK\nX-A: b\nContent-Length: 2\n\nok",
        "HTTP/1.1 200 OK\nX-A: b\r\nContent-Length: 2\n\r\nok",
        "\r\n\r\nHTTP/1.1 200 OK\r\nX-A: b\r\nContent-Length: 2\r\n\r\nok",
    ] {
        let (got, connections) = answer_before_the_next("GET", sent).await;
        assert_eq!(got.head.value("x-a"), Some("b"), "{sent:?}");
        assert_eq!((&*got.text(), connections), ("ok", 1), "{sent:?}");
    }
}

#[tokio::test]
async fn b6_chunks_over_http10_are_an_error() {
    let sent = "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n";
    let pair = answering(sent, true).await;
    pair.refused(get("/p/c/x"), 502, "upstream-protocol").await;
}

#[tokio::test]
async fn r4_a_location_in_utf8_or_with_blanks_is_returned_unchanged() {
    for location in [
        "/weiter/übersicht?ä=1",
        "https://vendor.test/a b",
        "%zz",
        "",
    ] {
        let link = format!("<{location}>; rel=\"next\"");
        let lines = [
            &*format!("Location: {location}"),
            &*format!("Link: {link}"),
            "Content-Length: 0",
        ];
        let sent = answer("302 Found", &lines, "");
        for rewrites in [false, true] {
            let vendor = Vendor::answering(sent.clone()).await;
            let pair = Pair::before(vendor, move |setup| {
                setup.options(move |options| options.rewrite_links(rewrites))
            })
            .await;
            let got = pair.call(get("/p/c/x")).await;
            let bytes = |text: &str| testkit::head::latin1(text.as_bytes());
            assert_eq!(got.head.value("location"), Some(&*bytes(location)));
            assert_eq!(got.head.value("link"), Some(&*bytes(&link)));
        }
    }
}

#[tokio::test]
async fn k2_a_408_on_a_kept_connection_is_returned_and_not_repeated() {
    let vendor = Vendor::replying(|received| match received.target() {
        "/late" => Reply::from(
            "HTTP/1.1 408 Request Timeout\r\nConnection: close\r\nContent-Length: 0\r\n\r\n",
        )
        .close(),
        _ => Reply::ok("next"),
    });
    let pair = Pair::before(vendor.await, |setup| setup).await;
    for _ in 0..2 {
        assert_eq!(pair.call(get("/p/c/first")).await.status(), 200);
        let got = pair.call(get("/p/c/late")).await;
        assert_eq!((got.status(), got.error()), (408, None));
    }
    for (target, connection) in [("/first", 0), ("/late", 0), ("/first", 1), ("/late", 1)] {
        let received = pair.vendor.next().await;
        assert_eq!(
            (received.target(), received.connection),
            (target, connection)
        );
    }
    assert!(pair.vendor.try_next().await.is_none());
}

#[tokio::test]
async fn r1_a_status_without_a_reason_is_returned() {
    for line in ["HTTP/1.1 201", "HTTP/1.1 201 "] {
        let sent = format!("{line}\r\nContent-Length: 2\r\n\r\nok");
        let (got, connections) = answer_before_the_next("GET", sent).await;
        assert_eq!((got.status_line(), connections), ("HTTP/1.1 201 ", 1));
    }
}
