//! Each kind of call, and its possible ends.

use std::time::Duration;

use bytes::Bytes;
use tonic::Code;
use tonic::codegen::tokio_stream::{self, StreamExt as _};
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_client::HealthClient;

use super::{Place, Raw, ask, assert_failure, method};
use testkit::gateway::TOKEN;
use testkit::wait::within;

#[tokio::test]
async fn g3_a_unary_call_carries_the_credential() {
    let place = Place::new().await;
    let mut client = place.client("c").await;
    let answer = ask(&mut client, "Unary", "hello").await.unwrap();
    let token = answer.metadata().get("x-token").unwrap();
    assert_eq!(token, &format!("Bearer {TOKEN}"));
    assert_eq!(answer.into_inner(), "hello");

    // The gRPC service of the host application works on the same port.
    let mut health = HealthClient::new(place.channel.clone());
    let check = health.check(HealthCheckRequest::default());
    within("the host application's answer", check)
        .await
        .unwrap();
}

#[tokio::test]
async fn g3_a_status_comes_with_its_message_and_binary_metadata() {
    let place = Place::new().await;
    let mut client = place.client("c").await;
    // Without a message, the answer is headers only. After messages, the status is in trailers.
    assert_failure(&ask(&mut client, "Unary", "fail").await.unwrap_err());

    client.ready().await.unwrap();
    let request = tonic::Request::new(Bytes::from_static(b"fail"));
    let answer = client.server_streaming(request, method("Repeat"), Raw);
    let mut messages = within("a head", answer).await.unwrap().into_inner();
    for _ in 0..100 {
        let message = within("a message", messages.message()).await.unwrap();
        assert_eq!(message.unwrap(), "fail");
    }
    assert_failure(&within("a status", messages.message()).await.unwrap_err());
}

#[tokio::test]
async fn g3_streams_in_one_direction_are_complete() {
    let place = Place::new().await;
    let mut client = place.client("c").await;
    let request = tonic::Request::new(Bytes::from_static(b"x"));
    let answer = client.server_streaming(request, method("Repeat"), Raw);
    let messages = within("a head", answer).await.unwrap().into_inner();
    let messages = within("all messages", messages.collect::<Vec<_>>()).await;
    assert_eq!(messages.len(), 100);
    assert!(
        messages
            .iter()
            .all(|message| message.as_ref().unwrap() == "x")
    );

    client.ready().await.unwrap();
    let parts = (0..100).map(|number| Bytes::from(format!("{number},")));
    let request = tonic::Request::new(tokio_stream::iter(parts.clone()));
    let answer = client.client_streaming(request, method("Join"), Raw);
    let joined = within("an answer", answer).await.unwrap().into_inner();
    assert_eq!(joined, parts.collect::<Vec<_>>().concat());
}

#[tokio::test]
async fn g3_the_callers_deadline_ends_the_call_at_the_vendor() {
    let place = Place::new().await;
    let mut client = place.client("c").await;
    let mut request = tonic::Request::new(Bytes::new());
    // Long enough for the call to reach the vendor.
    request.set_timeout(Duration::from_secs(2));
    let answer = client.unary(request, method("Never"), Raw);
    let status = within("the deadline", answer).await.unwrap_err();
    // tonic reports either of the two codes, depending on which side ends first.
    let code = status.code();
    assert!(
        matches!(code, Code::Cancelled | Code::DeadlineExceeded),
        "{status:?}"
    );
    within("the vendor's call to be dropped", place.dropped.given()).await;
}

#[tokio::test]
async fn g3_a_timeout_of_the_gateway_is_status_4() {
    // Long enough for the call to reach the vendor.
    let soon = Duration::from_secs(2);
    let place = Place::with(move |options| options.response_head_timeout(soon)).await;
    let mut client = place.client("c").await;
    let status = ask(&mut client, "Never", "x").await.unwrap_err();
    assert_eq!(status.code(), Code::DeadlineExceeded, "{status:?}");
    assert_eq!(
        status.metadata().get("passthrough-error").unwrap(),
        "upstream-timeout"
    );
    within("the vendor's call to be dropped", place.dropped.given()).await;
}

#[tokio::test]
async fn g3_an_unknown_connection_is_status_5() {
    let place = Place::new().await;
    let mut client = place.client("nobody").await;
    let status = ask(&mut client, "Unary", "x").await.unwrap_err();
    assert_eq!(status.code(), Code::NotFound, "{status:?}");
    assert!(
        status.message().contains("no connection has this id"),
        "{status:?}"
    );
}
