//! Small pieces arrive at once, between all versions of HTTP.
//!
//! Each piece is written only after the piece before has arrived, so a gateway that waits for more bytes would stop the
//! test.

use super::sides::{ALL, Stage};

#[tokio::test]
async fn b14_a_heartbeat_of_one_byte_is_forwarded_at_once() {
    for versions in ALL {
        let stage = Stage::of(versions).await;
        let (mut calling, mut called) = stage.call("GET", false).await;
        called.begin().await;
        // The head is forwarded before the first byte of its body.
        assert_eq!(calling.head().await, 200, "{versions:?}");
        for _ in 0..20 {
            called.send("\n").await;
            calling.expect("\n").await;
        }
    }
}

#[tokio::test]
async fn b14_a_byte_of_an_upload_is_forwarded_at_once() {
    for versions in ALL {
        let stage = Stage::of(versions).await;
        // The head is forwarded before the first byte of its body.
        let (mut calling, mut called) = stage.call("POST", true).await;
        for _ in 0..20 {
            calling.send("x").await;
            called.expect("x").await;
        }
        calling.end_upload().await;
        called.expect_end().await;
    }
}

#[tokio::test]
async fn b14_a_long_poll_gets_its_answer_at_once() {
    for versions in ALL {
        let stage = Stage::of(versions).await;
        let (mut waiting, mut first) = stage.call("GET", false).await;
        // Other calls are answered while the first call waits, on other connections and streams.
        for _ in 0..3 {
            let (mut calling, mut called) = stage.call("GET", false).await;
            called.begin().await;
            called.send("other").await;
            assert_eq!(calling.head().await, 200, "{versions:?}");
            calling.expect("other").await;
        }
        first.begin().await;
        first.send("news").await;
        assert_eq!(waiting.head().await, 200, "{versions:?}");
        waiting.expect("news").await;
    }
}

/// Both directions at the same time.
#[tokio::test]
async fn b14_bytes_in_both_directions_are_forwarded_at_once() {
    for versions in ALL {
        let stage = Stage::of(versions).await;
        let (mut calling, mut called) = stage.call("POST", true).await;
        called.begin().await;
        assert_eq!(calling.head().await, 200, "{versions:?}");
        for number in 0..20 {
            let piece = number.to_string();
            calling.send(&piece).await;
            called.expect(&piece).await;
            called.send(&piece).await;
            calling.expect(&piece).await;
        }
    }
}

#[tokio::test]
async fn b15_several_interim_answers_before_and_during_an_upload_disturb_nothing() {
    for versions in ALL {
        let stage = Stage::of(versions).await;
        let (mut calling, mut called) = stage.call("POST", true).await;
        for status in [100, 102, 103, 103, 199] {
            called.hint(status).await;
            calling.send("up").await;
            called.expect("up").await;
        }
        called.begin().await;
        // hyper's server can't send interim answers, so the next head is the final head.
        assert_eq!(calling.head().await, 200, "{versions:?}");
        called.send("down").await;
        calling.expect("down").await;
    }
}

#[tokio::test]
async fn b3_the_body_of_a_query_arrives() {
    for versions in ALL {
        for method in ["QUERY", "GET", "DELETE", "SEARCH"] {
            let stage = Stage::of(versions).await;
            let (mut calling, mut called) = stage.call(method, true).await;
            calling.send("select ").await;
            called.expect("select ").await;
            calling.send("all").await;
            called.expect("all").await;
            calling.end_upload().await;
            called.expect_end().await;
            called.begin().await;
            called.send("rows").await;
            assert_eq!(calling.head().await, 200, "{versions:?} {method}");
            calling.expect("rows").await;
        }
    }
}
