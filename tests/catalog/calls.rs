//! Calls through `Integrations::or_catalog`, to a server with the vendor's name and a certificate for the name. An egress proxy on loopback
//! leads the name to the server, so no name is looked up.

use testkit::caller::raw_call;
use testkit::certificates;
use testkit::egress_proxy::{EgressProxy, Verdict};
use testkit::gateway::{Gateway, bind};
use testkit::reply::Reply;
use testkit::vendor::{Received, Vendor};
use tower_passthrough::catalog::Catalog;
use tower_passthrough::oauth2::OAuth2TokenSource;
use tower_passthrough::refresh::RefreshingStore;
use tower_passthrough::{
    Connection, HttpTransport, Integrations, MemoryStore, PassthroughService, client,
};

/// A gateway in front of a vendor with that name.
struct Scene {
    gateway: Gateway,
    vendor: Vendor,
    _proxy: EgressProxy,
}

impl Scene {
    async fn new(host: &'static str, connection: Connection) -> Self {
        Self::with_script(host, connection, |_| Reply::ok("ok")).await
    }

    async fn with_script(
        host: &'static str,
        connection: Connection,
        script: impl Fn(&Received) -> Reply + Send + Sync + 'static,
    ) -> Self {
        let vendor = Vendor::replying_over_tls_as(host, &["http/1.1"], script).await;
        let address = vendor.address();
        let tunnel = format!("CONNECT {host}:443 ");
        let proxy = EgressProxy::http(move |head| match head.starts_with(&tunnel) {
            true => Verdict::To(address),
            false => Verdict::say("HTTP/1.1 403 Forbidden\r\n\r\n"),
        })
        .await;
        let egress = client::EgressProxy::parse(&proxy.url("")).unwrap();
        let transport = HttpTransport::builder()
            .egress_proxy(egress.remote_dns(true))
            .root_pem(certificates::root_pem().as_bytes())
            .unwrap()
            .build()
            .unwrap();
        let tokens = OAuth2TokenSource::new(transport.clone()).or_catalog(Catalog::bundled());
        let store = MemoryStore::from_iter([("c", connection)]);
        let integrations = Integrations::new().or_catalog(Catalog::bundled());
        let service =
            PassthroughService::builder(RefreshingStore::new(store, tokens), integrations)
                .dangerous()
                .allow_all()
                .transport(transport)
                .prefix("/p")
                .unwrap()
                .build();
        Self {
            gateway: Gateway::serve(bind().await, service),
            vendor,
            _proxy: proxy,
        }
    }

    /// Makes a call with fields in which a caller could put a credential of its own.
    async fn call(&self, target: &str) -> u16 {
        let request = format!(
            "GET /p/c/{target} HTTP/1.1\r\nhost: gw.test\r\nauthorization: Bearer caller\r\nx-api-key: caller\r\n\
             dd-api-key: caller\r\ndd-application-key: caller\r\n\r\n"
        );
        raw_call(self.gateway.address, request).await.head.status()
    }

    /// Makes a call, and returns the request that the vendor received.
    async fn received(&self, target: &str) -> Received {
        assert_eq!(self.call(target).await, 200);
        self.vendor.next().await
    }
}

#[tokio::test]
async fn a_bearer_token_arrives() {
    let connection = Connection::new("hubspot").with_secret("token", "pat-1");
    let scene = Scene::new("api.hubapi.com", connection).await;
    let received = scene.received("crm/v3/objects/contacts?limit=1").await;
    assert_eq!(received.target(), "/crm/v3/objects/contacts?limit=1");
    assert_eq!(received.head.value("host"), Some("api.hubapi.com"));
    assert_eq!(received.head.values("authorization"), ["Bearer pat-1"]);
}

#[tokio::test]
async fn a_template_of_basic_arrives_at_the_variables_host() {
    let connection = Connection::new("zendesk")
        .with_variable("subdomain", "acme")
        .with_variable("email", "ann@acme.test")
        .with_secret("api_token", "t0k3n");
    let scene = Scene::new("acme.zendesk.com", connection).await;
    let received = scene.received("api/v2/users/me.json").await;
    assert_eq!(received.target(), "/api/v2/users/me.json");
    // ann@acme.test/token:t0k3n
    let expected = "Basic YW5uQGFjbWUudGVzdC90b2tlbjp0MGszbg==";
    assert_eq!(received.head.values("authorization"), [expected]);
}

