//! Pages stay under the mount: the addresses that a vendor's links become, and the URLs to which they lead.

use axum::Router;
use axum::extract::OriginalUri;
use tower_passthrough::address::PathEncoding;
use tower_passthrough::policy::DomainPolicy;
use tower_passthrough::service::ResponseHeaderPolicy;
use tower_passthrough::upstream::DomainOverride;
use tower_passthrough::{PassthroughLayer, auth};

use testkit::caller::{RawResponse, get, raw_call};
use testkit::gateway::{Builder, Gateway, Mount, Setup, bind};
use testkit::h2_caller::{self, H2Caller};
use testkit::pair::Pair;
use testkit::reply::Reply;
use testkit::vendor::Vendor;

fn rewriting(options: Builder) -> Builder {
    options.rewrite_links(true)
}

/// Starts a vendor that answers with these fields, in which `{v}` is the vendor's origin, and with the target as the
/// body.
async fn vendor(fields: &str) -> Vendor {
    let fields = fields.to_owned();
    Vendor::replying(move |request| {
        let host = request.head.value("host").unwrap_or_default();
        let port = host.rsplit(':').next().unwrap_or_default();
        let fields = fields.replace("{v}", &format!("http://{host}"));
        let fields = fields.replace("{port}", port);
        let target = request.target();
        let length = target.len();
        Reply::bytes(format!(
            "HTTP/1.1 200 OK\r\n{fields}\r\nContent-Length: {length}\r\n\r\n{target}"
        ))
    })
    .await
}

async fn pair(fields: &str, change: impl FnOnce(Setup) -> Setup) -> Pair {
    let vendor = vendor(fields).await;
    Pair::before(vendor, |setup| change(setup.path("/v2").options(rewriting))).await
}

/// Checks that a call of that address reaches that target at the vendor.
async fn leads_to(gateway: &Gateway, address: &str, target: &str) {
    let response = raw_call(gateway.address, get(address)).await;
    assert_eq!(
        (response.status(), response.text()),
        (200, target.to_owned())
    );
}

/// The address of the gateway in the requests of these tests.
const HERE: &str = "http://app.test";

/// Returns the path of a `Location` at the gateway.
fn path_here(response: &RawResponse) -> String {
    let location = location(response);
    let path = location.strip_prefix(HERE);
    path.unwrap_or_else(|| panic!("no address of the gateway: {location}"))
        .to_owned()
}

fn location(response: &RawResponse) -> String {
    let location = response.head.value("location");
    location.expect("a Location").to_owned()
}

#[tokio::test]
async fn paging_is_off_by_default() {
    let vendor = vendor("Location: {v}/v2/y").await;
    let origin = format!("http://vendor.test:{}", vendor.address().port());
    let pair = Pair::before(vendor, |setup| setup.path("/v2")).await;
    let response = pair.call(get("/p/c/x")).await;
    assert_eq!(location(&response), format!("{origin}/v2/y"));
}

#[tokio::test]
async fn paging_links_under_the_base_become_addresses_under_the_mount() {
    let fields = "Location: {v}/v2/y?a=1#f\r\nContent-Location: /v2/z\r\n\
                  Link: <{v}/v2/x?page=2,3>; rel=\"next\", <{v}.test/x>; rel=\"a, <{v}/v2/b>\"\r\n\
                  Link: </v2/x?page=9>; rel=last\r\nX-Next: {v}/v2/x";
    let pair = pair(fields, |setup| setup).await;
    let origin = format!("http://vendor.test:{}", pair.vendor.address().port());
    let response = pair.call(get("/p/c/x")).await;
    assert_eq!(path_here(&response), "/p/c/y?a=1#f");
    let content_location = response.head.values("content-location");
    assert_eq!(content_location, [format!("{HERE}/p/c/z")]);
    let links = [
        format!(
            "<{HERE}/p/c/x?page=2,3>; rel=\"next\", <{origin}.test/x>; rel=\"a, <{origin}/v2/b>\""
        ),
        format!("<{HERE}/p/c/x?page=9>; rel=last"),
    ];
    assert_eq!(response.head.values("link"), links);
    let next = format!("{origin}/v2/x");
    assert_eq!(response.head.values("x-next"), [next.as_str()]);
    leads_to(&pair.gateway, "/p/c/x?page=2,3", "/v2/x?page=2,3").await;
}

