//! Status line and fields of a response.

use super::answering;
use testkit::caller::{Caller, get, raw_call};
use testkit::gateway::{Gateway, Setup};
use testkit::h2_caller::{self, H2Caller};
use testkit::h2_vendor::H2Vendor;
use testkit::manual::ManualVendor;
use testkit::pair::Pair;
use testkit::reply::Reply;
use testkit::vendor::Vendor;

/// Returns a pair whose vendor answers with the rest of the path as its status line.
async fn echoing() -> Pair {
    let vendor = Vendor::replying(|request| {
        let status = request.target().trim_start_matches('/').replace("%20", " ");
        Reply::from(format!("HTTP/1.1 {status}\r\nContent-Length: 0\r\n\r\n"))
    })
    .await;
    Pair::before(vendor, |setup| setup).await
}

#[tokio::test]
async fn r1_any_code_is_returned_with_its_reason() {
    let pair = echoing().await;
    for status in [
        "200%20Fine",
        "201%20Created",
        "299%20Miscellaneous%20Persistent%20Warning",
        "300%20Multiple",
        "401%20No",
        "418%20I'm%20a%20teapot",
        "451%20Gone%20Fishing",
        "499%20Client%20Closed",
        "500%20Oops",
        "599%20Network%20Connect%20Timeout",
        "600%20Six",
        "999%20Denied",
    ] {
        let response = pair.call(get(&format!("/p/c/{status}"))).await;
        let expected = format!("HTTP/1.1 {}", status.replace("%20", " "));
        assert_eq!(response.status_line(), expected);
    }
}

#[tokio::test]
async fn r1_a_reason_that_is_not_ascii_is_dropped() {
    // hyper's parser returns no reason then, as RFC 9112 §4 allows.
    let pair = answering(b"HTTP/1.1 200 Caf\xe9\r\nContent-Length: 2\r\n\r\nok").await;
    let response = pair.call(get("/p/c/x")).await;
    assert_eq!((response.status(), response.text()), (200, "ok".to_owned()));
}

#[tokio::test]
async fn r1_any_code_is_returned_over_http2() {
    let pair = echoing().await;
    let mut caller = H2Caller::connect(pair.gateway.address).await;
    for status in ["200", "299", "418", "599", "999"] {
        let request = h2_caller::request("GET", &format!("/p/c/{status}%20Reason"));
        let response = caller.call(request.body(()).unwrap()).await;
        assert_eq!(response.status.as_str(), status);
    }

    let vendor = H2Vendor::start().await;
    let gateway = Gateway::to(&vendor).await;
    for status in [200, 299, 418, 599, 999] {
        let answer = async {
            let response = http::Response::builder().status(status).body(()).unwrap();
            vendor.next().await.finish(response);
        };
        let (response, ()) = tokio::join!(raw_call(gateway.address, get("/p/c/x")), answer);
        assert_eq!(response.status(), status);
    }
}

#[tokio::test]
async fn r2_the_version_is_reset() {
    let old = answering("HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok").await;
    let response = old.call(get("/p/c/x")).await;
    assert_eq!(
        (response.status_line(), response.text()),
        ("HTTP/1.1 200 OK", "ok".to_owned())
    );

    let vendor = H2Vendor::start().await;
    let gateway = Gateway::to(&vendor).await;
    let answer = async { vendor.next().await.ok("ok") };
    let (response, ()) = tokio::join!(raw_call(gateway.address, get("/p/c/x")), answer);
    assert_eq!(
        (response.status_line(), response.text()),
        ("HTTP/1.1 200 OK", "ok".to_owned())
    );
}

#[tokio::test]
async fn r3_all_fields_are_returned_except_hop_by_hop_fields() {
    let pair = answering(
        b"HTTP/1.1 200 OK\r\n\
          Connection: X-Up, keep-alive,\r\nconnection: x-again\r\nX-Up: 1\r\nX-Again: 2\r\n\
          Keep-Alive: timeout=5\r\nProxy-Connection: keep-alive\r\nProxy-Authenticate: Basic\r\nTE: trailers\r\nUpgrade: h2c\r\n\
          Set-Cookie: a=1\r\nX-Odd: \xe9\xff\r\nSet-Cookie: b=2, c=3\r\nSet-Cookie: a=1\r\nX-Empty:\r\n\
          Date: Tue, 15 Nov 1994 08:12:31 GMT\r\nETag: W/\"1\"\r\nVia: 1.1 vendor\r\nAlt-Svc: clear\r\n\
          Strict-Transport-Security: max-age=1\r\nContent-Encoding: gzip\r\nCache-Control: public\r\n\
          Content-Length: 2\r\n\r\nok",
    )
    .await;
    let response = pair.call(get("/p/c/x")).await;
    assert_eq!(
        response.head.names(),
        [
            "alt-svc",
            "cache-control",
            "content-encoding",
            "content-length",
            "date",
            "etag",
            "set-cookie",
            "set-cookie",
            "set-cookie",
            "strict-transport-security",
            "via",
            "x-empty",
            "x-odd",
        ]
    );
    assert_eq!(
        response.head.values("set-cookie"),
        ["a=1", "b=2, c=3", "a=1"]
    );
    assert_eq!(response.head.value("x-odd"), Some("\u{e9}\u{ff}"));
    assert_eq!(response.head.value("x-empty"), Some(""));
    assert_eq!(response.text(), "ok");
}

