//! Plain hyper under hyper-util's auto builder: HTTP/1.1 and HTTP/2 on one port.

use std::convert::Infallible;

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::service::Service as _;
use tower_layer::Layer;
use tower_passthrough::PassthroughLayer;

use testkit::caller::{get, post, raw_call};
use testkit::gateway::{Gateway, Mount, Setup, bind};
use testkit::h2_caller::{H2Caller, request};
use testkit::vendor::Vendor;

#[tokio::test]
async fn both_protocols_work_on_one_port() {
    let vendor = Vendor::ok().await;
    let gateway = Setup::new(&vendor).mount(Mount::Hyper).start().await;

    let response = raw_call(gateway.address, post("/p/c/a//b?c", "1234")).await;
    assert_eq!((response.status(), response.text()), (200, "ok".to_owned()));
    let received = vendor.next().await;
    assert_eq!(received.head.start, "POST /a//b?c HTTP/1.1");
    assert_eq!(received.body.data, b"1234");

    let mut caller = H2Caller::connect(gateway.address).await;
    let call = request("POST", "/p/c/a//b?c").body(()).unwrap();
    let response = caller.call_with(call, b"5678", None).await;
    assert_eq!(
        (response.status.as_u16(), response.body),
        (200, b"ok".to_vec())
    );
    let received = vendor.next().await;
    assert_eq!(received.head.start, "POST /a//b?c HTTP/1.1");
    assert_eq!(received.body.data, b"5678");

    let elsewhere = raw_call(gateway.address, get("/px/c/a")).await;
    assert_eq!(
        (elsewhere.status(), elsewhere.error()),
        (400, Some("bad-address"))
    );
}

#[tokio::test]
async fn a_layer_around_an_existing_service() {
    let vendor = Vendor::ok().await;
    let listener = bind().await;
    let address = listener.local_addr().unwrap();
    let service = Setup::new(&vendor).mount(Mount::Layer).build(address);
    let layer = PassthroughLayer::new("/p", service).expect("a prefix");

    let existing = hyper::service::service_fn(async |request: Request<Incoming>| {
        let body = Bytes::from(format!("inner {}", request.uri()));
        Ok::<_, Infallible>(Response::new(Full::new(body)))
    });
    let existing = tower::service_fn(move |request| existing.call(request));
    let gateway = Gateway::serve(listener, layer.layer(existing));

    let response = raw_call(gateway.address, get("/p/c/x?y")).await;
    assert_eq!((response.status(), response.text()), (200, "ok".to_owned()));
    assert_eq!(vendor.next().await.target(), "/x?y");

    let mut caller = H2Caller::connect(gateway.address).await;
    let response = caller
        .call(request("GET", "/p/c/x?z").body(()).unwrap())
        .await;
    assert_eq!(response.body, b"ok");
    assert_eq!(vendor.next().await.target(), "/x?z");

    for target in ["/", "/px/c/x", "/x?/p/c"] {
        let response = raw_call(gateway.address, get(target)).await;
        assert_eq!(response.text(), format!("inner {target}"));
    }
    assert!(vendor.try_next().await.is_none());
}
