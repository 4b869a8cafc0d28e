//! Clusters of several primaries: resharding, fail-overs and nodes that are away, while calls and refreshes go on.

use std::cell::RefCell;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use rustix::process::Signal;
use testkit::redis::Cluster;
use tokio::time::Instant;
use tower_passthrough::conformance::{Suite, Violations};
use tower_passthrough::store::{
    ConnectionKey, ConnectionStore, GrantUpdate, RefreshLease, TokenStore,
};
use tower_passthrough::{Secret, StoreError};
use tower_passthrough_redis::{RedisStore, RedisStoreBuilder, RedisStoreError};

use super::encrypted::{authority, certify, free_port};
use super::outages::{PATIENCE, within};
use super::server::name;
use super::{
    DURABLE, KEY, OTHER_KEY, Server, Stores, called, id, keys, prefix, redis, token, told, valkey,
    with_token,
};

fn programs() -> impl Iterator<Item = PathBuf> {
    [redis(), valkey()].into_iter().flatten()
}

/// Returns so many connection keys of the shards of each primary.
fn keys_of(cluster: &Cluster, count: usize) -> Vec<Vec<ConnectionKey>> {
    let mut found: Vec<Vec<ConnectionKey>> =
        cluster.primaries().iter().map(|_| Vec::new()).collect();
    for number in 0.. {
        if found.iter().all(|keys| keys.len() >= count) {
            break;
        }
        let key = format!("tenant-{number}");
        let owner = cluster.owner(&format!("{{{:03x}}}", shard_of(&key)));
        if found[owner].len() < count {
            found[owner].push(id(&key));
        }
    }
    found
}

/// The shard of a connection, which the store's own tests check.
fn shard_of(key: &str) -> u8 {
    let hash = key.bytes().fold(0x811c_9dc5_u32, |hash, byte| {
        (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193)
    });
    hash.to_be_bytes()
        .into_iter()
        .fold(0, |all, byte| all ^ byte)
}

