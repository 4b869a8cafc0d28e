//! `kind = "oauth2"`: access tokens that are refreshed, and the tokens that remain after a reload and after a restart.

use std::sync::atomic::{AtomicUsize, Ordering};

use testkit::gateway::Origin;
use testkit::process::config::Config;
use testkit::process::folder::Folder;
use testkit::process::gateway::Gateway;
use testkit::reply::Reply;
use testkit::vendor::{Received, Vendor};

/// Returns a vendor whose token endpoint rotates refresh tokens: each answer has the tokens of the next number.
async fn vendor() -> Vendor {
    let count = AtomicUsize::new(0);
    Vendor::replying(move |request| {
        if !request.target().starts_with("/token") {
            return Reply::ok("ok");
        }
        let number = count.fetch_add(1, Ordering::Relaxed) + 1;
        let tokens = format!(
            "{{\"access_token\":\"c4nary-a{number}\",\"refresh_token\":\"c4nary-r{number}\",\
             \"token_type\":\"Bearer\",\"expires_in\":3600}}"
        );
        let length = tokens.len();
        Reply::bytes(format!(
            "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n\r\n{tokens}"
        ))
    })
    .await
}

fn config(vendor: &Vendor, more: &str, secret: &str) -> Config {
    let auth = format!(
        "{{ kind = \"oauth2\", token_url = \"{}/token\", {more} }}",
        vendor.origin()
    );
    Config::new(vendor).auth(&auth, secret)
}

const CLIENT: &str = "client_id = \"cl1ent\", client_secret = \"c4nary-client\"";

fn form(request: &Received) -> String {
    assert!(request.target().starts_with("/token"), "{:?}", request.head);
    String::from_utf8(request.body.data.clone()).unwrap()
}

/// Makes a call, whose token the vendor receives.
async fn call(gateway: &Gateway) {
    let answer = gateway.call("/c/x", &[]).await;
    assert_eq!(answer.status(), 200, "{answer:?}");
}

/// Checks that the next request to the vendor is a call with that token.
async fn called_with(vendor: &Vendor, token: &str) {
    let received = vendor.next().await;
    assert_eq!(received.target(), "/x", "{:?}", received.head);
    let expected = format!("Bearer {token}");
    assert_eq!(received.head.value("authorization"), Some(&*expected));
}

#[tokio::test]
async fn a_reload_keeps_refreshed_tokens_unless_the_file_has_other_tokens() {
    let vendor = vendor().await;
    let with = |token: &str| {
        config(
            &vendor,
            CLIENT,
            &format!("{{ refresh_token = \"{token}\" }}"),
        )
    };
    let gateway = Gateway::start(&with("c4nary-r0")).await;
    call(&gateway).await;
    assert!(form(&vendor.next().await).contains("refresh_token=c4nary-r0"));
    called_with(&vendor, "c4nary-a1").await;

    gateway.reload(&with("c4nary-r0")).await;
    call(&gateway).await;
    called_with(&vendor, "c4nary-a1").await;

    gateway.reload(&with("c4nary-other")).await;
    call(&gateway).await;
    assert!(form(&vendor.next().await).contains("refresh_token=c4nary-other"));
    called_with(&vendor, "c4nary-a2").await;

    let log = gateway.stderr.text();
    let warning = "integration \"v\": refreshed tokens are only kept in memory, and are lost at a restart; use [store] kind = \"sqlite\" to keep them";
    assert_eq!(log.matches(warning).count(), 1, "{log}");
    let line = "refresh connection=c integration=\"v\" outcome=\"renewed\"";
    assert_eq!(log.matches(line).count(), 2, "{log}");
    let metrics = gateway.metrics().await;
    let line = "passthrough_refreshes_total{integration=\"v\",outcome=\"renewed\"} 2";
    assert!(metrics.contains(line), "{metrics}");
}

#[tokio::test]
async fn a_persistent_store_keeps_tokens_after_a_restart() {
    const KEY: &str = "YWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWE=";
    let vendor = vendor().await;
    let folder = Folder::new();
    let url = format!("sqlite://{}", folder.path("connections.db").display());
    let store = format!("[store]\nkind = \"sqlite\"\nurl = \"{url}\"\nkey = \"{KEY}\"");
    let config = config(&vendor, CLIENT, "{ refresh_token = \"c4nary-r0\" }").table(&store);
    let file = folder.write("gateway.toml", config.to_string());
    let file = file.to_str().unwrap();
    let import = ["--config", file, "connections", "import", file];
    let ended = testkit::process::binary::run(&import);
    assert_eq!(ended.code, Some(0), "{ended:?}");

    let gateway = Gateway::start(&config).await;
    call(&gateway).await;
    assert!(form(&vendor.next().await).contains("refresh_token=c4nary-r0"));
    called_with(&vendor, "c4nary-a1").await;
    assert!(!gateway.stderr.text().contains("kept in memory alone"));
    drop(gateway);
    let gateway = Gateway::start(&config).await;
    call(&gateway).await;
    called_with(&vendor, "c4nary-a1").await;
}

#[tokio::test]
async fn other_grants_need_no_first_token() {
    let vendor = vendor().await;
    let more = format!(
        "{CLIENT}, grant = \"client_credentials\", client_auth = \"body\", \
         scopes = [\"a\", \"b\"], parameters = {{ audience = \"https://a.test\", account = \"{{account}}\" }}, \
         headers = {{ accept = \"text/plain\" }}"
    );
    let gateway = Gateway::start(&config(&vendor, &more, "{ account = \"ann\" }")).await;
    call(&gateway).await;
    let asked = vendor.next().await;
    let form = form(&asked);
    for pair in [
        "grant_type=client_credentials",
        "client_id=cl1ent",
        "client_secret=c4nary-client",
        "scope=a+b",
        "audience=https%3A%2F%2Fa.test",
        "account=ann",
    ] {
        assert!(
            form.split('&').any(|other| other == pair),
            "{pair} in {form}"
        );
    }
    assert_eq!(asked.head.value("accept"), Some("text/plain"));
    called_with(&vendor, "c4nary-a1").await;
}

/// A connection with its own client and its own token endpoint.
#[tokio::test]
async fn the_connection_completes_the_settings_of_the_endpoint() {
    let vendor = vendor().await;
    let url = vendor
        .origin()
        .replace("vendor.test", "{region}.vendor.test");
    let auth = format!("{{ kind = \"oauth2\", token_url = \"{url}/token\" }}");
    let secret =
        "{ refresh_token = \"c4nary-r0\", client_id = \"ann\", client_secret = \"c4nary\" }";
    let config = Config::new(&vendor)
        .base_url(&url)
        .integration("variables = { region = \"^eu$\" }")
        .auth(&auth, secret)
        .connection("variables = { region = \"eu\" }");
    let gateway = Gateway::start(&config).await;
    call(&gateway).await;
    let asked = vendor.next().await;
    let host = format!("eu.vendor.test:{}", vendor.address().port());
    assert_eq!(asked.head.value("host"), Some(&*host));
    let basic = "Basic YW5uOmM0bmFyeQ==";
    assert_eq!(asked.head.value("authorization"), Some(basic));
    called_with(&vendor, "c4nary-a1").await;
}
