//! A check of a file, which changes nothing.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use rusqlite::Connection as Sqlite;
use tower_passthrough::store::{ConnectionStore, TokenStore};
use tower_passthrough_sqlite::{SqliteStore, SqliteStoreError};

use super::{Folder, KEY, OTHER_KEY, id, keys, token, with_token};

/// The names and contents of all files of a folder, except the index of the log, which is shared memory.
fn contents(folder: &Folder) -> BTreeMap<String, Vec<u8>> {
    let files = fs::read_dir(&folder.0).unwrap();
    let files = files.map(|file| {
        let file = file.unwrap();
        let name = file.file_name().into_string().unwrap();
        (name, fs::read(file.path()).unwrap())
    });
    files.filter(|(name, _)| !name.ends_with("-shm")).collect()
}

async fn checked(file: &Path, with: &[&str]) -> Result<(), SqliteStoreError> {
    SqliteStore::check(file, keys(with)).await
}

#[tokio::test]
async fn a_check_finds_a_wrong_key_and_changes_nothing() {
    // A path with each character that has a meaning in a URI.
    let folder = Folder::new();
    let file = folder.0.join("a%20b?c#d.db");
    let store = SqliteStore::open(&file, keys(&[KEY])).await.unwrap();
    store.put(&id("acme"), &with_token("token")).await.unwrap();
    // Once beside an open store, whose log isn't empty, and once after it has been closed.
    for open in [Some(store), None] {
        if open.is_none() {
            // The store closes the file on another thread.
            while folder.0.join("a%20b?c#d.db-wal").exists() {
                tokio::task::yield_now().await;
            }
        }
        let before = contents(&folder);
        for with in [&[KEY][..], &[OTHER_KEY, KEY], &[KEY, OTHER_KEY]] {
            checked(&file, with).await.unwrap();
        }
        let wrong = checked(&file, &[OTHER_KEY]).await;
        assert!(
            matches!(wrong, Err(SqliteStoreError::WrongKey)),
            "{wrong:?}"
        );
        let after = contents(&folder);
        assert!(before == after, "{:?} {:?}", before.keys(), after.keys());
        drop(open);
    }
    SqliteStore::open(&file, keys(&[KEY])).await.unwrap();
}

#[tokio::test]
async fn there_is_nothing_to_check_before_there_is_a_file() {
    let folder = Folder::new();
    checked(&folder.file(), &[KEY]).await.unwrap();
    assert!(contents(&folder).is_empty());
    fs::write(folder.file(), "").unwrap();
    checked(&folder.file(), &[KEY]).await.unwrap();
    assert_eq!(fs::read(folder.file()).unwrap(), b"");
    assert_eq!(contents(&folder).len(), 1);
}

#[tokio::test]
async fn a_check_refuses_what_opening_refuses() {
    for (make, expected) in [
        ("PRAGMA application_id = 1", "NotAStore"),
        (
            "PRAGMA application_id = 1953527667; PRAGMA user_version = 99",
            "NewerSchema",
        ),
    ] {
        let folder = Folder::new();
        let sqlite = Sqlite::open(folder.file()).unwrap();
        sqlite.execute_batch(make).unwrap();
        sqlite.execute_batch("CREATE TABLE t (a)").unwrap();
        drop(sqlite);
        let before = contents(&folder);
        let refused = checked(&folder.file(), &[KEY]).await;
        assert!(format!("{refused:?}").contains(expected), "{refused:?}");
        assert!(before == contents(&folder));
    }
    let folder = Folder::new();
    fs::write(folder.file(), "short").unwrap();
    let refused = checked(&folder.file(), &[KEY]).await;
    assert!(
        matches!(refused, Err(SqliteStoreError::NotAStore(_))),
        "{refused:?}"
    );
    fs::write(folder.file(), [b'a'; 4096]).unwrap();
    let refused = checked(&folder.file(), &[KEY]).await;
    assert!(
        matches!(refused, Err(SqliteStoreError::NotAStore(_))),
        "{refused:?}"
    );
}

/// A process that was tried with a new key must not lock out the processes that don't have the key.
#[tokio::test]
async fn a_key_is_noted_with_the_first_record_that_it_seals() {
    let folder = Folder::new();
    let store = folder.open().await;
    store.put(&id("acme"), &with_token("token")).await.unwrap();
    let newer = SqliteStore::open(folder.file(), keys(&[OTHER_KEY, KEY]))
        .await
        .unwrap();
    newer.read(&id("acme")).await.unwrap();
    folder.open().await;
    newer.put(&id("beta"), &with_token("other")).await.unwrap();
    let old = SqliteStore::open(folder.file(), keys(&[KEY])).await;
    assert!(matches!(old, Err(SqliteStoreError::WrongKey)));
    let both = SqliteStore::open(folder.file(), keys(&[KEY, OTHER_KEY]))
        .await
        .unwrap();
    assert_eq!(
        token(&both.read(&id("beta")).await.unwrap().connection),
        "other"
    );
}