#[tokio::test]
async fn paging_other_links_are_returned_unchanged() {
    for sent in [
        "https://vendor.test/v2/y",
        "http://vendor.test/v2/y",
        "http://eu.vendor.test/v2/y",
        "/v2/%2e%2E/y",
        "/v2/a b\u{e9}",
        "y?page=2",
        "./y",
        "/v2/y?__domain=eu.vendor.test",
    ] {
        let sent: Vec<u8> = sent.chars().map(|c| u8::try_from(c).unwrap()).collect();
        let fields = [
            b"HTTP/1.1 200 OK\r\nLocation: ",
            &sent[..],
            b"\r\nContent-Length: 0\r\n\r\n",
        ];
        let vendor = Vendor::answering(fields.concat()).await;
        let pair = Pair::before(vendor, |setup| setup.path("/v2").options(rewriting)).await;
        let response = pair.call(get("/p/c/x")).await;
        let back = location(&response);
        let back: Vec<u8> = back.chars().map(|c| u8::try_from(c).unwrap()).collect();
        assert_eq!(back, sent);
    }
}

fn with_eu(setup: Setup, port: u16) -> Setup {
    setup.upstream(move |upstream| {
        let domains = DomainPolicy::none().allow(&format!("eu.vendor.test:{port}"));
        upstream.domains(domains.unwrap())
    })
}

#[tokio::test]
async fn paging_stays_at_the_domain_of_the_call() {
    for sent in ["{v}/items?page=2", "/items?page=2", "?page=2"] {
        let vendor = vendor(&format!("Location: {sent}")).await;
        let port = vendor.address().port();
        let pair = Pair::before(vendor, |setup| {
            with_eu(setup.path("/v2").options(rewriting), port)
        })
        .await;
        let domain = format!("__domain=eu.vendor.test%3A{port}");
        let call = get(&format!("/p/c/items?{domain}"));
        let response = pair.call(call).await;
        let next = path_here(&response);
        assert_eq!(next, format!("/p/c/items?page=2&{domain}"), "{sent}");
        pair.vendor.next().await;
        leads_to(&pair.gateway, &next, "/items?page=2").await;
        let host = format!("eu.vendor.test:{port}");
        let received = pair.vendor.next().await;
        assert_eq!(received.head.value("host"), Some(host.as_str()));
    }
}

#[tokio::test]
async fn paging_addresses_are_exact_for_each_path_encoding() {
    let link = "/v2/group%2Fproject?page=2";
    for (encoding, address) in [
        (PathEncoding::Auto, "/p/c/%2Fgroup%252Fproject?page=2"),
        (PathEncoding::Always, "/p/c/%2Fgroup%252Fproject?page=2"),
        (PathEncoding::Never, "/p/c/group%2Fproject?page=2"),
    ] {
        let pair = pair(&format!("Location: {link}"), |setup| {
            setup.options(move |options| rewriting(options).path_encoding(encoding))
        })
        .await;
        let next = path_here(&pair.call(get("/p/c/x")).await);
        assert_eq!(next, address, "{encoding:?}");
        leads_to(&pair.gateway, &next, link).await;
    }
}

#[tokio::test]
async fn paging_works_with_scrubbed_links_and_default_queries() {
    let fields = "Location: {v}/v2/y?v=3&api_key=S&page=2";
    let pair = pair(fields, |setup| {
        setup
            .upstream(|upstream| {
                let upstream = upstream.query("v=3").unwrap().scrub_links(true);
                upstream.auth(auth::Query::new("api_key").unwrap())
            })
            .connection(tower_passthrough::Connection::new("vendor").with_secret("api_key", "S"))
    })
    .await;
    let next = path_here(&pair.call(get("/p/c/x")).await);
    assert_eq!(next, "/p/c/y?page=2");
    leads_to(&pair.gateway, &next, "/v2/y?v=3&page=2&api_key=S").await;
}

