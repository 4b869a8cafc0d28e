//! The requests of each grant.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use http::header::{HeaderName, HeaderValue, USER_AGENT};
use tower_passthrough::oauth2::{
    Assertion, ClientAuth, GrantType, OAuth2TokenSource, SigningAlgorithm, TokenEndpoint,
    TokenParameter,
};
use tower_passthrough::refresh::TokenSource;
use tower_passthrough::{Connection, Secret};

use super::jwt::{self, Jwt};
use super::kit::{
    TOKEN, asked, connection, endpoint, failure, form, id, left, obtain, pairs, reply, source,
    transport,
};
use testkit::gateway::Origin;
use testkit::h2_vendor::H2Vendor;
use testkit::vendor::Vendor;

#[tokio::test]
async fn a_refresh_token_is_sent_according_to_rfc_6749() {
    let received = asked(
        |endpoint| endpoint.client_id("id").client_secret("secret"),
        &connection(),
    )
    .await;
    assert_eq!(received.head.start, "POST /oauth/token HTTP/1.1");
    assert_eq!(
        received.body.data,
        b"grant_type=refresh_token&refresh_token=r%2B1%2F%26%3D"
    );
    let head = &received.head;
    assert_eq!(head.fields[0].0, "host");
    assert_eq!(
        head.names(),
        [
            "accept",
            "accept-encoding",
            "authorization",
            "content-length",
            "content-type",
            "host",
            "user-agent"
        ]
    );
    assert_eq!(head.value("accept"), Some("application/json"));
    assert_eq!(
        head.value("content-type"),
        Some("application/x-www-form-urlencoded")
    );
    assert_eq!(head.value("content-length"), Some("53"));
}

#[tokio::test]
async fn the_answer_has_the_new_tokens() {
    let vendor = Vendor::answering(reply(200, TOKEN)).await;
    let endpoint = endpoint(&vendor).client_auth(ClientAuth::None);
    let tokens = obtain(&vendor, endpoint, &connection()).await.unwrap();
    assert_eq!(tokens.access_token, Secret::from("new"));
    assert_eq!(tokens.refresh_token, Some(Secret::from("next")));
    let left = left(&tokens).unwrap();
    assert!((3580..=3600).contains(&left), "{left}");
}

