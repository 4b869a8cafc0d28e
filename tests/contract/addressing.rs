//! The ways in which a request names its connection: path, host, header field, and an extension of the host application.

use http::HeaderName;
use tower_passthrough::Connection;
use tower_passthrough::address::{Addressing, RequestedConnection};

use testkit::caller::{Caller, RawResponse};
use testkit::gateway::{Gateway, Mount, Setup, bind};
use testkit::h2_caller::H2Caller;
use testkit::manual::ManualVendor;
use testkit::pair::Pair;
use testkit::reply::Reply;
use testkit::vendor::Vendor;

const X_CONNECTION: HeaderName = HeaderName::from_static("x-connection");

fn all() -> Addressing {
    Addressing::path()
        .host("{connection}.gw.test")
        .unwrap()
        .header(X_CONNECTION)
}

/// Connection `c` with the token `s3cr3t`, and connection `d` with the token `of-d`.
async fn pair(addressing: Addressing) -> Pair {
    Pair::with(|setup| setup_of(setup, addressing)).await
}

fn setup_of(setup: Setup, addressing: Addressing) -> Setup {
    let d = Connection::new("vendor").with_secret("token", "of-d");
    let setup = setup.path("/v2").also("d", d);
    setup.options(|options| options.address_by(addressing))
}

fn at(host: &str, target: &str, lines: &[&str]) -> String {
    let lines: String = lines.iter().map(|line| format!("{line}\r\n")).collect();
    format!("GET {target} HTTP/1.1\r\nHost: {host}\r\n{lines}\r\n")
}

/// Checks that the request reaches the vendor with that target and that token.
async fn arrives(pair: &Pair, request: &str, target: &str, token: &str) {
    let received = pair.seen(request).await;
    assert_eq!(received.target(), target, "{request}");
    let token = format!("Bearer {token}");
    let sent = received.head.value("authorization");
    assert_eq!(sent, Some(&*token), "{request}");
    let own = format!("vendor.test:{}", pair.vendor.address().port());
    assert_eq!(received.head.value("host"), Some(&*own), "{request}");
    assert!(!received.head.has("x-connection"), "{request}");
    assert!(!received.head.has("x_connection"), "{request}");
}

#[tokio::test]
async fn p22_the_first_way_that_applies_names_the_connection() {
    let pair = pair(all()).await;
    let x_c = "x-connection: c";
    let x_none = "x-connection: none";
    arrives(
        &pair,
        &at("d.gw.test", "/p/c/x", &[x_c]),
        "/v2/p/c/x",
        "of-d",
    )
    .await;
    arrives(&pair, &at("gw.test", "/p/d/x", &[x_c]), "/v2/d/x", "s3cr3t").await;
    arrives(&pair, &at("gw.test", "/p/d/x", &[]), "/v2/x", "of-d").await;
    // A way that applies isn't left for another way because its connection doesn't exist.
    for request in [
        at("none.gw.test", "/p/c/x", &[x_c]),
        at("gw.test", "/p/c/x", &[x_none]),
        at("gw.test", "/p/none/x", &[]),
    ] {
        pair.refused(request, 404, "unknown-connection").await;
    }
}

#[tokio::test]
async fn p22_only_the_ways_that_were_chosen_are_read() {
    let by_path = pair(Addressing::path()).await;
    let request = at("d.gw.test", "/p/c/x", &[]);
    arrives(&by_path, &request, "/v2/x", "s3cr3t").await;
    let sent = by_path.seen(at("gw.test", "/p/c/x", &["x-connection: d"]));
    assert_eq!(sent.await.head.value("x-connection"), Some("d"));

    let host = Addressing::path().host("{connection}.gw.test").unwrap();
    let by_host = pair(host.without_path()).await;
    arrives(&by_host, &at("d.gw.test", "/x", &[]), "/v2/x", "of-d").await;
    let answer = by_host
        .refused(at("gw.test", "/p/c/x", &[]), 400, "bad-address")
        .await;
    assert!(answer.text().contains("doesn't name a connection"));
}

