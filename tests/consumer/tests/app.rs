//! The application's tests, without a network.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::convert::Infallible;
use std::future::pending;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use consumer::{Accounts, App, Counting, Login};
use http::{Request, Response, StatusCode};
use http_body_util::BodyExt as _;
use tower::{ServiceExt as _, service_fn};
use tower_passthrough::auth::{
    AccessToken, Applied, AuthContext, AuthError, AuthRequest, AuthScheme, IsolationKey,
    Requirements,
};
use tower_passthrough::body::{RequestBody, UpstreamBody};
use tower_passthrough::client::{BoxTransport, ServiceTransport, TransportErrorKind};
use tower_passthrough::refresh::RefreshingStore;
use tower_passthrough::service::ResponseBody;
use tower_passthrough::store::{BoxCredentialStore, ConnectionKey};
use tower_passthrough::test_util::FakeUpstream;
use tower_passthrough::{
    Connection, Grant, Integrations, MemoryStore, PassthroughService, Transport, Upstream,
};

const BASE: &str = "https://api.acme.test/v2";

fn app(transport: impl Transport) -> App {
    let accounts = Accounts::default().with("ann", "anns").with("ben", "bens");
    App::new(accounts, transport, BASE).unwrap()
}

async fn call(service: &PassthroughService, request: Request<String>) -> Response<ResponseBody> {
    let Ok::<_, Infallible>(response) = service.clone().oneshot(request).await;
    response
}

fn get(path: &str) -> Request<String> {
    Request::get(path).body(String::new()).unwrap()
}

async fn text(response: Response<ResponseBody>) -> String {
    let body = response.into_body().collect().await.unwrap().to_bytes();
    String::from_utf8(body.to_vec()).unwrap()
}

#[tokio::test]
async fn the_upstream_sees_the_request() {
    let upstream = FakeUpstream::new(|request: Request<Bytes>| Response::new(request.into_body()));
    let app = app(upstream.clone());
    let request = Request::post("/ann/users?page=2")
        .header("x-api-key", "the-callers")
        .header("x_acme_auth", "forged")
        .body("hello".to_owned())
        .unwrap();
    let response = call(&app.passthrough, request).await;
    assert_eq!(text(response).await, "hello");

    let received = upstream.take_received();
    let [received] = &received[..] else {
        unreachable!("one request was sent");
    };
    assert_eq!(received.uri(), "https://api.acme.test/v2/users?page=2");
    assert_eq!(received.authority(), "api.acme.test");
    assert_eq!(received.header("x-acme-auth"), Some("Acme anns"));
    assert_eq!(received.header("x-acme-account"), Some("ann"));
    assert_eq!(received.header("x-acme-checksum"), Some("532"));
    assert_eq!(received.header("x_acme_auth"), None);
    assert_eq!(received.header("x-api-key"), None);
    assert_eq!(received.text(), "hello");
    let key = received.connection_key().map(ConnectionKey::as_str);
    assert_eq!(key, Some("ann"));
    assert_eq!(received.isolation_key(), None);
    assert!(!received.has_client_certificate());
    assert!(upstream.received().is_empty());
}

#[tokio::test]
async fn refused_calls_send_nothing() {
    let upstream = FakeUpstream::new(|_| Response::new("ok"));
    let app = app(upstream.clone());
    for path in ["/forbidden/x", "/nobody/x"] {
        let response = call(&app.passthrough, get(path)).await;
        assert_eq!(
            response.headers()["passthrough-error"],
            "unknown-connection"
        );
    }
    assert!(upstream.received().is_empty());
}

#[tokio::test]
async fn responses_come_from_a_queue() {
    let responses = ["one", "two"].map(Response::new);
    let app = app(FakeUpstream::from_responses(responses));
    for expected in ["one", "two"] {
        let response = call(&app.passthrough, get("/ann/x")).await;
        assert_eq!(text(response).await, expected);
    }
    let response = call(&app.passthrough, get("/ann/x")).await;
    assert_eq!(response.status(), StatusCode::BAD_GATEWAY);
}

