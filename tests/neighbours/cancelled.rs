//! Calls that are cancelled, and upstreams that complain about them.

use testkit::caller::{Caller, get};
use testkit::h2_script::{ENHANCE_YOUR_CALM, FrameConnection, FrameVendor};
use tokio::task::JoinSet;

use super::{assert_ok, begin, setup_h2};

/// Makes calls and hangs up, until the upstream has got the resets.
async fn cancel(gateway: std::net::SocketAddr, connection: &mut FrameConnection, calls: usize) {
    for _ in 0..calls {
        let mut caller = Caller::connect(gateway).await;
        caller.write(get("/p/a0/x")).await;
        let stream = connection.request().await;
        drop(caller);
        connection.reset_of(stream).await;
    }
}

#[tokio::test]
async fn x14_a_key_that_cancels_much_gets_its_own_connection() {
    let vendor = FrameVendor::bind().await;
    let gateway = setup_h2(&vendor).start().await;
    let mut calls = JoinSet::new();
    begin(&mut calls, gateway.address, "/p/v/long".into());
    let mut shared = vendor.accept(&[]).await;
    let long = shared.request().await;
    cancel(gateway.address, &mut shared, 33).await;
    // The next call of the key uses another connection, which the upstream ends with a complaint.
    let mut attackers = JoinSet::new();
    begin(&mut attackers, gateway.address, "/p/a0/x".into());
    let mut own = vendor.accept(&[]).await;
    let stream = own.request().await;
    own.goaway(stream, ENHANCE_YOUR_CALM).await;
    own.reset(stream, ENHANCE_YOUR_CALM).await;
    attackers.join_next().await;
    // Neither the victim's call under way nor its next call is affected.
    begin(&mut calls, gateway.address, "/p/v/next".into());
    let next = shared.request().await;
    shared.answer(next, "own").await;
    assert_ok(&calls.join_next().await.unwrap().unwrap(), "own");
    shared.answer(long, "long").await;
    assert_ok(&calls.join_next().await.unwrap().unwrap(), "long");
}

/// Many upstreams end a connection after a head that is larger than their limit.
#[tokio::test]
async fn x14_a_request_with_a_large_head_gets_its_own_connection() {
    let vendor = FrameVendor::bind().await;
    let gateway = setup_h2(&vendor).start().await;
    let mut calls = JoinSet::new();
    begin(&mut calls, gateway.address, "/p/v/long".into());
    let mut shared = vendor.accept(&[]).await;
    let long = shared.request().await;
    let mut attackers = JoinSet::new();
    for (key, size) in [8 << 10, 60 << 10].into_iter().enumerate() {
        let target = format!("/p/a{key}/{}", "x".repeat(size));
        begin(&mut attackers, gateway.address, target);
        let mut own = vendor.accept(&[]).await;
        own.goaway(1, ENHANCE_YOUR_CALM).await;
        own.reset(1, ENHANCE_YOUR_CALM).await;
        attackers.join_next().await;
    }
    begin(&mut calls, gateway.address, "/p/v/next".into());
    let next = shared.request().await;
    shared.answer(next, "own").await;
    assert_ok(&calls.join_next().await.unwrap().unwrap(), "own");
    shared.answer(long, "long").await;
    assert_ok(&calls.join_next().await.unwrap().unwrap(), "long");
}

#[tokio::test]
async fn x14_a_complaint_holds_back_only_its_cause() {
    let vendor = FrameVendor::bind().await;
    let gateway = setup_h2(&vendor).start().await;
    let mut calls = JoinSet::new();
    begin(&mut calls, gateway.address, "/p/v/x".into());
    let mut shared = vendor.accept(&[]).await;
    let stream = shared.request().await;
    shared.answer(stream, "own").await;
    assert_ok(&calls.join_next().await.unwrap().unwrap(), "own");
    cancel(gateway.address, &mut shared, 20).await;
    shared.goaway(2 * 20 + 1, ENHANCE_YOUR_CALM).await;
    drop(shared);
    // The victim's next call isn't told to wait.
    begin(&mut calls, gateway.address, "/p/v/x".into());
    let mut second = vendor.accept(&[]).await;
    let stream = second.request().await;
    second.answer(stream, "own").await;
    assert_ok(&calls.join_next().await.unwrap().unwrap(), "own");
}

/// h2 would end the connection after 1,024 frames for streams that it has forgotten.
#[tokio::test]
async fn x14_late_frames_of_cancelled_calls_end_no_connection() {
    let vendor = FrameVendor::bind().await;
    let gateway = setup_h2(&vendor).start().await;
    let mut calls = JoinSet::new();
    begin(&mut calls, gateway.address, "/p/v/long".into());
    let mut shared = vendor.accept(&[]).await;
    let long = shared.request().await;
    shared.begin(long).await;
    let mut streams = Vec::new();
    for nth in 0..200 {
        let mut caller = Caller::connect(gateway.address).await;
        caller.write(get(&format!("/p/a{}/x", nth % 8))).await;
        let stream = shared.request().await;
        shared.begin(stream).await;
        caller.head().await;
        streams.push(stream);
        drop(caller);
        shared.reset_of(stream).await;
    }
    for stream in streams {
        for _ in 0..10 {
            shared.data(stream, "late", false).await;
        }
    }
    shared.ping().await;
    shared.data(long, "own", true).await;
    assert_ok(&calls.join_next().await.unwrap().unwrap(), "own");
}