#[tokio::test]
async fn p23_by_host_the_whole_path_belongs_to_the_upstream() {
    let pair = pair(all()).await;
    for (target, expected) in [
        ("/", "/v2/"),
        ("/users/7?a=1&a=1", "/v2/users/7?a=1&a=1"),
        ("/p/d/x", "/v2/p/d/x"),
        ("//a%2Fb/", "/v2//a%2Fb/"),
        ("/%2Fusers%3Fpage%3D2", "/v2/users?page=2"),
        ("http://d.gw.test/x", "/v2/x"),
        ("http://d.gw.test?a", "/v2/?a"),
    ] {
        arrives(&pair, &at("d.gw.test", target, &[]), expected, "of-d").await;
    }
    for host in ["D.Gw.TEST", "d.gw.test:8080", "d.gw.test.", "d.gw.test.:80"] {
        arrives(&pair, &at(host, "/x", &[]), "/v2/x", "of-d").await;
    }
    // The rules of paths and of `__domain` hold as for the other ways.
    for (target, status, code) in [
        ("/../x", 400, "bad-address"),
        ("/a%5Cb", 400, "bad-address"),
        ("/x?__domain=evil.test", 403, "domain-refused"),
    ] {
        pair.refused(at("d.gw.test", target, &[]), status, code)
            .await;
    }
    let trace = at("d.gw.test", "/x", &[]).replace("GET", "TRACE");
    pair.refused(trace, 405, "method-refused").await;
}

/// Two fields name two hosts, and a server in front could have read the other field.
#[tokio::test]
async fn p23_a_host_that_is_ambiguous_or_of_another_form_names_no_connection() {
    let pair = pair(all()).await;
    for hosts in [["d.gw.test", "c.gw.test"], ["gw.test", "d.gw.test"]] {
        let second = format!("Host: {}", hosts[1]);
        pair.refused(at(hosts[0], "/p/c/x", &[&second]), 400, "bad-address")
            .await;
    }
    // A server in front could have read another host.
    for host in ["x@d.gw.test", "d.gw.test:c.gw.test"] {
        let answer = pair.call(at(host, "/p/c/x", &[])).await;
        assert_eq!(answer.status(), 400, "{host}");
    }
    // The target's authority takes precedence over `Host`.
    let request = at("c.gw.test", "http://d.gw.test/x", &[]);
    arrives(&pair, &request, "/v2/x", "of-d").await;
    let request = at("d.gw.test", "http://app.test/p/c/x", &[]);
    arrives(&pair, &request, "/v2/x", "s3cr3t").await;
    for host in [
        "gw.test",
        ".gw.test",
        "..d.gw.test",
        "d.gw.test.evil.test",
        "dgw.test",
        "127.0.0.1",
        "",
        "d%2e.gw.test",
    ] {
        arrives(&pair, &at(host, "/p/c/x", &[]), "/v2/x", "s3cr3t").await;
    }
    let lines = ["X-Forwarded-Host: d.gw.test", "Forwarded: host=d.gw.test"];
    arrives(&pair, &at("gw.test", "/p/c/x", &lines), "/v2/x", "s3cr3t").await;
}

#[tokio::test]
async fn p23_http2_callers_name_the_connection_in_the_authority() {
    let pair = pair(all()).await;
    let mut caller = H2Caller::connect(pair.gateway.address).await;
    for (uri, host) in [
        ("http://d.gw.test/x?a", None),
        ("http://D.gw.test:99/x?a", Some("c.gw.test")),
    ] {
        let mut request = http::Request::get(uri);
        if let Some(host) = host {
            request = request.header("host", host);
        }
        let response = caller.call(request.body(()).unwrap()).await;
        assert_eq!(response.status, 200, "{uri}");
        let received = pair.vendor.next().await;
        assert_eq!(received.target(), "/v2/x?a");
        let token = received.head.value("authorization");
        assert_eq!(token, Some("Bearer of-d"));
    }
}

#[tokio::test]
async fn p23_websockets_are_opened_by_each_way() {
    let lines = [
        "Connection: Upgrade",
        "Upgrade: websocket",
        "Sec-WebSocket-Version: 13",
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
    ];
    for (host, target, field) in [
        ("d.gw.test", "/live", None),
        ("gw.test", "/p/live", Some("x-connection: d")),
        ("gw.test", "/p/d/live", None),
    ] {
        let vendor = ManualVendor::bind().await;
        let gateway = setup_of(Setup::new(&vendor), all()).start().await;
        let mut caller = Caller::connect(gateway.address).await;
        let lines: Vec<_> = lines.into_iter().chain(field).collect();
        caller.write(at(host, target, &lines)).await;
        let mut upstream = vendor.accept().await;
        let head = upstream.head().await;
        assert_eq!(head.start, "GET /v2/live HTTP/1.1");
        assert_eq!(head.value("authorization"), Some("Bearer of-d"));
        assert!(!head.has("x-connection"));
        let agreement = "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
                         Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n";
        upstream.write(agreement).await;
        assert_eq!(caller.head().await.status(), 101, "{host}{target}");
    }
}

