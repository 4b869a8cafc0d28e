//! Bodies that a layer of the host application limits: the caller learns about the limit, and doesn't get an error
//! about a body that broke off.

use tower_http::limit::RequestBodyLimitLayer;
use tower_layer::Layer as _;
use tower_passthrough::auth::{
    Applied, AuthContext, AuthError, AuthRequest, AuthScheme, PayloadUse, Requirements,
};

use super::problem;
use testkit::caller::{raw_call, request};
use testkit::gateway::{Gateway, Mount, Setup, bind};
use testkit::h2_caller::{self, H2Caller, whole};
use testkit::h2_vendor::{H2Vendor, read};
use testkit::reply::Reply;
use testkit::vendor::Vendor;

const LIMIT: usize = 16;

/// Starts a gateway behind a layer that allows that number of bytes.
async fn limited(setup: Setup) -> Gateway {
    let listener = bind().await;
    let service = setup
        .mount(Mount::Hyper)
        .build(listener.local_addr().unwrap());
    Gateway::serve(listener, RequestBodyLimitLayer::new(LIMIT).layer(service))
}

fn chunks(count: usize) -> String {
    let body = format!("{}0\r\n\r\n", "8\r\n12345678\r\n".repeat(count));
    request("POST", "/p/c/x", &["Transfer-Encoding: chunked"], &body)
}

/// Checks that callers over HTTP/1.1 and HTTP/2 get a 413 for a body of unknown length over the limit, and that a body
/// below the limit is forwarded.
async fn is_told(gateway: &Gateway) {
    let small = raw_call(gateway.address, chunks(2)).await;
    assert_eq!(small.status(), 200, "{}", small.text());

    let large = raw_call(gateway.address, chunks(3)).await;
    assert_eq!(
        (large.status(), large.error()),
        (413, Some("body-too-large")),
        "{}",
        large.text()
    );
    problem(&large);

    let mut caller = H2Caller::connect(gateway.address).await;
    let request = h2_caller::request("POST", "/p/c/x").body(()).unwrap();
    let (response, mut upload) = caller.open(request, false).await;
    for _ in 0..3 {
        let _ = upload.send_data("12345678".into(), false);
    }
    let large = whole(response).await;
    assert_eq!(large.status, 413);
    assert_eq!(large.headers["passthrough-error"], "body-too-large");
}

#[tokio::test]
async fn e9_a_limit_of_a_layer_is_413_in_front_of_an_http1_upstream() {
    let vendor = Vendor::answering(Reply::ok("ok")).await;
    is_told(&limited(Setup::new(&vendor)).await).await;
}

#[tokio::test]
async fn e9_a_limit_of_a_layer_is_413_in_front_of_an_http2_upstream() {
    let vendor = H2Vendor::start().await;
    let gateway = limited(Setup::new(&vendor)).await;
    let answering = async {
        loop {
            let mut call = vendor.next().await;
            if read(&mut call.body).await.is_ok() {
                call.ok("ok");
            }
        }
    };
    tokio::select! {
        () = is_told(&gateway) => {}
        () = answering => {}
    }
}

/// A scheme that signs nothing, but needs the payload.
#[derive(Debug)]
struct WantsPayload;

impl AuthScheme for WantsPayload {
    fn requirements(&self) -> Requirements {
        Requirements::new()
    }

    fn payload(
        &self,
        _: &http::request::Parts,
        _: &AuthContext<'_>,
    ) -> Result<PayloadUse, AuthError> {
        Ok(PayloadUse::Bytes { limit: 1024 })
    }

    fn apply(&self, _: &mut AuthRequest<'_>, _: &AuthContext<'_>) -> Result<Applied, AuthError> {
        Ok(Applied::default())
    }
}

#[tokio::test]
async fn e9_a_limit_of_a_layer_is_413_for_a_body_that_is_buffered() {
    let vendor = Vendor::answering(Reply::ok("ok")).await;
    let setup = Setup::new(&vendor).upstream(|upstream| upstream.auth(WantsPayload));
    is_told(&limited(setup).await).await;
    let received = vendor.next().await;
    assert_eq!(received.body.data, b"1234567812345678");
    assert!(
        vendor.try_next().await.is_none(),
        "a part of the body was sent"
    );
}
