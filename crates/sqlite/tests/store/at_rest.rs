//! The bytes on the disk: connections in a SQLite file.

use std::fs;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use rusqlite::Connection as Sqlite;
use tower_passthrough::store::{ConnectionKey, ConnectionStore, GrantUpdate, TokenStore};
use tower_passthrough::{Connection, Secret, StoreError};
use tower_passthrough_sqlite::{SqliteStore, SqliteStoreError};

use super::folder::{Folder, KEY, OTHER_KEY, keys};

/// Opens the file with the rights of its owner.
fn sqlite(folder: &Folder) -> Sqlite {
    Sqlite::open(folder.file()).unwrap()
}

/// Returns all bytes on the disk: the file, its log and its index.
fn bytes(folder: &Folder) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut names = Vec::new();
    for entry in fs::read_dir(&folder.0).unwrap() {
        let path = entry.unwrap().path();
        bytes.extend(fs::read(&path).unwrap());
        names.push(path.file_name().unwrap().to_str().unwrap().to_owned());
    }
    names.sort();
    assert_eq!(
        names,
        ["connections.db", "connections.db-shm", "connections.db-wal"]
    );
    bytes
}

fn id(id: &str) -> ConnectionKey {
    ConnectionKey::try_from(id).unwrap()
}

fn contains(bytes: &[u8], needle: &[u8]) -> bool {
    bytes.windows(needle.len()).any(|window| window == needle)
}

/// Returns the forms in which a secret could be on the disk.
fn forms(secret: &str) -> Vec<String> {
    let hex = |prefix: &str| -> String {
        secret
            .bytes()
            .map(|byte| format!("{prefix}{byte:02x}"))
            .collect()
    };
    let mut forms = vec![
        secret.to_owned(),
        secret.to_uppercase(),
        secret.to_lowercase(),
    ];
    forms.extend(["", "%", "\\x", " "].map(hex));
    forms.extend(["", "%"].map(|prefix| hex(prefix).to_uppercase()));
    forms.push(secret.chars().rev().collect());
    forms.push(secret.chars().flat_map(|char| [char, '\0']).collect());
    // The secret may begin at each position in a group of three bytes.
    for skipped in 0..3 {
        let rest = &secret.as_bytes()[skipped..];
        for mut encoded in [STANDARD_NO_PAD.encode(rest), URL_SAFE_NO_PAD.encode(rest)] {
            // The last group may contain the bytes that follow the secret.
            encoded.truncate(encoded.len() - 4);
            forms.push(encoded);
        }
    }
    forms
}

/// Returns the error for a record that can't be read.
async fn unreadable(store: &SqliteStore, id: &ConnectionKey) -> String {
    match store.read(id).await {
        Err(StoreError::Unavailable(error)) => {
            assert!(matches!(
                error.downcast_ref(),
                Some(SqliteStoreError::Unreadable)
            ));
            assert!(error.source().is_none());
            error.to_string()
        }
        other => unreachable!("{other:?}"),
    }
}

