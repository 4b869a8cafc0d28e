//! The keys of `[integration.*]` that replace a setting of the whole gateway, and the settings of the transport.

use std::net::SocketAddr;
use std::time::Duration;

use testkit::certificates;
use testkit::egress_proxy::{EgressProxy, Verdict};
use testkit::gateway::Origin as _;
use testkit::h2_vendor::H2Vendor;
use testkit::manual::ManualVendor;
use testkit::process::config::Config;
use testkit::process::folder::Folder;
use testkit::process::gateway::Gateway;
use testkit::reply::Reply;
use testkit::vendor::Vendor;
use testkit::wait::{Signal, within};
use tokio::net::TcpListener;

/// A connection `d` of an integration `w` without the keys of integration `v`, at the same upstream.
fn beside(config: &Config) -> String {
    format!(
        "[integration.w]\nbase_url = \"{}\"\n[connection.d]\nintegration = \"w\"",
        config.origin()
    )
}

/// Returns a gateway whose integrations `v` and `w` have the same upstream, and only `v` has these lines.
async fn with_both(vendor: &Vendor, lines: &str, tables: &str) -> Gateway {
    let config = Config::new(vendor).integration(lines);
    let beside = beside(&config);
    Gateway::start(&config.table(&beside).table(tables)).await
}

/// The call of the integration without the key ends the call's wait, so the time limit of the other is longer.
#[tokio::test]
async fn integration_timeouts_response_head() {
    let signal = Signal::new();
    let release = signal.clone();
    let vendor = Vendor::replying(move |_| Reply::default().until(&signal).then(ok("late"))).await;
    let lines = "timeouts = { response_head = \"1h\" }";
    let gateway = with_both(&vendor, lines, "[timeouts]\nresponse_head = \"300ms\"").await;
    let others = async {
        vendor.next().await;
        let cut = gateway.call("/d/x", &[]).await;
        assert_eq!((cut.status(), cut.error()), (504, Some("upstream-timeout")));
        release.give();
    };
    let (answer, ()) = tokio::join!(gateway.call("/c/x", &[]), others);
    assert_eq!((answer.status(), answer.body()), (200, "late"));
}

