//! WebDAV: the fields of a request that name resources by their URL, which are addresses under the mount.

use tower_passthrough::address::Addressing;
use tower_passthrough::{Connection, Integrations, MemoryStore, PassthroughService, Scope};

use testkit::caller::{raw_call, request};
use testkit::gateway::{Builder, Gateway, Setup, bind};
use testkit::pair::Pair;
use testkit::vendor::Vendor;

async fn rewriting() -> Pair {
    Pair::with(|setup| {
        let options = |options: Builder| options.rewrite_links(true);
        setup.path("/dav").options(options)
    })
    .await
}

fn to(pair: &Pair, text: &str) -> String {
    let origin = format!("http://vendor.test:{}", pair.vendor.address().port());
    text.replace("{v}", &origin)
}

#[tokio::test]
async fn h24_a_destination_under_the_mount_becomes_the_upstreams_url() {
    let pair = rewriting().await;
    for (sent, expected) in [
        ("http://app.test/p/c/b.txt", "{v}/dav/b.txt"),
        ("https://APP.test:443/p/c/b.txt", "{v}/dav/b.txt"),
        ("/p/c/b%20c/?a=1", "{v}/dav/b%20c/?a=1"),
        ("http://app.test/p/%63/b.txt", "{v}/dav/b.txt"),
        ("http://app.test/p/c", "{v}/dav"),
        // These aren't addresses of the gateway, so the upstream decides.
        ("{v}/dav/b.txt", "{v}/dav/b.txt"),
        (
            "https://elsewhere.test/b.txt",
            "https://elsewhere.test/b.txt",
        ),
        ("/dav/b.txt", "/dav/b.txt"),
        ("b.txt", "b.txt"),
        ("name-of-an-account", "name-of-an-account"),
    ] {
        let field = format!("Destination: {}", to(&pair, sent));
        let seen = pair
            .seen(request("MOVE", "/p/c/a.txt", &[&field], ""))
            .await;
        assert_eq!(
            seen.head.values("destination"),
            [to(&pair, expected)],
            "{sent}"
        );
    }
}

#[tokio::test]
async fn h24_another_address_of_the_gateway_is_refused() {
    let pair = rewriting().await;
    for sent in [
        "http://app.test/p/other/b.txt",
        "/p/other/b.txt",
        "http://app.test/b.txt",
        "http://app.test",
        "http://app.test/p",
        "http://app.test/p/c/../other/b.txt",
        "http://app.test/p/c/b#c",
        // User info may be the caller's key.
        "https://user:k3y@app.test/p/c/b.txt",
        "http://app.test:/p/other/b.txt",
        "http://app.test:080/p/other/b.txt",
    ] {
        let field = format!("Destination: {sent}");
        let call = request("COPY", "/p/c/a.txt", &[&field], "");
        let answer = pair.refused(call, 400, "bad-address").await;
        assert!(!answer.text().contains("app.test"), "{sent}");
    }
    assert!(pair.vendor.try_next().await.is_none());
}

/// A caller inside of the network calls the gateway by another name than the public one.
#[tokio::test]
async fn h24_the_public_url_and_the_host_of_the_request_are_both_the_gateways() {
    let pair = Pair::with(|setup| {
        setup.path("/dav").options(|options: Builder| {
            let options = options.rewrite_links(true);
            options.public_url("https://gw.example/out").unwrap()
        })
    })
    .await;
    for sent in [
        "https://gw.example/out/p/c/b.txt",
        "http://app.test/p/c/b.txt",
        "/out/p/c/b.txt",
        "/p/c/b.txt",
    ] {
        let field = format!("Destination: {sent}");
        let seen = pair.seen(request("MOVE", "/p/c/a", &[&field], "")).await;
        let expected = to(&pair, "{v}/dav/b.txt");
        assert_eq!(seen.head.values("destination"), [expected], "{sent}");
    }
    for sent in ["https://gw.example/p", "http://app.test/p/d/b", "/out/p/d"] {
        let call = request("MOVE", "/p/c/a", &[&format!("Destination: {sent}")], "");
        pair.refused(call, 400, "bad-address").await;
    }
}

