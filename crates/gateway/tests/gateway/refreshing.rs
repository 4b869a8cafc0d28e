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

    gateway.calls(3).await;
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

/// Returns a vendor whose token endpoint gives each reply once, in this order, and then tokens. Calls with the token `c4nary-old` are
/// answered with `rejection`.
async fn scripted(replies: &[(u16, &str)], rejection: u16) -> Vendor {
    let replies: Vec<_> = replies
        .iter()
        .map(|(status, body)| (*status, (*body).to_owned()))
        .collect();
    let count = AtomicUsize::new(0);
    Vendor::replying(move |request| {
        if !request.target().starts_with("/token") {
            return match request.head.value("authorization") {
                Some("Bearer c4nary-old") => Reply::from(format!(
                    "HTTP/1.1 {rejection} So\r\nContent-Length: 0\r\n\r\n"
                )),
                _ => Reply::ok("ok"),
            };
        }
        let tokens = "{\"access_token\":\"c4nary-new\",\"instance_url\":\"c4nary-url\",\"expires_in\":3600}";
        let number = count.fetch_add(1, Ordering::Relaxed);
        let (status, body) = replies
            .get(number)
            .map_or((200, tokens), |(status, body)| (*status, body));
        let length = body.len();
        Reply::bytes(format!(
            "HTTP/1.1 {status} So\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n\r\n{body}"
        ))
    })
    .await
}

const REFRESH_TOKEN: &str = "{ refresh_token = \"c4nary-r0\" }";

#[tokio::test]
async fn o4_a_refusal_that_passes_is_tried_again_after_a_pause() {
    for (more, body) in [
        (
            "",
            "{\"error\":\"invalid_grant\",\"error_description\":\"token request is already being processed\"}",
        ),
        (
            ", passing_errors = [\"In Maintenance\"]",
            "{\"error\":\"invalid_grant\",\"message\":\"The API is in maintenance.\"}",
        ),
    ] {
        let vendor = scripted(&[(400, body)], 401).await;
        let gateway =
            Gateway::start(&config(&vendor, &format!("{CLIENT}{more}"), REFRESH_TOKEN)).await;
        let failed = (503, Some("refresh-failed".to_owned()));
        assert_eq!(answer(&gateway, "c").await, failed, "{body}");
        let recovered = async {
            loop {
                let answer = answer(&gateway, "c").await;
                if answer == (200, None) {
                    break;
                }
                assert_eq!(answer, failed, "{body}");
            }
        };
        within("the end of the pause", recovered).await;
    }
}

#[tokio::test]
async fn o4_dead_errors_are_found_wherever_vendors_write_them() {
    let (fitbit, hubspot) = (
        "{\"errors\":[{\"errorType\":\"invalid_grant\",\"message\":\"x\"}],\"success\":false}",
        "{\"status\":\"BAD_REFRESH_TOKEN\",\"message\":\"missing or invalid refresh token\"}",
    );
    for (body, more, expected) in [
        (fitbit, "", (424, "reauthorize")),
        (
            hubspot,
            ", dead_errors = [\"BAD_REFRESH_TOKEN\"]",
            (424, "reauthorize"),
        ),
        (hubspot, "", (503, "refresh-failed")),
    ] {
        let vendor = scripted(&[(400, body), (400, body)], 401).await;
        let gateway =
            Gateway::start(&config(&vendor, &format!("{CLIENT}{more}"), REFRESH_TOKEN)).await;
        let expected = (expected.0, Some(expected.1.to_owned()));
        for _ in 0..3 {
            assert_eq!(answer(&gateway, "c").await, expected, "{body}{more}");
        }
        vendor.next().await;
        assert!(
            vendor.try_next().await.is_none(),
            "the endpoint was called again"
        );
    }
}

#[tokio::test]
async fn o4_other_grants_never_die() {
    for grant in ["client_credentials", "jwt_bearer"] {
        let refused = "{\"error\":\"invalid_grant\",\"error_description\":\"Invalid JWT\"}";
        let vendor = scripted(&[(400, refused)], 401).await;
        let more = match grant {
            "jwt_bearer" => "grant = \"jwt_bearer\"".to_owned(),
            _ => format!("{CLIENT}, grant = \"{grant}\""),
        };
        let key = include_str!("../../../../tests/live/keys/rfc7515_a2.pem");
        let secret = format!("{{ private_key = \"\"\"{key}\"\"\" }}");
        let gateway = Gateway::start(&config(&vendor, &more, &secret)).await;
        let failed = (503, Some("refresh-failed".to_owned()));
        assert_eq!(answer(&gateway, "c").await, failed, "{grant}");
        let recovered = async { while answer(&gateway, "c").await != (200, None) {} };
        within("the end of the pause", recovered).await;
    }
}

#[tokio::test]
async fn r6_refresh_on_lists_the_statuses_of_a_rejected_token() {
    for (more, rejection, expected) in [
        ("", 401, 200),
        ("", 403, 403),
        (", refresh_on = [401, 403, 498]", 403, 200),
        (", refresh_on = [401, 403, 498]", 498, 200),
        (", refresh_on = [403]", 401, 401),
    ] {
        let vendor = scripted(&[], rejection).await;
        let secret = "{ access_token = \"c4nary-old\", refresh_token = \"c4nary-r0\" }";
        let gateway = Gateway::start(&config(&vendor, &format!("{CLIENT}{more}"), secret)).await;
        assert_eq!(answer(&gateway, "c").await.0, expected, "{rejection}{more}");
    }
}

