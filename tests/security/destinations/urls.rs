//! Schemes, user info and variables of base URLs and of `__domain`.

use tower_passthrough::policy::{DomainPolicy, NetworkPolicy};
use tower_passthrough::{Connection, MemoryStore, PassthroughService, Upstream, auth};

use super::Site;
use testkit::caller::{get, raw_call, request};
use testkit::gateway::{Gateway, Setup, bind};
use testkit::names::Names;
use testkit::pair::Pair;
use testkit::vendor::Vendor;

#[tokio::test]
async fn d7_https_is_never_lowered_to_http() {
    let vendor = Vendor::ok().await;
    let port = vendor.address().port();
    let domains = DomainPolicy::none()
        .allow(&format!("eu.vendor.test:{port}"))
        .unwrap();
    let gateway = Setup::new(&*format!("https://vendor.test:{port}"))
        .upstream(|upstream| upstream.domains(domains))
        .start()
        .await;
    for domain in [
        "http://vendor.test",
        "http://eu.vendor.test",
        "HTTP://vendor.test",
    ] {
        let target = format!("/p/c/x?__domain={domain}:{port}");
        let response = raw_call(gateway.address, get(&target)).await;
        assert_eq!(
            (response.status(), response.error()),
            (403, Some("domain-refused")),
            "{domain}"
        );
    }
    for scheme in ["ftp", "ws", "wss", "file", "javascript", "httpx", ""] {
        let target = format!("/p/c/x?__domain={scheme}://vendor.test:{port}");
        let response = raw_call(gateway.address, get(&target)).await;
        assert_eq!(
            (response.status(), response.error()),
            (400, Some("bad-domain")),
            "{scheme}"
        );
    }
    vendor.untouched().await;
}

#[tokio::test]
async fn d7_http_vendors_need_permission() {
    let loopback = || NetworkPolicy::new().allow("127.0.0.0/8".parse().unwrap());
    let pair = Pair::with(|setup| setup.network(move |_| loopback())).await;
    let response = pair
        .refused(get("/p/c/x"), 502, "destination-refused")
        .await;
    assert!(response.text().contains("\"sent\":false"));
    // The gRPC status is UNAVAILABLE, because the caller made no mistake.
    let grpc = request("POST", "/p/c/x", &["Content-Type: application/grpc"], "");
    let response = pair.call(&grpc).await;
    assert_eq!(response.head.value("grpc-status"), Some("14"));
    pair.vendor.untouched().await;

    let open = Pair::with(|setup| setup.network(move |_| loopback().dangerous().plaintext())).await;
    open.seen(get("/p/c/x")).await;
}

#[tokio::test]
async fn d8_user_info_query_and_fragment_are_errors() {
    let site = Site::with(|port| {
        DomainPolicy::none()
            .allow(&format!("eu.vendor.test:{port}"))
            .unwrap()
    })
    .await;
    let port = site.port();
    for domain in [
        "user:p@eu.vendor.test:P",
        "user@eu.vendor.test:P",
        "@eu.vendor.test:P",
        ":@eu.vendor.test:P",
        "http://user:p@eu.vendor.test:P/",
        "http://eu.vendor.test:P/?a=1",
        "http://eu.vendor.test:P/x#y",
        "eu.vendor.test:P?a",
        "eu.vendor.test:P#a",
        "http://eu.vendor.test:P?",
    ] {
        site.refuses(
            &domain.replace(":P", &format!(":{port}")),
            400,
            "bad-domain",
        )
        .await;
    }
    for base in [
        "https://user:p@vendor.test",
        "https://user@vendor.test/x",
        "https://vendor.test/?a=1",
        "https://vendor.test/#a",
        "https://vendor.test?",
        "vendor.test",
        "/x",
        "",
        "https://",
        "ftp://vendor.test",
    ] {
        assert!(Upstream::new(base).is_err(), "{base}");
        assert!(Upstream::template(base).is_err(), "{base}");
    }
}

