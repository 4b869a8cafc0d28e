//! Redirects and alternative services are returned to the caller: a credential stays with the host for which it was
//! added.

use super::answering;
use testkit::caller::get;
use testkit::vendor::Vendor;

#[tokio::test]
async fn r4_a_redirect_is_returned_unchanged_and_not_followed() {
    let elsewhere = Vendor::ok().await;
    let location = format!("http://127.0.0.1:{}/y?a=1#f", elsewhere.address().port());
    for status in [301, 302, 303, 307, 308] {
        let pair = answering(format!(
            "HTTP/1.1 {status} Moved\r\nLocation: {location}\r\nContent-Length: 5\r\n\r\nthere"
        ))
        .await;
        let response = pair.call(get("/p/c/x")).await;
        assert_eq!(response.status(), status);
        assert_eq!(response.head.values("location"), [location.as_str()]);
        assert_eq!(response.text(), "there");
        pair.vendor.next().await;
        assert!(
            pair.vendor.try_next().await.is_none(),
            "{status}: a second request"
        );
    }
    elsewhere.untouched().await;
}

#[tokio::test]
async fn r4_a_relative_location_stays_relative() {
    for location in [
        "/y",
        "y?page=2",
        "../y",
        "//vendor.test/y",
        "?page=2",
        "/a b\u{e9}",
    ] {
        let location: Vec<u8> = location.chars().map(|c| u8::try_from(c).unwrap()).collect();
        let reply = [
            b"HTTP/1.1 201 Created\r\nLocation: ",
            &location[..],
            b"\r\nContent-Length: 0\r\n\r\n",
        ];
        let pair = answering(reply.concat()).await;
        let response = pair.call(get("/p/c/x")).await;
        let back: Vec<u8> = response
            .head
            .value("location")
            .unwrap()
            .chars()
            .map(|c| u8::try_from(c).unwrap())
            .collect();
        assert_eq!(back, location);
    }
}

#[tokio::test]
async fn r4_an_alternative_service_is_returned_and_not_used() {
    let elsewhere = Vendor::ok().await;
    let port = elsewhere.address().port();
    let alternative = format!("h2=\":{port}\"; ma=60, http/1.1=\"vendor.test:{port}\"");
    let pair = answering(format!(
        "HTTP/1.1 200 OK\r\nAlt-Svc: {alternative}\r\nContent-Length: 0\r\n\r\n"
    ))
    .await;
    for _ in 0..3 {
        let response = pair.call(get("/p/c/x")).await;
        assert_eq!(response.head.values("alt-svc"), [alternative.as_str()]);
        pair.vendor.next().await;
    }
    elsewhere.untouched().await;
}
