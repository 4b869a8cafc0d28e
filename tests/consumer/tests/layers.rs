//! Every layer of tower-http composes with the service, and with the layer in a router.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::convert::Infallible;
use std::fmt::Debug;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::routing::get;
use bytes::Bytes;
use http::header::{AUTHORIZATION, HeaderName, HeaderValue, SERVER};
use http::{Request, Response, StatusCode};
use http_body_util::BodyExt as _;
use tower::{Service, ServiceBuilder, ServiceExt as _};
use tower_http::add_extension::AddExtensionLayer;
use tower_http::auth::{AddAuthorizationLayer, AsyncRequireAuthorizationLayer};
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::compression::CompressionLayer;
use tower_http::cors::CorsLayer;
use tower_http::csrf::CsrfLayer;
use tower_http::decompression::{DecompressionLayer, RequestDecompressionLayer};
use tower_http::limit::RequestBodyLimitLayer;
use tower_http::map_request_body::MapRequestBodyLayer;
use tower_http::map_response_body::MapResponseBodyLayer;
use tower_http::metrics::InFlightRequestsLayer;
use tower_http::normalize_path::NormalizePathLayer;
use tower_http::on_early_drop::OnEarlyDropLayer;
use tower_http::propagate_header::PropagateHeaderLayer;
use tower_http::request_id::{MakeRequestUuid, PropagateRequestIdLayer, SetRequestIdLayer};
use tower_http::sensitive_headers::{
    SetSensitiveHeadersLayer, SetSensitiveRequestHeadersLayer, SetSensitiveResponseHeadersLayer,
};
use tower_http::set_header::{SetRequestHeaderLayer, SetResponseHeaderLayer};
use tower_http::set_status::SetStatusLayer;
use tower_http::timeout::{
    RequestBodyDeadlineLayer, RequestBodyTimeoutLayer, ResponseBodyDeadlineLayer,
    ResponseBodyTimeoutLayer, TimeoutLayer,
};
use tower_http::trace::TraceLayer;
use tower_http::validate_request::ValidateRequestHeaderLayer;
use tower_passthrough::test_util::FakeUpstream;
use tower_passthrough::{
    Connection, Integrations, MemoryStore, PassthroughLayer, PassthroughService, Upstream,
};

const MINUTE: Duration = Duration::from_secs(60);

/// A service whose upstream echoes bodies.
fn passthrough() -> PassthroughService {
    let store = MemoryStore::from_iter([("acme", Connection::new("crm"))]);
    let upstream = Upstream::new("https://api.crm.test").unwrap();
    PassthroughService::builder(store, Integrations::new().with("crm", upstream))
        .authorize_fn(|_, _| true)
        .caller_credentials([])
        .transport(FakeUpstream::new(|request: Request<Bytes>| {
            Response::new([&b"echo: "[..], request.body()].concat())
        }))
        .build()
}

fn request(path: &str) -> Request<Body> {
    Request::post(path)
        .header(AUTHORIZATION, "Bearer callers-key")
        .body(Body::from("hello"))
        .unwrap()
}

/// Calls through a service, and expects the upstream's answer.
async fn passes<S, B>(service: S, path: &str)
where
    S: Service<Request<Body>, Response = Response<B>, Error: Debug>,
    B: http_body::Body<Data: Debug, Error: Debug>,
{
    let response = service.oneshot(request(path)).await.unwrap();
    assert_eq!(response.status(), StatusCode::OK);
    let body = response.into_body().collect().await.unwrap().to_bytes();
    assert_eq!(body, "echo: hello");
}

