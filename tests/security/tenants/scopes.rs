//! The methods and paths to which a caller is limited.

use http::Method;
use tower_passthrough::Grant;
use tower_passthrough::authorize::AuthorizeError;
use tower_passthrough::upstream::DomainOverride;
use tower_passthrough::{Authorize, CallContext, ConnectionId, MemoryStore, Scope};

use super::{connection, gateway, with_trailers};
use testkit::caller::{Caller, get, raw_call, request};
use testkit::gateway::{Gateway, TOKEN};
use testkit::h2_caller::{self, H2Caller};
use testkit::pair::Pair;
use testkit::vendor::Vendor;

/// Grants one scope for everything.
#[derive(Clone)]
struct Granting(Scope);

impl Authorize for Granting {
    async fn authorize(
        &self,
        _: &ConnectionId,
        _: CallContext<'_>,
    ) -> Result<Grant, AuthorizeError> {
        Ok(self.0.clone().into())
    }
}

async fn scoped(vendor: &Vendor, scope: Scope) -> Gateway {
    let store = MemoryStore::from_iter([("c", connection())]);
    gateway(vendor, store, Granting(scope), |upstream| upstream).await
}

/// Paths that one server or another reads as a path outside of `/crm/v3/`.
const LEAVING: [&str; 26] = [
    // A servlet container cuts at the `;` before it decodes.
    "/crm/v3/p;%2Fq%2Fr/..%2F..%2F..%2Fadmin",
    "/crm/v3/p;%2fq%2fr/../../../admin",
    "/crm/v3/p;v=%2Fq/..;/..;/../admin",
    "/crm/v3/p%3B%2Fq%2Fr/..%2F..%2F..%2Fadmin",
    // A front resolves the plain dots, and the backend decodes what is left.
    "/crm/v3/p%2Fq%2Fr/../..%2F..%2Fadmin",
    "/crm/v3/p%2Fq%2Fr/../%2e%2e/%2e%2e/admin",
    "/crm/v3/p%2Fq%2Fr/../../../admin",
    "/crm/v3/a/%2e%2e/../../../admin",
    "/crm/v3/p/q/../..;/..;/..;/admin",
    // Both decode.
    "/crm/v3/%252e%252e/%252e%252e/admin",
    "/crm/v3/..%252f..%252fadmin",
    "/crm/v3/..%253b/..%253b/admin",
    "/crm/v3/..%255c..%255cadmin",
    "/crm/v3/%252e%252e%253b/..;/../admin",
    "/crm/v3/p%252Fq%252Fr/../../../admin",
    "/crm%252Fv3/x",
    // A front merges slashes, or drops `.` segments, before it resolves.
    "/crm/v3///../../../admin",
    "/crm/v3/;/../../../admin",
    "/crm/v3/./;/./../../../admin",
    // No dots are resolved at all.
    "/admin/../crm/v3/x",
    "/admin/%2e%2e/crm/v3/x",
    "/admin/..;/crm/v3/x",
    // A second parser sees a query.
    "/admin%3F/../crm/v3/x",
    "/crm%3F/v3/x",
    // A segment leaves the place at which it begins.
    "/crm/v3/a/b/..%2Fx",
    "/crm/v3/a/b/c;%2F..%2F..%2Fx",
];

