//! Kept connections that end in the moment in which a request is written: safe requests are sent once more.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex};

use tokio::sync::mpsc::unbounded_channel;
use tokio::task::JoinSet;
use tower_passthrough::Observe;
use tower_passthrough::observe::CallReport;

use super::{Scheme, assert_ok, refusal};
use testkit::caller::{Caller, get, post, request};
use testkit::gateway::{Gateway, Setup};
use testkit::h2_script::{FrameConnection, FrameVendor, INTERNAL_ERROR, NO_ERROR};
use testkit::manual::{ManualVendor, VendorConnection};
use testkit::reply::Reply;
use testkit::vendor::{Received, Vendor};
use testkit::wait::within;

const OK: &str = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
/// The number of calls to each vendor.
const CALLS: usize = 125;
const CALLERS: usize = 5;

/// Returns a script that answers the first request of each connection, and that ends the connection at the second.
fn answers_once(end: Reply) -> impl Fn(&Received) -> Reply + Send + Sync + 'static {
    let answered = Mutex::new(HashSet::new());
    move |received| match answered.lock().unwrap().insert(received.connection) {
        true => Reply::ok("ok"),
        false => end.clone(),
    }
}

/// Makes calls of several callers at the same time, and returns the statuses.
async fn calls(gateway: &Gateway, method: &'static str, body: &'static str) -> Vec<u16> {
    let mut callers = JoinSet::new();
    for caller in 0..CALLERS {
        let address = gateway.address;
        callers.spawn(async move {
            let mut connection = Caller::connect(address).await;
            let mut statuses = Vec::new();
            for call in 0..CALLS / CALLERS {
                let target = format!("/p/c/{caller}/{call}");
                let length = format!("Content-Length: {}", body.len());
                let fields = if body.is_empty() {
                    vec![]
                } else {
                    vec![length.as_str()]
                };
                let answer = connection
                    .call(request(method, &target, &fields, body))
                    .await;
                statuses.push(answer.status());
            }
            statuses
        });
    }
    callers.join_all().await.concat()
}

/// Returns the number of times that the vendor has received each target.
async fn seen(vendor: &Vendor) -> HashMap<String, usize> {
    let mut seen = HashMap::new();
    while let Some(received) = vendor.try_next().await {
        *seen.entry(received.target().to_owned()).or_default() += 1;
    }
    seen
}

/// Returns vendors that close kept connections at the worst moment, each in another way.
async fn vendors_that_hang_up() -> Vec<Vendor> {
    let tls = ["http/1.1"];
    vec![
        Vendor::replying(answers_once(Reply::default().close())).await,
        Vendor::replying(answers_once(Reply::default().finish())).await,
        Vendor::replying(answers_once(Reply::default().reset())).await,
        // The end is sent before the next request, which may be written already.
        Vendor::answering(Reply::ok("ok").close()).await,
        Vendor::answering(Reply::ok("ok").finish()).await,
        // Without and with the alert `close_notify`.
        Vendor::replying_over_tls(&tls, answers_once(Reply::default().close())).await,
        Vendor::replying_over_tls(&tls, answers_once(Reply::default().finish())).await,
        Vendor::replying_over_tls(&tls, answers_once(Reply::default().reset())).await,
    ]
}

#[tokio::test]
async fn k2_gets_over_connections_that_end_at_the_worst_moment_all_succeed() {
    for (number, vendor) in vendors_that_hang_up().await.iter().enumerate() {
        let gateway = Gateway::to(vendor).await;
        let statuses = calls(&gateway, "GET", "").await;
        assert_eq!(statuses, vec![200; CALLS], "vendor {number}");
        let seen = seen(vendor).await;
        assert_eq!(seen.len(), CALLS, "vendor {number}");
        assert!(
            seen.values().all(|&times| times <= 2),
            "vendor {number}: {seen:?}"
        );
    }
}

#[tokio::test]
async fn k2_no_post_is_sent_twice_over_connections_that_end_at_the_worst_moment() {
    for (number, vendor) in vendors_that_hang_up().await.iter().enumerate() {
        let gateway = Gateway::to(vendor).await;
        for status in calls(&gateway, "POST", "hello").await {
            assert!(matches!(status, 200 | 502), "vendor {number}: {status}");
        }
        let seen = seen(vendor).await;
        assert!(
            seen.values().all(|&times| times == 1),
            "vendor {number}: {seen:?}"
        );
    }
}

/// Answers a first request on a new connection, which is then kept.
async fn kept(vendor: &ManualVendor, caller: &mut Caller) -> VendorConnection {
    caller.write(get("/p/c/first")).await;
    let mut connection = vendor.accept().await;
    connection.request().await;
    connection.write(OK).await;
    assert_ok(&caller.response("GET").await, "ok");
    connection
}