fn unavailable<T: std::fmt::Debug>(result: Result<T, StoreError>) -> String {
    match result {
        Err(StoreError::Unavailable(error)) => told(&*error),
        other => panic!("{other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn three_primaries_pass_the_suite() -> Result<(), Violations> {
    const STALENESS: Duration = Duration::from_millis(300);
    for program in programs() {
        let cluster = Cluster::start(&program, 3, 0, DURABLE);
        for (staleness, entries) in [(STALENESS, u64::MAX), (Duration::ZERO, 0)] {
            let prefix = prefix();
            let set =
                |builder: RedisStoreBuilder| builder.staleness(staleness).cache_entries(entries);
            let open = async || cluster.nodes[1].open_with(&prefix, set).await;
            Suite::new(open).staleness(staleness).run().await?;
        }
        for node in cluster.primaries() {
            assert!(node.calls("evalsha") > 50, "{}", node.calls("evalsha"));
            // Each node acknowledges its own writes, if it can.
            let can_wait = node
                .set(&["COMMAND", "INFO", "WAITAOF"])
                .contains("waitaof");
            assert_eq!(node.calls("waitaof") > 10, can_wait);
        }
    }
    Ok(())
}

/// The list reads a part of each shard, so its order and its pages depend on all nodes.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_list_has_the_connections_of_all_nodes_in_the_order_of_their_bytes() {
    for program in programs() {
        let cluster = Cluster::start(&program, 3, 0, DURABLE);
        let store = cluster.nodes[0].open("tp").await;
        let mut all: Vec<_> = (0..500).map(|number| format!("k{number}")).collect();
        all.extend(
            ["K", "k", "\u{e9}", "z"]
                .map(str::to_owned)
                .into_iter()
                .filter(|key| ConnectionKey::try_from(key.as_str()).is_ok()),
        );
        let many: Vec<_> = all
            .iter()
            .map(|key| (id(key), with_token("token")))
            .collect();
        store.put_all(&many).await.unwrap();
        all.sort_unstable();
        let (mut listed, mut after) = (Vec::new(), None);
        loop {
            let page = store.list(after.as_ref(), 37).await.unwrap();
            let Some(last) = page.last() else { break };
            after = Some(last.key.clone());
            listed.extend(
                page.into_iter()
                    .map(|summary| summary.key.as_str().to_owned()),
            );
        }
        assert_eq!(listed, all);
        for node in cluster.primaries() {
            assert_ne!(node.set(&["DBSIZE"]), "0");
        }
        // A new key is used, and the old key isn't needed on any node any more.
        let missing = RedisStore::open(&cluster.nodes[2].url(), keys(&[OTHER_KEY])).await;
        assert!(
            matches!(missing, Err(RedisStoreError::WrongKey)),
            "{missing:?}"
        );
        let new = RedisStore::open(&cluster.nodes[2].url(), keys(&[OTHER_KEY, KEY]))
            .await
            .unwrap();
        let report = new.reencrypt().await.unwrap();
        assert_eq!(
            (report.connections, report.unreadable),
            (all.len() as u64, 0)
        );
        RedisStore::open(&cluster.nodes[1].url(), keys(&[OTHER_KEY]))
            .await
            .unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_change_on_any_node_is_seen_by_other_processes() {
    for program in programs() {
        let cluster = Cluster::start(&program, 3, 0, DURABLE);
        let set = |builder: RedisStoreBuilder| builder.staleness(Duration::ZERO);
        let one = cluster.nodes[0].open_with("tp", set).await;
        let other = cluster.nodes[1].open_with("tp", set).await;
        let owned = keys_of(&cluster, 2);
        for key in owned.iter().flatten() {
            one.put(key, &with_token("old")).await.unwrap();
            called(&other, key).await.unwrap();
            called(&other, key).await.unwrap();
        }
        for key in owned.iter().flatten() {
            one.put(key, &with_token("new")).await.unwrap();
            assert_eq!(token(&called(&other, key).await.unwrap()), "new");
        }
        let gone = &owned[2][0];
        assert!(one.remove(gone).await.unwrap());
        let missing = called(&other, gone).await;
        assert!(matches!(missing, Err(StoreError::NotFound)), "{missing:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_slot_is_moved_while_its_connections_are_refreshed() {
    for program in programs() {
        moved(&program).await;
    }
}

async fn moved(program: &std::path::Path) {
    const COMMITTERS: usize = 8;
    let cluster = Cluster::start(program, 3, 0, DURABLE);
    // A script that uses names which don't exist is refused for as long as the slot is being moved, so there must be time for it.
    let set = |builder: RedisStoreBuilder| {
        let builder = builder.staleness(Duration::from_millis(50));
        builder.timeout(PATIENCE)
    };
    let store = cluster.nodes[0].open_with("tp", set).await;
    // All of them are in one shard, so in one slot.
    let shard = shard_of("committer");
    let all = (0..).map(|number| format!("c{number}"));
    let all: Vec<_> = all
        .filter(|key| shard_of(key) == shard)
        .take(COMMITTERS)
        .map(|key| id(&key))
        .collect();
    for key in &all {
        store.put(key, &with_token("0")).await.unwrap();
    }
    let tag = format!("{{{shard:03x}}}");
    let slot = cluster.nodes[0]
        .set(&["CLUSTER", "KEYSLOT", &tag])
        .parse::<u16>()
        .unwrap();
    let stop = Arc::new(AtomicBool::new(false));
    let counts: Vec<_> = all.iter().map(|_| Arc::new(AtomicU64::new(0))).collect();
    let mut tasks = Vec::new();
    for (key, count) in all.iter().zip(&counts) {
        let (store, key, count, stop) = (
            store.clone(),
            key.clone(),
            Arc::clone(count),
            Arc::clone(&stop),
        );
        tasks.push(tokio::spawn(async move {
            let mut failures = Vec::new();
            let mut note = |result: Result<(), StoreError>| {
                if result.is_err() {
                    failures.push(unavailable(result));
                }
            };
            while !stop.load(Ordering::Relaxed) {
                note(called(&store, &key).await.map(drop));
                let record = match store.read(&key).await {
                    Ok(record) => record,
                    Err(error) => {
                        note(Err(error));
                        continue;
                    }
                };
                let next = token(&record.connection).parse::<u64>().unwrap() + 1;
                let update = GrantUpdate::Refreshed(with_token(&next.to_string()));
                match store
                    .commit(&key, record.version, RefreshLease::new(0), &update)
                    .await
                {
                    Ok(version) => {
                        version.expect("only this task writes");
                        count.store(next, Ordering::Relaxed);
                    }
                    Err(error) => note(Err(error)),
                }
            }
            failures
        }));
    }
    let sum = || {
        counts
            .iter()
            .map(|count| count.load(Ordering::Relaxed))
            .sum::<u64>()
    };
    let mut from = cluster.owner(&tag);
    let cluster = Arc::new(cluster);
    for time in [0, 0, 3, 0] {
        let before = sum();
        while sum() < before + COMMITTERS as u64 {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        let to = (from + 1) % 3;
        let moving = Arc::clone(&cluster);
        tokio::task::spawn_blocking(move || {
            moving.move_slot(slot, from, to, Duration::from_secs(time))
        })
        .await
        .unwrap();
        from = to;
    }
    stop.store(true, Ordering::Relaxed);
    let mut failures = Vec::new();
    for task in tasks {
        failures.extend(task.await.unwrap());
    }
    assert!(failures.is_empty(), "{failures:?}");
    println!("{} commits", sum());
    assert_eq!(cluster.owner(&tag), from);
    // A process that still has the first view of the slots, and a new process.
    for handle in [&store, &cluster.nodes[2].open("tp").await] {
        for (key, count) in all.iter().zip(&counts) {
            let record = handle.read(key).await.unwrap();
            let stored = token(&record.connection).parse::<u64>().unwrap();
            let known = count.load(Ordering::Relaxed);
            assert!(
                stored == known || stored == known + 1,
                "{known} was acknowledged, and {stored} is stored"
            );
            assert_eq!(
                token(&called(handle, key).await.unwrap()),
                stored.to_string()
            );
        }
    }
}

/// A slot that is being moved, and whose names are still on the first primary.
struct Moving {
    cluster: Cluster,
    key: ConnectionKey,
    tag: String,
    slot: u16,
    from: usize,
    to: usize,
}

impl Moving {
    /// `before` runs on the store before the slot begins to be moved.
    async fn start(
        program: &std::path::Path,
        before: impl AsyncFnOnce(&Cluster, &ConnectionKey),
    ) -> Self {
        let cluster = Cluster::start(program, 2, 0, DURABLE);
        let key = keys_of(&cluster, 1).swap_remove(0).swap_remove(0);
        before(&cluster, &key).await;
        let tag = format!("{{{:03x}}}", shard_of(key.as_str()));
        let slot = cluster.nodes[0].set(&["CLUSTER", "KEYSLOT", &tag]);
        let slot = slot.parse().unwrap();
        cluster.begin_to_move(slot, 0, 1);
        Self {
            cluster,
            key,
            tag,
            slot,
            from: 0,
            to: 1,
        }
    }

    fn name(&self, name: &str) -> String {
        format!("tp:{}:{name}", self.tag)
    }

    fn move_name(&self, name: &str) {
        self.cluster.move_name(&self.name(name), self.from, self.to);
    }

    /// Moves the names that weren't moved yet, and the slot.
    fn end(&self) {
        let kinds = ["c:", "l:"].map(|kind| format!("{kind}{}", self.key.as_str()));
        let others = ["ids", "log", "keys"].map(str::to_owned);
        for name in kinds.into_iter().chain(others) {
            // A missing name isn't an error.
            self.move_name(&name);
        }
        self.cluster.end_move(self.slot, self.from, self.to);
    }
}

const SHORT: Duration = Duration::from_millis(300);

fn short(builder: RedisStoreBuilder) -> RedisStoreBuilder {
    builder.staleness(Duration::ZERO).timeout(SHORT)
}

/// While a slot is being moved, each command of a script is checked, and what was executed before a refusal stays.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_connection_is_stored_as_a_whole_while_its_slot_is_moved() {
    for program in programs() {
        let moving = Moving::start(&program, async |cluster, key| {
            let store = cluster.nodes[0].open("tp").await;
            store.put(key, &with_token("old")).await.unwrap();
            // All names exist, so the source doesn't refuse scripts.
            let lease = store.lease(key, Duration::from_secs(60)).await.unwrap();
            store.release(key, lease.unwrap()).await.unwrap();
        })
        .await;
        let (key, cluster) = (&moving.key, &moving.cluster);
        let store = cluster.nodes[1].open_with("tp", |builder| builder).await;
        store.put(key, &with_token("put")).await.unwrap();
        let record = store.read(key).await.unwrap();
        assert_eq!(token(&record.connection), "put");
        let restored = store.restore(key, &record, Some(record.version)).await;
        let version = restored.unwrap().expect("nothing else writes");
        let lease = store.lease(key, Duration::from_secs(60)).await.unwrap();
        let update = GrantUpdate::Refreshed(with_token("refreshed"));
        let committed = store.commit(key, version, lease.unwrap(), &update).await;
        committed.unwrap().expect("nothing else writes");
        moving.end();
        let record = within(PATIENCE, async || store.read(key).await).await;
        assert_eq!(token(&record.connection), "refreshed");
    }
}

/// The names of a shard are moved one after the other, so a token could be rotated at a time at which it can't be stored.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_lease_is_given_or_extended_while_a_refreshed_token_could_not_be_stored() {
    for program in programs() {
        let taken = std::cell::Cell::new(None);
        let moving = Moving::start(&program, async |cluster, key| {
            let store = cluster.nodes[0].open("tp").await;
            store.put(key, &with_token("old")).await.unwrap();
            let lease = store.lease(key, Duration::from_secs(600)).await.unwrap();
            taken.set(lease);
        })
        .await;
        let (key, lease) = (&moving.key, taken.take().unwrap());
        let store = moving.cluster.nodes[0].open_with("tp", short).await;
        let time = Duration::from_secs(600);
        assert!(store.extend(key, lease, time).await.unwrap());
        moving.move_name("keys");
        let error = unavailable(store.extend(key, lease, time).await);
        assert!(error.contains("TRYAGAIN"), "{error}");
        store.release(key, lease).await.unwrap();
        let error = unavailable(store.lease(key, time).await);
        assert!(error.contains("TRYAGAIN"), "{error}");
        moving.move_name("ids");
        moving.move_name("log");
        unavailable(store.lease(key, time).await);
        moving.end();
        let given = within(PATIENCE, async || store.lease(key, time).await).await;
        assert!(given.is_some());
    }
}

/// The node to which a slot is being moved doesn't know that a connection that hasn't arrived yet needs its encryption key.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_encryption_key_is_not_forgotten_while_the_connection_that_needs_it_is_moved() {
    for program in programs() {
        let moving = Moving::start(&program, async |cluster, key| {
            let store = cluster.nodes[0].open("tp").await;
            store.put(key, &with_token("old")).await.unwrap();
            store.lease(key, Duration::from_secs(60)).await.unwrap();
            // A damaged record isn't encrypted again, and still has its key.
            let name = name(&cluster.nodes[0], "tp", "c", key.as_str());
            cluster.nodes[0].set(&["HSET", &name, "v", "1"]);
        })
        .await;
        let new = RedisStore::builder(keys(&[OTHER_KEY, KEY])).timeout(SHORT);
        let new = new.open(&moving.cluster.nodes[0].url()).await.unwrap();
        let count = |node: usize| {
            let keys = moving.name("keys");
            moving.cluster.nodes[node].set(&["HLEN", &keys])
        };
        assert_eq!(count(0), "1");
        moving.move_name("ids");
        moving.move_name("keys");
        let error = new.reencrypt().await.unwrap_err();
        println!("{}", told(&error));
        moving.end();
        assert_eq!(count(1), "1");
        let report = within(PATIENCE, async || new.reencrypt().await).await;
        assert_eq!((report.unreadable, report.keys), (1, 0));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_that_is_killed_is_replaced_by_its_replica() {
    for program in programs() {
        let mut cluster = Cluster::start(&program, 3, 3, DURABLE);
        let set = |builder: RedisStoreBuilder| builder.staleness(Duration::from_millis(50));
        let store = cluster.nodes[2].open_with("tp", set).await;
        let owned = keys_of(&cluster, 2);
        let mut versions = Vec::new();
        for key in owned.iter().flatten() {
            versions.push(store.put(key, &with_token("old")).await.unwrap());
            called(&store, key).await.unwrap();
        }
        let (kept, gone) = (&owned[0][0], &owned[0][1]);
        cluster.nodes[0].wait_for(&cluster.nodes[3]);
        cluster.nodes[0].crash();
        let began = Instant::now();
        let mut promoted = cluster.nodes[3].session();
        while !promoted.ask(&["ROLE"]).text().starts_with("master") {
            assert!(began.elapsed() < PATIENCE, "no replica is promoted");
            for keys in &owned[1..] {
                // The shards of the other nodes stay usable, unless the cluster itself says that it's down.
                let used = async {
                    store.put(&keys[0], &with_token("other")).await?;
                    called(&store, &keys[0]).await
                };
                match used.await {
                    Ok(found) => assert_eq!(token(&found), "other"),
                    Err(error) => {
                        let error = unavailable::<()>(Err(error));
                        assert!(error.contains("CLUSTERDOWN"), "{error}");
                    }
                }
            }
            // The other connection must not be read from the new primary before it's removed there.
            assert_eq!(token(&called(&store, kept).await.unwrap()), "old");
        }
        // The entries of the shards are compared, although the removal isn't in the log.
        let promoted = &cluster.nodes[3];
        promoted.set(&["DEL", &name(promoted, "tp", "c", gone.as_str())]);
        within(PATIENCE, async || match called(&store, gone).await {
            Err(StoreError::NotFound) => Ok(()),
            other => Err(format!("{other:?}")),
        })
        .await;
        let version = within(PATIENCE, async || store.put(kept, &with_token("new")).await).await;
        println!(
            "writes went on after {:?}, the cluster's detection included",
            began.elapsed()
        );
        versions.push(version);
        assert_eq!(token(&called(&store, kept).await.unwrap()), "new");
        let written = versions.len();
        versions.sort_unstable();
        versions.dedup();
        assert_eq!(versions.len(), written, "a version came twice");
    }
}

/// A primary that doesn't hear from the others answers, and says that it still has its slots.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_successor_of_a_primary_that_is_cut_off_is_found() {
    for program in programs() {
        // On a busy machine, the nodes may find each other again before the end.
        let mut attempts = 0;
        while !finds_the_successor(&program).await {
            attempts += 1;
            assert!(attempts < 5, "the primary isn't cut off for long enough");
        }
    }
}

/// Returns `false` if the primary wasn't cut off until the end.
async fn finds_the_successor(program: &Path) -> bool {
    // The first primary has the replica.
    let cluster = Cluster::start(program, 3, 1, DURABLE);
    let set = |builder: RedisStoreBuilder| builder.staleness(Duration::ZERO);
    let caller = cluster.nodes[0].open_with("tp", set).await;
    let writer = cluster.nodes[0].open_with("tp", set).await;
    let key = &keys_of(&cluster, 1)[0][0];
    writer.put(key, &with_token("old")).await.unwrap();
    assert_eq!(token(&called(&caller, key).await.unwrap()), "old");
    let (cut_off, replica) = (&cluster.nodes[0], &cluster.nodes[3]);
    cut_off.wait_for(replica);
    let ids: Vec<_> = cluster
        .nodes
        .iter()
        .map(|node| node.set(&["CLUSTER", "MYID"]))
        .collect();
    for node in &cluster.nodes {
        node.set(&["CONFIG", "SET", "cluster-allow-reads-when-down", "yes"]);
    }
    // For a minute, it doesn't hear from nodes that it has forgotten, and the others don't hear from it. They must notice first that
    // it's away, because a replica doesn't forget its primary.
    for id in &ids[1..] {
        cut_off.set(&["CLUSTER", "FORGET", id]);
    }
    cut_off.signal(Signal::STOP);
    within(PATIENCE, async || match replica.info("role").as_str() {
        "master" => Ok(()),
        role => Err(role.to_owned()),
    })
    .await;
    for node in &cluster.nodes[1..] {
        within(PATIENCE, async || {
            match node.set(&["CLUSTER", "SLOTS"]).contains(&ids[3]) {
                true => Ok(()),
                false => Err("the successor isn't known"),
            }
        })
        .await;
        node.set(&["CLUSTER", "FORGET", &ids[0]]);
    }
    cut_off.signal(Signal::CONT);
    let url = cluster.nodes[1].url();
    let open = async || RedisStore::open(&url, keys(&[KEY])).await;
    let other = within(PATIENCE, open).await;
    within(PATIENCE, async || other.put(key, &with_token("new")).await).await;
    within(PATIENCE, async || {
        match called(&caller, key).await.map(|found| token(&found)) {
            Ok(found) if found == "new" => Ok(()),
            found => Err(format!("{found:?}")),
        }
    })
    .await;
    within(PATIENCE, async || {
        writer.put(key, &with_token("newer")).await
    })
    .await;
    assert_eq!(token(&called(&caller, key).await.unwrap()), "newer");
    cut_off.info("role") == "master"
}

/// A node that is learned later may have other settings than those that were checked when the store was opened.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_that_could_lose_acknowledged_writes_is_refused_on_a_new_connection() {
    for program in programs() {
        let cluster = Cluster::start(&program, 2, 0, DURABLE);
        let store = cluster.nodes[0].open("tp").await;
        let owned = keys_of(&cluster, 1);
        for key in owned.iter().flatten() {
            store.put(key, &with_token("old")).await.unwrap();
        }
        let changed = &cluster.nodes[1];
        changed.set(&["CONFIG", "SET", "appendfsync", "everysec"]);
        changed.set(&["CLIENT", "KILL", "TYPE", "normal"]);
        within(PATIENCE, async || {
            match store.put(&owned[1][0], &with_token("new")).await {
                Ok(_) => Err("it was stored".to_owned()),
                error => match unavailable(error) {
                    error if error.contains("`appendfsync` isn't `always`") => Ok(()),
                    error => Err(error),
                },
            }
        })
        .await;
        store.put(&owned[0][0], &with_token("new")).await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_fail_over_by_command_is_followed() {
    for program in programs() {
        let cluster = Cluster::start(&program, 3, 3, DURABLE);
        let store = cluster.nodes[1]
            .open_with("tp", |builder| builder.staleness(Duration::ZERO))
            .await;
        let owned = keys_of(&cluster, 1);
        for key in owned.iter().flatten() {
            store.put(key, &with_token("old")).await.unwrap();
            called(&store, key).await.unwrap();
        }
        for (node, keys) in owned.iter().enumerate() {
            cluster.nodes[node + 3].set(&["CLUSTER", "FAILOVER"]);
            within(PATIENCE, async || {
                match cluster.nodes[node + 3].info("role").as_str() {
                    "master" => Ok(()),
                    role => Err(role.to_owned()),
                }
            })
            .await;
            within(PATIENCE, async || {
                store.put(&keys[0], &with_token("new")).await
            })
            .await;
            assert_eq!(token(&called(&store, &keys[0]).await.unwrap()), "new");
        }
    }
}

/// Without replicas, and with nodes that go on although slots are missing.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_that_is_away_stops_only_the_connections_of_its_shards() {
    const GRACE: Duration = Duration::from_secs(10);
    for program in programs() {
        let settings = format!("{DURABLE}cluster-require-full-coverage no\n");
        let cluster = Cluster::start(&program, 3, 0, &settings);
        let set = |builder: RedisStoreBuilder| {
            let builder = builder.staleness(Duration::from_millis(20));
            builder.timeout(Duration::from_secs(3)).outage_grace(GRACE)
        };
        let store = cluster.nodes[0].open_with("tp", set).await;
        let other = cluster.nodes[1].open_with("tp", set).await;
        let owned = keys_of(&cluster, 1);
        for key in owned.iter().flatten() {
            store.put(key, &with_token("old")).await.unwrap();
        }
        let warm = async || {
            for key in owned.iter().flatten() {
                called(&store, key).await.unwrap();
                tokio::time::sleep(Duration::from_millis(30)).await;
            }
        };
        warm().await;
        warm().await;
        let last_good = Instant::now();
        warm().await;
        // It takes connections, and answers nothing.
        cluster.nodes[2].signal(Signal::STOP);
        let away = &owned[2][0];
        let mut changes = 0_u64;
        let error = loop {
            for keys in &owned[..2] {
                changes += 1;
                let expected = changes.to_string();
                other.put(&keys[0], &with_token(&expected)).await.unwrap();
                // The change of a node that answers isn't hidden.
                within(PATIENCE, async || {
                    match token(&called(&store, &keys[0]).await.unwrap()) {
                        found if found == expected => Ok(()),
                        found => Err(found),
                    }
                })
                .await;
            }
            match called(&store, away).await {
                Ok(found) => assert_eq!(token(&found), "old"),
                error => break unavailable(error),
            }
            assert!(last_good.elapsed() < PATIENCE, "the grace doesn't end");
        };
        assert!(
            last_good.elapsed() >= GRACE,
            "the grace ended after {:?}",
            last_good.elapsed()
        );
        assert!(changes > 2, "changes were only seen after the grace");
        println!("{changes} changes were seen meanwhile, and then: {error}");
        // The process stays in service because of the other nodes, and the operator sees that a node is away.
        store.check().await.unwrap();
        store.check_writes().await.unwrap_err();
        for _ in 0..20 {
            for keys in &owned[..2] {
                store.put(&keys[0], &with_token("last")).await.unwrap();
                assert_eq!(token(&called(&store, &keys[0]).await.unwrap()), "last");
            }
        }
        cluster.nodes[2].signal(Signal::CONT);
        within(PATIENCE, async || called(&store, away).await).await;
        within(PATIENCE, async || store.put(away, &with_token("new")).await).await;
        assert_eq!(token(&called(&store, away).await.unwrap()), "new");
    }
}

/// A process that can't reach any node must not look as if it had just asked them.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_outage_of_all_nodes_is_known_also_if_no_connection_is_in_memory() {
    const GRACE: Duration = Duration::from_secs(1);
    let Some(program) = redis() else {
        return;
    };
    let mut cluster = Cluster::start(&program, 2, 0, DURABLE);
    let set = |builder: RedisStoreBuilder| {
        let builder = builder.staleness(Duration::from_millis(20));
        builder.outage_grace(GRACE)
    };
    let store = cluster.nodes[0].open_with("tp", set).await;
    let owned = keys_of(&cluster, 1);
    for key in owned.iter().flatten() {
        store.put(key, &with_token("token")).await.unwrap();
        called(&store, key).await.unwrap();
    }
    let asked = || store.cache_status().last_asked.unwrap();
    for node in &mut cluster.nodes {
        node.crash();
    }
    let began = Instant::now();
    while asked() < GRACE * 5 {
        assert!(
            began.elapsed() < PATIENCE,
            "the nodes were asked {:?} ago",
            asked()
        );
        for key in owned.iter().flatten() {
            let _ = called(&store, key).await;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    unavailable(called(&store, &owned[0][0]).await);
    store.check().await.unwrap_err();
    for node in &mut cluster.nodes {
        node.run();
    }
    for key in owned.iter().flatten() {
        within(PATIENCE, async || called(&store, key).await).await;
    }
}

#[tokio::test]
async fn a_node_that_lost_a_slot_is_not_connected_to_again_and_again() {
    let Some(program) = redis() else {
        return;
    };
    let cluster = Cluster::start(&program, 2, 0, DURABLE);
    let (one, other) = (&cluster.nodes[0], &cluster.nodes[1]);
    let store = one.open("tp").await;
    let key = &keys_of(&cluster, 1)[0][0];
    let tag = format!("{{{:03x}}}", shard_of(key.as_str()));
    let slot = one.set(&["CLUSTER", "KEYSLOT", &tag]);
    let other_id = other.set(&["CLUSTER", "MYID"]);
    // The other node doesn't know that it has the slot, so each node names the other.
    one.set(&["CLUSTER", "SETSLOT", &slot, "NODE", &other_id]);
    let count = || -> u64 { one.info("total_connections_received").parse().unwrap() };
    let before = count();
    for _ in 0..10 {
        let error = unavailable(store.read(key).await);
        assert!(error.contains("MOVED"), "{error}");
    }
    // Each question of the test is a connection as well.
    let connections = count() - before;
    assert!(connections < 10, "{connections}");
}

#[tokio::test]
async fn a_cluster_has_a_single_database_and_needs_the_permission_to_ask_for_its_slots() {
    for program in programs() {
        let cluster = Cluster::start(&program, 2, 0, DURABLE);
        let url = |user: &str, path: &str| {
            Secret::from(format!(
                "redis://{user}127.0.0.1:{}{path}",
                cluster.nodes[0].port
            ))
        };
        let refused = RedisStore::open(&url("", "/3"), keys(&[KEY])).await;
        assert!(
            matches!(&refused, Err(RedisStoreError::Unsupported(what)) if what.contains("database 0")),
            "{refused:?}"
        );
        RedisStore::open(&url("", "/0"), keys(&[KEY]))
            .await
            .unwrap();
        for node in &cluster.nodes {
            node.set(&[
                "ACL",
                "SETUSER",
                "gateway",
                "on",
                ">s3cr3tpw",
                "~tp:*",
                "+@all",
                "-cluster",
            ]);
        }
        let refused = RedisStore::open(&url("gateway:s3cr3tpw@", ""), keys(&[KEY])).await;
        assert!(
            matches!(&refused, Err(RedisStoreError::Unsupported(what)) if what.contains("+cluster|slots +cluster|info")),
            "{refused:?}"
        );
        let documented = include_str!("../../src/docs.md");
        let line = documented
            .lines()
            .find_map(|line| line.strip_prefix("ACL SETUSER gateway "));
        let rules = line
            .expect("the documentation lists the permissions")
            .replace("PASSWORD", "s3cr3tpw");
        let can_wait = cluster.nodes[0]
            .set(&["COMMAND", "INFO", "WAITAOF"])
            .contains("waitaof");
        let mut command = vec!["ACL", "SETUSER", "gateway", "reset"];
        command.extend(
            rules
                .split_whitespace()
                .filter(|rule| *rule != "+waitaof" || can_wait),
        );
        for node in &cluster.nodes {
            node.set(&command);
        }
        let store = RedisStore::open(&url("gateway:s3cr3tpw@", ""), keys(&[KEY]))
            .await
            .unwrap();
        for key in keys_of(&cluster, 1).iter().flatten() {
            store.put(key, &with_token("token")).await.unwrap();
            called(&store, key).await.unwrap();
            called(&store, key).await.unwrap();
        }
    }
}

/// The nodes announce addresses, and their certificates are for a name.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn with_tls_nodes_are_reached_by_their_names() {
    let Some(program) = redis() else {
        return;
    };
    let trusted = authority("trusted");
    let files = Server::start_with(&program, DURABLE);
    certify(&files, &trusted, "localhost", 2100);
    files.write("ca.crt", &trusted.pem());
    let folder = files.folder.display();
    let ports = RefCell::new(Vec::new());
    // Otherwise the nodes only tell each other their ports without TLS.
    let settings = || {
        let port = free_port();
        ports.borrow_mut().push(port);
        format!(
            "{DURABLE}tls-port {port}\ntls-cluster yes\ntls-auth-clients no\n\
             tls-ca-cert-file {folder}/ca.crt\ntls-cert-file {folder}/server.crt\ntls-key-file {folder}/server.key\n"
        )
    };
    let cluster = Cluster::start_each(&program, 3, 0, settings);
    let ports = ports.into_inner();
    let slots = |node: &Server| node.set(&["CLUSTER", "NODES"]);
    let url = Secret::from(format!("rediss://localhost:{}", ports[0]));
    let open = async || {
        let builder = RedisStore::builder(keys(&[KEY])).root_pem(trusted.pem());
        builder.open(&url).await
    };
    let error = told(&open().await.unwrap_err());
    assert!(error.contains("for another name"), "{error}");
    for node in &cluster.nodes {
        node.set(&["CONFIG", "SET", "cluster-announce-hostname", "localhost"]);
    }
    within(PATIENCE, async || match slots(&cluster.nodes[0]) {
        nodes if nodes.matches(",localhost").count() == 3 => Ok(()),
        nodes => Err(nodes),
    })
    .await;
    let store = within(PATIENCE, open).await;
    for key in keys_of(&cluster, 1).iter().flatten() {
        store.put(key, &with_token("token")).await.unwrap();
        assert_eq!(token(&called(&store, key).await.unwrap()), "token");
    }
    // Without TLS, names of other machines are refused, also if a node on this machine announces them.
    for node in &cluster.nodes {
        node.set(&["CONFIG", "SET", "cluster-announce-ip", "192.0.2.1"]);
    }
    let refused = async || match RedisStore::open(&cluster.nodes[0].url(), keys(&[KEY])).await {
        Err(RedisStoreError::Plaintext) => Ok(()),
        other => Err(format!("{other:?}")),
    };
    within(PATIENCE, refused).await;
}
