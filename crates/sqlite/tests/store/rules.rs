//! The rules of each store.

use std::time::Duration;

use tower_passthrough::conformance::{self, Violations};
use tower_passthrough_sqlite::SqliteStore;

use super::{Folder, KEY, keys};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_keeps_the_rules_of_each_store() -> Result<(), Violations> {
    let folder = Folder::new();
    let suite = conformance::Suite::new(async || folder.open().await);
    suite.staleness(Duration::from_secs(1)).run().await
}

#[tokio::test]
async fn a_file_without_a_cache_keeps_them_at_once() -> Result<(), Violations> {
    let folder = Folder::new();
    let open = async || {
        let store = SqliteStore::builder(keys(&[KEY])).cache_entries(0);
        let store = store.staleness(Duration::ZERO).open(folder.file()).await;
        store.unwrap()
    };
    let suite = conformance::Suite::new(open).staleness(Duration::ZERO);
    suite.run().await
}

#[tokio::test]
async fn a_cache_that_asks_each_time_is_never_stale() -> Result<(), Violations> {
    let folder = Folder::new();
    let open = async || {
        let store = SqliteStore::builder(keys(&[KEY])).staleness(Duration::ZERO);
        store.open(folder.file()).await.unwrap()
    };
    let suite = conformance::Suite::new(open).staleness(Duration::ZERO);
    suite.run().await
}
