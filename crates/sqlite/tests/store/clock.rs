//! Leases depend on the clock of the machine, which may be set to another time.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rusqlite::Connection as Sqlite;
use tower_passthrough::store::{ConnectionStore, TokenStore};

use super::{Folder, id, with_token};

#[tokio::test]
async fn a_clock_that_was_set_back_does_not_prolong_a_lease() {
    const HOUR: i64 = 3_600_000;
    let folder = Folder::new();
    let store = folder.open().await;
    let sqlite = Sqlite::open(folder.file()).unwrap();
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    let now = i64::try_from(now.as_millis()).unwrap();
    // The times at which a lease was taken and at which the lease ends, by the present clock, and whether the lease
    // still counts.
    for (from, until, holds) in [
        (now - HOUR, now + HOUR, true),
        // A lease that was taken a moment ago, by a clock that was adjusted slightly since then.
        (now + 1000, now + HOUR, true),
        (now + HOUR, now + 2 * HOUR, false),
        (now - 2 * HOUR, now - HOUR, false),
    ] {
        store.put(&id("acme"), &with_token("token")).await.unwrap();
        store
            .lease(&id("acme"), Duration::from_secs(60))
            .await
            .unwrap();
        sqlite
            .execute(
                "UPDATE connections SET leased_at = ?1, leased_until = ?2",
                [from, until],
            )
            .unwrap();
        let lease = store
            .lease(&id("acme"), Duration::from_secs(60))
            .await
            .unwrap();
        assert_eq!(lease.is_none(), holds, "{}", from - now);
    }
}

#[tokio::test]
async fn a_lease_that_is_too_long_is_an_error() {
    let folder = Folder::new();
    let store = folder.open().await;
    store.put(&id("acme"), &with_token("token")).await.unwrap();
    store.lease(&id("acme"), Duration::MAX).await.unwrap_err();
    store
        .lease(&id("acme"), Duration::from_secs(60))
        .await
        .unwrap()
        .unwrap();
}
