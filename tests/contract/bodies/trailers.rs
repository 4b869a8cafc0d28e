//! Trailers stay trailers, without the names that aren't allowed in trailers.

use http::{HeaderMap, HeaderName, HeaderValue, Response};
use tower_passthrough::{Connection, auth};

use testkit::caller::{Caller, get, request};
use testkit::gateway::{Gateway, Setup};
use testkit::h2_caller::{self, H2Caller};
use testkit::h2_vendor::H2Vendor;
use testkit::pair::Pair;
use testkit::reply::Reply;
use testkit::vendor::Vendor;

const SUMS: &str = "X-Sum: 1\r\nX-Sum: 2\r\n";

/// Names of fields for framing, routing and authentication, which some messages could contain as trailers.
const MISPLACED: &[&str] = &[
    "content-length",
    "host",
    "authorization",
    "cookie",
    "proxy-authorization",
    "x-api-key",
    "trailer",
];

/// Names of hop-by-hop fields, which HTTP/2 doesn't send at all.
const HOP_BY_HOP: &[&str] = &[
    "connection",
    "keep-alive",
    "proxy-connection",
    "te",
    "transfer-encoding",
    "upgrade",
];

fn chunked_post(announced: &str, trailers: &str) -> String {
    let lines = [
        "Transfer-Encoding: chunked",
        &format!("Trailer: {announced}"),
    ];
    request(
        "POST",
        "/p/c/x",
        &lines,
        &format!("5\r\nhello\r\n0\r\n{trailers}\r\n"),
    )
}

fn sums() -> HeaderMap {
    let name = HeaderName::from_static("x-sum");
    HeaderMap::from_iter(["1", "2"].map(|sum| (name.clone(), HeaderValue::from_static(sum))))
}

fn pairs(trailers: &HeaderMap) -> Vec<(String, String)> {
    let fields = trailers.iter();
    fields
        .map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned()))
        .collect()
}

fn both_sums() -> Vec<(String, String)> {
    pairs(&sums())
}

fn in_lower_case(trailers: &[(String, String)]) -> Vec<(String, String)> {
    let fields = trailers.iter();
    fields
        .map(|(name, value)| (name.to_ascii_lowercase(), value.clone()))
        .collect()
}

#[tokio::test]
async fn b7_a_requests_trailers_stay_trailers_to_an_http1_vendor() {
    let pair = Pair::new().await;
    let plain = pair.seen(chunked_post("x-sum", SUMS)).await;

    let mut caller = H2Caller::connect(pair.gateway.address).await;
    let call = h2_caller::request("POST", "/p/c/x")
        .header("trailer", "x-sum")
        .body(())
        .unwrap();
    let response = caller.call_with(call, b"hello", Some(sums())).await;
    assert_eq!(response.status, 200);

    for received in [plain, pair.vendor.next().await] {
        assert_eq!(received.body.data, b"hello");
        assert_eq!(in_lower_case(&received.body.trailers), both_sums());
        assert!(!received.head.has("x-sum"), "merged into the head");
    }
}

#[tokio::test]
async fn b7_a_requests_trailers_stay_trailers_to_an_http2_vendor() {
    let vendor = H2Vendor::start().await;
    let gateway = Gateway::to(&vendor).await;
    let mut caller = Caller::connect(gateway.address).await;
    caller.write(chunked_post("x-sum", SUMS)).await;
    let (body, trailers) = vendor.next().await.read().await;
    assert_eq!(
        (body.as_slice(), pairs(&trailers)),
        (&b"hello"[..], both_sums())
    );

    let mut caller = H2Caller::connect(gateway.address).await;
    let call = h2_caller::request("POST", "/p/c/x").body(()).unwrap();
    let (_response, mut stream) = caller.open(call, false).await;
    stream.send_data("hello".into(), false).unwrap();
    stream.send_trailers(sums()).unwrap();
    let (body, trailers) = vendor.next().await.read().await;
    assert_eq!(
        (body.as_slice(), pairs(&trailers)),
        (&b"hello"[..], both_sums())
    );
}