#[tokio::test]
async fn an_answer_without_a_refresh_token_keeps_the_old_token() {
    let vendor = Vendor::answering(reply(200, r#"{"access_token":"new"}"#)).await;
    let endpoint = endpoint(&vendor).client_auth(ClientAuth::None);
    let tokens = obtain(&vendor, endpoint, &connection()).await.unwrap();
    assert_eq!((tokens.refresh_token, tokens.expires_at), (None, None));
}

#[tokio::test]
async fn the_client_credentials_grant() {
    let connection = Connection::new("vendor").with_secret("refresh_token", "unused");
    let received = asked(
        |endpoint| {
            endpoint
                .grant(GrantType::ClientCredentials)
                .client_auth(ClientAuth::Body)
                .client_id("id")
                .client_secret("s&cret")
                .scopes(["read", "write all"])
                .parameter("audience", "https://api.vendor.test/")
        },
        &connection,
    )
    .await;
    assert_eq!(
        form(&received),
        pairs([
            ("grant_type", "client_credentials"),
            ("scope", "read write all"),
            ("client_id", "id"),
            ("client_secret", "s&cret"),
            ("audience", "https://api.vendor.test/"),
        ])
    );
}

#[tokio::test]
async fn parameters_may_come_from_the_connection_and_take_precedence() {
    let connection = Connection::new("vendor")
        .with_secret("account_id", "sec ret")
        .with_variable("account_id", "variable")
        .with_variable("region", "eu");
    let received = asked(
        |endpoint| {
            endpoint
                .grant(GrantType::ClientCredentials)
                .client_auth(ClientAuth::None)
                .parameter("grant_type", "account_credentials")
                .parameter("account_id", TokenParameter::from_connection("account_id"))
                .parameter("region", TokenParameter::from_connection("region"))
                .parameter(
                    "nothing",
                    TokenParameter::from_connection("nothing").optional(),
                )
                .parameter("key", Secret::from("k"))
        },
        &connection,
    )
    .await;
    assert_eq!(
        form(&received),
        pairs([
            ("grant_type", "account_credentials"),
            ("account_id", "sec ret"),
            ("region", "eu"),
            ("key", "k"),
        ])
    );
}

#[tokio::test]
async fn some_vendors_need_json_and_other_fields() {
    let received = asked(
        |endpoint| {
            endpoint
                .client_id("id")
                .client_secret("secret")
                .json()
                .header(
                    HeaderName::from_static("notion-version"),
                    HeaderValue::from_static("2026-03-11"),
                )
                .header(USER_AGENT, HeaderValue::from_static("acme"))
                .header(
                    HeaderName::from_static("host"),
                    HeaderValue::from_static("evil.test"),
                )
                .header(
                    HeaderName::from_static("transfer-encoding"),
                    HeaderValue::from_static("chunked"),
                )
        },
        &connection().with_secret("refresh_token", "a\"\\\n\u{e9}"),
    )
    .await;
    let body: serde_json::Value = serde_json::from_slice(&received.body.data).unwrap();
    assert_eq!(
        body,
        serde_json::json!({"grant_type": "refresh_token", "refresh_token": "a\"\\\n\u{e9}"})
    );
    let head = &received.head;
    assert_eq!(head.value("content-type"), Some("application/json"));
    assert_eq!(head.value("notion-version"), Some("2026-03-11"));
    assert_eq!(head.value("user-agent"), Some("acme"));
    assert!(head.value("host").unwrap().starts_with("vendor.test:"));
    assert!(!head.has("transfer-encoding"));
}

/// Returns the assertion that Google's service accounts need.
fn service_account() -> Assertion {
    Assertion::new(SigningAlgorithm::Rs256)
        .issuer(TokenParameter::from_connection("client_email"))
        .subject(TokenParameter::from_connection("subject").optional())
        .key_id(TokenParameter::from_connection("private_key_id").optional())
        .scope_claim()
        .lifetime(Duration::from_secs(600))
}

#[tokio::test]
async fn an_assertion_is_signed_by_the_connections_key() {
    let connection = Connection::new("vendor")
        .with_secret("client_email", "robot@vendor.test")
        .with_secret("private_key", jwt::RSA)
        .with_secret("private_key_id", "k1");
    let before = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    let received = asked(
        |endpoint| {
            endpoint
                .grant(GrantType::JwtBearer(service_account()))
                .scopes(["drive", "mail"])
        },
        &connection,
    )
    .await;
    let mut form = form(&received);
    let assertion = form.remove("assertion").unwrap();
    assert_eq!(
        form,
        pairs([("grant_type", "urn:ietf:params:oauth:grant-type:jwt-bearer")])
    );
    assert!(!received.head.has("authorization"));

    let jwt = Jwt::read(&assertion);
    jwt.verify_rsa(&ring::signature::RSA_PKCS1_2048_8192_SHA256);
    assert_eq!(
        jwt.header,
        serde_json::json!({"alg": "RS256", "typ": "JWT", "kid": "k1"})
    );
    let issued = jwt.number("iat");
    // A minute in the past, for an endpoint whose clock is behind.
    let expected = before.as_secs() - 60;
    assert!(issued >= expected && issued <= expected + 20, "{issued}");
    assert_eq!(jwt.number("exp"), issued + 600);
    assert!(jwt.text("jti").len() >= 20);
    let host = received.head.value("host").unwrap();
    assert_eq!(jwt.text("aud"), format!("http://{host}/oauth/token"));
    assert_eq!(
        (jwt.text("iss"), jwt.text("scope")),
        ("robot@vendor.test", "drive mail")
    );
    assert!(jwt.claims.get("sub").is_none());
}

#[tokio::test]
async fn an_assertion_has_the_configured_claims() {
    let connection = Connection::new("vendor")
        .with_secret("subject", "ann@acme.test\",\"admin\":\"yes")
        .with_variable("enterprise", "e1");
    let assertion = Assertion::new(SigningAlgorithm::EdDsa)
        .key(jwt::ED25519)
        .unwrap()
        .subject(TokenParameter::from_connection("subject"))
        .audience("https://other.test")
        .header_parameter("x5t", "thumb")
        .claim("box_sub_type", "enterprise")
        .claim("enterprise", TokenParameter::from_connection("enterprise"));
    let received = asked(
        |endpoint| {
            endpoint
                .grant(GrantType::JwtBearer(assertion))
                .client_auth(ClientAuth::Body)
                .client_id("id")
                .client_secret("secret")
                .scopes(["a"])
        },
        &connection,
    )
    .await;
    let mut form = form(&received);
    let jwt = Jwt::read(&form.remove("assertion").unwrap());
    jwt.verify_ed25519();
    assert_eq!(
        form,
        pairs([
            ("grant_type", "urn:ietf:params:oauth:grant-type:jwt-bearer"),
            ("scope", "a"),
            ("client_id", "id"),
            ("client_secret", "secret"),
        ])
    );
    assert_eq!(jwt.header["x5t"], "thumb");
    assert_eq!(jwt.text("iss"), "id");
    assert_eq!(jwt.text("sub"), "ann@acme.test\",\"admin\":\"yes");
    assert_eq!(jwt.text("aud"), "https://other.test");
    assert_eq!(jwt.text("box_sub_type"), "enterprise");
    assert_eq!(jwt.text("enterprise"), "e1");
    assert_eq!(jwt.number("exp"), jwt.number("iat") + 120);
    assert!(jwt.claims.get("admin").is_none() && jwt.claims.get("scope").is_none());
}

#[tokio::test]
async fn variables_of_the_connection_complete_the_url() {
    let vendor = Vendor::answering(reply(200, TOKEN)).await;
    let port = vendor.address().port();
    let url = format!("http://{{sub}}.test:{port}/{{tenant}}/token?api-version=2");
    let endpoint = TokenEndpoint::new(&url)
        .and_then(|endpoint| endpoint.variable("sub", "[a-z]+"))
        .and_then(|endpoint| endpoint.variable_default("tenant", "common"))
        .unwrap()
        .client_auth(ClientAuth::None);
    let connection = connection().with_variable("sub", "vendor");
    obtain(&vendor, endpoint.clone(), &connection)
        .await
        .unwrap();
    let received = vendor.next().await;
    assert_eq!(received.target(), "/common/token?api-version=2");

    for value in [
        "vendor.test/",
        "evil.test#",
        "a@vendor",
        "VENDOR",
        "",
        "{sub}",
    ] {
        let connection = connection.clone().with_variable("sub", value);
        let outcome = obtain(&vendor, endpoint.clone(), &connection).await;
        let lacks = matches!(
            outcome,
            Err(tower_passthrough::refresh::TokenError::Incomplete { .. })
        );
        assert!(lacks);
        let shown = super::kit::unready(outcome).to_string();
        assert!(shown.contains("`sub` doesn't match"), "{shown}");
    }
    assert!(vendor.try_next().await.is_none());
}

#[test]
fn token_urls_are_checked_when_they_are_set() {
    for url in [
        "vendor.test/token",
        "ftp://vendor.test/token",
        "https://user:p@vendor.test/token",
        "https://vendor.test/token#x",
        "https://vendor.test/token?a=1#x",
        "https://vendor.test/token?",
        "https://vendor.test/token?a={b}",
        "https://vendor.test/token?a b",
        "https://vendor.test/../token",
        "https://vendor.test:{port}/token",
        "https://{a.test/token",
    ] {
        assert!(TokenEndpoint::new(url).is_err(), "{url}");
    }
    for url in [
        "https://vendor.test/token",
        "https://vendor.test",
        "https://{a}.test/{b}/token?c=d&e=%20",
    ] {
        assert!(TokenEndpoint::new(url).is_ok(), "{url}");
    }
}

#[tokio::test]
async fn only_connections_with_the_needed_secrets_are_supported() {
    let origin = "http://vendor.test";
    let refresh = source(origin, endpoint(origin));
    assert!(refresh.supports(&connection()));
    assert!(!refresh.supports(&connection().without_secret("refresh_token")));
    assert!(!refresh.supports(&Connection::new("other").with_secret("refresh_token", "r")));

    let own = endpoint(origin).grant(GrantType::ClientCredentials);
    let unset = source(origin, own.clone());
    let set = source(origin, own.client_id("id").client_secret("secret"));
    let bare = Connection::new("vendor");
    assert!(set.supports(&bare) && !unset.supports(&bare));
    let brought = bare
        .clone()
        .with_secret("client_id", "i")
        .with_secret("client_secret", "s");
    assert!(unset.supports(&brought));

    let bearer = endpoint(origin).grant(GrantType::JwtBearer(service_account()));
    let bearer = source(origin, bearer);
    let with_key = bare.with_secret("private_key", jwt::RSA);
    assert!(!bearer.supports(&with_key));
    let with_email = with_key.with_secret("client_email", "e");
    assert!(bearer.supports(&with_email));
    assert!(!bearer.supports(&with_email.without_secret("private_key")));

    let needs = endpoint(origin).parameter("account", TokenParameter::from_connection("account"));
    let needs = source(origin, needs);
    assert!(!needs.supports(&connection()));
    assert!(needs.supports(&connection().with_variable("account", "a")));
}

#[tokio::test]
async fn a_token_endpoint_with_http2_is_called_over_http2() {
    let vendor = H2Vendor::start().await;
    let url = format!("{}/oauth/token", vendor.origin());
    let endpoint = TokenEndpoint::new(&url).unwrap();
    let source = OAuth2TokenSource::new(transport(&vendor))
        .with("vendor", endpoint.client_id("id").client_secret("secret"));
    let (id, connection) = (id(), connection());
    let asking = source.fetch(&id, &connection);
    let answering = async {
        let mut call = vendor.next().await;
        let (body, trailers) = call.read().await;
        assert_eq!(
            body,
            b"grant_type=refresh_token&refresh_token=r%2B1%2F%26%3D"
        );
        assert!(trailers.is_empty());
        let headers = call.request.headers();
        assert_eq!(call.request.method(), "POST");
        assert_eq!(headers["content-length"], "53");
        assert_eq!(headers["authorization"], "Basic aWQ6c2VjcmV0");
        call.ok(TOKEN);
    };
    let (tokens, ()) = tokio::join!(asking, answering);
    assert_eq!(tokens.unwrap().access_token, Secret::from("new"));
}

#[tokio::test]
async fn o4_a_grant_without_a_refresh_token_is_never_revoked() {
    let assertion = Assertion::new(SigningAlgorithm::EdDsa)
        .key(jwt::ED25519)
        .unwrap();
    for grant in [
        GrantType::JwtBearer(assertion.clone()),
        GrantType::ClientCredentials,
    ] {
        for said in ["invalid_grant", "own"] {
            let body = format!(r#"{{"error":"{said}","error_description":"Invalid JWT"}}"#);
            let vendor = Vendor::answering(reply(400, &body)).await;
            let endpoint = endpoint(&vendor)
                .grant(grant.clone())
                .client_auth(ClientAuth::PrivateKeyJwt(assertion.clone()))
                .client_id("id")
                .revoked_errors(["own"]);
            let (cause, retry_after) = failure(obtain(&vendor, endpoint, &connection()).await);
            assert_eq!(
                (cause.code(), retry_after),
                (Some("invalid_grant"), None),
                "{said}"
            );
        }
    }
}

#[tokio::test]
async fn an_assertion_is_issued_in_the_past_for_at_most_half_of_its_lifetime() {
    for (lifetime, earlier) in [(3_600, 60), (120, 60), (60, 30), (10, 5)] {
        let assertion = Assertion::new(SigningAlgorithm::EdDsa)
            .key(jwt::ED25519)
            .unwrap()
            .lifetime(Duration::from_secs(lifetime));
        let before = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
        let received = asked(
            |endpoint| endpoint.grant(GrantType::JwtBearer(assertion)),
            &Connection::new("vendor"),
        )
        .await;
        let jwt = Jwt::read(&form(&received)["assertion"]);
        let issued = jwt.number("iat");
        let expected = before.as_secs() - earlier;
        assert!(issued >= expected && issued <= expected + 20, "{lifetime}");
        assert_eq!(jwt.number("exp"), issued + lifetime);
    }
}

/// Zendesk returns a refresh token only to a request with a number `expires_in`.
#[tokio::test]
async fn a_parameter_can_be_a_number() {
    let change = |endpoint: TokenEndpoint| {
        endpoint
            .client_auth(ClientAuth::None)
            .parameter("expires_in", 172_800)
    };
    let received = asked(|endpoint| change(endpoint).json(), &connection()).await;
    let body: serde_json::Value = serde_json::from_slice(&received.body.data).unwrap();
    let expected = serde_json::json!({
        "grant_type": "refresh_token", "refresh_token": "r+1/&=", "expires_in": 172_800
    });
    assert_eq!(body, expected);
    let received = asked(change, &connection()).await;
    assert_eq!(form(&received)["expires_in"], "172800");
}
