//! The number of allocations of a forwarded call, the memory of an idle stream, and the proof that no byte of a body is
//! copied, except that small pieces of a response are joined.
//!
//! The vendor is a transport in memory, whose own allocations don't count: only the allocations of the passthrough are
//! counted. The allocator counts the allocations of one thread, so these tests can run at the same time.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod cached;
mod limits;
mod over_sockets;
mod streams;

use std::collections::VecDeque;
use std::convert::Infallible;
use std::future::Future;
use std::pin::{Pin, pin};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};

use allocation_counter::{AllocationInfo, measure, opt_out};
use bytes::Bytes;
use http::{Request, Response};
use http_body::{Body, Frame, SizeHint};
use http_body_util::Empty;
use tokio::runtime::Runtime;
use tower_passthrough::authorize::AllowAll;
use tower_passthrough::body::{RequestBody, UpstreamBody};
use tower_passthrough::client::Dispatch;
use tower_passthrough::client::TransportError;
use tower_passthrough::observe::CallReport;
use tower_passthrough::{
    Connection, Integrations, MemoryStore, PassthroughBuilder, PassthroughService, Transport,
    Upstream, auth,
};
use tower_service::Service;

/// The allocations of a forwarded call without a body: its future, and the target.
const PER_CALL: u64 = 2;

/// The allocations that a body of another type than hyper's adds: its box, and the count of its bytes.
const PER_BODY: u64 = 2;

/// Frames in memory. Polling the frames allocates nothing.
#[derive(Debug)]
struct Frames {
    left: VecDeque<Bytes>,
}

impl Frames {
    fn new(frames: &[Bytes]) -> Self {
        Self {
            left: frames.iter().cloned().collect(),
        }
    }
}

impl Body for Frames {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        Poll::Ready(self.left.pop_front().map(Frame::data).map(Ok))
    }

    fn is_end_stream(&self) -> bool {
        self.left.is_empty()
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.left.iter().map(|frame| frame.len() as u64).sum())
    }
}

/// Returns the address and the length of each frame in memory.
fn places(frames: &[Bytes]) -> Vec<(*const u8, usize)> {
    frames
        .iter()
        .map(|frame| (frame.as_ptr(), frame.len()))
        .collect()
}

/// Answers each request with frames from memory, and keeps the requests.
#[derive(Clone, Default)]
struct InMemory {
    answer: Vec<Bytes>,
    received: Arc<Mutex<Vec<Request<RequestBody>>>>,
}

impl Transport for InMemory {
    async fn send(
        &self,
        request: Request<RequestBody>,
        _: &Dispatch,
    ) -> Result<Response<UpstreamBody>, TransportError> {
        let mut answer = None;
        opt_out(|| {
            self.received.lock().unwrap().push(request);
            answer = Some(Response::new(UpstreamBody::new(Frames::new(&self.answer))));
        });
        Ok(answer.expect("the answer was just made"))
    }
}

fn service(transport: InMemory) -> PassthroughService {
    service_with(transport, |options| options)
}

type Options = PassthroughBuilder<MemoryStore, Integrations, InMemory, AllowAll>;

fn service_with(
    transport: InMemory,
    change: impl FnOnce(Options) -> Options,
) -> PassthroughService {
    let store = MemoryStore::from_iter([(
        "c",
        Connection::new("vendor").with_secret("token", "s3cr3t"),
    )]);
    let upstream = Upstream::new("https://api.vendor.test/v2")
        .unwrap()
        .auth(auth::Bearer);
    let options = PassthroughService::builder(store, Integrations::new().with("vendor", upstream))
        .dangerous()
        .allow_all()
        .transport(transport)
        .prefix("/p")
        .unwrap();
    change(options).build()
}

/// Returns a request like the request of an ordinary client.
fn request<B>(method: &str, body: B) -> Request<B> {
    Request::builder()
        .method(method)
        .uri("/p/c/contacts?page=2")
        .header("host", "app.test")
        .header("accept", "application/json")
        .header("user-agent", "app/1.0")
        .body(body)
        .unwrap()
}

/// Returns the output of a future that never has to wait.
fn ready<F: Future>(future: F) -> F::Output {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(output) => output,
        Poll::Pending => panic!("this future never waits"),
    }
}

