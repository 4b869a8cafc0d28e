//! The caller leaves, or its upload breaks off.

use bytes::Bytes;
use h2::{Reason, SendStream};
use http::Response;

use super::{BY_LENGTH, CHUNKED, assert_broken, assert_hello, begun_answer, ends_well, stream};
use testkit::caller::{Caller, get, request};
use testkit::gateway::{Gateway, Mount, Setup};
use testkit::h2_caller::{self, H2Caller};
use testkit::h2_vendor::H2Vendor;
use testkit::manual::{ManualVendor, VendorConnection};
use testkit::reply::Reply;
use testkit::vendor::Vendor;
use testkit::wait::{Signal, within};

/// Returns a POST with only a part of its body.
fn begun(framing: &str, part: &str) -> String {
    request("POST", "/p/c/x", &[framing], part)
}

fn chunked_upload() -> String {
    begun("Transfer-Encoding: chunked", "5\r\nhello\r\n")
}

fn upload_by_length() -> String {
    begun("Content-Length: 10", "hello")
}

/// Returns the vendor's connection, after the vendor has read the head and `hello`.
async fn begun_upload(vendor: &ManualVendor) -> VendorConnection {
    let mut connection = vendor.accept().await;
    connection.head().await;
    let part = within("the upload's beginning", connection.wire.until(b"hello"));
    assert!(part.await.is_some(), "the upload broke off too early");
    connection
}

/// Waits until the gateway resets the stream of an answer, and returns the reason.
async fn reset(answer: &mut SendStream<Bytes>) -> Reason {
    let reset = std::future::poll_fn(|cx| answer.poll_reset(cx));
    within("a reset of the stream", reset).await.unwrap()
}

#[tokio::test]
async fn b10_a_caller_that_leaves_before_the_head_ends_the_vendors_request() {
    let vendor = Vendor::answering(Reply::silence()).await;
    let gateway = Gateway::to(&vendor).await;
    let mut caller = Caller::connect(gateway.address).await;
    caller.write(get("/p/c/x")).await;
    vendor.next().await;
    drop(caller);
    vendor.closed(0).await;

    // The caller's connection stays open, and only the stream ends.
    let mut caller = H2Caller::connect(gateway.address).await;
    let call = caller.open(stream("GET"), true).await;
    vendor.next().await;
    drop(call);
    vendor.closed(1).await;
}

#[tokio::test]
async fn b10_a_caller_that_leaves_before_the_head_resets_the_vendors_stream() {
    let vendor = H2Vendor::start().await;
    let gateway = Gateway::to(&vendor).await;
    let mut caller = Caller::connect(gateway.address).await;
    caller.write(get("/p/c/x")).await;
    let mut call = vendor.next().await;
    drop(caller);
    assert_eq!(call.reset().await, Reason::CANCEL);

    let mut caller = H2Caller::connect(gateway.address).await;
    let open = caller.open(stream("GET"), true).await;
    let mut call = vendor.next().await;
    drop(open);
    assert_eq!(call.reset().await, Reason::CANCEL);
    assert_eq!(vendor.connections().await, 1);
}

#[tokio::test]
async fn b10_a_caller_that_leaves_while_it_uploads_ends_the_vendors_request() {
    let vendor = ManualVendor::bind().await;
    let gateway = Gateway::to(&vendor).await;
    for upload in [chunked_upload(), upload_by_length()] {
        let mut caller = Caller::connect(gateway.address).await;
        caller.write(upload).await;
        let mut connection = begun_upload(&vendor).await;
        drop(caller);
        connection.closed().await;
    }
    let mut caller = H2Caller::connect(gateway.address).await;
    let (response, mut body) = caller.open(stream("POST"), false).await;
    body.send_data("hello".into(), false).unwrap();
    let mut connection = begun_upload(&vendor).await;
    drop((response, body));
    connection.closed().await;
}

#[tokio::test]
async fn b10_a_caller_that_leaves_while_it_uploads_resets_the_vendors_stream() {
    let vendor = H2Vendor::start().await;
    let gateway = Gateway::to(&vendor).await;
    for upload in [chunked_upload(), upload_by_length()] {
        let mut caller = Caller::connect(gateway.address).await;
        caller.write(upload).await;
        let mut call = vendor.next().await;
        assert_hello(&mut call.body).await;
        drop(caller);
        assert_broken(&mut call.body).await;
    }
    let mut caller = H2Caller::connect(gateway.address).await;
    let (response, mut body) = caller.open(stream("POST"), false).await;
    body.send_data("hello".into(), false).unwrap();
    let mut call = vendor.next().await;
    assert_hello(&mut call.body).await;
    drop((response, body));
    assert_broken(&mut call.body).await;
}

#[tokio::test]
async fn b10_a_caller_that_leaves_a_stalled_upload_ends_the_vendors_request() {
    // More bytes than all windows and buffers on the way can hold, so that the gateway doesn't ask the caller for more.
    let upload = || Bytes::from(vec![b'x'; 64 << 20]);

    let vendor = ManualVendor::bind().await;
    let gateway = Gateway::to(&vendor).await;
    let mut caller = H2Caller::connect(gateway.address).await;
    let (response, mut body) = caller.open(stream("POST"), false).await;
    body.send_data(upload(), false).unwrap();
    let mut connection = vendor.accept().await;
    connection.head().await;
    body.send_reset(Reason::CANCEL);
    drop(response);
    connection.closed().await;

    let vendor = H2Vendor::start().await;
    let gateway = Gateway::to(&vendor).await;
    let mut caller = H2Caller::connect(gateway.address).await;
    let (response, mut body) = caller.open(stream("POST"), false).await;
    body.send_data(upload(), false).unwrap();
    let mut call = vendor.next().await;
    body.send_reset(Reason::CANCEL);
    drop(response);
    call.reset().await;
}