fn ok(body: &str) -> String {
    format!(
        "HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )
}

/// Returns a vendor whose answers have this content type, and are silent in the middle until the signal.
async fn silent_in_the_middle(content_type: &'static str) -> (Vendor, Signal) {
    let signal = Signal::new();
    let release = signal.clone();
    let vendor = Vendor::replying(move |received| {
        let content_type = match received.target() {
            "/plain" => "text/plain",
            _ => content_type,
        };
        let head =
            format!("HTTP/1.1 200 OK\r\nContent-Type: {content_type}\r\nContent-Length: 2\r\n\r\n");
        Reply::bytes(head).then("a").until(&signal).then("b")
    })
    .await;
    (vendor, release)
}

#[tokio::test]
async fn integration_timeouts_idle() {
    let (vendor, release) = silent_in_the_middle("application/json").await;
    let lines = "timeouts = { idle = \"1h\" }";
    let gateway = with_both(&vendor, lines, "[timeouts]\nidle = \"300ms\"").await;
    let others = async {
        vendor.next().await;
        let cut = gateway.call("/d/x", &[]).await;
        assert_eq!((cut.exit, cut.body()), (Some(18), "a"), "{cut:?}");
        release.give();
    };
    let (answer, ()) = tokio::join!(gateway.call("/c/x", &[]), others);
    assert_eq!((answer.status(), answer.body()), (200, "ab"));
}

/// A response that isn't an event stream is cut in the meantime.
#[tokio::test]
async fn timeouts_stream_idle() {
    for (tables, lines) in [
        ("[timeouts]\nidle = \"300ms\"\nstream_idle = \"1h\"", ""),
        (
            "[timeouts]\nidle = \"300ms\"",
            "timeouts = { stream_idle = \"1h\" }",
        ),
    ] {
        let (vendor, release) = silent_in_the_middle("text/event-stream").await;
        let gateway = with_both(&vendor, lines, tables).await;
        let others = async {
            vendor.next().await;
            let cut = gateway.call("/d/plain", &[]).await;
            assert_eq!((cut.exit, cut.body()), (Some(18), "a"), "{cut:?}");
            release.give();
        };
        let (answer, ()) = tokio::join!(gateway.call("/c/x", &[]), others);
        assert_eq!((answer.status(), answer.body()), (200, "ab"), "{lines}");
    }
}

#[tokio::test]
async fn integration_timeouts_total() {
    let vendor = Vendor::answering(Reply::silence()).await;
    let change = Config::new(&vendor).integration("timeouts = { total = \"300ms\" }");
    let gateway = Gateway::start(&change).await;
    let answer = gateway.call("/c/x", &[]).await;
    let answered = (answer.status(), answer.error());
    assert_eq!(answered, (504, Some("upstream-timeout")));
}

/// Returns the names of the fields as they were received.
fn names(raw: &[u8]) -> Vec<String> {
    let text = String::from_utf8_lossy(raw).into_owned();
    let lines = text.lines().skip(1);
    let names = lines.filter_map(|line| line.split_once(':'));
    names.map(|(name, _)| name.to_owned()).collect()
}

/// The two forms never share a network connection.
#[tokio::test]
async fn k6_integration_title_case() {
    for (top, lines, expected) in [
        ("", "title_case = true", "X-Test"),
        ("title_case = true", "", "X-Test"),
        ("title_case = true", "title_case = false", "x-test"),
        ("", "", "x-test"),
    ] {
        let vendor = Vendor::ok().await;
        let config = Config::new(&vendor).top(top).integration(lines);
        let beside = beside(&config);
        let gateway = Gateway::start(&config.table(&beside)).await;
        let mut connections = Vec::new();
        for id in ["c", "d", "c"] {
            // A connection rests before another key uses it.
            tokio::time::sleep(Duration::from_millis(40)).await;
            gateway
                .call(&format!("/{id}/x"), &["-H", "x-TEST: a"])
                .await;
            let received = vendor.next().await;
            let names = names(&received.head.raw);
            let expected = match (id, top) {
                ("c", _) => expected,
                ("d", "") => "x-test",
                _ => "X-Test",
            };
            assert!(
                names.contains(&expected.to_owned()),
                "{top} {lines} {id}: {names:?}"
            );
            connections.push(received.connection);
        }
        let are_equal = (lines, top) != ("title_case = true", "") && lines != "title_case = false";
        let expected = if are_equal { [0, 0, 0] } else { [0, 1, 0] };
        assert_eq!(connections, expected, "{top} {lines}");
    }
}

async fn over_tls(
    vendor: &(impl testkit::gateway::Origin + ?Sized),
    network: &str,
    lines: &str,
) -> Gateway {
    let folder = Folder::new();
    folder.write("ca.pem", certificates::root_pem());
    let network = format!(
        "allow = [\"127.0.0.0/8\"]\nresolve = {{ \"vendor.test\" = \"127.0.0.1\" }}\nextra_roots = [\"ca.pem\"]\n{network}"
    );
    let config = Config::new(vendor).network(&network).integration(lines);
    Gateway::start_in(folder, &config, &[]).await
}

/// The vendor prefers HTTP/2 in TLS's handshake, and answers only HTTP/1.1.
#[tokio::test]
async fn integration_http1_and_network_http1_only() {
    for (network, lines, is_http1) in [
        ("", "http = \"http1\"", true),
        ("http1_only = true", "", true),
        ("http1_only = true", "http = \"auto\"", true),
        ("", "http = \"auto\"", false),
        ("", "", false),
    ] {
        let vendor = Vendor::replying_over_tls(&["h2", "http/1.1"], |_| Reply::ok("ok")).await;
        let gateway = over_tls(&vendor, network, lines).await;
        let answer = gateway.call("/c/x", &["--max-time", "5"]).await;
        if is_http1 {
            assert_eq!(
                (answer.status(), answer.body()),
                (200, "ok"),
                "{network} {lines}"
            );
            assert_eq!(vendor.next().await.target(), "/x");
        } else {
            assert_ne!(answer.status(), 200, "{network} {lines}");
        }
        if lines == "http = \"http1\"" {
            let grpc = ["-H", "content-type: application/grpc", "--data", "x"];
            let answer = gateway.call("/c/x", &grpc).await;
            assert_eq!(answer.error(), Some("upstream-unreachable"), "{answer:?}");
            assert!(vendor.try_next().await.is_none());
        }
    }
}

/// An upstream that speaks HTTP/2 without TLS and without HTTP/1.1.
struct H2c(SocketAddr, tokio::task::JoinHandle<()>);

impl H2c {
    async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let serve = async move {
            while let Ok((socket, _)) = listener.accept().await {
                tokio::spawn(async move {
                    let Ok(mut connection) = h2::server::handshake(socket).await else {
                        return;
                    };
                    while let Some(Ok((_, mut respond))) = connection.accept().await {
                        let mut body = respond
                            .send_response(http::Response::new(()), false)
                            .unwrap();
                        body.send_data("ok".into(), true).unwrap();
                    }
                });
            }
        };
        Self(address, tokio::spawn(serve))
    }
}

