//! The conformance suite for stores.

use std::path::Path;
use std::time::Duration;

use tower_passthrough::conformance::{Suite, Violations};
use tower_passthrough_redis::RedisStoreBuilder;

use super::{DURABLE, Server, Stores, prefix, redis, shared, valkey};

const STALENESS: Duration = Duration::from_millis(300);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_passes_the_conformance_suite() -> Result<(), Violations> {
    let Some(server) = shared() else {
        return Ok(());
    };
    let prefix = prefix();
    let open = async || {
        server
            .open_with(&prefix, |builder| builder.staleness(STALENESS))
            .await
    };
    Suite::new(open).staleness(STALENESS).run().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_passes_the_suite_without_a_cache() -> Result<(), Violations> {
    let Some(server) = shared() else {
        return Ok(());
    };
    let prefix = prefix();
    let set = |builder: RedisStoreBuilder| builder.staleness(Duration::ZERO).cache_entries(0);
    let open = async || server.open_with(&prefix, set).await;
    Suite::new(open).staleness(Duration::ZERO).run().await
}

/// With `WAITAOF`, which Debian's version doesn't have.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn valkey_passes_the_suite_with_acknowledged_writes() -> Result<(), Violations> {
    let Some(program) = valkey() else {
        return Ok(());
    };
    let server = Server::start_with(&program, DURABLE);
    let prefix = prefix();
    let open = async || {
        server
            .open_with(&prefix, |builder| builder.staleness(STALENESS))
            .await
    };
    Suite::new(open).staleness(STALENESS).run().await?;
    assert!(server.calls("waitaof") > 50, "{}", server.calls("waitaof"));
    Ok(())
}

/// A cluster refuses a script that touches keys of several slots.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cluster_of_one_node_passes_the_suite() -> Result<(), Violations> {
    for program in [redis(), valkey()].into_iter().flatten() {
        let server = cluster(&program).await;
        let prefix = prefix();
        let open = async || {
            server
                .open_with(&prefix, |builder| builder.staleness(STALENESS))
                .await
        };
        Suite::new(open).staleness(STALENESS).run().await?;
    }
    Ok(())
}

/// Returns a node that has all slots of a cluster.
async fn cluster(program: &Path) -> Server {
    let settings = format!("{DURABLE}cluster-enabled yes\ncluster-require-full-coverage yes\n");
    let server = Server::start_with(program, &settings);
    server.set(&["CLUSTER", "ADDSLOTSRANGE", "0", "16383"]);
    let began = tokio::time::Instant::now();
    while !server
        .set(&["CLUSTER", "INFO"])
        .contains("cluster_state:ok")
    {
        assert!(
            began.elapsed() < Duration::from_secs(30),
            "the cluster isn't ready"
        );
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    server
}
