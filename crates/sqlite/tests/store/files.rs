//! The kinds of files: new, of a newer version, of another program, damaged, and not accessible.

use std::error::Error;
use std::fs;
use std::path::Path;

use rusqlite::Connection as Sqlite;
use tower_passthrough::StoreError;
use tower_passthrough::store::{ConnectionStore, GrantState, TokenStore};
use tower_passthrough_sqlite::{SqliteStore, SqliteStoreError};

use super::{Folder, KEY, OTHER_KEY, id, keys, token, with_token};

#[tokio::test]
async fn a_file_of_the_first_version_is_read_correctly() {
    let folder = Folder::new();
    let sqlite = Sqlite::open(folder.file()).unwrap();
    sqlite
        .execute_batch(include_str!("first_version.sql"))
        .unwrap();
    drop(sqlite);
    let opened = SqliteStore::open(folder.file(), keys(&[KEY])).await;
    assert!(matches!(opened, Err(SqliteStoreError::WrongKey)));
    let store = SqliteStore::open(folder.file(), keys(&[OTHER_KEY, KEY]))
        .await
        .unwrap();
    let record = store.read(&id("acme/crm")).await.unwrap();
    let connection = &record.connection;
    assert_eq!(record.version.get(), 1);
    assert_eq!(connection.variables().get("subdomain"), Some("\u{e9}"));
    assert_eq!(connection.variables().get(""), Some(""));
    assert_eq!(
        connection.credential().get("token").unwrap().expose(),
        [0, 255, 10]
    );
    let record = store.read(&id("dead")).await.unwrap();
    assert_eq!(record.state, GrantState::Revoked);
    let record = store.read(&id("refreshed")).await.unwrap();
    assert_eq!(record.version.get(), 6);
    assert_eq!(token(&record.connection), "new");
    assert!(record.refreshed_at.is_some());
    // The file gives no version and no fence a second time.
    let version = store.put(&id("more"), &with_token("t")).await.unwrap();
    assert_eq!(version.get(), 7);
    let report = store.reencrypt().await.unwrap();
    assert_eq!((report.connections, report.keys), (2, 1));
}

async fn refused(file: &Path) -> SqliteStoreError {
    let opened = SqliteStore::open(file, keys(&[KEY])).await;
    opened.expect_err("a file that can't be used")
}

#[tokio::test]
async fn an_empty_file_becomes_a_store() {
    let folder = Folder::new();
    fs::write(folder.file(), "").unwrap();
    let store = folder.open().await;
    store.put(&id("acme"), &with_token("token")).await.unwrap();
    // Another handle finds the tables, and accepts the key.
    let other = folder.open().await;
    other.read(&id("acme")).await.unwrap();
    let mode: String = Sqlite::open(folder.file())
        .unwrap()
        .pragma_query_value(None, "journal_mode", |row| row.get(0))
        .unwrap();
    assert_eq!(mode, "wal");
}

#[tokio::test]
async fn a_url_names_the_same_file() {
    let folder = Folder::new();
    let store = folder.open().await;
    store.put(&id("acme"), &with_token("token")).await.unwrap();
    let url = format!("sqlite://{}", folder.file().display());
    let other = SqliteStore::open(url, keys(&[KEY])).await.unwrap();
    other.read(&id("acme")).await.unwrap();
    let odd = SqliteStore::open("sqlite://c.db?mode=memory", keys(&[KEY])).await;
    assert!(matches!(odd, Err(SqliteStoreError::InvalidPath)));
}

#[tokio::test]
async fn a_file_of_a_newer_version_is_not_changed() {
    let folder = Folder::new();
    drop(folder.open().await);
    let sqlite = Sqlite::open(folder.file()).unwrap();
    sqlite.pragma_update(None, "user_version", 99).unwrap();
    let before = sqlite_tables(&sqlite);
    let error = refused(&folder.file()).await;
    assert!(
        matches!(
            error,
            SqliteStoreError::NewerSchema {
                found: 99,
                known: 1
            }
        ),
        "{error:?}"
    );
    assert_eq!(sqlite_tables(&sqlite), before);
}