/// Returns the answer to a call, and the allocations until the head of the answer was there.
fn call<B>(
    service: &mut PassthroughService,
    request: Request<B>,
) -> (
    Response<tower_passthrough::service::ResponseBody>,
    AllocationInfo,
)
where
    B: Body<Data = Bytes> + Send + 'static,
    B::Error: Into<tower_passthrough::BoxError>,
{
    let mut request = Some(request);
    let mut response = None;
    let info = measure(|| response = request.take().map(|request| ready(service.call(request))));
    (response.expect("the response was just made").unwrap(), info)
}

/// Returns all frames of a body, and the allocations of polling them.
fn frames<B: Body<Data = Bytes>>(body: B) -> (Vec<Bytes>, AllocationInfo) {
    let mut frames = Vec::with_capacity(16);
    let mut body = pin!(body);
    let info = measure(|| {
        let mut cx = Context::from_waker(Waker::noop());
        while let Poll::Ready(Some(Ok(frame))) = body.as_mut().poll_frame(&mut cx) {
            frames.push(frame.into_data().expect("only data"));
        }
    });
    (frames, info)
}

/// Returns frames that aren't joined: two large frames, and a small frame at the end.
fn three_frames() -> Vec<Bytes> {
    [256, 700, 11]
        .map(|size| Bytes::from(vec![b'x'; size]))
        .to_vec()
}

#[test]
fn a_forwarded_call_allocates_a_stated_number_of_times() {
    let runtime = Runtime::new().unwrap();
    let _entered = runtime.enter();
    let mut service = service(InMemory::default());
    // The first call turns the vendor's authority into shared memory.
    call(&mut service, request("GET", Empty::<Bytes>::new()));
    for _ in 0..3 {
        let (response, info) = call(&mut service, request("GET", Empty::<Bytes>::new()));
        assert_eq!(response.status(), 200);
        assert_eq!(info.count_total, PER_CALL, "{info:?}");
    }
}

#[test]
fn an_observer_of_an_ordinary_call_costs_no_allocation() {
    let runtime = Runtime::new().unwrap();
    let _entered = runtime.enter();
    let mut service = service_with(InMemory::default(), |options| {
        options.observe_fn(|call: &CallReport<'_>| assert!(call.rate_limit().is_none()))
    });
    call(&mut service, request("GET", Empty::<Bytes>::new()));
    let (response, info) = call(&mut service, request("GET", Empty::<Bytes>::new()));
    assert_eq!(response.status(), 200);
    assert_eq!(info.count_total, PER_CALL, "{info:?}");
    let ending = measure(|| drop(response));
    assert_eq!(ending.count_total, 0, "{ending:?}");
}

#[test]
fn a_body_allocates_only_its_box_and_its_progress() {
    let runtime = Runtime::new().unwrap();
    let _entered = runtime.enter();
    let mut service = service(InMemory::default());
    call(&mut service, request("GET", Empty::<Bytes>::new()));
    for _ in 0..3 {
        let (_, info) = call(&mut service, request("POST", Frames::new(&three_frames())));
        assert_eq!(info.count_total, PER_CALL + PER_BODY, "{info:?}");
    }
}

#[test]
fn bodies_are_forwarded_and_never_copied() {
    let runtime = Runtime::new().unwrap();
    let _entered = runtime.enter();
    let transport = InMemory {
        answer: three_frames(),
        ..InMemory::default()
    };
    let mut service = service(transport.clone());

    let upload = three_frames();
    let (response, _) = call(&mut service, request("POST", Frames::new(&upload)));
    let (downloaded, _) = frames(response.into_body());
    assert_eq!(places(&downloaded), places(&transport.answer));

    let received = transport.received.lock().unwrap().pop();
    let (uploaded, _) = frames(received.expect("a request was sent").into_body());
    assert_eq!(places(&uploaded), places(&upload));
}

#[test]
fn frames_are_forwarded_without_an_allocation() {
    let runtime = Runtime::new().unwrap();
    let _entered = runtime.enter();
    let transport = InMemory {
        answer: three_frames(),
        ..InMemory::default()
    };
    let mut service = service(transport.clone());
    let (response, _) = call(&mut service, request("POST", Frames::new(&three_frames())));
    let (downloaded, info) = frames(response.into_body());
    assert_eq!((downloaded.len(), info.count_total), (3, 0));
    let received = transport.received.lock().unwrap().pop();
    let (uploaded, info) = frames(received.expect("a request was sent").into_body());
    assert_eq!((uploaded.len(), info.count_total), (3, 0));
}