#[tokio::test]
async fn basic_raw_sends_the_secret_as_it_is() {
    for (client_auth, expected) in [
        ("basic", "Basic aWQ6YSUyQmIlMkZjJTNEJTdFeA=="),
        ("basic_raw", "Basic aWQ6YStiL2M9fng="),
    ] {
        let vendor = scripted(&[], 401).await;
        let more = format!(
            "client_id = \"id\", client_secret = \"a+b/c=~x\", client_auth = \"{client_auth}\""
        );
        let gateway = Gateway::start(&config(&vendor, &more, REFRESH_TOKEN)).await;
        call(&gateway).await;
        let asked = vendor.next().await;
        assert_eq!(asked.head.value("authorization"), Some(expected));
    }
}

/// Exact Online refuses a refresh until shortly before the end of a token.
#[tokio::test]
async fn refresh_before_is_the_time_at_which_a_token_is_refreshed() {
    for (more, is_refreshed) in [
        ("", true),
        (", refresh_before = \"25s\"", false),
        (", refresh_before = \"25s\", refresh_jitter = \"0s\"", false),
        (", refresh_before = \"250s\", refresh_jitter = \"0s\"", true),
    ] {
        let vendor = scripted(&[], 401).await;
        let end = std::time::SystemTime::now() + std::time::Duration::from_secs(200);
        let end = end.duration_since(std::time::UNIX_EPOCH).unwrap().as_secs();
        let secret = format!(
            "{{ access_token = \"c4nary-a0\", refresh_token = \"c4nary-r0\", expires_at = {end} }}"
        );
        let gateway = Gateway::start(&config(&vendor, &format!("{CLIENT}{more}"), &secret)).await;
        let called = async {
            loop {
                call(&gateway).await;
                let received = vendor.next().await;
                let is_token_request = received.target().starts_with("/token");
                let token = received.head.value("authorization");
                if is_token_request || token == Some("Bearer c4nary-new") {
                    return true;
                }
                assert_eq!(token, Some("Bearer c4nary-a0"));
                if !is_refreshed {
                    return false;
                }
            }
        };
        assert_eq!(within("calls", called).await, is_refreshed, "{more}");
        if !is_refreshed {
            call(&gateway).await;
            called_with(&vendor, "c4nary-a0").await;
        }
    }
}

/// Amazon's SP-API and Zoho expect the token in a place of their own, and nowhere else.
#[tokio::test]
async fn the_token_goes_only_where_another_table_sends_it() {
    for (other, keep, field, expected) in [
        (
            "{ kind = \"header\", name = \"x-amz-access-token\", value = \"{access_token}\" }",
            "",
            "x-amz-access-token",
            "c4nary-new",
        ),
        (
            "{ kind = \"header\", name = \"authorization\", value = \"Zoho-oauthtoken {access_token}\" }",
            "",
            "authorization",
            "Zoho-oauthtoken c4nary-new",
        ),
        (
            "{ kind = \"header\", name = \"x-both\", value = \"{instance_url} {access_token}\" }",
            ", keep = [\"instance_url\"]",
            "x-both",
            "c4nary-url c4nary-new",
        ),
        // A table that sends something else doesn't replace the bearer token.
        (
            "{ kind = \"header\", name = \"x-instance\", value = \"{instance_url}\" }",
            ", keep = [\"instance_url\"]",
            "authorization",
            "Bearer c4nary-new",
        ),
    ] {
        let vendor = scripted(&[], 401).await;
        let auth = format!(
            "[{{ kind = \"oauth2\", token_url = \"{}/token\", {CLIENT}{keep} }}, {other}]",
            vendor.origin()
        );
        let gateway = Gateway::start(&Config::new(&vendor).auth(&auth, REFRESH_TOKEN)).await;
        call(&gateway).await;
        assert!(form(&vendor.next().await).contains("refresh_token=c4nary-r0"));
        let received = vendor.next().await;
        assert_eq!(received.head.value(field), Some(expected), "{other}");
        let has_bearer = received.head.has("authorization");
        assert_eq!(has_bearer, field == "authorization", "{other}");
    }
}

#[tokio::test]
async fn the_token_can_be_a_query_parameter() {
    let vendor = scripted(&[], 401).await;
    let auth = format!(
        "[{{ kind = \"query\", name = \"auth\", secret = \"access_token\" }}, \
         {{ kind = \"oauth2\", token_url = \"{}/token\", {CLIENT} }}]",
        vendor.origin()
    );
    let gateway = Gateway::start(&Config::new(&vendor).auth(&auth, REFRESH_TOKEN)).await;
    call(&gateway).await;
    vendor.next().await;
    let received = vendor.next().await;
    assert_eq!(received.target(), "/x?auth=c4nary-new");
    assert!(!received.head.has("authorization"));
}

/// Zendesk returns a refresh token only to a request with a number `expires_in`.
#[tokio::test]
async fn a_whole_number_is_a_number_in_a_json_body() {
    let vendor = scripted(&[], 401).await;
    let more =
        format!("{CLIENT}, json = true, parameters = {{ expires_in = 172800, text = \"1\" }}");
    let gateway = Gateway::start(&config(&vendor, &more, REFRESH_TOKEN)).await;
    call(&gateway).await;
    let body = form(&vendor.next().await);
    assert!(
        body.contains("\"expires_in\":172800,\"text\":\"1\""),
        "{body}"
    );
}
