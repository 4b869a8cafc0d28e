//! The changes that a cache may hide, the time for which it may hide them, and the statements that it saves.

use std::sync::Arc;
use std::time::Duration;

use tower_passthrough::StoreError;
use tower_passthrough::store::{ConnectionStore, TokenStore};
use tower_passthrough_postgres::PostgresStore;

use testkit::postgres::Database;

use super::server::Stores;
use super::{called, id, shared, token, with_token};

/// The number of times that connections were looked up.
fn look_ups(database: &Database<'_>) -> u64 {
    calls(database, "CASE WHEN c.version")
}

fn calls(database: &Database<'_>, part: &str) -> u64 {
    let count = database.sql(&format!(
        "SELECT coalesce(sum(calls), 0) FROM pg_stat_statements s JOIN pg_database d ON d.oid = s.dbid
         WHERE d.datname = current_database() AND query LIKE '%{part}%' AND query NOT LIKE '%pg_stat%'"
    ));
    count.parse().unwrap()
}

/// Returns a handle that asks for changes at each call.
async fn eager(database: &Database<'_>) -> PostgresStore {
    database
        .open_with(|builder| builder.staleness(Duration::ZERO).connections(1))
        .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn warm_calls_of_fifty_handles_read_nothing_and_a_put_is_read_once_by_each() {
    const HANDLES: usize = 50;
    const STALENESS: Duration = Duration::from_millis(500);
    let Some(server) = shared() else {
        return;
    };
    let database = server.database();
    database.sql("CREATE EXTENSION pg_stat_statements");
    let mut handles = Vec::new();
    for _ in 0..HANDLES {
        handles.push(
            database
                .open_with(|builder| builder.connections(1).staleness(STALENESS))
                .await,
        );
    }
    for number in 0..4 {
        let name = number.to_string();
        handles[0]
            .put(&id(&name), &with_token("old"))
            .await
            .unwrap();
    }
    // Each handle reads its cursor first, and then the connections.
    for _ in 0..2 {
        for handle in &handles {
            for number in 0..4 {
                called(handle, &id(&number.to_string())).await.unwrap();
            }
        }
    }
    tokio::time::sleep(STALENESS).await;
    for handle in &handles {
        for number in 0..4 {
            called(handle, &id(&number.to_string())).await.unwrap();
        }
    }
    let (warm, asked) = (
        look_ups(&database),
        calls(&database, "pg_visible_in_snapshot"),
    );
    let began = tokio::time::Instant::now();
    let mut tasks = Vec::new();
    for handle in &handles {
        let handle = handle.clone();
        tasks.push(tokio::spawn(async move {
            for number in 0..200 {
                called(&handle, &id(&(number % 4).to_string()))
                    .await
                    .unwrap();
            }
        }));
    }
    for task in tasks {
        task.await.unwrap();
    }
    let periods = u64::try_from(began.elapsed().as_millis() / STALENESS.as_millis()).unwrap() + 2;
    assert_eq!(look_ups(&database) - warm, 0, "warm calls read connections");
    let asked = calls(&database, "pg_visible_in_snapshot") - asked;
    assert!(asked <= periods * HANDLES as u64, "{asked} in {periods}");

    let before = look_ups(&database);
    handles[0].put(&id("0"), &with_token("new")).await.unwrap();
    tokio::time::sleep(STALENESS).await;
    for _ in 0..3 {
        for handle in &handles {
            assert_eq!(token(&called(handle, &id("0")).await.unwrap()), "new");
        }
    }
    assert_eq!(look_ups(&database) - before, HANDLES as u64);
}

#[tokio::test]
async fn a_change_of_a_long_transaction_is_neither_missed_nor_seen_twice() {
    let Some(server) = shared() else {
        return;
    };
    let database = server.database();
    database.sql("CREATE EXTENSION pg_stat_statements");
    let (store, other) = (eager(&database).await, eager(&database).await);
    for name in ["late", "early"] {
        other.put(&id(name), &with_token("old")).await.unwrap();
        called(&store, &id(name)).await.unwrap();
        called(&store, &id(name)).await.unwrap();
    }
    let mut client = database.client().await;
    let transaction = client.transaction().await.unwrap();
    // It takes its number now, and commits after transactions with higher numbers.
    store
        .put_within(&transaction, &id("late"), &with_token("new"))
        .await
        .unwrap();
    other.put(&id("early"), &with_token("new")).await.unwrap();
    assert_eq!(token(&called(&store, &id("early")).await.unwrap()), "new");
    assert_eq!(token(&called(&store, &id("late")).await.unwrap()), "old");
    let highest = database.sql("SELECT max(tx::text::bigint) FROM passthrough.changes");
    transaction.commit().await.unwrap();

    // A cursor that is the highest number so far misses the change.
    let missed =
        format!("SELECT count(*) FROM passthrough.changes WHERE tx::text::bigint > {highest}");
    assert_eq!(database.sql(&missed), "0");
    assert_eq!(token(&called(&store, &id("late")).await.unwrap()), "new");

    let seen = look_ups(&database);
    for _ in 0..10 {
        for name in ["late", "early"] {
            called(&store, &id(name)).await.unwrap();
        }
    }
    // A change that is reported again would be compared again.
    assert_eq!(look_ups(&database), seen);
}

#[tokio::test]
async fn a_transaction_that_is_rolled_back_puts_nothing() {
    let Some(server) = shared() else {
        return;
    };
    let database = server.database();
    let store = eager(&database).await;
    database.sql("CREATE TABLE customers (name text)");
    let mut client = database.client().await;
    for (name, commits) in [("rolled back", false), ("committed", true)] {
        let transaction = client.transaction().await.unwrap();
        transaction
            .execute("INSERT INTO customers VALUES ($1)", &[&name])
            .await
            .unwrap();
        let version = store
            .put_within(&transaction, &id(name), &with_token(name))
            .await
            .unwrap();
        match commits {
            true => transaction.commit().await.unwrap(),
            false => transaction.rollback().await.unwrap(),
        }
        let found = store.read(&id(name)).await;
        assert_eq!(
            found.map(|record| record.version).ok(),
            commits.then_some(version)
        );
    }
    assert_eq!(database.sql("SELECT name FROM customers"), "committed");
}

#[tokio::test]
async fn all_connections_are_put_or_none() {
    let Some(server) = shared() else {
        return;
    };
    let database = server.database();
    let store = database.open().await;
    let many: Vec<_> = (0..50)
        .rev()
        .map(|number: u32| {
            let name = format!("{number:02}");
            (id(&name), with_token(&name))
        })
        .collect();
    let mut twice = many.clone();
    twice.push((id("07"), with_token("last")));
    let versions = store.put_all(&twice).await.unwrap();
    assert_eq!(versions.len(), 51);
    for ((key, connection), version) in many.iter().zip(&versions) {
        let record = store.read(key).await.unwrap();
        if key.as_str() == "07" {
            assert_eq!(
                (token(&record.connection), record.version),
                ("last".into(), versions[50])
            );
        } else {
            assert_eq!(
                (token(&record.connection), record.version),
                (token(connection), *version)
            );
        }
    }
    // The last row of the transaction is refused.
    database.sql("ALTER TABLE passthrough.connections ADD CHECK (id <> '99')");
    let mut refused = vec![
        (id("99"), with_token("99")),
        (id("00"), with_token("other")),
    ];
    refused.push((id("50"), with_token("other")));
    let error = store.put_all(&refused).await.unwrap_err();
    assert!(matches!(error, StoreError::Unavailable(_)), "{error:?}");
    assert_eq!(token(&called(&store, &id("00")).await.unwrap()), "00");
    assert!(matches!(
        store.read(&id("50")).await,
        Err(StoreError::NotFound)
    ));
    // The connection to the database can be used again, or was replaced.
    store.put(&id("50"), &with_token("50")).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn transactions_of_the_same_keys_in_another_order_all_take_effect() {
    let Some(server) = shared() else {
        return;
    };
    let database = server.database();
    let store = Arc::new(database.open_with(|builder| builder.connections(4)).await);
    let mut tasks = Vec::new();
    for task in 0..4 {
        let store = Arc::clone(&store);
        tasks.push(tokio::spawn(async move {
            for _ in 0..5 {
                let mut many: Vec<_> = (0..10)
                    .map(|n: u32| (id(&n.to_string()), with_token("x")))
                    .collect();
                if task % 2 == 0 {
                    many.reverse();
                }
                store.put_all(&many).await.unwrap();
            }
        }));
    }
    for task in tasks {
        task.await.unwrap();
    }
}

#[tokio::test]
async fn more_changes_than_are_read_mean_that_each_entry_is_compared() {
    let Some(server) = shared() else {
        return;
    };
    let database = server.database();
    let (store, other) = (eager(&database).await, eager(&database).await);
    other.put(&id("acme"), &with_token("old")).await.unwrap();
    called(&store, &id("acme")).await.unwrap();
    database.sql(
        "INSERT INTO passthrough.changes (id) SELECT 'x' || n FROM generate_series(1, 20000) n",
    );
    other.put(&id("acme"), &with_token("new")).await.unwrap();
    assert_eq!(token(&called(&store, &id("acme")).await.unwrap()), "new");
}

#[tokio::test]
async fn changes_are_deleted_an_hour_after_all_processes_could_read_them() {
    let Some(server) = shared() else {
        return;
    };
    let database = server.database();
    let store = database.open().await;
    let count = || database.sql("SELECT count(*) FROM passthrough.changes");
    store.put(&id("acme"), &with_token("token")).await.unwrap();
    database.sql("INSERT INTO passthrough.leases VALUES ('gone', 1, '2020-01-01'), ('acme', 2, '2020-01-01')");
    let mark = |age: &str| {
        database.sql(&format!(
            "INSERT INTO passthrough.marks VALUES (now() - interval '{age}', pg_snapshot_xmin(pg_current_snapshot()))"
        ));
    };
    let marks = || {
        database
            .sql("SELECT count(*) FROM passthrough.marks")
            .parse::<u64>()
            .unwrap()
    };
    let swept_after = async |age: &str, expected: &str| {
        mark(age);
        let before = marks();
        // Opening a store begins with a sweep in a task.
        let _store = database.open().await;
        for _ in 0..200 {
            if count() == expected && marks() != before {
                return;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        panic!("{} changes and {} marks are left", count(), marks());
    };
    swept_after("59 minutes", "1").await;
    swept_after("61 minutes", "0").await;
    assert_eq!(
        database.sql("SELECT string_agg(id, ',') FROM passthrough.leases"),
        "acme"
    );
    // The fence of a row that was deleted is still followed by a higher fence.
    let lease = store
        .lease(&id("acme"), Duration::from_secs(60))
        .await
        .unwrap()
        .unwrap();
    assert!(lease.fence() > 1_000_000_000_000);
}

/// A lease may be left without a connection, for example after a restore from a backup.
#[tokio::test]
async fn a_restored_connection_has_no_lease() {
    let Some(server) = shared() else {
        return;
    };
    let database = server.database();
    let store = eager(&database).await;
    let key = id("a");
    store.put(&key, &with_token("old")).await.unwrap();
    let stored = store.read(&key).await.unwrap();
    let time = Duration::from_secs(600);
    let old = store.lease(&key, time).await.unwrap().unwrap();
    database.sql("DELETE FROM passthrough.connections");
    let restored = store.restore(&key, &stored, None).await.unwrap();
    assert!(restored.is_some());
    assert!(!store.extend(&key, old, time).await.unwrap());
    assert!(store.lease(&key, time).await.unwrap().is_some());
}
