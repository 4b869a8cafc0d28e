//! Servers that stop, stall, refuse, or become read-only, and the time after which the store works again without a restart.

use std::collections::BTreeSet;
use std::time::Duration;

use rustix::process::Signal;
use tokio::time::Instant;
use tower_passthrough::store::{ConnectionStore, GrantUpdate, RefreshLease, TokenStore};
use tower_passthrough::{Secret, StoreError};
use tower_passthrough_postgres::PostgresStore;

use super::{KEY, Server, Stores, called, id, keys, shared, token, told, with_token};

/// Tries until `attempt` succeeds, and returns its result. Fails after that time.
async fn within<T, E: std::fmt::Debug>(
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

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn calls_go_on_while_the_server_stalls_and_others_fail_in_time() {
    let Some(server) = Server::start("") else {
        return;
    };
    let database = server.database();
    let set = |builder: tower_passthrough_postgres::PostgresStoreBuilder| {
        builder
            .statement_timeout(Duration::from_secs(1))
            .staleness(Duration::from_millis(50))
    };
    let (store, strict) = (
        database.open_with(set).await,
        database
            .open_with(|builder| set(builder).outage_grace(Duration::ZERO))
            .await,
    );
    for name in ["warm", "cold"] {
        store.put(&id(name), &with_token(name)).await.unwrap();
    }
    for handle in [&store, &strict] {
        called(handle, &id("warm")).await.unwrap();
        called(handle, &id("warm")).await.unwrap();
    }
    server.signal(Signal::STOP);
    tokio::time::sleep(Duration::from_millis(60)).await;
    let began = Instant::now();
    for _ in 0..3 {
        assert_eq!(token(&called(&store, &id("warm")).await.unwrap()), "warm");
    }
    for (handle, name) in [(&store, "cold"), (&strict, "warm")] {
        let error = called(handle, &id(name)).await.unwrap_err();
        assert!(matches!(error, StoreError::Unavailable(_)), "{error:?}");
    }
    let error = store
        .put(&id("cold"), &with_token("new"))
        .await
        .unwrap_err();
    let StoreError::Unavailable(error) = error else {
        panic!("{error:?}");
    };
    assert!(told(&*error).contains("timeout"), "{}", told(&*error));
    // Each wait is at most 2 s.
    assert!(
        began.elapsed() < Duration::from_secs(20),
        "{:?}",
        began.elapsed()
    );
    server.signal(Signal::CONT);
    for (handle, name) in [(&store, "cold"), (&strict, "warm"), (&store, "warm")] {
        within(Duration::from_secs(15), async || {
            called(handle, &id(name)).await
        })
        .await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_grace_ends_and_the_store_recovers_by_itself() {
    let Some(mut server) = Server::start("") else {
        return;
    };
    let (name, url, port) = {
        let database = server.database();
        let url = database.secret();
        (database.name, url, server.port)
    };
    let builder = PostgresStore::builder(keys(&[KEY])).staleness(Duration::ZERO);
    let store = builder
        .outage_grace(Duration::from_secs(2))
        .open(&url)
        .await
        .unwrap();
    store.put(&id("acme"), &with_token("token")).await.unwrap();
    called(&store, &id("acme")).await.unwrap();
    called(&store, &id("acme")).await.unwrap();
    server.crash();
    let began = Instant::now();
    assert_eq!(token(&called(&store, &id("acme")).await.unwrap()), "token");
    let error = loop {
        match called(&store, &id("acme")).await {
            Ok(_) => assert!(
                began.elapsed() < Duration::from_secs(20),
                "the grace doesn't end"
            ),
            Err(error) => break error,
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    };
    assert!(matches!(error, StoreError::Unavailable(_)), "{error:?}");
    assert!(
        began.elapsed() >= Duration::from_secs(1),
        "the grace ended after {:?}",
        began.elapsed()
    );
    server.run();
    assert_eq!(server.port, port, "another process took the port");
    // The server has restarted, so each entry is compared: this one was removed behind the store's back.
    server.sql(&name, "DELETE FROM passthrough.connections");
    let gone = within(Duration::from_secs(15), async || {
        match called(&store, &id("acme")).await {
            Err(StoreError::NotFound) => Ok(()),
            other => Err(format!("{other:?}")),
        }
    });
    gone.await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn after_a_fail_over_the_new_primary_is_used_and_the_old_one_is_not() {
    let Some(server) = Server::start("") else {
        return;
    };
    let database = server.database();
    let standby = server.standby();
    let hosts = format!("127.0.0.1:{},127.0.0.1:{}", server.port, standby.port);
    let url = Secret::from(format!("postgres://postgres@{hosts}/{}", database.name));
    let builder = PostgresStore::builder(keys(&[KEY])).staleness(Duration::from_millis(100));
    let store = builder.open(&url).await.unwrap();
    let mut versions = Vec::new();
    for name in ["kept", "gone"] {
        versions.push(store.put(&id(name), &with_token("old")).await.unwrap());
        called(&store, &id(name)).await.unwrap();
        called(&store, &id(name)).await.unwrap();
    }
    for number in 0..20 {
        versions.push(
            store
                .put(&id(&format!("x{number}")), &with_token("x"))
                .await
                .unwrap(),
        );
    }
    let replayed = "SELECT count(*) FROM passthrough.connections";
    within(Duration::from_secs(20), async || {
        match standby.sql(&database.name, replayed).as_str() {
            "22" => Ok(()),
            other => Err(other.to_owned()),
        }
    })
    .await;

    // Later than the changes that this store has made itself, so that nothing else makes it compare the entries.
    for _ in 0..2 {
        tokio::time::sleep(Duration::from_millis(150)).await;
        for name in ["kept", "gone"] {
            called(&store, &id(name)).await.unwrap();
        }
    }

    // The old primary goes on to answer on the connections that the store has, and refuses writes.
    server.configure("default_transaction_read_only = on");
    server.reload();
    standby.promote();
    standby.sql(
        &database.name,
        "DELETE FROM passthrough.connections WHERE id = 'gone'",
    );
    let began = Instant::now();
    let version = within(Duration::from_secs(15), async || {
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
    assert_eq!(
        standby.sql(
            &database.name,
            "SELECT version FROM passthrough.connections WHERE id = 'kept'"
        ),
        version.get().to_string()
    );
    // The cache was emptied, although the row's removal isn't in the table of changes.
    within(Duration::from_secs(5), async || {
        match called(&store, &id("gone")).await {
            Err(StoreError::NotFound) => Ok(()),
            other => Err(format!("{other:?}")),
        }
    })
    .await;
    versions.push(store.put(&id("gone"), &with_token("again")).await.unwrap());
    let written = versions.len();
    versions.sort_unstable();
    versions.dedup();
    assert_eq!(versions.len(), written, "a version came twice");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_read_only_server_is_read_from_no_more() {
    let Some(server) = Server::start("") else {
        return;
    };
    let database = server.database();
    let store = database
        .open_with(|builder| {
            builder
                .staleness(Duration::ZERO)
                .outage_grace(Duration::ZERO)
        })
        .await;
    store.put(&id("acme"), &with_token("token")).await.unwrap();
    server.configure("default_transaction_read_only = on");
    server.reload();
    within(Duration::from_secs(10), async || {
        match store.read(&id("acme")).await {
            Err(StoreError::Unavailable(_)) => Ok(()),
            other => Err(format!("{other:?}")),
        }
    })
    .await;
    assert!(matches!(
        called(&store, &id("acme")).await,
        Err(StoreError::Unavailable(_))
    ));
    let error = store
        .put(&id("acme"), &with_token("new"))
        .await
        .unwrap_err();
    let StoreError::Unavailable(error) = error else {
        panic!("{error:?}");
    };
    assert!(told(&*error).contains("read-only"), "{}", told(&*error));
    server.configure("default_transaction_read_only = off");
    server.reload();
    within(Duration::from_secs(15), async || {
        store.put(&id("acme"), &with_token("new")).await
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn idle_connections_that_the_server_has_ended_are_replaced() {
    let Some(server) = shared() else {
        return;
    };
    let database = server.database();
    let store = database.open().await;
    store.put(&id("acme"), &with_token("token")).await.unwrap();
    let end = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
        WHERE datname = current_database() AND pid <> pg_backend_pid()";
    for _ in 0..5 {
        assert_ne!(database.sql(end), "0");
        store.read(&id("acme")).await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_with_too_many_connections_is_tried_again_later() {
    let Some(server) = shared() else {
        return;
    };
    let database = server.database();
    let store = database.open().await;
    store.put(&id("acme"), &with_token("token")).await.unwrap();
    let user = format!("limited_{}", database.name);
    database.sql(&format!("CREATE ROLE {user} LOGIN SUPERUSER"));
    let url = database.secret_url(&user, server.port);
    let builder = PostgresStore::builder(keys(&[KEY])).connections(1);
    let limited = builder.open(&url).await.unwrap();
    database.sql(&format!("ALTER ROLE {user} NOSUPERUSER CONNECTION LIMIT 0"));
    database.sql(&format!("GRANT USAGE ON SCHEMA passthrough TO {user}"));
    database.sql(&format!(
        "GRANT ALL ON ALL TABLES IN SCHEMA passthrough TO {user}"
    ));
    database.sql(&format!(
        "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE usename = '{user}'"
    ));
    let error = within(Duration::from_secs(5), async || {
        match limited.read(&id("acme")).await {
            Err(StoreError::Unavailable(error)) => Ok(error),
            other => Err(format!("{other:?}")),
        }
    })
    .await;
    let shown = format!("{} {error:?}", told(&*error));
    assert!(shown.contains("53300") && !shown.contains(&user), "{shown}");
    database.sql(&format!("ALTER ROLE {user} CONNECTION LIMIT -1"));
    within(Duration::from_secs(10), async || {
        limited.read(&id("acme")).await
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_flood_of_reads_is_refused_and_a_refresh_is_still_stored() {
    let Some(server) = shared() else {
        return;
    };
    let database = server.database();
    let store = database.open_with(|builder| builder.connections(1)).await;
    let version = store.put(&id("acme"), &with_token("old")).await.unwrap();
    // Reads wait for this lock.
    let client = database.client().await;
    client
        .batch_execute("BEGIN; LOCK TABLE passthrough.connections IN ACCESS EXCLUSIVE MODE")
        .await
        .unwrap();
    let mut reads = tokio::task::JoinSet::new();
    for number in 0..100 {
        let store = store.clone();
        reads.spawn(async move { store.read(&id(&number.to_string())).await.map(drop) });
    }
    let mut overloaded = 0;
    while overloaded < 100 - 65 {
        let Some(Ok(Err(StoreError::Unavailable(error)))) = reads.join_next().await else {
            panic!("only {overloaded} reads were refused");
        };
        assert!(
            told(&*error).contains("too many operations"),
            "{}",
            told(&*error)
        );
        overloaded += 1;
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
    client.batch_execute("COMMIT").await.unwrap();
    while let Some(read) = reads.join_next().await {
        let read = read.unwrap();
        assert!(matches!(read, Err(StoreError::NotFound)), "{read:?}");
    }
    assert!(commit.await.unwrap().unwrap().is_some());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_question_for_changes_does_not_wait_behind_slow_reads() {
    const STALENESS: Duration = Duration::from_millis(50);
    let Some(server) = shared() else {
        return;
    };
    let database = server.database();
    let strict = |builder: tower_passthrough_postgres::PostgresStoreBuilder| {
        builder
            .connections(4)
            .staleness(STALENESS)
            .outage_grace(Duration::ZERO)
    };
    let store = database.open_with(strict).await;
    store.put(&id("warm"), &with_token("warm")).await.unwrap();
    for _ in 0..2 {
        called(&store, &id("warm")).await.unwrap();
        tokio::time::sleep(STALENESS).await;
    }
    // Reads wait for this lock, and the question for changes doesn't.
    let client = database.client().await;
    client
        .batch_execute("BEGIN; LOCK TABLE passthrough.connections IN ACCESS EXCLUSIVE MODE")
        .await
        .unwrap();
    let mut reads = tokio::task::JoinSet::new();
    for number in 0..40 {
        let store = store.clone();
        reads.spawn(async move { store.read(&id(&number.to_string())).await.map(drop) });
    }
    let waiting = "SELECT count(*) >= 3 FROM pg_locks WHERE NOT granted AND database = \
                   (SELECT oid FROM pg_database WHERE datname = current_database())";
    let began = Instant::now();
    while database.sql(waiting) != "t" {
        assert!(began.elapsed() < Duration::from_secs(60), "no read waits");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    tokio::time::sleep(STALENESS).await;
    let warm = called(&store, &id("warm")).await;
    client.batch_execute("COMMIT").await.unwrap();
    assert_eq!(token(&warm.unwrap()), "warm");
    while let Some(read) = reads.join_next().await {
        let read = read.unwrap();
        assert!(matches!(read, Err(StoreError::NotFound)), "{read:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_late_answer_of_a_server_that_answers_others_closes_only_its_own_connection() {
    let Some(server) = shared() else {
        return;
    };
    let database = server.database();
    let set = |builder: tower_passthrough_postgres::PostgresStoreBuilder| {
        builder.connections(4).staleness(Duration::ZERO)
    };
    let store = database.open_with(set).await;
    store.put(&id("warm"), &with_token("warm")).await.unwrap();
    for _ in 0..2 {
        called(&store, &id("warm")).await.unwrap();
    }
    let client = database.client().await;
    let lock =
        |table: &str| format!("BEGIN; LOCK TABLE passthrough.{table} IN ACCESS EXCLUSIVE MODE");
    // Returns the server's processes of three connections on which reads wait for a lock.
    let waiting = async || {
        client.batch_execute(&lock("connections")).await.unwrap();
        let mut reads = tokio::task::JoinSet::new();
        for _ in 0..3 {
            let store = store.clone();
            reads.spawn(async move { store.read(&id("cold")).await.map(drop) });
        }
        let began = Instant::now();
        let pids = loop {
            let pids = database.sql(
                "SELECT pid FROM pg_stat_activity
                 WHERE datname = current_database() AND wait_event_type = 'Lock'",
            );
            let pids: BTreeSet<String> = pids.lines().map(str::to_owned).collect();
            if pids.len() == 3 {
                break pids;
            }
            assert!(began.elapsed() < Duration::from_secs(60), "no read waits");
            tokio::time::sleep(Duration::from_millis(10)).await;
        };
        client.batch_execute("COMMIT").await.unwrap();
        while let Some(read) = reads.join_next().await {
            assert!(matches!(read.unwrap(), Err(StoreError::NotFound)));
        }
        pids
    };
    let before = waiting().await;

    // The question for changes waits for this lock, and reads don't.
    client.batch_execute(&lock("changes")).await.unwrap();
    let question = {
        let store = store.clone();
        tokio::spawn(async move { called(&store, &id("warm")).await })
    };
    while !question.is_finished() {
        let read = store.read(&id("cold")).await;
        assert!(matches!(read, Err(StoreError::NotFound)), "{read:?}");
    }
    assert_eq!(token(&question.await.unwrap().unwrap()), "warm");
    client.batch_execute("COMMIT").await.unwrap();
    let after = waiting().await;
    let opened = after.difference(&before).count();
    assert!(opened <= 1, "{opened} connections were opened again");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn after_a_late_answer_the_next_question_has_the_time_of_other_statements() {
    let Some(server) = shared() else {
        return;
    };
    let database = server.database();
    let patient = |builder: tower_passthrough_postgres::PostgresStoreBuilder| {
        builder
            .staleness(Duration::ZERO)
            .statement_timeout(Duration::from_secs(60))
    };
    let (store, other) = (database.open_with(patient).await, database.open().await);
    store.put(&id("acme"), &with_token("old")).await.unwrap();
    for _ in 0..2 {
        called(&store, &id("acme")).await.unwrap();
    }
    other.put(&id("acme"), &with_token("new")).await.unwrap();
    let client = database.client().await;
    client
        .batch_execute("BEGIN; LOCK TABLE passthrough.changes IN ACCESS EXCLUSIVE MODE")
        .await
        .unwrap();
    // This answer is late, so the entry in memory is used.
    assert_eq!(token(&called(&store, &id("acme")).await.unwrap()), "old");
    let next = {
        let store = store.clone();
        tokio::spawn(async move { called(&store, &id("acme")).await })
    };
    // Longer than the first question had.
    tokio::time::sleep(Duration::from_secs(3)).await;
    client.batch_execute("COMMIT").await.unwrap();
    assert_eq!(token(&next.await.unwrap().unwrap()), "new");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_password_is_read_again_for_each_connection_and_is_never_shown() {
    let Some(server) = Server::start("") else {
        return;
    };
    let database = server.database();
    database.open().await;
    let hba = std::fs::read_to_string(server.data().join("pg_hba.conf")).unwrap();
    server.write(
        "data/pg_hba.conf",
        &format!("host all s3cr3tuser 127.0.0.1/32 scram-sha-256\n{hba}"),
    );
    database.sql("CREATE ROLE s3cr3tuser LOGIN PASSWORD 's3cr3t1'");
    database.sql("GRANT USAGE ON SCHEMA passthrough TO s3cr3tuser");
    database.sql("GRANT ALL ON ALL TABLES IN SCHEMA passthrough TO s3cr3tuser");
    server.reload();
    let file = server.folder.join("password");
    std::fs::write(&file, "s3cr3t1\n").unwrap();
    let url = database.secret_url("s3cr3tuser:s3cr3twrong", server.port);
    let wrong = PostgresStore::open(&url, keys(&[KEY])).await.unwrap_err();
    let shown = format!("{} {wrong:?}", told(&wrong));
    assert!(
        shown.contains("28P01") && !shown.contains("s3cr3t"),
        "{shown}"
    );
    let missing =
        PostgresStore::builder(keys(&[KEY])).password_file(server.folder.join("s3cr3tfile"));
    let missing = missing.open(&url).await.unwrap_err();
    let shown = format!("{} {missing:?}", told(&missing));
    assert!(
        shown.contains("password's file") && !shown.contains("s3cr3t"),
        "{shown}"
    );
    let fixed = PostgresStore::builder(keys(&[KEY])).password(Secret::from("s3cr3t1"));
    fixed.open(&url).await.unwrap();

    let store = PostgresStore::builder(keys(&[KEY]))
        .password_file(&file)
        .open(&url)
        .await
        .unwrap();
    store.put(&id("acme"), &with_token("token")).await.unwrap();
    database.sql("ALTER ROLE s3cr3tuser PASSWORD 's3cr3t2'");
    database.sql("SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE usename = 's3cr3tuser'");
    let error = within(Duration::from_secs(5), async || {
        match store.read(&id("acme")).await {
            Err(StoreError::Unavailable(error)) => Ok(error),
            other => Err(format!("{other:?}")),
        }
    });
    let error = error.await;
    let shown = format!("{} {error:?}", told(&*error));
    assert!(
        shown.contains("28P01") && !shown.contains("s3cr3t"),
        "{shown}"
    );
    std::fs::write(&file, "s3cr3t2").unwrap();
    within(Duration::from_secs(10), async || {
        store.read(&id("acme")).await
    })
    .await;
}

/// A small file system that is in memory, for the files of a database.
struct SmallDisk(std::path::PathBuf);

impl SmallDisk {
    /// Mounts the file system. `None`, and a printed line, if this process may not mount.
    fn mount(folder: &std::path::Path, size: &str) -> Option<Self> {
        let path = folder.join("small");
        std::fs::create_dir(&path).unwrap();
        let size = format!("size={size},mode=0777");
        let mounted = std::process::Command::new("mount")
            .args(["-t", "tmpfs", "-o", &size, "tmpfs"])
            .arg(&path)
            .output();
        if mounted.is_ok_and(|mounted| mounted.status.success()) {
            return Some(Self(path));
        }
        println!("skipped: this process may not mount a file system");
        None
    }

    /// Uses all space that is left.
    fn fill(&self) {
        let mut file = std::fs::File::create(self.0.join("ballast")).unwrap();
        let block = vec![0; 4096];
        while std::io::Write::write_all(&mut file, &block).is_ok() {}
    }

    fn empty(&self) {
        std::fs::remove_file(self.0.join("ballast")).unwrap();
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        // Lazily, because the server still uses it.
        let _ = std::process::Command::new("umount")
            .arg("-l")
            .arg(&self.0)
            .status();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_disk_refuses_writes_and_loses_none_that_were_acknowledged() {
    let Some(server) = Server::start("") else {
        return;
    };
    let Some(disk) = SmallDisk::mount(&server.folder, "40m") else {
        return;
    };
    let place = disk.0.join("data");
    std::fs::create_dir(&place).unwrap();
    if rustix::process::getuid().is_root() {
        let owned = std::process::Command::new("chown")
            .arg("nobody:nogroup")
            .arg(&place)
            .status();
        assert!(owned.unwrap().success());
    }
    let tablespace = format!("CREATE TABLESPACE small LOCATION '{}'", place.display());
    server.sql("postgres", &tablespace);
    server.sql("postgres", "CREATE DATABASE small TABLESPACE small");
    let database = testkit::postgres::Database {
        server: &server,
        name: "small".to_owned(),
    };
    let store = database.open().await;
    let large = |number: u32| with_token(&format!("{number}-{}", "x".repeat(20_000)));
    let mut acknowledged = Vec::new();
    for number in 0..20 {
        let name = id(&number.to_string());
        acknowledged.push((
            name.clone(),
            store.put(&name, &large(number)).await.unwrap(),
        ));
    }
    called(&store, &id("0")).await.unwrap();
    disk.fill();
    let mut refused = None;
    for number in 20..1000 {
        let name = id(&number.to_string());
        match store.put(&name, &large(number)).await {
            Ok(version) => acknowledged.push((name, version)),
            Err(error) => {
                refused = Some((name, error));
                break;
            }
        }
    }
    let (name, error) = refused.expect("a full disk");
    let StoreError::Unavailable(error) = error else {
        panic!("{error:?}");
    };
    let shown = format!("{} {error:?}", told(&*error));
    assert!(shown.contains("53100"), "{shown}");
    assert!(!shown.contains("xxxx"), "{shown}");
    println!("{} writes were acknowledged", acknowledged.len());
    // Reads go on, also of connections that aren't in memory.
    for (name, version) in &acknowledged {
        assert_eq!(store.read(name).await.unwrap().version, *version);
        called(&store, name).await.unwrap();
    }
    assert!(matches!(store.read(&name).await, Err(StoreError::NotFound)));
    disk.empty();
    within(Duration::from_secs(10), async || {
        store.put(&name, &large(1)).await
    })
    .await;
    let again = database.open().await;
    for (name, version) in &acknowledged {
        assert_eq!(again.read(name).await.unwrap().version, *version);
    }
}