/// Changes the gateway to send a key in `X-Api-Key`.
fn keyed(setup: Setup) -> Setup {
    setup
        .connection(Connection::new("vendor").with_secret("key", "k3y"))
        .upstream(|upstream| upstream.auth(auth::Header::new("x-api-key", "{key}").unwrap()))
}

#[tokio::test]
async fn b7_framing_routing_and_credential_names_are_removed_from_request_trailers() {
    let vendor = H2Vendor::start().await;
    let gateway = keyed(Setup::new(&vendor)).start().await;
    let names = [MISPLACED, HOP_BY_HOP].concat();
    let evil: String = names
        .iter()
        .map(|name| format!("{name}: evil\r\n"))
        .collect();

    let mut caller = Caller::connect(gateway.address).await;
    caller
        .write(chunked_post("x-sum", &format!("{evil}{SUMS}")))
        .await;
    let mut call = vendor.next().await;
    assert_eq!(pairs(&call.read().await.1), both_sums());
    assert_eq!(call.request.headers()["x-api-key"], "k3y");

    let mut trailers = sums();
    for name in MISPLACED {
        trailers.insert(*name, HeaderValue::from_static("evil"));
    }
    let mut caller = H2Caller::connect(gateway.address).await;
    let call = h2_caller::request("POST", "/p/c/x").body(()).unwrap();
    let (_response, mut stream) = caller.open(call, false).await;
    stream.send_data("hello".into(), false).unwrap();
    stream.send_trailers(trailers).unwrap();
    assert_eq!(pairs(&vendor.next().await.read().await.1), both_sums());
}

#[tokio::test]
async fn b7_forbidden_names_are_removed_if_trailer_announces_them() {
    let pair = Pair::with(keyed).await;
    let names = MISPLACED.join(", ");
    let evil: String = MISPLACED
        .iter()
        .map(|name| format!("{name}: evil\r\n"))
        .collect();
    let call = chunked_post(&format!("x-sum, {names}"), &format!("{evil}{SUMS}"));
    let received = pair.seen(call).await;
    assert_eq!(in_lower_case(&received.body.trailers), both_sums());
}

#[tokio::test]
async fn b7_an_http1_vendors_trailers_stay_trailers() {
    let answer = format!(
        "HTTP/1.1 200 OK\r\nTrailer: x-sum\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n{SUMS}\r\n"
    );
    let pair = Pair::before(Vendor::answering(answer).await, |setup| setup).await;

    let plain = pair
        .call(request("GET", "/p/c/x", &["TE: trailers"], ""))
        .await;
    assert_eq!(plain.text(), "hello");
    assert_eq!(in_lower_case(&plain.body.trailers), both_sums());
    assert!(!plain.head.has("x-sum"), "merged into the head");

    let mut caller = H2Caller::connect(pair.gateway.address).await;
    let answer = caller
        .call(h2_caller::request("GET", "/p/c/x").body(()).unwrap())
        .await;
    assert_eq!(
        (answer.body.as_slice(), pairs(&answer.trailers)),
        (&b"hello"[..], both_sums())
    );
    assert!(
        !answer.headers.contains_key("x-sum"),
        "merged into the head"
    );
}

#[tokio::test]
async fn b7_an_http2_vendors_trailers_stay_trailers() {
    let vendor = H2Vendor::start().await;
    let gateway = Gateway::to(&vendor).await;
    let answer = || {
        Response::builder()
            .header("trailer", "x-sum")
            .body(())
            .unwrap()
    };

    let mut caller = Caller::connect(gateway.address).await;
    caller
        .write(request("GET", "/p/c/x", &["TE: trailers"], ""))
        .await;
    let mut stream = vendor.next().await.answer(answer());
    stream.send_data("hello".into(), false).unwrap();
    stream.send_trailers(sums()).unwrap();
    let plain = caller.response("GET").await;
    assert_eq!(plain.text(), "hello");
    assert_eq!(in_lower_case(&plain.body.trailers), both_sums());

    let mut caller = H2Caller::connect(gateway.address).await;
    let (response, _) = caller
        .open(h2_caller::request("GET", "/p/c/x").body(()).unwrap(), true)
        .await;
    let mut stream = vendor.next().await.answer(answer());
    stream.send_data("hello".into(), false).unwrap();
    stream.send_trailers(sums()).unwrap();
    let answer = h2_caller::whole(response).await;
    assert_eq!(
        (answer.body.as_slice(), pairs(&answer.trailers)),
        (&b"hello"[..], both_sums())
    );
}

