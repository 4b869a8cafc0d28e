//! The link at which the owner of a connection authorizes the connection again.

use http::Uri;
use tower_passthrough::Connection;

use super::problem;
use testkit::caller::{get, request};
use testkit::gateway::{Builder, Setup};
use testkit::pair::Pair;

/// A vendor, and a gateway with a connection that has no token.
async fn dead(options: impl FnOnce(Builder) -> Builder + Send + 'static) -> Pair {
    let change = |setup: Setup| {
        setup
            .connection(Connection::new("vendor").with_secret("other", "s"))
            .options(options)
    };
    Pair::with(change).await
}

#[tokio::test]
async fn e13_reauthorize_names_the_link_of_the_host_application() {
    let pair = dead(|options| {
        options.reauthorize_link(|id, cx| {
            assert_eq!((id.as_str(), cx.method()), ("c", &http::Method::GET));
            Some(Uri::from_static("https://app.example/connect/c?a=b"))
        })
    })
    .await;
    let answer = pair.refused(get("/p/c/x"), 424, "reauthorize").await;
    let link = "https://app.example/connect/c?a=b";
    assert_eq!(problem(&answer)["reauthorize_url"], link);

    // Other errors have no link.
    let other = pair.call(get("/p/nobody/x")).await;
    assert!(problem(&other).get("reauthorize_url").is_none());
    // The form of gRPC has no member for the link.
    let grpc = ["Content-Type: application/grpc"];
    let answer = pair.call(request("GET", "/p/c/x", &grpc, "")).await;
    assert_eq!(answer.head.value("grpc-status"), Some("9"));
    assert!(answer.body.data.is_empty());
}

#[tokio::test]
async fn e13_without_a_link_the_member_is_missing() {
    let options: [fn(Builder) -> Builder; 2] = [
        |options| options,
        |options| options.reauthorize_link(|_, _| None),
    ];
    for options in options {
        let pair = dead(options).await;
        let answer = pair.refused(get("/p/c/x"), 424, "reauthorize").await;
        assert!(problem(&answer).get("reauthorize_url").is_none());
    }
}
