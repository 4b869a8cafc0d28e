//! SIGHUP: the gateway reads the config file again, and loses no call.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use http::Request;
use rustix::process::Signal;
use tokio::net::TcpListener;
use tokio::task::JoinSet;

use testkit::caller::{Caller, RawResponse};
use testkit::h2_caller::{H2Caller, request};
use testkit::manual::ManualVendor;
use testkit::process::canary::{KEY, TOKEN};
use testkit::process::config::Config;
use testkit::process::folder::Folder;
use testkit::process::gateway::Gateway;
use testkit::vendor::Vendor;
use testkit::wait::within;
use testkit::wire::{End, Framing};

const NEW_KEY: &str = "c4nary-n3w";

fn caller(key: &str) -> String {
    format!("[[caller]]\napi_key = \"{key}\"\nconnections = [\"*\"]")
}

fn get(key: &str, path: &str) -> String {
    format!("GET {path} HTTP/1.1\r\nHost: a\r\nx-api-key: {key}\r\n\r\n")
}

fn h2_get(key: &str, path: &str) -> Request<()> {
    let request = request("GET", path).header("x-api-key", key);
    request.body(()).unwrap()
}

/// Returns the status, and the code of an error of the gateway.
fn outcome(response: &RawResponse) -> (u16, Option<&str>) {
    (response.status(), response.error())
}

#[tokio::test]
async fn a_new_key_is_valid_at_once_and_the_old_key_is_not() {
    let vendor = Vendor::ok().await;
    let config = Config::new(&vendor);
    let gateway = Gateway::start(&config).await;
    // Both connections are opened before the reload, and stay open.
    let mut http1 = Caller::connect(gateway.address).await;
    let mut http2 = H2Caller::connect(gateway.address).await;
    for (old, new) in [(200, 401), (401, 200)] {
        for (key, status) in [(KEY, old), (NEW_KEY, new)] {
            let answer = http1.call(get(key, "/passthrough/c/x")).await;
            assert_eq!(answer.status(), status, "{key} over HTTP/1.1");
            let answer = http2.call(h2_get(key, "/passthrough/c/x")).await;
            assert_eq!(answer.status, status, "{key} over HTTP/2");
        }
        gateway
            .reload(&config.clone().callers(&caller(NEW_KEY)))
            .await;
    }
    let line = "INFO passthrough_gateway::reload: config reloaded: 1 integration, 1 connection, 1 caller\n";
    let reloaded = |text: &str| text.contains(line);
    gateway
        .stderr
        .until("a line about the reload", reloaded)
        .await;
}

#[tokio::test]
async fn connections_limits_and_the_mount_come_from_the_new_file() {
    let vendor = Vendor::ok().await;
    let more = "[connection.more]\nintegration = \"v\"\nsecret = { token = \"c4nary\" }";
    let config = Config::new(&vendor);
    let gateway = Gateway::start(&config.clone().table(more)).await;
    let mut caller = Caller::connect(gateway.address).await;
    let more = get(KEY, "/passthrough/more/x");
    assert_eq!(caller.call(&more).await.status(), 200);
    gateway
        .reload(&config.clone().table("[limits]\nrequest_body = \"3B\""))
        .await;
    let unknown = caller.call(&more).await;
    assert_eq!(outcome(&unknown), (404, Some("unknown-connection")));
    let long = gateway.call("/c/x", &["--data", "long"]).await;
    assert_eq!((long.status(), long.error()), (413, Some("body-too-large")));

    gateway.reload(&config.top("mount = \"/elsewhere\"")).await;
    let elsewhere = caller.call(get(KEY, "/elsewhere/c/x")).await;
    assert_eq!(elsewhere.status(), 200);
    let gone = caller.call(get(KEY, "/passthrough/c/x")).await;
    assert_eq!(outcome(&gone), (404, None));
}

#[tokio::test]
async fn files_that_the_config_names_are_read_again() {
    let vendor = Vendor::ok().await;
    let config =
        Config::new(&vendor).auth("{ kind = \"bearer\" }", "{ token = { file = \"token\" } }");
    let folder = Folder::new();
    let token = folder.write("token", "c4nary-first");
    let gateway = Gateway::start_in(folder, &config, &[]).await;
    let mut caller = Caller::connect(gateway.address).await;
    for (sent, next) in [("c4nary-first", "c4nary-second"), ("c4nary-second", "")] {
        assert_eq!(
            caller.call(get(KEY, "/passthrough/c/x")).await.status(),
            200
        );
        let received = vendor.next().await;
        let expected = format!("Bearer {sent}");
        assert_eq!(received.head.value("authorization"), Some(&*expected));
        if !next.is_empty() {
            std::fs::write(&token, next).unwrap();
            gateway.reload(&config).await;
        }
    }
}