#[tokio::test(start_paused = true)]
async fn a_timeout_on_the_paused_clock() {
    let silent = app(FakeUpstream::silent());
    let response = call(&silent.passthrough, get("/ann/x")).await;
    assert_eq!(response.status(), StatusCode::GATEWAY_TIMEOUT);

    let slow = FakeUpstream::new(|_| Response::new("late")).delayed_by(Duration::from_secs(59));
    let slow = app(slow);
    let response = call(&slow.passthrough, get("/ann/x")).await;
    assert_eq!(text(response).await, "late");
}

#[tokio::test]
async fn failures_have_the_transports_code() {
    let app = app(FakeUpstream::failing(TransportErrorKind::Dns));
    let response = call(&app.passthrough, get("/ann/x")).await;
    assert_eq!(
        response.headers()["passthrough-error"],
        "upstream-unreachable"
    );
}

#[tokio::test]
async fn a_custom_transport() {
    let counting = Arc::new(Counting::new(FakeUpstream::new(|_| Response::new("ok"))));
    let app = app(Arc::clone(&counting));
    assert_eq!(
        text(call(&app.passthrough, get("/ann/x")).await).await,
        "ok"
    );
    assert_eq!(counting.sent(), 1);

    let accounts = Accounts::default().with("ann", "anns");
    let app = App::new(accounts, Arc::clone(&counting), "http://api.acme.test").unwrap();
    let response = call(&app.passthrough, get("/ann/x")).await;
    assert_eq!(
        response.headers()["passthrough-error"],
        "destination-refused"
    );
    assert_eq!(counting.sent(), 1);
}

#[tokio::test]
async fn a_tower_service_as_the_transport() {
    let mock = service_fn(|request: Request<RequestBody>| async move {
        let path = request.uri().path().to_owned();
        Ok::<_, Infallible>(Response::new(UpstreamBody::from(path)))
    });
    let app = app(BoxTransport::new(ServiceTransport::new(mock)));
    assert_eq!(
        text(call(&app.passthrough, get("/ann/x")).await).await,
        "/v2/x"
    );
}

/// A scheme whose credential authenticates the network connection, as NTLM does.
#[derive(Debug)]
struct Binding;

impl AuthScheme for Binding {
    fn requirements(&self) -> Requirements {
        Requirements::new().binds_connection(true)
    }

    fn apply(&self, _: &mut AuthRequest<'_>, _: &AuthContext<'_>) -> Result<Applied, AuthError> {
        Ok(Applied::default())
    }
}

#[tokio::test]
async fn a_tower_service_must_say_that_it_isolates_connections() {
    let mock = service_fn(|request: Request<RequestBody>| async move {
        let extensions = request.extensions();
        assert!(extensions.get::<IsolationKey>().is_some());
        assert_eq!(
            extensions.get::<ConnectionKey>().map(ConnectionKey::as_str),
            Some("ann")
        );
        Ok::<_, Infallible>(Response::new(UpstreamBody::from("sent")))
    });
    let call = async |transport| {
        let store = MemoryStore::from_iter([("ann", Connection::new("acme"))]);
        let upstream = Upstream::new(BASE).unwrap().auth(Binding);
        let service =
            PassthroughService::builder(store, Integrations::new().with("acme", upstream))
                .authorize_fn(|_, _| true)
                .caller_credentials([])
                .transport(transport)
                .build();
        text(call(&service, get("/ann/x")).await).await
    };
    let refused = call(ServiceTransport::new(mock)).await;
    assert!(refused.contains("\"sent\":false"), "{refused}");
    let sent = call(ServiceTransport::new(mock).isolates_connections(true)).await;
    assert_eq!(sent, "sent");
}

