//! Requests that are sent again, depending on the answer.

use std::time::Duration;

use http::header::AUTHORIZATION;
use tokio::time::Instant;
use tower_passthrough::auth::Applied;
use tower_passthrough::auth::AuthRequest;
use tower_passthrough::auth::Requirements;
use tower_passthrough::auth::{AuthContext, AuthError, AuthScheme, PayloadUse};
use tower_passthrough::observe::Outcome;
use tower_passthrough::resilience::RetryPolicy;

use super::{in_turn, observed, requests, retrying, status};
use testkit::caller::{Caller, get, raw_call, request};
use testkit::gateway::{Gateway, Setup};
use testkit::reply::Reply;
use testkit::vendor::Vendor;
use testkit::wait::within;

#[tokio::test]
async fn retry_a_failure_and_then_an_answer_gives_the_answer() {
    for line in ["502 Bad Gateway", "503 Unavailable", "504 Timeout"] {
        let vendor = in_turn(vec![status(line, ""), Reply::ok("ok")]).await;
        let (gateway, mut reports) =
            observed(&vendor, |builder| builder.retry(RetryPolicy::new(3))).await;
        let call = request("GET", "/p/c/x?a=b", &["X-A: b"], "");
        let answer = raw_call(gateway.address, call).await;
        assert_eq!((answer.status(), &*answer.text()), (200, "ok"), "{line}");
        for _ in 0..2 {
            let received = vendor.next().await;
            assert_eq!(received.target(), "/x?a=b");
            assert_eq!(received.head.value("x-a"), Some("b"));
            assert_eq!(received.head.value("authorization"), Some("Bearer s3cr3t"));
        }
        assert_eq!(requests(&vendor).await, 0);
        assert_eq!(reports.next().await, (Outcome::Complete, None, 2));
    }
}

#[tokio::test]
async fn retry_the_last_answer_is_returned_unchanged() {
    let reply = |body: &str| {
        Reply::from(format!(
            "HTTP/1.1 503 Down\r\nX-N: {body}\r\nContent-Length: 1\r\n\r\n{body}"
        ))
    };
    let vendor = in_turn(vec![reply("1"), reply("2"), reply("3"), reply("4")]).await;
    let gateway = retrying(&vendor, 3).await;
    let answer = raw_call(gateway.address, get("/p/c/x")).await;
    assert_eq!(answer.status_line(), "HTTP/1.1 503 Down");
    assert_eq!(answer.error(), None);
    assert_eq!(
        (answer.head.value("x-n"), &*answer.text()),
        (Some("3"), "3")
    );
    assert_eq!(requests(&vendor).await, 3);
}

#[tokio::test]
async fn retry_only_safe_methods_are_sent_again() {
    for (method, expected) in [
        ("GET", 2),
        ("HEAD", 2),
        ("OPTIONS", 2),
        ("QUERY", 2),
        ("POST", 1),
        ("PUT", 1),
        ("PATCH", 1),
        ("DELETE", 1),
    ] {
        let vendor = Vendor::answering(status("503 Down", "Retry-After: 0\r\n")).await;
        let gateway = retrying(&vendor, 2).await;
        let call = request(method, "/p/c/x", &[], "");
        let answer = raw_call(gateway.address, call).await;
        assert_eq!(answer.status(), 503, "{method}");
        assert_eq!(requests(&vendor).await, expected, "{method}");
    }
}

#[tokio::test]
async fn retry_is_off_by_default() {
    let vendor = Vendor::answering(status("503 Down", "Retry-After: 0\r\n")).await;
    for gateway in [Gateway::to(&vendor).await, retrying(&vendor, 1).await] {
        assert_eq!(raw_call(gateway.address, get("/p/c/x")).await.status(), 503);
        assert_eq!(requests(&vendor).await, 1);
    }
}

#[tokio::test]
async fn retry_after_is_waited_for() {
    for line in ["503 Down", "429 Slower"] {
        let vendor = in_turn(vec![status(line, "Retry-After: 1\r\n"), Reply::ok("ok")]).await;
        let gateway = retrying(&vendor, 2).await;
        let began = Instant::now();
        assert_eq!(raw_call(gateway.address, get("/p/c/x")).await.status(), 200);
        // A back-off would have ended after 100 ms.
        assert!(began.elapsed() >= Duration::from_secs(1), "{line}");
        assert_eq!(requests(&vendor).await, 2);
    }
}

#[tokio::test]
async fn retry_after_may_be_a_date() {
    let past = "Retry-After: Fri, 31 Dec 1999 23:59:59 GMT\r\n";
    let vendor = in_turn(vec![status("429 Slower", past), Reply::ok("ok")]).await;
    let gateway = retrying(&vendor, 2).await;
    assert_eq!(raw_call(gateway.address, get("/p/c/x")).await.status(), 200);
    assert_eq!(requests(&vendor).await, 2);
}

#[tokio::test]
async fn retry_after_a_long_time_is_returned_at_once() {
    for after in [
        "6",
        "3600",
        "99999999999999999999",
        "Fri, 31 Dec 9999 23:59:59 GMT",
    ] {
        for line in ["503 Down", "429 Slower"] {
            let field = format!("Retry-After: {after}\r\n");
            let vendor = Vendor::answering(status(line, &field)).await;
            let gateway = retrying(&vendor, 3).await;
            let answer = raw_call(gateway.address, get("/p/c/x")).await;
            assert_eq!(answer.status_line(), format!("HTTP/1.1 {line}"));
            assert_eq!(answer.head.value("retry-after"), Some(after));
            assert_eq!(answer.error(), None);
            assert_eq!(requests(&vendor).await, 1, "{line} {after}");
        }
    }
}

