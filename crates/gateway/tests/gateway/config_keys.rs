//! Each key of the config file has its effect.

use testkit::process::canary::KEY;
use testkit::process::config::Config;
use testkit::process::gateway::Gateway;
use testkit::vendor::Vendor;

async fn start(change: impl FnOnce(Config) -> Config) -> (Vendor, Gateway) {
    before(Vendor::ok().await, change).await
}

async fn before(vendor: Vendor, change: impl FnOnce(Config) -> Config) -> (Vendor, Gateway) {
    let gateway = Gateway::start(&change(Config::new(&vendor))).await;
    (vendor, gateway)
}

#[tokio::test]
async fn mount() {
    for mount in ["/", "/p", "/api/v1/pass-through"] {
        let open = |config: Config| config.top(&format!("mount = \"{mount}\"")).anyone();
        let (vendor, gateway) = start(open).await;
        let mount = mount.trim_end_matches('/');
        for (path, target) in [("/c", "/"), ("/c/", "/"), ("/c//a/?b", "//a/?b")] {
            let answer = gateway.curl(&format!("{mount}{path}"), &[]).await;
            assert_eq!(answer.status(), 200, "{mount}{path}");
            assert_eq!(vendor.next().await.target(), target, "{mount}{path}");
        }
        assert_eq!(gateway.curl("/healthz", &[]).await.body(), "ok\n");
        assert_eq!(gateway.curl("/readyz", &[]).await.body(), "ready\n");
        assert_eq!(gateway.curl("/metrics", &[]).await.status(), 200);
        assert_eq!(gateway.curl("/passthrough/c", &[]).await.status(), 404);
        assert!(vendor.try_next().await.is_none());
    }
}

#[tokio::test]
async fn path_encoding() {
    for (encoding, target) in [("auto", "/a?b"), ("always", "/a?b"), ("never", "/%2Fa%3Fb")] {
        let line = format!("path_encoding = \"{encoding}\"");
        let (vendor, gateway) = start(|config| config.top(&line)).await;
        assert_eq!(gateway.call("/c/%2Fa%3Fb", &[]).await.status(), 200);
        assert_eq!(vendor.next().await.target(), target, "{encoding}");
    }
    let (vendor, gateway) = start(|config| config.top("path_encoding = \"always\"")).await;
    assert_eq!(gateway.call("/c/users%3Fx%3D1", &[]).await.status(), 200);
    assert_eq!(vendor.next().await.target(), "/users?x=1");
}

#[tokio::test]
async fn response_headers() {
    let vendor = "HTTP/1.1 200 OK\r\nSet-Cookie: a=b\r\nX-A: b\r\nContent-Length: 0\r\n\r\n";
    for (policy, cookie, sandbox) in [
        ("all", Some("a=b"), None),
        ("browser-safe", None, Some("sandbox; default-src 'none'")),
    ] {
        let line = format!("response_headers = \"{policy}\"");
        let vendor = Vendor::answering(vendor).await;
        let (_vendor, gateway) = before(vendor, |config| config.top(&line)).await;
        let answer = gateway.call("/c/x", &[]).await;
        assert_eq!(answer.field("x-a"), Some("b"));
        assert_eq!(answer.field("set-cookie"), cookie);
        assert_eq!(answer.field("content-security-policy"), sandbox);
    }
}

#[tokio::test]
async fn rewrite_links() {
    let vendor = "HTTP/1.1 302 Found\r\nLocation: /y?page=2\r\nContent-Length: 0\r\n\r\n";
    for (lines, mount, location) in [
        ("", "/passthrough", "/y?page=2"),
        ("rewrite_links = false", "/passthrough", "/y?page=2"),
        (
            "rewrite_links = true",
            "/passthrough",
            "/passthrough/c/y?page=2",
        ),
        (
            "rewrite_links = true\nmount = \"/a/b\"",
            "/a/b",
            "/a/b/c/y?page=2",
        ),
        ("rewrite_links = true\nmount = \"/\"", "", "/c/y?page=2"),
    ] {
        let vendor = Vendor::answering(vendor).await;
        let open = |config: Config| config.top(lines).anyone();
        let (vendor, gateway) = before(vendor, open).await;
        let answer = gateway.curl(&format!("{mount}/c/x"), &[]).await;
        vendor.next().await;
        if location.starts_with(&format!("{mount}/c/")) {
            let address = format!("http://{}{location}", gateway.address);
            assert_eq!(answer.field("location"), Some(&*address), "{lines}");
            gateway.curl(location, &[]).await;
            assert_eq!(vendor.next().await.target(), "/y?page=2", "{lines}");
        } else {
            assert_eq!(answer.field("location"), Some(location), "{lines}");
        }
    }
}

