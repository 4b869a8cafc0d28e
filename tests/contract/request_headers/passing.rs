//! Fields that are forwarded: the caller's fields, with their bytes, number and order, and the limits of their size.

use std::sync::{Arc, Mutex};

use http::header::{HeaderMap, HeaderName, HeaderValue, ORIGIN, REFERER};
use http::{Method, Request};
use tower::ServiceExt;
use tower_passthrough::Grant;
use tower_passthrough::authorize::AuthorizeError;
use tower_passthrough::{Authorize, CallContext, Connection, ConnectionId, MemoryStore, Scope};

use super::BARE;
use testkit::caller::{get, raw_call, request};
use testkit::gateway::{Gateway, Setup};
use testkit::h2_caller::{self, H2Caller};
use testkit::h2_vendor::H2Vendor;
use testkit::in_process::InProcess;
use testkit::pair::Pair;
use testkit::reply::Reply;
use testkit::vendor::Vendor;

const CALLERS: [&str; 16] = [
    "Accept: application/json;q=0.9, */*",
    "Accept-Encoding: gzip, br;q=0.5",
    "Accept-Language: de",
    "Content-Language: en",
    "If-Match: \"a\", W/\"b\"",
    "If-Modified-Since: Sun, 06 Nov 1994 08:49:37 GMT",
    "If-None-Match: *",
    "If-Range: \"c\"",
    "If-Unmodified-Since: yesterday",
    "Idempotency-Key: 7",
    "Origin: https://app.test",
    "Prefer: respond-async",
    "Range: bytes=0-4,8-",
    "Referer: https://app.test/page?x=1",
    "Traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
    "User-Agent: curl/8",
];

#[tokio::test]
async fn h11_the_callers_fields_are_forwarded() {
    let pair = Pair::new().await;
    let received = pair.seen(request("GET", "/p/c/x", &CALLERS, "")).await;
    for line in CALLERS {
        let (name, value) = line.split_once(": ").unwrap();
        assert_eq!(received.head.values(name), [value]);
    }
    assert_eq!(received.head.fields.len(), CALLERS.len() + BARE.len());
}

#[tokio::test]
async fn h11_only_host_and_the_credential_are_added() {
    let pair = Pair::new().await;
    assert_eq!(pair.seen(get("/p/c/x")).await.head.names(), BARE);

    let (_vendor, seen) = super::seen_on_h2(&[]).await;
    let names: Vec<_> = seen.headers().keys().map(HeaderName::as_str).collect();
    assert_eq!(names, ["authorization"]);
}

#[tokio::test]
async fn h11_an_option_removes_fields_that_name_pages() {
    let pair = Pair::with(|setup| {
        setup.options(|o| o.strip_request_header(ORIGIN).strip_request_header(REFERER))
    })
    .await;
    let lines = [
        "Origin: https://app.test",
        "Referer: https://app.test/page",
        "User-Agent: me",
    ];
    let received = pair.seen(request("GET", "/p/c/x", &lines, "")).await;
    assert_eq!(
        received.head.names(),
        ["authorization", "host", "user-agent"]
    );
}

#[tokio::test]
async fn h12_values_are_bytes() {
    let pair = Pair::new().await;
    let sent = b"GET /p/c/x HTTP/1.1\r\nHost: app.test\r\nX: \xe9\x80\xff\r\nY: a\tb\r\nZ:\r\n\r\n";
    let received = pair.seen(sent).await;
    assert_eq!(received.head.value("x"), Some("\u{e9}\u{80}\u{ff}"));
    assert_eq!(received.head.value("y"), Some("a\tb"));
    assert_eq!(received.head.value("z"), Some(""));
}

#[tokio::test]
async fn h13_lines_of_one_name_keep_number_and_order() {
    let pair = Pair::new().await;
    let lines = ["X-A: 1", "X-B: x", "x-a: 0, 2", "X-A:", "X-A: 1"];
    let received = pair.seen(request("GET", "/p/c/x", &lines, "")).await;
    assert_eq!(received.head.values("x-a"), ["1", "0, 2", "", "1"]);
}