#[tokio::test]
async fn b10_a_caller_that_leaves_while_it_reads_ends_the_vendors_request() {
    let never = Signal::new();
    let vendor = Vendor::answering(Reply::from(CHUNKED).until(&never)).await;
    let gateway = Gateway::to(&vendor).await;
    let mut caller = Caller::connect(gateway.address).await;
    caller.write(get("/p/c/x")).await;
    begun_answer(&mut caller).await;
    drop(caller);
    vendor.closed(0).await;

    let mut caller = H2Caller::connect(gateway.address).await;
    let (response, _) = caller.open(stream("GET"), true).await;
    let mut body = h2_caller::answer(response).await.into_body();
    assert_hello(&mut body).await;
    drop(body);
    vendor.closed(1).await;
}

#[tokio::test]
async fn b10_a_caller_that_leaves_while_it_reads_resets_the_vendors_stream() {
    let vendor = H2Vendor::start().await;
    let gateway = Gateway::to(&vendor).await;
    let mut caller = Caller::connect(gateway.address).await;
    caller.write(get("/p/c/x")).await;
    let mut answer = vendor.next().await.answer(Response::new(()));
    answer.send_data("hello".into(), false).unwrap();
    begun_answer(&mut caller).await;
    drop(caller);
    assert_eq!(reset(&mut answer).await, Reason::CANCEL);

    let mut caller = H2Caller::connect(gateway.address).await;
    let (response, _) = caller.open(stream("GET"), true).await;
    let mut answer = vendor.next().await.answer(Response::new(()));
    answer.send_data("hello".into(), false).unwrap();
    let mut body = h2_caller::answer(response).await.into_body();
    assert_hello(&mut body).await;
    drop(body);
    assert_eq!(reset(&mut answer).await, Reason::CANCEL);
    assert_eq!(vendor.connections().await, 1);
}

#[tokio::test]
async fn b11_an_upload_over_http1_that_breaks_off_never_ends_well() {
    let vendor = ManualVendor::bind().await;
    let gateway = Gateway::to(&vendor).await;
    for upload in [chunked_upload(), upload_by_length()] {
        for by_reset in [false, true] {
            let mut caller = Caller::connect(gateway.address).await;
            caller.write(&upload).await;
            let mut connection = begun_upload(&vendor).await;
            if by_reset {
                caller.wire.reset();
            } else {
                drop(caller);
            }
            let rest = connection.wire.closed().await;
            assert!(!ends_well(&rest), "{upload:?}, reset: {by_reset}");
        }
    }
}

// hyper reads RST_STREAM(NO_ERROR) as an end. The tests use several threads and repeat the upload, because two tasks
// race.

/// Checks that an upload over HTTP/2 never ends well if the caller resets the upload, before or after the vendor's
/// answer, under each mount.
async fn assert_resets_never_end_well(answered: bool) {
    for mount in [Mount::Hyper, Mount::Nest, Mount::Layer] {
        let vendor = ManualVendor::bind().await;
        let gateway = Setup::new(&vendor).mount(mount).start().await;
        let mut caller = H2Caller::connect(gateway.address).await;
        for reason in [Reason::CANCEL, Reason::INTERNAL_ERROR, Reason::NO_ERROR] {
            for _ in 0..30 {
                let (response, mut body) = caller.open(stream("POST"), false).await;
                body.send_data("hello".into(), false).unwrap();
                let mut connection = begun_upload(&vendor).await;
                let mut answer = None;
                if answered {
                    connection.write(BY_LENGTH).await;
                    answer = Some(h2_caller::answer(response).await);
                }
                body.send_reset(reason);
                let rest = connection.wire.closed().await;
                assert!(!ends_well(&rest), "{mount:?} {reason:?}");
                drop(answer);
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn b11_a_stream_that_the_caller_resets_never_ends_well() {
    assert_resets_never_end_well(false).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn b11_an_early_answered_stream_that_the_caller_resets_never_ends_well() {
    assert_resets_never_end_well(true).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn b11_an_upload_that_breaks_off_resets_the_vendors_stream() {
    let vendor = H2Vendor::start().await;
    let gateway = Gateway::to(&vendor).await;
    for upload in [chunked_upload(), upload_by_length()] {
        let mut caller = Caller::connect(gateway.address).await;
        caller.write(upload).await;
        let mut call = vendor.next().await;
        assert_hello(&mut call.body).await;
        drop(caller);
        assert_broken(&mut call.body).await;
    }
    let mut caller = H2Caller::connect(gateway.address).await;
    for reason in [Reason::CANCEL, Reason::INTERNAL_ERROR, Reason::NO_ERROR] {
        for _ in 0..30 {
            let (_response, mut body) = caller.open(stream("POST"), false).await;
            body.send_data("hello".into(), false).unwrap();
            let mut call = vendor.next().await;
            assert_hello(&mut call.body).await;
            body.send_reset(reason);
            assert_broken(&mut call.body).await;
        }
    }
}
