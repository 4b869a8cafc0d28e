//! Content codings stay, and a transfer coding that the gateway can't undo is refused.

use testkit::caller::{get, request};
use testkit::h2_caller::{self, H2Caller};
use testkit::pair::Pair;
use testkit::reply::Reply;
use testkit::vendor::Vendor;

/// An empty file, compressed.
const GZIP: &[u8] = &[
    0x1f, 0x8b, 0x08, 0, 0, 0, 0, 0, 0, 0x03, 0x03, 0, 0, 0, 0, 0, 0, 0, 0, 0,
];

#[tokio::test]
async fn b6_content_codings_and_lengths_stay() {
    let mut answer =
        b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 20\r\n\r\n".to_vec();
    answer.extend_from_slice(GZIP);
    let pair = Pair::before(Vendor::answering(answer).await, |setup| setup).await;

    let answer = pair
        .call(request("GET", "/p/c/x", &["Accept-Encoding: gzip"], ""))
        .await;
    assert_eq!(answer.head.value("content-encoding"), Some("gzip"));
    assert_eq!(answer.head.value("content-length"), Some("20"));
    assert_eq!(answer.body.raw, GZIP);

    let mut caller = H2Caller::connect(pair.gateway.address).await;
    let request = h2_caller::request("GET", "/p/c/x").body(()).unwrap();
    let answer = caller.call(request).await;
    assert_eq!(answer.headers["content-encoding"], "gzip");
    assert_eq!(answer.headers["content-length"], "20");
    assert_eq!(answer.body, GZIP);
}

#[tokio::test]
async fn b6_a_requests_content_coding_stays() {
    let pair = Pair::new().await;
    let mut call = request(
        "POST",
        "/p/c/x",
        &["Content-Encoding: gzip", "Content-Length: 20"],
        "",
    )
    .into_bytes();
    call.extend_from_slice(GZIP);
    let received = pair.seen(call).await;
    assert_eq!(received.head.value("content-encoding"), Some("gzip"));
    assert_eq!(received.body.raw, GZIP);
}

#[tokio::test]
async fn b6_a_transfer_coding_other_than_chunked_is_refused() {
    for (coding, body) in [
        ("gzip, chunked", "4\r\nwhat\r\n0\r\n\r\n"),
        ("gzip", "what"),
        ("chunked, gzip", "what"),
    ] {
        let answer = format!("HTTP/1.1 200 OK\r\nTransfer-Encoding: {coding}\r\n\r\n{body}");
        let vendor = Vendor::answering(Reply::from(answer).close()).await;
        let pair = Pair::before(vendor, |setup| setup).await;
        pair.refused(get("/p/c/x"), 502, "upstream-protocol").await;
    }
}