#[tokio::test]
async fn two_credentials_arrive_in_their_fields() {
    let connection = Connection::new("datadog")
        .with_variable("site", "datadoghq.eu")
        .with_secret("api_key", "k1")
        .with_secret("application_key", "k2");
    let scene = Scene::new("api.datadoghq.eu", connection).await;
    let received = scene.received("v1/validate").await;
    assert_eq!(received.head.values("dd-api-key"), ["k1"]);
    assert_eq!(received.head.values("dd-application-key"), ["k2"]);
}

#[tokio::test]
async fn keys_arrive_in_the_query() {
    let connection = Connection::new("trello")
        .with_secret("api_key", "k y")
        .with_secret("api_token", "t&1");
    let scene = Scene::new("api.trello.com", connection).await;
    let received = scene
        .received("members/me?token=mine&fields=id&key=mine")
        .await;
    assert_eq!(
        received.target(),
        "/1/members/me?fields=id&key=k%20y&token=t%261"
    );
}

#[tokio::test]
async fn a_callers_key_in_the_query_never_arrives_beside_another_alternative() {
    let connection = Connection::new("pipedrive")
        .with_variable("company", "acme")
        .with_secret("access_token", "a1");
    let scene = Scene::new("acme.pipedrive.com", connection).await;
    for (query, expected) in [
        ("?api_token=CALLERS", ""),
        ("?limit=1&api_token=CALLERS&start=2", "?limit=1&start=2"),
        ("?%61pi_token=CALLERS&a=%2F&api_token", "?a=%2F"),
        ("?api_tokens=1&x=api_token", "?api_tokens=1&x=api_token"),
    ] {
        let received = scene.received(&format!("v1/x{query}")).await;
        assert_eq!(received.target(), format!("/api/v1/x{expected}"), "{query}");
        assert_eq!(received.head.values("authorization"), ["Bearer a1"]);
    }
}

#[tokio::test]
async fn an_access_token_is_fetched_with_the_connections_client() {
    let connection = Connection::new("hubspot")
        .with_secret("refresh_token", "r1")
        .with_secret("client_id", "id-1")
        .with_secret("client_secret", "s1");
    let scene = Scene::with_script("api.hubapi.com", connection, |received| {
        match received.target() {
            "/oauth/2026-03/token" => {
                let body = r#"{"access_token":"a1","refresh_token":"r2","expires_in":1800}"#;
                Reply::bytes(format!(
                    "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
                    body.len()
                ))
            }
            _ => Reply::ok("ok"),
        }
    })
    .await;
    let asked = scene.received("crm/v3/objects/contacts").await;
    assert_eq!(asked.target(), "/oauth/2026-03/token");
    let form = String::from_utf8_lossy(&asked.body.data).into_owned();
    for pair in [
        "grant_type=refresh_token",
        "refresh_token=r1",
        "client_id=id-1",
        "client_secret=s1",
    ] {
        assert!(form.split('&').any(|it| it == pair), "{form}");
    }
    let received = scene.vendor.next().await;
    assert_eq!(received.head.values("authorization"), ["Bearer a1"]);
}

#[tokio::test]
async fn a_vendors_own_code_for_a_dead_refresh_token_is_read() {
    const FORM: &str = "content-type: application/x-www-form-urlencoded";
    const JSON: &str = "content-type: application/json";
    for (name, host, status, kind, body) in [
        (
            "github",
            "github.com",
            200,
            FORM,
            "error=bad_refresh_token&error_description=The+refresh+token+passed+is+incorrect+or+expired.",
        ),
        (
            "hubspot",
            "api.hubapi.com",
            400,
            JSON,
            r#"{"status":"BAD_REFRESH_TOKEN","message":"missing or invalid refresh token"}"#,
        ),
        (
            "slack",
            "slack.com",
            200,
            JSON,
            r#"{"ok":false,"error":"invalid_refresh_token"}"#,
        ),
    ] {
        let connection = Connection::new(name)
            .with_secret("refresh_token", "r1")
            .with_secret("client_id", "id-1")
            .with_secret("client_secret", "s1");
        let scene = Scene::with_script(host, connection, move |_| {
            Reply::bytes(format!(
                "HTTP/1.1 {status} Reply\r\n{kind}\r\ncontent-length: {}\r\n\r\n{body}",
                body.len()
            ))
        })
        .await;
        assert_eq!(scene.call("x").await, 424, "{name}");
        assert_eq!(scene.call("x").await, 424, "{name}");
        scene.vendor.next().await;
        assert!(scene.vendor.try_next().await.is_none(), "{name}");
    }
}

