//! Servers that stop, stall, refuse, or become read-only, and the time after which the store works again without a restart.

use std::time::Duration;

use rustix::process::Signal;
use tokio::time::Instant;
use tower_passthrough::store::{ConnectionStore, GrantUpdate, RefreshLease, TokenStore};
use tower_passthrough::{Secret, StoreError};
use tower_passthrough_redis::{RedisStore, RedisStoreBuilder};

use super::server::name;
use super::{
    DURABLE, KEY, OTHER_KEY, Server, Stores, called, id, keys, prefix, redis, shared, token, told,
    valkey, with_token,
};

/// The maximum time of everything that ends by itself. It's long, because other tests and programs take the processors.
pub(crate) const PATIENCE: Duration = Duration::from_secs(180);

/// Tries until `attempt` succeeds, and returns its result. Fails after that time.
pub(crate) async fn within<T, E: std::fmt::Debug>(
    time: Duration,
    attempt: impl AsyncFn() -> Result<T, E>,
) -> T {
    let began = Instant::now();
    loop {
        match attempt().await {
            Ok(value) => return value,
            Err(error) => assert!(
                began.elapsed() < time,
                "still failing after {time:?}: {error:?}"
            ),
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

fn unavailable<T: std::fmt::Debug>(result: Result<T, StoreError>) -> String {
    match result {
        Err(StoreError::Unavailable(error)) => told(&*error),
        other => panic!("{other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn calls_go_on_while_the_server_stalls_and_others_fail_in_time() {
    let Some(server) = Server::start(DURABLE) else {
        return;
    };
    let set = |builder: RedisStoreBuilder| {
        builder
            .timeout(Duration::from_secs(3))
            .staleness(Duration::from_millis(50))
            .outage_grace(PATIENCE)
    };
    let store = server.open_with("tp", set).await;
    let strict = server
        .open_with("tp", |builder| set(builder).outage_grace(Duration::ZERO))
        .await;
    for name in ["warm", "cold"] {
        store.put(&id(name), &with_token(name)).await.unwrap();
    }
    for handle in [&store, &strict] {
        called(handle, &id("warm")).await.unwrap();
        called(handle, &id("warm")).await.unwrap();
        tokio::time::sleep(Duration::from_millis(60)).await;
        called(handle, &id("warm")).await.unwrap();
    }
    server.signal(Signal::STOP);
    tokio::time::sleep(Duration::from_millis(60)).await;
    let began = Instant::now();
    for _ in 0..3 {
        assert_eq!(token(&called(&store, &id("warm")).await.unwrap()), "warm");
    }
    for (handle, name) in [(&store, "cold"), (&strict, "warm")] {
        unavailable(called(handle, &id(name)).await);
    }
    let error = unavailable(store.put(&id("cold"), &with_token("new")).await);
    assert!(error.contains("timeout"), "{error}");
    // Each wait is at most 3 s.
    assert!(
        began.elapsed() < Duration::from_secs(60),
        "{:?}",
        began.elapsed()
    );
    server.signal(Signal::CONT);
    for (handle, name) in [(&store, "cold"), (&strict, "warm"), (&store, "warm")] {
        within(PATIENCE, async || called(handle, &id(name)).await).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_question_that_was_not_answered_in_time_makes_each_entry_be_compared() {
    let Some(server) = Server::start(DURABLE) else {
        return;
    };
    let set = |builder: RedisStoreBuilder| {
        let builder = builder.staleness(Duration::ZERO);
        builder
            .timeout(Duration::from_secs(3))
            .outage_grace(PATIENCE)
    };
    let store = server.open_with("tp", set).await;
    for name in ["acme", "gone"] {
        store.put(&id(name), &with_token("token")).await.unwrap();
    }
    for name in ["acme", "gone", "acme", "gone"] {
        called(&store, &id(name)).await.unwrap();
    }
    server.signal(Signal::STOP);
    called(&store, &id("gone")).await.unwrap();
    server.signal(Signal::CONT);
    // The log doesn't have the removal.
    server.set(&["DEL", &name(&server, "tp", "c", "gone")]);
    within(PATIENCE, async || match called(&store, &id("gone")).await {
        Err(StoreError::NotFound) => Ok(()),
        other => Err(format!("{other:?}")),
    })
    .await;
    assert_eq!(token(&called(&store, &id("acme")).await.unwrap()), "token");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_grace_ends_and_the_store_recovers_by_itself() {
    let Some(mut server) = Server::start(DURABLE) else {
        return;
    };
    const GRACE: Duration = Duration::from_secs(2);
    let set = |builder: RedisStoreBuilder| builder.staleness(Duration::ZERO).outage_grace(GRACE);
    let store = server.open_with("tp", set).await;
    store.put(&id("acme"), &with_token("token")).await.unwrap();
    called(&store, &id("acme")).await.unwrap();
    // The grace begins after this.
    let began = Instant::now();
    called(&store, &id("acme")).await.unwrap();
    server.crash();
    let error = loop {
        match called(&store, &id("acme")).await {
            Ok(found) => assert_eq!(token(&found), "token"),
            error => break error,
        }
        assert!(began.elapsed() < PATIENCE, "the grace doesn't end");
        tokio::time::sleep(Duration::from_millis(20)).await;
    };
    let served = began.elapsed();
    assert!(served >= GRACE, "the grace ended after {served:?}");
    unavailable(error);
    let port = server.port;
    server.run();
    assert_eq!(server.port, port, "another process took the port");
    // The server has restarted, so each entry is compared: this connection was removed behind the store's back.
    server.set(&["DEL", &name(&server, "tp", "c", "acme")]);
    within(PATIENCE, async || match called(&store, &id("acme")).await {
        Err(StoreError::NotFound) => Ok(()),
        other => Err(format!("{other:?}")),
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn after_a_fail_over_the_new_primary_is_used_and_the_old_one_is_not() {
    for program in [redis(), valkey()].into_iter().flatten() {
        let old = Server::start_with(&program, DURABLE);
        let new = old.replica(DURABLE);
        let url = Secret::from(format!(
            "redis://127.0.0.1:{},127.0.0.1:{}/0",
            old.port, new.port
        ));
        let builder = RedisStore::builder(keys(&[KEY])).staleness(Duration::from_millis(100));
        let store = builder.open(&url).await.unwrap();
        let mut versions = Vec::new();
        for name in ["kept", "gone"] {
            versions.push(store.put(&id(name), &with_token("old")).await.unwrap());
            called(&store, &id(name)).await.unwrap();
        }
        for number in 0..20 {
            let key = id(&format!("x{number}"));
            versions.push(store.put(&key, &with_token("x")).await.unwrap());
        }
        let lease = store
            .lease(&id("kept"), Duration::from_secs(1))
            .await
            .unwrap()
            .unwrap();
        // Later than the changes that this store has made itself, so that nothing else makes it compare the entries.
        for _ in 0..2 {
            tokio::time::sleep(Duration::from_millis(150)).await;
            for name in ["kept", "gone"] {
                called(&store, &id(name)).await.unwrap();
            }
        }
        old.wait_for(&new);
        // The old primary goes on to answer on the connections that the store has, and refuses writes.
        new.set(&["REPLICAOF", "NO", "ONE"]);
        old.set(&["REPLICAOF", "127.0.0.1", "1"]);
        new.set(&["DEL", &name(&new, "tp", "c", "gone")]);
        let began = Instant::now();
        let version = within(PATIENCE, async || {
            store.put(&id("kept"), &with_token("new")).await
        })
        .await;
        println!("writes went on after {:?}", began.elapsed());
        versions.push(version);
        let record = store.read(&id("kept")).await.unwrap();
        assert_eq!(
            (token(&record.connection), record.version),
            ("new".into(), version)
        );
        let stored = new.set(&["HGET", &name(&new, "tp", "c", "kept"), "v"]);
        assert_eq!(stored, version.get().to_string());
        // The cache was emptied, although the removal isn't in the log.
        within(PATIENCE, async || match called(&store, &id("gone")).await {
            Err(StoreError::NotFound) => Ok(()),
            other => Err(format!("{other:?}")),
        })
        .await;
        let next = store
            .lease(&id("kept"), Duration::from_secs(1))
            .await
            .unwrap()
            .unwrap();
        assert!(next.fence() > lease.fence());
        versions.push(store.put(&id("gone"), &with_token("again")).await.unwrap());
        let written = versions.len();
        versions.sort_unstable();
        versions.dedup();
        assert_eq!(versions.len(), written, "a version came twice");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_fail_over_by_sentinel_is_followed() {
    let Some(program) = redis() else {
        return;
    };
    let mut old = Server::start_with(&program, DURABLE);
    let new = old.replica(DURABLE);
    let sentinel = old.sentinel();
    let url = Secret::from(format!(
        "redis://127.0.0.1:{},127.0.0.1:{}",
        old.port, new.port
    ));
    let builder = RedisStore::builder(keys(&[KEY])).staleness(Duration::from_millis(100));
    let store = builder.outage_grace(PATIENCE * 2).open(&url).await.unwrap();
    for name in ["acme", "warm"] {
        store.put(&id(name), &with_token("old")).await.unwrap();
        called(&store, &id(name)).await.unwrap();
    }
    tokio::time::sleep(Duration::from_millis(150)).await;
    called(&store, &id("warm")).await.unwrap();
    old.wait_for(&new);
    sentinel.wait_for_replica();
    old.crash();
    let began = Instant::now();
    // On a busy machine, Sentinel notices the crash late, takes a rest of 30 s, or tries a second time after 10 s.
    within(PATIENCE, async || {
        // Calls go on as long as there is no other primary, with which connections in memory are then compared.
        match called(&store, &id("warm")).await {
            Ok(found) => assert_eq!(token(&found), "old"),
            Err(error) => assert_eq!(new.info("role"), "master", "{error:?}"),
        }
        store.put(&id("acme"), &with_token("new")).await
    })
    .await;
    println!(
        "writes went on after {:?}, Sentinel's detection included",
        began.elapsed()
    );
    for (name, expected) in [("acme", "new"), ("warm", "old")] {
        let found = within(PATIENCE, async || called(&store, &id(name)).await).await;
        assert_eq!(token(&found), expected);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_read_only_server_is_read_from_no_more() {
    let Some(server) = Server::start(DURABLE) else {
        return;
    };
    let set = |builder: RedisStoreBuilder| {
        builder
            .staleness(Duration::ZERO)
            .outage_grace(Duration::ZERO)
    };
    let store = server.open_with("tp", set).await;
    store.put(&id("acme"), &with_token("token")).await.unwrap();
    called(&store, &id("acme")).await.unwrap();
    // It still has its data, and answers commands that read.
    server.set(&["REPLICAOF", "127.0.0.1", "1"]);
    let read = unavailable(store.read(&id("acme")).await);
    assert!(read.contains("read-only"), "{read}");
    unavailable(called(&store, &id("acme")).await);
    unavailable(store.list(None, 1).await);
    assert!(store.check().await.is_err());
    let error = unavailable(store.put(&id("acme"), &with_token("new")).await);
    assert!(error.contains("read-only"), "{error}");
    server.set(&["REPLICAOF", "NO", "ONE"]);
    within(PATIENCE, async || {
        store.put(&id("acme"), &with_token("new")).await
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_was_a_replica_for_a_moment_makes_each_entry_be_compared() {
    let Some(server) = Server::start(DURABLE) else {
        return;
    };
    let store = server
        .open_with("tp", |builder| builder.staleness(Duration::ZERO))
        .await;
    store.put(&id("acme"), &with_token("token")).await.unwrap();
    for _ in 0..3 {
        called(&store, &id("acme")).await.unwrap();
    }
    // Between two calls, so that the store's connection stays open and no command is refused.
    server.set(&["REPLICAOF", "127.0.0.1", "1"]);
    server.set(&["REPLICAOF", "NO", "ONE"]);
    server.set(&["DEL", &name(&server, "tp", "c", "acme")]);
    within(PATIENCE, async || match called(&store, &id("acme")).await {
        Err(StoreError::NotFound) => Ok(()),
        other => Err(format!("{other:?}")),
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn idle_connections_that_the_server_has_ended_are_replaced() {
    let Some(server) = Server::start(DURABLE) else {
        return;
    };
    let store = server.open("tp").await;
    store.put(&id("acme"), &with_token("token")).await.unwrap();
    for _ in 0..5 {
        let ended = server.set(&["CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes"]);
        assert_ne!(ended, "0");
        store.read(&id("acme")).await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_forgets_its_scripts_gets_them_again() {
    let Some(server) = Server::start(DURABLE) else {
        return;
    };
    let store = server.open("tp").await;
    let version = store.put(&id("acme"), &with_token("token")).await.unwrap();
    server.set(&["SCRIPT", "FLUSH"]);
    assert_eq!(store.list(None, 10).await.unwrap().len(), 1);
    server.set(&["SCRIPT", "FLUSH"]);
    assert_eq!(store.read(&id("acme")).await.unwrap().version, version);
    server.set(&["SCRIPT", "FLUSH"]);
    let update = GrantUpdate::Refreshed(with_token("new"));
    let committed = store
        .commit(&id("acme"), version, RefreshLease::new(0), &update)
        .await;
    assert!(committed.unwrap().is_some());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_memory_refuses_new_connections_and_nothing_else() {
    let Some(server) = shared() else {
        return;
    };
    let store = server.open(&prefix()).await;
    store.put(&id("acme"), &with_token("token")).await.unwrap();
    let full = Server::start(DURABLE).unwrap();
    let other = full.open("tp").await;
    other.put(&id("acme"), &with_token("token")).await.unwrap();
    full.set(&["CONFIG", "SET", "maxmemory", "1mb"]);
    let error = unavailable(other.put(&id("beta"), &with_token("new")).await);
    assert!(error.contains("OOM"), "{error}");
    // All else goes on, above all the commit of a token that was rotated.
    let fresh = full.open("tp").await;
    let record = fresh.read(&id("acme")).await.unwrap();
    assert_eq!(token(&called(&fresh, &id("acme")).await.unwrap()), "token");
    fresh.check().await.unwrap();
    assert_eq!(fresh.list(None, 10).await.unwrap().len(), 1);
    let lease = fresh.lease(&id("acme"), Duration::from_secs(9)).await;
    let lease = lease.unwrap().unwrap();
    let update = GrantUpdate::Refreshed(with_token("rotated"));
    let key = id("acme");
    let committed = fresh.commit(&key, record.version, lease, &update);
    assert!(committed.await.unwrap().is_some());
    assert!(fresh.remove(&id("acme")).await.unwrap());
    full.set(&["CONFIG", "SET", "maxmemory", "0"]);
    other.put(&id("acme"), &with_token("new")).await.unwrap();
}

/// A primary refuses each script that may write, and the scripts that only read don't declare that, so that a replica refuses them.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_primary_that_refuses_writes_is_still_read() {
    for program in [redis(), valkey()].into_iter().flatten() {
        for cause in ["NOREPLICAS", "MISCONF"] {
            let server = Server::start_with(&program, DURABLE);
            let first = server.open("tp").await;
            let key = id("acme");
            let connection = with_token("token");
            let version = first.put(&key, &connection).await.unwrap();
            let set = |builder: RedisStoreBuilder| {
                let builder = builder.staleness(Duration::ZERO);
                builder.outage_grace(Duration::ZERO)
            };
            // Nothing is in memory.
            let store = server.open_with("tp", set).await;
            let strict = server
                .open_with("tp", |builder| set(builder).cache_entries(0))
                .await;
            refuse_writes(&server, cause).await;
            for handle in [&store, &strict] {
                for _ in 0..3 {
                    let found = called(handle, &key).await.unwrap();
                    assert_eq!(token(&found), "token");
                    assert_eq!(handle.read(&key).await.unwrap().version, version);
                    handle.check().await.unwrap();
                }
                let missing = called(handle, &id("missing")).await;
                assert!(matches!(missing, Err(StoreError::NotFound)), "{missing:?}");
                let writes = told(&handle.check_writes().await.unwrap_err());
                let update = GrantUpdate::Refreshed(with_token("new"));
                let lease = RefreshLease::new(0);
                let refused = [
                    writes,
                    unavailable(handle.lease(&key, Duration::from_secs(9)).await),
                    unavailable(handle.commit(&key, version, lease, &update).await),
                    unavailable(handle.put(&key, &connection).await),
                    unavailable(handle.remove(&key).await),
                ];
                for error in refused {
                    assert!(error.contains(cause), "{error}");
                }
            }
            // A replica isn't read from, although it runs the scripts that declare that they don't write.
            server.set(&["REPLICAOF", "127.0.0.1", "1"]);
            let error = unavailable(called(&strict, &key).await);
            assert!(error.contains("read-only"), "{error}");
            server.set(&["REPLICAOF", "NO", "ONE"]);
            for (name, value) in [("min-replicas-to-write", "0"), ("save", "")] {
                server.set(&["CONFIG", "SET", name, value]);
            }
            within(PATIENCE, async || store.check_writes().await).await;
            assert_eq!(store.read(&key).await.unwrap().version, version);
        }
    }
}

/// Makes a primary refuse writes: it has too few replicas, or couldn't write a snapshot.
async fn refuse_writes(server: &Server, cause: &str) {
    if cause == "NOREPLICAS" {
        server.set(&["CONFIG", "SET", "min-replicas-to-write", "1"]);
        return;
    }
    use std::os::unix::fs::PermissionsExt as _;
    let read_only = std::fs::Permissions::from_mode(0o555);
    std::fs::set_permissions(&server.folder, read_only).unwrap();
    server.set(&["CONFIG", "SET", "save", "3600 1"]);
    let began = Instant::now();
    while server.info("rdb_last_bgsave_status") != "err" {
        assert!(began.elapsed() < PATIENCE, "the snapshot doesn't fail");
        server.ask(&["BGSAVE"]);
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_flood_of_reads_is_refused_and_a_refresh_is_still_stored() {
    let Some(server) = Server::start(DURABLE) else {
        return;
    };
    let store = server
        .open_with("tp", |builder| builder.timeout(Duration::from_secs(30)))
        .await;
    let version = store.put(&id("acme"), &with_token("old")).await.unwrap();
    server.signal(Signal::STOP);
    let mut reads = tokio::task::JoinSet::new();
    for number in 0..200 {
        let store = store.clone();
        reads.spawn(async move { store.read(&id(&number.to_string())).await.map(drop) });
    }
    for refused in 0..200 - 128 {
        let Some(Ok(read)) = reads.join_next().await else {
            panic!("only {refused} reads were refused");
        };
        let error = unavailable(read);
        assert!(error.contains("too many operations"), "{error}");
    }
    let update = GrantUpdate::Refreshed(with_token("new"));
    let commit = {
        let store = store.clone();
        tokio::spawn(async move {
            store
                .commit(&id("acme"), version, RefreshLease::new(1), &update)
                .await
        })
    };
    tokio::task::yield_now().await;
    server.signal(Signal::CONT);
    while let Some(read) = reads.join_next().await {
        let read = read.unwrap();
        assert!(matches!(read, Err(StoreError::NotFound)), "{read:?}");
    }
    assert!(commit.await.unwrap().unwrap().is_some());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_write_that_too_few_replicas_have_fails_and_may_be_stored() {
    let Some(program) = valkey() else {
        return;
    };
    let server = Server::start_with(&program, DURABLE);
    let mut replica = server.replica(DURABLE);
    let store = server.open_with("tp", |builder| builder.replicas(1)).await;
    // A busy replica may be late.
    let mut version = within(PATIENCE, async || {
        store.put(&id("acme"), &with_token("0")).await
    })
    .await;
    // The time of an operation is shorter than the time of an acknowledgement.
    let set = |builder: RedisStoreBuilder| builder.replicas(1).timeout(Duration::from_millis(1500));
    let hurried = server.open_with("tp", set).await;
    replica.stop();
    // All of them wait at once, and share the acknowledgements.
    let before = server.calls("waitaof");
    let mut writes = tokio::task::JoinSet::new();
    for number in 0..8 {
        // All others come while the first is being acknowledged.
        let began = Instant::now();
        while number == 1 && server.info("blocked_clients") == "0" {
            assert!(began.elapsed() < PATIENCE, "no acknowledgement was seen");
            if writes.try_join_next().is_some() {
                break;
            }
        }
        let store = hurried.clone();
        writes.spawn(async move { store.put(&id(&number.to_string()), &with_token("x")).await });
    }
    while let Some(write) = writes.join_next().await {
        let error = unavailable(write.unwrap());
        assert!(error.contains("fewer servers than required"), "{error}");
    }
    let waits = server.calls("waitaof") - before;
    assert!((1..8).contains(&waits), "{waits}");
    let update = GrantUpdate::Refreshed(with_token("1"));
    unavailable(
        store
            .commit(&id("acme"), version, RefreshLease::new(0), &update)
            .await,
    );
    let record = store.read(&id("acme")).await.unwrap();
    assert_eq!(token(&record.connection), "1");
    // The same commit again changes nothing, and isn't a success either: a refresh that tries again must not use the token.
    let key = id("acme");
    let again = store.commit(&key, version, RefreshLease::new(0), &update);
    let error = unavailable(again.await);
    assert!(error.contains("fewer servers than required"), "{error}");
    unavailable(store.remove(&id("missing")).await);
    version = record.version;
    replica.run();
    let update = GrantUpdate::Refreshed(with_token("2"));
    let mut committed = store
        .commit(&id("acme"), version, RefreshLease::new(0), &update)
        .await;
    let began = Instant::now();
    while committed.is_err() && began.elapsed() < PATIENCE {
        version = store.read(&id("acme")).await.unwrap().version;
        committed = store
            .commit(&id("acme"), version, RefreshLease::new(0), &update)
            .await;
    }
    assert!(committed.unwrap().is_some());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_key_is_only_replaced_when_enough_replicas_have_all_records() {
    let Some(program) = valkey() else {
        return;
    };
    let server = Server::start_with(&program, DURABLE);
    let mut replica = server.replica(DURABLE);
    let old = server.open("tp").await;
    old.put(&id("acme"), &with_token("token")).await.unwrap();
    let new = RedisStore::builder(keys(&[OTHER_KEY, KEY])).replicas(1);
    let new = new.open(&server.url()).await.unwrap();
    replica.stop();
    // Also if all records are encrypted with the new key already.
    for _ in 0..2 {
        let error = told(&new.reencrypt().await.unwrap_err());
        assert!(error.contains("fewer servers than required"), "{error}");
    }
    replica.run();
    let report = within(PATIENCE, async || new.reencrypt().await).await;
    assert_eq!((report.connections, report.unreadable), (0, 0));
    let only = RedisStore::open(&server.url(), keys(&[OTHER_KEY])).await;
    let read = only.unwrap().read(&id("acme")).await.unwrap();
    assert_eq!(token(&read.connection), "token");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn reads_do_not_wait_for_the_acknowledgements_of_writes() {
    let Some(program) = valkey() else {
        return;
    };
    let server = Server::start_with(&program, DURABLE);
    // It has no replica.
    let store = server.open_with("tp", |builder| builder.replicas(1)).await;
    let mut writes = tokio::task::JoinSet::new();
    for number in 0..400 {
        let store = store.clone();
        writes.spawn(async move { store.put(&id(&number.to_string()), &with_token("x")).await });
    }
    let mut is_full = false;
    while let Some(write) = writes.join_next().await {
        let error = unavailable(write.unwrap());
        if !is_full && error.contains("too many operations") {
            is_full = true;
            let read = store.read(&id("missing")).await;
            assert!(matches!(read, Err(StoreError::NotFound)), "{read:?}");
        }
    }
    assert!(is_full, "no write was refused");
}

/// After a fail-over, the primary is a server that was never checked.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_new_primary_that_could_lose_connections_is_refused() {
    let Some(program) = redis() else {
        return;
    };
    let mut old = Server::start_with(&program, DURABLE);
    let new = old.replica("appendonly no\nmaxmemory-policy allkeys-lru\n");
    let url = Secret::from(format!(
        "redis://127.0.0.1:{},127.0.0.1:{}",
        old.port, new.port
    ));
    let store = RedisStore::open(&url, keys(&[KEY])).await.unwrap();
    store.put(&id("acme"), &with_token("old")).await.unwrap();
    old.wait_for(&new);
    old.crash();
    new.set(&["REPLICAOF", "NO", "ONE"]);
    let refused = async |why: &str| {
        within(PATIENCE, async || {
            let error = unavailable(store.put(&id("acme"), &with_token("new")).await);
            error.contains(why).then_some(()).ok_or(error)
        })
        .await;
    };
    refused("could lose stored connections: `maxmemory-policy`").await;
    new.set(&["CONFIG", "SET", "maxmemory-policy", "noeviction"]);
    refused("could lose stored connections: `appendonly`").await;
    new.set(&["CONFIG", "SET", "appendonly", "yes"]);
    refused("could lose stored connections: `appendfsync`").await;
    new.set(&["CONFIG", "SET", "appendfsync", "always"]);
    within(PATIENCE, async || {
        store.put(&id("acme"), &with_token("new")).await
    })
    .await;
}

/// Each host of the URL has its own time.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_host_that_answers_nothing_does_not_stop_the_next_host() {
    let (Some(away), Some(server)) = (Server::start(DURABLE), Server::start(DURABLE)) else {
        return;
    };
    away.signal(Signal::STOP);
    let url = format!("redis://127.0.0.1:{},127.0.0.1:{}", away.port, server.port);
    // A host has 5 s.
    let builder = RedisStore::builder(keys(&[KEY])).timeout(Duration::from_secs(4));
    let store = builder.open(&Secret::from(url)).await.unwrap();
    store.put(&id("acme"), &with_token("token")).await.unwrap();
    server.set(&["CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes"]);
    store.read(&id("acme")).await.unwrap();
}

/// While a fail-over isn't finished, two servers may say that they are the primary.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn reads_and_acknowledged_writes_go_to_the_same_server() {
    let Some(program) = valkey() else {
        return;
    };
    let old = Server::start_with(&program, DURABLE);
    let new = old.replica(DURABLE);
    let first = old.open("tp").await;
    first.put(&id("acme"), &with_token("old")).await.unwrap();
    old.wait_for(&new);
    let url = Secret::from(format!(
        "redis://127.0.0.1:{},127.0.0.1:{}",
        old.port, new.port
    ));
    let store = RedisStore::open(&url, keys(&[KEY])).await.unwrap();
    let read = store.read(&id("acme")).await.unwrap();
    assert_eq!(token(&read.connection), "old");
    new.set(&["REPLICAOF", "NO", "ONE"]);
    // It keeps the connection for reads, and refuses the connection for writes.
    old.set(&["CONFIG", "SET", "maxclients", "1"]);
    store.put(&id("acme"), &with_token("new")).await.unwrap();
    let read = store.read(&id("acme")).await.unwrap();
    assert_eq!(token(&read.connection), "new");
}
