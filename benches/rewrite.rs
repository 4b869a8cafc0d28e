//! The cost of a call without a network, from the address to the authenticated request and back.
//!
//! ```text
//! cargo bench --bench rewrite
//! ```
//!
//! The transport responds at once, so the benchmark measures the crate's own work, in time and in
//! allocations. A call includes the creation and the drop of its future and of the vendor's
//! response. The caller's request is created outside of the measured time.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a benchmark fails by panicking"
)]

use std::future::Future;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use bytes::Bytes;
use divan::{AllocProfiler, Bencher, black_box};
use http::{Request, Response, StatusCode, Uri};
use http_body::Body;
use http_body_util::{Empty, Full};
use tokio::runtime::{Builder, Runtime};
use tower_passthrough::address::Address;
use tower_passthrough::address::PathEncoding;
use tower_passthrough::auth::{AuthScheme, Basic, Bearer, Header, Query};
use tower_passthrough::body::{RequestBody, UpstreamBody};
use tower_passthrough::client::Dispatch;
use tower_passthrough::client::TransportError;
use tower_passthrough::{
    BoxError, Connection, Integrations, MemoryStore, PassthroughService, Transport, Upstream,
};
use tower_service::Service;

#[global_allocator]
static ALLOCATOR: AllocProfiler = AllocProfiler::system();

/// The request targets: a target written by hand, a target with a domain of the integration, and a
/// target in a single segment, as generated clients write targets.
const TARGETS: [&str; 3] = [
    "/acme/crm/v3/contacts?limit=10&archived=false",
    "/acme/crm/v3/contacts?limit=10&__domain=api.vendor.test",
    "/acme/%2Fcrm%2Fv3%2Fcontacts%3Flimit%3D10?archived=false",
];

fn main() {
    divan::main();
}

/// Measures the address alone: the crate splits the address, checks the address and searches the query.
#[divan::bench(args = TARGETS)]
fn address(bencher: Bencher<'_, '_>, target: &str) {
    let uri: Uri = target.parse().unwrap();
    bencher.bench(|| {
        let address = Address::parse(black_box(&uri)).unwrap();
        black_box(address.target(PathEncoding::Auto).unwrap());
    });
}

/// Measures a whole call without a body, for each target.
#[divan::bench(args = TARGETS)]
fn get(bencher: Bencher<'_, '_>, target: &str) {
    measure(bencher, Bearer, || {
        request("GET", target, Empty::<Bytes>::new())
    });
}

/// Measures a whole call with a body type that the crate doesn't know, so the body is boxed once.
#[divan::bench]
fn post(bencher: Bencher<'_, '_>) {
    const BODY: Bytes = Bytes::from_static(&[b'x'; 1024]);
    measure(bencher, Bearer, || {
        request("POST", "/acme/crm/v3/contacts", Full::new(BODY))
    });
}

/// Measures a whole call without a body, for each authentication scheme.
#[divan::bench(args = ["basic", "header", "query"])]
fn scheme(bencher: Bencher<'_, '_>, name: &str) {
    let request = || {
        request(
            "GET",
            "/acme/crm/v3/contacts?limit=10",
            Empty::<Bytes>::new(),
        )
    };
    match name {
        "basic" => measure(bencher, Basic, request),
        "header" => measure(
            bencher,
            Header::new("authorization", "Token token={token}").unwrap(),
            request,
        ),
        _ => measure(
            bencher,
            Query::new("api_key").unwrap().secret("token"),
            request,
        ),
    }
}

/// Measures repeated calls of the service.
fn measure<B>(
    bencher: Bencher<'_, '_>,
    auth: impl AuthScheme,
    request: impl Fn() -> Request<B> + Sync,
) where
    B: Body<Data = Bytes> + Send + 'static,
    B::Error: Into<BoxError>,
{
    // The timers of the crate need a runtime, although no code here waits for a timer.
    let runtime: Runtime = Builder::new_current_thread().enable_all().build().unwrap();
    let _entered = runtime.enter();
    let connection = Connection::new("vendor")
        .with_secret("token", "s3cr3t")
        .with_secret("username", "ann")
        .with_secret("password", "s3cr3t");
    let upstream = Upstream::new("https://api.vendor.test/v2")
        .unwrap()
        .auth(auth);
    let service = PassthroughService::builder(
        MemoryStore::from_iter([("acme", connection)]),
        Integrations::new().with("vendor", upstream),
    )
    .authorize_fn(|_, _| true)
    .caller_credentials([])
    .transport(Instantly)
    .build();
    let call = |request| match pin!(service.clone().call(request))
        .poll(&mut Context::from_waker(Waker::noop()))
    {
        Poll::Ready(Ok(response)) => response,
        Poll::Pending => panic!("a part of the call waits"),
    };
    assert_eq!(call(request()).status(), StatusCode::OK);
    bencher
        .with_inputs(&request)
        .bench_local_values(|request| drop(black_box(call(request))));
}

/// Returns a request with the fields that an ordinary client sends.
fn request<B>(method: &str, target: &str, body: B) -> Request<B> {
    Request::builder()
        .method(method)
        .uri(target)
        .header("host", "app.example.test")
        .header("user-agent", "client/1.0")
        .header("accept", "application/json")
        .header("accept-encoding", "gzip, br")
        .header("content-type", "application/json")
        .header("authorization", "Bearer key-of-the-host-app")
        .header(
            "traceparent",
            "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        )
        .body(body)
        .unwrap()
}

/// A transport that responds at once, without a network.
struct Instantly;

impl Transport for Instantly {
    async fn send(
        &self,
        request: Request<RequestBody>,
        _: &Dispatch,
    ) -> Result<Response<UpstreamBody>, TransportError> {
        drop(black_box(request));
        Ok(Response::new(UpstreamBody::new(Empty::<Bytes>::new())))
    }
}