#[tokio::test]
async fn h24_a_destination_at_a_host_that_names_a_connection() {
    let pair = Pair::with(|setup| {
        setup.path("/dav").options(|options: Builder| {
            let addressing = Addressing::path().host("{connection}.gw.test").unwrap();
            options.rewrite_links(true).address_by(addressing)
        })
    })
    .await;
    let call =
        |sent: &str| format!("MOVE /a HTTP/1.1\r\nHost: c.gw.test\r\nDestination: {sent}\r\n\r\n");
    for (sent, expected) in [
        ("http://c.gw.test/b.txt", "{v}/dav/b.txt"),
        ("http://C.gw.test:80", "{v}/dav/"),
        ("/b.txt", "{v}/dav/b.txt"),
    ] {
        let seen = pair.seen(call(sent)).await;
        assert_eq!(
            seen.head.values("destination"),
            [to(&pair, expected)],
            "{sent}"
        );
    }
    for sent in ["http://d.gw.test/b.txt", "https://d.gw.test:8080/b.txt"] {
        pair.refused(call(sent), 400, "bad-address").await;
    }
    let by_path = request(
        "MOVE",
        "/p/c/a",
        &["Destination: http://d.gw.test/b.txt"],
        "",
    );
    pair.refused(by_path, 400, "bad-address").await;
}

#[tokio::test]
async fn h24_resources_in_if_are_translated() {
    let pair = rewriting().await;
    let field = "If: <http://app.test/p/c/a> (<urn:uuid:1> [\"x<y\"]) </p/c/b> (Not <DAV:no-lock>)";
    let seen = pair.seen(request("PUT", "/p/c/a", &[field], "")).await;
    let expected = "<{v}/dav/a> (<urn:uuid:1> [\"x<y\"]) <{v}/dav/b> (Not <DAV:no-lock>)";
    assert_eq!(seen.head.values("if"), [to(&pair, expected)]);
    let other = "If: <http://app.test/p/other/a> (<urn:uuid:1>)";
    pair.refused(request("PUT", "/p/c/a", &[other], ""), 400, "bad-address")
        .await;
}

#[tokio::test]
async fn h24_without_rewriting_the_fields_are_unchanged() {
    let pair = Pair::with(|setup| setup.path("/dav")).await;
    let field = "Destination: http://app.test/p/other/b.txt";
    let seen = pair.seen(request("MOVE", "/p/c/a.txt", &[field], "")).await;
    assert_eq!(
        seen.head.values("destination"),
        ["http://app.test/p/other/b.txt"]
    );
}

/// A destination is a path of the call as well, so the scope holds for it.
#[tokio::test]
async fn h24_a_destination_outside_of_the_scope_is_refused() {
    let vendor = Vendor::ok().await;
    let listener = bind().await;
    let mut setup = Setup::new(&vendor).path("/dav");
    let transport = setup.build_transport(listener.local_addr().unwrap());
    let integrations = Integrations::new().with("vendor", setup.build_upstream());
    let connection = Connection::new("vendor").with_secret("token", "t");
    let store = MemoryStore::from_iter([("c", connection)]);
    let service = PassthroughService::builder(store, integrations)
        .authorize_fn(|_, _| Scope::all().paths(["mine/*"]))
        .caller_credentials([])
        .transport(transport)
        .prefix("/p")
        .unwrap()
        .rewrite_links(true)
        .build();
    let gateway = Gateway::serve(listener, service);
    for (field, status) in [
        ("Destination: /p/c/mine/b.txt", 200),
        ("Destination: /p/c/theirs/b.txt", 403),
        ("If: </p/c/theirs/b.txt> (<urn:uuid:1>)", 403),
    ] {
        let call = request("MOVE", "/p/c/mine/a.txt", &[field], "");
        let answer = raw_call(gateway.address, call).await;
        assert_eq!(answer.status(), status, "{field}");
    }
}
