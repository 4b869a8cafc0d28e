//! SIGTERM and SIGINT: calls in progress end, and new calls aren't accepted.

use rustix::process::Signal;
use tokio::net::TcpStream;

use testkit::caller::Caller;
use testkit::gateway::Origin;
use testkit::manual::{ManualVendor, VendorConnection};
use testkit::process::binary::run;
use testkit::process::canary::KEY;
use testkit::process::config::Config;
use testkit::process::folder::Folder;
use testkit::process::gateway::Gateway;
use testkit::vendor::Vendor;
use testkit::wait::within;

/// Returns a gateway, a caller with a call in progress, and the vendor's side of the call.
async fn under_way(shutdown: &str) -> (Gateway, Caller, VendorConnection) {
    let vendor = ManualVendor::bind().await;
    let config = Config::new(&vendor).top(&format!("shutdown = \"{shutdown}\""));
    let gateway = Gateway::start(&config).await;
    let mut caller = Caller::connect(gateway.address).await;
    let head = "GET /passthrough/c/x HTTP/1.1\r\nHost: a\r\n";
    caller
        .write(format!("{head}x-api-key: {KEY}\r\n\r\n"))
        .await;
    let mut connection = vendor.accept().await;
    connection.head().await;
    (gateway, caller, connection)
}

/// Waits until the listener is closed, which is the first step of a stop.
async fn refuses_callers(gateway: &Gateway) {
    let closed = async {
        while TcpStream::connect(gateway.address).await.is_ok() {
            tokio::task::yield_now().await;
        }
    };
    within("the listener to close", closed).await;
}

#[tokio::test]
async fn a_call_in_progress_finishes_and_the_exit_code_is_0() {
    for signal in [Signal::TERM, Signal::INT] {
        let (mut gateway, mut caller, mut vendor) = under_way("1h").await;
        gateway.signal(signal);
        refuses_callers(&gateway).await;
        vendor
            .write("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nlate")
            .await;
        let response = caller.response("GET").await;
        assert_eq!(
            (response.status(), response.text()),
            (200, "late".to_owned())
        );
        drop(caller);
        assert_eq!(gateway.exit().await.code(), Some(0), "{signal:?}");
        assert_eq!(gateway.calls(1).await.len(), 1);
    }
}

#[tokio::test]
async fn an_idle_gateway_stops_at_once() {
    let vendor = ManualVendor::bind().await;
    let config = Config::new(&vendor).top("shutdown = \"1h\"");
    let mut gateway = Gateway::start(&config).await;
    // A caller without a call in progress doesn't delay the stop.
    let mut idle = Caller::connect(gateway.address).await;
    let response = idle.call("GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n").await;
    assert_eq!(response.status(), 200);
    gateway.signal(Signal::TERM);
    idle.closed().await;
    drop(idle);
    assert_eq!(gateway.exit().await.code(), Some(0));
}

#[tokio::test]
async fn shutdown_limits_the_wait_for_calls() {
    let (mut gateway, mut caller, mut vendor) = under_way("200ms").await;
    gateway.signal(Signal::TERM);
    vendor.closed().await;
    assert!(caller.closed().await.is_empty());
    assert_eq!(gateway.exit().await.code(), Some(0));
    let calls = gateway.calls(1).await.concat();
    assert!(calls.contains("outcome=\"cancelled\""), "{calls}");
}

#[tokio::test]
async fn a_second_signal_stops_at_once() {
    let (mut gateway, mut caller, mut vendor) = under_way("1h").await;
    gateway.signal(Signal::TERM);
    refuses_callers(&gateway).await;
    gateway.signal(Signal::INT);
    vendor.closed().await;
    assert!(caller.closed().await.is_empty());
    assert_eq!(gateway.exit().await.code(), Some(0));
}

/// Connections that still wait for the listener are served too, because a call may already have been sent on them.
#[tokio::test]
async fn calls_that_were_sent_before_the_stop_are_answered() {
    for _ in 0..3 {
        let vendor = Vendor::ok().await;
        let config = Config::new(&vendor).top("shutdown = \"1h\"");
        let mut gateway = Gateway::start(&config).await;
        let get = format!("GET /passthrough/c/x HTTP/1.1\r\nHost: a\r\nx-api-key: {KEY}\r\n\r\n");
        let mut callers = Vec::new();
        for _ in 0..20 {
            let mut idle = Caller::connect(gateway.address).await;
            assert_eq!(idle.call(&get).await.status(), 200);
            callers.push(idle);
        }
        // The gateway gets all of the following at once when it continues.
        gateway.signal(Signal::STOP);
        for at in 0..20 {
            let idle = callers.get_mut(at).unwrap();
            idle.write(&get).await;
            let mut new = Caller::connect(gateway.address).await;
            new.write(&get).await;
            callers.push(new);
        }
        gateway.signal(Signal::TERM);
        gateway.signal(Signal::CONT);
        for caller in &mut callers {
            let response = caller.response("GET").await;
            assert_eq!((response.status(), response.complete()), (200, true));
            assert!(caller.closed().await.is_empty());
        }
        drop(callers);
        assert_eq!(gateway.exit().await.code(), Some(0));
    }
}