#[tokio::test]
async fn retry_after_is_bounded_by_max_wait() {
    let vendor = Vendor::answering(status("503 Down", "Retry-After: 2\r\n")).await;
    let policy = RetryPolicy::new(3).max_wait(Duration::from_secs(1));
    let gateway = Setup::new(&vendor).options(move |builder| builder.retry(policy));
    let gateway = gateway.start().await;
    assert_eq!(raw_call(gateway.address, get("/p/c/x")).await.status(), 503);
    assert_eq!(requests(&vendor).await, 1);
}

#[tokio::test]
async fn retry_other_answers_are_not_requested_again() {
    for (line, fields) in [
        ("429 Slower", ""),
        ("429 Slower", "Retry-After: soon\r\n"),
        ("200 OK", "Retry-After: 0\r\n"),
        ("301 Moved", "Retry-After: 0\r\n"),
        ("401 Unauthorized", "Retry-After: 0\r\n"),
        ("404 Not Found", "Retry-After: 0\r\n"),
        ("408 Timeout", "Retry-After: 0\r\n"),
        ("500 Error", "Retry-After: 0\r\n"),
        ("501 No", "Retry-After: 0\r\n"),
    ] {
        let vendor = Vendor::answering(status(line, fields)).await;
        let gateway = retrying(&vendor, 3).await;
        let answer = raw_call(gateway.address, get("/p/c/x")).await;
        assert_eq!(answer.status_line(), format!("HTTP/1.1 {line}"));
        assert_eq!(requests(&vendor).await, 1, "{line}");
    }
}

/// A scheme that buffers payloads, as if they were signed.
#[derive(Debug)]
struct Keeps;

impl AuthScheme for Keeps {
    fn requirements(&self) -> Requirements {
        Requirements::new().field(AUTHORIZATION)
    }

    fn payload(
        &self,
        _: &http::request::Parts,
        _: &AuthContext<'_>,
    ) -> Result<PayloadUse, AuthError> {
        Ok(PayloadUse::Bytes { limit: 1 << 20 })
    }

    fn apply(
        &self,
        request: &mut AuthRequest<'_>,
        cx: &AuthContext<'_>,
    ) -> Result<Applied, AuthError> {
        request.insert_header(
            AUTHORIZATION,
            cx.secret("token")?.to_header_value("Bearer ")?,
        );
        Ok(Applied::default())
    }
}

#[tokio::test]
async fn retry_a_body_is_sent_again_only_if_it_was_buffered() {
    for keeps in [false, true] {
        let vendor = Vendor::answering(status("503 Down", "Retry-After: 0\r\n")).await;
        let gateway = Setup::new(&vendor)
            .options(|builder| builder.retry(RetryPolicy::new(3)))
            .upstream(move |upstream| {
                if keeps {
                    upstream.auth(Keeps)
                } else {
                    upstream
                }
            })
            .start()
            .await;
        for method in ["GET", "QUERY"] {
            let call = request(method, "/p/c/x", &["Content-Length: 5"], "hello");
            let answer = raw_call(gateway.address, call).await;
            assert_eq!(answer.status(), 503);
            for _ in 0..if keeps { 3 } else { 1 } {
                assert_eq!(vendor.next().await.body.data, b"hello", "{method} {keeps}");
            }
            assert_eq!(requests(&vendor).await, 0, "{method} {keeps}");
        }
    }
}

#[tokio::test]
async fn retry_never_waits_longer_than_the_call_may_take() {
    let vendor = Vendor::answering(status("503 Down", "Retry-After: 4\r\n")).await;
    let gateway = Setup::new(&vendor)
        .options(|builder| {
            let builder = builder.retry(RetryPolicy::new(3));
            builder.total_timeout(Duration::from_secs(3))
        })
        .start()
        .await;
    let answer = raw_call(gateway.address, get("/p/c/x")).await;
    assert_eq!((answer.status(), answer.error()), (503, None));
    assert_eq!(requests(&vendor).await, 1);
}

#[tokio::test]
async fn retry_a_caller_that_leaves_ends_the_wait() {
    let vendor = Vendor::answering(status("503 Down", "Retry-After: 60\r\n")).await;
    let policy = RetryPolicy::new(3).max_wait(Duration::from_secs(60));
    let (gateway, mut reports) = observed(&vendor, move |builder| builder.retry(policy)).await;
    let mut caller = Caller::connect(gateway.address).await;
    caller.write(get("/p/c/x")).await;
    vendor.next().await;
    drop(caller);
    assert_eq!(reports.next().await, (Outcome::Cancelled, None, 1));
    assert_eq!(requests(&vendor).await, 0);
}

#[tokio::test]
async fn retry_an_abandoned_answer_holds_no_connection() {
    // The rest of the first answer never comes.
    let first = "HTTP/1.1 503 Down\r\nRetry-After: 60\r\nContent-Length: 1000\r\n\r\nhello";
    let first = Reply([Reply::from(first).0, Reply::silence().0].concat());
    let vendor = Vendor::answering(first).await;
    let policy = RetryPolicy::new(2).max_wait(Duration::from_secs(60));
    let gateway = Setup::new(&vendor).options(move |builder| builder.retry(policy));
    let gateway = gateway.start().await;
    let mut caller = Caller::connect(gateway.address).await;
    caller.write(get("/p/c/x")).await;
    // The caller still waits for the answer.
    within("the first connection to close", vendor.closed(0)).await;
}
