//! The share of one tenant in an HTTP/2 connection that several tenants use.

use std::time::Duration;

use super::{assert_ok, assert_passes, at_once, begun, next, stall_eight, telling, two_tenants};
use testkit::caller::{Caller, get, post, request};
use testkit::gateway::Setup;
use testkit::h2_frames::DATA;
use testkit::h2_script::{CANCEL, FrameVendor, MAX_CONCURRENT_STREAMS};
use testkit::h2_vendor::H2Vendor;
use testkit::wait::within;

fn setup(vendor: &FrameVendor) -> Setup {
    two_tenants(Setup::new(vendor)).transport(|transport| transport.http2_prior_knowledge(true))
}

#[tokio::test]
async fn k10_stalled_downloads_of_one_tenant_do_not_stop_another() {
    let vendor = H2Vendor::start().await;
    let gateway = two_tenants(Setup::new(&vendor)).start().await;
    let _stalled = stall_eight(&vendor, &gateway, "/p/one/long").await;
    let mut caller = Caller::connect(gateway.address).await;
    assert_passes(&vendor, &mut caller, "/p/two/long").await;
    assert_eq!(vendor.connections().await, 1);
}

#[tokio::test]
async fn k10_the_streams_of_a_connection_key_are_limited() {
    let vendor = FrameVendor::bind().await;
    let (setup, mut told) = telling(two_tenants(Setup::new(&vendor)).transport(|transport| {
        transport
            .http2_prior_knowledge(true)
            .http2_max_connections_per_host(1)
            .http2_max_streams_per_connection_key(2)
    }));
    let gateway = setup.start().await;
    let mut ones = at_once(gateway.address, vec![get("/p/one/x"); 4]);
    let mut connection = vendor.accept(&[]).await;
    let streams = [connection.request().await, connection.request().await];
    begun(&mut told, 4).await;
    connection.no_other().await;

    // The waiting calls of tenant `one` don't delay a call of another tenant.
    let mut twos = at_once(gateway.address, [get("/p/two/x")]);
    let stream = connection.request().await;
    connection.answer(stream, "two").await;
    assert_ok(&next(&mut twos).await, "two");
    connection.no_other().await;

    // When a stream ends, one more call of tenant `one` is sent.
    for stream in streams {
        connection.answer(stream, "one").await;
        assert_ok(&next(&mut ones).await, "one");
        let stream = connection.request().await;
        connection.no_other().await;
        connection.begin(stream).await;
    }
    vendor.0.no_other().await;
}

#[tokio::test]
async fn k10_a_call_at_its_key_limit_does_not_delay_calls_of_other_keys() {
    let vendor = FrameVendor::bind().await;
    let (setup, mut told) = telling(two_tenants(Setup::new(&vendor)).transport(|transport| {
        transport
            .http2_prior_knowledge(true)
            .http2_max_connections_per_host(1)
            .http2_max_streams_per_connection_key(1)
    }));
    let gateway = setup.start().await;
    let mut ones = at_once(gateway.address, [get("/p/one/x")]);
    let mut connection = vendor.accept(&[(MAX_CONCURRENT_STREAMS, 2)]).await;
    let one = connection.request().await;
    let mut others = at_once(gateway.address, [get("/p/c/x")]);
    let other = connection.request().await;
    ones.spawn({
        let address = gateway.address;
        async move { Caller::connect(address).await.call(get("/p/one/x")).await }
    });
    begun(&mut told, 3).await;
    let mut twos = at_once(gateway.address, [get("/p/two/x")]);
    begun(&mut told, 1).await;
    connection.no_other().await;

    connection.answer(other, "other").await;
    assert_ok(&next(&mut others).await, "other");
    let two = connection.request().await;
    connection.answer(two, "two").await;
    assert_ok(&next(&mut twos).await, "two");
    connection.no_other().await;
    connection.answer(one, "one").await;
    let one = connection.request().await;
    connection.answer(one, "one").await;
    for _ in 0..2 {
        assert_ok(&next(&mut ones).await, "one");
    }
}

/// Returns a fifth of an upload of tenant `one`, which is larger than the window of a stream.
fn begun_upload() -> String {
    let fields = ["Content-Length: 1000000"];
    request("POST", "/p/one/x", &fields, &"x".repeat(200_000))
}

#[tokio::test]
async fn k10_a_stalled_upload_does_not_stop_uploads_of_another_tenant() {
    let vendor = FrameVendor::bind().await;
    let gateway = setup(&vendor).start().await;
    let mut stalled = Caller::connect(gateway.address).await;
    stalled.write(begun_upload()).await;
    let mut connection = vendor.accept(&[]).await;
    connection.make_room(0, 1 << 20).await;
    let one = connection.request().await;
    // The window of a stream, which the vendor doesn't extend.
    let mut room = 65_535;
    while room > 0 {
        let frame = connection.next().await.unwrap();
        assert_eq!((frame.kind, frame.stream), (DATA, one));
        room -= frame.payload.len();
    }

    let mut caller = Caller::connect(gateway.address).await;
    for _ in 0..3 {
        caller.write(post("/p/two/x", &"y".repeat(60_000))).await;
        let two = connection.request().await;
        assert_eq!(connection.body(two).await.len(), 60_000);
        connection.answer(two, "two").await;
        assert_ok(&caller.response("POST").await, "two");
    }
    // The upload continues as soon as there is room.
    connection.make_room(one, 1000).await;
    let frame = connection.next().await.unwrap();
    assert_eq!((frame.stream, frame.payload.len()), (one, 1000));
}

#[tokio::test]
async fn b16_an_idle_stream_is_reset_and_its_connection_stays() {
    let vendor = FrameVendor::bind().await;
    let gateway = setup(&vendor)
        .options(|options| options.idle_timeout(Duration::from_millis(300)))
        .start()
        .await;
    let mut caller = Caller::connect(gateway.address).await;
    caller.write(get("/p/one/x")).await;
    let mut connection = vendor.accept(&[]).await;
    let stream = connection.request().await;
    connection.begin(stream).await;
    connection.data(stream, "hello", false).await;
    let head = caller.head().await;
    assert_eq!(head.status(), 200);
    assert!(!caller.closed().await.ends_with(b"0\r\n\r\n"));
    assert_eq!(connection.reset_of(stream).await, CANCEL);

    let mut caller = Caller::connect(gateway.address).await;
    caller.write(get("/p/two/x")).await;
    let stream = connection.request().await;
    connection.answer(stream, "own").await;
    assert_ok(&caller.response("GET").await, "own");
}

#[tokio::test]
async fn b16_an_upload_that_stalls_after_its_answer_is_reset() {
    let vendor = FrameVendor::bind().await;
    let gateway = setup(&vendor)
        .options(|options| options.idle_timeout(Duration::from_millis(300)))
        .start()
        .await;
    let mut caller = Caller::connect(gateway.address).await;
    caller.write(begun_upload()).await;
    let mut connection = vendor.accept(&[]).await;
    let stream = connection.request().await;
    connection.answer(stream, "early").await;
    assert_ok(&caller.response("POST").await, "early");
    assert_eq!(connection.reset_of(stream).await, CANCEL);
    within("the end of the caller's connection", caller.closed()).await;
}
