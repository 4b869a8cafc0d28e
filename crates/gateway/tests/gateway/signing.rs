//! The kinds of `auth` that sign, and client certificates: the fields that each kind sends.

use testkit::process::binary::check;
use testkit::process::config::Config;
use testkit::process::gateway::Gateway;
use testkit::vendor::{Received, Vendor};

async fn seen(auth: &str, secret: &str) -> Received {
    let vendor = Vendor::ok().await;
    let gateway = Gateway::start(&Config::new(&vendor).auth(auth, secret)).await;
    let answer = gateway.call("/c/x?b=2&a=1", &[]).await;
    assert_eq!(answer.status(), 200, "{answer:?}");
    vendor.next().await
}

fn authorization(received: &Received) -> &str {
    received.head.value("authorization").unwrap_or_default()
}

#[tokio::test]
async fn sigv4() {
    let secret =
        "{ access_key_id = \"AKID\", secret_access_key = \"c4nary\", session_token = \"t\" }";
    let s3 = "{ kind = \"sigv4\", service = \"s3\", region = \"eu-central-1\" }";
    let received = seen(s3, secret).await;
    let start = "AWS4-HMAC-SHA256 Credential=AKID/";
    assert!(
        authorization(&received).starts_with(start),
        "{:?}",
        received.head
    );
    let scope = "/eu-central-1/s3/aws4_request,";
    assert!(
        authorization(&received).contains(scope),
        "{:?}",
        received.head
    );
    assert_eq!(received.head.value("x-amz-security-token"), Some("t"));

    let presigned =
        "{ kind = \"sigv4\", service = \"s3\", region = \"eu-central-1\", presigned = \"5m\" }";
    let received = seen(presigned, secret).await;
    assert!(!received.head.has("authorization"), "{:?}", received.head);
    assert!(
        received.target().contains("X-Amz-Expires=300"),
        "{}",
        received.target()
    );
}

#[tokio::test]
async fn oauth1() {
    let secret = "{ consumer_key = \"ck\", consumer_secret = \"c4nary\", token = \"tk\", token_secret = \"c4nary2\" }";
    for (more, method) in [
        ("", "HMAC-SHA1"),
        (", signature = \"hmac-sha256\"", "HMAC-SHA256"),
        (
            ", signature = \"hmac-sha256\", realm = \"r\"",
            "HMAC-SHA256",
        ),
    ] {
        let received = seen(&format!("{{ kind = \"oauth1\"{more} }}"), secret).await;
        let value = authorization(&received);
        assert!(value.starts_with("OAuth "), "{value}");
        let method = format!("oauth_signature_method=\"{method}\"");
        assert!(value.contains(&method), "{value}");
        assert!(value.contains("oauth_token=\"tk\""), "{value}");
        assert_eq!(
            value.contains("realm=\"r\""),
            more.contains("realm"),
            "{value}"
        );
    }
}

#[tokio::test]
async fn hmac() {
    let auth = "{ kind = \"hmac\", message = \"{method}{path}\", encoding = \"base64\", \
                headers = { \"x-signature\" = \"{signature}\", \"x-key\" = \"{key_id}\" } }";
    let received = seen(auth, "{ secret = \"c4nary\", key_id = \"k1\" }").await;
    assert_eq!(received.head.value("x-key"), Some("k1"));
    let signature = received.head.value("x-signature").unwrap_or_default();
    assert_eq!(signature.len(), 44, "{signature}");
}

/// A certificate isn't presented without TLS.
#[tokio::test]
async fn mtls() {
    let key = rcgen::KeyPair::generate().unwrap();
    let certificate = rcgen::CertificateParams::default()
        .self_signed(&key)
        .unwrap();
    let vendor = Vendor::ok().await;
    let secret = format!(
        "{{ certificate = '''{}''', private_key = '''{}''', token = \"c4nary\" }}",
        certificate.pem(),
        key.serialize_pem()
    );
    let config = Config::new(&vendor).auth("[{ kind = \"mtls\" }, { kind = \"bearer\" }]", &secret);
    let ended = check(config.to_string());
    assert_eq!(ended.code, Some(2), "{ended:?}");
    let why = "integration.v.auth.kind: client certificates need a base URL with https://";
    assert!(ended.stderr.contains(why), "{ended:?}");
}
