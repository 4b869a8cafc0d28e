//! `kind = "oauth2"`: access tokens that are refreshed, and the tokens that remain after a reload and after a restart.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use testkit::gateway::Origin;
use testkit::process::binary::run;
use testkit::process::canary;
use testkit::process::config::Config;
use testkit::process::folder::Folder;
use testkit::process::gateway::Gateway;
use testkit::reply::Reply;
use testkit::vendor::{Received, Vendor};
use testkit::wait::within;

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

/// A vendor whose token endpoint refuses all grants until it's repaired.
async fn refusing() -> (Vendor, Arc<AtomicBool>) {
    let repaired = Arc::new(AtomicBool::new(false));
    let is_repaired = Arc::clone(&repaired);
    let vendor = Vendor::replying(move |request| {
        if !request.target().starts_with("/token") {
            return Reply::ok("ok");
        }
        let (status, body) = match is_repaired.load(Ordering::Acquire) {
            false => ("400 Bad Request", "{\"error\":\"invalid_grant\"}"),
            true => (
                "200 OK",
                "{\"access_token\":\"c4nary-a\",\"token_type\":\"Bearer\",\"expires_in\":3600}",
            ),
        };
        let length = body.len();
        Reply::bytes(format!(
            "HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n\r\n{body}"
        ))
    })
    .await;
    (vendor, repaired)
}

async fn answer(gateway: &Gateway, id: &str) -> (u16, Option<String>) {
    let answer = gateway.call(&format!("/{id}/x"), &[]).await;
    (answer.status(), answer.error().map(str::to_owned))
}

#[tokio::test]
async fn revoked_grants_are_revived_by_a_command() {
    const KEY: &str = "YWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWE=";
    let (vendor, repaired) = refusing().await;
    let folder = Folder::new();
    let url = format!("sqlite://{}", folder.path("connections.db").display());
    let store = format!("[store]\nkind = \"sqlite\"\nurl = \"{url}\"\nkey = \"{KEY}\"");
    let secret = "{ refresh_token = \"c4nary-r0\" }";
    let config = config(&vendor, CLIENT, secret);
    let auth = format!(
        "{{ kind = \"oauth2\", token_url = \"{}/token\", {CLIENT} }}",
        vendor.origin()
    );
    let mut tables = format!(
        "[integration.w]\nbase_url = \"{}\"\nauth = {auth}\n",
        vendor.origin()
    );
    for (id, integration) in [("d", "v"), ("e", "v"), ("f", "w"), ("g", "w")] {
        tables +=
            &format!("[connection.{id}]\nintegration = \"{integration}\"\nsecret = {secret}\n");
    }
    let config = config.table(&tables).table(&store);
    let file = folder.write("gateway.toml", config.to_string());
    let file = file.to_str().unwrap();
    let command = |arguments: &[&str]| {
        let ended = run(&[&["--config", file, "connections"], arguments].concat());
        (ended.code, ended.stdout, ended.stderr)
    };
    let ok = |printed: &str| (Some(0), printed.to_owned(), String::new());
    assert_eq!(command(&["import", file]), ok("imported 5 connections\n"));
    let gateway = Gateway::start_in(folder, &config, &[]).await;
    let dead = (424, Some("reauthorize".to_owned()));
    for id in ["c", "d", "e", "f", "g"] {
        assert_eq!(answer(&gateway, id).await, dead, "{id}");
    }
    repaired.store(true, Ordering::Release);
    gateway.reload(&config).await;
    assert_eq!(answer(&gateway, "c").await, dead, "a reload");

    assert_eq!(
        command(&["revive", "c", "d"]),
        ok("revived 2 connections\n")
    );
    let (code, printed, why) = command(&["revive", "c", "none"]);
    assert_eq!((code, &*printed), (Some(1), "revived 0 connections\n"));
    assert_eq!(why, "the connection none doesn't exist\n");
    for (id, expected) in [
        ("c", (200, None)),
        ("d", (200, None)),
        ("e", dead.clone()),
        ("f", dead),
    ] {
        assert_eq!(answer(&gateway, id).await, expected, "{id}");
    }
    let of_v = ["revive", "--all", "--integration", "v"];
    assert_eq!(command(&of_v), ok("revived 1 connection\n"));
    let listed = "c\tv\tlive\nd\tv\tlive\ne\tv\tlive\nf\tw\treauthorize\ng\tw\treauthorize\n";
    assert_eq!(command(&["list"]), ok(listed));
    assert_eq!(command(&["revive", "--all"]), ok("revived 2 connections\n"));
    assert_eq!(command(&["revive", "--all"]), ok("revived 0 connections\n"));
    for id in ["c", "d", "e", "f", "g"] {
        assert_eq!(answer(&gateway, id).await, (200, None), "{id}");
    }
}