#[tokio::test]
async fn h13_an_option_writes_names_in_title_case() {
    let pair = Pair::with(|setup| setup.transport(|t| t.title_case_headers(true))).await;
    let received = pair
        .seen(request("GET", "/p/c/x", &["x-request-id: 7"], ""))
        .await;
    let names: Vec<_> = received
        .head
        .fields
        .iter()
        .map(|(name, _)| name.as_str())
        .collect();
    for name in ["X-Request-Id", "Authorization", "Host"] {
        assert!(names.contains(&name), "{names:?}");
    }
}

const OVERRIDES: [&str; 3] = [
    "X-HTTP-Method-Override: DELETE",
    "X-HTTP-Method: DELETE",
    "X-Method-Override: DELETE",
];

/// An authorizer that allows reading and writing, but not deleting.
struct ReadAndWrite;

impl Authorize for ReadAndWrite {
    async fn authorize(
        &self,
        _: &ConnectionId,
        _: CallContext<'_>,
    ) -> Result<Grant, AuthorizeError> {
        Ok(Scope::all().methods([Method::GET, Method::POST]).into())
    }
}

#[tokio::test]
async fn h19_overrides_of_the_method_are_removed_if_methods_are_limited() {
    let pair = Pair::new().await;
    let received = pair.seen(request("POST", "/p/c/x", &OVERRIDES, "")).await;
    for line in OVERRIDES {
        let (name, value) = line.split_once(": ").unwrap();
        assert_eq!(received.head.values(name), [value]);
    }

    let vendor = Vendor::ok().await;
    let store =
        MemoryStore::from_iter([("c", Connection::new("vendor").with_secret("token", "t"))]);
    let limited = Setup::new(&vendor).start_with(store, ReadAndWrite).await;
    for method in ["GET", "POST"] {
        let mut lines = OVERRIDES.to_vec();
        lines.extend(["X_HTTP_Method_Override: DELETE", "User-Agent: me"]);
        let response = raw_call(limited.address, request(method, "/p/c/x", &lines, "")).await;
        assert_eq!(response.status(), 200, "{}", response.text());
        let mut names = vendor.next().await.head.names();
        names.retain(|name| name != "content-length");
        assert_eq!(names, ["authorization", "host", "user-agent"]);
    }
    let response = raw_call(limited.address, request("DELETE", "/p/c/x", &[], "")).await;
    assert_eq!(
        (response.status(), response.error()),
        (403, Some("scope-refused"))
    );
}

/// Data of a layer of the host application in a request's extensions.
#[derive(Clone, Debug)]
struct Claims;

#[tokio::test]
async fn h21_extensions_of_the_request_stop_at_the_gateway() {
    let seen = Arc::new(Mutex::new(None));
    let sink = Arc::clone(&seen);
    let transport = InProcess::new(move |request| {
        *sink.lock().unwrap() = Some(request.extensions().get::<Claims>().is_some());
        http::Response::new("ok")
    });
    let request = Request::get("/c/x").extension(Claims);
    let response = transport.call("https://vendor.test", request).await;
    assert_eq!(response.status(), 200);
    assert_eq!(
        seen.lock().unwrap().take(),
        Some(false),
        "the transport saw the host's claims"
    );
}

#[tokio::test]
async fn h21_only_the_reason_of_the_responses_extensions_is_returned() {
    let transport = InProcess::new(|_| {
        let mut response = http::Response::new("ok");
        let reason = hyper::ext::ReasonPhrase::from_static(b"Fine");
        response.extensions_mut().insert(reason);
        response.extensions_mut().insert(Claims);
        response
    });
    let response = transport
        .call("https://vendor.test", Request::get("/c/x"))
        .await;
    let reason = response.extensions().get::<hyper::ext::ReasonPhrase>();
    assert_eq!(
        reason.map(hyper::ext::ReasonPhrase::as_bytes),
        Some(&b"Fine"[..])
    );
    assert!(response.extensions().get::<Claims>().is_none());
}

