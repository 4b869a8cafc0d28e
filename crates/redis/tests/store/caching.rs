//! The changes that a cache may hide, the time for which it may hide them, and the commands that it saves.

use std::time::Duration;

use tower_passthrough::StoreError;
use tower_passthrough::store::ConnectionStore;
use tower_passthrough_redis::RedisStore;

use super::server::name;
use super::{DURABLE, Server, Stores, called, id, prefix, shared, token, with_token};

/// Returns a handle that asks for changes at each call.
async fn eager(server: &Server, prefix: &str) -> RedisStore {
    server
        .open_with(prefix, |builder| builder.staleness(Duration::ZERO))
        .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn warm_calls_of_fifty_handles_read_nothing_and_a_put_is_read_once_by_each() {
    const HANDLES: usize = 50;
    const STALENESS: Duration = Duration::from_millis(500);
    let Some(server) = Server::start(DURABLE) else {
        return;
    };
    let mut handles = Vec::new();
    for _ in 0..HANDLES {
        handles.push(
            server
                .open_with("tp", |builder| builder.staleness(STALENESS))
                .await,
        );
    }
    for number in 0..4 {
        handles[0]
            .put(&id(&number.to_string()), &with_token("old"))
            .await
            .unwrap();
    }
    let call_all = async || {
        for handle in &handles {
            for number in 0..4 {
                called(handle, &id(&number.to_string())).await.unwrap();
            }
        }
    };
    // Each handle reads the connections, and then its own changes of before.
    for _ in 0..2 {
        call_all().await;
        tokio::time::sleep(STALENESS).await;
    }
    call_all().await;
    let (warm, asked) = (server.calls("evalsha"), server.calls("xread"));
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
    assert_eq!(
        server.calls("evalsha") - warm,
        0,
        "warm calls read connections"
    );
    let asked = server.calls("xread") - asked;
    assert!(asked <= periods * HANDLES as u64, "{asked} in {periods}");

    let before = server.calls("evalsha");
    handles[0].put(&id("0"), &with_token("new")).await.unwrap();
    tokio::time::sleep(STALENESS).await;
    for _ in 0..3 {
        for handle in &handles {
            assert_eq!(token(&called(handle, &id("0")).await.unwrap()), "new");
        }
    }
    // One put, and one look-up of each handle.
    assert_eq!(server.calls("evalsha") - before, 1 + HANDLES as u64);
    let asked_before = server.calls("xread");
    tokio::time::sleep(STALENESS * 2).await;
    // Without calls, nothing is asked.
    assert_eq!(server.calls("xread"), asked_before);
}

#[tokio::test]
async fn only_streams_of_shards_in_use_are_read_and_none_of_their_changes_is_missed() {
    let Some(server) = shared() else {
        return;
    };
    let prefix = prefix();
    let (store, other) = (eager(server, &prefix).await, eager(server, &prefix).await);
    for number in 0..300 {
        other
            .put(&id(&number.to_string()), &with_token("old"))
            .await
            .unwrap();
    }
    // Shards are added one after the other, while connections of all shards are written.
    for number in 0..300 {
        let key = id(&number.to_string());
        assert_eq!(token(&called(&store, &key).await.unwrap()), "old");
        assert_eq!(token(&called(&store, &key).await.unwrap()), "old");
        other.put(&key, &with_token("new")).await.unwrap();
        assert_eq!(token(&called(&store, &key).await.unwrap()), "new");
        let earlier = id(&(number / 2).to_string());
        assert_eq!(token(&called(&store, &earlier).await.unwrap()), "new");
        other.put(&earlier, &with_token("newer")).await.unwrap();
        assert_eq!(token(&called(&store, &earlier).await.unwrap()), "newer");
        other.put(&earlier, &with_token("new")).await.unwrap();
    }
}

#[tokio::test]
async fn a_log_that_was_cut_means_that_each_entry_is_compared() {
    let Some(server) = shared() else {
        return;
    };
    let prefix = prefix();
    let (store, other) = (eager(server, &prefix).await, eager(server, &prefix).await);
    for key in ["acme", "gone", "beta"] {
        other.put(&id(key), &with_token("old")).await.unwrap();
        called(&store, &id(key)).await.unwrap();
        called(&store, &id(key)).await.unwrap();
    }
    let connection = name(server, &prefix, "c", "acme");
    let log = connection.replace(":c:acme", ":log");
    // The entry about `acme` is removed from its log, and a later entry stays.
    other.put(&id("acme"), &with_token("new")).await.unwrap();
    server.set(&["XTRIM", &log, "MAXLEN", "0"]);
    let last = server.set(&["XINFO", "STREAM", &log]);
    assert!(last.contains("length 0"), "{last}");
    assert_eq!(token(&called(&store, &id("acme")).await.unwrap()), "old");
    other.put(&id("acme"), &with_token("newer")).await.unwrap();
    server.set(&["HDEL", &name(server, &prefix, "c", "gone"), "v"]);
    // No stream has the change of `gone`, but each entry is compared after the gap.
    assert_eq!(token(&called(&store, &id("acme")).await.unwrap()), "newer");
    let gone = called(&store, &id("gone")).await;
    assert!(matches!(gone, Err(StoreError::NotFound)), "{gone:?}");
    assert_eq!(token(&called(&store, &id("beta")).await.unwrap()), "old");
}

#[tokio::test]
async fn the_log_keeps_a_bounded_number_of_changes_and_an_idle_process_compares_all() {
    let Some(server) = shared() else {
        return;
    };
    let prefix = prefix();
    let (store, other) = (eager(server, &prefix).await, eager(server, &prefix).await);
    for key in ["acme", "gone"] {
        other.put(&id(key), &with_token("old")).await.unwrap();
        called(&store, &id(key)).await.unwrap();
        called(&store, &id(key)).await.unwrap();
    }
    let log = name(server, &prefix, "c", "acme").replace(":c:acme", ":log");
    for number in 0..1500 {
        other
            .put(&id("acme"), &with_token(&number.to_string()))
            .await
            .unwrap();
    }
    let length: u64 = server.set(&["XLEN", &log]).parse().unwrap();
    assert!((1000..1200).contains(&length), "{length}");
    server.set(&["HDEL", &name(server, &prefix, "c", "gone"), "v"]);
    assert_eq!(token(&called(&store, &id("acme")).await.unwrap()), "1499");
    let gone = called(&store, &id("gone")).await;
    assert!(matches!(gone, Err(StoreError::NotFound)), "{gone:?}");
}

#[tokio::test]
async fn lists_are_merged_from_all_shards_by_pages() {
    let Some(server) = shared() else {
        return;
    };
    let store = server.open(&prefix()).await;
    let mut expected = Vec::new();
    for number in 0..500 {
        let key = format!("tenant-{number}/{{crm}}");
        store.put(&id(&key), &with_token("x")).await.unwrap();
        expected.push(key);
    }
    expected.sort();
    for page in [1, 7, 499, 500, 501, usize::MAX] {
        let mut listed: Vec<String> = Vec::new();
        while listed.len() < expected.len() {
            let after = listed.last().map(|key| id(key));
            let more = store.list(after.as_ref(), page).await.unwrap();
            assert!(!more.is_empty() && more.len() <= page);
            listed.extend(more.iter().map(|listed| listed.key.as_str().to_owned()));
            if page < 7 && listed.len() > 20 {
                break;
            }
        }
        assert_eq!(listed[..], expected[..listed.len()], "{page}");
    }
    let after = id(expected.last().unwrap());
    assert!(store.list(Some(&after), 10).await.unwrap().is_empty());
}

/// Returns `true` if a key is in the shard `066`, like `acme`.
fn is_next_to_acme(key: &str) -> bool {
    let hash = key.bytes().fold(0x811c_9dc5_u32, |hash, byte| {
        (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193)
    });
    hash.to_be_bytes().into_iter().fold(0, |one, two| one ^ two) == 0x66
}

#[tokio::test]
async fn a_list_is_complete_if_most_keys_are_in_one_shard() {
    let Some(server) = shared() else {
        return;
    };
    let prefix = prefix();
    let store = server.open(&prefix).await;
    let keys = (0..).map(|number| format!("tenant-{number}"));
    let mut expected: Vec<_> = keys
        .clone()
        .filter(|key| is_next_to_acme(key))
        .take(40)
        .collect();
    expected.extend(keys.filter(|key| !is_next_to_acme(key)).take(100));
    for key in &expected {
        store.put(&id(key), &with_token("x")).await.unwrap();
    }
    let set = name(server, &prefix, "c", &expected[0]);
    assert!(set.contains("{066}"), "{set}");
    expected.sort();
    for page in [1, 3, 50, 1000] {
        let mut listed: Vec<String> = Vec::new();
        loop {
            let after = listed.last().map(|key| id(key));
            let more = store.list(after.as_ref(), page).await.unwrap();
            assert!(more.len() <= page);
            if more.is_empty() {
                break;
            }
            listed.extend(more.iter().map(|listed| listed.key.as_str().to_owned()));
        }
        assert_eq!(listed, expected, "{page}");
    }
}
