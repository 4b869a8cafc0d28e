//! Vendors that get too many calls: a cancelled call is only a reset, and a vendor that complains gets a pause.

use std::time::Duration;

use h2::Reason;

use super::{assert_ok, begun, refusal, telling};
use testkit::caller::{Caller, get, raw_call, request};
use testkit::gateway::{Gateway, Setup};
use testkit::h2_caller::{self, H2Caller};
use testkit::h2_script::{
    CANCEL, ENHANCE_YOUR_CALM, FrameConnection, FrameVendor, MAX_CONCURRENT_STREAMS,
};
use testkit::wait::within;

fn setup(vendor: &FrameVendor) -> Setup {
    Setup::new(vendor).transport(|transport| transport.http2_prior_knowledge(true))
}

/// Returns a call that has come to the vendor, on a connection with these settings.
async fn begun_call(
    vendor: &FrameVendor,
    gateway: &Gateway,
    settings: &[(u16, u32)],
) -> (Caller, FrameConnection, u32) {
    let mut caller = Caller::connect(gateway.address).await;
    caller.write(get("/p/c/x")).await;
    let mut connection = vendor.accept(settings).await;
    let stream = connection.request().await;
    (caller, connection, stream)
}

async fn assert_overloaded(gateway: &Gateway) {
    let answer = raw_call(gateway.address, get("/p/c/x")).await;
    assert_eq!(refusal(&answer), (503, "overloaded", false));
    assert_eq!(answer.head.value("retry-after"), Some("1"));
}

/// Calls until the gateway calls the vendor again, and answers this call.
async fn assert_called_again(vendor: &FrameVendor, gateway: &Gateway) {
    let calling = async {
        loop {
            let answer = raw_call(gateway.address, get("/p/c/x")).await;
            if answer.status() != 503 {
                return answer;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    let answering = async {
        let mut connection = vendor.accept(&[]).await;
        let stream = connection.request().await;
        connection.answer(stream, "own").await;
        connection
    };
    let (answer, _connection) = within("the vendor to be called again", async {
        tokio::join!(calling, answering)
    })
    .await;
    assert_ok(&answer, "own");
}

#[tokio::test]
async fn k11_a_vendor_that_complains_gets_a_pause() {
    let vendor = FrameVendor::bind().await;
    let gateway = setup(&vendor).start().await;
    let (mut caller, mut connection, stream) = begun_call(&vendor, &gateway, &[]).await;
    connection.answer(stream, "own").await;
    assert_ok(&caller.response("GET").await, "own");
    connection.goaway(stream, ENHANCE_YOUR_CALM).await;
    connection.closed().await;
    for _ in 0..3 {
        assert_overloaded(&gateway).await;
    }
    vendor.0.no_other().await;
    assert_called_again(&vendor, &gateway).await;
}

#[tokio::test]
async fn k11_an_unprocessed_call_is_overloaded_with_retry_after() {
    let vendor = FrameVendor::bind().await;
    let gateway = setup(&vendor).start().await;
    let (mut caller, mut connection, _) = begun_call(&vendor, &gateway, &[]).await;
    connection.goaway(0, ENHANCE_YOUR_CALM).await;
    let answer = caller.response("GET").await;
    assert_eq!(refusal(&answer), (503, "overloaded", false));
    assert!(answer.head.has("retry-after"));
    connection.closed().await;
    vendor.0.no_other().await;
}

#[tokio::test]
async fn k11_the_pause_holds_while_older_calls_end() {
    let vendor = FrameVendor::bind().await;
    let gateway = setup(&vendor).start().await;
    let (mut caller, mut connection, stream) = begun_call(&vendor, &gateway, &[]).await;
    connection.goaway(stream, ENHANCE_YOUR_CALM).await;
    connection.ping().await;
    assert_overloaded(&gateway).await;
    connection.answer(stream, "own").await;
    assert_ok(&caller.response("GET").await, "own");
    connection.closed().await;
    vendor.0.no_other().await;
}

#[tokio::test]
async fn k11_a_waiting_call_ends_or_is_served_after_the_pause() {
    let vendor = FrameVendor::bind().await;
    let (setup, mut told) = telling(Setup::new(&vendor).transport(|transport| {
        transport
            .http2_prior_knowledge(true)
            .http2_max_connections_per_host(1)
    }));
    let gateway = setup.start().await;
    let settings = [(MAX_CONCURRENT_STREAMS, 1)];
    let (mut caller, mut connection, stream) = begun_call(&vendor, &gateway, &settings).await;
    let mut waiting = Caller::connect(gateway.address).await;
    waiting.write(get("/p/c/x")).await;
    begun(&mut told, 2).await;
    connection.no_other().await;

    connection.goaway(stream, ENHANCE_YOUR_CALM).await;
    connection.answer(stream, "own").await;
    assert_ok(&caller.response("GET").await, "own");
    connection.closed().await;
    // The call is refused, or is served after the pause.
    let serving = async {
        let mut connection = vendor.accept(&[]).await;
        let stream = connection.request().await;
        connection.answer(stream, "own").await;
        std::future::pending::<()>().await;
    };
    let answer = tokio::select! {
        answer = waiting.response("GET") => answer,
        () = serving => unreachable!("the vendor continues without end"),
    };
    if answer.status() != 200 {
        assert_eq!(refusal(&answer), (503, "overloaded", false));
    }
}

#[tokio::test]
async fn k11_a_cancelled_call_is_only_a_reset() {
    let vendor = FrameVendor::bind().await;
    let gateway = setup(&vendor).start().await;
    // Cancelled before the head.
    let (caller, mut connection, stream) = begun_call(&vendor, &gateway, &[]).await;
    drop(caller);
    assert_eq!(connection.reset_of(stream).await, CANCEL);

    // Cancelled during the body.
    let mut caller = Caller::connect(gateway.address).await;
    caller.write(get("/p/c/x")).await;
    let stream = connection.request().await;
    connection.begin(stream).await;
    connection.data(stream, "hello", false).await;
    caller.head().await;
    drop(caller);
    assert_eq!(connection.reset_of(stream).await, CANCEL);

    // Cancelled during the upload.
    let mut caller = Caller::connect(gateway.address).await;
    let begun = request("POST", "/p/c/x", &["Content-Length: 10"], "hello");
    caller.write(begun).await;
    let stream = connection.request().await;
    drop(caller);
    assert_eq!(connection.reset_of(stream).await, CANCEL);

    let mut caller = H2Caller::connect(gateway.address).await;
    let call = h2_caller::request("POST", "/p/c/x").body(()).unwrap();
    let (response, mut upload) = caller.open(call, false).await;
    upload.send_data("hello".into(), false).unwrap();
    let stream = connection.request().await;
    upload.send_reset(Reason::CANCEL);
    drop(response);
    assert_eq!(connection.reset_of(stream).await, CANCEL);

    // The connection is still in use.
    let mut caller = Caller::connect(gateway.address).await;
    caller.write(get("/p/c/x")).await;
    let stream = connection.request().await;
    connection.answer(stream, "own").await;
    assert_ok(&caller.response("GET").await, "own");
    vendor.0.no_other().await;
}