#[tokio::test]
async fn a_login_goes_through_the_transport_of_the_calls() {
    let upstream = FakeUpstream::new(|request: Request<Bytes>| match request.uri().path() {
        "/login" if request.body() == "s3cr3t" => Response::new("t0k3n"),
        "/login" => unauthorized(),
        _ => Response::new("orders"),
    });
    let acme = |password| Connection::new("acme").with_secret("password", password);
    let store = MemoryStore::from_iter([("ann", acme("s3cr3t")), ("ben", acme("wr0ng"))]);
    let login = Login::new(upstream.clone(), "https://api.acme.test/login").unwrap();
    let integrations =
        Integrations::new().with("acme", Upstream::new(BASE).unwrap().auth(AccessToken));
    let service = PassthroughService::builder(RefreshingStore::new(store, login), integrations)
        .authorize_fn(|_, _| true)
        .caller_credentials([])
        .transport(upstream.clone())
        .build();

    assert_eq!(
        text(call(&service, get("/ann/orders")).await).await,
        "orders"
    );
    let received = upstream.take_received();
    let paths: Vec<_> = received
        .iter()
        .map(|request| request.uri().path())
        .collect();
    assert_eq!(paths, ["/login", "/v2/orders"]);
    assert_eq!(
        received.get(1).unwrap().header("authorization"),
        Some("Bearer t0k3n")
    );

    let response = call(&service, get("/ben/orders")).await;
    assert_eq!(response.headers()["passthrough-error"], "reauthorize");
}

fn unauthorized() -> Response<&'static str> {
    let mut response = Response::new("");
    *response.status_mut() = StatusCode::UNAUTHORIZED;
    response
}

#[tokio::test]
async fn parts_chosen_at_run_time() {
    let store: BoxCredentialStore = BoxCredentialStore::new(Accounts::default().with("t/a", "k"));
    let upstream = Upstream::new(BASE).unwrap();
    let fake = FakeUpstream::new(|_| Response::new("ok"));
    let service = PassthroughService::builder(store, Integrations::new().with("acme", upstream))
        .authorize_async_fn(|id, _| {
            let key = ConnectionKey::in_tenant("t", id);
            async move { key.ok().map(|key| Grant::all().connection_key(key)) }
        })
        .caller_credentials([])
        .transport(BoxTransport::new(fake.clone()))
        .build();
    assert_eq!(text(call(&service, get("/a/x")).await).await, "ok");
    let received = fake.received();
    let key = received
        .first()
        .unwrap()
        .connection_key()
        .map(ConnectionKey::as_str);
    assert_eq!(key, Some("t/a"));
}

#[tokio::test]
async fn a_closure_as_the_observer() {
    let (sender, mut reports) = tokio::sync::mpsc::unbounded_channel();
    let upstream = Upstream::new(BASE).unwrap();
    let service = PassthroughService::builder(
        MemoryStore::from_iter([("ann", Connection::new("acme"))]),
        Integrations::new().with("acme", upstream),
    )
    .observe_fn(move |call| sender.send(call.status()).unwrap_or_default())
    .authorize_fn(|id, _| id == "ann")
    .caller_credentials([])
    .transport(FakeUpstream::new(|_| Response::new("ok")))
    .build();
    assert_eq!(text(call(&service, get("/ann/x")).await).await, "ok");
    assert_eq!(reports.recv().await, Some(Some(StatusCode::OK)));
}

#[tokio::test]
async fn a_caller_that_leaves_ends_the_upstreams_request() {
    let (ended, mut ends) = tokio::sync::mpsc::channel::<()>(1);
    let upstream = FakeUpstream::from_async_fn(move |_| {
        let ended = ended.clone();
        async move {
            let _ended = ended;
            pending().await
        }
    });
    let app = app(upstream.clone());
    let calling = call(&app.passthrough, get("/ann/x"));
    let left = tokio::time::timeout(Duration::from_millis(10), calling).await;
    assert!(left.is_err());
    drop((app, upstream));
    assert_eq!(ends.recv().await, None);
}
