//! Migrations, privileges, settings of the server and keys, with which a store is opened.

use tower_passthrough::Secret;
use tower_passthrough::store::{ConnectionStore, TokenStore};
use tower_passthrough_postgres::{Migrations, PostgresStore, PostgresStoreError};

use testkit::postgres::Database;

use super::server::Stores;
use super::{KEY, OTHER_KEY, Server, called, id, keys, shared, token, told, with_token};

async fn opened_by(
    database: &Database<'_>,
    user: &str,
    migrations: Migrations,
) -> Result<PostgresStore, PostgresStoreError> {
    let builder = PostgresStore::builder(keys(&[KEY]))
        .connections(1)
        .migrations(migrations);
    builder
        .open(&database.secret_url(user, database.server.port))
        .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn several_processes_migrate_at_once_and_make_one_schema() {
    let Some(server) = shared() else {
        return;
    };
    let database = server.database();
    let mut tasks = Vec::new();
    for _ in 0..6 {
        let url = database.secret();
        tasks.push(tokio::spawn(async move {
            PostgresStore::builder(keys(&[KEY]))
                .connections(1)
                .open(&url)
                .await
        }));
    }
    let mut stores = Vec::new();
    for task in tasks {
        stores.push(task.await.unwrap().unwrap());
    }
    stores[0]
        .put(&id("acme"), &with_token("token"))
        .await
        .unwrap();
    for store in &stores {
        assert_eq!(token(&called(store, &id("acme")).await.unwrap()), "token");
    }
    assert_eq!(
        database.sql("SELECT count(*), max(version) FROM passthrough.schema_version"),
        "1|1"
    );
}

#[tokio::test]
async fn a_role_without_ddl_is_enough_for_tables_that_exist() {
    let Some(server) = shared() else {
        return;
    };
    let database = server.database();
    let user = format!("worker_{}", database.name);
    database.sql(&format!("CREATE ROLE {user} LOGIN"));
    let checked = opened_by(&database, &user, Migrations::Check).await;
    assert!(
        matches!(
            checked,
            Err(PostgresStoreError::OlderSchema { found: 0, known: 1 })
        ),
        "{checked:?}"
    );
    let run = opened_by(&database, &user, Migrations::Run).await;
    assert!(
        matches!(run, Err(PostgresStoreError::NotPermitted(what)) if what.contains("CREATE")),
        "{run:?}"
    );
    database.open().await;
    for migrations in [Migrations::Check, Migrations::Run] {
        let refused = opened_by(&database, &user, migrations).await;
        assert!(
            matches!(&refused, Err(PostgresStoreError::NotPermitted(what)) if what.contains("GRANT")),
            "{refused:?}"
        );
    }
    database.sql(&format!("GRANT USAGE ON SCHEMA passthrough TO {user}"));
    database.sql(&format!(
        "GRANT SELECT, INSERT, DELETE ON ALL TABLES IN SCHEMA passthrough TO {user}"
    ));
    let refused = opened_by(&database, &user, Migrations::Check).await;
    assert!(
        matches!(refused, Err(PostgresStoreError::NotPermitted(_))),
        "{refused:?}"
    );
    database.sql(&format!(
        "GRANT UPDATE ON ALL TABLES IN SCHEMA passthrough TO {user}"
    ));
    for migrations in [Migrations::Check, Migrations::Run] {
        let store = opened_by(&database, &user, migrations).await.unwrap();
        store.put(&id("acme"), &with_token("token")).await.unwrap();
        let lease = store
            .lease(&id("acme"), std::time::Duration::from_secs(9))
            .await
            .unwrap();
        store.release(&id("acme"), lease.unwrap()).await.unwrap();
        store.reencrypt().await.unwrap();
        assert!(store.remove(&id("acme")).await.unwrap());
    }
}

#[tokio::test]
async fn tables_of_others_and_of_newer_versions_are_left_alone() {
    let Some(server) = shared() else {
        return;
    };
    let database = server.database();
    database.sql("CREATE SCHEMA passthrough CREATE TABLE customers (name text)");
    let refused = PostgresStore::open(&database.secret(), keys(&[KEY])).await;
    assert!(
        matches!(refused, Err(PostgresStoreError::NotAStore)),
        "{refused:?}"
    );
    // Another schema of the same database, with a name that SQL reserves.
    let elsewhere = database.open_with(|builder| builder.schema("order")).await;
    elsewhere
        .put(&id("acme"), &with_token("token"))
        .await
        .unwrap();
    assert_eq!(
        database.sql("SELECT count(*) FROM \"order\".connections"),
        "1"
    );
    database.sql("UPDATE \"order\".schema_version SET version = 2");
    for migrations in [Migrations::Check, Migrations::Run] {
        let builder = PostgresStore::builder(keys(&[KEY]))
            .schema("order")
            .migrations(migrations);
        let refused = builder.open(&database.secret()).await;
        assert!(
            matches!(
                refused,
                Err(PostgresStoreError::NewerSchema { found: 2, known: 1 })
            ),
            "{refused:?}"
        );
    }
    for name in ["", "a\"; DROP SCHEMA public; --", "Upper", "pg_catalog"] {
        let refused = PostgresStore::builder(keys(&[KEY]))
            .schema(name)
            .open(&database.secret())
            .await;
        assert!(
            matches!(refused, Err(PostgresStoreError::InvalidSchema)),
            "{refused:?}"
        );
    }
}

#[tokio::test]
async fn a_server_that_may_lose_commits_is_refused() {
    let Some(mut server) = Server::start("") else {
        return;
    };
    for (setting, name) in [
        ("synchronous_commit = off", "synchronous_commit"),
        ("synchronous_commit = on\nfsync = off", "fsync"),
        ("fsync = on\nfull_page_writes = off", "full_page_writes"),
    ] {
        server.stop();
        server.configure(setting);
        server.run();
        let database = server.database();
        let refused = PostgresStore::open(&database.secret(), keys(&[KEY])).await;
        assert!(
            matches!(&refused, Err(PostgresStoreError::NotDurable(what)) if what.contains(name)),
            "{refused:?}"
        );
        assert_eq!(
            database.sql("SELECT count(*) FROM pg_namespace WHERE nspname = 'passthrough'"),
            "0"
        );
        let allowed = PostgresStore::builder(keys(&[KEY])).dangerous().volatile();
        allowed.open(&database.secret()).await.unwrap();
    }
}

#[tokio::test]
async fn a_database_that_changes_texts_is_refused() {
    let Some(server) = shared() else {
        return;
    };
    let name = format!("latin_{}", std::process::id());
    server.sql(
        "postgres",
        &format!("CREATE DATABASE {name} ENCODING 'LATIN1' TEMPLATE template0"),
    );
    let url = Secret::from(format!(
        "postgres://postgres@127.0.0.1:{}/{name}",
        server.port
    ));
    let refused = PostgresStore::open(&url, keys(&[KEY])).await;
    assert!(
        matches!(refused, Err(PostgresStoreError::Unsupported(_))),
        "{refused:?}"
    );
}

#[tokio::test]
async fn a_wrong_or_missing_key_is_found_when_the_store_is_opened() {
    let Some(server) = shared() else {
        return;
    };
    let database = server.database();
    let store = database.open().await;
    // Nothing is encrypted yet, so another key can be used.
    PostgresStore::open(&database.secret(), keys(&[OTHER_KEY]))
        .await
        .unwrap();
    store.put(&id("acme"), &with_token("token")).await.unwrap();
    let wrong = PostgresStore::open(&database.secret(), keys(&[OTHER_KEY])).await;
    assert!(
        matches!(wrong, Err(PostgresStoreError::WrongKey)),
        "{wrong:?}"
    );
    let both = PostgresStore::open(&database.secret(), keys(&[OTHER_KEY, KEY]))
        .await
        .unwrap();
    both.put(&id("beta"), &with_token("token")).await.unwrap();
    for text in [KEY, OTHER_KEY] {
        let missing = PostgresStore::open(&database.secret(), keys(&[text])).await;
        assert!(
            matches!(missing, Err(PostgresStoreError::WrongKey)),
            "{missing:?}"
        );
    }
}

#[tokio::test]
async fn a_database_or_role_that_does_not_exist_is_told_without_its_name() {
    let Some(server) = shared() else {
        return;
    };
    for (user, name, code) in [
        ("postgres", "s3cr3tdb", "3D000"),
        ("s3cr3tuser", "postgres", "28000"),
    ] {
        let url = Secret::from(format!(
            "postgres://{user}:s3cr3tpw@127.0.0.1:{}/{name}",
            server.port
        ));
        let error = PostgresStore::open(&url, keys(&[KEY])).await.unwrap_err();
        let shown = format!("{} {error:?}", told(&error));
        assert!(shown.contains(code) && !shown.contains("s3cr3t"), "{shown}");
    }
}

/// Returns the tables of the database, and the number of keys that are noted.
fn traces(database: &Database<'_>) -> String {
    database.sql("SELECT count(*), count(*) FILTER (WHERE nspname = 'passthrough') FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace")
}

#[tokio::test]
async fn a_check_finds_what_opening_would_and_changes_nothing() {
    let Some(server) = shared() else {
        return;
    };
    let database = server.database();
    let user = format!("checker_{}", database.name);
    database.sql(&format!("CREATE ROLE {user} LOGIN"));
    let before = traces(&database);
    let check = async |user: &str, key: &str, migrations| {
        let builder = PostgresStore::builder(keys(&[key])).migrations(migrations);
        builder
            .check(&database.secret_url(user, database.server.port))
            .await
    };
    check("postgres", KEY, Migrations::Run).await.unwrap();
    let missing = check("postgres", KEY, Migrations::Check).await;
    assert!(
        matches!(
            missing,
            Err(PostgresStoreError::OlderSchema { found: 0, known: 1 })
        ),
        "{missing:?}"
    );
    let may_not = check(&user, KEY, Migrations::Run).await;
    assert!(
        matches!(may_not, Err(PostgresStoreError::NotPermitted(what)) if what.contains("CREATE")),
        "{may_not:?}"
    );
    assert_eq!(traces(&database), before);

    let store = database.open().await;
    store.put(&id("acme"), &with_token("token")).await.unwrap();
    let noted = "SELECT count(*) FROM passthrough.keys";
    assert_eq!(database.sql(noted), "1");
    let before = traces(&database);
    for migrations in [Migrations::Run, Migrations::Check] {
        check("postgres", KEY, migrations).await.unwrap();
        let wrong = check("postgres", OTHER_KEY, migrations).await;
        assert!(
            matches!(wrong, Err(PostgresStoreError::WrongKey)),
            "{wrong:?}"
        );
        let may_not = check(&user, KEY, migrations).await;
        assert!(
            matches!(&may_not, Err(PostgresStoreError::NotPermitted(what)) if what.contains("GRANT")),
            "{may_not:?}"
        );
    }
    assert_eq!(traces(&database), before);
    assert_eq!(database.sql(noted), "1");
    let unknown = check("nobody_has_this_name", KEY, Migrations::Run).await;
    assert!(
        matches!(unknown, Err(PostgresStoreError::Unavailable(_))),
        "{unknown:?}"
    );
}
