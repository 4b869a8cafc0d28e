//! Vendors that close connections: while a connection is idle, as soon as a call comes, or while other calls wait.

use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

use http::{Request, StatusCode};
use tokio::runtime::Handle;
use tokio::sync::Notify;
use tower::ServiceExt;

use super::{assert_ok, at_once, begun, next, telling};
use testkit::caller::{Caller, get, request};
use testkit::gateway::{Gateway, Setup};
use testkit::h2_script::{FrameConnection, FrameVendor, MAX_CONCURRENT_STREAMS, NO_ERROR};
use testkit::manual::ManualVendor;
use testkit::wait::within;
use testkit::wire::Wire;

const OK: &str = "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nown";

/// Sends GOAWAY, and reads no more bytes: each byte that the gateway writes from now on is an error.
async fn leave(mut wire: Wire) {
    wire.finish().await;
    wire.reset();
}

#[tokio::test]
async fn k5_an_idle_connection_that_ends_over_tls_delays_no_call() {
    let vendor = ManualVendor::bind_tls(&["http/1.1"]).await;
    let gateway = Gateway::to(&vendor).await;
    let mut caller = Caller::connect(gateway.address).await;
    for (method, body) in [("GET", ""), ("POST", "hello"), ("GET", "")] {
        let fields = [format!("Content-Length: {}", body.len())];
        let fields = fields.each_ref().map(String::as_str);
        caller.write(request(method, "/p/c/x", &fields, body)).await;
        let mut connection = vendor.accept().await;
        assert_eq!(connection.request().await.body.data, body.as_bytes());
        connection.write(OK).await;
        assert_ok(&caller.response(method).await, "own");
        leave(connection.wire).await;
    }
}

/// Makes a call that is answered on its own connection.
async fn answered(vendor: &FrameVendor, caller: &mut Caller) -> FrameConnection {
    caller.write(get("/p/c/x")).await;
    let mut connection = vendor.accept(&[]).await;
    let stream = connection.request().await;
    connection.answer(stream, "own").await;
    assert_ok(&caller.response("GET").await, "own");
    connection
}

#[tokio::test]
async fn k5_http2_connections_that_end_over_tls_leave_no_task() {
    let vendor = FrameVendor::bind_tls().await;
    let gateway = Gateway::to(&vendor).await;
    let mut caller = Caller::connect(gateway.address).await;
    let mut connection = answered(&vendor, &mut caller).await;
    // A task of this test's runtime holds each connection.
    let tasks = Handle::current().metrics();
    let with_one = tasks.num_alive_tasks();
    for _ in 0..8 {
        leave(connection.wire).await;
        connection = answered(&vendor, &mut caller).await;
    }
    let ended = async {
        while tasks.num_alive_tasks() > with_one {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    within("the tasks of connections that ended", ended).await;
}

/// Is notified when a future is woken.
#[derive(Default)]
struct Bell(Notify);

impl Wake for Bell {
    fn wake(self: Arc<Self>) {
        self.0.notify_one();
    }
}

/// Polls a call later than it could be polled, as on a busy machine, so that more events have happened.
async fn late<F: Future>(call: F) -> F::Output {
    let bell = Arc::new(Bell::default());
    let waker = Waker::from(Arc::clone(&bell));
    let mut call = pin!(call);
    loop {
        if let Poll::Ready(output) = call.as_mut().poll(&mut Context::from_waker(&waker)) {
            return output;
        }
        bell.0.notified().await;
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

#[tokio::test]
async fn k3_a_vendor_that_always_leaves_at_once_is_called_three_times_at_most() {
    for hangs_up in [false, true] {
        let vendor = FrameVendor::bind().await;
        let service = Setup::new(&vendor)
            .transport(|transport| transport.http2_prior_knowledge(true))
            .build(([127, 0, 0, 1], 9).into());
        let call = Request::get("/p/c/x").body(String::new()).unwrap();
        let leaving = async {
            let mut connections = Vec::new();
            loop {
                let mut connection = vendor.accept(&[]).await;
                connection.goaway(0, NO_ERROR).await;
                if hangs_up {
                    connection.wire.finish().await;
                }
                connections.push(connection);
                // The first connection, and a connection for each of the two further attempts.
                assert!(connections.len() <= 3, "too many connections");
            }
        };
        let answer = tokio::select! {
            answer = within("an answer", late(service.oneshot(call))) => answer.unwrap(),
            () = leaving => unreachable!("the vendor continues without end"),
        };
        assert_eq!(answer.status(), StatusCode::BAD_GATEWAY);
        vendor.0.no_other().await;
    }
}

#[tokio::test]
async fn k9_a_call_that_waits_for_a_stream_does_not_fail_with_another_connection() {
    const CALLS: usize = 3;
    let vendor = FrameVendor::bind_tls().await;
    let (setup, mut told) = telling(Setup::new(&vendor));
    let gateway = setup.start().await;
    let mut caller = Caller::connect(gateway.address).await;
    caller.write(get("/p/c/x")).await;
    let mut first = vendor.accept(&[(MAX_CONCURRENT_STREAMS, 1)]).await;
    let mut stream = first.request().await;
    first.begin(stream).await;
    assert_eq!(caller.head().await.status(), 200);

    let mut callers = at_once(gateway.address, vec![get("/p/c/x"); CALLS]);
    begun(&mut told, 1 + CALLS).await;
    drop(vendor.0.accept_unshaken().await);
    // When the gateway has read this, the gateway has noticed the end of the handshake as well.
    first.no_other().await;
    first.data(stream, "", true).await;
    for _ in 0..CALLS {
        stream = first.request().await;
        first.answer(stream, "own").await;
        assert_ok(&next(&mut callers).await, "own");
    }
}
