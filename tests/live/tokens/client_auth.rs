//! The authentication of the client.

use std::collections::HashSet;

use ring::signature::{
    ECDSA_P384_SHA384_FIXED, RSA_PKCS1_2048_8192_SHA256, RSA_PSS_2048_8192_SHA256,
};
use tower_passthrough::oauth2::{
    Assertion, ClientAuth, GrantType, SigningAlgorithm, TokenEndpoint,
};
use tower_passthrough::refresh::TokenSource;

use super::jwt::{self, Jwt};
use super::kit::{asked, connection, endpoint, form, obtain, pairs, source, unready};
use testkit::vendor::Vendor;

const REFRESH: [(&str, &str); 2] = [("grant_type", "refresh_token"), ("refresh_token", "r+1/&=")];

fn client(endpoint: TokenEndpoint) -> TokenEndpoint {
    endpoint.client_id("i:d").client_secret("s ecret%")
}

#[tokio::test]
async fn basic_is_encoded_according_to_rfc_6749() {
    for change in [client, |endpoint| {
        client(endpoint).client_auth(ClientAuth::Basic)
    }] {
        let received = asked(change, &connection()).await;
        assert_eq!(form(&received), pairs(REFRESH));
        // The text `i%3Ad:s+ecret%25`.
        assert_eq!(
            received.head.value("authorization"),
            Some("Basic aSUzQWQ6cytlY3JldCUyNQ==")
        );
    }
}

#[tokio::test]
async fn id_and_secret_can_be_in_the_body() {
    let body = |endpoint| client(endpoint).client_auth(ClientAuth::Body);
    let received = asked(body, &connection()).await;
    let [a, b] = REFRESH;
    assert_eq!(
        form(&received),
        pairs([a, b, ("client_id", "i:d"), ("client_secret", "s ecret%")])
    );
    assert!(!received.head.has("authorization"));
}

#[tokio::test]
async fn a_public_client_sends_only_its_id() {
    let [a, b] = REFRESH;
    let none = |endpoint| client(endpoint).client_auth(ClientAuth::None);
    let received = asked(none, &connection()).await;
    assert_eq!(form(&received), pairs([a, b, ("client_id", "i:d")]));
    let nameless = |endpoint: TokenEndpoint| endpoint.client_auth(ClientAuth::None);
    let received = asked(nameless, &connection()).await;
    assert_eq!(form(&received), pairs(REFRESH));
    assert!(!received.head.has("authorization"));
}

#[tokio::test]
async fn the_client_of_a_connection_takes_precedence() {
    let body = |endpoint| client(endpoint).client_auth(ClientAuth::Body);
    let connection = connection()
        .with_secret("client_id", "own")
        .with_secret("client_secret", "0wn");
    let received = asked(body, &connection).await;
    let [a, b] = REFRESH;
    assert_eq!(
        form(&received),
        pairs([a, b, ("client_id", "own"), ("client_secret", "0wn")])
    );
}

#[tokio::test]
async fn a_private_key_signs_for_the_client() {
    let (p384, public) = jwt::p384();
    let mut ids = HashSet::new();
    for (algorithm, name, pem) in [
        (SigningAlgorithm::Rs256, "RS256", jwt::RSA),
        (SigningAlgorithm::Ps256, "PS256", jwt::RSA),
        (SigningAlgorithm::Es256, "ES256", jwt::P256),
        (SigningAlgorithm::Es384, "ES384", &p384),
        (SigningAlgorithm::EdDsa, "EdDSA", jwt::ED25519),
    ] {
        let assertion = Assertion::new(algorithm).key(pem).unwrap().key_id("k1");
        let auth = ClientAuth::PrivateKeyJwt(assertion);
        let signed = |endpoint| client(endpoint).client_auth(auth).scopes(["a"]);
        let received = asked(signed, &connection()).await;
        let mut form = form(&received);
        let jwt = Jwt::read(&form.remove("client_assertion").unwrap());
        let [a, b] = REFRESH;
        let kind = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
        assert_eq!(
            form,
            pairs([
                a,
                b,
                ("scope", "a"),
                ("client_id", "i:d"),
                ("client_assertion_type", kind)
            ])
        );
        assert!(!received.head.has("authorization"));
        match algorithm {
            SigningAlgorithm::Rs256 => jwt.verify_rsa(&RSA_PKCS1_2048_8192_SHA256),
            SigningAlgorithm::Ps256 => jwt.verify_rsa(&RSA_PSS_2048_8192_SHA256),
            SigningAlgorithm::Es256 => jwt.verify_p256(),
            SigningAlgorithm::Es384 => jwt.verify(&ECDSA_P384_SHA384_FIXED, &public),
            _ => jwt.verify_ed25519(),
        }
        assert_eq!(
            jwt.header,
            serde_json::json!({"alg": name, "typ": "JWT", "kid": "k1"})
        );
        assert_eq!((jwt.text("iss"), jwt.text("sub")), ("i:d", "i:d"));
        let host = received.head.value("host").unwrap();
        assert_eq!(jwt.text("aud"), format!("http://{host}/oauth/token"));
        assert_eq!(jwt.number("exp"), jwt.number("iat") + 120);
        assert!(jwt.claims.get("scope").is_none());
        assert!(ids.insert(jwt.text("jti").to_owned()), "an id twice");
    }
}

