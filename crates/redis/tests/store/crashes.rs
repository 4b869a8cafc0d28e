//! Crashes of the server under load, and connections that are cut in the middle of a commit.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use testkit::relay::Relay;
use tokio::time::Instant;
use tower_passthrough::Secret;
use tower_passthrough::store::{
    ConnectionStore, CredentialVersion, GrantUpdate, RefreshLease, TokenStore,
};
use tower_passthrough_redis::RedisStore;

use super::outages::{PATIENCE, within};
use super::{DURABLE, KEY, Server, Stores, called, id, keys, redis, token, valkey, with_token};

const COMMITTERS: usize = 8;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_acknowledged_survives_crashes() {
    for program in [redis(), valkey()].into_iter().flatten() {
        crash(&program, 6).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "takes minutes"]
async fn what_was_acknowledged_survives_two_hundred_crashes() {
    for program in [redis(), valkey()].into_iter().flatten() {
        crash(&program, 200).await;
    }
}

/// Refreshes connections one after the other, and counts what was acknowledged of each.
struct Committers {
    counts: Vec<Arc<AtomicU64>>,
    stop: Arc<AtomicBool>,
    tasks: Vec<tokio::task::JoinHandle<()>>,
}

impl Committers {
    /// Stores the connections.
    async fn new(store: &RedisStore) -> Self {
        for number in 0..COMMITTERS {
            let key = id(&number.to_string());
            within(PATIENCE, async || store.put(&key, &with_token("0")).await).await;
        }
        Self {
            counts: (0..COMMITTERS).map(|_| Arc::default()).collect(),
            stop: Arc::default(),
            tasks: Vec::new(),
        }
    }

    fn start(&mut self, store: &RedisStore) {
        self.stop = Arc::default();
        for (number, count) in self.counts.iter().enumerate() {
            let (store, count, stop) = (store.clone(), Arc::clone(count), Arc::clone(&self.stop));
            self.tasks.push(tokio::spawn(async move {
                let key = id(&number.to_string());
                while !stop.load(Ordering::Relaxed) {
                    let Ok(record) = store.read(&key).await else {
                        tokio::time::sleep(Duration::from_millis(5)).await;
                        continue;
                    };
                    let stored = token(&record.connection).parse::<u64>().unwrap();
                    let known = count.load(Ordering::Relaxed);
                    assert!(
                        stored >= known,
                        "{known} was acknowledged, and {stored} is stored"
                    );
                    let next = stored + 1;
                    let update = GrantUpdate::Refreshed(with_token(&next.to_string()));
                    let lease = RefreshLease::new(0);
                    if let Ok(version) = store.commit(&key, record.version, lease, &update).await {
                        version.expect("only this task writes");
                        count.store(next, Ordering::Relaxed);
                    }
                }
            }));
        }
    }

    fn sum(&self) -> u64 {
        let counts = self.counts.iter();
        counts.map(|count| count.load(Ordering::Relaxed)).sum()
    }

    /// Waits for some more commits.
    async fn go_on(&self) {
        let before = self.sum();
        let began = Instant::now();
        while self.sum() <= before + COMMITTERS as u64 {
            assert!(began.elapsed() < PATIENCE, "no more commits");
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    }

    async fn stop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        for task in self.tasks.drain(..) {
            task.await.unwrap();
        }
    }

    /// Checks that everything that was acknowledged is stored, and at most `more` commits of each connection that were not acknowledged.
    /// Returns the number of commits.
    async fn check(&self, store: &RedisStore, more: u64) -> u64 {
        for (number, count) in self.counts.iter().enumerate() {
            let key = id(&number.to_string());
            let record = within(PATIENCE, async || store.read(&key).await).await;
            let stored = token(&record.connection).parse::<u64>().unwrap();
            let known = count.load(Ordering::Relaxed);
            assert!(
                stored >= known && stored - known <= more,
                "{known} was acknowledged, and {stored} is stored"
            );
            count.store(stored, Ordering::Relaxed);
        }
        self.sum()
    }
}

/// Kills the server that many times, while connections are refreshed one after the other.
async fn crash(program: &Path, rounds: u64) {
    let began = Instant::now();
    let mut server = Server::start_with(program, DURABLE);
    let store = server.open("tp").await;
    let mut committers = Committers::new(&store).await;
    let mut commits = 0;
    for round in 0..rounds {
        committers.start(&store);
        committers.go_on().await;
        tokio::time::sleep(Duration::from_millis(round * 7 % 60)).await;
        let crashed = tokio::task::spawn_blocking(move || {
            server.crash();
            server
        });
        server = crashed.await.unwrap();
        committers.stop().await;
        let port = server.port;
        server.run();
        assert_eq!(server.port, port, "another process took the port");
        // The commit that was under way may be stored as well.
        commits = committers.check(&server.open("tp").await, 1).await;
    }
    println!("{rounds} kills in {:?}, {commits} commits", began.elapsed());
    assert!(commits > rounds * COMMITTERS as u64);
}

/// A write is acknowledged when the replica has it on its disk, so nothing is lost with the primary.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_acknowledged_survives_promotions() {
    const ROUNDS: usize = 10;
    let Some(program) = valkey() else {
        return;
    };
    let began = Instant::now();
    let mut primary = Server::start_with(&program, DURABLE);
    let mut replica = primary.replica(DURABLE);
    let url = format!(
        "redis://127.0.0.1:{},127.0.0.1:{}",
        primary.port, replica.port
    );
    let builder = RedisStore::builder(keys(&[KEY])).replicas(1);
    let store = builder.open(&Secret::from(url)).await.unwrap();
    let mut committers = Committers::new(&store).await;
    let mut commits = 0;
    for round in 0..ROUNDS {
        committers.start(&store);
        committers.go_on().await;
        tokio::time::sleep(Duration::from_millis(round as u64 * 37 % 400)).await;
        if round % 2 == 1 {
            // The primary goes on for a moment without the replica.
            replica.set(&["REPLICAOF", "127.0.0.1", "1"]);
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
        primary.crash();
        replica.set(&["REPLICAOF", "NO", "ONE"]);
        // The killed primary is the next replica, from the beginning.
        primary.configure(&format!("replicaof 127.0.0.1 {}", replica.port));
        primary.run();
        std::mem::swap(&mut primary, &mut replica);
        // Commits are acknowledged again as soon as the new replica has all data.
        committers.go_on().await;
        committers.stop().await;
        // Commits without an acknowledgement in time are stored as well.
        commits = committers.check(&store, u64::MAX).await;
    }
    println!(
        "{ROUNDS} promotions in {:?}, {commits} commits",
        began.elapsed()
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_commit_that_is_cut_anywhere_is_stored_or_not_and_never_half() {
    for program in [redis(), valkey()].into_iter().flatten() {
        cut(&program).await;
    }
}

async fn cut(program: &Path) {
    const OPENING: usize = 200;
    let server = Server::start_with(program, DURABLE);
    let direct = server
        .open_with("tp", |builder| builder.staleness(Duration::ZERO))
        .await;
    let mut observer = server.session();
    let mut clients = || {
        let list = observer.ask(&["CLIENT", "LIST"]).text();
        list.lines().count()
    };
    let relay = Relay::start(server.port).await;
    let url = Secret::from(format!("redis://127.0.0.1:{}", relay.port));
    let builder = RedisStore::builder(keys(&[KEY])).staleness(Duration::ZERO);
    let store = builder.open(&url).await.unwrap();
    let key = id("acme");
    store.put(&key, &with_token("0")).await.unwrap();
    let mut next = 0;
    let mut commit = async |version: CredentialVersion| {
        next += 1;
        let text = format!("{next:08}");
        let update = GrantUpdate::Refreshed(with_token(&text));
        let committed = store
            .commit(&key, version, RefreshLease::new(0), &update)
            .await;
        (committed, text)
    };
    // Without a cut, to know the numbers of bytes. The first commit makes the server know the script.
    for _ in 0..2 {
        let version = store.read(&key).await.unwrap().version;
        relay.limit(usize::MAX, usize::MAX);
        commit(version).await.0.unwrap().unwrap();
    }
    let (sent, answered) = relay.passed();
    assert!(sent > 200 && answered >= 4, "{sent} {answered}");
    // The connection for acknowledged writes is cut, and the connection for reads stays.
    let with_reads = clients() - 1;

    // A connection that was cut is opened by the next commit, which sends `INFO` and `CONFIG GET` first.
    let cuts = (0..sent + OPENING).map(|sent| (sent, usize::MAX));
    let cuts = cuts.chain((0..answered).map(|answered| (usize::MAX, answered)));
    let (mut stored, mut lost, mut acknowledged) = (0, 0, 0);
    for (sent, answered) in cuts {
        let before = store.read(&key).await.unwrap();
        relay.limit(sent, answered);
        let (committed, text) = commit(before.version).await;
        relay.limit(usize::MAX, usize::MAX);
        // The server has read all that was sent when it has closed the connection.
        while committed.is_err() && clients() > with_reads {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        let after = direct.read(&key).await.unwrap();
        match committed {
            Ok(version) => {
                acknowledged += 1;
                assert_eq!(
                    (Some(after.version), token(&after.connection)),
                    (version, text)
                );
            }
            Err(_) if after.version == before.version => {
                lost += 1;
                assert_eq!(token(&after.connection), token(&before.connection));
            }
            Err(_) => {
                stored += 1;
                assert_eq!(token(&after.connection), text);
            }
        }
        // The process that couldn't know doesn't use another token than the token that is stored.
        let used = called(&store, &key).await.unwrap();
        assert_eq!(token(&used), token(&after.connection));
    }
    println!("{lost} not stored, {stored} stored without an answer, {acknowledged} acknowledged");
    assert!(
        lost >= sent / 2 && stored >= answered / 2,
        "{lost} {stored}"
    );
}
