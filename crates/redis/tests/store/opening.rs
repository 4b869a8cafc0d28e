//! Settings of the server, permissions and keys, with which a store is opened.

use std::time::Duration;

use tower_passthrough::Secret;
use tower_passthrough::store::{ConnectionStore, TokenStore};
use tower_passthrough_redis::{Durability, RedisStore, RedisStoreError};

use super::{
    DURABLE, KEY, OTHER_KEY, Server, Stores, called, id, keys, prefix, redis, shared, token, told,
    valkey, with_token,
};

#[tokio::test]
async fn a_server_that_may_lose_connections_is_refused_with_the_name_of_the_setting() {
    let Some(server) = Server::start(DURABLE) else {
        return;
    };
    let url = server.url();
    for (setting, bad, good) in [
        ("appendfsync", "everysec", "always"),
        ("appendonly", "no", "yes"),
        ("no-appendfsync-on-rewrite", "yes", "no"),
        ("maxmemory-policy", "allkeys-lru", "noeviction"),
        ("maxmemory-policy", "volatile-ttl", "noeviction"),
    ] {
        server.set(&["CONFIG", "SET", setting, bad]);
        let refused = RedisStore::open(&url, keys(&[KEY])).await;
        let shown = format!("`{setting}`");
        assert!(
            matches!(&refused, Err(RedisStoreError::NotDurable(what)) if what.contains(&shown)),
            "{refused:?}"
        );
        assert_eq!(server.set(&["DBSIZE"]), "0");
        let allowed = RedisStore::builder(keys(&[KEY]))
            .prefix("volatile")
            .dangerous()
            .volatile();
        let store = allowed.open(&url).await.unwrap();
        store.put(&id("acme"), &with_token("token")).await.unwrap();
        server.set(&["FLUSHALL"]);
        // The service's word counts for its disks, and not for what it deletes.
        let external = RedisStore::builder(keys(&[KEY])).durability(Durability::External);
        let external = external.open(&url).await;
        assert_eq!(
            external.is_ok(),
            setting != "maxmemory-policy",
            "{external:?}"
        );
        server.set(&["FLUSHALL"]);
        server.set(&["CONFIG", "SET", setting, good]);
    }
    RedisStore::open(&url, keys(&[KEY])).await.unwrap();
}

#[tokio::test]
async fn a_server_that_forbids_config_needs_the_word_of_the_host() {
    let Some(mut server) = Server::start(&format!("{DURABLE}rename-command CONFIG \"\"\n")) else {
        return;
    };
    let refused = RedisStore::open(&server.url(), keys(&[KEY])).await;
    assert!(
        matches!(&refused, Err(RedisStoreError::NotDurable(what)) if what.contains("CONFIG GET")),
        "{refused:?}"
    );
    let external = RedisStore::builder(keys(&[KEY])).durability(Durability::External);
    let store = external.open(&server.url()).await.unwrap();
    store.put(&id("acme"), &with_token("token")).await.unwrap();
    server.stop();
}

#[tokio::test]
async fn waiting_for_replicas_needs_a_server_that_can_wait() {
    if let Some(server) = shared() {
        let refused = RedisStore::builder(keys(&[KEY]))
            .replicas(1)
            .open(&server.url())
            .await;
        assert!(
            matches!(&refused, Err(RedisStoreError::Unsupported(what)) if what.contains("7.2")),
            "{refused:?}"
        );
    }
}

