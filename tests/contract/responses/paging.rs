//! Pages stay under the mount: the addresses that a vendor's links become, and the URLs to which they lead.

use axum::Router;
use axum::extract::OriginalUri;
use tower_passthrough::address::PathEncoding;
use tower_passthrough::policy::DomainPolicy;
use tower_passthrough::service::ResponseHeaderPolicy;
use tower_passthrough::{PassthroughLayer, auth};

use testkit::caller::{RawResponse, get, raw_call};
use testkit::gateway::{Builder, Gateway, Mount, Setup, bind};
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
        let fields = fields.replace("{v}", &format!("http://{host}"));
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
                  Link: <{v}/v2/x?page=2,3>; rel=\"next\", <{v}/v3/x>; rel=\"a, <{v}/v2/b>\"\r\n\
                  Link: </v2/x?page=9>; rel=last\r\nX-Next: {v}/v2/x";
    let pair = pair(fields, |setup| setup).await;
    let origin = format!("http://vendor.test:{}", pair.vendor.address().port());
    let response = pair.call(get("/p/c/x")).await;
    assert_eq!(location(&response), "/p/c/y?a=1#f");
    assert_eq!(response.head.values("content-location"), ["/p/c/z"]);
    let links = [
        format!("</p/c/x?page=2,3>; rel=\"next\", <{origin}/v3/x>; rel=\"a, <{origin}/v2/b>\""),
        "</p/c/x?page=9>; rel=last".to_owned(),
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
        "/v2x/y",
        "/v2/../y",
        "/v2/%2e%2E/y",
        "/v2/a b\u{e9}",
        "y?page=2",
        "../y",
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
        let next = location(&response);
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
        let next = location(&pair.call(get("/p/c/x")).await);
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
    let next = location(&pair.call(get("/p/c/x")).await);
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
    assert_eq!(location(&response), "/p/c/y");
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
    let link = format!("<{next}>; rel=next");
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
    assert_eq!(link, Some("</p/c/items?page=2>; rel=\"next\""));
    assert_eq!(response.head.value("location"), Some("/p/c/items?page=3"));
}
