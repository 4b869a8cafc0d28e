//! Places in the limits of calls under way.

use testkit::caller::{Caller, get};
use testkit::manual::ManualVendor;
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
    testkit::wait::within("the place", again).await;
}