#[tokio::test]
async fn public_url() {
    let vendor = "HTTP/1.1 302 Found\r\nLocation: /y\r\nContent-Length: 0\r\n\r\n";
    for (url, location) in [
        ("https://gw.example", "https://gw.example/passthrough/c/y"),
        (
            "https://example.test/gw/",
            "https://example.test/gw/passthrough/c/y",
        ),
    ] {
        let vendor = Vendor::answering(vendor).await;
        let lines = format!("rewrite_links = true\npublic_url = \"{url}\"");
        let (_vendor, gateway) = before(vendor, |config| config.top(&lines)).await;
        let answer = gateway.call("/c/x", &[]).await;
        assert_eq!(answer.field("location"), Some(location), "{url}");
    }
}

#[tokio::test]
async fn foreign_locations() {
    let location = "https://login.vendor.test/x";
    let vendor = format!("HTTP/1.1 302 Found\r\nLocation: {location}\r\nContent-Length: 0\r\n\r\n");
    for (line, expected) in [
        ("", Some(location)),
        ("foreign_locations = \"pass\"", Some(location)),
        ("foreign_locations = \"hide\"", None),
        ("foreign_locations = []", None),
        ("foreign_locations = [\"eu.vendor.test\"]", None),
        (
            "foreign_locations = [\"eu.vendor.test\", \"*.vendor.test\"]",
            Some(location),
        ),
    ] {
        let vendor = Vendor::answering(vendor.clone()).await;
        let (_vendor, gateway) = before(vendor, |config| config.top(line)).await;
        let answer = gateway.call("/c/x", &[]).await;
        assert_eq!(answer.status(), 302, "{line}");
        assert_eq!(answer.field("location"), expected, "{line}");
    }
}

#[tokio::test]
async fn network_allow() {
    let resolve = "plaintext = true\nresolve = { \"vendor.test\" = \"127.0.0.1\" }";
    for (allow, status, error) in [
        ("", 403, Some("destination-refused")),
        ("allow = [\"10.0.0.0/8\"]", 403, Some("destination-refused")),
        ("allow = [\"10.0.0.0/8\", \"127.0.0.1/32\"]", 200, None),
    ] {
        let network = format!("{allow}\n{resolve}");
        let (vendor, gateway) = start(|config| config.network(&network)).await;
        let answer = gateway.call("/c/x", &[]).await;
        assert_eq!(
            (answer.status(), answer.error()),
            (status, error),
            "{allow}"
        );
        if error.is_some() {
            vendor.untouched().await;
        }
    }
}

/// The gateway's listener is never dialled, whatever blocks are allowed.
#[tokio::test]
async fn n6_a_base_url_that_leads_to_the_gateway_is_refused() {
    // The socket is bound and doesn't listen: no other process gets the port, and the gateway still can listen on the
    // port.
    let reserved = tokio::net::TcpSocket::new_v4().unwrap();
    reserved.set_reuseaddr(true).unwrap();
    reserved.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let own = reserved.local_addr().unwrap();
    let config = Config::new(&*format!("http://{own}")).listen(own);
    let gateway = Gateway::start(&config).await;
    assert_eq!(gateway.address, own);
    let answer = gateway.call("/c/x", &[]).await;
    assert_eq!(
        (answer.status(), answer.error()),
        (403, Some("destination-refused"))
    );
    let status = answer.field("proxy-status").unwrap_or_default();
    assert!(status.contains("proxy_loop_detected"), "{status}");
}

