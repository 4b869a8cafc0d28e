//! Hop-by-hop fields (RFC 9110 §7.6.1), and the order in which fields are removed and added.

use http::header::{AUTHORIZATION, COOKIE, HeaderName, HeaderValue};
use tower_passthrough::auth;

use super::{BARE, seen_on_h2};
use testkit::caller::request;
use testkit::pair::Pair;

#[tokio::test]
async fn h1_a_credential_that_connection_nominates_is_still_added() {
    let nominating = request(
        "GET",
        "/p/c/x",
        &[
            "Connection: authorization, x-api-key",
            "Authorization: Bearer app",
            "X-Api-Key: app",
        ],
        "",
    );
    let bearer = Pair::new().await;
    let received = bearer.seen(&nominating).await;
    assert_eq!(received.head.values("authorization"), ["Bearer s3cr3t"]);
    assert!(!received.head.has("x-api-key"));

    let header = Pair::with(|setup| {
        setup.upstream(|u| u.auth(auth::Header::new("x-api-key", "{token}").unwrap()))
    })
    .await;
    let received = header.seen(&nominating).await;
    assert_eq!(received.head.values("x-api-key"), ["s3cr3t"]);
    assert!(!received.head.has("authorization"));
}

#[tokio::test]
async fn h1_defaults_are_added_after_the_removal_and_before_the_credential() {
    let version = HeaderName::from_static("notion-version");
    let pair = Pair::with(|setup| {
        setup.upstream(move |u| {
            u.header(version, HeaderValue::from_static("default"))
                .header(COOKIE, HeaderValue::from_static("consent=1"))
                .header(AUTHORIZATION, HeaderValue::from_static("default"))
        })
    })
    .await;
    for (lines, expected) in [
        (&[][..], "default"),
        (&["Notion-Version: mine"], "mine"),
        (
            &["Notion-Version: mine", "Connection: notion-version"],
            "default",
        ),
    ] {
        let received = pair.seen(request("GET", "/p/c/x", lines, "")).await;
        assert_eq!(
            received.head.values("notion-version"),
            [expected],
            "{lines:?}"
        );
    }
    // The caller's session at the host application doesn't replace a default field, and no default field replaces the
    // credential.
    let lines = ["Cookie: session=app", "Authorization: Bearer app"];
    let received = pair.seen(request("GET", "/p/c/x", &lines, "")).await;
    assert_eq!(received.head.values("cookie"), ["consent=1"]);
    assert_eq!(received.head.values("authorization"), ["Bearer s3cr3t"]);
}

#[tokio::test]
async fn h2_connection_and_the_nominated_fields_are_removed() {
    let pair = Pair::new().await;
    for lines in [
        &["Connection: X-A", "X-A: 1"][..],
        &["Connection:", "Connection: close, X-A", "X-A: 1", "x-a: 2"],
        &["Connection: x-a ,,\t X-B,", "X-A: 1", "X-B: 2"],
        &["connection: keep-alive", "CONNECTION: x-a", "X-A: 1"],
        &["X-A: 1", "Connection: X-A, X-A, x-nobody"],
        &[
            "Connection: keep-alive, Cookie, User-Agent",
            "User-Agent: me",
        ],
        &["Connection: ,", "Connection: close"],
    ] {
        let received = pair.seen(request("GET", "/p/c/x", lines, "")).await;
        assert_eq!(received.head.names(), BARE, "{lines:?}");
    }
}

#[tokio::test]
async fn h2_a_nomination_is_read_next_to_bytes_that_are_not_text() {
    let pair = Pair::new().await;
    for nomination in [
        &b"\xff\xe9, x-a"[..],
        b"x-a,\xff",
        b"\xff\r\nConnection: x-a",
    ] {
        let sent = [
            b"GET /p/c/x HTTP/1.1\r\nHost: app.test\r\nConnection: ",
            nomination,
            b"\r\nX-A: 1\r\n\r\n",
        ]
        .concat();
        let received = pair.seen(sent).await;
        assert_eq!(received.head.names(), BARE, "{nomination:?}");
    }
}