#[tokio::test]
async fn h22_the_size_of_a_callers_head_is_limited() {
    let pair = Pair::new().await;
    // One of the 100 fields is `Host`.
    let lines: Vec<_> = (1..100).map(|n| format!("X-{n}: 1")).collect();
    let mut lines: Vec<_> = lines.iter().map(String::as_str).collect();
    let received = pair.seen(request("GET", "/p/c/x", &lines, "")).await;
    assert_eq!(received.head.fields.len(), 99 + BARE.len());

    lines.push("X-0: 1");
    let response = pair.call(request("GET", "/p/c/x", &lines, "")).await;
    assert_eq!(response.status(), 431);

    let long = "a".repeat(17 * 1024);
    let mut caller = H2Caller::connect(pair.gateway.address).await;
    let request = h2_caller::request("GET", "/p/c/x").header("x-long", long);
    let response = caller.call(request.body(()).unwrap()).await;
    assert_eq!(response.status, 431);
    assert!(
        pair.vendor.try_next().await.is_none(),
        "the vendor received the request"
    );
}

/// Returns lines of `Set-Cookie` of 48 KiB in all, more than hyper reads by default.
fn cookies() -> Vec<String> {
    (0..200)
        .map(|n| format!("c{n}={}", "v".repeat(230)))
        .collect()
}

#[tokio::test]
async fn h22_a_vendor_may_send_many_cookies() {
    let cookies = cookies();
    let lines: String = cookies
        .iter()
        .map(|cookie| format!("Set-Cookie: {cookie}\r\n"))
        .collect();
    let reply = format!("HTTP/1.1 200 OK\r\n{lines}Content-Length: 2\r\n\r\nok");
    let pair = Pair::before(Vendor::answering(Reply::from(reply)).await, |setup| setup).await;
    let response = pair.call(get("/p/c/x")).await;
    assert_eq!(response.status(), 200, "{}", response.text());
    assert_eq!(response.head.values("set-cookie"), cookies);
}

#[tokio::test]
async fn h22_a_vendor_on_http2_may_send_many_cookies() {
    let cookies = cookies();
    let vendor = H2Vendor::start().await;
    let gateway = Gateway::to(&vendor).await;
    let answer = async {
        let mut call = vendor.next().await;
        let mut response = http::Response::builder();
        for cookie in &cookies {
            response = response.header("set-cookie", cookie);
        }
        call.finish(response.body(()).unwrap());
    };
    let (response, ()) = tokio::join!(raw_call(gateway.address, get("/p/c/x")), answer);
    assert_eq!(response.status(), 200, "{}", response.text());
    assert_eq!(response.head.values("set-cookie"), cookies);
}

#[tokio::test]
async fn h22_a_full_header_map_does_not_panic() {
    let mut headers = HeaderMap::new();
    for n in 0_u32.. {
        let name = HeaderName::try_from(format!("x-{n}")).unwrap();
        if headers
            .try_append(name, HeaderValue::from_static("1"))
            .is_err()
        {
            break;
        }
    }
    let vendor = Vendor::ok().await;
    let service = Setup::new(&vendor).build(([127, 0, 0, 1], 1).into());
    let mut request = Request::get("/p/c/x").body(String::new()).unwrap();
    *request.headers_mut() = headers;
    let Ok(response) = service.oneshot(request).await;
    // The request is refused or forwarded with the credential, and never forwarded without it.
    if response.status() == 200 {
        let received = vendor.next().await;
        assert_eq!(received.head.values("authorization"), ["Bearer s3cr3t"]);
    } else {
        assert!(
            response.headers().contains_key("passthrough-error"),
            "{response:?}"
        );
    }
}
