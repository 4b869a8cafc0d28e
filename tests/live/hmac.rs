//! HMAC signatures by a vendor's recipe, with a vendor that computes the signature again.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use ring::{digest, hmac};
use tower_passthrough::Connection;
use tower_passthrough::auth::{Hmac, HmacHash, KeyEncoding};

use testkit::caller::{get, request};
use testkit::pair::Pair;
use testkit::vendor::Received;

const KEY: &[u8] = b"\x00\xffk3y\n";

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn signed(message: &str) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA256, KEY);
    hex(hmac::sign(&key, message.as_bytes()).as_ref())
}

async fn pair(scheme: Hmac) -> Pair {
    let connection = Connection::new("vendor")
        .with_secret("secret", hex(KEY))
        .with_secret("key_id", "1d");
    Pair::with(|setup| {
        let setup = setup.connection(connection);
        setup.upstream(|upstream| upstream.auth(scheme.key("secret", KeyEncoding::Hex)))
    })
    .await
}

/// Returns the parts of `HMAC id:timestamp:nonce:signature`.
fn parts(received: &Received) -> [String; 4] {
    let value = received.head.value("authorization").unwrap();
    let parts: Vec<_> = value.strip_prefix("HMAC ").unwrap().split(':').collect();
    let parts: [&str; 4] = parts.try_into().unwrap();
    parts.map(str::to_owned)
}

#[tokio::test]
async fn a_vendor_computes_the_same_signature() {
    let message = "{method}\n{path_and_query}\n{timestamp}\n{nonce}\n{header:x-tenant}\n\
                   {body_sha256_hex}";
    let scheme = Hmac::new(HmacHash::Sha256, message)
        .and_then(|scheme| {
            let template = "HMAC {key_id}:{timestamp}:{nonce}:{signature}";
            scheme.header("Authorization", template)
        })
        .unwrap();
    let pair = pair(scheme).await;
    let mut nonces = Vec::new();
    for (method, target, body) in [
        ("GET", "/p/c", ""),
        ("GET", "/p/c/a%20b//?b=%7e&a=+&&c", ""),
        ("POST", "/p/c/x", "body\r\n\0"),
        ("POST", "/p/c/x", &"large".repeat(50_000)),
        ("pAtCh", "/p/c/x", "1"),
    ] {
        let length = format!("Content-Length: {}", body.len());
        let lines = [
            "X-Tenant: t1",
            "Authorization: HMAC caller:1:2:3",
            "authorization: HMAC caller:1:2:3",
            &length,
        ];
        let received = pair.seen(request(method, target, &lines, body)).await;
        assert_eq!(received.body.data, body.as_bytes());
        let [id, timestamp, nonce, signature] = parts(&received);
        assert_eq!(id, "1d");
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
        let then = Duration::from_secs(timestamp.parse().unwrap());
        assert!(now.abs_diff(then) < Duration::from_secs(60));
        let hash = hex(digest::digest(&digest::SHA256, &received.body.data).as_ref());
        let message = format!(
            "{method}\n{}\n{timestamp}\n{nonce}\nt1\n{hash}",
            received.target()
        );
        assert_eq!(signature, signed(&message), "{target}");
        assert!(!nonces.contains(&nonce));
        nonces.push(nonce);
    }
}

#[tokio::test]
async fn fields_and_parameters_of_the_scheme_are_signed_too() {
    let scheme = Hmac::new(HmacHash::Sha256, "{query}|{header:x-timestamp}")
        .and_then(|scheme| scheme.parameter("signature", "{signature}"))
        .and_then(|scheme| scheme.parameter("timestamp", "{timestamp_ms}"))
        .and_then(|scheme| scheme.header("x-timestamp", "{timestamp_iso}"))
        .unwrap();
    let pair = pair(scheme).await;
    let target = "/p/c/x?signature=callers&a=1&%74imestamp=callers&b";
    let sent = request("GET", target, &["X_Timestamp: callers"], "");
    let received = pair.seen(&sent).await;
    assert!(!received.target().contains("callers"));
    assert!(!received.head.has("x_timestamp"));
    let (before, signature) = received.target().split_once("&signature=").unwrap();
    let (path, query) = before.split_once('?').unwrap();
    assert_eq!(path, "/x");
    assert!(query.starts_with("a=1&b&timestamp="), "{query}");
    let time = received.head.value("x-timestamp").unwrap();
    assert_eq!(signature, signed(&format!("{query}|{time}")));
}

#[tokio::test]
async fn only_signed_bodies_are_limited() {
    let large = "x".repeat(100_000);
    let length = format!("Content-Length: {}", large.len());
    let sent = request("POST", "/p/c/x", &[&length], &large);
    for (message, is_kept) in [("{method}{path}", false), ("{method}{body}", true)] {
        let scheme = Hmac::new(HmacHash::Sha256, message).unwrap();
        let scheme = scheme.body_limit(99_999).header("x-s", "{signature}");
        let pair = pair(scheme.unwrap()).await;
        if is_kept {
            pair.refused(&sent, 413, "body-too-large").await;
            pair.vendor.untouched().await;
        } else {
            let received = pair.seen(&sent).await;
            assert_eq!(received.head.values("x-s"), [signed("POST/x")]);
        }
        assert_eq!(pair.seen(get("/p/c/x")).await.head.values("x-s").len(), 1);
    }
}

/// The first poll of a body makes the caller send the body.
#[tokio::test]
async fn h18_a_key_that_cannot_sign_is_an_error_before_the_payload_is_requested() {
    let scheme = Hmac::new(HmacHash::Sha256, "{body}")
        .and_then(|scheme| scheme.header("x-signature", "{signature}"))
        .unwrap();
    for (secret, encoding) in [("no hex", KeyEncoding::Hex), ("a\nb", KeyEncoding::Raw)] {
        let connection = Connection::new("vendor").with_secret("secret", secret);
        let scheme = scheme.clone().key("secret", encoding);
        let pair = Pair::with(|setup| {
            let setup = setup.connection(connection);
            setup.upstream(|upstream| upstream.auth(scheme))
        })
        .await;
        let lines = ["Expect: 100-continue", "Content-Length: 5"];
        let sent = request("POST", "/p/c/x", &lines, "");
        let response = pair.refused(sent, 424, "reauthorize").await;
        assert!(response.interim.is_empty());
        pair.vendor.untouched().await;
    }
}
