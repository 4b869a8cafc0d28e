//! Vendors that leave: at rest, as soon as they were called, or while others wait for them.

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

/// Says goodbye, and listens to none: whatever the gateway writes from now on is an error.
async fn leave(mut wire: Wire) {
    wire.finish().await;
    wire.reset();
}

#[tokio::test]
async fn k5_a_resting_connection_that_ends_over_tls_holds_up_no_call() {
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

/// A call that is answered on a connection of its own.
async fn answered(vendor: &FrameVendor, caller: &mut Caller) -> FrameConnection {
    caller.write(get("/p/c/x")).await;
    let mut connection = vendor.accept(&[]).await;
    let stream = connection.request().await;
    connection.answer(stream, "own").await;
    assert_ok(&caller.response("GET").await, "own");
    connection
}

#[tokio::test]
async fn k5_http2_connections_that_end_over_tls_leave_nothing() {
    let vendor = FrameVendor::bind_tls().await;
    let gateway = Gateway::to(&vendor).await;
    let mut caller = Caller::connect(gateway.address).await;
    let mut connection = answered(&vendor, &mut caller).await;
    // Each connection is held by a task of this test's runtime.
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

/// Rings when a future is woken.
#[derive(Default)]
struct Bell(Notify);

impl Wake for Bell {
    fn wake(self: Arc<Self>) {
        self.0.notify_one();
    }
}

/// Goes on with a call later than it could, as a busy host would: by then more has happened.
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
async fn k3_a_vendor_that_leaves_as_soon_as_it_is_called_is_not_called_for_ever() {
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
                // The first, and as often as a request is sent anew.
                assert!(connections.len() <= 3, "no end of connections");
            }
        };
        let answer = tokio::select! {
            answer = within("an answer", late(service.oneshot(call))) => answer.unwrap(),
            () = leaving => unreachable!("it goes on"),
        };
        assert_eq!(answer.status(), StatusCode::BAD_GATEWAY);
        vendor.0.no_other().await;
    }
}

#[tokio::test]
async fn k9_who_waits_for_a_stream_does_not_fail_with_another_connection() {
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
    // By the time that this is read, so is the end of the handshake.
    first.no_other().await;
    first.data(stream, "", true).await;
    for _ in 0..CALLS {
        stream = first.request().await;
        first.answer(stream, "own").await;
        assert_ok(&next(&mut callers).await, "own");
    }
}
