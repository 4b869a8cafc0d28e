//! The credentials for the host application stay there, and no value of the caller is sent in addition to the
//! connection's credential.

use http::HeaderName;
use tower_passthrough::{Connection, auth};

use super::BARE;
use testkit::caller::request;
use testkit::h2_caller::{self, H2Caller};
use testkit::pair::Pair;

/// Returns a pair without an authentication scheme, whose host application reads `X-Session`.
async fn host_app() -> Pair {
    Pair::with(|setup| {
        setup
            .upstream(|u| u.auth(auth::NoAuth))
            .options(|o| o.strip_request_header(HeaderName::from_static("x-session")))
    })
    .await
}

#[tokio::test]
async fn h6_credentials_for_the_host_application_never_reach_the_vendor() {
    let pair = host_app().await;
    for lines in [
        &["Authorization: Bearer app"][..],
        &["AUTHORIZATION: a", "authorization: b"],
        &["Cookie: session=app", "Cookie: b=2"],
        &["Proxy-Authorization: Basic YTpi"],
        &["X-Session: app", "x-session: app"],
        &["X_Session: app", "Proxy_Authorization: app"],
        &["Connection: x-session", "X-Session: app"],
    ] {
        let received = pair.seen(request("GET", "/p/c/x", lines, "")).await;
        assert_eq!(received.head.names(), ["host"], "{lines:?}");
    }
}

#[tokio::test]
async fn h6_credentials_of_an_http2_caller_never_reach_the_vendor() {
    let pair = host_app().await;
    let mut caller = H2Caller::connect(pair.gateway.address).await;
    // Over HTTP/2, a cookie may be split into several fields (RFC 9113 §8.2.3).
    let request = h2_caller::request("GET", "/p/c/x")
        .header("authorization", "Bearer app")
        .header("cookie", "session=app")
        .header("cookie", "b=2")
        .header("x-session", "app");
    assert_eq!(caller.call(request.body(()).unwrap()).await.status, 200);
    assert_eq!(pair.vendor.next().await.head.names(), ["host"]);
}

#[tokio::test]
async fn h6_credentials_for_the_host_application_are_removed_from_trailers() {
    let pair = host_app().await;
    let lines = [
        "Trailer: Authorization, Cookie, Proxy-Authorization, X-Session, X-Sum",
        "Transfer-Encoding: chunked",
    ];
    let body = "2\r\nhi\r\n0\r\nAuthorization: a\r\nCookie: b\r\nProxy-Authorization: c\r\n\
                x-session: d\r\nX-Sum: 7\r\n\r\n";
    let received = pair.seen(request("POST", "/p/c/x", &lines, body)).await;
    let [(name, _)] = &received.body.trailers[..] else {
        panic!("{:?}", received.body.trailers);
    };
    assert!(name.eq_ignore_ascii_case("x-sum"));
}

/// Returns a pair whose credential is the field `X-Api-Key`.
async fn with_key() -> Pair {
    Pair::with(|setup| {
        setup
            .upstream(|u| u.auth(auth::Header::new("x-api-key", "{api_key}").unwrap()))
            .connection(Connection::new("vendor").with_secret("api_key", "ours"))
    })
    .await
}

#[tokio::test]
async fn h7_a_credential_replaces_all_of_the_callers_values() {
    let pair = with_key().await;
    for lines in [
        &[][..],
        &["X-Api-Key: a"],
        &["X-Api-Key: a", "x-api-key: b"],
        &["X_Api_Key: a", "X-API-KEY: b"],
    ] {
        let received = pair.seen(request("GET", "/p/c/x", lines, "")).await;
        assert_eq!(received.head.names(), ["host", "x-api-key"], "{lines:?}");
        assert_eq!(received.head.values("x-api-key"), ["ours"], "{lines:?}");
    }
}

#[tokio::test]
async fn h7_a_credential_is_replaced_in_trailers_too() {
    let pair = with_key().await;
    let lines = ["Trailer: X-Api-Key, X-Sum", "Transfer-Encoding: chunked"];
    let body = "2\r\nhi\r\n0\r\nX-Api-Key: a\r\nX-Sum: 7\r\n\r\n";
    let received = pair.seen(request("POST", "/p/c/x", &lines, body)).await;
    assert_eq!(received.head.values("x-api-key"), ["ours"]);
    let names: Vec<_> = received
        .body
        .trailers
        .iter()
        .map(|(name, _)| name.to_ascii_lowercase())
        .collect();
    assert_eq!(names, ["x-sum"]);
}

#[tokio::test]
async fn h7_each_of_several_credentials_replaces_its_field() {
    let pair = Pair::with(|setup| {
        setup
            .upstream(|u| {
                u.auth((
                    auth::Bearer,
                    auth::Header::new("x-account", "{account}").unwrap(),
                ))
            })
            .connection(
                Connection::new("vendor")
                    .with_secret("token", "t")
                    .with_secret("account", "7"),
            )
    })
    .await;
    let lines = ["Authorization: app", "X-Account: 8", "X-Account: 9"];
    let received = pair.seen(request("GET", "/p/c/x", &lines, "")).await;
    assert_eq!(received.head.values("authorization"), ["Bearer t"]);
    assert_eq!(received.head.values("x-account"), ["7"]);
}

#[tokio::test]
async fn h6_only_the_credential_is_added() {
    let pair = Pair::new().await;
    let lines = ["Authorization: Bearer app", "Cookie: session=app"];
    let received = pair.seen(request("GET", "/p/c/x", &lines, "")).await;
    assert_eq!(received.head.names(), BARE);
    assert_eq!(received.head.value("authorization"), Some("Bearer s3cr3t"));
}