#[tokio::test]
async fn l6_no_secret_is_in_the_files() {
    let canaries = [
        "Zq7xPutToken9Kw3Vb",
        "Zq7xOldToken9Kw3Vb",
        "Zq7xRenewedToken9Kw3Vb",
        "Zq7xRemovedToken9Kw3Vb",
        "Zq7xVariable9Kw3Vb",
        "Zq7xSecretName9Kw3Vb",
    ];
    let [put, old, renewed, removed, variable, name] = canaries;
    let folder = Folder::new();
    let store = folder.open().await;
    let connection = |token: &str| {
        Connection::new("in-the-clear")
            .with_variable("subdomain", variable)
            .with_secret("token", token)
            .with_secret(name, "x")
    };
    store.put(&id("acme"), &connection(old)).await.unwrap();
    store.put(&id("acme"), &connection(put)).await.unwrap();
    let version = store.put(&id("renewed"), &connection(old)).await.unwrap();
    let renewal = GrantUpdate::Refreshed(connection(renewed));
    let lease = store
        .lease(&id("renewed"), std::time::Duration::from_secs(9))
        .await;
    let lease = lease.unwrap().unwrap();
    store
        .commit(&id("renewed"), version, lease, &renewal)
        .await
        .unwrap();
    store
        .put(&id("removed"), &connection(removed))
        .await
        .unwrap();
    ConnectionStore::remove(&store, &id("removed"))
        .await
        .unwrap();

    let mut files = vec![bytes(&folder)];
    let checkpoint = "PRAGMA wal_checkpoint(FULL)";
    sqlite(&folder)
        .query_row(checkpoint, [], |_| Ok(()))
        .unwrap();
    files.push(bytes(&folder));
    // The text that a dump of the table contains.
    let dump = sqlite(&folder).query_row(
        "SELECT group_concat(id || integration || hex(sealed) || hex(key_id)) FROM connections",
        [],
        |row| row.get::<_, String>(0),
    );
    files.push(dump.unwrap().into_bytes());
    for bytes in &files {
        // The search finds text that is there.
        assert!(contains(bytes, b"in-the-clear"));
        for canary in canaries {
            for form in forms(canary) {
                assert!(!contains(bytes, form.as_bytes()), "{form} is on the disk");
            }
        }
        let key = base64::engine::general_purpose::STANDARD
            .decode(KEY)
            .unwrap();
        assert!(!contains(bytes, &key) && !contains(bytes, KEY.as_bytes()));
    }
    let record = store.read(&id("renewed")).await.unwrap();
    assert_eq!(
        record.connection.credential().get("token"),
        Some(&Secret::from(renewed))
    );
}

/// Stores two connections, one for each integration.
async fn two(folder: &Folder) -> SqliteStore {
    let store = folder.open().await;
    for (id, integration) in [("mine", "crm"), ("theirs", "bank")] {
        let connection = Connection::new(integration).with_secret("token", "Zq7xToken9Kw3Vb");
        store.put(&self::id(id), &connection).await.unwrap();
    }
    store
}

#[tokio::test]
async fn l6_rows_cannot_be_swapped() {
    let folder = Folder::new();
    let store = two(&folder).await;
    sqlite(&folder)
        .execute_batch(
            "UPDATE connections SET id = 'x' WHERE id = 'mine';
             UPDATE connections SET id = 'mine' WHERE id = 'theirs';
             UPDATE connections SET id = 'theirs' WHERE id = 'x';",
        )
        .unwrap();
    for id in ["mine", "theirs"] {
        unreadable(&store, &self::id(id)).await;
    }
}

#[tokio::test]
async fn l6_a_row_is_bound_to_its_integration_and_version() {
    // A token that is sent to the vendor of another integration is lost. A rotated token is lost as well if the older
    // record comes back.
    for change in [
        "integration = 'bank'",
        "integration = 'CRM'",
        "version = version + 1",
        "sealed = (SELECT sealed FROM connections WHERE id = 'theirs')",
        "sealed = (SELECT proof FROM keys)",
    ] {
        let folder = Folder::new();
        let store = two(&folder).await;
        let change = format!("UPDATE connections SET {change} WHERE id = 'mine'");
        assert_eq!(sqlite(&folder).execute(&change, []).unwrap(), 1);
        unreadable(&store, &id("mine")).await;
        store.read(&id("theirs")).await.unwrap();
    }
}

#[tokio::test]
async fn l6_a_record_with_a_flipped_bit_is_never_read() {
    let folder = Folder::new();
    let store = two(&folder).await;
    let sqlite = sqlite(&folder);
    let sealed: Vec<u8> = sqlite
        .query_row(
            "SELECT sealed FROM connections WHERE id = 'mine'",
            [],
            |row| row.get(0),
        )
        .unwrap();
    for byte in 0..sealed.len() {
        let mut flipped = sealed.clone();
        flipped[byte] ^= 1 << (byte % 8);
        sqlite
            .execute(
                "UPDATE connections SET sealed = ?1 WHERE id = 'mine'",
                [flipped],
            )
            .unwrap();
        unreadable(&store, &id("mine")).await;
    }
    sqlite
        .execute(
            "UPDATE connections SET sealed = ?1 WHERE id = 'mine'",
            [sealed],
        )
        .unwrap();
    store.read(&id("mine")).await.unwrap();
}

