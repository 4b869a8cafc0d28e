//! Calls from the page's form.

use std::process::Command;

use serde_json::Value;
use testkit::gateway::Origin as _;
use testkit::process::canary::{KEY, TOKEN};
use testkit::process::config::Config;
use testkit::process::folder::Folder;
use testkit::process::gateway::Gateway;
use testkit::reply::Reply;
use testkit::vendor::{Received, Vendor};
use testkit::wait::Signal;

use crate::browser::run;

/// A vendor like HubSpot.
async fn like_hubspot() -> Vendor {
    Vendor::replying(|received| {
        let authorization = received.head.value("authorization");
        match (authorization, received.target()) {
            (Some(value), "/echo") if value == format!("Bearer {TOKEN}") => json(r#"{"ok":true}"#),
            (Some(value), "/account-info/v3/details") if value == format!("Bearer {TOKEN}") => {
                json(r#"{"portalId":1,"timeZone":"Europe/Berlin","companyCurrency":"EUR","dataHostingLocation":"eu1"}"#)
            }
            (Some(value), target) if value == format!("Bearer {TOKEN}") && target.starts_with("/crm/v3/objects/contacts") => json(
                r#"{"results":[{"id":"151","properties":{"firstname":"Ada","lastname":"Lovelace"},"archived":false}],"paging":{"next":{"after":"152"}}}"#,
            ),
            _ => "HTTP/1.1 418 Unexpected\r\nContent-Length: 0\r\n\r\n".into(),
        }
    })
    .await
}

/// A vendor like HubSpot, whose integration has the catalog's name.
pub(crate) async fn hubspot() -> (Vendor, Gateway) {
    let vendor = like_hubspot().await;
    let config = Config::new(&vendor).top("page = true\nresponse_headers = \"browser-safe\"");
    let base = config.origin();
    let table =
        format!("[integration.hubspot]\nbase_url = \"{base}\"\nauth = {{ kind = \"bearer\" }}");
    let gateway = Gateway::start(&config.table(&table)).await;
    (vendor, gateway)
}

/// A gateway for pictures, whose connection `acme` calls a vendor like HubSpot.
pub(crate) async fn for_pictures() -> (Vendor, Gateway) {
    let vendor = like_hubspot().await;
    let acme =
        format!("[connection.acme]\nintegration = \"v\"\nsecret = {{ token = \"{TOKEN}\" }}");
    let config = Config::new(&vendor).top("page = true").table(&acme);
    let gateway = Gateway::start(&config).await;
    (vendor, gateway)
}

fn json(body: &str) -> Reply {
    format!(
        "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nX-HubSpot-RateLimit-Remaining: 99\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )
    .into()
}

/// A gateway with a page, in front of that vendor.
pub(crate) async fn gateway(vendor: &Vendor) -> Gateway {
    Gateway::start(&Config::new(vendor).top("page = true")).await
}

pub(crate) fn assert_no_faults(seen: &Value) {
    assert_eq!(seen["faults"], serde_json::json!([]), "{seen:#}");
}

pub(crate) fn of<'a>(seen: &'a Value, pointer: &str) -> &'a str {
    let found = seen.pointer(pointer).and_then(Value::as_str);
    found.unwrap_or_else(|| panic!("{pointer}: {seen:#}"))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_user_searches_chooses_sends_and_reads() {
    let (vendor, gateway) = hubspot().await;
    let Some(seen) = run("first_use", &gateway, "").await else {
        return;
    };
    assert_no_faults(&seen);
    assert!(of(&seen, "/count").contains(" of "), "{seen:#}");
    let target = "/account-info/v3/details";
    let path = of(&seen, "/path");
    assert_eq!(of(&seen, "/target"), format!("GET /passthrough/c/{path}"));
    assert_eq!(format!("/{path}"), target);
    assert!(of(&seen, "/status").starts_with("200 OK · "), "{seen:#}");
    assert!(of(&seen, "/status").ends_with(" ms"), "{seen:#}");
    assert!(
        of(&seen, "/fields").contains("x-hubspot-ratelimit-remaining"),
        "{seen:#}"
    );
    assert!(of(&seen, "/answer").contains("Europe/Berlin"), "{seen:#}");
    assert!(of(&seen, "/curl").contains("$GATEWAY_KEY"), "{seen:#}");
    assert_eq!(seen["kept"], Value::Bool(false), "the key was kept");
    assert_eq!(of(&seen, "/reloaded"), "");
    let received = vendor.next().await;
    assert_eq!(received.target(), target);
    assert_eq!(received.head.value("x-api-key"), None);
    let cookie = received
        .head
        .value("cookie")
        .or(received.head.value("referer"));
    assert_eq!(cookie, None);
    // The table is what a config file needs.
    let toml = of(&seen, "/toml");
    let config = format!(
        "[integration.hubspot]\nbase_url = \"https://api.hubapi.com\"\nauth = {{ kind = \"bearer\" }}\n{toml}"
    );
    let config: toml::Table = config.parse().unwrap();
    assert!(
        config["connection"]
            .as_table()
            .unwrap()
            .contains_key("my-hubspot"),
        "{toml}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn events_appear_one_after_the_other_and_a_call_can_be_cancelled() {
    let signals: [Signal; 3] = std::array::from_fn(|_| Signal::new());
    let given = signals.clone();
    let vendor = Vendor::replying(move |received| {
        if let Some(number) = received.target().strip_prefix("/release/") {
            let index: usize = number.parse().unwrap();
            given[index - 1].give();
            return Reply::ok("");
        }
        let head =
            "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n";
        match received.target() {
            "/events" => {
                let mut reply = Reply::bytes(head);
                for (signal, number) in given.iter().zip(1..) {
                    reply = reply
                        .then(format!("data: event {number}\n\n"))
                        .until(signal);
                }
                reply.close()
            }
            "/endless" => {
                let mut reply = Reply::bytes(format!("{head}data: begun\n\n"));
                reply.0.push(testkit::reply::Step::Silence);
                reply
            }
            _ => Reply::ok(""),
        }
    })
    .await;
    let gateway = gateway(&vendor).await;
    let direct = format!("http://{}", vendor.address());
    let Some(seen) = run("events", &gateway, &direct).await else {
        return;
    };
    assert_no_faults(&seen);
    assert_eq!(seen["seen"], serde_json::json!([[1], [1, 2], [1, 2, 3]]));
    assert!(of(&seen, "/status").starts_with("200 OK"), "{seen:#}");
    assert!(of(&seen, "/cancelled").starts_with("Cancelled"), "{seen:#}");
}

fn echo(received: &Received) -> Reply {
    let (start, body) = (&received.head.start, &received.body.data);
    let field = |name: &str| received.head.value(name).unwrap_or("-").to_owned();
    let head = format!("{start}\n{}\n{}\n", field("x-extra"), field("content-type"));
    let content = [head.as_bytes(), body].concat();
    let head = format!(
        "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: {}\r\n\r\n",
        content.len()
    );
    Reply::bytes([head.into_bytes(), content].concat())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_copied_curl_command_gives_the_same_bytes() {
    let vendor = Vendor::replying(echo).await;
    let gateway = gateway(&vendor).await;
    let Some(seen) = run("curl", &gateway, "").await else {
        return;
    };
    assert_no_faults(&seen);
    let commands = seen["commands"].as_array().unwrap();
    assert_eq!(commands.len(), 5);
    for one in commands {
        let command = of(one, "/command");
        assert!(!command.contains(KEY), "{command}");
        assert!(of(one, "/status").starts_with("200 OK"), "{one:#}");
        let output = Command::new("sh")
            .args([
                "-c",
                &format!("{command} --silent --show-error --noproxy '*'"),
            ])
            .env("GATEWAY_KEY", KEY)
            .current_dir(Folder::new().path("."))
            .output()
            .unwrap();
        let error = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{command}: {error}");
        assert_eq!(
            String::from_utf8_lossy(&output.stdout),
            of(one, "/answer"),
            "{command}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_page_says_what_a_browser_changes() {
    let elsewhere = Vendor::ok().await;
    let location = format!("http://{}/", elsewhere.address());
    let vendor = Vendor::replying(move |received| match received.target() {
        "/redirect" => {
            format!("HTTP/1.1 302 Found\r\nLocation: {location}\r\nContent-Length: 0\r\n\r\n")
                .into()
        }
        _ => echo(received),
    })
    .await;
    let gateway = gateway(&vendor).await;
    let Some(seen) = run("differences", &gateway, "").await else {
        return;
    };
    assert_no_faults(&seen);
    let state = |name: &str, part: &str| {
        let found = seen["seen"].get(name).and_then(|state| state.get(part));
        found
            .and_then(Value::as_str)
            .unwrap_or_else(|| panic!("{name} {part}: {seen:#}"))
            .to_owned()
    };
    // The bytes are those that were typed.
    for same in ["//double", "a?", "a%2Fb/%2e%2E%2f?x=%27"] {
        assert_eq!(state(same, "differs"), "", "{same}");
        assert!(state(same, "status").starts_with("200"), "{same}");
    }
    assert_eq!(state("//double", "target"), "GET /passthrough/c//double");
    for (path, sends) in [
        ("a b", "/passthrough/c/a%20b"),
        ("a\\b", "/passthrough/c/a/b"),
        ("a/../b", "/passthrough/c/b"),
        ("a#b", "/passthrough/c/a"),
        ("ü", "/passthrough/c/%C3%BC"),
        ("\"q\"", "/passthrough/c/%22q%22"),
    ] {
        let differs = state(path, "differs");
        assert!(
            differs.contains(&format!(
                "would send {sends} instead of /passthrough/c/{path}."
            )),
            "{path}: {differs}"
        );
    }
    for refused in ["../d/x", "../../metrics"] {
        let explain = state(refused, "explain");
        assert!(
            explain.contains("isn't below this connection"),
            "{refused}: {explain}"
        );
        let status = state(refused, "status");
        assert!(status.starts_with("Not sent"), "{refused}: {status}");
    }
    assert!(
        state("redirect", "status").starts_with("Redirect"),
        "{seen:#}"
    );
    assert!(state("redirect", "explain").contains("hide"), "{seen:#}");
    assert!(state("forbidden", "differs").contains("Cookie"), "{seen:#}");
    assert!(
        state("invalid", "status").starts_with("Not sent"),
        "{seen:#}"
    );
    assert_eq!(
        state("rows", "target"),
        "PATCH /passthrough/c/echo?z=1&a%26b=c%27d%20e"
    );
    assert!(
        state("content", "differs").contains("no content with GET"),
        "{seen:#}"
    );
    assert!(state("key", "status").starts_with("401"), "{seen:#}");
    assert!(
        state("key", "explain").contains("unauthenticated"),
        "{seen:#}"
    );
    assert!(state("trace", "status").starts_with("Not sent"), "{seen:#}");
    elsewhere.untouched().await;
    while let Some(received) = vendor.try_next().await {
        let target = received.target();
        assert!(!target.contains("metrics") && target != "/x", "{target}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_field_or_the_key_names_the_connection() {
    for (ways, has_id, has_key) in [
        ("[\"header\"]", true, true),
        ("[\"key\"]", false, true),
        ("[\"header\", \"key\"]", true, true),
        ("[\"path\"]", true, false),
    ] {
        let vendor = Vendor::replying(echo).await;
        let config = Config::new(&vendor).top(&format!("page = true\naddress_by = {ways}"));
        let config = match has_key {
            true => config.callers(&format!(
                "[[caller]]\napi_key = \"{KEY}\"\nconnections = [\"c\"]"
            )),
            false => config.anyone(),
        };
        let gateway = Gateway::start(&config).await;
        let Some(seen) = run("by_header", &gateway, &vendor.origin()).await else {
            return;
        };
        assert_no_faults(&seen);
        assert_eq!(seen["hasId"], Value::Bool(has_id), "{ways}");
        assert_eq!(seen["hasKey"], Value::Bool(has_key), "{ways}");
        assert!(
            of(&seen, "/status").starts_with("200 OK"),
            "{ways}: {seen:#}"
        );
        assert!(
            of(&seen, "/answer").starts_with("GET /echo HTTP/1.1"),
            "{ways}: {seen:#}"
        );
        let curl = of(&seen, "/curl");
        let has_field = ways.contains("header");
        assert_eq!(curl.contains("x-connection: c"), has_field, "{curl}");
        assert_eq!(curl.contains("$GATEWAY_KEY"), has_key, "{curl}");
    }
}

/// A proxy may remove a path in front of the gateway. The key must not go to the application that has the rest of the origin.
#[tokio::test(flavor = "multi_thread")]
async fn calls_stay_below_the_path_of_the_page() {
    let vendor = Vendor::ok().await;
    let gateway = gateway(&vendor).await;
    let Some(seen) = run("prefix", &gateway, "").await else {
        return;
    };
    assert_no_faults(&seen);
    assert_eq!(seen["elsewhere"], serde_json::json!([]), "{seen:#}");
    assert!(of(&seen, "/status").starts_with("200 "), "{seen:#}");
    assert_eq!(vendor.next().await.target(), "/v1/models");
    assert!(vendor.try_next().await.is_none());
    assert_eq!(of(&seen, "/target"), "GET /sub/passthrough/c/v1/models");
    let mount = format!("{}/passthrough/c", of(&seen, "/at"));
    let command = of(&seen, "/curl");
    assert!(
        command.ends_with(&format!("'{mount}/v1/models'")),
        "{command}"
    );
    let code: Vec<String> = serde_json::from_value(seen["code"].clone()).unwrap();
    let python = code.iter().find(|code| code.contains("from openai import"));
    let python = python.unwrap_or_else(|| panic!("{seen:#}"));
    assert!(python.contains(&format!("\"{mount}\"")), "{python}");
    let refused = of(&seen, "/left");
    assert!(refused.contains("isn't below this connection"), "{refused}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_code_for_an_sdk_has_the_address_of_the_gateway() {
    let vendor = Vendor::ok().await;
    let gateway = gateway(&vendor).await;
    let Some(seen) = run("sdks", &gateway, "").await else {
        return;
    };
    assert_no_faults(&seen);
    let code: Vec<String> = serde_json::from_value(seen["code"].clone()).unwrap();
    let mount = gateway.url("/passthrough/acme");
    let python = code.iter().find(|code| code.contains("from openai import"));
    let python = python.unwrap_or_else(|| panic!("{seen:#}"));
    assert!(python.contains(&format!("\"{mount}\"")), "{python}");
    assert!(python.contains("GATEWAY_KEY"), "{python}");
    let hostile: Vec<String> = serde_json::from_value(seen["hostile"].clone()).unwrap();
    for code in code.iter().chain(&hostile) {
        assert!(!code.contains(".invalid"), "{code}");
        assert!(
            !code.contains("</script>") && !code.contains("a'b"),
            "{code}"
        );
    }
    assert!(
        hostile
            .iter()
            .any(|code| code.contains("a%27b%22c%3C%2Fscript%3E")),
        "{hostile:#?}"
    );
    assert!(
        of(&seen, "/visible").contains("Python · openai"),
        "{seen:#}"
    );
    assert_eq!(seen["tab"], Value::Bool(false));
}
