//! DATA frames without a byte use no window, so no window would hold back a flood of empty frames.

use bytes::Bytes;
use http::{Request, StatusCode};
use http_body_util::channel::Channel;
use tower::ServiceExt;

use testkit::gateway::Setup;
use testkit::h2_frames::{DATA, END_STREAM};
use testkit::h2_script::FrameVendor;

// The test runs without sockets: hyper's server passes no empty frame on, but the body of a layer may have empty
// frames.
#[tokio::test]
async fn x3_empty_frames_of_a_caller_are_not_forwarded() {
    let vendor = FrameVendor::bind().await;
    let service = Setup::new(&vendor)
        .transport(|transport| transport.http2_prior_knowledge(true))
        .build(([127, 0, 0, 1], 9).into());
    let (mut upload, body) = Channel::<Bytes>::new(16);
    let call = Request::post("/p/c/x").body(body).unwrap();
    let answering = async {
        let mut connection = vendor.accept(&[]).await;
        let stream = connection.request().await;
        for _ in 0..10 {
            upload.send_data(Bytes::new()).await.unwrap();
        }
        upload.send_data("hello".into()).await.unwrap();
        // The first frame at the vendor is the first frame with bytes.
        let frame = connection.next().await.expect("the gateway closed");
        assert_eq!((frame.kind, frame.stream), (DATA, stream), "{frame:?}");
        assert_eq!(frame.payload, b"hello");

        // An empty frame that ends the body is forwarded.
        drop(upload);
        let frame = connection.next().await.expect("the gateway closed");
        assert_eq!((frame.kind, frame.flags), (DATA, END_STREAM), "{frame:?}");
        connection.answer(stream, "own").await;
        connection
    };
    let (answer, _connection) = tokio::join!(service.oneshot(call), answering);
    assert_eq!(answer.unwrap().status(), StatusCode::OK);
}
