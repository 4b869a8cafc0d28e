//! `auth` and the connection's `secret`: the credential that the vendor receives.

use testkit::process::canary::TOKEN;
use testkit::process::config::Config;
use testkit::process::gateway::Gateway;
use testkit::vendor::{Received, Vendor};

/// Returns the request that the vendor receives of a call whose caller tries to authenticate itself.
async fn seen(auth: &str, secret: &str) -> Received {
    let vendor = Vendor::ok().await;
    let gateway = Gateway::start(&Config::new(&vendor).auth(auth, secret)).await;
    let mine = [
        "-H",
        "Authorization: mine",
        "-H",
        "Cookie: a=b",
        "-H",
        "Key: mine",
    ];
    let answer = gateway.call("/c/x?a=1&key=mine&b=2", &mine).await;
    assert_eq!(answer.status(), 200, "{answer:?}");
    vendor.next().await
}

#[tokio::test]
async fn none() {
    for auth in ["{ kind = \"none\" }", "{ kind = \"none\" } # the default"] {
        let received = seen(auth, "{}").await;
        assert!(!received.head.has("authorization"), "{:?}", received.head);
        assert!(!received.head.has("cookie"), "{:?}", received.head);
    }
}

#[tokio::test]
async fn bearer() {
    let secret = format!("{{ token = \"{TOKEN}\" }}");
    let received = seen("{ kind = \"bearer\" }", &secret).await;
    let expected = format!("Bearer {TOKEN}");
    assert_eq!(received.head.value("authorization"), Some(&*expected));
    assert_eq!(received.target(), "/x?a=1&key=mine&b=2");
}

#[tokio::test]
async fn basic() {
    let secret = "{ username = \"ann:x\", password = \"c4nary:pass\" }";
    let vendor = Vendor::ok().await;
    let config = Config::new(&vendor).auth("{ kind = \"basic\" }", secret);
    let gateway = Gateway::start(&config).await;
    // A user name can't contain a colon (RFC 7617 §2).
    let answer = gateway.call("/c/x", &[]).await;
    assert_eq!(
        (answer.status(), answer.error()),
        (424, Some("reauthorize"))
    );
    vendor.untouched().await;

    let secret = "{ username = \"ann\", password = \"c4nary:pass\" }";
    let received = seen("{ kind = \"basic\" }", secret).await;
    let value = received.head.value("authorization");
    assert_eq!(value, Some("Basic YW5uOmM0bmFyeTpwYXNz"));
}

#[tokio::test]
async fn header_with_a_template() {
    let auth = "{ kind = \"header\", name = \"Key\", value = \"Token {id}={api_key}\" }";
    let received = seen(auth, "{ id = \"ann\", api_key = \"c4nary\" }").await;
    assert_eq!(received.head.value("key"), Some("Token ann=c4nary"));
    assert!(!received.head.has("authorization"), "{:?}", received.head);
}

#[tokio::test]
async fn query() {
    let auth = "{ kind = \"query\", name = \"key\" }";
    let received = seen(auth, &format!("{{ api_key = \"{TOKEN}\" }}")).await;
    let expected = "/x?a=1&b=2&key=c4nary%2Bt0k%2Fen%253D%3D%3D";
    assert_eq!(received.target(), expected);
}

#[tokio::test]
async fn several_schemes_together() {
    let auth =
        "[{ kind = \"bearer\" }, { kind = \"header\", name = \"Key\", value = \"{api_key}\" }]";
    let secret = format!("{{ token = \"{TOKEN}\", api_key = \"c4nary\" }}");
    let received = seen(auth, &secret).await;
    let expected = format!("Bearer {TOKEN}");
    assert_eq!(received.head.value("authorization"), Some(&*expected));
    assert_eq!(received.head.value("key"), Some("c4nary"));
}
