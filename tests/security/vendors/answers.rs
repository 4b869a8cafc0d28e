//! Answers that aren't valid, and answers that don't belong to the call.

use std::sync::Arc;

use tokio::task::JoinSet;

use testkit::caller::{get, post, raw_call};
use testkit::counts::Counts;
use testkit::gateway::Gateway;
use testkit::manual::ManualVendor;
use testkit::pair::Pair;
use testkit::reply::Reply;
use testkit::vendor::Vendor;

/// Bytes that aren't valid answers, each on another connection.
#[tokio::test]
async fn v6_garbage_fails_only_its_call() {
    for garbage in [
        "\0\0\0\0\0\0\0\0",
        "SSH-2.0-OpenSSH_9.9\r\n",
        "220 smtp.test ESMTP\r\n",
        "HTTP/1.1\r\n\r\n",
        "HTTP/1.1 OK\r\n\r\n",
        "HTTP/9.9 200 OK\r\n\r\n",
        "HTTP/1.1 2000 OK\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
        "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n",
        "HTTP/1.1 200 OK\r\nno colon\r\n\r\n",
        "HTTP/1.1 200 OK\r\nA B: c\r\n\r\n",
        "HTTP/1.1 200 OK\r\nX: a\0b\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n",
        "HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n",
        "<html>",
        "\r\n\r\n",
        "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999999\r\n\r\n",
    ] {
        let bytes = garbage.to_owned();
        let vendor = Vendor::replying(move |received| match received.target() {
            "/bad" => Reply::bytes(bytes.clone()).close(),
            _ => Reply::ok("good"),
        })
        .await;
        let gateway = Gateway::to(&vendor).await;
        let bad = raw_call(gateway.address, get("/p/c/bad")).await;
        assert_eq!(
            (bad.status(), bad.error()),
            (502, Some("upstream-protocol")),
            "{garbage:?}"
        );
        assert!(bad.text().contains("\"sent\":true"), "{garbage:?}");
        let good = raw_call(gateway.address, get("/p/c/good")).await;
        assert_eq!(good.text(), "good", "{garbage:?}");
    }
}

/// A vendor that answers on each connection before the request, and again after the request.
#[tokio::test]
async fn v6_an_answer_before_the_request_leaves_nothing_for_the_next_call() {
    let vendor = Arc::new(ManualVendor::bind().await);
    let gateway = Gateway::to(&*vendor).await;
    let counts = Counts::default();
    let mut serving = JoinSet::new();
    let (listening, seen) = (Arc::clone(&vendor), counts.clone());
    serving.spawn(async move {
        loop {
            let mut connection = listening.accept().await;
            let number = seen.accepted(listening.address());
            connection
                .write("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nearly")
                .await;
            if let Some(head) = connection.wire.head().await {
                let target = head.target().to_owned();
                let length = target.len();
                let answer = format!("HTTP/1.1 200 OK\r\nContent-Length: {length}\r\n\r\n{target}");
                connection.wire.try_write(answer.as_bytes()).await;
            }
            connection.closed().await;
            seen.closed(number);
        }
    });
    for nth in 0..5 {
        let target = format!("/{nth}");
        let response = raw_call(gateway.address, get(&format!("/p/c{target}"))).await;
        let text = response.text();
        // The gateway can't distinguish an early answer from a quick answer, but it can distinguish the answer to
        // another call.
        assert!(
            response.status() == 502 || text == "early" || text == target,
            "{target}: {text}"
        );
        counts.wait_all_closed().await;
    }
}

#[tokio::test]
async fn v6_an_answer_that_is_too_short_never_looks_complete() {
    for answer in [
        "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nshort",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nshort\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9\r\nshort",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nshort\r\nzz\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nshort\r\n0\r\n",
    ] {
        let vendor = Vendor::replying(move |received| match received.target() {
            "/bad" => Reply::bytes(answer).close(),
            _ => Reply::ok("good"),
        })
        .await;
        let gateway = Gateway::to(&vendor).await;
        let bad = raw_call(gateway.address, get("/p/c/bad")).await;
        assert!(
            !bad.complete() || bad.status() == 502,
            "{answer:?} → {:?}",
            bad.text()
        );
        let good = raw_call(gateway.address, get("/p/c/good")).await;
        assert_eq!(good.text(), "good", "{answer:?}");
    }
}

#[tokio::test]
async fn v6_an_answer_that_is_too_long_is_cut_at_its_length() {
    let pair = Pair::before(Vendor::answering("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokHTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\npoison").await, |setup| setup).await;
    for _ in 0..5 {
        let response = pair.call(post("/p/c/x", "body")).await;
        assert!(
            response.text() == "ok" || response.status() == 502,
            "{}",
            response.text()
        );
    }
}