#[tokio::test]
async fn t3_paths_are_checked_as_the_vendor_may_resolve_them() {
    let vendor = Vendor::ok().await;
    let gateway = scoped(&vendor, Scope::all().paths(["crm/v3/*"])).await;
    for path in [
        "",
        "/",
        "/crm",
        "/crm/v3",
        "/admin",
        "/crm/v3/../../admin",
        "/crm/v3/%2e%2e/%2E%2e/admin",
        "/crm/v3/.%2e/../admin",
        "/crm/v3/x/../../v4/y",
        "/crm//v3/x",
        "//crm/v3/x",
        "/CRM/v3/x",
        "/crm/V3/x",
        "/crm%2Fv3%2F..%2F..%2Fadmin",
        "/crm/v3/..%2f..%2fadmin",
        "/crm/v3/..;/..;/admin",
        "/crm/v3//..",
        "/crm/v3/x//../..",
        "/crm;a/v3/x",
        "/crm/v3;/x",
        "/admin/..%2fcrm/v3/x",
        "/admin/../crm/v3x",
        "/x/crm/v3/y",
        "/crm%2Fv3/x",
        "/%2Fadmin%2Fcrm%2Fv3%2Fx",
        "/crm/v3/a%2f..%2f..%2f..%2fadmin",
    ] {
        let response = raw_call(gateway.address, get(&format!("/p/c{path}"))).await;
        assert_eq!(
            (response.status(), response.error()),
            (403, Some("scope-refused")),
            "{path}"
        );
    }
    // Some would also leave the base path, which is the first fault.
    for path in LEAVING {
        let response = raw_call(gateway.address, get(&format!("/p/c{path}"))).await;
        let refused = (response.status(), response.error());
        let expected = [(403, Some("scope-refused")), (400, Some("bad-address"))];
        assert!(expected.contains(&refused), "{path}: {refused:?}");
    }
    vendor.untouched().await;
    for path in [
        "/crm/v3/contacts",
        "/%63rm/v3/contacts",
        "/crm/v3/a/../b",
        "/crm/v3/a//b",
        "/crm/v3/a%2Fb",
        "/crm/%76%33/x",
        "/crm/v3/x;v=1",
        "/%2Fcrm%2Fv3%2Fx",
        "/crm/v3/a%252Fb",
        "/crm/v3/a%2F..%2Fb",
        "/crm/v3/x;v=a%2Fb/y",
        "/crm/v3/100%25/%3Fa",
        "/crm/v3/./a/.b/c..d",
    ] {
        let response = raw_call(gateway.address, get(&format!("/p/c{path}?a=../../b"))).await;
        assert_eq!(response.status(), 200, "{path}");
        vendor.next().await;
    }
}

#[tokio::test]
async fn t3_methods_are_checked_and_fields_that_override_them_are_removed() {
    let vendor = Vendor::ok().await;
    let gateway = scoped(&vendor, Scope::all().methods([Method::GET])).await;
    for method in ["POST", "DELETE", "HEAD", "get", "GETX"] {
        let response = raw_call(gateway.address, request(method, "/p/c/x", &[], "")).await;
        assert_eq!(response.status(), 403, "{method}");
    }
    vendor.untouched().await;
    let lines = [
        "X-HTTP-Method-Override: DELETE",
        "X_HTTP_Method_Override: DELETE",
        "X-HTTP-Method: DELETE",
        "X-Method-Override: DELETE",
    ];
    assert_eq!(
        raw_call(gateway.address, request("GET", "/p/c/x", &lines, ""))
            .await
            .status(),
        200
    );
    let received = vendor.next().await;
    assert!(!String::from_utf8_lossy(&received.head.raw).contains("DELETE"));
}

#[tokio::test]
async fn t3_a_query_cannot_override_the_method_of_a_scope() {
    let vendor = Vendor::ok().await;
    let gateway = scoped(&vendor, Scope::all().methods([Method::GET, Method::POST])).await;
    for pair in [
        "_method=DELETE",
        "%5Fmethod=DELETE",
        "_METHOD=delete",
        ".method=DELETE",
        "+_method=DELETE",
        "_method[]=DELETE",
        "X-HTTP-Method-Override=DELETE",
        "x_http_method_override=DELETE",
        "method=DELETE",
    ] {
        for method in ["GET", "POST"] {
            let target = format!("/p/c/x?a=1&{pair}&b=_method;{pair}");
            let response = raw_call(gateway.address, request(method, &target, &[], "")).await;
            assert_eq!(response.status(), 200, "{pair}");
            assert_eq!(
                vendor.next().await.target(),
                "/v2/x?a=1&b=_method",
                "{pair}"
            );
            let target = format!("/p/c/x?{pair}");
            raw_call(gateway.address, request(method, &target, &[], "")).await;
            assert_eq!(vendor.next().await.target(), "/v2/x", "{pair}");
        }
    }
    // A generated client's query is in its path.
    raw_call(gateway.address, get("/p/c/%2Fx%3F_method%3DDELETE")).await;
    assert_eq!(vendor.next().await.target(), "/v2/x");
    raw_call(gateway.address, get("/p/c/x?method=flickr.photos.search")).await;
    assert_eq!(
        vendor.next().await.target(),
        "/v2/x?method=flickr.photos.search"
    );

    let open = scoped(&vendor, Scope::all()).await;
    raw_call(open.address, get("/p/c/x?_method=DELETE")).await;
    assert_eq!(vendor.next().await.target(), "/v2/x?_method=DELETE");
}

