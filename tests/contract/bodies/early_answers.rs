//! Answers before the end of the upload, and interim answers.

use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};

use testkit::caller::{Caller, RawResponse, get, request};
use testkit::gateway::{Gateway, Setup};
use testkit::h2_caller::{self, H2Caller};
use testkit::h2_vendor::H2Vendor;
use testkit::head::Head;
use testkit::manual::{ManualVendor, VendorConnection};
use testkit::pair::Pair;
use testkit::upload::Upload;
use testkit::vendor::Vendor;
use testkit::wait::within;
use testkit::wire::End;

const HALF: usize = 64 * 1024;
const TOO_LARGE: &str = "HTTP/1.1 413 Content Too Large\r\nContent-Length: 9\r\n\r\ntoo large";

fn half_of_upload(target: &str, whole: usize) -> String {
    let length = format!("Content-Length: {whole}");
    request("POST", target, &[&length], &"x".repeat(HALF))
}

fn stream(method: &str) -> Request<()> {
    h2_caller::request(method, "/p/c/x").body(()).unwrap()
}

fn assert_too_large(answer: &RawResponse) {
    assert_eq!(
        (answer.status(), answer.text().as_str()),
        (413, "too large")
    );
    assert_eq!(answer.error(), None);
    assert!(answer.complete());
}

/// Returns the vendor's connection and the head, after the caller got its answer and the vendor read half of the
/// upload.
async fn answered_half_way(caller: &mut Caller, vendor: &ManualVendor) -> (VendorConnection, Head) {
    caller.write(half_of_upload("/p/c/x", 2 * HALF)).await;
    let mut connection = vendor.accept().await;
    let head = connection.head().await;
    connection.write(TOO_LARGE).await;
    assert_too_large(&caller.response("POST").await);
    (connection, head)
}

#[tokio::test]
async fn b9_an_early_answer_is_returned_at_once_and_the_upload_continues() {
    let vendor = ManualVendor::bind().await;
    let gateway = Gateway::to(&vendor).await;
    let mut caller = Caller::connect(gateway.address).await;
    let (mut connection, head) = answered_half_way(&mut caller, &vendor).await;

    caller.write("x".repeat(HALF)).await;
    let body = connection.body(&head).await;
    assert_eq!((body.data.len(), body.end), (2 * HALF, End::Complete));
    // The caller's connection can be used for the next call.
    let next = caller.call(get("/p/nobody/x")).await;
    assert_eq!(next.error(), Some("unknown-connection"));
}

#[tokio::test]
async fn b9_an_early_answer_over_http2_is_returned_at_once_and_the_upload_continues() {
    let vendor = H2Vendor::start().await;
    let gateway = Gateway::to(&vendor).await;
    let mut caller = H2Caller::connect(gateway.address).await;
    let (response, mut upload) = caller.open(stream("POST"), false).await;
    upload.send_data("hel".into(), false).unwrap();
    let mut call = vendor.next().await;
    let mut answer = call.answer(Response::builder().status(413).body(()).unwrap());
    answer.send_data("too large".into(), true).unwrap();
    let early = h2_caller::whole(response).await;
    assert_eq!(
        (early.status.as_u16(), early.body.as_slice()),
        (413, &b"too large"[..])
    );

    upload.send_data("lo".into(), true).unwrap();
    assert_eq!(call.read().await.0, b"hello");
}

#[tokio::test]
async fn b9_a_reset_without_error_after_the_whole_answer_is_not_an_error() {
    let vendor = H2Vendor::start().await;
    let gateway = Gateway::to(&vendor).await;
    for _ in 0..8 {
        let mut caller = Caller::connect(gateway.address).await;
        caller.write(half_of_upload("/p/c/x", 2 * HALF)).await;
        let mut call = vendor.next().await;
        let mut answer = call.answer(Response::builder().status(413).body(()).unwrap());
        answer.send_data("too large".into(), true).unwrap();
        // h2 sends RST_STREAM(NO_ERROR) if the body isn't read after the answer.
        drop((call, answer));
        assert_too_large(&caller.response("POST").await);
    }
    assert_eq!(vendor.connections().await, 1);
}

#[tokio::test]
async fn b9_a_vendor_that_answers_and_closes_gets_the_request_once() {
    let vendor = ManualVendor::bind().await;
    let gateway = Gateway::to(&vendor).await;
    for run in 0..12 {
        let mut caller = Caller::connect(gateway.address).await;
        caller
            .write(half_of_upload(&format!("/p/c/{run}"), 1 << 30))
            .await;
        // A request that was sent again would come before the request of the next run.
        let mut connection = vendor.accept().await;
        assert_eq!(connection.head().await.target(), format!("/{run}"));
        connection.write(TOO_LARGE).await;
        // The vendor hasn't read all bytes of the upload, so the kernel sends a reset.
        drop(connection);
        let answer = caller.response("POST").await;
        match answer.error() {
            None => assert_too_large(&answer),
            Some(_) => {
                assert_eq!(answer.status(), 502);
                let problem: serde_json::Value = serde_json::from_slice(&answer.body.data).unwrap();
                assert_eq!(problem["sent"], true, "{problem}");
            }
        }
    }
    let mut caller = Caller::connect(gateway.address).await;
    caller.write(get("/p/c/last")).await;
    assert_eq!(vendor.accept().await.head().await.target(), "/last");
}