/// A page of the connection's own host is of the same origin.
#[tokio::test]
async fn p23_the_origin_of_a_page_is_compared_with_the_host_that_names_the_connection() {
    let lines = |origin| {
        [
            "Connection: Upgrade",
            "Upgrade: websocket",
            "Sec-WebSocket-Version: 13",
            "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
            origin,
        ]
    };
    let safe = tower_passthrough::service::ResponseHeaderPolicy::BrowserSafe;
    let change = |setup: Setup| {
        setup.options(move |options| options.address_by(all()).response_headers(safe))
    };
    let pair = Pair::with(change).await;
    for (origin, code) in [
        ("Origin: http://c.gw.test", None),
        ("Origin: http://d.gw.test", Some("scope-refused")),
        ("Origin: http://gw.test", Some("scope-refused")),
    ] {
        let answer = pair.call(at("c.gw.test", "/live", &lines(origin))).await;
        assert_eq!(answer.error(), code, "{origin}");
    }
}

#[tokio::test]
async fn p24_a_field_names_the_connection_and_is_removed() {
    let pair = pair(all()).await;
    for (target, expected) in [
        ("/p/users/7?a=1", "/v2/users/7?a=1"),
        ("/p/c/x", "/v2/c/x"),
        ("/p/", "/v2/"),
        ("/p", "/v2"),
        ("/p//a%2Fb/", "/v2//a%2Fb/"),
    ] {
        let request = at("gw.test", target, &["X-Connection: d"]);
        arrives(&pair, &request, expected, "of-d").await;
    }
    // The field names a connection only in its own spelling, and no spelling reaches the upstream.
    let request = at("gw.test", "/p/c/x", &["X_Connection: d"]);
    arrives(&pair, &request, "/v2/x", "s3cr3t").await;
    let request = at("d.gw.test", "/x", &["X-Connection: c"]);
    arrives(&pair, &request, "/v2/x", "of-d").await;
    let nominated = ["X-Connection: d", "Connection: x-connection"];
    arrives(&pair, &at("gw.test", "/p/x", &nominated), "/v2/x", "of-d").await;
    let long = format!("X-Connection: {}", "x".repeat(257));
    for lines in [
        &["X-Connection: d", "X-Connection: d"][..],
        &["X-Connection:"],
        &["X-Connection: a/b"],
        &["X-Connection: a\tb"],
        &[&*long],
    ] {
        pair.refused(at("gw.test", "/p/x", lines), 400, "bad-address")
            .await;
    }
    // The id is exact bytes, and isn't decoded.
    for id in ["D", "%64", "d, c", "\u{e9}"] {
        let field = format!("X-Connection: {id}");
        pair.refused(at("gw.test", "/p/x", &[&field]), 404, "unknown-connection")
            .await;
    }
    pair.refused(
        at("gw.test", "/x", &["X-Connection: d"]),
        400,
        "bad-address",
    )
    .await;
}

/// The same requests through a router that removes the mount, and through the layer.
#[tokio::test]
async fn p24_a_router_may_remove_the_mount() {
    for mount in [Mount::Nest, Mount::Layer] {
        let pair = Pair::with(|setup| setup_of(setup, all()).mount(mount)).await;
        let request = at("gw.test", "/p/users?a", &["X-Connection: d"]);
        arrives(&pair, &request, "/v2/users?a", "of-d").await;
        arrives(&pair, &at("gw.test", "/p/d/x", &[]), "/v2/x", "of-d").await;
    }
}

#[tokio::test]
async fn p23_a_layer_takes_all_requests_whose_host_names_a_connection() {
    let pair = Pair::with(|setup| setup_of(setup, all()).mount(Mount::Layer)).await;
    for (target, expected) in [("/", "/v2/"), ("/p/x", "/v2/p/x"), ("/x", "/v2/x")] {
        arrives(&pair, &at("d.gw.test", target, &[]), expected, "of-d").await;
    }
    // Other requests outside of the mount are the inner service's, whatever fields they have.
    for request in [
        at("gw.test", "/x", &[]),
        at("gw.test", "/x", &["X-Connection: d"]),
        at("a.d.gw.test.evil.test", "/x", &[]),
    ] {
        let answer = pair.call(request).await;
        assert_eq!((answer.status(), &*answer.text()), (200, "inner"));
    }
    let two = at("gw.test", "/x", &["Host: d.gw.test"]);
    pair.refused(two, 400, "bad-address").await;
}

