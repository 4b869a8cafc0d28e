//! Requests of clients that break a rule, or that keep to a rule which other proxies don't know.

use testkit::caller::{Caller, get, request};
use testkit::h2_caller::{self, H2Caller};
use testkit::pair::Pair;
use testkit::schemes::Payload;
use testkit::wire::Framing;

#[tokio::test]
async fn b6_a_requests_transfer_coding_other_than_chunked_is_refused() {
    for signs in [false, true] {
        let pair = Pair::with(move |setup| match signs {
            true => setup.upstream(|upstream| upstream.auth(Payload)),
            false => setup,
        })
        .await;
        for lines in [
            &["Transfer-Encoding: gzip, chunked"][..],
            &["Transfer-Encoding: gzip", "Transfer-Encoding: chunked"],
            &["Transfer-Encoding: identity, chunked"],
        ] {
            let sent = request(
                "POST",
                "/p/c/x",
                lines,
                "4\r\n\x1f\x02\x08\x00\r\n0\r\n\r\n",
            );
            let answer = pair.refused(sent, 400, "bad-address").await;
            assert!(answer.text().contains("transfer coding"), "{answer:?}");
        }
        pair.vendor.untouched().await;
    }
}

#[tokio::test]
async fn p13_methods_keep_their_case() {
    let pair = Pair::new().await;
    for method in ["patch", "get", "Post", "deLete"] {
        let sent = request(method, "/p/c/x", &["Content-Length: 2"], "ok");
        let received = pair.seen(sent).await;
        assert_eq!(received.head.method(), method);
        assert_eq!(received.body.data, b"ok", "{method}");
    }
    pair.refused(request("tRace", "/p/c/x", &[], ""), 405, "method-refused")
        .await;
}

#[tokio::test]
async fn b3_the_bodies_of_all_methods_arrive() {
    let pair = Pair::new().await;
    for method in [
        "GET", "HEAD", "DELETE", "OPTIONS", "PROPFIND", "PURGE", "REPORT",
    ] {
        for (line, body, framing) in [
            ("Content-Length: 2", "{}", Framing::Length(2)),
            (
                "Transfer-Encoding: chunked",
                "2\r\n{}\r\n0\r\n\r\n",
                Framing::Chunked,
            ),
        ] {
            let sent = request(method, "/p/c/_search/scroll", &[line], body);
            let received = pair.seen(sent).await;
            assert_eq!(received.head.method(), method);
            assert_eq!(received.body.data, b"{}", "{method}");
            assert_eq!(received.body.framing, framing, "{method}");
        }
    }
}

#[tokio::test]
async fn h8_the_callers_host_may_have_any_form() {
    let pair = Pair::new().await;
    for head in [
        "GET /p/c/x HTTP/1.1\r\nHost:\r\n\r\n",
        "GET /p/c/x HTTP/1.1\r\nHost: app.test:\r\n\r\n",
        "GET /p/c/x HTTP/1.1\r\nHost: [::1]:8080\r\n\r\n",
        "GET /p/c/x HTTP/1.1\r\nHost: b\u{fc}cher.test\r\n\r\n",
        "GET /p/c/x HTTP/1.1\r\n\r\n",
        "GET /p/c/x HTTP/1.0\r\n\r\n",
    ] {
        let received = pair.seen(head).await;
        let host = format!("vendor.test:{}", pair.vendor.address().port());
        assert_eq!(received.head.values("host"), [&*host], "{head:?}");
    }
    let mut caller = H2Caller::connect(pair.gateway.address).await;
    let call = h2_caller::request("GET", "/p/c/x").header("host", "other.test");
    assert_eq!(caller.call(call.body(()).unwrap()).await.status, 200);
    let host = format!("vendor.test:{}", pair.vendor.address().port());
    assert_eq!(pair.vendor.next().await.head.values("host"), [&*host]);
}