/// The manner in which a vendor ends its connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Parting {
    /// The vendor closes with unread bytes, so the kernel sends a reset.
    Close,
    /// The vendor itself sends a reset.
    Reset,
}

impl Parting {
    fn part(self, connection: VendorConnection) {
        match self {
            Self::Close => drop(connection),
            Self::Reset => connection.reset(),
        }
    }
}

/// A number of bytes that is larger than all buffers on the way.
const LARGE: usize = 64 << 20;

fn head_of_large_upload() -> String {
    request("POST", "/p/c/x", &[&format!("Content-Length: {LARGE}")], "")
}

async fn vendors() -> [ManualVendor; 2] {
    [
        ManualVendor::bind().await,
        ManualVendor::bind_tls(&["http/1.1"]).await,
    ]
}

/// Reads a part of a large upload, and writes `answer`.
async fn answer_early(vendor: &ManualVendor, answer: &str) -> VendorConnection {
    let mut connection = vendor.accept().await;
    connection.head().await;
    let part = within("a part of the upload", connection.wire.exactly(HALF)).await;
    assert_eq!(part.1, End::Complete);
    connection.write(answer).await;
    connection
}

#[tokio::test]
async fn b9_an_http1_caller_gets_the_answer_of_a_vendor_that_leaves() {
    for vendor in vendors().await {
        let gateway = Gateway::to(&vendor).await;
        for parting in [Parting::Close, Parting::Reset] {
            for _ in 0..30 {
                let mut upload =
                    Upload::begin(gateway.address, &head_of_large_upload(), LARGE).await;
                parting.part(answer_early(&vendor, TOO_LARGE).await);
                let head = upload.head().await;
                assert_eq!(
                    (head.status(), head.value("passthrough-error")),
                    (413, None)
                );
                assert_eq!(upload.body(9).await, b"too large");
            }
        }
        // None of the requests is sent again, and no connection is kept.
        vendor.no_other().await;
    }
}

#[tokio::test]
async fn b9_an_http2_caller_gets_the_answer_of_a_vendor_that_leaves() {
    let part = Bytes::from(vec![b'x'; 1 << 20]);
    for vendor in vendors().await {
        let gateway = Gateway::to(&vendor).await;
        let mut caller = H2Caller::connect(gateway.address).await;
        for parting in [Parting::Close, Parting::Reset] {
            for _ in 0..30 {
                let (response, mut upload) = caller.open(stream("POST"), false).await;
                upload.send_data(part.clone(), false).unwrap();
                parting.part(answer_early(&vendor, TOO_LARGE).await);
                let answer = h2_caller::whole(response).await;
                assert_eq!(
                    (answer.status.as_u16(), answer.body.as_slice()),
                    (413, &b"too large"[..])
                );
                assert!(!answer.headers.contains_key("passthrough-error"));
            }
        }
        vendor.no_other().await;
    }
}

#[tokio::test]
async fn b9_a_vendor_that_leaves_without_an_answer_may_have_acted() {
    for vendor in vendors().await {
        let gateway = Gateway::to(&vendor).await;
        for parting in [Parting::Close, Parting::Reset] {
            for _ in 0..10 {
                let mut upload =
                    Upload::begin(gateway.address, &head_of_large_upload(), LARGE).await;
                parting.part(answer_early(&vendor, "").await);
                let head = upload.head().await;
                assert_eq!(
                    (head.status(), head.value("passthrough-error")),
                    (502, Some("upstream-protocol"))
                );
                let length = head.value("content-length").unwrap().parse().unwrap();
                let problem = upload.body(length).await;
                let problem: serde_json::Value = serde_json::from_slice(&problem).unwrap();
                assert_eq!(problem["sent"], true, "{problem}");
            }
        }
        vendor.no_other().await;
    }
}

#[tokio::test]
async fn b9_half_an_answer_is_an_abort_during_an_upload() {
    for vendor in vendors().await {
        let gateway = Gateway::to(&vendor).await;
        let half = TOO_LARGE.strip_suffix("large").unwrap();
        for parting in [Parting::Close, Parting::Reset] {
            let mut caller = Caller::connect(gateway.address).await;
            caller.write(half_of_upload("/p/c/x", 2 * HALF)).await;
            let mut connection = vendor.accept().await;
            connection.head().await;
            connection.write(half).await;
            assert_eq!(caller.head().await.status(), 413);
            parting.part(connection);
            let rest = caller.closed().await;
            assert!(b"too ".starts_with(&rest), "{rest:?}");
        }
        vendor.no_other().await;
    }
}