impl Drop for H2c {
    fn drop(&mut self) {
        self.1.abort();
    }
}

#[tokio::test]
async fn integration_http2_and_network_http2_prior_knowledge() {
    for (line, lines, is_http2) in [
        ("", "http = \"http2\"", true),
        ("http2_prior_knowledge = true", "", true),
        ("http2_prior_knowledge = true", "http = \"http1\"", false),
        ("", "", false),
    ] {
        let vendor = H2c::start().await;
        let origin = format!("http://vendor.test:{}", vendor.0.port());
        let network = format!("{PLAIN}\n{line}");
        let config = Config::new(&*origin).network(&network).integration(lines);
        let gateway = Gateway::start(&config).await;
        let answer = gateway.call("/c/x", &["--max-time", "5"]).await;
        assert_eq!(
            answer.stdout.contains(" 200"),
            is_http2,
            "{line} {lines}: {answer:?}"
        );
    }
    let vendor = H2Vendor::start().await;
    let gateway = over_tls(&vendor, "", "http = \"http2\"").await;
    let serve = async { vendor.next().await.ok("ok") };
    let (answer, ()) = tokio::join!(gateway.call("/c/x", &[]), serve);
    assert_eq!((answer.status(), answer.body()), (200, "ok"), "{answer:?}");
    // An upstream without HTTP/2 gets nothing.
    let vendor = Vendor::replying_over_tls(&["http/1.1"], |_| Reply::ok("ok")).await;
    let gateway = over_tls(&vendor, "", "http = \"http2\"").await;
    let answer = gateway.call("/c/x", &[]).await;
    let answered = (answer.status(), answer.error());
    assert_eq!(answered, (502, Some("upstream-unreachable")), "{answer:?}");
    assert!(vendor.try_next().await.is_none());
}

/// A WebSocket needs HTTP/1.1, also at an upstream that is set to HTTP/2.
#[tokio::test]
async fn a_websocket_of_an_http2_integration_uses_http1() {
    let vendor = ManualVendor::bind().await;
    let config = Config::new(&vendor).integration("http = \"http2\"\ntitle_case = true");
    let gateway = Gateway::start(&config).await;
    let handshake = [
        "--max-time",
        "5",
        "-H",
        "connection: upgrade",
        "-H",
        "upgrade: websocket",
        "-H",
        "sec-websocket-version: 13",
        "-H",
        "sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==",
    ];
    let serve = async {
        let mut connection = vendor.accept().await;
        let head = connection.head().await;
        connection
            .write("HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n")
            .await;
        (connection, head)
    };
    let (answer, (_connection, head)) = tokio::join!(gateway.call("/c/x", &handshake), serve);
    assert_eq!(answer.status(), 403, "{answer:?}");
    let names = names(&head.raw);
    assert!(names.contains(&"Sec-Websocket-Key".to_owned()), "{names:?}");
}