/// A service in front of the passthrough, as a host application writes it: the key `of-c` belongs to connection `c` alone.
async fn by_key(addressing: Addressing) -> Pair {
    let vendor = Vendor::ok().await;
    let listener = bind().await;
    let mut setup = setup_of(Setup::new(&vendor), addressing);
    let service = setup.build(listener.local_addr().unwrap());
    let service = tower::ServiceBuilder::new()
        .map_request(|mut request: http::Request<hyper::body::Incoming>| {
            let key = request.headers().get("x-api-key");
            if key.is_some_and(|key| key == "of-c") {
                let id = "c".parse().unwrap();
                request.extensions_mut().insert(RequestedConnection(id));
            }
            request
        })
        .service(service);
    Pair {
        vendor,
        gateway: Gateway::serve(listener, service),
    }
}

#[tokio::test]
async fn p25_an_extension_of_the_host_application_names_the_connection() {
    let pair = by_key(all().extension()).await;
    let key = "x-api-key: of-c";
    for (host, target, lines, expected) in [
        ("gw.test", "/x", &[key][..], "/v2/x"),
        ("gw.test", "/p/d/x", &[key], "/v2/d/x"),
        ("d.gw.test", "/x", &[key, "x-connection: d"], "/v2/x"),
    ] {
        arrives(&pair, &at(host, target, lines), expected, "s3cr3t").await;
    }
    arrives(&pair, &at("gw.test", "/p/d/x", &[]), "/v2/x", "of-d").await;

    let not_read = by_key(all()).await;
    let request = at("gw.test", "/p/d/x", &[key]);
    arrives(&not_read, &request, "/v2/x", "of-d").await;
}

fn location(answer: &RawResponse) -> Option<&str> {
    answer.head.value("location")
}

/// The rewritten link is an address of the same way, and leads to the upstream's URL.
#[tokio::test]
async fn p26_rewritten_links_are_addresses_of_the_same_way() {
    let field = "x-connection: d";
    for (link, host, target, lines, expected) in [
        (
            "/v2/y?page=2",
            "d.gw.test",
            "/x",
            &[][..],
            "http://d.gw.test/y?page=2",
        ),
        (
            "/v2//evil.test/y",
            "D.gw.test:80",
            "/x",
            &[],
            "http://D.gw.test:80//evil.test/y",
        ),
        // The client would send `/` in place of an empty path.
        (
            "/v2",
            "d.gw.test",
            "/x",
            &[],
            "http://d.gw.test/v2?__domain=OWN",
        ),
        ("/v2/y", "gw.test", "/p/x", &[field], "http://gw.test/p/y"),
        ("/v2", "gw.test", "/p/x", &[field], "http://gw.test/p"),
        ("/v2/y", "gw.test", "/p/d/x", &[], "http://gw.test/p/d/y"),
    ] {
        let reply = format!("HTTP/1.1 302 Found\r\nLocation: {link}\r\nContent-Length: 0\r\n\r\n");
        let vendor = Vendor::answering(Reply::bytes(reply)).await;
        let own = format!("vendor.test%3A{}", vendor.address().port());
        let pair = Pair::before(vendor, |setup| {
            let d = Connection::new("vendor").with_secret("token", "of-d");
            let setup = setup.path("/v2").also("d", d);
            setup.options(|options| options.address_by(all()).rewrite_links(true))
        })
        .await;
        let answer = pair.call(at(host, target, lines)).await;
        let expected = expected.replace("OWN", &own);
        assert_eq!(location(&answer), Some(&*expected), "{link}");
        pair.vendor.next().await;
        let (_, address) = expected.split_once(".test").unwrap();
        let path = address.trim_start_matches(|char| char != '/');
        pair.call(at(host, path, lines)).await;
        assert_eq!(pair.vendor.next().await.target(), link);
    }
}