#[tokio::test]
async fn paging_works_with_browser_safe() {
    let fields = "Location: {v}/v2/y\r\nLink: </v2/z>; rel=preload";
    let pair = pair(fields, |setup| {
        setup.options(|options| {
            rewriting(options).response_headers(ResponseHeaderPolicy::BrowserSafe)
        })
    })
    .await;
    let response = pair.call(get("/p/c/x")).await;
    assert_eq!(path_here(&response), "/p/c/y");
    assert!(!response.head.has("link"));
}

fn original(extensions: &http::Extensions) -> Option<&http::Uri> {
    extensions.get().map(|OriginalUri(uri)| uri)
}

/// Starts a vendor, and a gateway with a service that has that prefix and that `mount` mounts.
async fn mounted(
    prefix: &'static str,
    mount: impl FnOnce(tower_passthrough::PassthroughService) -> Router,
) -> (Vendor, Gateway) {
    let vendor = vendor("Link: </v2/y?page=2>; rel=next").await;
    let listener = bind().await;
    let setup = Setup::new(&vendor).path("/v2").mount(Mount::Nest);
    let mut setup = setup.options(move |options| {
        let options = rewriting(options).original_uri(original);
        options.prefix(prefix).expect("a prefix")
    });
    let service = setup.build(listener.local_addr().unwrap());
    (vendor, Gateway::serve(listener, mount(service)))
}

async fn next_is(gateway: &Gateway, call: &str, next: &str) {
    let response = raw_call(gateway.address, get(call)).await;
    let link = format!("<{HERE}{next}>; rel=next");
    assert_eq!(response.head.values("link"), [link.as_str()], "{call}");
    leads_to(gateway, next, "/v2/y?page=2").await;
}

#[tokio::test]
async fn paging_in_a_nest_uses_the_whole_mount() {
    let nest = |service| Router::new().nest("/api", Router::new().nest_service("/p", service));
    let (_vendor, gateway) = mounted("/api/p", nest).await;
    next_is(&gateway, "/api/p/c/x", "/api/p/c/y?page=2").await;
    next_is(&gateway, "/api/p/%63", "/api/p/%63/y?page=2").await;
    next_is(&gateway, "/api/p/c/%2Fv2%2Fx", "/api/p/c/y?page=2").await;

    let nest = |service| Router::new().nest_service("/p/{id}", service);
    let (_vendor, gateway) = mounted("/p", nest).await;
    next_is(&gateway, "/p/c/", "/p/c/y?page=2").await;
}

/// The caller's own spelling of the mount stays.
#[tokio::test]
async fn r11_a_mount_with_a_parameter_is_the_mount_that_the_caller_sent() {
    let nest = |service| Router::new().nest_service("/t/{tenant}/p", service);
    let (_vendor, gateway) = mounted("/t/{tenant}/p", nest).await;
    next_is(&gateway, "/t/acme/p/c/x", "/t/acme/p/c/y?page=2").await;
    next_is(&gateway, "/t/a%2Fb/p/c/x", "/t/a%2Fb/p/c/y?page=2").await;

    let vendor = vendor("Link: </v2/y?page=2>; rel=next").await;
    let listener = bind().await;
    let service = Setup::new(&vendor)
        .path("/v2")
        .mount(Mount::Layer)
        .options(rewriting)
        .build(listener.local_addr().unwrap());
    let layer = PassthroughLayer::new("/t/{tenant}/p", service).expect("a prefix");
    let gateway = Gateway::serve(listener, Router::new().layer(layer));
    next_is(&gateway, "/t/acme/p/c/x", "/t/acme/p/c/y?page=2").await;
    let outside = raw_call(gateway.address, get("/t/acme/q/c/x")).await;
    assert_eq!((outside.status(), outside.error()), (404, None));
}