#[tokio::test]
async fn k2_the_second_attempt_is_the_same_request_on_a_new_connection() {
    for method in ["GET", "HEAD", "OPTIONS"] {
        let vendor = ManualVendor::bind().await;
        let gateway = Gateway::to(&vendor).await;
        let mut caller = Caller::connect(gateway.address).await;
        let mut other = Caller::connect(gateway.address).await;
        let mut first = kept(&vendor, &mut caller).await;
        // The second connection is kept as well: both callers wait at the same time.
        caller.write(get("/p/c/first")).await;
        let on_first = first.request().await;
        let mut second = kept(&vendor, &mut other).await;
        first.write(OK).await;
        assert_ok(&caller.response("GET").await, "ok");
        assert_eq!(on_first.target(), "/first");

        let fields = ["B: 1", "x-a: \u{e9}", "B: 2", "Accept: */*"];
        caller
            .write(request(method, "/p/c/x%2Fy?a=1", &fields, ""))
            .await;
        let lost = first.request().await;
        first.reset();
        let mut fresh = vendor.accept().await;
        let again = fresh.request().await;
        assert_eq!(again.head.start, lost.head.start);
        assert_eq!(again.head.fields, lost.head.fields);
        assert!(again.head.has("authorization"));
        fresh.write("HTTP/1.1 204 No Content\r\n\r\n").await;
        assert_eq!(caller.response(method).await.status(), 204);
        second.write(OK).await;
        vendor.no_other().await;
    }
}

#[tokio::test]
async fn k2_a_request_is_repeated_once() {
    let vendor = ManualVendor::bind().await;
    let gateway = Gateway::to(&vendor).await;
    let mut caller = Caller::connect(gateway.address).await;
    let mut first = kept(&vendor, &mut caller).await;
    caller.write(get("/p/c/x")).await;
    first.request().await;
    drop(first);
    let mut fresh = vendor.accept().await;
    fresh.request().await;
    drop(fresh);
    let answer = caller.response("GET").await;
    assert_eq!(refusal(&answer), (502, "upstream-protocol", true));
    vendor.no_other().await;
}

#[tokio::test]
async fn k2_a_request_is_not_repeated_after_a_byte_of_the_response() {
    for bytes in [
        "H",
        "HTTP/1.1 100 Continue\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-",
    ] {
        let vendor = ManualVendor::bind().await;
        let gateway = Gateway::to(&vendor).await;
        let mut caller = Caller::connect(gateway.address).await;
        let mut first = kept(&vendor, &mut caller).await;
        caller.write(get("/p/c/x")).await;
        first.request().await;
        first.write(bytes).await;
        drop(first);
        let answer = caller.response("GET").await;
        assert_eq!(
            refusal(&answer),
            (502, "upstream-protocol", true),
            "{bytes}"
        );
        vendor.no_other().await;
    }
}

#[tokio::test]
async fn k2_only_safe_methods_with_content_in_memory_are_repeated() {
    let content = ["Content-Length: 5"];
    for call in [
        post("/p/c/x", "hello"),
        post("/p/c/x", ""),
        request("PUT", "/p/c/x", &content, "hello"),
        request("PATCH", "/p/c/x", &content, "hello"),
        request("DELETE", "/p/c/x", &[], ""),
        request("QUERY", "/p/c/x", &[], ""),
        request("PROPFIND", "/p/c/x", &[], ""),
        // The content has streamed, so it's gone.
        request("GET", "/p/c/x", &content, "hello"),
    ] {
        let vendor = ManualVendor::bind().await;
        let gateway = Gateway::to(&vendor).await;
        let mut caller = Caller::connect(gateway.address).await;
        let mut first = kept(&vendor, &mut caller).await;
        caller.write(&call).await;
        first.request().await;
        drop(first);
        let answer = caller.response("POST").await;
        assert_eq!(refusal(&answer), (502, "upstream-protocol", true), "{call}");
        vendor.no_other().await;
    }
}

#[tokio::test]
async fn k2_the_buffered_content_of_a_get_is_sent_again() {
    let scheme = Scheme {
        keeps: true,
        ..Scheme::default()
    };
    let vendor = ManualVendor::bind().await;
    let setup = Setup::new(&vendor).upstream(|upstream| upstream.auth(scheme));
    let gateway = setup.start().await;
    let mut caller = Caller::connect(gateway.address).await;
    let mut first = kept(&vendor, &mut caller).await;
    caller
        .write(request("GET", "/p/c/x", &["Content-Length: 5"], "hello"))
        .await;
    assert_eq!(first.request().await.body.data, b"hello");
    drop(first);
    let mut fresh = vendor.accept().await;
    assert_eq!(fresh.request().await.body.data, b"hello");
    fresh.write(OK).await;
    assert_ok(&caller.response("GET").await, "ok");
}

#[tokio::test]
async fn k2_if_the_second_attempt_cant_connect_the_first_failure_is_returned() {
    let vendor = ManualVendor::bind().await;
    let gateway = Gateway::to(&vendor).await;
    let mut caller = Caller::connect(gateway.address).await;
    let mut first = kept(&vendor, &mut caller).await;
    caller.write(get("/p/c/x")).await;
    first.request().await;
    drop(vendor);
    drop(first);
    let answer = caller.response("GET").await;
    assert_eq!(refusal(&answer), (502, "upstream-protocol", true));
}