#[tokio::test]
async fn r3_an_http2_caller_gets_no_hop_by_hop_fields() {
    let pair = answering(
        "HTTP/1.1 200 OK\r\nConnection: close, X-Up\r\nX-Up: 1\r\nKeep-Alive: timeout=5\r\nSet-Cookie: a=1\r\nSet-Cookie: b=2\r\n\
         Date: Tue, 15 Nov 1994 08:12:31 GMT\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n",
    )
    .await;
    let mut caller = H2Caller::connect(pair.gateway.address).await;
    let request = h2_caller::request("GET", "/p/c/x").body(()).unwrap();
    let response = caller.call(request).await;
    let mut names: Vec<_> = response
        .headers
        .keys()
        .map(http::HeaderName::as_str)
        .collect();
    names.sort_unstable();
    assert_eq!(names, ["date", "set-cookie"]);
    let cookies: Vec<_> = response.headers.get_all("set-cookie").iter().collect();
    assert_eq!(cookies, ["a=1", "b=2"]);
    assert_eq!(response.body, b"ok");
}

#[tokio::test]
async fn r5_the_vendors_date_and_server_are_kept_once() {
    let date = "Tue, 15 Nov 1994 08:12:31 GMT";
    let pair = answering(format!(
        "HTTP/1.1 200 OK\r\nDate: {date}\r\nServer: vendor/1\r\nContent-Length: 0\r\n\r\n"
    ))
    .await;
    let response = pair.call(get("/p/c/x")).await;
    assert_eq!(response.head.values("date"), [date]);
    assert_eq!(response.head.values("server"), ["vendor/1"]);
}

#[tokio::test]
async fn r5_only_a_missing_date_is_added() {
    let pair = answering("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n").await;
    let response = pair.call(get("/p/c/x")).await;
    assert_eq!(response.head.names(), ["content-length", "date"]);
}

#[tokio::test]
async fn r7_the_vendors_errors_differ_from_the_gateways() {
    let pair = echoing().await;
    for status in [400, 401, 403, 404, 405, 413, 424, 429, 500, 502, 503, 504] {
        let response = pair.call(get(&format!("/p/c/{status}%20Theirs"))).await;
        assert_eq!(response.status(), status);
        assert_eq!(response.error(), None, "{status}");
        assert!(!response.head.has("proxy-status"), "{status}");
        assert!(!response.text().contains("\"sent\""), "{status}");
    }
    let ours = pair.call(get("/p/nobody/x")).await;
    assert_eq!(
        (ours.status(), ours.error()),
        (404, Some("unknown-connection"))
    );
}

#[tokio::test]
async fn r8_a_certificate_for_another_name_is_502() {
    let vendor = ManualVendor::bind_tls_as("other.test").await;
    let gateway = Gateway::to(&vendor).await;
    let (response, ()) = tokio::join!(
        raw_call(gateway.address, get("/p/c/x")),
        vendor.accept_and_fail()
    );
    assert_eq!(
        (response.status(), response.error()),
        (502, Some("upstream-unreachable"))
    );
    let status = response.head.value("proxy-status");
    assert_eq!(status, Some("passthrough; error=tls_certificate_error"));
}

#[tokio::test]
async fn r8_a_vendor_without_a_common_protocol_is_502() {
    let vendor = ManualVendor::bind_tls(&["spdy/3"]).await;
    let gateway = Gateway::to(&vendor).await;
    let (response, ()) = tokio::join!(
        raw_call(gateway.address, get("/p/c/x")),
        vendor.accept_and_fail()
    );
    assert_eq!(
        (response.status(), response.error()),
        (502, Some("upstream-unreachable"))
    );
    let status = response.head.value("proxy-status");
    assert_eq!(status, Some("passthrough; error=tls_protocol_error"));
}

#[tokio::test]
async fn r8_a_vendor_without_tls_is_502() {
    let vendor = ManualVendor::bind().await;
    let origin = format!("https://vendor.test:{}", vendor.address().port());
    let gateway = Setup::new(origin.as_str()).start().await;
    let mut caller = Caller::connect(gateway.address).await;
    caller.write(get("/p/c/x")).await;
    let mut connection = vendor.accept().await;
    connection
        .write("HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")
        .await;
    let response = caller.response("GET").await;
    assert_eq!(
        (response.status(), response.error()),
        (502, Some("upstream-unreachable"))
    );
    let status = response.head.value("proxy-status");
    assert_eq!(status, Some("passthrough; error=tls_protocol_error"));
}
