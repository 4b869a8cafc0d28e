//! Each key of the config file has its effect.

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
        assert_eq!(answer.field("location"), Some(location), "{lines}");
        vendor.next().await;
        if location.starts_with(&format!("{mount}/c/")) {
            gateway.curl(location, &[]).await;
            assert_eq!(vendor.next().await.target(), "/y?page=2", "{lines}");
        }
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