#[tokio::test]
async fn integration_response_headers() {
    let vendor = "HTTP/1.1 200 OK\r\nSet-Cookie: a=b\r\nContent-Length: 0\r\n\r\n";
    for (top, line, cookie) in [
        ("", "response_headers = \"browser-safe\"", None),
        (
            "response_headers = \"browser-safe\"",
            "response_headers = \"all\"",
            Some("a=b"),
        ),
        ("response_headers = \"browser-safe\"", "", None),
    ] {
        let vendor = Vendor::answering(vendor).await;
        let config = Config::new(&vendor).top(top).integration(line);
        let gateway = Gateway::start(&config).await;
        let answer = gateway.call("/c/x", &[]).await;
        assert_eq!(answer.field("set-cookie"), cookie, "{top} {line}");
    }
}

/// The origin of a WebSocket is checked if the gateway or the integration is browser-safe.
#[tokio::test]
async fn v9_the_origin_is_checked_for_an_integration_that_is_browser_safe() {
    let handshake = [
        "-H",
        "connection: upgrade",
        "-H",
        "upgrade: websocket",
        "-H",
        "sec-websocket-version: 13",
        "-H",
        "sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==",
        "-H",
        "origin: https://evil.example",
    ];
    for (top, line) in [
        ("", "response_headers = \"browser-safe\""),
        (
            "response_headers = \"browser-safe\"",
            "response_headers = \"all\"",
        ),
    ] {
        let vendor = Vendor::ok().await;
        let config = Config::new(&vendor).top(top).integration(line);
        let gateway = Gateway::start(&config).await;
        let refused = gateway.call("/c/x", &handshake).await;
        assert_eq!(refused.error(), Some("scope-refused"), "{refused:?}");
        vendor.untouched().await;
    }
}

#[tokio::test]
async fn integration_rewrite_links() {
    let vendor = "HTTP/1.1 302 Found\r\nLocation: /y?page=2\r\nContent-Length: 0\r\n\r\n";
    for (top, line, location) in [
        ("", "rewrite_links = true", "/passthrough/c/y?page=2"),
        ("rewrite_links = true", "rewrite_links = false", "/y?page=2"),
        ("rewrite_links = true", "", "/passthrough/c/y?page=2"),
    ] {
        let vendor = Vendor::answering(vendor).await;
        let config = Config::new(&vendor).top(top).integration(line);
        let gateway = Gateway::start(&config).await;
        let answer = gateway.call("/c/x", &[]).await;
        let given = answer.field("location").unwrap();
        assert!(given.ends_with(location), "{top} {line}: {given}");
        let is_absolute = given.starts_with("http://");
        assert_eq!(is_absolute, location.contains("passthrough"), "{given}");
    }
}

#[tokio::test]
async fn p5_the_callers_parameter_replaces_the_default_of_its_name() {
    let vendor = Vendor::ok().await;
    let line = "query = { api-version = \"2026-01\", q = \"a b\" }";
    let gateway = Gateway::start(&Config::new(&vendor).integration(line)).await;
    for (target, expected) in [
        ("/c/x?api-version=2025-12", "/x?q=a+b&api-version=2025-12"),
        ("/c/x?api%2Dversion=1&z", "/x?q=a+b&api%2Dversion=1&z"),
        ("/c/x?q&api-version=2", "/x?q&api-version=2"),
        ("/c/x?Q=1", "/x?api-version=2026-01&q=a+b&Q=1"),
        ("/c/x", "/x?api-version=2026-01&q=a+b"),
        // A generated client encodes the query into the path.
        ("/c/%2Fx%3Fq%3D1", "/x?api-version=2026-01&q=1"),
    ] {
        assert_eq!(gateway.call(target, &[]).await.status(), 200, "{target}");
        assert_eq!(vendor.next().await.target(), expected, "{target}");
    }
}

const PLAIN: &str =
    "allow = [\"127.0.0.0/8\"]\nplaintext = true\nresolve = { \"vendor.test\" = \"127.0.0.1\" }";