#[tokio::test]
async fn integration_variables() {
    for (variables, connection, status) in [
        (
            "{ region = \"^(eu)$\" }",
            "variables = { region = \"eu\" }",
            200,
        ),
        ("{ region = { default = \"eu\" } }", "", 200),
        (
            "{ region = { pattern = \"^e[u]$\", default = \"eu\" } }",
            "",
            200,
        ),
    ] {
        let (vendor, gateway) = start(|config| {
            let url = config
                .origin()
                .replace("vendor.test", "{region}.vendor.test");
            config
                .base_url(&format!("{url}/in/{{region}}"))
                .integration(&format!("variables = {variables}"))
                .connection(connection)
        })
        .await;
        assert_eq!(
            gateway.call("/c/x", &[]).await.status(),
            status,
            "{variables}"
        );
        let received = vendor.next().await;
        assert_eq!(received.target(), "/in/eu/x");
        let host = format!("eu.vendor.test:{}", vendor.address().port());
        assert_eq!(received.head.value("host"), Some(&*host));
    }
}

#[tokio::test]
async fn integration_domains() {
    let vendor = Vendor::ok().await;
    let port = vendor.address().port();
    let domains = format!("domains = [\"*.vendor.test:{port}\", \"127.0.0.1:{port}\"]");
    let (vendor, gateway) = before(vendor, |config| config.path("/v2").integration(&domains)).await;
    for (domain, target) in [
        (format!("eu.vendor.test:{port}"), "/x?a"),
        (format!("vendor.test:{port}"), "/x?a"),
        (format!("127.0.0.1:{port}"), "/x?a"),
        (format!("http://eu.vendor.test:{port}/v3"), "/v3/x?a"),
    ] {
        let answer = gateway
            .call(&format!("/c/x?a&__domain={domain}"), &[])
            .await;
        assert_eq!(answer.status(), 200, "{domain}: {answer:?}");
        assert_eq!(vendor.next().await.target(), target, "{domain}");
    }
    for domain in ["eu.vendor.test", "evil.test", "vendor.test.evil.test"] {
        let answer = gateway
            .call(&format!("/c/x?__domain={domain}:{}", port ^ 1), &[])
            .await;
        assert_eq!(
            (answer.status(), answer.error()),
            (403, Some("domain-refused")),
            "{domain}"
        );
    }
    assert!(vendor.try_next().await.is_none());
}

/// With `replace-authority`, the path of the base URL stays.
#[tokio::test]
async fn integration_domain_override() {
    for (line, with_host, with_path) in [
        ("", "/x", Some("/v3/x")),
        ("domain_override = \"replace-base\"", "/x", Some("/v3/x")),
        ("domain_override = \"replace-authority\"", "/v2/x", None),
    ] {
        let vendor = Vendor::ok().await;
        let port = vendor.address().port();
        let lines = format!("domains = [\"*.vendor.test:{port}\"]\n{line}");
        let change = |config: Config| config.path("/v2").integration(&lines);
        let (vendor, gateway) = before(vendor, change).await;
        let host = format!("eu.vendor.test:{port}");
        let answer = gateway.call(&format!("/c/x?__domain={host}"), &[]).await;
        assert_eq!(answer.status(), 200, "{line}: {answer:?}");
        assert_eq!(vendor.next().await.target(), with_host, "{line}");
        let path = format!("/c/x?__domain=http://{host}/v3");
        let answer = gateway.call(&path, &[]).await;
        match with_path {
            Some(target) => assert_eq!(vendor.next().await.target(), target, "{line}"),
            None => {
                assert_eq!(
                    (answer.status(), answer.error()),
                    (400, Some("bad-domain")),
                    "{line}"
                );
                assert!(vendor.try_next().await.is_none(), "{line}");
            }
        }
    }
}

#[tokio::test]
async fn integration_headers() {
    let line = "headers = { \"Notion-Version\" = \"2022-06-28\", accept = \"text/csv\" }";
    let (vendor, gateway) = start(|config| config.integration(line)).await;
    gateway
        .call("/c/x", &["-H", "notion-version: 1", "-H", "accept:"])
        .await;
    let received = vendor.next().await;
    assert_eq!(received.head.value("notion-version"), Some("1"));
    assert_eq!(received.head.value("accept"), Some("text/csv"));
    gateway.call("/c/x", &[]).await;
    let received = vendor.next().await;
    assert_eq!(received.head.value("notion-version"), Some("2022-06-28"));
    assert_eq!(received.head.value("accept"), Some("*/*"));
}