/// The gateway can't know as which path of which account the upstream reads such a field.
#[tokio::test]
async fn t3_a_second_path_in_a_field_is_refused_if_the_scope_limits_paths() {
    let vendor = Vendor::ok().await;
    let gateway = scoped(&vendor, Scope::all().paths(["pub/*"])).await;
    for line in [
        "Destination: /private/b",
        "Destination: https://vendor.test/private/b",
        "X-Amz-Copy-Source: /bucket/private",
        "x-ms-copy-source: https://vendor.test/private",
        "X-Goog-Copy-Source: bucket/private",
        "X-Copy-From: bucket/private",
    ] {
        let call = request("PUT", "/p/c/pub/a", &[line], "");
        let answer = raw_call(gateway.address, call).await;
        assert_eq!(answer.error(), Some("scope-refused"), "{line}");
    }
    vendor.untouched().await;
    let gateway = scoped(&vendor, Scope::all()).await;
    let line = "Destination: /private/b";
    raw_call(gateway.address, request("MOVE", "/p/c/pub/a", &[line], "")).await;
    assert_eq!(
        vendor.next().await.head.values("destination"),
        ["/private/b"]
    );
}

#[tokio::test]
async fn t3_fields_that_override_the_path_do_not_pass_a_scope_of_paths() {
    let vendor = Vendor::ok().await;
    let gateway = scoped(&vendor, Scope::all().paths(["crm/*"])).await;
    let lines = [
        "X-Original-URL: /admin",
        "x_original_url: /admin",
        "X-Rewrite-URL: /admin",
        "X-Original-URI: /admin",
        "X-Rewrite_Uri: /admin",
        "X-Original-Path: /admin",
        "X-Override-URL: /admin",
        "X-HTTP-Path-Override: /admin",
    ];
    raw_call(gateway.address, request("GET", "/p/c/crm/x", &lines, "")).await;
    let received = vendor.next().await;
    assert!(!String::from_utf8_lossy(&received.head.raw).contains("admin"));

    let mut trailers = lines.to_vec();
    trailers.extend([
        "X-HTTP-Method-Override: DELETE",
        "X_Method: DELETE",
        "X-Sum: 1",
    ]);
    let sent = with_trailers("/p/c/crm/x", &["Trailer: X-Original-URL, X-Sum"], &trailers);
    raw_call(gateway.address, sent).await;
    let received = vendor.next().await;
    let kept = [("x-sum".to_owned(), "1".to_owned())];
    assert_eq!(received.body.trailers, kept);
}

/// A handshake over HTTP/1.1.
fn handshake(target: &str) -> String {
    let lines = [
        "Connection: Upgrade",
        "Upgrade: websocket",
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
        "Sec-WebSocket-Version: 13",
    ];
    request("GET", target, &lines, "")
}

#[tokio::test]
async fn t16_a_websocket_needs_a_grant_of_its_own_where_methods_are_limited() {
    let agreement =
        "HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n";
    let reads = || Scope::all().methods([Method::GET, Method::HEAD]);
    for (scope, is_allowed) in [
        (reads(), false),
        (reads().websockets(true), true),
        (reads().websockets(false), false),
        (Scope::all(), true),
        (Scope::all().paths(["live"]), true),
        (Scope::all().websockets(false), false),
        // A scope without GET isn't widened by the grant.
        (Scope::all().methods([Method::POST]).websockets(true), false),
        (reads().websockets(true).paths(["other"]), false),
    ] {
        let vendor = Vendor::answering(agreement).await;
        let gateway = scoped(&vendor, scope.clone()).await;
        let mut caller = Caller::connect(gateway.address).await;
        caller.write(handshake("/p/c/live")).await;
        if is_allowed {
            assert_eq!(caller.head().await.status(), 101, "{scope:?}");
            vendor.next().await;
        } else {
            let response = caller.response("GET").await;
            assert_eq!(
                (response.status(), response.error()),
                (403, Some("scope-refused")),
                "{scope:?}"
            );
            vendor.untouched().await;
        }
    }
}

#[tokio::test]
async fn t16_an_extended_connect_needs_the_grant_too() {
    let vendor = Vendor::ok().await;
    let gateway = scoped(&vendor, Scope::all().methods([Method::GET])).await;
    let mut caller = H2Caller::connect(gateway.address).await;
    caller.connect_protocol().await;
    let mut handshake = h2_caller::request("CONNECT", "/p/c/live").body(()).unwrap();
    handshake
        .extensions_mut()
        .insert(h2::ext::Protocol::from_static("websocket"));
    let (response, _body) = caller.open(handshake, false).await;
    let response = h2_caller::answer(response).await;
    assert_eq!(response.status(), 403);
    assert_eq!(response.headers()["passthrough-error"], "scope-refused");
    vendor.untouched().await;
}

