//! `traceparent` and `tracestate` are forwarded unchanged. If the host application asks for it, the gateway starts a
//! trace.

use http::HeaderName;
use tower_passthrough::observe::{CallReport, TraceContext, TraceId};

use super::BARE;
use testkit::caller::{get, request};
use testkit::pair::Pair;
use testkit::vendor::Received;
use testkit::wait::within;

const ID: &str = "0af7651916cd43dd8448eb211c80319c";
const VALID: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00";
const STATE: &str = "vendor=1,other=2";

async fn starting() -> Pair {
    Pair::with(|setup| setup.options(|o| o.trace_context(TraceContext::Start))).await
}

/// Fails unless the vendor got exactly one `traceparent`, which is valid, sampled and of version 00. Returns its trace
/// id.
fn begun(received: &Received) -> TraceId {
    let values = received.head.values("traceparent");
    assert_eq!(values.len(), 1, "{values:?}");
    let parts: Vec<_> = values[0].split('-').collect();
    assert_eq!((parts.len(), parts[0], parts[3]), (4, "00", "01"));
    assert!(parts[2].len() == 16 && parts[2] != "0".repeat(16));
    assert!(
        parts[2]
            .bytes()
            .all(|byte| b"0123456789abcdef".contains(&byte))
    );
    parts[1].parse().unwrap()
}

#[tokio::test]
async fn h11_any_trace_context_is_forwarded() {
    let pair = Pair::new().await;
    for value in [VALID, "00-BAD", ""] {
        let lines = [
            format!("Traceparent: {value}"),
            format!("Tracestate: {STATE}"),
        ];
        let lines = lines.each_ref().map(String::as_str);
        let received = pair.seen(request("GET", "/p/c/x", &lines, "")).await;
        assert_eq!(received.head.values("traceparent"), [value]);
        assert_eq!(received.head.values("tracestate"), [STATE]);
    }
    assert_eq!(pair.seen(get("/p/c/x")).await.head.names(), BARE);
}

#[tokio::test]
async fn h11_an_option_starts_a_trace_if_there_is_none() {
    let pair = starting().await;
    let first = pair.seen(get("/p/c/x")).await;
    let second = pair.seen(get("/p/c/x")).await;
    assert_ne!(begun(&first), begun(&second));
    assert_eq!(first.head.fields.len(), BARE.len() + 1);
}

#[tokio::test]
async fn h11_a_trace_of_the_caller_is_never_replaced() {
    let pair = starting().await;
    let later = format!("01-{ID}-b7ad6b7169203331-09-more");
    for value in [VALID, &later] {
        let lines = [
            format!("Traceparent: {value}"),
            format!("Tracestate: {STATE}"),
        ];
        let lines = lines.each_ref().map(String::as_str);
        let received = pair.seen(request("GET", "/p/c/x", &lines, "")).await;
        assert_eq!(received.head.values("traceparent"), [value]);
        assert_eq!(received.head.values("tracestate"), [STATE]);
    }
}

#[tokio::test]
async fn h11_a_malformed_trace_is_replaced_and_its_state_dropped() {
    let pair = starting().await;
    let two = format!("{VALID}\r\nTraceparent: {VALID}");
    let zeros = VALID.replace(ID, &"0".repeat(32));
    let capitals = VALID.to_uppercase();
    for value in ["", "00-BAD", &two, &zeros, &capitals] {
        let lines = [
            format!("Traceparent: {value}"),
            format!("Tracestate: {STATE}"),
        ];
        let lines = lines.each_ref().map(String::as_str);
        let received = pair.seen(request("GET", "/p/c/x", &lines, "")).await;
        assert_ne!(begun(&received).to_string(), ID, "{value}");
        assert_eq!(received.head.value("tracestate"), None, "{value}");
    }
}

/// A field that the caller or the host application keeps from the vendor counts as missing.
#[tokio::test]
async fn h11_a_trace_that_would_not_reach_the_vendor_is_replaced() {
    let valid = format!("Traceparent: {VALID}");
    let pair = starting().await;
    let lines = [&*valid, "Connection: traceparent"];
    let received = pair.seen(request("GET", "/p/c/x", &lines, "")).await;
    assert_ne!(begun(&received).to_string(), ID);

    let pair = Pair::with(|setup| {
        setup.options(|o| {
            o.trace_context(TraceContext::Start)
                .strip_request_header(HeaderName::from_static("traceparent"))
        })
    })
    .await;
    let received = pair.seen(request("GET", "/p/c/x", &[&valid], "")).await;
    assert_ne!(begun(&received).to_string(), ID);
}

#[tokio::test]
async fn h11_the_trace_in_use_is_reported() {
    for context in [TraceContext::Pass, TraceContext::Start] {
        let (sender, mut told) = tokio::sync::mpsc::unbounded_channel();
        let pair = Pair::with(|setup| {
            setup.options(move |o| {
                o.trace_context(context)
                    .observe_fn(move |call: &CallReport<'_>| {
                        let _ = sender.send(call.trace_id());
                    })
            })
        })
        .await;
        let line = format!("Traceparent: {VALID}");
        pair.seen(request("GET", "/p/c/x", &[&line], "")).await;
        let id = within("a report", told.recv()).await.unwrap();
        assert_eq!(id, Some(ID.parse().unwrap()));
        pair.refused(
            request("GET", "/p/nobody/x", &[&line], ""),
            404,
            "unknown-connection",
        )
        .await;
        let id = within("a report", told.recv()).await.unwrap();
        assert_eq!(id, Some(ID.parse().unwrap()), "of a refused call");
        let received = pair.seen(get("/p/c/x")).await;
        let id = within("a report", told.recv()).await.unwrap();
        let expected = (context == TraceContext::Start).then(|| begun(&received));
        assert_eq!(id, expected);
    }
}