#[tokio::test]
async fn h2_hop_by_hop_fields_are_removed_without_a_nomination() {
    let pair = Pair::new().await;
    for line in [
        "Keep-Alive: timeout=5",
        "Proxy-Connection: keep-alive",
        "TE: gzip",
        "Upgrade: h2c",
        "Proxy-Authorization: Basic YTpi",
        "Proxy-Authenticate: Basic",
        "HTTP2-Settings: AAMAAABk",
    ] {
        let received = pair.seen(request("GET", "/p/c/x", &[line], "")).await;
        assert_eq!(received.head.names(), BARE, "{line}");
    }
    let upgrade = [
        "Connection: Upgrade, HTTP2-Settings",
        "Upgrade: h2c",
        "HTTP2-Settings: AAMA",
    ];
    let received = pair.seen(request("GET", "/p/c/x", &upgrade, "")).await;
    assert_eq!(received.head.names(), BARE);
}

#[tokio::test]
async fn h2_a_nomination_changes_neither_framing_nor_host() {
    let pair = Pair::new().await;
    let lines = [
        "Connection: content-length, host, transfer-encoding",
        "Content-Length: 5",
    ];
    let received = pair.seen(request("POST", "/p/c/x", &lines, "hello")).await;
    assert_eq!(received.head.value("content-length"), Some("5"));
    assert_eq!(received.body.data, b"hello");
    let host = format!("vendor.test:{}", pair.vendor.address().port());
    assert_eq!(received.head.values("host"), [host.as_str()]);

    let lines = [
        "Connection: transfer-encoding",
        "Transfer-Encoding: chunked",
    ];
    let received = pair
        .seen(request("POST", "/p/c/x", &lines, "5\r\nhello\r\n0\r\n\r\n"))
        .await;
    assert_eq!(received.head.values("transfer-encoding"), ["chunked"]);
    assert_eq!(received.body.data, b"hello");
}

#[tokio::test]
async fn h3_no_connection_field_reaches_the_client() {
    let lines = ["Connection: authorization, te", "TE: trailers"];
    let (_vendor, seen) = seen_on_h2(&lines).await;
    assert_eq!(seen.headers()["authorization"], "Bearer s3cr3t");
    assert_eq!(seen.headers()["te"], "trailers");
    assert!(!seen.headers().contains_key("connection"));
}

#[tokio::test]
async fn h4_of_te_only_trailers_survives() {
    let pair = Pair::new().await;
    for (lines, expected) in [
        (&["TE: trailers"][..], &["trailers"][..]),
        (&["TE: gzip, trailers"], &["trailers"]),
        (&["TE: gzip;q=0.5,,Trailers"], &["trailers"]),
        (&["TE: gzip", "TE: deflate, trailers"], &["trailers"]),
        (&["TE: trailers", "TE: trailers"], &["trailers"]),
        (&["Connection: TE", "TE: trailers"], &["trailers"]),
        (&["TE: gzip"], &[]),
        (&["TE: trailersx, x-trailers"], &[]),
        (&["TE:"], &[]),
    ] {
        let received = pair.seen(request("GET", "/p/c/x", lines, "")).await;
        assert_eq!(received.head.values("te"), expected, "{lines:?}");
        assert!(!received.head.has("connection"), "{lines:?}");
    }
}

#[tokio::test]
async fn h5_trailer_stays_and_the_announced_trailers_arrive() {
    let pair = Pair::new().await;
    let lines = ["Trailer: X-Sum", "Transfer-Encoding: chunked"];
    let body = "2\r\nhi\r\n0\r\nX-Sum: 7\r\n\r\n";
    let received = pair.seen(request("POST", "/p/c/x", &lines, body)).await;
    assert_eq!(received.head.value("trailer"), Some("X-Sum"));
    let [(name, value)] = &received.body.trailers[..] else {
        panic!("{:?}", received.body.trailers);
    };
    assert!(name.eq_ignore_ascii_case("x-sum"));
    assert_eq!(value, "7");
}

#[tokio::test]
async fn h2_too_many_nominations_are_refused() {
    let pair = Pair::new().await;
    let many = format!("Connection: {}", "a,".repeat(10_000));
    let sent = request("GET", "/p/c/x", &[&many], "");
    pair.refused(sent, 400, "bad-address").await;
    pair.vendor.untouched().await;
}