#[tokio::test]
async fn network_egress_proxy() {
    let vendor = Vendor::ok().await;
    for (form, authorization) in [
        ("url = \"http://{address}\"", None),
        ("url = { env = \"PROXY_URL\" }", Some("u:p")),
        (
            "url = \"http://{address}\", user = \"u\", password = { env = \"PROXY_PASSWORD\" }",
            Some("u:p"),
        ),
    ] {
        let proxy = EgressProxy::http(|_| Verdict::Through).await;
        let address = proxy.address().to_string();
        let form = form.replace("{address}", &address);
        let network = format!("{PLAIN}\negress_proxy = {{ {form} }}");
        let url = proxy.url("u:p@");
        let variables = [("PROXY_URL", url.as_str()), ("PROXY_PASSWORD", "p")];
        let config = Config::new(&vendor).network(&network);
        let gateway = Gateway::start_in(Folder::new(), &config, &variables).await;
        assert_eq!(gateway.call("/c/x", &[]).await.status(), 200, "{form}");
        let asked = proxy.next().await;
        assert!(
            asked.starts_with(&format!("CONNECT {}", vendor.address())),
            "{asked}"
        );
        // `u:p` in base64.
        let has_credentials = asked.contains("dTpw");
        assert_eq!(has_credentials, authorization.is_some(), "{form}: {asked}");
        vendor.next().await;
    }
    // The environment sets no proxy.
    let proxy = EgressProxy::http(|_| Verdict::Through).await;
    let url = proxy.url("");
    let variables = [("http_proxy", url.as_str()), ("ALL_PROXY", url.as_str())];
    let config = Config::new(&vendor);
    let gateway = Gateway::start_in(Folder::new(), &config, &variables).await;
    assert_eq!(gateway.call("/c/x", &[]).await.status(), 200);
    assert_eq!(proxy.connections().await, 0);
}

/// A reload with another password opens new connections, through the proxy with that password.
#[tokio::test]
async fn a_reload_changes_the_egress_proxy() {
    let vendor = Vendor::ok().await;
    let [first, second] = [
        EgressProxy::http(|_| Verdict::Through).await,
        EgressProxy::http(|_| Verdict::Through).await,
    ];
    let with = |proxy: &EgressProxy| {
        let network = format!("{PLAIN}\negress_proxy = {{ url = \"{}\" }}", proxy.url(""));
        Config::new(&vendor).network(&network)
    };
    let gateway = Gateway::start(&with(&first)).await;
    gateway.call("/c/x", &[]).await;
    first.next().await;
    gateway.reload(&with(&second)).await;
    gateway.call("/c/x", &[]).await;
    within("the second proxy", second.next()).await;
}

/// The system's anchors are those of the file in `SSL_CERT_FILE`.
#[tokio::test]
async fn network_native_roots() {
    for (line, status) in [
        ("native_roots = true", 200),
        ("native_roots = false", 502),
        ("", 502),
    ] {
        let vendor = Vendor::replying_over_tls(&["http/1.1"], |_| Reply::ok("ok")).await;
        let folder = Folder::new();
        let file = folder.write("system.pem", certificates::root_pem());
        let network = format!(
            "allow = [\"127.0.0.0/8\"]\nresolve = {{ \"vendor.test\" = \"127.0.0.1\" }}\n{line}"
        );
        let config = Config::new(&vendor).network(&network);
        let variables = [("SSL_CERT_FILE", file.to_str().unwrap())];
        let gateway = Gateway::start_in(folder, &config, &variables).await;
        assert_eq!(gateway.call("/c/x", &[]).await.status(), status, "{line}");
    }
}

