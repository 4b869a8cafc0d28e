//! If a side breaks off, the other side sees an abort.

mod by_caller;
mod by_vendor;

use h2::RecvStream;
use http::Request;

use testkit::caller::Caller;
use testkit::h2_caller;
use testkit::h2_vendor;
use testkit::wait::within;

const LAST_CHUNK: &[u8] = b"0\r\n\r\n";
const CHUNKED: &str = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n";
const BY_LENGTH: &str = "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello";

fn stream(method: &str) -> Request<()> {
    h2_caller::request(method, "/p/c/x").body(()).unwrap()
}

fn ends_well(rest: &[u8]) -> bool {
    rest.windows(LAST_CHUNK.len())
        .any(|window| window == LAST_CHUNK)
}

/// Checks that the caller has the answer's head and `hello`.
async fn begun_answer(caller: &mut Caller) {
    assert_eq!(caller.head().await.status(), 200);
    let part = within("the answer's beginning", caller.wire.until(b"hello"));
    assert!(part.await.is_some(), "the answer broke off too early");
}

/// Checks that the next bytes of a body over HTTP/2 are `hello`.
async fn assert_hello(body: &mut RecvStream) {
    let chunk = within("the beginning over HTTP/2", body.data()).await;
    let chunk = chunk.expect("more of the body").expect("an open stream");
    let _ = body.flow_control().release_capacity(chunk.len());
    assert_eq!(chunk, "hello");
}

/// Checks that the body breaks off.
async fn assert_broken(body: &mut RecvStream) {
    let rest = within("an end over HTTP/2", h2_vendor::read(body)).await;
    assert!(rest.is_err(), "the body looks whole: {rest:?}");
}
