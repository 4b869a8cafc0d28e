//! The conformance suite for stores.

use std::time::Duration;

use tower_passthrough::conformance::{self, Violations};
use tower_passthrough_sqlite::SqliteStore;

use super::{Folder, KEY, keys};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_passes_the_conformance_suite() -> Result<(), Violations> {
    let folder = Folder::new();
    let suite = conformance::Suite::new(async || folder.open().await);
    suite.staleness(Duration::from_secs(1)).run().await
}

#[tokio::test]
async fn a_file_without_a_cache_passes_the_suite_without_a_wait() -> Result<(), Violations> {
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
async fn a_cache_without_staleness_is_never_stale() -> Result<(), Violations> {
    let folder = Folder::new();
    let open = async || {
        let store = SqliteStore::builder(keys(&[KEY])).staleness(Duration::ZERO);
        store.open(folder.file()).await.unwrap()
    };
    let suite = conformance::Suite::new(open).staleness(Duration::ZERO);
    suite.run().await
}