#[tokio::test]
async fn l6_a_wrong_key_is_an_error_when_the_store_is_opened() {
    let folder = Folder::new();
    let store = folder.open().await;
    store
        .put(&id("acme"), &super::with_token("token"))
        .await
        .unwrap();
    drop(store);
    for _ in 0..2 {
        let opened = SqliteStore::open(folder.file(), keys(&[OTHER_KEY])).await;
        let error = opened.expect_err("another key");
        assert!(matches!(error, SqliteStoreError::WrongKey), "{error:?}");
        let said = format!("{error} {error:?}");
        assert!(!said.contains(KEY) && !said.contains(OTHER_KEY));
        drop(two(&folder).await);
    }
    folder.open().await.read(&id("mine")).await.unwrap();
}

#[cfg(unix)]
#[tokio::test]
async fn l6_only_the_owner_can_read_the_file() {
    use std::os::unix::fs::PermissionsExt;

    let folder = Folder::new();
    let _store = two(&folder).await;
    for entry in fs::read_dir(&folder.0).unwrap() {
        let mode = entry.unwrap().metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }
}

#[tokio::test]
async fn l11_a_row_in_clear_text_is_never_read() {
    let folder = Folder::new();
    let store = two(&folder).await;
    let clear = r#"{"variables":{},"secrets":{"token":"clear"}}"#;
    let sqlite = sqlite(&folder);
    sqlite.pragma_update(None, "foreign_keys", false).unwrap();
    for (key, sealed) in [
        ("x''".to_owned(), format!("CAST('{clear}' AS BLOB)")),
        (
            "zeroblob(16)".to_owned(),
            format!("CAST('{clear}' AS BLOB)"),
        ),
        (
            "(SELECT id FROM keys)".to_owned(),
            format!("CAST('{clear}' AS BLOB)"),
        ),
        // No variables and no secrets, in the form in which they are encoded before they are encrypted.
        (
            "(SELECT id FROM keys)".to_owned(),
            "zeroblob(16)".to_owned(),
        ),
        ("x''".to_owned(), "zeroblob(16)".to_owned()),
        ("(SELECT id FROM keys)".to_owned(), "x''".to_owned()),
    ] {
        sqlite
            .execute(
                &format!(
                    "REPLACE INTO connections (id, integration, version, key_id, sealed)
                     VALUES ('planted', 'crm', 1, {key}, {sealed})"
                ),
                [],
            )
            .unwrap();
        unreadable(&store, &id("planted")).await;
    }
}

#[tokio::test]
async fn l11_all_failures_to_open_a_record_are_one_error() {
    let mut said = Vec::new();
    for change in [
        "key_id = zeroblob(16)",
        "key_id = x''",
        "sealed = substr(sealed, 1, length(sealed) - 1)",
        "sealed = substr(sealed, 1, 39)",
        "sealed = x''",
        "sealed = CAST(sealed || x'00' AS BLOB)",
        "sealed = zeroblob(length(sealed))",
        "version = -1",
        "integration = ''",
    ] {
        let folder = Folder::new();
        let store = two(&folder).await;
        let sqlite = sqlite(&folder);
        sqlite.pragma_update(None, "foreign_keys", false).unwrap();
        let change = format!("UPDATE connections SET {change} WHERE id = 'mine'");
        assert_eq!(sqlite.execute(&change, []).unwrap(), 1);
        said.push(unreadable(&store, &id("mine")).await);
        // The other records are unchanged.
        store.read(&id("theirs")).await.unwrap();
    }
    said.dedup();
    assert_eq!(said.len(), 1, "{said:?}");
}

#[tokio::test]
async fn l11_a_row_of_an_unknown_key_is_an_error_when_the_store_is_opened() {
    for change in [
        "UPDATE connections SET key_id = zeroblob(16) WHERE id = 'mine'",
        "DELETE FROM keys",
        "UPDATE keys SET id = zeroblob(16)",
        "UPDATE keys SET proof = zeroblob(40)",
        "UPDATE keys SET proof = x''",
    ] {
        let folder = Folder::new();
        drop(two(&folder).await);
        let sqlite = sqlite(&folder);
        sqlite.pragma_update(None, "foreign_keys", false).unwrap();
        assert!(sqlite.execute(change, []).unwrap() > 0);
        let opened = SqliteStore::open(folder.file(), keys(&[KEY])).await;
        assert!(
            matches!(opened, Err(SqliteStoreError::WrongKey)),
            "{change}"
        );
    }
}
