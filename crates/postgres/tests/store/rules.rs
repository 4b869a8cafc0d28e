//! The conformance suite for stores.

use std::time::Duration;

use tower_passthrough::conformance::{Suite, Violations};
use tower_passthrough_postgres::PostgresStore;

use super::{Bouncer, KEY, Server, Stores, keys, shared};

const STALENESS: Duration = Duration::from_millis(300);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_passes_the_conformance_suite() -> Result<(), Violations> {
    let Some(server) = shared() else {
        return Ok(());
    };
    let database = server.database();
    let open = async || {
        database
            .open_with(|builder| builder.staleness(STALENESS))
            .await
    };
    Suite::new(open).staleness(STALENESS).run().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_behind_pgbouncer_in_transaction_mode_passes_the_suite() -> Result<(), Violations>
{
    let Some(server) = shared() else {
        return Ok(());
    };
    let Some(bouncer) = Bouncer::start(server.port) else {
        return Ok(());
    };
    let database = server.database();
    let open = async || {
        let store = PostgresStore::builder(keys(&[KEY]))
            .staleness(STALENESS)
            .connections(3);
        let url = database.secret_url("postgres", bouncer.port);
        store.open(&url).await.unwrap()
    };
    Suite::new(open).staleness(STALENESS).run().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_with_strict_isolation_passes_the_suite_without_a_cache()
-> Result<(), Violations> {
    let Some(server) = shared() else {
        return Ok(());
    };
    let database = server.database();
    let name = &database.name;
    server.sql(
        "postgres",
        &format!("ALTER DATABASE {name} SET default_transaction_isolation = 'serializable'"),
    );
    let open = async || {
        let set = |builder: tower_passthrough_postgres::PostgresStoreBuilder| {
            builder.staleness(Duration::ZERO).cache_entries(0)
        };
        database.open_with(set).await
    };
    Suite::new(open).staleness(Duration::ZERO).run().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_major_version_passes_the_suite() -> Result<(), Violations> {
    let Some(programs) = std::env::var_os("POSTGRES_OTHER_BIN") else {
        println!("skipped: POSTGRES_OTHER_BIN isn't set");
        return Ok(());
    };
    let server = Server::start_with(programs.into(), "");
    let database = server.database();
    let open = async || {
        database
            .open_with(|builder| builder.staleness(STALENESS))
            .await
    };
    Suite::new(open).staleness(STALENESS).run().await
}
