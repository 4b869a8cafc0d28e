//! The ways in which a call names its connection: `address_by`.

use testkit::caller::RawResponse;
use testkit::process::canary::KEY;
use testkit::process::config::Config;
use testkit::process::gateway::Gateway;
use testkit::vendor::{Received, Vendor};

const HOSTS: &str = "host_pattern = \"{connection}.gw.test\"";

/// The key `KEY` may use all connections, and the key `c4nary-of-d` only the connection `d`.
async fn start(top: &str) -> (Vendor, Gateway) {
    let vendor = Vendor::ok().await;
    let callers = format!(
        "[[caller]]\napi_key = \"{KEY}\"\nconnections = [\"*\"]\n\
         [[caller]]\napi_key = \"c4nary-of-d\"\nconnections = [\"d\"]"
    );
    let d = "[connection.d]\nintegration = \"v\"\nsecret = { token = \"c4nary-token-d\" }";
    let config = Config::new(&vendor).path("/v2").callers(&callers);
    let gateway = Gateway::start(&config.top(top).table(d)).await;
    (vendor, gateway)
}

fn at(host: &str, target: &str, lines: &[&str]) -> String {
    let lines: String = lines.iter().map(|line| format!("{line}\r\n")).collect();
    format!("GET {target} HTTP/1.1\r\nHost: {host}\r\n{lines}\r\n")
}

fn key() -> String {
    format!("x-api-key: {KEY}")
}

const OF_D: &str = "x-api-key: c4nary-of-d";

fn is_for(received: &Received, target: &str, connection: &str) {
    assert_eq!(received.target(), target);
    let token = match connection {
        "d" => "Bearer c4nary-token-d".to_owned(),
        _ => format!("Bearer {}", testkit::process::canary::TOKEN),
    };
    assert_eq!(received.head.value("authorization"), Some(&*token));
    assert!(!received.head.has("x-connection") && !received.head.has("x-api-key"));
}

#[track_caller]
fn is_refusal(answer: &RawResponse, status: u16, code: Option<&str>) {
    assert_eq!(
        (answer.status(), answer.error()),
        (status, code),
        "{}",
        answer.text()
    );
}

#[tokio::test]
async fn p23_by_host_the_gateways_own_paths_belong_to_the_upstream() {
    let top = format!("address_by = [\"path\", \"host\"]\n{HOSTS}");
    let (vendor, gateway) = start(&top).await;
    let key = key();
    for target in [
        "/users/7?a",
        "/healthz",
        "/readyz",
        "/metrics",
        "/passthrough/c/x",
        "/",
    ] {
        let answer = gateway.raw(at("D.gw.test:99", target, &[&key])).await;
        is_refusal(&answer, 200, None);
        is_for(&vendor.next().await, &format!("/v2{target}"), "d");
        let answer = gateway.raw(at("d.gw.test", target, &[])).await;
        is_refusal(&answer, 401, Some("unauthenticated"));
    }
    let answer = gateway.raw(at("none.gw.test", "/x", &[&key])).await;
    is_refusal(&answer, 404, Some("unknown-connection"));
    // A key may use only its own connections, by each way.
    let answer = gateway.raw(at("c.gw.test", "/x", &[OF_D])).await;
    is_refusal(&answer, 404, Some("unknown-connection"));
    // Other hosts have the mount and the pages.
    let answer = gateway
        .raw(at("gw.test", "/passthrough/c/x", &[&key]))
        .await;
    is_refusal(&answer, 200, None);
    is_for(&vendor.next().await, "/v2/x", "c");
    assert_eq!(
        gateway.raw(at("gw.test", "/healthz", &[])).await.text(),
        "ok\n"
    );
    is_refusal(&gateway.raw(at("gw.test", "/x", &[&key])).await, 404, None);
    assert!(vendor.try_next().await.is_none());
}

