//! Frames of data without a byte: they use no window, so that nothing would hold back a flood of them.

use bytes::Bytes;

use crate::support::gateway::Setup;
use crate::support::h2_caller::{self, H2Caller};
use crate::support::h2_frames::{DATA, END_STREAM};
use crate::support::h2_script::FrameVendor;

#[tokio::test]
async fn x3_empty_frames_of_a_caller_are_not_passed_on() {
    let vendor = FrameVendor::bind().await;
    let gateway = Setup::new(&vendor)
        .transport(|transport| transport.http2_prior_knowledge(true))
        .start()
        .await;
    let mut caller = H2Caller::connect(gateway.address).await;
    let call = h2_caller::request("POST", "/p/c/x").body(()).unwrap();
    let (response, mut upload) = caller.open(call, false).await;
    let mut connection = vendor.accept(&[]).await;
    let stream = connection.request().await;
    for _ in 0..10 {
        upload.send_data(Bytes::new(), false).unwrap();
    }
    upload.send_data("hello".into(), false).unwrap();

    // What comes first is the first that holds something.
    let frame = connection.next().await.expect("the gateway closed");
    assert_eq!((frame.kind, frame.stream), (DATA, stream), "{frame:?}");
    assert_eq!(frame.payload, b"hello");
    // An end that holds nothing is one.
    upload.send_data(Bytes::new(), true).unwrap();
    let frame = connection.next().await.expect("the gateway closed");
    assert_eq!((frame.kind, frame.flags), (DATA, END_STREAM), "{frame:?}");
    assert!(frame.payload.is_empty());
    connection.answer(stream, "own").await;
    assert_eq!(h2_caller::whole(response).await.body, b"own");
}