#[derive(Debug)]
struct Attempts(tokio::sync::mpsc::UnboundedSender<u32>);

impl Observe for Attempts {
    fn finished(&self, call: &CallReport<'_>) {
        let _ = self.0.send(call.attempts());
    }
}

#[tokio::test]
async fn k2_a_repeated_request_counts_as_an_attempt() {
    let vendor = Vendor::replying(answers_once(Reply::default().close())).await;
    let (sender, mut told) = unbounded_channel();
    let sender = Arc::new(sender);
    let observer = Attempts((*sender).clone());
    let setup = Setup::new(&vendor).options(|options| options.observe(observer));
    let gateway = setup.start().await;
    let mut caller = Caller::connect(gateway.address).await;
    for attempts in [1, 2] {
        assert_ok(&caller.call(get("/p/c/x")).await, "ok");
        assert_eq!(within("a report", told.recv()).await, Some(attempts));
    }
}

fn h2(vendor: &FrameVendor) -> Setup {
    Setup::new(vendor).transport(|transport| transport.http2_prior_knowledge(true))
}

/// Returns a connection on which a first call was answered, on stream 1.
async fn used(vendor: &FrameVendor, caller: &mut Caller) -> FrameConnection {
    caller.write(get("/p/c/first")).await;
    let mut connection = vendor.accept(&[]).await;
    let stream = connection.request().await;
    connection.answer(stream, "first").await;
    assert_ok(&caller.response("GET").await, "first");
    connection
}

#[tokio::test]
async fn k2_a_get_over_an_http2_connection_that_ends_is_sent_again() {
    for is_secure in [false, true] {
        let vendor = match is_secure {
            true => FrameVendor::bind_tls().await,
            false => FrameVendor::bind().await,
        };
        let gateway = h2(&vendor).start().await;
        let mut caller = Caller::connect(gateway.address).await;
        let mut connection = used(&vendor, &mut caller).await;
        for says_goaway in [false, true] {
            caller.write(get("/p/c/x")).await;
            let stream = connection.request().await;
            if says_goaway {
                connection.goaway(stream, NO_ERROR).await;
            }
            drop(connection);
            connection = vendor.accept(&[]).await;
            let stream = connection.request().await;
            assert_eq!(stream, 1);
            connection.answer(stream, "again").await;
            assert_ok(&caller.response("GET").await, "again");
        }
        vendor.0.no_other().await;
    }
}

#[tokio::test]
async fn k2_over_http2_no_post_and_no_first_stream_is_sent_again() {
    let vendor = FrameVendor::bind().await;
    let gateway = h2(&vendor).start().await;
    let mut caller = Caller::connect(gateway.address).await;
    let mut connection = used(&vendor, &mut caller).await;
    caller.write(post("/p/c/x", "")).await;
    connection.request().await;
    drop(connection);
    let answer = caller.response("POST").await;
    assert_eq!(refusal(&answer), (502, "upstream-protocol", true));

    caller.write(get("/p/c/x")).await;
    let mut connection = vendor.accept(&[]).await;
    connection.request().await;
    drop(connection);
    let answer = caller.response("GET").await;
    assert_eq!(refusal(&answer), (502, "upstream-protocol", true));

    // A stream that is reset is an answer of the vendor.
    let mut connection = used(&vendor, &mut caller).await;
    caller.write(get("/p/c/x")).await;
    let stream = connection.request().await;
    connection.reset(stream, INTERNAL_ERROR).await;
    let answer = caller.response("GET").await;
    assert_eq!(refusal(&answer), (502, "upstream-protocol", true));
    vendor.0.no_other().await;
}

#[tokio::test]
async fn k2_a_get_needs_a_new_http2_connection_although_another_one_is_open() {
    let vendor = FrameVendor::bind().await;
    let gateway = h2(&vendor).start().await;
    let mut caller = Caller::connect(gateway.address).await;
    let mut other = Caller::connect(gateway.address).await;
    // A connection with a single stream, which is in use, makes the second call open another connection.
    let limit = [(testkit::h2_script::MAX_CONCURRENT_STREAMS, 1)];
    caller.write(get("/p/c/first")).await;
    let mut first = vendor.accept(&limit).await;
    let stream = first.request().await;
    other.write(get("/p/c/other")).await;
    let mut second = vendor.accept(&[]).await;
    let others = second.request().await;
    second.answer(others, "other").await;
    assert_ok(&other.response("GET").await, "other");
    first.answer(stream, "first").await;
    assert_ok(&caller.response("GET").await, "first");

    caller.write(get("/p/c/x")).await;
    // Both connections are free, and the first one has fewer streams or comes first.
    tokio::select! {
        _ = first.request() => drop(first),
        _ = second.request() => drop(second),
    }
    let mut fresh = vendor.accept(&[]).await;
    let stream = fresh.request().await;
    fresh.answer(stream, "again").await;
    assert_ok(&caller.response("GET").await, "again");
}