#[tokio::test]
async fn t15_with_replace_authority_nobody_leaves_the_base_path() {
    let pair = Pair::with(|setup| {
        let boundary = DomainOverride::ReplaceAuthority;
        setup
            .path("/accounts/42")
            .upstream(move |upstream| upstream.domain_override(boundary))
    })
    .await;
    for remainder in [
        "/../43",
        "/%2e%2e/43",
        "/..;/43",
        "/..%2F43",
        "/p;%2Fq%2Fr/..%2F..%2F43",
        "/p;%2Fq/../../43",
        "/p%2Fq/../..%2F43",
        "/p%2Fq/../../43",
        "/%252e%252e/43",
        "/..%252f43",
        "/..%255c43",
        "/a//../../43",
        "/;/../43",
        "/a;/%2e%2e;/..;/43",
        "/%2Fa%252F..%252F..%252F43",
    ] {
        pair.refused(get(&format!("/p/c{remainder}")), 400, "bad-address")
            .await;
    }
    let port = pair.vendor.address().port();
    for domain in [
        format!("http://vendor.test:{port}/accounts/43"),
        format!("http://vendor.test:{port}/"),
        format!("http://vendor.test:{port}/accounts/42/../43"),
    ] {
        let target = format!("/p/c/me?__domain={domain}");
        pair.refused(get(&target), 400, "bad-domain").await;
    }
    pair.vendor.untouched().await;
    for remainder in ["", "/", "/me", "/a/../b", "/x/a%2Fb", "/a;v=1//b"] {
        let target = pair.target(remainder).await;
        assert_eq!(target, format!("/accounts/42{remainder}"));
    }
    let target = format!("/me?__domain=vendor.test:{port}");
    assert_eq!(pair.target(&target).await, "/accounts/42/me");
}

#[tokio::test]
async fn t8_methods_that_echo_are_refused() {
    let pair = Pair::new().await;
    for (method, target) in [
        ("TRACE", "/p/c/x"),
        ("TRACK", "/p/c/x"),
        ("track", "/p/c/x"),
        ("trace", "/p/c/x"),
        ("Connect", "/p/c/x"),
        ("TRACE", "/p/nobodys"),
        ("CONNECT", "vendor.test:443"),
    ] {
        for lines in [&[][..], &["Max-Forwards: 0"], &["Max-Forwards: 1"]] {
            let response = pair
                .refused(request(method, target, lines, ""), 405, "method-refused")
                .await;
            assert!(!response.text().contains(TOKEN));
            assert!(!response.head.value("allow").unwrap().contains("TRACE"));
        }
    }
    pair.vendor.untouched().await;

    // Neither hyper nor the gateway answers an OPTIONS with a count of zero: the request is forwarded unchanged.
    let received = pair
        .seen(request("OPTIONS", "/p/c/x", &["Max-Forwards: 0"], ""))
        .await;
    assert_eq!(received.head.method(), "OPTIONS");
}

#[tokio::test]
async fn t10_a_caller_with_path_scopes_cannot_choose_another_base_path() {
    let vendor = Vendor::ok().await;
    let gateway = scoped(&vendor, Scope::all().paths(["users/*"])).await;
    let port = vendor.address().port();
    for base in [
        "/admin", "", "/", "/v2/", "/v2/x", "/v1", "//v2", "/V2", "/v%2532",
    ] {
        let target = format!("/p/c/users/1?__domain=http://vendor.test:{port}{base}");
        let response = raw_call(gateway.address, get(&target)).await;
        assert_eq!(
            (response.status(), response.error()),
            (403, Some("scope-refused")),
            "{base}"
        );
    }
    let bare = raw_call(
        gateway.address,
        get(&format!("/p/c/users/1?__domain=vendor.test:{port}")),
    )
    .await;
    assert_eq!(bare.error(), Some("scope-refused"));
    vendor.untouched().await;
    let same = raw_call(
        gateway.address,
        get(&format!(
            "/p/c/users/1?__domain=http://vendor.test:{port}/v2"
        )),
    )
    .await;
    assert_eq!(same.status(), 200);
    assert_eq!(vendor.next().await.target(), "/v2/users/1");

    // Without path scopes, `__domain` may set another base path.
    let open = scoped(&vendor, Scope::all().methods([Method::GET])).await;
    let other = raw_call(
        open.address,
        get(&format!(
            "/p/c/users/1?__domain=http://vendor.test:{port}/admin"
        )),
    )
    .await;
    assert_eq!(other.status(), 200);
    assert_eq!(vendor.next().await.target(), "/admin/users/1");
}
