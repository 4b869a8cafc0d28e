//! What is written a little at a time arrives so, from either version of HTTP to either.
//!
//! Each piece is written only once the one before has arrived: whoever waits for more holds up all.

use super::sides::{ALL, Stage};

#[tokio::test]
async fn b14_a_heartbeat_of_one_byte_leaves_as_it_comes() {
    for versions in ALL {
        let stage = Stage::of(versions).await;
        let (mut calling, mut called) = stage.call("GET", false).await;
        called.begin().await;
        // The head leaves before there is a byte of its body.
        assert_eq!(calling.head().await, 200, "{versions:?}");
        for _ in 0..20 {
            called.send("\n").await;
            calling.expect("\n").await;
        }
    }
}

#[tokio::test]
async fn b14_a_byte_of_an_upload_leaves_as_it_comes() {
    for versions in ALL {
        let stage = Stage::of(versions).await;
        // The head leaves before there is a byte of its body.
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
async fn b14_a_long_poll_is_answered_as_soon_as_the_vendor_answers() {
    for versions in ALL {
        let stage = Stage::of(versions).await;
        let (mut waiting, mut first) = stage.call("GET", false).await;
        // Others are answered while it waits, on connections and streams beside it.
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

/// Both directions at once, in step.
#[tokio::test]
async fn b14_bytes_both_ways_leave_as_they_come() {
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
        // hyper's server can't send them, so the next head is the final one.
        assert_eq!(calling.head().await, 200, "{versions:?}");
        called.send("down").await;
        calling.expect("down").await;
    }
}

#[tokio::test]
async fn b3_a_querys_body_arrives() {
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
