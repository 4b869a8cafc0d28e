//! One event for each call.

use std::sync::{Mutex, mpsc};
use std::time::Duration;

use http::Request;
use tower::ServiceExt as _;
use tower_passthrough::Grant;
use tower_passthrough::authorize::AuthorizeError;
use tower_passthrough::observe::CallReport;
use tower_passthrough::{
    CallContext, Connection, ConnectionId, ErrorCode, Integrations, MemoryStore,
    PassthroughService, Scope, Upstream, auth,
};

use testkit::caller::{raw_call, request};
use testkit::gateway::{Gateway, Setup, bind};
use testkit::reply::Reply;
use testkit::vendor::Vendor;
use testkit::wait::PATIENCE;

/// The data of a call that an audit trail needs.
#[derive(Debug, PartialEq, Eq)]
struct Event {
    connection: Option<String>,
    integration: Option<String>,
    method: String,
    destination: Option<String>,
    error: Option<ErrorCode>,
    status: Option<u16>,
    tenant: Option<&'static str>,
}

/// The result of the host application's authentication.
#[derive(Clone)]
struct Tenant(&'static str);

/// An authorizer that decides by the id.
struct ById;

impl tower_passthrough::Authorize for ById {
    async fn authorize(
        &self,
        id: &ConnectionId,
        _: CallContext<'_>,
    ) -> Result<Grant, AuthorizeError> {
        match id.as_str() {
            "theirs" => Err(AuthorizeError::Denied),
            "down" => Err(AuthorizeError::unavailable("down")),
            "dead" => Err(AuthorizeError::Reauthorize),
            "scoped" => Ok(Scope::all().paths(["a/*"]).into()),
            _ => Ok(Grant::all()),
        }
    }
}

#[tokio::test]
async fn l10_each_call_gives_one_event() {
    let vendor = Vendor::replying(|received| match received.target() {
        "/garbage" => Reply::bytes("garbage\r\n\r\n").close(),
        "/silence" => Reply::silence(),
        _ => Reply::ok("ok"),
    })
    .await;
    let port = vendor.address().port();
    let listener = bind().await;
    let address = listener.local_addr().unwrap();
    let (sender, events) = mpsc::channel();
    let sender = Mutex::new(sender);
    let at = |base: &str| Upstream::new(base).unwrap().auth(auth::Bearer);
    let integrations = Integrations::new()
        .with("vendor", at(&format!("http://vendor.test:{port}")))
        .with("closed", at("http://127.0.0.1:1"))
        .with("private", at("http://10.0.0.1"));
    let to = |integration: &str| Connection::new(integration).with_secret("token", "t");
    let store = MemoryStore::from_iter([
        ("c", to("vendor")),
        ("scoped", to("vendor")),
        ("closed", to("closed")),
        ("private", to("private")),
        ("unset", Connection::new("vendor")),
    ]);
    let service = PassthroughService::builder(store, integrations)
        .authorize(ById)
        .caller_credentials([])
        .transport(Setup::new(&vendor).build_transport(address))
        .request_body_limit(10)
        .response_head_timeout(Duration::from_millis(300))
        .observe_fn(move |call: &CallReport<'_>| {
            let event = Event {
                connection: (call.connection_key().map(|key| key.as_str()))
                    .or_else(|| call.connection_id().map(|id| id.as_str()))
                    .map(str::to_owned),
                integration: call.integration().map(str::to_owned),
                method: call.method().to_string(),
                destination: call.destination().map(str::to_owned),
                error: call.error(),
                status: call.status().map(|status| status.as_u16()),
                tenant: call.extensions().get::<Tenant>().map(|tenant| tenant.0),
            };
            sender.lock().unwrap().send(event).unwrap();
        })
        .build();
    let with_tenant = tower::service_fn(move |mut request: Request<hyper::body::Incoming>| {
        request.extensions_mut().insert(Tenant("acme"));
        service.clone().oneshot(request)
    });
    let gateway = Gateway::serve(listener, with_tenant);

    use ErrorCode as Code;
    let own = format!("vendor.test:{port}");
    let vendor_ = Some("vendor");
    let cases = [
        ("GET", "/c/x", "c", vendor_, Some(&*own), None),
        ("GET", "/c/../x", "c", vendor_, None, Some(Code::BadAddress)),
        (
            "GET",
            "/c/x?__domain=a@b",
            "c",
            vendor_,
            None,
            Some(Code::BadDomain),
        ),
        (
            "GET",
            "/c/x?__domain=evil.test",
            "c",
            vendor_,
            Some("evil.test"),
            Some(Code::DomainRefused),
        ),
        ("TRACE", "/c/x", "", None, None, Some(Code::MethodRefused)),
        (
            "GET",
            "/nobodys/x",
            "nobodys",
            None,
            None,
            Some(Code::UnknownConnection),
        ),
        (
            "GET",
            "/theirs/x",
            "theirs",
            None,
            None,
            Some(Code::UnknownConnection),
        ),
        (
            "GET",
            "/scoped/x",
            "scoped",
            vendor_,
            Some(&*own),
            Some(Code::ScopeRefused),
        ),
        (
            "GET",
            "/private/x",
            "private",
            Some("private"),
            Some("10.0.0.1"),
            Some(Code::DestinationRefused),
        ),
        (
            "POST",
            "/c/x",
            "c",
            vendor_,
            Some(&*own),
            Some(Code::BodyTooLarge),
        ),
        (
            "GET",
            "/unset/x",
            "unset",
            vendor_,
            Some(&*own),
            Some(Code::Reauthorize),
        ),
        (
            "GET",
            "/dead/x",
            "dead",
            None,
            None,
            Some(Code::Reauthorize),
        ),
        (
            "GET",
            "/down/x",
            "down",
            None,
            None,
            Some(Code::StoreUnavailable),
        ),
        (
            "GET",
            "/closed/x",
            "closed",
            Some("closed"),
            Some("127.0.0.1:1"),
            Some(Code::UpstreamUnreachable),
        ),
        (
            "GET",
            "/c/garbage",
            "c",
            vendor_,
            Some(&*own),
            Some(Code::UpstreamProtocol),
        ),
        (
            "GET",
            "/c/silence",
            "c",
            vendor_,
            Some(&*own),
            Some(Code::UpstreamTimeout),
        ),
    ];
    for (method, target, connection, integration, destination, error) in cases {
        let body = if method == "POST" {
            "x".repeat(11)
        } else {
            String::new()
        };
        let length = format!("Content-Length: {}", body.len());
        raw_call(gateway.address, request(method, target, &[&length], &body)).await;
        let event = events.recv_timeout(PATIENCE).unwrap();
        let expected = Event {
            connection: Some(connection.to_owned()).filter(|id| !id.is_empty()),
            integration: integration.map(str::to_owned),
            method: method.to_owned(),
            destination: destination.map(str::to_owned),
            error,
            // The host application made the mistake in the base URL, and not the caller.
            status: Some(match connection {
                "private" => 502,
                _ => error.map_or(200, |code| code.status().as_u16()),
            }),
            tenant: Some("acme"),
        };
        assert_eq!(event, expected, "{method} {target}");
    }
    assert!(events.try_recv().is_err(), "a call gave two events");
}