/// The permissions that the documentation lists are enough for all operations.
#[tokio::test]
async fn a_user_with_the_documented_permissions_is_enough() {
    for program in [redis(), valkey()].into_iter().flatten() {
        let server = Server::start_with(&program, DURABLE);
        let documented = include_str!("../../src/docs.md");
        let line = documented
            .lines()
            .find_map(|line| line.strip_prefix("ACL SETUSER gateway "));
        let rules = line
            .expect("the documentation lists the permissions")
            .replace("PASSWORD", "s3cr3tpw");
        let mut command = vec!["ACL", "SETUSER", "s3cr3tuser"];
        let can_wait = server
            .set(&["COMMAND", "INFO", "WAITAOF"])
            .contains("waitaof");
        command.extend(
            rules
                .split_whitespace()
                .filter(|rule| *rule != "+waitaof" || can_wait),
        );
        server.set(&command);
        let url = Secret::from(format!(
            "redis://s3cr3tuser:s3cr3tpw@127.0.0.1:{}",
            server.port
        ));
        let store = RedisStore::open(&url, keys(&[KEY])).await.unwrap();
        let version = store.put(&id("acme"), &with_token("token")).await.unwrap();
        called(&store, &id("acme")).await.unwrap();
        called(&store, &id("acme")).await.unwrap();
        let lease = store
            .lease(&id("acme"), Duration::from_secs(9))
            .await
            .unwrap()
            .unwrap();
        assert!(
            store
                .extend(&id("acme"), lease, Duration::from_secs(9))
                .await
                .unwrap()
        );
        let update = tower_passthrough::store::GrantUpdate::Refreshed(with_token("new"));
        store
            .commit(&id("acme"), version, lease, &update)
            .await
            .unwrap()
            .unwrap();
        store.release(&id("acme"), lease).await.unwrap();
        assert_eq!(store.list(None, 10).await.unwrap().len(), 1);
        store.reencrypt().await.unwrap();
        store.check().await.unwrap();
        assert!(store.remove(&id("acme")).await.unwrap());
        // Names of other programs can't be used.
        let elsewhere = RedisStore::builder(keys(&[KEY]))
            .prefix("other")
            .open(&url)
            .await;
        let error = elsewhere.unwrap_err();
        let shown = format!("{} {error:?}", told(&error));
        assert!(
            shown.contains("permission") && !shown.contains("s3cr3t"),
            "{shown}"
        );
    }
}

#[tokio::test]
async fn a_wrong_or_missing_key_is_found_when_the_store_is_opened() {
    let Some(server) = shared() else {
        return;
    };
    let prefix = prefix();
    let open = async |texts: &[&str]| {
        RedisStore::builder(keys(texts))
            .prefix(&prefix)
            .open(&server.url())
            .await
    };
    let store = open(&[KEY]).await.unwrap();
    // Nothing is encrypted yet, so another key can be used.
    open(&[OTHER_KEY]).await.unwrap();
    store.put(&id("acme"), &with_token("token")).await.unwrap();
    let wrong = open(&[OTHER_KEY]).await;
    assert!(matches!(wrong, Err(RedisStoreError::WrongKey)), "{wrong:?}");
    let both = open(&[OTHER_KEY, KEY]).await.unwrap();
    both.put(&id("beta"), &with_token("token")).await.unwrap();
    for text in [KEY, OTHER_KEY] {
        let missing = open(&[text]).await;
        assert!(
            matches!(missing, Err(RedisStoreError::WrongKey)),
            "{missing:?}"
        );
    }
}

#[tokio::test]
async fn a_newer_format_and_names_of_other_programs_are_left_alone() {
    let Some(server) = shared() else {
        return;
    };
    let prefix = prefix();
    server.set(&["SET", &format!("{prefix}:format"), "2"]);
    let newer = RedisStore::builder(keys(&[KEY]))
        .prefix(&prefix)
        .open(&server.url())
        .await;
    assert!(
        matches!(newer, Err(RedisStoreError::NewerFormat)),
        "{newer:?}"
    );
    server.set(&["DEL", &format!("{prefix}:format")]);
    server.set(&["RPUSH", &format!("{prefix}:format"), "list"]);
    let others = RedisStore::builder(keys(&[KEY]))
        .prefix(&prefix)
        .open(&server.url())
        .await;
    let error = others.unwrap_err();
    assert!(told(&error).contains("WRONGTYPE"), "{}", told(&error));
    assert_eq!(server.set(&["LLEN", &format!("{prefix}:format")]), "1");
    for name in ["", "Upper", "a{b}", "a b"] {
        let refused = RedisStore::builder(keys(&[KEY]))
            .prefix(name)
            .open(&server.url())
            .await;
        assert!(
            matches!(refused, Err(RedisStoreError::InvalidPrefix)),
            "{refused:?}"
        );
    }
}

