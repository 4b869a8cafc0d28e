//! A process that is killed while it writes loses no write that the store confirmed.

use std::time::Duration;

use tower_passthrough::store::{ConnectionStore, GrantUpdate, TokenStore};
use tower_passthrough_sqlite::SqliteStore;

use super::child::{self, Process};
use super::{Folder, KEY, id, keys, token, with_token};

const RUNS: usize = 20;
const IDS: u64 = 5;

#[tokio::test]
async fn confirmed_writes_survive_a_kill() {
    const TEST: &str = "killed::confirmed_writes_survive_a_kill";
    if let Some(file) = child::file_of("writes") {
        let store = SqliteStore::open(file, keys(&[KEY])).await.unwrap();
        return write_for_ever(&store).await;
    }
    let folder = Folder::new();
    let mut written = [0; IDS as usize];
    for run in 0..RUNS {
        let mut process = Process::start(TEST, "writes", &folder.file());
        // The child is killed at another moment in each run, and not directly after the child printed a line.
        for _ in 0..=run {
            acknowledge(&mut written, &process.heard().expect("the child writes"));
        }
        tokio::time::sleep(Duration::from_micros(700 * run as u64)).await;
        process.kill();
        while let Some(line) = process.heard() {
            acknowledge(&mut written, &line);
        }
        let store = folder.open().await;
        for (number, written) in written.iter().enumerate().filter(|(_, round)| **round > 0) {
            let record = store.read(&id(&number.to_string())).await;
            let found: u64 = token(&record.unwrap().connection).parse().unwrap();
            // A write that wasn't confirmed may be there or not.
            assert!(
                found == *written || found == *written + 1,
                "run {run}: {found} is stored, and {written} was acknowledged"
            );
        }
    }
    assert!(written.iter().sum::<u64>() > RUNS as u64, "{written:?}");
}

fn acknowledge(written: &mut [u64], line: &str) {
    let (number, round) = line.split_once(' ').unwrap();
    written[number.parse::<usize>().unwrap()] = round.parse().unwrap();
}

/// Writes without end. The token of each connection counts the writes to the connection, which put it and refresh it in
/// turn.
async fn write_for_ever(store: &SqliteStore) {
    for number in (0..IDS).cycle() {
        let id = id(&number.to_string());
        let round = match store.read(&id).await {
            Ok(record) => token(&record.connection).parse::<u64>().unwrap() + 1,
            Err(_) => 1,
        };
        let connection = with_token(&round.to_string());
        if round % 2 == 1 {
            store.put(&id, &connection).await.unwrap();
        } else {
            // The process before this process may have been killed while it held a lease.
            let lease = store.lease(&id, Duration::ZERO).await.unwrap().unwrap();
            let version = store.read(&id).await.unwrap().version;
            let renewal = GrantUpdate::Refreshed(connection);
            let committed = store.commit(&id, version, lease, &renewal).await;
            committed.unwrap().expect("no other process writes");
        }
        child::say(&format!("{number} {round}"));
    }
}