macro_rules! compose {
    ($($name:ident => $layer:expr;)+) => {$(
        #[tokio::test]
        async fn $name() {
            // The layer is around the service itself.
            let service = ServiceBuilder::new().layer($layer).service(passthrough());
            passes(service, "/acme/x").await;

            // The layer is around the service in a router.
            let router: Router = Router::new().nest_service("/p", passthrough()).layer($layer);
            passes(router, "/p/acme/x").await;
            let service = ServiceBuilder::new().layer($layer).service(passthrough());
            let router: Router = Router::new().nest_service("/p", service);
            passes(router, "/p/acme/x").await;

            // The layer is around the passthrough's layer in a router.
            let layer = PassthroughLayer::new("/p", passthrough()).unwrap();
            let around = ServiceBuilder::new().layer($layer).layer(layer.clone());
            let router: Router = Router::new().route("/", get(async || "home")).layer(around);
            passes(router, "/p/acme/x").await;

            // The layer is inside of the passthrough's layer, around the host application's own
            // routes.
            let around = ServiceBuilder::new().layer(layer).layer($layer);
            let router: Router = Router::new().route("/", get(async || "home")).layer(around);
            passes(router.clone(), "/p/acme/x").await;
            let home = Request::get("/").header(AUTHORIZATION, "Bearer callers-key");
            let Ok::<_, Infallible>(home) =
                router.oneshot(home.body(Body::empty()).unwrap()).await;
            assert_eq!(home.status(), StatusCode::OK);
        }
    )+};
}

async fn allow<B>(request: Request<Body>) -> Result<Request<Body>, Response<B>> {
    Ok(request)
}

fn name() -> HeaderName {
    HeaderName::from_static("x-own")
}

fn value() -> HeaderValue {
    HeaderValue::from_static("own")
}

compose! {
    add_extension => AddExtensionLayer::new(17);
    add_authorization => AddAuthorizationLayer::bearer("token");
    async_require_authorization => AsyncRequireAuthorizationLayer::new(allow);
    catch_panic => CatchPanicLayer::new();
    compression => CompressionLayer::new();
    cors => CorsLayer::permissive();
    csrf => CsrfLayer::new();
    decompression => DecompressionLayer::new();
    request_decompression => RequestDecompressionLayer::new();
    request_body_limit => RequestBodyLimitLayer::new(1024);
    map_request_body => MapRequestBodyLayer::new(Body::new);
    map_response_body => MapResponseBodyLayer::new(Body::new);
    in_flight_requests => InFlightRequestsLayer::pair().0;
    normalize_path => NormalizePathLayer::trim_trailing_slash();
    on_early_drop => OnEarlyDropLayer::builder();
    propagate_header => PropagateHeaderLayer::new(name());
    set_request_id => SetRequestIdLayer::x_request_id(MakeRequestUuid);
    propagate_request_id => PropagateRequestIdLayer::x_request_id();
    sensitive_headers => SetSensitiveHeadersLayer::new([AUTHORIZATION]);
    sensitive_request_headers => SetSensitiveRequestHeadersLayer::new([AUTHORIZATION]);
    sensitive_response_headers => SetSensitiveResponseHeadersLayer::new([SERVER]);
    set_request_header => SetRequestHeaderLayer::overriding(name(), value());
    set_response_header => SetResponseHeaderLayer::overriding(name(), value());
    set_status => SetStatusLayer::new(StatusCode::OK);
    timeout => TimeoutLayer::with_status_code(StatusCode::GATEWAY_TIMEOUT, MINUTE);
    request_body_timeout => RequestBodyTimeoutLayer::new(MINUTE);
    response_body_timeout => ResponseBodyTimeoutLayer::new(MINUTE);
    request_body_deadline => RequestBodyDeadlineLayer::new(MINUTE);
    response_body_deadline => ResponseBodyDeadlineLayer::new(MINUTE);
    trace_http => TraceLayer::new_for_http();
    trace_grpc => TraceLayer::new_for_grpc();
    validate_accept => ValidateRequestHeaderLayer::accept("application/json");
}

/// All of a usual stack at once.
#[tokio::test]
async fn a_whole_stack() {
    let stack = ServiceBuilder::new()
        .layer(SetRequestIdLayer::x_request_id(MakeRequestUuid))
        .layer(TraceLayer::new_for_http())
        .layer(CorsLayer::permissive())
        .layer(TimeoutLayer::with_status_code(
            StatusCode::GATEWAY_TIMEOUT,
            MINUTE,
        ))
        .layer(CompressionLayer::new())
        .layer(RequestBodyLimitLayer::new(1024))
        .layer(CatchPanicLayer::new())
        .layer(PropagateRequestIdLayer::x_request_id());
    passes(stack.service(passthrough()), "/acme/x").await;
}