#[tokio::test]
async fn h16_line_ends_around_a_request_make_no_request() {
    let pair = Pair::new().await;
    let mut caller = Caller::connect(pair.gateway.address).await;
    let upload = "POST /p/c/1 HTTP/1.1\r\nHost: app.test\r\nContent-Length: 2\r\n\r\nok\r\n";
    assert_eq!(caller.call(format!("\r\n{upload}")).await.status(), 200);
    assert_eq!(caller.call(get("/p/c/2")).await.status(), 200);
    for (target, body) in [("/1", &b"ok"[..]), ("/2", b"")] {
        let received = pair.vendor.next().await;
        assert_eq!((received.target(), &*received.body.data), (target, body));
    }
    assert!(pair.vendor.try_next().await.is_none());
}

#[tokio::test]
async fn q1_question_marks_pluses_and_empty_pairs_stay() {
    let pair = Pair::new().await;
    for remainder in [
        "/x?",
        "/x??a=b?c",
        "/x?Signature=ibQB2CXo%3D&x=?",
        "/x?filter[a][]=1&b={x}|^`'()*,;=:@!$",
        "/a+b%20c%2B?q=a+b%20c%2B&e=&=v&&f",
        "/images/mac@2x.png?a=%40&b=@",
        "//leading//double/",
        "/models/bedrock%2Fclaude/converse?x=%2f%2F",
    ] {
        assert_eq!(pair.target(remainder).await, remainder);
    }
}

#[tokio::test]
async fn u1_the_upgrade_to_http2_that_javas_client_asks_for_is_not_forwarded() {
    let pair = Pair::new().await;
    for (method, line, body) in [
        ("POST", "Content-Length: 5", "hello"),
        ("GET", "Content-Length: 0", ""),
    ] {
        let lines = [
            "Connection: Upgrade, HTTP2-Settings",
            line,
            "HTTP2-Settings: AAEAAEAAAAIAAAABAAMAAABkAAQBAAAAAAUAAEAA",
            "Upgrade: h2c",
            "User-Agent: Java-http-client/17",
        ];
        let received = pair.seen(request(method, "/p/c/x", &lines, body)).await;
        for name in ["connection", "upgrade", "http2-settings"] {
            assert!(!received.head.has(name), "{method}: {:?}", received.head);
        }
        assert_eq!(received.body.data, body.as_bytes());
    }
}

#[tokio::test]
async fn b2_a_form_with_files_and_a_query_arrives_byte_for_byte() {
    const FORM: &str = "--b \"1\"\r\nContent-Disposition: form-data; name=\"f\"; filename=\"\u{e9}.bin\"\r\n\
                        Content-Type: application/octet-stream\r\n\r\n\u{0}\u{1}\r\n\r\n--b \"1\"--\r\n";
    let pair = Pair::new().await;
    let length = format!("Content-Length: {}", FORM.len());
    let kind = "multipart/form-data; charset=utf-8; boundary=\"b \\\"1\\\"\"";
    let lines = [&*length, &*format!("Content-Type: {kind}")];
    let sent = request("POST", "/p/c/upload?uploadType=multipart&a=1", &lines, FORM);
    let received = pair.seen(sent).await;
    assert_eq!(received.target(), "/upload?uploadType=multipart&a=1");
    assert_eq!(received.head.value("content-type"), Some(kind));
    assert_eq!(received.body.data, FORM.as_bytes());
}

#[tokio::test]
async fn h11_empty_and_quoted_values_stay() {
    let pair = Pair::new().await;
    let lines = [
        "SOAPAction: \"\"",
        "X-Empty:",
        "Accept-Encoding: identity;q=1, *;q=0",
        "If-None-Match: W/\"a\", \"b\"",
    ];
    let received = pair.seen(request("GET", "/p/c/x", &lines, "")).await;
    for (name, value) in [
        ("soapaction", "\"\""),
        ("x-empty", ""),
        ("accept-encoding", "identity;q=1, *;q=0"),
        ("if-none-match", "W/\"a\", \"b\""),
    ] {
        assert_eq!(received.head.value(name), Some(value), "{name}");
    }
}

