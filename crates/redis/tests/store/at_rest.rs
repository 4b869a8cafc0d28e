//! The bytes in the server, its files, its logs and its traffic.

use testkit::at_rest::{CANARIES, ascii, files, forms};
use tower_passthrough::store::{ConnectionStore, GrantUpdate, RefreshLease, TokenStore};
use tower_passthrough::{Connection, StoreError};
use tower_passthrough_redis::RedisStore;

use super::server::name;
use super::{DURABLE, KEY, Server, Stores, called, id, keys, prefix, shared, told, with_token};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_secret_is_in_the_files_the_logs_or_the_traffic() {
    let settings = format!(
        "{DURABLE}slowlog-log-slower-than 0\nslowlog-max-len 1000\nloglevel debug\naof-use-rdb-preamble no\n"
    );
    let Some(mut server) = Server::start(&settings) else {
        return;
    };
    let mut monitor = server.session();
    monitor.ask(&["MONITOR"]);
    let store = server.open("tp").await;
    let connection = Connection::new("crm").with_variable("subdomain", CANARIES[3]);
    let connection = connection.with_secret(CANARIES[2], CANARIES[0]);
    let version = store.put(&id("k3y-of-acme"), &connection).await.unwrap();
    let update = GrantUpdate::Refreshed(Connection::new("crm").with_secret("token", CANARIES[1]));
    let lease = RefreshLease::new(0);
    let committed = store
        .commit(&id("k3y-of-acme"), version, lease, &update)
        .await;
    committed.unwrap().unwrap();
    called(&store, &id("k3y-of-acme")).await.unwrap();
    store.put(&id("other"), &connection).await.unwrap();
    let slow = server.ask(&["SLOWLOG", "GET", "1000"]).bytes();
    server.set(&["ECHO", "end-of-the-test"]);
    let mut monitored = Vec::new();
    while !String::from_utf8_lossy(&monitored).contains("end-of-the-test") {
        monitored.extend(monitor.read().unwrap().bytes());
        monitored.push(b'\n');
    }
    let dumped = server
        .ask(&["DUMP", &name(&server, "tp", "c", "k3y-of-acme")])
        .bytes();
    assert!(!dumped.is_empty());
    server.set(&["SAVE"]);
    let log = server.log().into_bytes();
    server.stop();
    let mut data = Vec::new();
    files(&server.folder, &mut data);
    assert!(
        server.folder.join("dump.rdb").exists() && server.folder.join("appendonlydir").exists()
    );
    for (place, bytes) in [("slow log", slow), ("monitor", monitored), ("files", data)] {
        let text = ascii(&bytes);
        // The search finds what isn't encrypted.
        assert!(text.contains("k3y-of-acme"), "{place}");
        for canary in CANARIES {
            for form in forms(canary) {
                assert!(!text.contains(&form), "{place}: {form}");
            }
        }
    }
    let log = ascii(&log);
    for canary in CANARIES {
        assert!(!log.contains(canary));
    }
}

#[tokio::test]
async fn a_record_that_was_moved_or_altered_is_not_read() {
    let Some(server) = shared() else {
        return;
    };
    let prefix = prefix();
    for change in [
        "moved",
        "renamed",
        "integration",
        "version",
        "flipped",
        "cut",
        "clear",
        "key",
    ] {
        let store = server.open(&prefix).await;
        for key in ["source", change] {
            store.put(&id(key), &with_token("token")).await.unwrap();
        }
        called(&store, &id(change)).await.unwrap();
        let (source, row) = (
            name(server, &prefix, "c", "source"),
            name(server, &prefix, "c", change),
        );
        let script = match change {
            "moved" => "redis.call('COPY', KEYS[1], KEYS[2], 'REPLACE')",
            "renamed" => {
                "redis.call('HSET', KEYS[2], 's', redis.call('HGET', KEYS[1], 's'), 'v', redis.call('HGET', KEYS[1], 'v'))"
            }
            "integration" => "redis.call('HSET', KEYS[2], 'i', 'bank')",
            "version" => "redis.call('HSET', KEYS[2], 'v', '1')",
            "flipped" => {
                "local s = redis.call('HGET', KEYS[2], 's') redis.call('HSET', KEYS[2], 's', string.sub(s, 1, -2) .. string.char((string.byte(s, -1) + 1) % 256))"
            }
            "cut" => {
                "redis.call('HSET', KEYS[2], 's', string.sub(redis.call('HGET', KEYS[2], 's'), 2))"
            }
            "clear" => "redis.call('HSET', KEYS[2], 's', 'token')",
            _ => "redis.call('HSET', KEYS[2], 'k', 'token')",
        };
        server.set(&["EVAL", script, "2", &source, &row]);
        // Another process, which has nothing in memory.
        let fresh = RedisStore::builder(keys(&[KEY])).prefix(&prefix);
        let fresh = fresh.open(&server.url()).await.unwrap();
        let key = id(change);
        for error in [
            called(&fresh, &key).await.unwrap_err(),
            fresh.read(&key).await.unwrap_err(),
        ] {
            let StoreError::Unavailable(error) = error else {
                panic!("{change}: {error:?}");
            };
            assert!(
                !told(&*error).contains("token"),
                "{change}: {}",
                told(&*error)
            );
        }
        // It's listed, so that it can be found, and can be replaced.
        let listed = fresh.list(None, 10).await.unwrap();
        assert!(listed.iter().any(|listed| listed.key == key), "{change}");
        fresh.put(&key, &with_token("token")).await.unwrap();
        called(&fresh, &key).await.unwrap();
        fresh.remove(&key).await.unwrap();
    }
}