fn sqlite_tables(sqlite: &Sqlite) -> Vec<String> {
    let mut statement = sqlite
        .prepare("SELECT sql FROM sqlite_schema WHERE sql NOT NULL")
        .unwrap();
    let tables = statement.query_map([], |row| row.get(0)).unwrap();
    tables.collect::<Result<_, _>>().unwrap()
}

#[tokio::test]
async fn a_file_of_another_program_is_not_changed() {
    let folder = Folder::new();
    let sqlite = Sqlite::open(folder.file()).unwrap();
    sqlite
        .execute_batch("CREATE TABLE connections (id TEXT)")
        .unwrap();
    drop(sqlite);
    let before = fs::read(folder.file()).unwrap();
    let error = refused(&folder.file()).await;
    assert!(matches!(error, SqliteStoreError::NotAStore(_)), "{error:?}");
    assert_eq!(fs::read(folder.file()).unwrap(), before);
}

#[tokio::test]
async fn a_file_that_is_not_a_database_has_its_own_error() {
    let folder = Folder::new();
    for contents in ["not a database".repeat(1000), "x".to_owned()] {
        fs::write(folder.file(), contents).unwrap();
        let error = refused(&folder.file()).await;
        assert!(matches!(error, SqliteStoreError::NotAStore(_)), "{error:?}");
    }
}

#[tokio::test]
async fn damaged_pages_are_an_error_without_a_panic() {
    let folder = Folder::new();
    let store = folder.open().await;
    for number in 0..200 {
        let id = id(&format!("acme-{number}"));
        store.put(&id, &with_token(&"x".repeat(500))).await.unwrap();
    }
    let sqlite = Sqlite::open(folder.file()).unwrap();
    sqlite
        .query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))
        .unwrap();
    drop(store);
    // All pages but the first two, which contain the header and the schema.
    let mut bytes = fs::read(folder.file()).unwrap();
    for byte in bytes.iter_mut().skip(2 * 4096) {
        *byte = 0x5a;
    }
    let damaged = folder.0.join("damaged.db");
    fs::write(&damaged, bytes).unwrap();
    match SqliteStore::open(&damaged, keys(&[KEY])).await {
        Err(SqliteStoreError::NotAStore(_)) => {}
        Err(error) => unreachable!("{error:?}"),
        Ok(store) => {
            let read = store.read(&id("acme-7")).await;
            assert!(matches!(read, Err(StoreError::Unavailable(_))), "{read:?}");
        }
    }
}

#[tokio::test]
async fn an_inaccessible_file_has_its_own_error() {
    let folder = Folder::new();
    fs::create_dir(folder.0.join("folder.db")).unwrap();
    fs::write(folder.0.join("file"), "").unwrap();
    for name in [
        "no folder/connections.db",
        "folder.db",
        "file/connections.db",
    ] {
        let error = refused(&folder.0.join(name)).await;
        assert!(
            matches!(error, SqliteStoreError::Unavailable(_)),
            "{name}: {error:?}"
        );
        assert!(error.source().is_some(), "{name}: {error:?}");
    }
}

#[cfg(unix)]
#[tokio::test]
async fn a_read_only_folder_is_an_error() {
    use std::os::unix::fs::PermissionsExt;

    let folder = Folder::new();
    let closed = folder.0.join("closed");
    fs::create_dir(&closed).unwrap();
    fs::set_permissions(&closed, fs::Permissions::from_mode(0o555)).unwrap();
    if fs::write(closed.join("probe"), "").is_ok() {
        println!("skipped: permissions don't bind this user");
        return;
    }
    let error = refused(&closed.join("connections.db")).await;
    assert!(
        matches!(error, SqliteStoreError::Unavailable(_)),
        "{error:?}"
    );
}
