//! The host application's authentication in front of the mount: authorizer and store read the tenant that it finds.

use std::net::SocketAddr;

use axum::Router;
use axum::extract::Request;
use axum::middleware::{Next, from_fn};
use axum::response::{IntoResponse, Response};
use http::{HeaderName, StatusCode};
use tower::ServiceExt;
use tower_passthrough::Grant;
use tower_passthrough::authorize::AuthorizeError;
use tower_passthrough::store::ConnectionKey;
use tower_passthrough::{
    Authorize, CallContext, Connection, ConnectionId, CredentialStore, Integrations,
    PassthroughLayer, PassthroughService, Scope, StoreError,
};

use testkit::caller::{RawResponse, raw_call, request};
use testkit::gateway::{Gateway, Setup, bind};
use testkit::vendor::Vendor;

#[derive(Clone)]
struct Tenant(String);

impl Tenant {
    fn of(cx: CallContext<'_>) -> Result<&str, StoreError> {
        let tenant = cx.extensions().get::<Self>();
        tenant.map(|tenant| &*tenant.0).ok_or(StoreError::NotFound)
    }
}

/// The field by which callers authenticate to the host application.
const SESSION: HeaderName = HeaderName::from_static("x-session");

fn tenant(request: &http::request::Parts) -> Option<Tenant> {
    let session = request.headers.get(SESSION)?.to_str().ok()?;
    session
        .strip_suffix("-session")
        .map(|name| Tenant(name.to_owned()))
}

async fn authenticate(request: Request, next: Next) -> Response {
    let (mut parts, body) = request.into_parts();
    let Some(tenant) = tenant(&parts) else {
        return (StatusCode::UNAUTHORIZED, "who are you?").into_response();
    };
    parts.extensions.insert(tenant);
    next.run(Request::from_parts(parts, body)).await
}

/// A store with a connection `crm` for each tenant.
struct Tenants;

impl CredentialStore for Tenants {
    async fn connection(
        &self,
        id: &ConnectionKey,
        cx: CallContext<'_>,
    ) -> Result<Connection, StoreError> {
        let tenant = Tenant::of(cx)?;
        match id.as_str() {
            "crm" => {
                Ok(Connection::new("vendor").with_secret("token", format!("token-of-{tenant}")))
            }
            _ => Err(StoreError::NotFound),
        }
    }
}

/// An authorizer that allows all tenants but Mallory.
struct Customers;

impl Authorize for Customers {
    async fn authorize(
        &self,
        _: &ConnectionId,
        cx: CallContext<'_>,
    ) -> Result<Grant, AuthorizeError> {
        match Tenant::of(cx)? {
            "mallory" => Err(AuthorizeError::Denied),
            _ => Ok(Scope::all().into()),
        }
    }
}

fn service(vendor: &Vendor, gateway: SocketAddr) -> PassthroughService {
    let mut setup = Setup::new(vendor);
    let integrations = Integrations::new().with("vendor", setup.build_upstream());
    PassthroughService::builder(Tenants, integrations)
        .authorize(Customers)
        .caller_credentials([SESSION])
        .transport(setup.build_transport(gateway))
        .build()
}

async fn call(gateway: &Gateway, path: &str, session: &str) -> RawResponse {
    let session = format!("X-Session: {session}");
    raw_call(gateway.address, request("GET", path, &[&session], "")).await
}

async fn each_tenant_has_its_own(vendor: &Vendor, gateway: &Gateway) {
    for name in ["ann", "ben"] {
        let response = call(gateway, "/p/crm/x", &format!("{name}-session")).await;
        assert_eq!(response.status(), 200, "{}", response.text());
        let received = vendor.next().await;
        let token = format!("Bearer token-of-{name}");
        assert_eq!(received.head.value("authorization"), Some(&*token));
        assert!(!received.head.has("x-session"), "{:?}", received.head);
    }
    let refused = call(gateway, "/p/crm/x", "mallory-session").await;
    let unknown = call(gateway, "/p/none/x", "ann-session").await;
    assert_eq!(
        (refused.status(), refused.error()),
        (404, Some("unknown-connection"))
    );
    assert_eq!(refused.text(), unknown.text());
    assert!(vendor.try_next().await.is_none());
}

/// Checks that callers whom the host application refuses never reach the store.
async fn strangers_stay_outside(vendor: &Vendor, gateway: &Gateway) {
    let stranger = call(gateway, "/p/crm/x", "?").await;
    let answer = (stranger.status(), stranger.text());
    assert_eq!(answer, (401, "who are you?".to_owned()));
    assert!(vendor.try_next().await.is_none());
}

#[tokio::test]
async fn in_front_of_a_nested_service() {
    let (vendor, listener) = (Vendor::ok().await, bind().await);
    let service = service(&vendor, listener.local_addr().unwrap());
    let router = Router::new().nest_service("/p", service);
    let gateway = Gateway::serve(listener, router.layer(from_fn(authenticate)));
    each_tenant_has_its_own(&vendor, &gateway).await;
    strangers_stay_outside(&vendor, &gateway).await;
}

#[tokio::test]
async fn in_front_of_a_layer() {
    let (vendor, listener) = (Vendor::ok().await, bind().await);
    let service = service(&vendor, listener.local_addr().unwrap());
    let layer = PassthroughLayer::new("/p", service).expect("a prefix");
    let router = Router::new().layer(layer).layer(from_fn(authenticate));
    let gateway = Gateway::serve(listener, router);
    each_tenant_has_its_own(&vendor, &gateway).await;
    strangers_stay_outside(&vendor, &gateway).await;
}

#[tokio::test]
async fn in_front_of_plain_hyper() {
    let (vendor, listener) = (Vendor::ok().await, bind().await);
    let service = service(&vendor, listener.local_addr().unwrap());
    let layer = PassthroughLayer::new("/p", service).expect("a prefix");
    let service = tower_layer::Layer::layer(&layer, Router::new());
    let service = service.map_request(|request: http::Request<hyper::body::Incoming>| {
        let (mut parts, body) = request.into_parts();
        if let Some(tenant) = tenant(&parts) {
            parts.extensions.insert(tenant);
        }
        http::Request::from_parts(parts, body)
    });
    let gateway = Gateway::serve(listener, service);
    each_tenant_has_its_own(&vendor, &gateway).await;
    // The host application has accepted a stranger, and the stranger has no connection.
    let stranger = call(&gateway, "/p/crm/x", "?").await;
    assert_eq!(stranger.error(), Some("unknown-connection"));
}