#[tokio::test]
async fn h16_framing_that_is_said_twice_in_the_same_way_counts_once() {
    let pair = Pair::new().await;
    for (lines, body, framing) in [
        (
            &["Content-Length: 2", "Content-Length: 2"][..],
            "ok",
            Framing::Length(2),
        ),
        (
            &["Transfer-Encoding: chunked", "Transfer-Encoding: chunked"],
            "2\r\nok\r\n0\r\n\r\n",
            Framing::Chunked,
        ),
        (
            &["Transfer-Encoding: chunked, Chunked"],
            "2 ;a=b\r\nok\r\n0\r\n\r\n",
            Framing::Chunked,
        ),
    ] {
        let received = pair.seen(request("POST", "/p/c/x", lines, body)).await;
        assert_eq!(received.body.data, b"ok", "{lines:?}");
        assert_eq!(received.body.framing, framing, "{lines:?}");
        let framed =
            ["content-length", "transfer-encoding"].map(|name| received.head.values(name).len());
        assert_eq!(framed.iter().sum::<usize>(), 1, "{lines:?}");
    }
    // hyper's server refuses this form, which RFC 9110 §8.6 allows.
    let sent = request("POST", "/p/c/x", &["Content-Length: 2, 2"], "ok");
    assert_eq!(pair.call(sent).await.status(), 400);
}

#[tokio::test]
async fn h18_an_unknown_expectation_is_removed() {
    let pair = Pair::new().await;
    for expectation in ["200-ok", "100-Continue", "100-continue, x=1", ""] {
        let expect = format!("Expect: {expectation}");
        let sent = request("POST", "/p/c/x", &[&expect, "Content-Length: 2"], "ok");
        let received = pair.seen(sent).await;
        assert!(!received.head.has("expect"), "{expectation}");
        assert_eq!(received.body.data, b"ok", "{expectation}");
    }
}

#[tokio::test]
async fn b2_an_empty_body_in_chunks_stays_in_chunks() {
    let pair = Pair::new().await;
    for method in ["GET", "DELETE", "POST"] {
        let line = ["Transfer-Encoding: chunked"];
        let received = pair
            .seen(request(method, "/p/c/x", &line, "0\r\n\r\n"))
            .await;
        assert_eq!(received.body.framing, Framing::Chunked, "{method}");
        assert_eq!(received.body.raw, b"0\r\n\r\n", "{method}");
    }
}

#[tokio::test]
async fn h16_a_line_that_is_not_a_field_is_400() {
    let pair = Pair::new().await;
    for line in [
        ": x",
        "nonsense",
        "X-A : x",
        "X(A): x",
        "X-A: a\u{7f}",
        "X-A: a\u{1}",
        "X-A: a\0",
    ] {
        let answer = pair.call(request("GET", "/p/c/x", &[line], "")).await;
        assert_eq!(answer.status(), 400, "{line:?}");
    }
    pair.vendor.untouched().await;
}

#[tokio::test]
async fn h16_line_feeds_alone_end_the_lines_of_a_head() {
    let pair = Pair::new().await;
    for sent in [
        "POST /p/c/x HTTP/1.1\nHost: app.test\nContent-Length: 2\n\nok",
        "POST /p/c/x HTTP/1.1\r\nHost: app.test\nContent-Length: 2\r\n\nok",
    ] {
        let received = pair.seen(sent).await;
        assert_eq!(received.body.data, b"ok", "{sent:?}");
        assert!(
            !received
                .head
                .raw
                .windows(2)
                .any(|pair| pair[0] != b'\r' && pair[1] == b'\n')
        );
    }
}

#[tokio::test]
async fn h11_names_of_any_token_are_forwarded() {
    let pair = Pair::new().await;
    for name in [
        "api_key_id",
        "access_key",
        "X.Version",
        "_session",
        "$WSEP",
        "x~y!",
        "1",
    ] {
        let line = format!("{name}: v");
        let received = pair.seen(request("GET", "/p/c/x", &[&line], "")).await;
        assert_eq!(received.head.value(name), Some("v"), "{name}");
    }
}