#[tokio::test]
async fn integration_query_and_path_encoding() {
    let lines = "query = { api-version = \"2026-01\", q = \"a b\" }\npath_encoding = \"never\"";
    let (vendor, gateway) = start(|config| config.integration(lines)).await;
    gateway.call("/c/%2Fx%3Fy", &[]).await;
    let received = vendor.next().await;
    assert_eq!(received.target(), "/%2Fx%3Fy?api-version=2026-01&q=a+b");
}

#[tokio::test]
async fn integration_scrub_links() {
    let link = "http://vendor.test/x?key=s3cr3t&page=2";
    let answer = format!("HTTP/1.1 302 Found\r\nLocation: {link}\r\nContent-Length: 0\r\n\r\n");
    for (line, expected) in [
        ("", "http://vendor.test/x?page=2"),
        ("scrub_links = true", "http://vendor.test/x?page=2"),
        ("scrub_links = false", link),
    ] {
        let vendor = Vendor::answering(answer.clone()).await;
        let auth = "{ kind = \"query\", name = \"key\" }";
        let secret = "{ api_key = \"s3cr3t\" }";
        let change = |config: Config| config.auth(auth, secret).integration(line);
        let (_vendor, gateway) = before(vendor, change).await;
        let answer = gateway.call("/c/x", &[]).await;
        assert_eq!(answer.field("location"), Some(expected), "{line}");
    }
}

#[tokio::test]
async fn strip_headers_and_pass_headers() {
    let fields = ["-H", "x-internal: a", "-H", "x-client-ip: 192.0.2.1"];
    let (vendor, gateway) = start(|config| config).await;
    gateway.call("/c/x", &fields).await;
    let received = vendor.next().await;
    assert_eq!(received.head.value("x-internal"), Some("a"));
    assert_eq!(received.head.value("x-client-ip"), None);

    let lines = "strip_headers = [\"X-Internal\"]\npass_headers = [\"X-Client-IP\"]";
    let (vendor, gateway) = start(|config| config.top(lines)).await;
    gateway.call("/c/x", &fields).await;
    let received = vendor.next().await;
    assert_eq!(received.head.value("x-internal"), None);
    assert_eq!(received.head.value("x-client-ip"), Some("192.0.2.1"));
}

#[tokio::test]
async fn pass_server_instructions() {
    let answer = "HTTP/1.1 200 OK\r\nX-Accel-Redirect: /internal\r\nContent-Length: 0\r\n\r\n";
    for (line, expected) in [
        ("", None),
        ("pass_server_instructions = true", Some("/internal")),
    ] {
        let vendor = Vendor::answering(answer).await;
        let (_vendor, gateway) = before(vendor, |config| config.top(line)).await;
        let answer = gateway.call("/c/x", &[]).await;
        assert_eq!(answer.field("x-accel-redirect"), expected, "{line}");
    }
}

#[tokio::test]
async fn timeouts_total() {
    let vendor = Vendor::answering(testkit::reply::Reply::silence()).await;
    let change = |config: Config| config.table("[timeouts]\ntotal = \"300ms\"");
    let (_vendor, gateway) = before(vendor, change).await;
    let answer = gateway.call("/c/x", &[]).await;
    assert_eq!(
        (answer.status(), answer.error()),
        (504, Some("upstream-timeout"))
    );
}

/// The origin decides before the upstream is called.
#[tokio::test]
async fn websocket_origins_and_websockets_of_a_caller() {
    let handshake = [
        "-H",
        "connection: upgrade",
        "-H",
        "upgrade: websocket",
        "-H",
        "sec-websocket-version: 13",
        "-H",
        "sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==",
    ];
    let from = |origin| [&handshake[..], &["-H", origin]].concat();
    let top = "response_headers = \"browser-safe\"\nwebsocket_origins = [\"https://app.example\"]";
    let (vendor, gateway) = start(|config| config.top(top)).await;
    let refused = gateway
        .call("/c/x", &from("origin: https://evil.example"))
        .await;
    assert_eq!(refused.error(), Some("scope-refused"), "{refused:?}");
    assert!(vendor.try_next().await.is_none());
    let allowed = gateway
        .call("/c/x", &from("origin: https://app.example"))
        .await;
    assert_eq!(allowed.error(), None, "{allowed:?}");
    vendor.next().await;

    for (line, error) in [
        ("methods = [\"GET\"]", Some("scope-refused")),
        ("methods = [\"GET\"]\nwebsockets = true", None),
        ("websockets = false", Some("scope-refused")),
    ] {
        let caller = format!("[[caller]]\napi_key = \"{KEY}\"\nconnections = [\"*\"]\n{line}");
        let (_vendor, gateway) = start(|config| config.callers(&caller)).await;
        let answer = gateway.call("/c/x", &handshake).await;
        assert_eq!(answer.error(), error, "{line}: {answer:?}");
    }
}

