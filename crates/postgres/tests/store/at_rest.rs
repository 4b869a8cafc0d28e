//! The bytes in the database, its files, its log and its dumps.

use testkit::at_rest::{CANARIES, ascii, files, forms};
use tower_passthrough::store::{ConnectionStore, GrantUpdate, RefreshLease, TokenStore};
use tower_passthrough::{Connection, StoreError};
use tower_passthrough_postgres::PostgresStore;

use super::{KEY, Server, Stores, called, id, keys, shared, told, with_token};

#[tokio::test]
async fn no_secret_is_in_the_files_the_log_or_a_dump() {
    let Some(mut server) = Server::start(
        "log_statement = all\nlog_min_messages = log\nlog_min_duration_statement = 0",
    ) else {
        return;
    };
    let name = {
        let database = server.database();
        let store = database.open().await;
        let connection = Connection::new("crm").with_variable("subdomain", CANARIES[3]);
        let connection = connection.with_secret(CANARIES[2], CANARIES[0]);
        let version = store.put(&id("k3y-of-acme"), &connection).await.unwrap();
        let update =
            GrantUpdate::Refreshed(Connection::new("crm").with_secret("token", CANARIES[1]));
        store
            .commit(&id("k3y-of-acme"), version, RefreshLease::new(0), &update)
            .await
            .unwrap();
        store
            .put_all(&[(id("other"), connection.clone())])
            .await
            .unwrap();
        let mut client = database.client().await;
        let transaction = client.transaction().await.unwrap();
        store
            .put_within(&transaction, &id("third"), &connection)
            .await
            .unwrap();
        transaction.commit().await.unwrap();
        database.name
    };
    let dump = server.dump(&name);
    let log = server.log();
    server.stop();
    let mut data = Vec::new();
    files(&server.data(), &mut data);
    for (place, text) in [
        ("dump", ascii(&dump)),
        ("log", log),
        ("files", ascii(&data)),
    ] {
        // The search finds what isn't encrypted.
        assert!(text.contains("k3y-of-acme"), "{place}");
        for canary in CANARIES {
            for form in forms(canary) {
                assert!(!text.contains(&form), "{place}: {form}");
            }
        }
    }
}

#[tokio::test]
async fn a_record_that_was_moved_or_altered_is_not_read() {
    let Some(server) = shared() else {
        return;
    };
    let database = server.database();
    for (name, change) in [
        (
            "moved",
            "sealed = (SELECT sealed FROM passthrough.connections WHERE id = 'source'),
            version = (SELECT version FROM passthrough.connections WHERE id = 'source')",
        ),
        ("renamed", "id = 'renamed2'"),
        ("integration", "integration = 'bank'"),
        ("version", "version = version + 1"),
        ("older", "version = -1"),
        (
            "flipped",
            "sealed = set_byte(sealed, 30, get_byte(sealed, 30) # 1)",
        ),
        ("cut", "sealed = substr(sealed, 2)"),
        ("clear", "sealed = 'token'"),
    ] {
        let store = database.open().await;
        for key in ["source", name] {
            store.put(&id(key), &with_token("token")).await.unwrap();
        }
        called(&store, &id(name)).await.unwrap();
        database.sql(&format!(
            "UPDATE passthrough.connections SET {change} WHERE id = '{name}'"
        ));
        let key = id(if name == "renamed" { "renamed2" } else { name });
        // Another process, which has nothing in memory.
        let fresh = PostgresStore::open(&database.secret(), keys(&[KEY]))
            .await
            .unwrap();
        for error in [
            called(&fresh, &key).await.unwrap_err(),
            fresh.read(&key).await.unwrap_err(),
        ] {
            let StoreError::Unavailable(error) = error else {
                panic!("{name}: {error:?}");
            };
            assert!(
                !told(&*error).contains("token"),
                "{name}: {}",
                told(&*error)
            );
        }
        // It's listed, so that it can be found, and can be replaced.
        let listed = fresh.list(None, 10).await.unwrap();
        assert!(listed.iter().any(|listed| listed.key == key), "{name}");
        fresh.put(&key, &with_token("token")).await.unwrap();
        called(&fresh, &key).await.unwrap();
        fresh.remove(&key).await.unwrap();
    }
}
