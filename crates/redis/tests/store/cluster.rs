//! Clusters: the suite runs on a node with all slots (`rules`), and a cluster of several nodes is refused.

use std::time::Duration;

use tokio::time::Instant;
use tower_passthrough::store::TokenStore;
use tower_passthrough_redis::RedisStore;

use super::{DURABLE, KEY, Server, Stores, id, keys, redis, told};

#[tokio::test]
async fn a_node_that_lost_a_slot_is_not_connected_to_again_and_again() {
    let Some(program) = redis() else {
        return;
    };
    let node = || Server::start_with(&program, &format!("{DURABLE}cluster-enabled yes\n"));
    let (one, other) = (node(), node());
    one.set(&["CLUSTER", "ADDSLOTSRANGE", "0", "16383"]);
    one.set(&["CLUSTER", "MEET", "127.0.0.1", &other.port.to_string()]);
    let began = Instant::now();
    let other_id = other.set(&["CLUSTER", "MYID"]);
    while !one.set(&["CLUSTER", "INFO"]).contains("cluster_state:ok")
        || !one.set(&["CLUSTER", "NODES"]).contains(&other_id)
    {
        assert!(
            began.elapsed() < Duration::from_secs(60),
            "the cluster isn't ready"
        );
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let store = one.open("tp").await;
    let slot = one.set(&["CLUSTER", "KEYSLOT", "{066}"]);
    one.set(&["CLUSTER", "SETSLOT", &slot, "NODE", &other_id]);
    let count = || -> u64 { one.info("total_connections_received").parse().unwrap() };
    let before = count();
    for _ in 0..100 {
        let error = store.read(&id("acme")).await.unwrap_err();
        assert!(told(&error).contains("MOVED"), "{}", told(&error));
    }
    let connections = count() - before;
    assert!(connections < 100, "{connections}");
}

#[tokio::test]
async fn a_cluster_of_several_primaries_is_refused_when_the_store_is_opened() {
    let Some(program) = redis() else {
        return;
    };
    let node = || Server::start_with(&program, &format!("{DURABLE}cluster-enabled yes\n"));
    let (one, other) = (node(), node());
    one.set(&["CLUSTER", "ADDSLOTSRANGE", "0", "8191"]);
    other.set(&["CLUSTER", "ADDSLOTSRANGE", "8192", "16383"]);
    one.set(&["CLUSTER", "MEET", "127.0.0.1", &other.port.to_string()]);
    let began = Instant::now();
    for node in [&one, &other] {
        while !node.set(&["CLUSTER", "INFO"]).contains("cluster_state:ok") {
            assert!(
                began.elapsed() < Duration::from_secs(60),
                "the cluster isn't ready"
            );
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
    let error = RedisStore::open(&one.url(), keys(&[KEY]))
        .await
        .unwrap_err();
    assert!(
        told(&error).contains("a cluster of several nodes isn't supported"),
        "{}",
        told(&error)
    );
}
