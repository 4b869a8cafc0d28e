//! The bytes in an open tunnel, and the tunnel's end.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;
use tower_passthrough::observe::{CallReport, Outcome};
use tower_passthrough::upgrade::UpgradeTracker;

use super::{Ends, agreement, handshake};
use testkit::caller::Caller;
use testkit::gateway::{Gateway, Setup};
use testkit::manual::ManualVendor;
use testkit::wait::within;

#[tokio::test]
async fn u7_bytes_are_forwarded_unchanged_in_both_directions() {
    let mut ends = Ends::open().await;
    let all: Vec<u8> = (0..=255).cycle().take(1 << 20).collect();
    let echo = async {
        let (got, _) = ends.vendor.wire.exactly(all.len()).await;
        ends.vendor.wire.write(&got).await;
    };
    let back = async {
        ends.caller.write(&all).await;
        ends.caller.wire.exactly(all.len()).await.0
    };
    let ((), back) = within("an echo", async { tokio::join!(echo, back) }).await;
    assert!(back == all, "other bytes came back");
}

#[tokio::test]
async fn u7_a_single_byte_is_forwarded_at_once() {
    let mut ends = Ends::open().await;
    for byte in [b"a", b"b", b"c"] {
        ends.caller.write(byte).await;
        assert_eq!(within("a byte", ends.vendor.wire.exactly(1)).await.0, byte);
        ends.vendor.write(byte).await;
        assert_eq!(within("a byte", ends.caller.wire.exactly(1)).await.0, byte);
    }
}

#[tokio::test]
async fn u7_bytes_after_the_heads_are_not_lost() {
    let vendor = ManualVendor::bind().await;
    let gateway = Gateway::to(&vendor).await;
    let mut caller = Caller::connect(gateway.address).await;
    caller
        .write(handshake("/p/c/live", "") + "with the caller's head")
        .await;
    let mut vendor = vendor.accept().await;
    vendor.head().await;
    vendor.write(agreement("") + "with the vendor's head").await;
    assert_eq!(caller.head().await.status(), 101);
    let (to_caller, _) = within("bytes", caller.wire.exactly(22)).await;
    assert_eq!(to_caller, b"with the vendor's head");
    let (to_vendor, _) = within("bytes", vendor.wire.exactly(22)).await;
    assert_eq!(to_vendor, b"with the caller's head");
}

#[tokio::test]
async fn u7_after_the_callers_end_the_vendors_last_bytes_arrive() {
    let mut ends = Ends::open().await;
    ends.caller.write("bye").await;
    ends.caller.wire.finish().await;
    assert_eq!(ends.vendor.wire.closed().await, b"bye");
    ends.vendor.write("last words").await;
    ends.vendor.wire.finish().await;
    assert_eq!(ends.caller.closed().await, b"last words");
}

#[tokio::test]
async fn u7_after_the_vendors_end_the_callers_last_bytes_arrive() {
    let mut ends = Ends::open().await;
    ends.vendor.write("bye").await;
    ends.vendor.wire.finish().await;
    assert_eq!(ends.caller.closed().await, b"bye");
    ends.caller.write("last words").await;
    ends.caller.wire.finish().await;
    assert_eq!(ends.vendor.wire.closed().await, b"last words");
}

#[tokio::test]
async fn u7_an_error_of_one_side_ends_both_directions() {
    let mut ends = Ends::open().await;
    ends.vendor.reset();
    ends.caller.closed().await;
    let Ends {
        caller, mut vendor, ..
    } = Ends::open().await;
    caller.wire.reset();
    vendor.closed().await;
}

#[tokio::test]
async fn u7_an_idle_tunnel_ends() {
    let mut ends =
        Ends::of(|setup| setup.options(|options| options.idle_timeout(Duration::from_millis(300))))
            .await;
    // Bytes in either direction keep the tunnel open.
    for _ in 0..4 {
        tokio::time::sleep(Duration::from_millis(100)).await;
        ends.vendor.write("x").await;
        assert_eq!(within("a byte", ends.caller.wire.exactly(1)).await.0, b"x");
    }
    ends.caller.closed().await;
    ends.vendor.closed().await;
}

