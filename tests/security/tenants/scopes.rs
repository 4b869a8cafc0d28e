//! The methods and paths to which a caller is limited.

use http::Method;
use tower_passthrough::Grant;
use tower_passthrough::authorize::AuthorizeError;
use tower_passthrough::{Authorize, CallContext, ConnectionId, MemoryStore, Scope};

use super::{connection, gateway};
use testkit::caller::{get, raw_call, request};
use testkit::gateway::{Gateway, TOKEN};
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
