//! Answers without bytes: HEAD, 204 and 304.

use http::{Request, Response};

use testkit::caller::{Caller, get, request};
use testkit::gateway::{Mount, Setup};
use testkit::h2_caller::{self, H2Caller};
use testkit::h2_vendor::H2Vendor;
use testkit::pair::Pair;
use testkit::reply::Reply;
use testkit::vendor::Vendor;

fn stream(method: &str) -> Request<()> {
    h2_caller::request(method, "/p/c/x").body(()).unwrap()
}

/// Starts a vendor whose answers have no bytes, each with a statement about its length.
async fn bodiless_vendor() -> Vendor {
    Vendor::replying(|received| {
        Reply::from(match received.target() {
            "/length" => "HTTP/1.1 200 OK\r\nContent-Length: 1234\r\n\r\n",
            "/chunked" => "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
            "/204" => "HTTP/1.1 204 No Content\r\n\r\n",
            "/304" => "HTTP/1.1 304 Not Modified\r\nETag: \"e\"\r\nContent-Length: 1234\r\n\r\n",
            _ => "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nnext",
        })
    })
    .await
}

/// Checks that the next answer on that connection begins at the right byte, so no unexpected bytes came before.
async fn assert_in_step(caller: &mut Caller) {
    let next = caller.call(get("/p/c/next")).await;
    assert_eq!((next.status(), next.text().as_str()), (200, "next"));
}

#[tokio::test]
async fn b5_the_length_of_a_head_is_returned_without_bytes() {
    for mount in [Mount::Hyper, Mount::Nest, Mount::Layer] {
        let pair = Pair::before(bodiless_vendor().await, |setup| setup.mount(mount)).await;
        let mut caller = Caller::connect(pair.gateway.address).await;
        let answer = caller.call(request("HEAD", "/p/c/length", &[], "")).await;
        assert_eq!(
            answer.head.value("content-length"),
            Some("1234"),
            "{mount:?}"
        );
        assert_in_step(&mut caller).await;
    }
}

#[tokio::test]
async fn b5_a_head_of_unknown_length_gets_no_length() {
    for mount in [Mount::Hyper, Mount::Nest, Mount::Layer] {
        let pair = Pair::before(bodiless_vendor().await, |setup| setup.mount(mount)).await;
        let mut caller = Caller::connect(pair.gateway.address).await;
        let answer = caller.call(request("HEAD", "/p/c/chunked", &[], "")).await;
        assert_eq!(answer.head.value("content-length"), None, "{mount:?}");
        assert_in_step(&mut caller).await;
    }
}

#[tokio::test]
async fn b5_204_and_304_have_no_bytes_and_get_no_length() {
    for mount in [Mount::Hyper, Mount::Nest, Mount::Layer] {
        let pair = Pair::before(bodiless_vendor().await, |setup| setup.mount(mount)).await;
        let mut caller = Caller::connect(pair.gateway.address).await;
        for code in ["204", "304"] {
            let answer = caller.call(get(&format!("/p/c/{code}"))).await;
            assert_eq!(answer.status().to_string(), code);
            assert!(
                !answer.head.has("transfer-encoding"),
                "{mount:?}: {answer:?}"
            );
            let length = answer.head.value("content-length");
            assert!(
                matches!(length, None | Some("1234")),
                "{mount:?}: {answer:?}"
            );
            assert_in_step(&mut caller).await;
        }
    }
}

#[tokio::test]
async fn b5_answers_without_bytes_over_http2() {
    for mount in [Mount::Hyper, Mount::Nest, Mount::Layer] {
        let vendor = H2Vendor::start().await;
        let gateway = Setup::new(&vendor).mount(mount).start().await;
        let mut caller = H2Caller::connect(gateway.address).await;
        for (method, code, length) in [
            ("HEAD", 200, Some("1234")),
            ("HEAD", 200, None),
            ("GET", 304, Some("1234")),
            ("GET", 304, None),
            ("GET", 204, None),
        ] {
            let (response, _body) = caller.open(stream(method), true).await;
            let mut head = Response::builder().status(code);
            if let Some(length) = length {
                head = head.header("content-length", length);
            }
            vendor.next().await.finish(head.body(()).unwrap());
            let answer = h2_caller::whole(response).await;
            assert_eq!(answer.status.as_u16(), code);
            let told = answer.headers.get("content-length");
            assert_eq!(
                told.map(|value| value.to_str().unwrap()),
                length,
                "{mount:?} {method} {code}"
            );
            assert!(answer.body.is_empty());
        }
    }
}
