//! The paths that a vendor serves from another host: `Upstream::route`.

use tower_passthrough::Upstream;

use testkit::caller::{get, raw_call};
use testkit::gateway::{Gateway, Origin, Setup};
use testkit::reply::Reply;
use testkit::vendor::Vendor;

/// The main vendor, the vendor of files, and a gateway in front of both.
async fn start(change: impl FnOnce(Setup) -> Setup) -> (Vendor, Vendor, Gateway) {
    let (main, files) = (Vendor::ok().await, Vendor::ok().await);
    let gateway = between(&main, &files, change).await;
    (main, files, gateway)
}

async fn between(main: &Vendor, files: &Vendor, change: impl FnOnce(Setup) -> Setup) -> Gateway {
    let base = files.origin().replace("vendor.test", "eu.vendor.test") + "/up";
    let routed = move |upstream: Upstream| {
        let upstream = upstream.route("/v1/files", &base).unwrap();
        let deeper = base.replace("/up", "/deeper");
        upstream.route("/v1/files/deep/er", &deeper).unwrap()
    };
    let setup = Setup::new(main).path("/api").upstream(routed);
    change(setup).start().await
}

#[tokio::test]
async fn d16_a_route_leads_the_paths_below_it_to_its_own_base_url() {
    let (main, files, gateway) = start(|setup| setup).await;
    for (path, expected) in [
        ("/v1/files", "/up/v1/files"),
        ("/v1/files/", "/up/v1/files/"),
        ("/v1/files/7?a=%20&a", "/up/v1/files/7?a=%20&a"),
        ("/v1/files//x%2Fy", "/up/v1/files//x%2Fy"),
        ("/%2Fv1%2Ffiles%2F7%3Fa", "/up/v1/files/7?a"),
        ("/v1/files/deep", "/up/v1/files/deep"),
        ("/v1/files/deep/er/x", "/deeper/v1/files/deep/er/x"),
    ] {
        let answer = raw_call(gateway.address, get(&format!("/p/c{path}"))).await;
        assert_eq!(answer.status(), 200, "{path}");
        let received = files.next().await;
        assert_eq!(received.target(), expected, "{path}");
        let host = format!("eu.vendor.test:{}", files.address().port());
        assert_eq!(received.head.value("host"), Some(&*host));
        let token = received.head.value("authorization");
        assert_eq!(token, Some("Bearer s3cr3t"));
    }
    for path in [
        "",
        "/",
        "/v1",
        "/v1/filesx",
        "/v1/Files",
        "/v1//files",
        "/x/v1/files",
        "/v1/%66iles",
        "/v1/files;a/x",
        // The other host could read it as a path outside of the route.
        "/v1/files/../x",
        "/v1/files/%2e%2e/x",
    ] {
        let answer = raw_call(gateway.address, get(&format!("/p/c{path}"))).await;
        assert_eq!(answer.status(), 200, "{path}");
        assert_eq!(main.next().await.target(), format!("/api{path}"));
    }
    assert!(files.try_next().await.is_none());
}

/// The host that `__domain` names gets the call, and a route's host isn't allowed in `__domain` by the route.
#[tokio::test]
async fn d16_a_call_with_a_domain_is_not_routed() {
    let (main, files, gateway) = start(|setup| setup).await;
    let own = format!("vendor.test:{}", main.address().port());
    let call = get(&format!("/p/c/v1/files/7?__domain={own}"));
    assert_eq!(raw_call(gateway.address, call).await.status(), 200);
    assert_eq!(main.next().await.target(), "/v1/files/7");
    let other = format!("eu.vendor.test:{}", files.address().port());
    let call = get(&format!("/p/c/x?__domain={other}"));
    let answer = raw_call(gateway.address, call).await;
    assert_eq!(answer.error(), Some("domain-refused"));
    files.untouched().await;
}

