//! Several processes on one file.

use std::collections::HashMap;
use std::time::Duration;

use tower_passthrough::store::{ConnectionStore, GrantUpdate, RefreshLease, TokenStore};
use tower_passthrough_sqlite::SqliteStore;

use super::child::{self, Process};
use super::{Folder, KEY, id, keys, token, with_token};

const LEASES: usize = 20;

#[tokio::test]
async fn only_one_of_two_processes_gets_each_lease() {
    const TEST: &str = "processes::only_one_of_two_processes_gets_each_lease";
    if let Some(file) = child::file_of("takes leases") {
        let store = SqliteStore::open(file, keys(&[KEY])).await.unwrap();
        child::say("ready");
        child::wait();
        for number in 0..LEASES {
            let id = id(&number.to_string());
            let lease = store.lease(&id, Duration::from_secs(600)).await.unwrap();
            if let Some(lease) = lease {
                child::say(&format!("{number} {}", lease.fence()));
            }
        }
        return;
    }
    let folder = Folder::new();
    let store = folder.open().await;
    for number in 0..LEASES {
        let id = id(&number.to_string());
        store.put(&id, &with_token("token")).await.unwrap();
    }
    let start = || Process::start(TEST, "takes leases", &folder.file());
    let mut processes = [start(), start()];
    for process in &mut processes {
        assert_eq!(process.heard().as_deref(), Some("ready"));
    }
    for process in &mut processes {
        process.go();
    }
    let mut taken = HashMap::new();
    for process in &mut processes {
        while let Some(line) = process.heard() {
            let (number, fence) = line.split_once(' ').unwrap();
            let before = taken.insert(number.to_owned(), fence.to_owned());
            assert_eq!(before, None, "two processes have the lease on {number}");
        }
    }
    assert_eq!(taken.len(), LEASES);
    let held = store.lease(&id("0"), Duration::from_secs(1)).await.unwrap();
    assert_eq!(
        held, None,
        "a lease ended with its process, not by its time"
    );
}

#[tokio::test]
async fn only_one_of_two_commits_succeeds_on_each_version() {
    const TEST: &str = "processes::only_one_of_two_commits_succeeds_on_each_version";
    const EACH: u64 = 25;
    let add = async |store: &SqliteStore| {
        let acme = id("acme");
        let mut added = 0;
        while added < EACH {
            let record = store.read(&acme).await.unwrap();
            let number: u64 = token(&record.connection).parse().unwrap();
            let renewal = with_token(&(number + 1).to_string());
            let renewal = GrantUpdate::Refreshed(renewal);
            let lease = RefreshLease::new(0);
            let committed = store.commit(&acme, record.version, lease, &renewal).await;
            added += u64::from(committed.unwrap().is_some());
        }
    };
    if let Some(file) = child::file_of("adds") {
        let store = SqliteStore::open(file, keys(&[KEY])).await.unwrap();
        child::say("ready");
        child::wait();
        add(&store).await;
        return;
    }
    let folder = Folder::new();
    let store = folder.open().await;
    store.put(&id("acme"), &with_token("0")).await.unwrap();
    let start = || Process::start(TEST, "adds", &folder.file());
    let mut processes = [start(), start()];
    for process in &mut processes {
        assert_eq!(process.heard().as_deref(), Some("ready"));
        process.go();
    }
    add(&store).await;
    for process in &mut processes {
        assert_eq!(process.heard(), None);
    }
    let record = store.read(&id("acme")).await.unwrap();
    assert_eq!(token(&record.connection), (3 * EACH).to_string());
}

#[tokio::test]
async fn processes_that_create_a_file_at_the_same_time_share_it() {
    const TEST: &str = "processes::processes_that_create_a_file_at_the_same_time_share_it";
    if let Some(file) = child::file_of("opens") {
        child::say("ready");
        child::wait();
        let store = SqliteStore::open(file, keys(&[KEY])).await.unwrap();
        let own = id(&std::process::id().to_string());
        store.put(&own, &with_token("token")).await.unwrap();
        child::say("done");
        return;
    }
    for _ in 0..3 {
        let folder = Folder::new();
        let start = |_| Process::start(TEST, "opens", &folder.file());
        let mut processes: Vec<_> = (0..4).map(start).collect();
        for process in &mut processes {
            assert_eq!(process.heard().as_deref(), Some("ready"));
        }
        for process in &mut processes {
            process.go();
        }
        for process in &mut processes {
            assert_eq!(process.heard().as_deref(), Some("done"));
        }
        let listed = folder.open().await.list(None, 10).await.unwrap();
        assert_eq!(listed.len(), 4);
    }
}