#[tokio::test]
async fn the_last_answer_has_connection_close() {
    let (mut gateway, mut caller, mut vendor) = under_way("1h").await;
    gateway.signal(Signal::TERM);
    refuses_callers(&gateway).await;
    vendor
        .write("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
        .await;
    let response = caller.response("GET").await;
    assert_eq!(response.head.values("connection"), ["close"]);
    assert!(caller.closed().await.is_empty());
    drop(caller);
    assert_eq!(gateway.exit().await.code(), Some(0));
}

#[tokio::test]
async fn a_sighup_during_the_stop_changes_nothing() {
    let (mut gateway, mut caller, mut vendor) = under_way("1h").await;
    gateway.signal(Signal::TERM);
    refuses_callers(&gateway).await;
    gateway.signal(Signal::HUP);
    vendor
        .write("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nlate")
        .await;
    assert_eq!(caller.response("GET").await.text(), "late");
    drop(caller);
    assert_eq!(gateway.exit().await.code(), Some(0));
}

/// A gateway with a call that waits for a token, the caller, and the token endpoint's side.
async fn refreshing(folder: Folder, shutdown: &str) -> (Gateway, Caller, VendorConnection, Config) {
    const STORE_KEY: &str = "YWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWE=";
    let vendor = ManualVendor::bind().await;
    let url = format!("sqlite://{}", folder.path("connections.db").display());
    let store = format!("[store]\nkind = \"sqlite\"\nurl = \"{url}\"\nkey = \"{STORE_KEY}\"");
    let auth = format!(
        "{{ kind = \"oauth2\", token_url = \"{}/token\", client_id = \"a\", client_secret = \"c4nary\" }}",
        vendor.origin()
    );
    let config = Config::new(&vendor)
        .auth(&auth, "{ refresh_token = \"c4nary-r0\" }")
        .top(&format!("shutdown = \"{shutdown}\""))
        .table(&store);
    let file = folder.write("gateway.toml", config.to_string());
    let file = file.to_str().unwrap();
    let imported = run(&["--config", file, "connections", "import", file]);
    assert_eq!(imported.code, Some(0), "{imported:?}");
    let gateway = Gateway::start_in(folder, &config, &[]).await;
    let mut caller = Caller::connect(gateway.address).await;
    let head = "GET /passthrough/c/x HTTP/1.1\r\nHost: a\r\n";
    caller
        .write(format!("{head}x-api-key: {}\r\n\r\n", KEY))
        .await;
    let mut connection = vendor.accept().await;
    assert!(connection.request().await.target().starts_with("/token"));
    (gateway, caller, connection, config)
}

#[tokio::test]
async fn shutdown_bounds_refreshes_too_and_the_log_names_them() {
    let (mut gateway, _caller, _connection, _) = refreshing(Folder::new(), "200ms").await;
    gateway.signal(Signal::TERM);
    // The token endpoint would be waited for for 15 s.
    assert_eq!(gateway.exit().await.code(), Some(0));
    let log = gateway.stderr.text();
    let line = log
        .lines()
        .find(|line| line.contains("refreshes of tokens are still under way"));
    let line = line.unwrap_or_else(|| panic!("{log}"));
    assert!(line.ends_with("refreshes=1 connections=[\"c\"]"), "{line}");
}

/// Also if its caller has left.
#[tokio::test]
async fn a_refresh_that_ends_within_shutdown_is_stored() {
    let folder = Folder::new();
    let file = folder.path("connections.db");
    let (mut gateway, caller, mut connection, _) = refreshing(folder, "1h").await;
    caller.wire.reset();
    gateway.calls(1).await;
    gateway.signal(Signal::TERM);
    refuses_callers(&gateway).await;
    let sqlite = rusqlite::Connection::open(file).unwrap();
    let tokens = "{\"access_token\":\"c4nary-a1\",\"token_type\":\"Bearer\",\"expires_in\":3600}";
    let length = tokens.len();
    connection
        .write(format!(
            "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n\r\n{tokens}"
        ))
        .await;
    assert_eq!(gateway.exit().await.code(), Some(0));
    let refreshed = "SELECT count(*) FROM connections WHERE refreshed_at IS NOT NULL";
    let refreshed: u64 = sqlite.query_row(refreshed, [], |row| row.get(0)).unwrap();
    assert_eq!(refreshed, 1);
    let log = gateway.stderr.text();
    assert!(!log.contains("cut off"), "{log}");
}