/// The guard judges the addresses of a route's host like all others.
#[tokio::test]
async fn d16_the_host_of_a_route_is_checked_like_any_host() {
    let private = |setup: Setup| setup.name("eu.vendor.test", [10, 0, 0, 1]);
    let (_main, files, gateway) = start(private).await;
    let answer = raw_call(gateway.address, get("/p/c/v1/files/7")).await;
    assert_eq!(answer.error(), Some("destination-refused"));
    files.untouched().await;
}

#[tokio::test]
async fn d16_links_below_each_base_url_are_rewritten_if_a_call_leads_there() {
    let reply = |request: &testkit::vendor::Received| {
        let (_, link) = request.target().split_once("?to=").unwrap();
        let head = format!("HTTP/1.1 302 Found\r\nLocation: {link}\r\nContent-Length: 0\r\n\r\n");
        Reply::bytes(head)
    };
    let (main, files) = (Vendor::replying(reply).await, Vendor::replying(reply).await);
    let rewriting = |setup: Setup| setup.options(|options| options.rewrite_links(true));
    let gateway = between(&main, &files, rewriting).await;
    let other = format!("http://eu.vendor.test:{}", files.address().port());
    let own = format!("vendor.test%3A{}", main.address().port());
    for (path, link, expected) in [
        ("/x", "/api/y", "/y".to_owned()),
        // Without `__domain`, a call of this path would reach the other host.
        (
            "/x",
            "/api/v1/files/7",
            format!("/api/v1/files/7?__domain={own}"),
        ),
        (
            "/x",
            &format!("{other}/up/v1/files/7"),
            "/v1/files/7".to_owned(),
        ),
        ("/v1/files", "/up/v1/files/7", "/v1/files/7".to_owned()),
        (
            "/v1/files",
            "/deeper/v1/files/deep/er/x",
            "/v1/files/deep/er/x".to_owned(),
        ),
        // No call leads there.
        ("/v1/files", "/up/y", String::new()),
        ("/v1/files", "/up/v1/files/deep/er/x", String::new()),
    ] {
        let call = get(&format!("/p/c{path}?to={link}"));
        let answer = raw_call(gateway.address, call).await;
        let location = answer.head.value("location");
        let expected = match expected.is_empty() {
            true => link.to_owned(),
            false => format!("http://app.test/p/c{expected}"),
        };
        assert_eq!(location, Some(&*expected), "{path} {link}");
    }
}

#[test]
fn d16_a_route_needs_a_plain_path_and_a_base_url() {
    let with = |path: &str, base: &str| {
        let upstream = Upstream::new("https://api.vendor.test").unwrap();
        upstream.route(path, base).is_ok()
    };
    let base = "https://files.vendor.test";
    for path in [
        "", "/", "files", "/files/", "/a/../b", "/a?b", "/a#b", "/a b", "/a\\b",
    ] {
        assert!(!with(path, base), "{path}");
    }
    for base in [
        "",
        "files.vendor.test",
        "ftp://x",
        "https://x/?a",
        "https://u@x",
    ] {
        assert!(!with("/files", base), "{base}");
    }
    let twice = Upstream::new("https://api.vendor.test").unwrap();
    let twice = twice.route("/files", base).unwrap();
    assert!(twice.route("/files", base).is_err());
}

#[test]
fn d16_variables_are_the_same_in_all_base_urls() {
    let upstream = |value: &str| {
        let upstream = Upstream::template("https://{region}.vendor.test").unwrap();
        let upstream = upstream.variable("region", "eu|us").unwrap();
        let upstream = upstream
            .route("/files", "https://files.{region}.vendor.test")
            .unwrap()
            .route("/logs", "https://{intake}.vendor.test")
            .unwrap()
            .variable("intake", "[a-z]+")
            .unwrap()
            .variable_default("intake", "logs")
            .unwrap();
        let connection = tower_passthrough::Connection::new("v").with_variable("region", value);
        upstream.expand(connection.variables())
    };
    assert!(upstream("eu").is_ok());
    assert!(upstream("evil").is_err());
    let none = Upstream::template("https://vendor.test").unwrap();
    assert!(none.variable("region", "eu").is_err());
}