#[tokio::test]
async fn b7_trailers_after_an_empty_body_arrive() {
    let vendor = H2Vendor::start().await;
    let gateway = Gateway::to(&vendor).await;
    let mut caller = H2Caller::connect(gateway.address).await;
    let (response, _) = caller
        .open(h2_caller::request("GET", "/p/c/x").body(()).unwrap(), true)
        .await;
    let mut stream = vendor.next().await.answer(Response::new(()));
    stream.send_trailers(sums()).unwrap();
    let answer = h2_caller::whole(response).await;
    assert_eq!(
        (answer.body.len(), pairs(&answer.trailers)),
        (0, both_sums())
    );
}

#[tokio::test]
async fn b7_framing_and_routing_names_are_removed_from_answer_trailers() {
    let names = ["content-length", "host", "passthrough-error"];
    let names = [&names, HOP_BY_HOP].concat();
    let evil: String = names
        .iter()
        .map(|name| format!("{name}: evil\r\n"))
        .collect();
    let answer = format!(
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n{evil}{SUMS}\r\n"
    );
    let pair = Pair::before(Vendor::answering(answer).await, |setup| setup).await;
    let mut caller = H2Caller::connect(pair.gateway.address).await;
    let answer = caller
        .call(h2_caller::request("GET", "/p/c/x").body(()).unwrap())
        .await;
    assert_eq!(
        (answer.body.as_slice(), pairs(&answer.trailers)),
        (&b"hello"[..], both_sums())
    );
}

#[tokio::test]
async fn b8_a_length_takes_precedence_over_trailers_over_http1() {
    let vendor = H2Vendor::start().await;
    let gateway = Gateway::to(&vendor).await;
    let mut caller = Caller::connect(gateway.address).await;
    for _ in 0..2 {
        caller
            .write(request("GET", "/p/c/x", &["TE: trailers"], ""))
            .await;
        let head = Response::builder()
            .header("content-length", 5)
            .header("trailer", "x-sum");
        let mut stream = vendor.next().await.answer(head.body(()).unwrap());
        stream.send_data("hello".into(), false).unwrap();
        stream.send_trailers(sums()).unwrap();
        let answer = caller.response("GET").await;
        assert_eq!(answer.head.value("content-length"), Some("5"));
        assert!(!answer.head.has("transfer-encoding"));
        assert_eq!((answer.text().as_str(), answer.complete()), ("hello", true));
    }
    // No byte of the trailers is left on the connection.
    let refused = caller.call(get("/p/nobody/x")).await;
    assert_eq!(refused.error(), Some("unknown-connection"));
}

#[tokio::test]
async fn b8_an_http2_caller_gets_length_and_trailers() {
    let vendor = H2Vendor::start().await;
    let gateway = Gateway::to(&vendor).await;
    let mut caller = H2Caller::connect(gateway.address).await;
    let (response, _) = caller
        .open(h2_caller::request("GET", "/p/c/x").body(()).unwrap(), true)
        .await;
    let head = Response::builder()
        .header("content-length", 5)
        .body(())
        .unwrap();
    let mut stream = vendor.next().await.answer(head);
    stream.send_data("hello".into(), false).unwrap();
    stream.send_trailers(sums()).unwrap();
    let answer = h2_caller::whole(response).await;
    assert_eq!(answer.headers["content-length"], "5");
    assert_eq!(
        (answer.body.as_slice(), pairs(&answer.trailers)),
        (&b"hello"[..], both_sums())
    );
}

#[tokio::test]
async fn b7_a_caller_without_te_trailers_gets_the_whole_body_without_trailers() {
    let answer = format!(
        "HTTP/1.1 200 OK\r\nTrailer: x-sum\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n{SUMS}\r\n"
    );
    let pair = Pair::before(Vendor::answering(Reply::from(answer)).await, |setup| setup).await;
    let plain = pair.call(get("/p/c/x")).await;
    assert_eq!((plain.text().as_str(), plain.complete()), ("hello", true));
    assert!(plain.body.trailers.is_empty());
}