#[tokio::test]
async fn a_password_is_read_again_for_each_connection_and_is_never_shown() {
    let Some(server) = Server::start(&format!("{DURABLE}requirepass s3cr3t1\n")) else {
        return;
    };
    let url = |user: &str| Secret::from(format!("redis://{user}127.0.0.1:{}", server.port));
    for (user, why) in [
        ("", "password"),
        (":s3cr3twrong@", "password is wrong"),
        ("s3cr3tuser:s3cr3t1@", "password is wrong"),
    ] {
        let error = RedisStore::open(&url(user), keys(&[KEY]))
            .await
            .unwrap_err();
        let shown = format!("{} {error:?}", told(&error));
        assert!(shown.contains(why) && !shown.contains("s3cr3t"), "{shown}");
    }
    let missing = RedisStore::builder(keys(&[KEY])).password_file("/nonexistent/s3cr3tfile");
    let error = missing.open(&url("")).await.unwrap_err();
    let shown = format!("{} {error:?}", told(&error));
    assert!(
        shown.contains("password's file") && !shown.contains("s3cr3t"),
        "{shown}"
    );
    let fixed = RedisStore::builder(keys(&[KEY])).password(Secret::from("s3cr3t1"));
    fixed.open(&url(":s3cr3twrong@")).await.unwrap();

    let file = server.write("password", "s3cr3t1\n");
    let builder = RedisStore::builder(keys(&[KEY])).password_file(&file);
    let store = builder.open(&url("")).await.unwrap();
    store.put(&id("acme"), &with_token("token")).await.unwrap();
    let mut session = server.session();
    session.ask(&["CONFIG", "SET", "requirepass", "s3cr3t2"]);
    session.ask(&["CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes"]);
    let error = super::outages::within(super::outages::PATIENCE, async || {
        match store.read(&id("acme")).await {
            Err(tower_passthrough::StoreError::Unavailable(error)) => Ok(error),
            other => Err(format!("{other:?}")),
        }
    })
    .await;
    let shown = format!("{} {error:?}", told(&*error));
    assert!(
        shown.contains("password") && !shown.contains("s3cr3t"),
        "{shown}"
    );
    server.write("password", "s3cr3t2");
    super::outages::within(super::outages::PATIENCE, async || {
        store.read(&id("acme")).await
    })
    .await;
}

#[tokio::test]
async fn a_unix_socket_and_a_database_with_a_number_are_used() {
    let Some(mut server) = Server::start(DURABLE) else {
        return;
    };
    let socket = server.folder.join("socket");
    server.stop();
    server.configure(&format!(
        "unixsocket {}\nunixsocketperm 777",
        socket.display()
    ));
    server.run();
    let url = Secret::from(format!("unix://{}?db=3", socket.display()));
    let refused = RedisStore::open(&url, keys(&[KEY])).await;
    assert!(
        matches!(refused, Err(RedisStoreError::InvalidUrl(_))),
        "{refused:?}"
    );
    let url = Secret::from(format!("unix://{}", socket.display()));
    let store = RedisStore::open(&url, keys(&[KEY])).await.unwrap();
    store.put(&id("acme"), &with_token("socket")).await.unwrap();
    let url = Secret::from(format!("redis://127.0.0.1:{}/3", server.port));
    let other = RedisStore::open(&url, keys(&[KEY])).await.unwrap();
    other.put(&id("acme"), &with_token("third")).await.unwrap();
    assert_eq!(token(&called(&store, &id("acme")).await.unwrap()), "socket");
    assert_eq!(token(&called(&other, &id("acme")).await.unwrap()), "third");
}