#[tokio::test]
async fn paging_below_a_layers_prefix_and_at_the_root() {
    let vendor = vendor("Link: </v2/y?page=2>; rel=next").await;
    let listener = bind().await;
    let setup = Setup::new(&vendor).path("/v2").mount(Mount::Layer);
    let service = setup
        .options(rewriting)
        .build(listener.local_addr().unwrap());
    let layer = PassthroughLayer::new("/deep/p", service).expect("a prefix");
    let gateway = Gateway::serve(listener, Router::new().layer(layer));
    next_is(&gateway, "/deep/p/c/x", "/deep/p/c/y?page=2").await;

    let root = |service| Router::new().fallback_service(service);
    let (_vendor, gateway) = mounted("", root).await;
    next_is(&gateway, "/c/x", "/c/y?page=2").await;
    next_is(&gateway, "/c", "/c/y?page=2").await;
}

/// The gateway itself writes the address, so it must not contain the key.
#[tokio::test]
async fn q11_an_address_under_the_mount_never_contains_the_key() {
    let fields = "Link: <{v}/v2/items?page=2&token=s3cr3t>; rel=\"next\"\r\n\
                  Location: /v2/items?token=s3cr3t&page=3";
    let vendor = vendor(fields).await;
    let gateway = Setup::new(&vendor)
        .path("/v2")
        .upstream(|upstream| upstream.auth(auth::Query::new("token").unwrap()))
        .options(rewriting)
        .start()
        .await;
    let response = raw_call(gateway.address, get("/p/c/items")).await;
    let link = response.head.value("link");
    let next = format!("<{HERE}/p/c/items?page=2>; rel=\"next\"");
    assert_eq!(link, Some(&*next));
    assert_eq!(path_here(&response), "/p/c/items?page=3");
}

/// Returns the `Location` for a request with that head, up to the blank line.
async fn location_for(pair: &Pair, head: &str) -> String {
    location(&pair.call(format!("{head}\r\n\r\n")).await)
}

#[tokio::test]
async fn r11_rewritten_links_are_absolute() {
    let redirects = pair("Location: /v2/y", |setup| setup).await;
    for (head, expected) in [
        (
            "GET /p/c/x HTTP/1.1\r\nHost: gw.test",
            "http://gw.test/p/c/y",
        ),
        (
            "GET /p/c/x HTTP/1.1\r\nHost: GW.test:8080",
            "http://GW.test:8080/p/c/y",
        ),
        (
            "GET /p/c/x HTTP/1.1\r\nhost: [::1]:81",
            "http://[::1]:81/p/c/y",
        ),
        (
            "GET https://abs.test/p/c/x HTTP/1.1\r\nHost: other.test",
            "https://abs.test/p/c/y",
        ),
        // These hosts can't be written into a link, so the upstream's link stays.
        ("GET /p/c/x HTTP/1.1\r\nHost:", "/v2/y"),
        ("GET /p/c/x HTTP/1.1\r\nHost: a@gw.test", "/v2/y"),
        ("GET /p/c/x HTTP/1.1\r\nHost: gw.test/x", "/v2/y"),
        ("GET /p/c/x HTTP/1.1\r\nHost: a,b", "/v2/y"),
        ("GET /p/c/x HTTP/1.0", "/v2/y"),
        // Only the host application knows if it can trust a proxy.
        (
            "GET /p/c/x HTTP/1.1\r\nHost: gw.test\r\nX-Forwarded-Host: evil.test\r\nX-Forwarded-Proto: https",
            "http://gw.test/p/c/y",
        ),
    ] {
        assert_eq!(location_for(&redirects, head).await, expected, "{head}");
    }
    let mut caller = H2Caller::connect(redirects.gateway.address).await;
    let request = h2_caller::request("GET", "/p/c/x").body(()).unwrap();
    let response = caller.call(request).await;
    assert_eq!(response.headers["location"], "http://app.test/p/c/y");
}

#[tokio::test]
async fn r11_the_public_url_replaces_host_and_scheme() {
    let redirects = pair("Location: /v2/y", |setup| {
        setup.options(|options| {
            let options = rewriting(options);
            options.public_url("https://gw.example/out").unwrap()
        })
    })
    .await;
    for host in ["Host: gw.test", "Host: a@b", "X: y"] {
        let head = format!("GET /p/c/x HTTP/1.1\r\n{host}");
        let location = location_for(&redirects, &head).await;
        assert_eq!(location, "https://gw.example/out/p/c/y", "{host}");
    }
}

