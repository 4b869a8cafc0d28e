//! Parts of a representation: the caller's range is forwarded, and the vendor's answer is returned.

use http::Response;

use testkit::caller::{Caller, get, request};
use testkit::gateway::Gateway;
use testkit::h2_caller::{self, H2Caller};
use testkit::h2_vendor::H2Vendor;
use testkit::pair::Pair;
use testkit::reply::Reply;
use testkit::vendor::{Received, Vendor};

const PARTS: &str = "\r\n--b\r\nContent-Type: text/plain\r\nContent-Range: bytes 0-1/10\r\n\r\n01\
    \r\n--b\r\nContent-Type: text/plain\r\nContent-Range: bytes 8-9/10\r\n\r\n89\r\n--b--\r\n";

/// Answers with ten bytes, whole or in parts, with an entity tag.
fn ten_bytes(received: &Received) -> Reply {
    let is_current = received
        .head
        .value("if-range")
        .is_none_or(|tag| tag == "\"e1\"");
    let range = received.head.value("range").filter(|_| is_current);
    let (start, line, body) = match range {
        None => ("200 OK", "Accept-Ranges: bytes", "0123456789"),
        Some("bytes=2-4") => ("206 Partial Content", "Content-Range: bytes 2-4/10", "234"),
        Some("bytes=0-1,8-9") => (
            "206 Partial Content",
            "Content-Type: multipart/byteranges; boundary=b",
            PARTS,
        ),
        Some(_) => ("416 Range Not Satisfiable", "Content-Range: bytes */10", ""),
    };
    let length = body.len();
    Reply::bytes(format!(
        "HTTP/1.1 {start}\r\nETag: \"e1\"\r\n{line}\r\nContent-Length: {length}\r\n\r\n{body}"
    ))
}

/// The fields of the request, and the code, a field and the body of the answer.
type Case = (
    &'static [(&'static str, &'static str)],
    u16,
    (&'static str, &'static str),
    &'static str,
);

const CASES: [Case; 6] = [
    (&[], 200, ("accept-ranges", "bytes"), "0123456789"),
    (
        &[("range", "bytes=2-4")],
        206,
        ("content-range", "bytes 2-4/10"),
        "234",
    ),
    (
        &[("range", "bytes=0-1,8-9")],
        206,
        ("content-type", "multipart/byteranges; boundary=b"),
        PARTS,
    ),
    (
        &[("range", "bytes=2-4"), ("if-range", "\"e1\"")],
        206,
        ("content-range", "bytes 2-4/10"),
        "234",
    ),
    (
        &[("range", "bytes=2-4"), ("if-range", "\"e0\"")],
        200,
        ("accept-ranges", "bytes"),
        "0123456789",
    ),
    (
        &[("range", "bytes=50-")],
        416,
        ("content-range", "bytes */10"),
        "",
    ),
];

#[tokio::test]
async fn h11_a_range_is_forwarded_and_returned_unchanged() {
    let pair = Pair::before(Vendor::replying(ten_bytes).await, |setup| setup).await;
    let mut streams = H2Caller::connect(pair.gateway.address).await;
    for (asked, status, (name, value), body) in CASES {
        let lines: Vec<_> = asked
            .iter()
            .map(|(name, value)| format!("{name}: {value}"))
            .collect();
        let lines: Vec<_> = lines.iter().map(String::as_str).collect();
        let answer = pair.call(request("GET", "/p/c/x", &lines, "")).await;
        assert_eq!(
            (answer.status(), answer.text().as_str()),
            (status, body),
            "{asked:?}"
        );
        assert_eq!(answer.head.value(name), Some(value), "{asked:?}");
        assert_eq!(answer.head.value("etag"), Some("\"e1\""));
        let length = body.len().to_string();
        assert_eq!(answer.head.value("content-length"), Some(&*length));

        let mut call = h2_caller::request("GET", "/p/c/x");
        for (name, value) in asked {
            call = call.header(*name, *value);
        }
        let answer = streams.call(call.body(()).unwrap()).await;
        assert_eq!(
            (answer.status.as_u16(), &*answer.body),
            (status, body.as_bytes()),
            "{asked:?}"
        );
        assert_eq!(answer.headers[name], value, "{asked:?}");
        assert_eq!(answer.headers["content-length"], length, "{asked:?}");
    }
}

#[tokio::test]
async fn h11_a_range_of_an_http2_vendor_is_returned_unchanged() {
    let vendor = H2Vendor::start().await;
    let gateway = Gateway::to(&vendor).await;
    let mut caller = Caller::connect(gateway.address).await;
    let lines = ["Range: bytes=0-1,8-9", "If-Range: \"e1\""];
    caller.write(request("GET", "/p/c/x", &lines, "")).await;
    let mut call = vendor.next().await;
    assert_eq!(call.request.headers()["range"], "bytes=0-1,8-9");
    assert_eq!(call.request.headers()["if-range"], "\"e1\"");
    let kind = "multipart/byteranges; boundary=b";
    let head = Response::builder()
        .status(206)
        .header("content-type", kind)
        .header("content-length", PARTS.len());
    let mut body = call.answer(head.body(()).unwrap());
    body.send_data(PARTS.into(), true).unwrap();
    let answer = caller.response("GET").await;
    assert_eq!((answer.status(), answer.text().as_str()), (206, PARTS));
    assert_eq!(answer.head.value("content-type"), Some(kind));
    let length = PARTS.len().to_string();
    assert_eq!(answer.head.value("content-length"), Some(&*length));
    assert!(!answer.head.has("transfer-encoding"));
    // No byte of the answer comes before the next answer.
    caller.write(get("/p/c/x")).await;
    vendor.next().await.ok("next");
    assert_eq!(caller.response("GET").await.text(), "next");
}