#[tokio::test]
async fn integration_isolate() {
    for (line, expected) in [("", [0, 0]), ("isolate = true", [0, 1])] {
        let change = |config: Config| {
            let config = config.integration(line);
            config.table("[connection.d]\nintegration = \"v\"\nsecret = { token = \"t\" }")
        };
        let (vendor, gateway) = start(change).await;
        let mut connections = Vec::new();
        for id in ["c", "d"] {
            // A connection rests before another key uses it.
            tokio::time::sleep(std::time::Duration::from_millis(40)).await;
            gateway.call(&format!("/{id}/x"), &[]).await;
            connections.push(vendor.next().await.connection);
        }
        assert_eq!(connections, expected, "{line}");
    }
}

#[tokio::test]
async fn integration_routes() {
    let files = Vendor::ok().await;
    let port = files.address().port();
    let lines = format!(
        "routes = [{{ path = \"/v1/files\", base_url = \"http://eu.vendor.test:{port}/up\" }}]"
    );
    let (vendor, gateway) = start(|config| config.integration(&lines)).await;
    gateway.call("/c/v1/files/7?a", &[]).await;
    assert_eq!(files.next().await.target(), "/up/v1/files/7?a");
    gateway.call("/c/v1/other", &[]).await;
    assert_eq!(vendor.next().await.target(), "/v1/other");
}

#[tokio::test]
async fn integration_subdomains() {
    let network = "allow = [\"127.0.0.0/8\"]\nplaintext = true\n\
                   resolve = { \"vendor.test\" = \"127.0.0.1\", \"bucket.vendor.test\" = \"127.0.0.1\" }";
    let top = "address_by = [\"host\"]\nhost_pattern = \"{connection}.gw.test\"";
    for (line, status) in [("subdomains = true", 200), ("", 403)] {
        let change = |config: Config| config.top(top).network(network).integration(line);
        let (vendor, gateway) = start(change).await;
        let call =
            format!("GET /key HTTP/1.1\r\nHost: bucket.c.gw.test\r\nx-api-key: {KEY}\r\n\r\n");
        assert_eq!(gateway.raw(call).await.status(), status, "{line}");
        if status == 200 {
            let port = vendor.address().port();
            let host = format!("bucket.vendor.test:{port}");
            assert_eq!(vendor.next().await.head.value("host"), Some(&*host));
        }
    }
}

#[tokio::test]
async fn reauthorize_url() {
    let url = "https://app.example/connect/{connection}?from={connection}";
    for (line, expected) in [
        ("".to_owned(), None),
        (
            format!("reauthorize_url = \"{url}\""),
            Some("https://app.example/connect/%C3%A9%20%3F?from=%C3%A9%20%3F".into()),
        ),
    ] {
        // A connection whose secret can't be sent, with an id that must be encoded.
        let change = |config: Config| {
            let secret = "{ token = \"a\\nb\" }";
            let table =
                format!("[connection.\"\u{e9} ?\"]\nintegration = \"v\"\nsecret = {secret}");
            config.top(&line).table(&table)
        };
        let (vendor, gateway) = start(change).await;
        let answer = gateway.call("/%C3%A9%20%3F/x", &[]).await;
        assert_eq!(answer.error(), Some("reauthorize"), "{line}");
        let body: serde_json::Value = serde_json::from_str(answer.body()).unwrap();
        assert_eq!(body.get("reauthorize_url").cloned(), expected, "{line}");
        vendor.untouched().await;
    }
}