#[tokio::test]
async fn b9_an_answered_upload_continues_as_long_as_the_vendor_reads() {
    for vendor in vendors().await {
        let gateway = Gateway::to(&vendor).await;
        let mut upload = Upload::begin(gateway.address, &head_of_large_upload(), LARGE).await;
        let mut connection = answer_early(&vendor, TOO_LARGE).await;
        assert_eq!(upload.head().await.status(), 413);
        assert_eq!(upload.body(9).await, b"too large");
        let half = within("half of the upload", connection.wire.exactly(LARGE / 2)).await;
        assert_eq!(half.1, End::Complete);
        drop(connection);
        // The rest of the upload isn't sent anywhere.
        upload.closed().await;
        vendor.no_other().await;
    }
}

#[tokio::test]
async fn b9_an_answered_upload_times_out_if_the_vendor_stops_reading() {
    for vendor in vendors().await {
        let gateway = Setup::new(&vendor)
            .options(|options| options.idle_timeout(Duration::from_millis(300)))
            .start()
            .await;
        let mut upload = Upload::begin(gateway.address, &head_of_large_upload(), LARGE).await;
        let mut connection = answer_early(&vendor, TOO_LARGE).await;
        assert_eq!(upload.head().await.status(), 413);
        assert_eq!(upload.body(9).await, b"too large");
        // The caller has more bytes, and would continue to send.
        upload.closed().await;
        let rest = connection.wire.closed().await;
        assert!(rest.len() < LARGE - HALF, "{} bytes", rest.len());
    }
}

#[tokio::test]
async fn b9_a_connection_with_a_finished_upload_is_used_again() {
    let vendor = ManualVendor::bind().await;
    let gateway = Gateway::to(&vendor).await;
    let mut caller = Caller::connect(gateway.address).await;
    let (mut connection, head) = answered_half_way(&mut caller, &vendor).await;
    caller.write("x".repeat(HALF)).await;
    assert_eq!(connection.body(&head).await.end, End::Complete);

    caller.write(get("/p/c/next")).await;
    let received = connection.request().await;
    assert_eq!(received.target(), "/next");
    connection.write(TOO_LARGE).await;
    assert_too_large(&caller.response("GET").await);
    vendor.no_other().await;
}

/// Interim answers before a final answer.
const INTERIM: &[&str] = &[
    "HTTP/1.1 103 Early Hints\r\nLink: </a.css>; rel=preload\r\n\r\n",
    "HTTP/1.1 100 Continue\r\n\r\n",
    "HTTP/1.1 102 Processing\r\n\r\n",
    "HTTP/1.1 103 Early Hints\r\nConnection: x-hop\r\nX-Hop: 1\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </b.css>\r\n\r\n",
];

#[tokio::test]
async fn b15_interim_answers_do_not_disturb_the_final_answer() {
    for interim in INTERIM {
        let answer = format!("{interim}HTTP/1.1 201 Created\r\nContent-Length: 5\r\n\r\nhello");
        let pair = Pair::before(Vendor::answering(answer).await, |setup| setup).await;
        let mut caller = Caller::connect(pair.gateway.address).await;
        for _ in 0..2 {
            let answer = caller.call(get("/p/c/x")).await;
            assert_eq!(
                (answer.status(), answer.text().as_str()),
                (201, "hello"),
                "{interim:?}"
            );
            assert!(!answer.head.has("link"), "{interim:?}");
            assert!(
                answer.interim.iter().all(|head| !head.has("x-hop")),
                "{interim:?}"
            );
        }
        let mut caller = H2Caller::connect(pair.gateway.address).await;
        let answer = caller.call(stream("GET")).await;
        assert_eq!(
            (answer.status.as_u16(), answer.body.as_slice()),
            (201, &b"hello"[..])
        );
    }
}

#[tokio::test]
async fn b15_interim_answers_over_http2_do_not_disturb_the_final_answer() {
    let vendor = H2Vendor::start().await;
    let gateway = Gateway::to(&vendor).await;
    let mut caller = Caller::connect(gateway.address).await;
    for code in [103, 100, 102] {
        caller.write(get("/p/c/x")).await;
        let mut call = vendor.next().await;
        let interim = Response::builder().status(code).header("link", "</a.css>");
        call.respond
            .send_informational(interim.body(()).unwrap())
            .unwrap();
        call.ok("hello");
        let answer = caller.response("GET").await;
        assert_eq!(
            (answer.status(), answer.text().as_str()),
            (200, "hello"),
            "{code}"
        );
        assert!(!answer.head.has("link"), "{code}");
    }
}
