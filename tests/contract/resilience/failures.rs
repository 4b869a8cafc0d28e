//! Requests that are sent again after a failure without an answer.

use std::time::Duration;

use tower_passthrough::ErrorCode;
use tower_passthrough::observe::Outcome;
use tower_passthrough::policy::NetworkPolicy;
use tower_passthrough::resilience::RetryPolicy;

use super::{in_turn, observed, origin, refusal, refusing, requests, retrying};
use testkit::caller::{get, post, raw_call};
use testkit::gateway::{Builder, Setup};
use testkit::h2_script::{FrameVendor, REFUSED_STREAM};
use testkit::reply::Reply;
use testkit::vendor::Vendor;

fn three(builder: Builder) -> Builder {
    builder.retry(RetryPolicy::new(3))
}

#[tokio::test]
async fn k2_with_retries_a_get_without_an_answer_is_sent_again() {
    for cut in [Reply::default().reset(), Reply::default().close()] {
        let vendor = in_turn(vec![cut, Reply::ok("ok")]).await;
        let gateway = retrying(&vendor, 2).await;
        let answer = raw_call(gateway.address, get("/p/c/x")).await;
        assert_eq!((answer.status(), &*answer.text()), (200, "ok"));
        assert_eq!(requests(&vendor).await, 2);
    }
}

#[tokio::test]
async fn k2_with_retries_a_get_that_never_gets_an_answer_is_an_error() {
    for cut in [Reply::default().reset(), Reply::default().close()] {
        let vendor = Vendor::answering(cut).await;
        let (gateway, mut reports) =
            observed(&vendor, |builder| builder.retry(RetryPolicy::new(2))).await;
        let answer = raw_call(gateway.address, get("/p/c/x")).await;
        assert_eq!(refusal(&answer), (502, "upstream-protocol", true));
        let code = Some(ErrorCode::UpstreamProtocol);
        assert_eq!(reports.next().await, (Outcome::Refused, code, 2));
        assert_eq!(vendor.connections().await, 2);
    }
}

#[tokio::test]
async fn k2_with_retries_a_post_without_an_answer_is_not_sent_again() {
    let vendor = Vendor::answering(Reply::default().close()).await;
    let gateway = retrying(&vendor, 3).await;
    for (number, call) in [post("/p/c/x", "hello"), post("/p/c/x", "")]
        .iter()
        .enumerate()
    {
        let answer = raw_call(gateway.address, call).await;
        assert_eq!(refusal(&answer), (502, "upstream-protocol", true));
        assert_eq!(vendor.connections().await, number + 1);
    }
}

#[tokio::test]
async fn retry_a_connection_that_is_refused_is_tried_again() {
    let (_held, address) = refusing();
    let (gateway, mut reports) = observed(&*origin(address), three).await;
    let answer = raw_call(gateway.address, get("/p/c/x")).await;
    assert_eq!(refusal(&answer), (502, "upstream-unreachable", false));
    let code = Some(ErrorCode::UpstreamUnreachable);
    assert_eq!(reports.next().await, (Outcome::Refused, code, 3));
}

#[tokio::test]
async fn retry_a_stream_that_stays_refused_is_tried_again_later() {
    let vendor = FrameVendor::bind().await;
    let gateway = Setup::new(&vendor)
        .transport(|transport| transport.http2_prior_knowledge(true))
        .options(three)
        .start()
        .await;
    let calling = raw_call(gateway.address, get("/p/c/x"));
    let refusing = async {
        let mut connection = vendor.accept(&[]).await;
        // The transport itself sends the request three times.
        for _ in 0..3 {
            let stream = connection.request().await;
            connection.reset(stream, REFUSED_STREAM).await;
        }
        let stream = connection.request().await;
        connection.answer(stream, "own").await;
        connection
    };
    let (answer, _connection) = tokio::join!(calling, refusing);
    assert_eq!((answer.status(), &*answer.text()), (200, "own"));
}

/// Fails unless a call has that error after one attempt.
async fn assert_one_attempt(
    setup: Setup,
    change: impl FnOnce(Builder) -> Builder + Send + 'static,
    expected: (u16, &str, ErrorCode),
) {
    let (sender, mut receiver) = tokio::sync::mpsc::unbounded_channel();
    let gateway = setup
        .options(move |builder| {
            let builder = change(three(builder));
            builder.observe_fn(move |call: &tower_passthrough::observe::CallReport<'_>| {
                let _ = sender.send((call.error(), call.attempts()));
            })
        })
        .start()
        .await;
    let answer = raw_call(gateway.address, get("/p/c/x")).await;
    let (status, code, error) = expected;
    assert_eq!((answer.status(), answer.error()), (status, Some(code)));
    assert_eq!(receiver.recv().await, Some((Some(error), 1)), "{code}");
}

#[tokio::test]
async fn retry_permanent_failures_are_not_repeated() {
    let vendor = Vendor::ok().await;
    assert_one_attempt(
        Setup::new(&vendor).network(|_| NetworkPolicy::new().dangerous().plaintext()),
        |builder| builder,
        (403, "destination-refused", ErrorCode::DestinationRefused),
    )
    .await;
    vendor.untouched().await;

    // The vendor's certificate is for another name.
    let vendor = Vendor::replying_over_tls(&["http/1.1"], |_| Reply::ok("ok")).await;
    let other = format!("https://other.test:{}", vendor.address().port());
    assert_one_attempt(
        Setup::new(&*other).name("other.test", [127, 0, 0, 1]),
        |builder| builder,
        (502, "upstream-unreachable", ErrorCode::UpstreamUnreachable),
    )
    .await;

    let vendor = Vendor::answering(Reply::silence()).await;
    assert_one_attempt(
        Setup::new(&vendor),
        |builder| builder.response_head_timeout(Duration::from_millis(200)),
        (504, "upstream-timeout", ErrorCode::UpstreamTimeout),
    )
    .await;
    assert_eq!(vendor.connections().await, 1);

    let vendor = Vendor::answering("no HTTP\r\n\r\n").await;
    assert_one_attempt(
        Setup::new(&vendor),
        |builder| builder,
        (502, "upstream-protocol", ErrorCode::UpstreamProtocol),
    )
    .await;
    assert_eq!(vendor.connections().await, 1);
}