#[tokio::test]
async fn an_invalid_file_keeps_the_old_config_and_the_log_names_the_place() {
    let vendor = Vendor::ok().await;
    let config = Config::new(&vendor);
    let gateway = Gateway::start(&config).await;
    let mut caller = Caller::connect(gateway.address).await;
    for (bad, place, what) in [
        (
            config.clone().top("shutdown = \"c4nary\"").to_string(),
            ":2:12: shutdown: ",
            "expected a duration",
        ),
        (
            config
                .clone()
                .connection("nothing = \"c4nary\"")
                .to_string(),
            ": connection.c.nothing: ",
            "unknown key `nothing`",
        ),
        ("listen = c4nary".to_owned(), ":1:", ""),
    ] {
        let told = |text: &str| text.matches("config not reloaded").count();
        let before = gateway.stderr.text();
        gateway.hang_up(bad);
        let more = |text: &str| told(text) > told(&before);
        let log = gateway.stderr.until("what is wrong", more).await;
        let new = log.strip_prefix(&before).unwrap();
        let line = new.lines().find(|line| line.contains("gateway.toml"));
        let line = line.unwrap_or_default();
        assert!(
            line.contains(place) && line.contains(what),
            "{place}: {new}"
        );
        assert!(!new.contains("config reloaded"), "{new}");
        let answer = caller.call(get(KEY, "/passthrough/c/x")).await;
        assert_eq!(answer.status(), 200);
        assert_eq!(
            vendor.next().await.head.value("authorization"),
            Some(&*format!("Bearer {TOKEN}"))
        );
    }
    // A valid file is accepted afterwards.
    gateway
        .reload(&config.callers(&self::caller(NEW_KEY)))
        .await;
    let answer = caller.call(get(KEY, "/passthrough/c/x")).await;
    assert_eq!(outcome(&answer), (401, Some("unauthenticated")));
}

#[tokio::test]
async fn the_listener_stays_and_the_rest_of_the_file_takes_effect() {
    let vendor = Vendor::ok().await;
    let config = Config::new(&vendor);
    let gateway = Gateway::start(&config).await;
    let other = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let moved = config.listen(other.local_addr().unwrap());
    gateway.reload(&moved.callers(&caller(NEW_KEY))).await;
    let warning = format!(
        "WARN passthrough_gateway::reload: a new `listen` needs a restart: still listening on {}",
        gateway.address
    );
    let log = gateway.stderr.text();
    assert!(log.contains(&warning), "{log}");
    let mut caller = Caller::connect(gateway.address).await;
    let answer = caller.call(get(NEW_KEY, "/passthrough/c/x")).await;
    assert_eq!(answer.status(), 200);
}

/// The old config allowed the calls. The connections of the old config's pool are closed after the calls.
#[tokio::test]
async fn a_call_in_progress_ends_by_the_old_config() {
    let vendor = ManualVendor::bind().await;
    let config = Config::new(&vendor);
    let gateway = Gateway::start(&config).await;
    let mut waiting = Caller::connect(gateway.address).await;
    waiting.write(get(KEY, "/passthrough/c/waiting")).await;
    let mut at_waiting = vendor.accept().await;
    at_waiting.head().await;
    let mut reading = Caller::connect(gateway.address).await;
    reading.write(get(KEY, "/passthrough/c/reading")).await;
    let mut at_reading = vendor.accept().await;
    at_reading.head().await;
    at_reading
        .write("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\none\r\n")
        .await;
    reading.head().await;

    // The new config has another pool, another key, and no such connection.
    let new = config.to_string().replace("connection.c]", "connection.d]");
    let new = new.replace(KEY, NEW_KEY) + "\n[timeouts]\nconnect = \"7s\"\n";
    let reloaded = |text: &str| text.contains("config reloaded");
    gateway.hang_up(new);
    gateway.stderr.until("the new config", reloaded).await;

    at_reading.write("3\r\ntwo\r\n0\r\n\r\n").await;
    let body = reading.wire.body(Framing::Chunked);
    let body = within("the rest of the body", body).await;
    assert_eq!(body.data, b"onetwo");
    assert_eq!(body.end, End::Complete);
    at_waiting
        .write("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nlate")
        .await;
    let answer = waiting.response("GET").await;
    assert_eq!((answer.status(), answer.text()), (200, "late".to_owned()));

    // Both connections belong to the old pool, which gets no calls any more.
    at_waiting.closed().await;
    at_reading.closed().await;
    let refused = waiting.call(get(KEY, "/passthrough/c/x")).await;
    assert_eq!(refused.status(), 401);
}