/// The public URL has no host for each connection, but its scheme is the scheme of all callers.
#[tokio::test]
async fn p26_of_a_public_url_only_the_scheme_is_used_by_host() {
    let reply = "HTTP/1.1 302 Found\r\nLocation: /y\r\nContent-Length: 0\r\n\r\n";
    let vendor = Vendor::answering(reply).await;
    let pair = Pair::before(vendor, |setup| {
        setup.options(|options| {
            let options = options.address_by(all()).rewrite_links(true);
            options.public_url("https://public.test/out").unwrap()
        })
    })
    .await;
    for (host, target, expected) in [
        ("c.gw.test", "/x", "https://c.gw.test/y"),
        ("gw.test", "/p/c/x", "https://public.test/out/p/c/y"),
    ] {
        let answer = pair.call(at(host, target, &[])).await;
        assert_eq!(location(&answer), Some(expected));
    }
}

/// An SDK of AWS puts the bucket in front of the host that it's given.
#[tokio::test]
async fn d17_labels_in_front_of_the_id_select_a_host_below_the_base_url() {
    let change = |allowed: bool| {
        move |setup: Setup| {
            let setup = setup
                .name("bucket.vendor.test", [127, 0, 0, 1])
                .name("a.b.vendor.test", [127, 0, 0, 1])
                .name("private.vendor.test", [10, 0, 0, 1]);
            let setup = setup.upstream(move |upstream| upstream.subdomains(allowed));
            setup_of(setup, all())
        }
    };
    let pair = Pair::with(change(true)).await;
    let port = pair.vendor.address().port();
    for (host, expected) in [
        ("bucket.d.gw.test", "bucket.vendor.test"),
        ("Bucket.D.gw.test:80", "bucket.vendor.test"),
        ("a.b.d.gw.test", "a.b.vendor.test"),
        ("d.gw.test", "vendor.test"),
    ] {
        let received = pair.seen(at(host, "/key?a", &[])).await;
        assert_eq!(received.target(), "/v2/key?a");
        let expected = format!("{expected}:{port}");
        assert_eq!(received.head.value("host"), Some(&*expected), "{host}");
        let token = received.head.value("authorization");
        assert_eq!(token, Some("Bearer of-d"));
    }
    for (host, target, status, code) in [
        ("private.d.gw.test", "/x", 403, "destination-refused"),
        ("bucket.none.gw.test", "/x", 404, "unknown-connection"),
        ("a_b.d.gw.test", "/x", 400, "bad-address"),
        ("-a.d.gw.test", "/x", 400, "bad-address"),
        (
            "bucket.d.gw.test",
            "/x?__domain=vendor.test",
            400,
            "bad-domain",
        ),
    ] {
        pair.refused(at(host, target, &[]), status, code).await;
    }
    let long = format!("{}.d.gw.test", vec!["a".repeat(63); 4].join("."));
    pair.refused(at(&long, "/x", &[]), 400, "bad-address").await;

    let refusing = Pair::with(change(false)).await;
    let call = at("bucket.d.gw.test", "/x", &[]);
    refusing.refused(call, 403, "domain-refused").await;
    refusing.vendor.untouched().await;
}

/// The name of a bucket is in the path otherwise, where the scope would see it.
#[tokio::test]
async fn t10_a_scope_of_paths_refuses_a_host_below_the_base_url() {
    let vendor = Vendor::ok().await;
    let listener = bind().await;
    let mut setup = Setup::new(&vendor)
        .name("bucket.vendor.test", [127, 0, 0, 1])
        .upstream(|upstream| upstream.subdomains(true));
    let transport = setup.build_transport(listener.local_addr().unwrap());
    let upstreams = tower_passthrough::Integrations::new().with("vendor", setup.build_upstream());
    let connection = Connection::new("vendor").with_secret("token", "t");
    let store = tower_passthrough::MemoryStore::from_iter([("d", connection)]);
    let service = tower_passthrough::PassthroughService::builder(store, upstreams)
        .authorize_fn(|_, _| tower_passthrough::Scope::all().paths(["own/*"]))
        .caller_credentials([])
        .transport(transport)
        .address_by(all())
        .build();
    let pair = Pair {
        vendor,
        gateway: Gateway::serve(listener, service),
    };
    assert_eq!(
        pair.seen(at("d.gw.test", "/own/x", &[])).await.target(),
        "/own/x"
    );
    let call = at("bucket.d.gw.test", "/own/x", &[]);
    pair.refused(call, 403, "scope-refused").await;
}