/// Config management imports the same file again and again. A vendor that rotates accepts only the newest token.
#[tokio::test]
async fn an_import_replaces_no_token_that_was_refreshed() {
    const KEY: &str = "YWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWE=";
    let vendor = vendor().await;
    let folder = Folder::new();
    let url = format!("sqlite://{}", folder.path("connections.db").display());
    let store = format!("[store]\nkind = \"sqlite\"\nurl = \"{url}\"\nkey = \"{KEY}\"");
    let secret = "{ refresh_token = \"c4nary-r0\" }";
    let other = format!("[connection.a]\nintegration = \"v\"\nsecret = {secret}");
    let config = config(&vendor, CLIENT, secret).table(&other).table(&store);
    let file = folder.write("gateway.toml", config.to_string());
    let file = file.to_str().unwrap();
    let command = |arguments: &[&str]| {
        let ended = run(&[&["--config", file, "connections"], arguments].concat());
        canary::assert_absent("stderr", &ended.stderr);
        (ended.code, ended.stdout, ended.stderr)
    };
    let imported = (
        Some(0),
        "imported 2 connections\n".to_owned(),
        String::new(),
    );
    assert_eq!(command(&["import", file]), imported);
    // Nothing was refreshed yet.
    assert_eq!(command(&["import", file]), imported);
    let gateway = Gateway::start_in(folder, &config, &[]).await;
    call(&gateway).await;
    assert!(form(&vendor.next().await).contains("refresh_token=c4nary-r0"));
    called_with(&vendor, "c4nary-a1").await;

    let (code, printed, why) = command(&["import", file]);
    assert_eq!((code, &*printed), (Some(1), ""));
    let expected = "nothing was imported: tokens were refreshed since they were stored, and the \
                    file's tokens would replace them, for c; remove these tables from the file, or \
                    replace the tokens with --replace-tokens\n";
    assert_eq!(why, expected);
    call(&gateway).await;
    called_with(&vendor, "c4nary-a1").await;

    assert_eq!(command(&["import", "--replace-tokens", file]), imported);
    let refreshed = async {
        loop {
            call(&gateway).await;
            let received = vendor.next().await;
            if received.target().starts_with("/token") {
                return form(&received);
            }
        }
    };
    let form = within("the file's token", refreshed).await;
    assert!(form.contains("refresh_token=c4nary-r0"), "{form}");
}

/// In the config file itself, a change of the connection's table revives the connection.
#[tokio::test]
async fn a_reload_revives_what_its_file_changed() {
    let (vendor, repaired) = refusing().await;
    let with = |token: &str| {
        let secret = format!("{{ refresh_token = \"{token}\" }}");
        config(&vendor, CLIENT, &secret)
    };
    let gateway = Gateway::start(&with("c4nary-r0")).await;
    let dead = (424, Some("reauthorize".to_owned()));
    assert_eq!(answer(&gateway, "c").await, dead);
    repaired.store(true, Ordering::Release);
    gateway.reload(&with("c4nary-r0")).await;
    assert_eq!(answer(&gateway, "c").await, dead);
    gateway.reload(&with("c4nary-r1")).await;
    assert_eq!(answer(&gateway, "c").await, (200, None));
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
