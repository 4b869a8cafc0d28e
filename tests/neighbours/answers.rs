//! Upstreams that send responses which no request asked for.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use testkit::caller::{Caller, get};
use testkit::gateway::Origin;
use testkit::manual::ManualVendor;
use tokio::task::JoinSet;

use super::setup;

/// An upstream that answers each request with its target, and again a little later.
async fn answers_twice() -> (Arc<ManualVendor>, JoinSet<()>) {
    let vendor = Arc::new(ManualVendor::bind().await);
    let mut tasks = JoinSet::new();
    let listener = Arc::clone(&vendor);
    tasks.spawn(async move {
        let mut connections = JoinSet::new();
        let count = Arc::new(AtomicUsize::new(0));
        loop {
            let connection = listener.accept().await;
            let count = Arc::clone(&count);
            connections.spawn(async move {
                let mut wire = connection.wire;
                while let Some(head) = wire.head().await {
                    let body = head.target().to_owned();
                    let answer = format!(
                        "HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{body}",
                        body.len()
                    );
                    if !wire.try_write(answer.as_bytes()).await {
                        return;
                    }
                    let nth = count.fetch_add(1, Ordering::Relaxed) as u64;
                    tokio::time::sleep(Duration::from_millis(nth % 11)).await;
                    if !wire.try_write(answer.as_bytes()).await {
                        return;
                    }
                }
            });
        }
    });
    (vendor, tasks)
}

#[tokio::test]
async fn k13_a_second_answer_reaches_no_other_key() {
    let (vendor, _tasks) = answers_twice().await;
    let gateway = setup(&*vendor).start().await;
    let mut callers = JoinSet::new();
    for caller in ["a0", "a1", "a2", "v"] {
        let address = gateway.address;
        callers.spawn(async move {
            let mut own = Caller::connect(address).await;
            for nth in 0..100 {
                let answer = own.call(get(&format!("/p/{caller}/{caller}/{nth}"))).await;
                let text = answer.text();
                let is_own = text.starts_with(&format!("/{caller}/"));
                assert!(is_own || answer.error().is_some(), "{caller} got {text}");
            }
        });
    }
    while let Some(caller) = callers.join_next().await {
        caller.unwrap();
    }
    assert!(vendor.origin().starts_with("http://"));
}

#[tokio::test]
async fn k13_after_unsolicited_bytes_each_key_has_its_own_connections() {
    let vendor = ManualVendor::bind().await;
    let gateway = setup(&vendor).start().await;
    let mut caller = Caller::connect(gateway.address).await;
    let ok = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
    caller.write(get("/p/a0/x")).await;
    let mut first = vendor.accept().await;
    first.head().await;
    first.write(ok).await;
    caller.response("GET").await;
    first.write(ok).await;
    first.closed().await;
    let mut connections = Vec::new();
    for key in ["a0", "a1", "v"] {
        caller.write(get(&format!("/p/{key}/x"))).await;
        let mut connection = vendor.accept().await;
        connection.head().await;
        connection.write(ok).await;
        caller.response("GET").await;
        connections.push(connection);
        // A rested connection would serve another key otherwise.
        tokio::time::sleep(Duration::from_millis(40)).await;
    }
    // Each keeps its own.
    caller.write(get("/p/a1/x")).await;
    connections[1].head().await;
    connections[1].write(ok).await;
    caller.response("GET").await;
}