#[tokio::test]
async fn missing_and_unusable_secrets_are_named() {
    let vendor = Vendor::ok().await;
    let of_connection = || {
        let assertion = Assertion::new(SigningAlgorithm::Rs256).key_of("signing_key");
        ClientAuth::PrivateKeyJwt(assertion)
    };
    let base = || endpoint(&vendor);
    for (endpoint, connection, expected) in [
        (base(), connection(), "`client_id` is missing"),
        (
            base().client_id("id"),
            connection(),
            "`client_secret` is missing",
        ),
        (
            base().client_auth(ClientAuth::Body).client_secret("s"),
            connection(),
            "`client_id` is missing",
        ),
        (
            base().client_auth(of_connection()).client_id("id"),
            connection(),
            "`signing_key` is missing",
        ),
        (
            base().client_auth(of_connection()).client_id("id"),
            connection().with_secret("signing_key", "s3cr3t"),
            "a private key in PEM",
        ),
        (
            base().client_auth(of_connection()).client_id("id"),
            connection().with_secret("signing_key", jwt::P256),
            "doesn't fit the algorithm",
        ),
        (
            base().client_auth(ClientAuth::None).json(),
            connection().with_secret("refresh_token", vec![0xff]),
            "can't be sent",
        ),
        (
            client(base()),
            connection().without_secret("refresh_token"),
            "`refresh_token` is missing",
        ),
    ] {
        let outcome = obtain(&vendor, endpoint, &connection).await;
        let cause = unready(outcome);
        let shown = cause.to_string();
        assert!(shown.contains(expected), "{shown}");
        assert_eq!(cause.status(), None);
    }
    vendor.untouched().await;
    assert!(
        Assertion::new(SigningAlgorithm::Es256)
            .key(jwt::RSA)
            .is_err()
    );
}

#[tokio::test]
async fn basic_can_be_sent_without_the_form_encoding() {
    let secret = "a+b/c=~x";
    for (auth, expected) in [
        // The texts `id:a%2Bb%2Fc%3D%7Ex` and `id:a+b/c=~x`.
        (ClientAuth::Basic, "Basic aWQ6YSUyQmIlMkZjJTNEJTdFeA=="),
        (ClientAuth::BasicRaw, "Basic aWQ6YStiL2M9fng="),
    ] {
        let change = |endpoint: TokenEndpoint| {
            endpoint
                .client_id("id")
                .client_secret(secret)
                .client_auth(auth)
        };
        let received = asked(change, &connection()).await;
        assert_eq!(form(&received), pairs(REFRESH));
        assert_eq!(received.head.value("authorization"), Some(expected));
    }

    // The id ends at the first colon (RFC 7617 §2).
    let vendor = Vendor::ok().await;
    let colon = client(endpoint(&vendor)).client_auth(ClientAuth::BasicRaw);
    let cause = unready(obtain(&vendor, colon, &connection()).await);
    assert!(cause.to_string().contains("can't be sent"), "{cause}");
    vendor.untouched().await;

    // Without a secret, no request can be made.
    let source = source(
        &vendor,
        endpoint(&vendor)
            .grant(GrantType::ClientCredentials)
            .client_id("id")
            .client_auth(ClientAuth::BasicRaw),
    );
    assert!(!source.supports(&connection()));
}
