//! Leases are by the machine's clock, which may be set.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rusqlite::Connection as Sqlite;
use tower_passthrough::store::{ConnectionStore, TokenStore};

use super::{Folder, id, with_token};

#[tokio::test]
async fn a_clock_that_was_set_back_makes_no_lease_longer() {
    const HOUR: i64 = 3_600_000;
    let folder = Folder::new();
    let store = folder.open().await;
    let sqlite = Sqlite::open(folder.file()).unwrap();
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    let now = i64::try_from(now.as_millis()).unwrap();
    // When a lease was taken and when it ends, as the clock is now; whether it counts.
    for (from, until, holds) in [
        (now - HOUR, now + HOUR, true),
        // Taken a moment ago, by a clock that was slewed since.
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
async fn a_lease_beyond_all_time_is_an_error() {
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