#[tokio::test]
async fn via_and_pass_forwarded() {
    let fields = ["-H", "x-forwarded-for: 192.0.2.1", "-H", "via: 1.1 front"];
    for (lines, via, forwarded) in [
        ("", &[][..], None),
        ("via = \"gw\"", &["1.1 front", "1.1 gw"], None),
        ("pass_forwarded = true", &["1.1 front"], Some("192.0.2.1")),
    ] {
        let vendor = Vendor::ok().await;
        let gateway = Gateway::start(&Config::new(&vendor).top(lines)).await;
        gateway.call("/c/x", &fields).await;
        let received = vendor.next().await;
        assert_eq!(received.head.values("via"), via, "{lines}");
        assert_eq!(received.head.value("x-forwarded-for"), forwarded, "{lines}");
    }
    let vendor = Vendor::ok().await;
    let gateway = Gateway::start(&Config::new(&vendor).top("via = \"gw\"")).await;
    let answer = gateway.call("/c/x", &["-H", "via: 1.1 gw"]).await;
    assert_eq!(answer.error(), Some("destination-refused"));
    vendor.untouched().await;
}

#[tokio::test]
async fn reject_double_encoded_dots() {
    for (line, status) in [("", 200), ("reject_double_encoded_dots = true", 400)] {
        let vendor = Vendor::ok().await;
        let gateway = Gateway::start(&Config::new(&vendor).path("/v2").top(line)).await;
        let answer = gateway.call("/c/a/%252e%252e/%252e%252e/b", &[]).await;
        assert_eq!(answer.status(), status, "{line}");
    }
}

#[tokio::test]
async fn isolate_at_the_top() {
    for (top, expected) in [("", [0, 0]), ("isolate = true", [0, 1])] {
        let vendor = Vendor::ok().await;
        let config = Config::new(&vendor).top(top);
        let config =
            config.table("[connection.d]\nintegration = \"v\"\nsecret = { token = \"t\" }");
        let gateway = Gateway::start(&config).await;
        let mut connections = Vec::new();
        for id in ["c", "d"] {
            // A connection rests before another key uses it.
            tokio::time::sleep(Duration::from_millis(40)).await;
            gateway.call(&format!("/{id}/x"), &[]).await;
            connections.push(vendor.next().await.connection);
        }
        assert_eq!(connections, expected, "{top}");
    }
}

#[tokio::test]
async fn pool_max_idle_per_host() {
    for (table, expected) in [("", [0, 0]), ("[pool]\nmax_idle_per_host = 0", [0, 1])] {
        let vendor = Vendor::ok().await;
        let gateway = Gateway::start(&Config::new(&vendor).table(table)).await;
        let mut connections = Vec::new();
        for _ in 0..2 {
            gateway.call("/c/x", &[]).await;
            connections.push(vendor.next().await.connection);
        }
        assert_eq!(connections, expected, "{table}");
    }
}

#[tokio::test]
async fn limits_buffered_bodies() {
    let auth =
        "{ kind = \"hmac\", message = \"{body}\", headers = { x-signature = \"{signature}\" } }";
    for (table, status) in [("", 200), ("[limits]\nbuffered_bodies = \"1KiB\"", 503)] {
        let vendor = Vendor::ok().await;
        let config = Config::new(&vendor)
            .auth(auth, "{ secret = \"k\" }")
            .table(table);
        let gateway = Gateway::start(&config).await;
        let body = "a".repeat(4096);
        let answer = gateway.call("/c/x", &["--data", &body]).await;
        assert_eq!(answer.status(), status, "{table} {answer:?}");
    }
}

/// Returns a vendor that answers requests for tokens with the token `fresh`, and other calls with this token only.
async fn with_tokens() -> Vendor {
    Vendor::replying(|received| {
        let tokens = "{\"access_token\":\"fresh\",\"token_type\":\"Bearer\"}";
        if received.target().starts_with("/token") {
            let length = tokens.len();
            return Reply::bytes(format!(
                "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n\r\n{tokens}"
            ));
        }
        match received.head.value("authorization") {
            Some("Bearer fresh") => Reply::ok("ok"),
            _ => Reply::from("HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n"),
        }
    })
    .await
}

fn oauth2(vendor: &Vendor, more: &str, secret: &str) -> Config {
    let url = vendor.origin();
    let auth = format!("{{ kind = \"oauth2\", token_url = \"{url}/token\", {more} }}");
    Config::new(vendor).auth(&auth, secret)
}