#[tokio::test]
async fn an_access_token_without_the_clients_credentials_is_not_refreshed() {
    let connection = Connection::new("hubspot")
        .with_secret("access_token", "a1")
        .with_secret("refresh_token", "r1");
    let scene = Scene::with_script("api.hubapi.com", connection, |_| {
        Reply::bytes("HTTP/1.1 401 Unauthorized\r\ncontent-length: 0\r\n\r\n")
    })
    .await;
    assert_eq!(scene.call("x").await, 401);
    assert_eq!(scene.vendor.next().await.target(), "/x");
    assert!(scene.vendor.try_next().await.is_none());
}

#[tokio::test]
async fn a_request_for_aws_is_signed_for_the_variables_region() {
    let connection = Connection::new("aws-s3")
        .with_variable("region", "eu-central-1")
        .with_secret("access_key_id", "AKIDEXAMPLE")
        .with_secret("secret_access_key", "wJalrXUtnFEMI");
    let scene = Scene::new("s3.eu-central-1.amazonaws.com", connection).await;
    let received = scene.received("bucket/key").await;
    let value = received.head.value("authorization").unwrap();
    assert!(
        value.starts_with("AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/"),
        "{value}"
    );
    assert!(value.contains("/eu-central-1/s3/aws4_request"), "{value}");
}

#[tokio::test]
async fn a_request_of_oauth_1_is_signed_with_the_variables_realm() {
    let connection = Connection::new("netsuite")
        .with_variable("account", "1234567-sb1")
        .with_variable("realm", "1234567_SB1")
        .with_secret("consumer_key", "ck")
        .with_secret("consumer_secret", "cs")
        .with_secret("token", "t")
        .with_secret("token_secret", "ts");
    let scene = Scene::new("1234567-sb1.suitetalk.api.netsuite.com", connection).await;
    let received = scene.received("services/rest/record/v1/customer").await;
    let value = received.head.value("authorization").unwrap();
    assert!(
        value.starts_with("OAuth realm=\"1234567_SB1\", oauth_consumer_key=\"ck\""),
        "{value}"
    );
    assert!(
        value.contains("oauth_signature_method=\"HMAC-SHA256\""),
        "{value}"
    );
}

#[tokio::test]
async fn a_connection_without_the_secrets_of_any_alternative_must_be_mended() {
    let connection = Connection::new("datadog")
        .with_variable("site", "datadoghq.eu")
        .with_secret("api_key", "k1");
    let scene = Scene::new("api.datadoghq.eu", connection).await;
    let request = "GET /p/c/v1/validate HTTP/1.1\r\nhost: gw.test\r\n\r\n";
    let response = raw_call(scene.gateway.address, request).await;
    assert_eq!(response.error(), Some("reauthorize"));
    let body = String::from_utf8_lossy(&response.body.data).into_owned();
    assert!(body.contains("`api_key` and `application_key`"), "{body}");
    assert!(!body.contains("k1"), "{body}");
    scene.vendor.untouched().await;
}

#[tokio::test]
async fn a_host_with_variables_may_be_named() {
    let connection = Connection::new("zoho-crm")
        .with_variable("region", "eu")
        .with_variable("content_host", "content.zohoapis.eu")
        .with_secret("access_token", "a1");
    let scene = Scene::new("content.zohoapis.eu", connection).await;
    let received = scene.received("v1/file?__domain=content.zohoapis.eu").await;
    assert_eq!(received.head.value("host"), Some("content.zohoapis.eu"));
    assert_eq!(
        received.head.values("authorization"),
        ["Zoho-oauthtoken a1"]
    );
    assert_eq!(
        scene.call("v1/file?__domain=content.zohoapis.com").await,
        403
    );
}