/// The settings of the pool are the same, so vendors see no new connection.
#[tokio::test]
async fn connections_to_vendors_stay_if_the_network_settings_stay() {
    let vendor = ManualVendor::bind().await;
    let config = Config::new(&vendor);
    let gateway = Gateway::start(&config).await;
    let mut caller = Caller::connect(gateway.address).await;
    caller.write(get(KEY, "/passthrough/c/x")).await;
    let mut connection = vendor.accept().await;
    for key in [NEW_KEY, KEY, NEW_KEY] {
        connection.head().await;
        connection
            .write("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
            .await;
        assert_eq!(caller.response("GET").await.status(), 200);
        // A comment and another order of the tables don't change the settings.
        let moved = config.clone().top("# moved").callers(&self::caller(key));
        gateway.reload(&moved).await;
        caller.write(get(key, "/passthrough/c/x")).await;
    }
    connection.head().await;
    vendor.no_other().await;
}

#[tokio::test]
async fn no_call_is_lost_during_many_reloads() {
    const CALLS: usize = 200;
    let vendor = Vendor::ok().await;
    let configs = ["5s", "6s"].map(|time| {
        let table = format!("[timeouts]\nconnect = \"{time}\"");
        Config::new(&vendor).table(&table)
    });
    let [first, second] = configs;
    let gateway = Arc::new(Gateway::start(&first).await);
    let over = Arc::new(AtomicBool::new(false));
    let mut tasks = JoinSet::new();
    tasks.spawn({
        let (gateway, over) = (Arc::clone(&gateway), Arc::clone(&over));
        async move {
            let mut caller = Caller::connect(gateway.address).await;
            let mut http2 = H2Caller::connect(gateway.address).await;
            for number in 0..CALLS / 2 {
                let path = format!("/passthrough/c/{number}");
                let answer = caller.call(get(KEY, &path)).await;
                assert_eq!(
                    (answer.status(), answer.complete()),
                    (200, true),
                    "{number}"
                );
                let answer = http2.call(h2_get(KEY, &path)).await;
                assert_eq!(answer.status, 200, "{number}");
            }
            over.store(true, Ordering::Release);
        }
    });
    let mut rain = 0;
    while !over.load(Ordering::Acquire) && !tasks.is_empty() {
        for config in [&first, &second] {
            gateway.hang_up(config.to_string());
            rain += 1;
        }
        gateway.reload(&first).await;
        if let Some(ended) = tasks.try_join_next() {
            ended.unwrap();
        }
    }
    while let Some(ended) = tasks.join_next().await {
        ended.unwrap();
    }
    assert!(rain > 2, "{rain} signals");
    // Each call reached the vendor once.
    for _ in 0..CALLS {
        vendor.next().await;
    }
    assert!(vendor.try_next().await.is_none());
}

#[tokio::test]
async fn the_demo_has_nothing_to_reload_and_continues() {
    let gateway = Gateway::demo().await;
    gateway.signal(Signal::HUP);
    let told = |text: &str| text.contains("the demo has no config to reload");
    gateway.stderr.until("a line for the signal", told).await;
    let answer = gateway.curl("/passthrough/demo/v2/customers", &[]).await;
    assert_eq!(answer.status(), 200);
}

/// A file that is being written may lack its tables for a moment. And a running gateway isn't opened to everybody.
#[tokio::test]
async fn keys_that_were_required_stay_required_until_a_restart() {
    let vendor = Vendor::ok().await;
    let config = Config::new(&vendor);
    let gateway = Gateway::start(&config).await;
    let mut caller = Caller::connect(gateway.address).await;
    for (open, why) in [
        (config.clone().callers(""), "without a [[caller]]"),
        (
            config.anyone(),
            "callers would no longer need a key; this change needs a restart",
        ),
    ] {
        let before = gateway.stderr.text();
        let told = |text: &str| text.matches("config not reloaded").count();
        gateway.hang_up(open.to_string());
        let more = |text: &str| told(text) > told(&before);
        let log = gateway.stderr.until("what is wrong", more).await;
        assert!(log.contains(why), "{log}");
        let answer = caller.call(get(NEW_KEY, "/passthrough/c/x")).await;
        assert_eq!(outcome(&answer), (401, Some("unauthenticated")));
    }
}

#[tokio::test]
async fn a_reload_does_not_reset_the_limit_of_calls() {
    let vendor = ManualVendor::bind().await;
    let config = Config::new(&vendor).table("[limits]\nin_flight_per_connection = 1");
    let gateway = Gateway::start(&config).await;
    let mut first = Caller::connect(gateway.address).await;
    first.write(get(KEY, "/passthrough/c/x")).await;
    let mut connection = vendor.accept().await;
    connection.head().await;
    gateway.reload(&config).await;
    let mut second = Caller::connect(gateway.address).await;
    let answer = second.call(get(KEY, "/passthrough/c/x")).await;
    assert_eq!(outcome(&answer), (503, Some("overloaded")));
    connection
        .write("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
        .await;
    assert_eq!(first.response("GET").await.status(), 200);
}