#[tokio::test]
async fn d9_a_variable_enters_only_if_its_whole_value_matches() {
    let vendor = Vendor::ok().await;
    let port = vendor.address().port();
    let template = |pattern: Option<&str>| {
        let upstream =
            Upstream::template(&format!("http://{{v}}.vendor.test:{port}/{{v}}")).unwrap();
        let upstream = match pattern {
            Some(pattern) => upstream.variable("v", pattern).unwrap(),
            None => upstream,
        };
        upstream.auth(auth::Bearer)
    };
    let bad = [
        "evil.test/",
        "a.evil.test#",
        "a@evil.test",
        "a\n",
        "\na",
        "a\nevil.test",
        "${secret}",
        "{token}",
        "{{token}}",
        "",
        "a b",
        "a.b/",
        "é",
        "a?b",
        "a\\b",
        "evil.test:80/",
        "a\r\nx: y",
        "../x",
        "%2e%2e",
        "a.b",
        "a.evil",
        "evil.test:80",
        "A_b",
        "c.a",
    ];
    for pattern in [
        None,
        Some("[a-z0-9-]+"),
        Some("^[a-z0-9-]+$"),
        Some("(?m)^[a-z0-9-]+$"),
        Some("a|b"),
    ] {
        let integrations = tower_passthrough::Integrations::new().with("x", template(pattern));
        let mut store: Vec<(String, Connection)> = bad
            .iter()
            .enumerate()
            .map(|(nth, value)| {
                (
                    format!("bad-{nth}"),
                    Connection::new("x")
                        .with_variable("v", *value)
                        .with_secret("token", "t"),
                )
            })
            .collect();
        store.push((
            "good".to_owned(),
            Connection::new("x")
                .with_variable("v", "a")
                .with_secret("token", "t"),
        ));
        store.push((
            "missing".to_owned(),
            Connection::new("x").with_secret("token", "t"),
        ));
        let listener = bind().await;
        let transport = Setup::new(&vendor)
            .transport(|transport| transport.resolver(Names::all_to_loopback()))
            .build_transport(listener.local_addr().unwrap());
        let service = PassthroughService::builder(MemoryStore::from_iter(store), integrations)
            .authorize_fn(|_, _| true)
            .caller_credentials([])
            .transport(transport)
            .build();
        let gateway = Gateway::serve(listener, service);
        for (nth, value) in bad.iter().enumerate() {
            let response = raw_call(gateway.address, get(&format!("/bad-{nth}/x"))).await;
            assert_eq!(
                response.error(),
                Some("reauthorize"),
                "{pattern:?} {value:?}"
            );
        }
        let missing = raw_call(gateway.address, get("/missing/x")).await;
        assert_eq!(missing.error(), Some("reauthorize"));
        assert!(vendor.try_next().await.is_none());
        assert_eq!(
            raw_call(gateway.address, get("/good/x")).await.status(),
            200
        );
        let received = vendor.next().await;
        assert_eq!(received.target(), "/a/x");
        assert_eq!(
            received.head.value("host"),
            Some(&*format!("a.vendor.test:{port}"))
        );
    }
}

#[tokio::test]
async fn d9_no_part_of_a_callers_request_is_expanded() {
    let pair = Pair::with(|setup| {
        setup
            .connection(
                Connection::new("vendor")
                    .with_variable("region", "eu")
                    .with_secret("token", "t0k3n"),
            )
            .upstream(|upstream| {
                upstream.header("x-own".parse().unwrap(), "{token}".parse().unwrap())
            })
    })
    .await;
    let sent = request(
        "GET",
        "/p/c/%7Btoken%7D/$%7Btoken%7D?a=%7Btoken%7D&{token}",
        &["X-Mine: {token}${token}"],
        "",
    );
    let received = pair.seen(sent).await;
    assert_eq!(
        received.target(),
        "/%7Btoken%7D/$%7Btoken%7D?a=%7Btoken%7D&{token}"
    );
    assert_eq!(received.head.value("x-mine"), Some("{token}${token}"));
    assert_eq!(received.head.value("x-own"), Some("{token}"));
    let domain = get("/p/c/x?__domain=%7Bregion%7D.vendor.test");
    pair.refused(domain, 400, "bad-domain").await;
}