/// A server in front handles TLS, and callers use several names.
#[tokio::test]
async fn r11_the_host_application_can_say_the_scheme() {
    let vendor = vendor("Location: /v2/y").await;
    let listener = bind().await;
    let service = Setup::new(&vendor)
        .path("/v2")
        .mount(Mount::Layer)
        .options(rewriting)
        .build(listener.local_addr().unwrap());
    let layer = PassthroughLayer::new("/p", service).expect("a prefix");
    let app = Router::new().layer(layer);
    let app = app.layer(axum::Extension(http::uri::Scheme::HTTPS));
    let gateway = Gateway::serve(listener, app);
    let response = raw_call(gateway.address, get("/p/c/x")).await;
    assert_eq!(location(&response), "https://app.test/p/c/y");
}

#[tokio::test]
async fn r11_all_fields_that_sdks_follow_are_rewritten() {
    let names = [
        "location",
        "content-location",
        "x-goog-upload-url",
        "x-goog-upload-control-url",
        "operation-location",
        "azure-asyncoperation",
    ];
    let fields: Vec<_> = names
        .iter()
        .map(|name| format!("{name}: {{v}}/v2/y?id=1&key=S"))
        .collect();
    let pair = pair(&fields.join("\r\n"), |setup| {
        setup
            .upstream(|upstream| upstream.auth(auth::Query::new("key").unwrap()))
            .connection(tower_passthrough::Connection::new("vendor").with_secret("key", "S"))
    })
    .await;
    let response = pair.call(get("/p/c/x")).await;
    for name in names {
        let address = format!("{HERE}/p/c/y?id=1");
        assert_eq!(response.head.values(name), [address], "{name}");
    }
    leads_to(&pair.gateway, "/p/c/y?id=1", "/v2/y?id=1&key=S").await;
}

/// Google's resumable uploads are at `/upload/...`, and Jira's pages at `/rest/...`, beside the base path.
#[tokio::test]
async fn r12_links_beside_the_base_path_are_reached_by_domain() {
    for (sent, target) in [
        ("{v}/upload/v2/y?id=1", "/upload/v2/y?id=1"),
        ("/v2x/y", "/v2x/y"),
        ("../y?a", "/y?a"),
        ("/v2/../y", "/y"),
        ("{v}", "/"),
    ] {
        let pair = pair(&format!("Location: {sent}"), |setup| setup).await;
        let port = pair.vendor.address().port();
        let next = path_here(&pair.call(get("/p/c/x")).await);
        let domain = format!("__domain=vendor.test%3A{port}");
        assert!(next.ends_with(&domain), "{sent}: {next}");
        leads_to(&pair.gateway, &next, target).await;
    }
}

#[tokio::test]
async fn r12_links_to_other_hosts_of_the_vendor_are_reached_by_domain() {
    let vendor = vendor("Location: http://eu.vendor.test:{port}/v2/y").await;
    let port = vendor.address().port();
    let pair = Pair::before(vendor, |setup| {
        with_eu(setup.path("/v2").options(rewriting), port)
    })
    .await;
    let next = path_here(&pair.call(get("/p/c/x")).await);
    assert_eq!(next, format!("/p/c/v2/y?__domain=eu.vendor.test%3A{port}"));
    pair.vendor.next().await;
    leads_to(&pair.gateway, &next, "/v2/y").await;
    let host = format!("eu.vendor.test:{port}");
    let received = pair.vendor.next().await;
    assert_eq!(received.head.value("host"), Some(host.as_str()));
}

/// With such a base path, no call can leave it, so no link can lead beside it.
#[tokio::test]
async fn r12_a_base_path_that_is_a_boundary_is_never_left_by_a_link() {
    let pair = pair("Location: {v}/v3/y", |setup| {
        setup.upstream(|upstream| upstream.domain_override(DomainOverride::ReplaceAuthority))
    })
    .await;
    let origin = format!("http://vendor.test:{}", pair.vendor.address().port());
    let response = pair.call(get("/p/c/x")).await;
    assert_eq!(location(&response), format!("{origin}/v3/y"));
}
