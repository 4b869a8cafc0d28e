//! Places in the limits of calls under way, and memory for buffered bodies.

use testkit::caller::{Caller, get, request};
use testkit::manual::ManualVendor;
use testkit::schemes::Payload;
use testkit::vendor::Vendor;
use testkit::wait::within;
use tokio::task::JoinSet;

use super::{assert_ok, begin, setup};

#[tokio::test]
async fn x10_a_call_holds_its_place_until_its_upload_has_ended() {
    let vendor = ManualVendor::bind().await;
    let gateway = setup(&vendor)
        .options(|builder| builder.in_flight_per_connection_key(1))
        .start()
        .await;
    let mut uploading = Caller::connect(gateway.address).await;
    uploading
        .write("POST /p/a0/x HTTP/1.1\r\nHost: h\r\nContent-Length: 10\r\n\r\nhalf.")
        .await;
    let mut connection = vendor.accept().await;
    connection.head().await;
    connection
        .write("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nearly")
        .await;
    assert_ok(&uploading.response("POST").await, "early");
    let refused = Caller::connect(gateway.address)
        .await
        .call(get("/p/a0/x"))
        .await;
    assert_eq!(refused.error(), Some("overloaded"), "{refused:?}");

    // Another key isn't affected.
    let mut victims = JoinSet::new();
    begin(&mut victims, gateway.address, "/p/v/x".into());
    let mut own = vendor.accept().await;
    own.head().await;
    own.write("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nown")
        .await;
    assert_ok(&victims.join_next().await.unwrap().unwrap(), "own");

    uploading.write("rest.").await;
    let (body, _) = connection.wire.exactly(10).await;
    assert_eq!(body, b"half.rest.");
    // The connection is free again, and so is the place.
    let again = async {
        loop {
            let mut calls = JoinSet::new();
            begin(&mut calls, gateway.address, "/p/a0/x".into());
            tokio::select! {
                refused = calls.join_next() => {
                    let refused = refused.unwrap().unwrap();
                    assert_eq!(refused.error(), Some("overloaded"), "{refused:?}");
                }
                _ = connection.head() => return,
            }
        }
    };
    within("the place", again).await;
}

#[tokio::test]
async fn x12_stalled_uploads_of_a_key_leave_memory_for_others() {
    /// A body without its last byte, and the number of such bodies that fit into the memory.
    const SIZE: usize = 4000;
    const FIT: usize = 16;
    let vendor = Vendor::ok().await;
    let gateway = setup(&vendor)
        .upstream(|upstream| upstream.auth(Payload))
        .options(|options| options.buffered_bodies_limit(FIT * SIZE))
        .start()
        .await;
    let mut stalled = JoinSet::new();
    for _ in 0..2 * FIT {
        stalled.spawn(async move {
            let mut caller = Caller::connect(gateway.address).await;
            let length = format!("Content-Length: {}", SIZE + 1);
            let upload = request("POST", "/p/a0/x", &[&length], &"x".repeat(SIZE));
            caller.write(upload).await;
            caller.response("POST").await
        });
    }
    // The memory that the key may have is in use when the others are refused.
    for _ in 0..FIT {
        let refused = stalled.join_next().await.unwrap().unwrap();
        assert_eq!(refused.error(), Some("overloaded"), "{refused:?}");
    }
    let length = format!("Content-Length: {SIZE}");
    let upload = request("POST", "/p/v/x", &[&length], &"y".repeat(SIZE));
    let mut victim = Caller::connect(gateway.address).await;
    assert_ok(&victim.call(upload).await, "ok");
}
