//! The formats of keys, and the errors for secrets that can't be used.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rcgen::{
    BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, PKCS_ECDSA_P256_SHA256,
    PKCS_ECDSA_P384_SHA384, PKCS_ED25519, SignatureAlgorithm,
};
use std::time::SystemTime;
use tower_passthrough::Connection;
use tower_passthrough::Upstream;
use tower_passthrough::auth::AuthContext;
use tower_passthrough::auth::AuthRequest;
use tower_passthrough::auth::ClientIdentity;
use tower_passthrough::auth::{AuthError, AuthScheme as _, Mtls};

use super::{HTTP1, gateway};
use testkit::caller::{get, raw_call};
use testkit::identities::{Authority, Identity};
use testkit::mtls_vendor::{MtlsVendor, Terms};

fn pem(label: &str, der: &[u8]) -> String {
    let text = STANDARD.encode(der);
    format!("-----BEGIN {label}-----\n{text}\n-----END {label}-----\n")
}

/// Returns the vendor's answer about the certificate that the gateway presents.
async fn seen(vendor: &MtlsVendor, identity: &Identity) -> String {
    let gateway = gateway(vendor, identity.connection()).await;
    raw_call(gateway.address, get("/p/c/x")).await.text()
}

#[tokio::test]
async fn keys_may_be_pkcs_8_pkcs_1_and_sec_1() {
    let authority = Authority::new();
    let vendor = MtlsVendor::start(&Terms::new(authority.verifier(true), HTTP1)).await;
    let of = |algorithm: &'static SignatureAlgorithm| KeyPair::generate_for(algorithm).unwrap();
    let rsa = KeyPair::from_pem(include_str!("rsa.pem")).unwrap();
    let ecdsa = of(&PKCS_ECDSA_P256_SHA256);
    let of_p384 = of(&PKCS_ECDSA_P384_SHA384);
    let ed25519 = of(&PKCS_ED25519);
    // The content of PKCS #8 (RFC 5958 §2), after version and algorithm.
    let pkcs1 = pem("RSA PRIVATE KEY", &rsa.serialize_der()[26..]);
    let sec1 = pem("EC PRIVATE KEY", &ecdsa.serialize_der()[29..]);
    for (key, form) in [
        (&rsa, None),
        (&rsa, Some(pkcs1)),
        (&ecdsa, None),
        (&ecdsa, Some(sec1)),
        (&of_p384, None),
        (&ed25519, None),
    ] {
        let mut identity = authority.certify_key("own", key, |_| {});
        let shown = form.clone();
        identity.key = form.unwrap_or(identity.key);
        let seen = seen(&vendor, &identity).await;
        assert_eq!(seen, "own /x : ", "{:?} {shown:?}", key.algorithm());
    }
}

#[tokio::test]
async fn the_whole_chain_is_presented() {
    let authority = Authority::new();
    let vendor = MtlsVendor::start(&Terms::new(authority.verifier(true), HTTP1)).await;
    let middle_key = KeyPair::generate().unwrap();
    let mut issuer = None;
    let middle = authority.certify_key("middle", &middle_key, |params| {
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        params.extended_key_usages.clear();
        issuer = Some(params.clone());
    });
    let issuer = Issuer::new(issuer.unwrap(), &middle_key);
    let key = KeyPair::generate().unwrap();
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.distinguished_name.push(DnType::CommonName, "leaf");
    let leaf = params.signed_by(&key, &issuer).unwrap().pem();
    let mut identity = Identity {
        certificate: format!("{leaf}{}", middle.certificate),
        key: key.serialize_pem(),
    };
    assert_eq!(seen(&vendor, &identity).await, "leaf /x : ");
    // Certificate and key may be the same file.
    identity.certificate = format!("{}{}", identity.key, identity.certificate);
    identity.key.clone_from(&identity.certificate);
    assert_eq!(seen(&vendor, &identity).await, "leaf /x : ");
}

#[test]
fn a_changed_connection_has_another_identity() {
    let [one, other] = ["own", "own"].map(|name| Authority::new().certify(name));
    let upstream = Upstream::new("https://vendor.test").unwrap();
    let destination = upstream.destination();
    let identity = |connection: &Connection| {
        let secret = |name| connection.credential().get(name).unwrap();
        let identity = ClientIdentity::from_pem(secret("certificate"), secret("private_key"));
        identity.unwrap().isolation_key()
    };
    let connection = one.connection();
    let before = identity(&connection);
    assert_eq!(identity(&connection), before);
    let connection = connection
        .with_secret("certificate", &*other.certificate)
        .with_secret("private_key", &*other.key);
    assert_ne!(identity(&connection), before);
    let connection = connection.without_secret("private_key");
    let cx = AuthContext::new(&connection, &destination, SystemTime::now());
    let (mut head, ()) = http::Request::new(()).into_parts();
    let missing = Mtls
        .apply(&mut AuthRequest::new(&mut head), &cx)
        .unwrap_err();
    assert_eq!(missing, AuthError::MissingSecret("private_key".into()));
}

#[tokio::test]
async fn unusable_secrets_are_reauthorize_and_nothing_is_sent() {
    let authority = Authority::new();
    let vendor = MtlsVendor::start(&Terms::new(authority.verifier(false), HTTP1)).await;
    let Identity { certificate, key } = authority.certify("own");
    let other = authority.certify("other").key;
    let with = |certificate: &str, key: &str| {
        Connection::new("vendor")
            .with_secret("certificate", certificate)
            .with_secret("private_key", key)
    };
    let unsendable = "can't be sent";
    for (connection, said) in [
        (with(&certificate, &other), unsendable),
        (with(&certificate, "garbage"), unsendable),
        (with("garbage", &key), unsendable),
        (with("", ""), unsendable),
        (with(&key, &certificate), unsendable),
        (
            with(&certificate, key.split_at(key.len() / 2).0),
            unsendable,
        ),
        (
            with(
                &certificate,
                &key.replace("PRIVATE KEY", "ENCRYPTED PRIVATE KEY"),
            ),
            unsendable,
        ),
        (
            with(&certificate, &key).without_secret("private_key"),
            "is missing",
        ),
        (
            with(&certificate, &key).without_secret("certificate"),
            "is missing",
        ),
    ] {
        let gateway = gateway(&vendor, connection).await;
        let answer = raw_call(gateway.address, get("/p/c/x")).await;
        assert_eq!(
            (answer.status(), answer.error()),
            (424, Some("reauthorize"))
        );
        let text = answer.text();
        assert!(
            text.contains(said) && text.contains("\"sent\":false"),
            "{text}"
        );
        assert!(!text.contains("PRIVATE") && !text.contains("garbage"));
    }
    assert_eq!(vendor.connections().await, 0);
}