#[tokio::test]
async fn p23_by_host_alone_there_is_no_mount() {
    let (vendor, gateway) = start(&format!("address_by = [\"host\"]\n{HOSTS}")).await;
    let key = key();
    let answer = gateway.raw(at("d.gw.test", "/x", &[&key])).await;
    is_refusal(&answer, 200, None);
    is_for(&vendor.next().await, "/v2/x", "d");
    let answer = gateway
        .raw(at("gw.test", "/passthrough/d/x", &[&key]))
        .await;
    is_refusal(&answer, 404, None);
    assert!(answer.text().contains("the host of a call"));
}

#[tokio::test]
async fn p24_a_field_names_the_connection_below_the_mount() {
    for mount in ["/passthrough", "/"] {
        let top = format!("address_by = [\"path\", \"header\"]\nmount = \"{mount}\"");
        let (vendor, gateway) = start(&top).await;
        let (key, mount) = (key(), mount.trim_end_matches('/'));
        let lines = [&*key, "X-Connection: d"];
        let call = at("gw.test", &format!("{mount}/c/x?a"), &lines);
        is_refusal(&gateway.raw(call).await, 200, None);
        is_for(&vendor.next().await, "/v2/c/x?a", "d");
        let call = at("gw.test", &format!("{mount}/c/x"), &[&key]);
        is_refusal(&gateway.raw(call).await, 200, None);
        is_for(&vendor.next().await, "/v2/x", "c");
        let healthy = gateway.raw(at("gw.test", "/healthz", &lines)).await;
        assert_eq!(healthy.text(), "ok\n");
    }
}

#[tokio::test]
async fn p25_a_key_of_a_single_connection_names_it() {
    let (vendor, gateway) = start("address_by = [\"path\", \"header\", \"key\"]").await;
    for (target, lines, expected) in [
        ("/upload/x?a", &[OF_D][..], "/v2/upload/x?a"),
        ("/", &[OF_D], "/v2/"),
        ("/passthrough-news", &[OF_D], "/v2/passthrough-news"),
        ("/passthrough/d/x", &[OF_D], "/v2/x"),
        ("/passthrough/x", &[OF_D, "x-connection: d"], "/v2/x"),
    ] {
        let answer = gateway.raw(at("gw.test", target, lines)).await;
        is_refusal(&answer, 200, None);
        is_for(&vendor.next().await, expected, "d");
    }
    let key = key();
    for (target, lines, status, code) in [
        ("/upload/x", &[][..], 401, Some("unauthenticated")),
        // This key names none, because it may use several.
        ("/upload/x", &[&*key], 404, None),
        // The path names a connection, and no other way is tried.
        ("/passthrough/x/y", &[OF_D], 404, Some("unknown-connection")),
        ("/upload/x", &[OF_D, "x-connection: d"], 404, None),
    ] {
        let answer = gateway.raw(at("gw.test", target, lines)).await;
        is_refusal(&answer, status, code);
    }
    assert_eq!(
        gateway.raw(at("gw.test", "/healthz", &[OF_D])).await.text(),
        "ok\n"
    );
    assert!(vendor.try_next().await.is_none());
}

#[tokio::test]
async fn p25_without_the_way_by_path_the_mount_is_removed_if_it_is_there() {
    for mount in ["/passthrough", "/"] {
        let top = format!("address_by = [\"key\"]\nmount = \"{mount}\"\nrewrite_links = true");
        let (vendor, gateway) = start(&top).await;
        let below = format!("{}/users", mount.trim_end_matches('/'));
        for target in [&*below, "/users", "//users"] {
            let answer = gateway.raw(at("gw.test", target, &[OF_D])).await;
            is_refusal(&answer, 200, None);
            let slash = if target == "//users" { "/" } else { "" };
            is_for(&vendor.next().await, &format!("/v2{slash}/users"), "d");
        }
        let answer = gateway.raw(at("gw.test", &below, &[&key()])).await;
        is_refusal(&answer, 400, Some("bad-address"));
    }
}