/// A body that is larger than the limit isn't sent again.
#[tokio::test]
async fn limits_replay() {
    for (table, status) in [("", 200), ("[limits]\nreplay = \"1KiB\"", 401)] {
        let vendor = with_tokens().await;
        let more = "client_id = \"a\", client_secret = \"b\"";
        let secret = "{ access_token = \"stale\", refresh_token = \"r\" }";
        let gateway = Gateway::start(&oauth2(&vendor, more, secret).table(table)).await;
        let body = "a".repeat(4096);
        let answer = gateway.call("/c/x", &["--data", &body]).await;
        assert_eq!(answer.status(), status, "{table}");
    }
}

/// A token that ends in half an hour is refreshed if it's less than the skew.
#[tokio::test]
async fn refresh_skew() {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    let end = now.unwrap().as_secs() + 30 * 60;
    let more = "client_id = \"a\", client_secret = \"b\"";
    let secret =
        format!("{{ access_token = \"fresh\", refresh_token = \"r\", expires_at = {end} }}");
    for (table, is_refreshed) in [("", false), ("[refresh]\nskew = \"1h\"", true)] {
        let vendor = with_tokens().await;
        let gateway = Gateway::start(&oauth2(&vendor, more, &secret).table(table)).await;
        assert_eq!(gateway.call("/c/x", &[]).await.status(), 200);
        let mut targets = vec![vendor.next().await.target().to_owned()];
        if is_refreshed {
            targets.push(vendor.next().await.target().to_owned());
        }
        let has_asked = targets.iter().any(|target| target == "/token");
        assert_eq!(has_asked, is_refreshed, "{table}: {targets:?}");
    }
}

#[test]
fn times_of_refreshes_are_above_zero() {
    for key in ["timeout", "lease"] {
        let config = format!("anyone = true\n[refresh]\n{key} = \"0s\"");
        let ended = testkit::process::binary::check(config);
        assert_eq!(ended.code, Some(2), "{ended:?}");
        let expected = format!("refresh.{key}: expected a duration above zero");
        assert!(ended.stderr.contains(&expected), "{ended:?}");
    }
}

/// The key that signs, claims, parameters of the JWT's header, and parameters that a connection may lack.
#[tokio::test]
async fn integration_oauth2_jwt_keys() {
    use base64::Engine as _;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;

    let vendor = with_tokens().await;
    let folder = Folder::new();
    let key = rcgen::KeyPair::generate().unwrap();
    folder.write("key.pem", key.serialize_pem());
    let more = "grant = \"jwt_bearer\", algorithm = \"ES256\", private_key_secret = \"jwt_key\", issuer = \"i\", \
                claims = { role = \"{tenant}\" }, jwt_header = { \"x5t#S256\" = \"print\" }, \
                parameters = { lacking = \"{nothing?}\", tenant = \"{tenant?}\" }";
    let secret = "{ jwt_key = { file = \"key.pem\" }, tenant = \"acme\" }";
    let gateway = Gateway::start_in(folder, &oauth2(&vendor, more, secret), &[]).await;
    assert_eq!(gateway.call("/c/x", &[]).await.status(), 200);
    let request = vendor.next().await;
    let form = String::from_utf8(request.body.data).unwrap();
    assert!(
        form.contains("tenant=acme") && !form.contains("lacking"),
        "{form}"
    );
    let assertion = form
        .split('&')
        .find_map(|pair| pair.strip_prefix("assertion="));
    let mut parts = assertion.unwrap().split('.').map(|part| {
        let decoded = URL_SAFE_NO_PAD.decode(part).unwrap();
        serde_json::from_slice::<serde_json::Value>(&decoded)
    });
    let (header, claims) = (
        parts.next().unwrap().unwrap(),
        parts.next().unwrap().unwrap(),
    );
    assert_eq!(header.get("x5t#S256").unwrap(), "print");
    assert_eq!(claims.get("role").unwrap(), "acme");
    assert_eq!(claims.get("iss").unwrap(), "i");
}