#[tokio::test]
async fn u7_a_stalled_caller_stalls_the_vendor() {
    let mut ends = Ends::open().await;
    // More bytes than the sockets and the tunnel can hold.
    let chunk = vec![b'x'; 1 << 20];
    let mut sent = 0_usize;
    let stalled = loop {
        let write = ends.vendor.wire.write_some(&chunk);
        match tokio::time::timeout(Duration::from_millis(500), write).await {
            Ok(Some(written)) => sent += written,
            Ok(None) => panic!("the tunnel ended"),
            Err(_) => break true,
        }
        if sent > 256 << 20 {
            break false;
        }
    };
    assert!(
        stalled,
        "{sent} bytes were taken in for a caller that doesn't read"
    );
    let (got, _) = within("the sent bytes", ends.caller.wire.exactly(sent)).await;
    assert_eq!(got.len(), sent);
}

#[tokio::test]
async fn u7_draining_waits_for_tunnels_and_cuts_them_at_the_limit() {
    let tunnels = UpgradeTracker::new();
    let theirs = tunnels.clone();
    let mut ends =
        Ends::of(move |setup| setup.options(|options| options.upgrade_tracker(theirs))).await;
    assert_eq!(tunnels.open(), 1);

    // A tunnel that ends in time isn't cut.
    let draining = tunnels.clone();
    let drained = tokio::spawn(async move { draining.drain(Duration::from_secs(60)).await });
    ends.caller.write("still open").await;
    let (got, _) = within("bytes", ends.vendor.wire.exactly(10)).await;
    assert_eq!(got, b"still open");
    ends.caller.wire.finish().await;
    ends.vendor.wire.finish().await;
    assert_eq!(within("the drain", drained).await.unwrap(), 0);

    let theirs = UpgradeTracker::new();
    let tunnels = theirs.clone();
    let mut ends =
        Ends::of(move |setup| setup.options(|options| options.upgrade_tracker(theirs))).await;
    let cut = within("the drain", tunnels.drain(Duration::from_millis(100))).await;
    assert_eq!(cut, 1);
    ends.caller.closed().await;
    ends.vendor.closed().await;
    assert_eq!(tunnels.open(), 0);
}

#[tokio::test]
async fn u7_a_caller_that_left_before_the_101_leaves_no_connection() {
    let vendor = ManualVendor::bind().await;
    let tunnels = UpgradeTracker::new();
    let theirs = tunnels.clone();
    let gateway = Setup::new(&vendor)
        .options(|options| options.upgrade_tracker(theirs))
        .start()
        .await;
    let mut caller = Caller::connect(gateway.address).await;
    caller.write(handshake("/p/c/live", "")).await;
    let mut vendor = vendor.accept().await;
    vendor.head().await;
    drop(caller);
    vendor.closed().await;
    assert_eq!(tunnels.open(), 0);
}

#[tokio::test]
async fn u7_a_tunnel_is_reported_once_with_its_bytes() {
    let (sender, mut reports) = mpsc::unbounded_channel();
    let mut ends = Ends::of(|setup| {
        setup.options(move |options| {
            options.observe_fn(move |call: &CallReport<'_>| {
                let _ = sender.send((
                    call.status().map(|status| status.as_u16()),
                    call.outcome(),
                    call.request_bytes(),
                    call.response_bytes(),
                ));
            })
        })
    })
    .await;
    ends.caller.write("four").await;
    ends.vendor.wire.exactly(4).await;
    ends.vendor.write("seven!!").await;
    ends.caller.wire.exactly(7).await;
    assert!(
        reports.try_recv().is_err(),
        "the tunnel was reported while it was open"
    );
    ends.caller.wire.finish().await;
    ends.vendor.wire.finish().await;
    let report = within("a report", reports.recv()).await.unwrap();
    assert_eq!(report, (Some(101), Outcome::Complete, 4, 7));
}

#[tokio::test]
async fn u7_a_hundred_tunnels_do_not_mix() {
    let vendor = Arc::new(ManualVendor::bind().await);
    let gateway = Gateway::to(&*vendor).await;
    let mut pairs = Vec::new();
    for number in 0..100 {
        let mut caller = Caller::connect(gateway.address).await;
        caller.write(handshake("/p/c/live", "")).await;
        let mut there = vendor.accept().await;
        there.head().await;
        there.write(agreement("")).await;
        assert_eq!(caller.head().await.status(), 101);
        pairs.push((number, caller, there));
    }
    for (number, caller, there) in &mut pairs {
        let text = format!("tunnel {number:03}");
        caller.write(&text).await;
        assert_eq!(
            within("bytes", there.wire.exactly(10)).await.0,
            text.as_bytes()
        );
        there.write(&text).await;
        assert_eq!(
            within("bytes", caller.wire.exactly(10)).await.0,
            text.as_bytes()
        );
    }
}
