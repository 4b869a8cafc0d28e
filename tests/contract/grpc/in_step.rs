//! Streams in both directions at once.

use bytes::Bytes;
use tokio::sync::mpsc;
use tonic::Streaming;

use super::{Place, Raw, assert_failure, messages, method};
use testkit::wait::within;

/// Opens a call of `Reply`, after the vendor has sent the first message.
async fn open(place: &Place) -> (mpsc::Sender<Bytes>, Streaming<Bytes>) {
    let mut client = place.client("c").await;
    let (sender, sent) = messages();
    let answer = client.streaming(tonic::Request::new(sent), method("Reply"), Raw);
    let mut received = within("a head", answer).await.unwrap().into_inner();
    assert_eq!(next(&mut received).await.unwrap(), "first");
    (sender, received)
}

async fn next(received: &mut Streaming<Bytes>) -> Option<Bytes> {
    within("a message", received.message()).await.unwrap()
}

#[tokio::test]
async fn g4_a_thousand_messages_are_exchanged_in_turn() {
    let place = Place::new().await;
    let (sender, mut received) = open(&place).await;
    for number in 0..1000 {
        let message = Bytes::from(format!("message {number}"));
        sender.send(message.clone()).await.unwrap();
        assert_eq!(next(&mut received).await, Some(message));
    }
    drop(sender);
    for last in ["after", "all"] {
        assert_eq!(next(&mut received).await.unwrap(), last);
    }
    assert_eq!(next(&mut received).await, None);
}

#[tokio::test]
async fn g4_messages_larger_than_a_window_are_exchanged_in_turn() {
    let place = Place::new().await;
    let (sender, mut received) = open(&place).await;
    for number in 0..4_u8 {
        let message = Bytes::from(vec![number; 1024 * 1024]);
        sender.send(message.clone()).await.unwrap();
        assert!(next(&mut received).await.unwrap() == message, "{number}");
    }
}

#[tokio::test]
async fn g4_a_vendor_may_end_before_the_callers_last_message() {
    let place = Place::new().await;
    let (sender, mut received) = open(&place).await;
    sender.send(Bytes::from_static(b"stop")).await.unwrap();
    assert_eq!(next(&mut received).await.unwrap(), "stop");
    let status = within("a status", received.message()).await.unwrap_err();
    assert_failure(&status);
    drop(sender);

    // The connections can be used for further calls.
    let (sender, mut received) = open(&place).await;
    sender.send(Bytes::from_static(b"x")).await.unwrap();
    assert_eq!(next(&mut received).await.unwrap(), "x");
}
