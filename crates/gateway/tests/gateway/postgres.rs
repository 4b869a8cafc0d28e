//! `[store] kind = "postgres"`: gateways on one database, and a role that may not create tables.

use std::time::Duration;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use testkit::postgres::{Server, shared};
use testkit::process::binary::{Ended, run_with};
use testkit::process::canary::{self, TOKEN};
use testkit::process::config::Config;
use testkit::process::folder::Folder;
use testkit::process::gateway::Gateway;
use testkit::vendor::Vendor;
use testkit::wait::within;

fn key(byte: u8) -> String {
    BASE64_STANDARD.encode([byte; 32])
}

fn store(lines: &str) -> String {
    format!(
        "[store]\nkind = \"postgres\"\nurl = {{ env = \"DATABASE\" }}\nkey = {{ env = \"KEY\" }}\n{lines}"
    )
}

/// Runs a command with a config in that folder.
fn run(folder: &Folder, config: &Config, variables: &[(&str, &str)], command: &[&str]) -> Ended {
    let file = folder.write("gateway.toml", config.to_string());
    let arguments = [&["--config", file.to_str().unwrap()], command].concat();
    let ended = run_with(&arguments, variables, "token = \"c4nary-other\"");
    for (name, text) in [("stdout", &ended.stdout), ("stderr", &ended.stderr)] {
        canary::assert_absent(name, text);
        assert!(!text.contains("postgres://"), "{name}: {text}");
    }
    ended
}

#[tokio::test]
async fn gateways_on_one_database_serve_the_same_connections() {
    let Some(server) = shared() else {
        return;
    };
    let database = server.database();
    let vendor = Vendor::ok().await;
    let config = Config::new(&vendor).table(&store("staleness = \"100ms\"\nconnections = 2"));
    let (url, key) = (database.url(), key(1));
    let variables = [("DATABASE", &*url), ("KEY", &*key)];
    let folder = Folder::new();
    let file = folder.write("gateway.toml", config.to_string());
    let import = ["connections", "import", file.to_str().unwrap()];
    let imported = run(&folder, &config, &variables, &import);
    assert_eq!(
        (imported.code, &*imported.stdout),
        (Some(0), "imported 1 connection\n"),
        "{imported:?}"
    );
    let one = Gateway::start_in(Folder::new(), &config, &variables).await;
    let other = Gateway::start_in(Folder::new(), &config, &variables).await;
    for gateway in [&one, &other] {
        assert_eq!(gateway.call("/c/x", &[]).await.status(), 200);
        let received = vendor.next().await;
        let expected = format!("Bearer {TOKEN}");
        assert_eq!(received.head.value("authorization"), Some(&*expected));
        assert_eq!(gateway.curl("/readyz", &[]).await.body(), "ready\n");
    }
    let add = ["connections", "add", "c", "--integration", "v", "--replace"];
    let added = run(&folder, &config, &variables, &add);
    assert_eq!(added.code, Some(0), "{added:?}");
    let changed = async {
        for gateway in [&one, &other] {
            loop {
                assert_eq!(gateway.call("/c/x", &[]).await.status(), 200);
                let received = vendor.next().await;
                if received.head.value("authorization") == Some("Bearer c4nary-other") {
                    break;
                }
            }
        }
    };
    within("the change in both gateways", changed).await;
    let removed = run(
        &folder,
        &config,
        &variables,
        &["connections", "remove", "c"],
    );
    assert_eq!(removed.stdout, "removed 1 connection\n");
    let gone = async {
        for gateway in [&one, &other] {
            while gateway.call("/c/x", &[]).await.status() != 404 {
                let _ = vendor.next().await;
            }
        }
    };
    within("the removal in both gateways", gone).await;
}

#[tokio::test]
async fn a_role_without_privileges_to_create_tables_is_told_of_store_migrate() {
    let Some(server) = shared() else {
        return;
    };
    let database = server.database();
    let user = format!("gateway_{}", database.name);
    database.sql(&format!("CREATE ROLE {user} LOGIN"));
    let vendor = Vendor::ok().await;
    let checking = Config::new(&vendor).table(&store("migrations = \"check\""));
    let key = key(1);
    let (url, owner_url) = (database.url_of(&user, server.port), database.url());
    let (gateway, owner) = (
        [("DATABASE", &*url), ("KEY", &*key)],
        [("DATABASE", &*owner_url), ("KEY", &*key)],
    );
    let folder = Folder::new();
    let refused = run(&folder, &checking, &gateway, &["connections", "list"]);
    assert_eq!(refused.code, Some(1), "{refused:?}");
    assert!(refused.stderr.contains("`store migrate`"), "{refused:?}");
    let migrated = run(&folder, &checking, &owner, &["store", "migrate"]);
    assert_eq!(
        (migrated.code, &*migrated.stdout),
        (Some(0), "the store's tables are up to date\n"),
        "{migrated:?}"
    );
    let refused = run(&folder, &checking, &gateway, &["connections", "list"]);
    assert!(refused.stderr.contains("GRANT"), "{refused:?}");
    database.sql(&format!("GRANT USAGE ON SCHEMA passthrough TO {user}"));
    database.sql(&format!(
        "GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA passthrough TO {user}"
    ));
    let listed = run(&folder, &checking, &gateway, &["connections", "list"]);
    assert_eq!((listed.code, &*listed.stdout), (Some(0), ""), "{listed:?}");
    // A wrong key is a mistake of the config.
    let add = ["connections", "add", "c", "--integration", "v"];
    assert_eq!(run(&folder, &checking, &gateway, &add).code, Some(0));
    let other = BASE64_STANDARD.encode([2; 32]);
    let wrong = run(
        &folder,
        &checking,
        &[("DATABASE", &*url), ("KEY", &*other)],
        &["connections", "list"],
    );
    assert_eq!(wrong.code, Some(2), "{wrong:?}");
    assert!(
        wrong.stderr.contains("neither `key` nor in `keys`"),
        "{wrong:?}"
    );
}

/// Waits until `/readyz` answers with that status.
async fn readiness(gateway: &Gateway, status: u16) {
    within("the readiness", async {
        while gateway.curl("/readyz", &[]).await.status() != status {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    })
    .await;
}

/// Calls until the answer has that status and that error.
async fn answer(gateway: &Gateway, path: &str, status: u16, error: Option<&str>) {
    within("the answer", async {
        loop {
            let answer = gateway.call(path, &[]).await;
            if (answer.status(), answer.error()) == (status, error) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    })
    .await;
}

#[tokio::test]
async fn readiness_and_calls_follow_the_grace_for_outages() {
    let Some(mut server) = Server::start("") else {
        return;
    };
    let (url, port) = (server.database().url(), server.port);
    let vendor = Vendor::ok().await;
    let key = key(1);
    let variables = [("DATABASE", &*url), ("KEY", &*key)];
    let with_grace = |grace: &str| {
        let lines = format!("staleness = \"50ms\"\nconnections = 1\noutage_grace = \"{grace}\"");
        Config::new(&vendor).table(&store(&lines))
    };
    let folder = Folder::new();
    for id in ["c", "cold"] {
        let add = ["connections", "add", id, "--integration", "v"];
        let added = run(&folder, &with_grace("1h"), &variables, &add);
        assert_eq!(added.code, Some(0), "{added:?}");
    }
    let mut gateways = Vec::new();
    for grace in ["1h", "3s", "0s"] {
        let gateway = Gateway::start_in(Folder::new(), &with_grace(grace), &variables).await;
        for _ in 0..2 {
            assert_eq!(gateway.call("/c/x", &[]).await.status(), 200);
        }
        readiness(&gateway, 200).await;
        gateways.push(gateway);
    }
    let [long, short, none] = &gateways[..] else {
        panic!("three gateways");
    };
    server.crash();
    for gateway in [none, short] {
        readiness(gateway, 503).await;
        answer(gateway, "/c/x", 503, Some("store-unavailable")).await;
    }
    // The outage has been longer than the other graces by now.
    assert_eq!(long.curl("/readyz", &[]).await.status(), 200);
    assert_eq!(long.call("/c/x", &[]).await.status(), 200);
    let cold = long.call("/cold/x", &[]).await;
    assert_eq!(
        (cold.status(), cold.error()),
        (503, Some("store-unavailable"))
    );
    server.run();
    assert_eq!(server.port, port, "another process took the port");
    for gateway in &gateways {
        answer(gateway, "/c/x", 200, None).await;
        readiness(gateway, 200).await;
    }
    answer(long, "/cold/x", 200, None).await;
}

#[tokio::test]
async fn a_check_asks_the_database_and_changes_nothing() {
    let Some(server) = Server::start("") else {
        return;
    };
    let database = server.database();
    let vendor = Vendor::ok().await;
    let folder = Folder::new();
    let (config, checking) = (
        Config::new(&vendor).table(&store("")),
        Config::new(&vendor).table(&store("migrations = \"check\"")),
    );
    let (one, two) = (key(1), key(2));
    let owner = database.url();
    let check = |config: &Config, url: &str, key: &str| {
        run(
            &folder,
            config,
            &[("DATABASE", url), ("KEY", key)],
            &["--check"],
        )
    };
    let tables = "SELECT count(*) FROM pg_namespace WHERE nspname = 'passthrough'";
    let good = check(&config, &owner, &one);
    assert_eq!(good.code, Some(0), "{good:?}");
    assert!(good.stdout.starts_with("the config is good: "), "{good:?}");
    let missing = check(&checking, &owner, &one);
    assert_eq!(
        (missing.code, &*missing.stdout),
        (Some(1), ""),
        "{missing:?}"
    );
    assert!(
        missing.stderr.contains("the tables don't exist yet"),
        "{missing:?}"
    );
    assert!(missing.stderr.contains("`store migrate`"), "{missing:?}");
    assert_eq!(database.sql(tables), "0");

    let migrated = run(
        &folder,
        &config,
        &[("DATABASE", &*owner), ("KEY", &*one)],
        &["connections", "add", "c", "--integration", "v"],
    );
    assert_eq!(migrated.code, Some(0), "{migrated:?}");
    let good = check(&checking, &owner, &one);
    assert_eq!(good.code, Some(0), "{good:?}");
    let wrong = check(&config, &owner, &two);
    assert_eq!(wrong.code, Some(2), "{wrong:?}");
    assert!(
        wrong.stderr.contains("neither `key` nor in `keys`"),
        "{wrong:?}"
    );
    assert_eq!(database.sql("SELECT count(*) FROM passthrough.keys"), "1");

    let hba = std::fs::read_to_string(server.data().join("pg_hba.conf")).unwrap();
    server.write(
        "data/pg_hba.conf",
        &format!("host all c4naryuser 127.0.0.1/32 scram-sha-256\n{hba}"),
    );
    database.sql("CREATE ROLE c4naryuser LOGIN PASSWORD 'c4narypassword'");
    server.reload();
    let url = database.url_of("c4naryuser:c4narywrong", server.port);
    let refused = check(&config, &url, &one);
    assert_eq!(refused.code, Some(1), "{refused:?}");
    assert!(refused.stderr.contains("28P01"), "{refused:?}");
    let url = database.url_of("c4naryuser:c4narypassword", server.port);
    let may_not = check(&config, &url, &one);
    assert_eq!(may_not.code, Some(1), "{may_not:?}");
    assert!(may_not.stderr.contains("GRANT"), "{may_not:?}");
    let elsewhere = check(&config, "postgres://postgres@127.0.0.1:1/none", &one);
    assert_eq!(elsewhere.code, Some(1), "{elsewhere:?}");
    assert!(
        elsewhere.stderr.contains("the database can't be used"),
        "{elsewhere:?}"
    );
}

/// Returns the value of a metric with these labels, as it's written.
fn metric(metrics: &str, series: &str) -> Option<f64> {
    let line = metrics
        .lines()
        .find_map(|line| line.strip_prefix(series)?.strip_prefix(' '));
    line?.parse().ok()
}

#[tokio::test]
async fn the_store_has_metrics_without_ids() {
    let Some(server) = shared() else {
        return;
    };
    let database = server.database();
    let vendor = Vendor::ok().await;
    let (url, key) = (database.url(), key(1));
    let variables = [("DATABASE", &*url), ("KEY", &*key)];
    let auth = "{ kind = \"oauth2\", token_url = \"http://127.0.0.1:1/token\", grant = \"refresh_token\", \
                client_auth = \"basic\", client_id = \"a\", client_secret = \"b\" }";
    let secret = "{ access_token = \"c4nary-a\", refresh_token = \"c4nary-r\" }";
    let ended = "secret = { access_token = \"c4nary-a\", refresh_token = \"c4nary-r\", expires_at = 1000000000 }";
    let config = Config::new(&vendor)
        .auth(auth, secret)
        .table(&format!(
            "[connection.revoked-id]\nintegration = \"v\"\n{ended}"
        ))
        .table(&store("staleness = \"1h\"\nconnections = 2"));
    let folder = Folder::new();
    let file = folder.write("gateway.toml", config.to_string());
    let import = ["connections", "import", file.to_str().unwrap()];
    let imported = run(&folder, &config, &variables, &import);
    assert_eq!(imported.stdout, "imported 2 connections\n", "{imported:?}");
    database.sql("UPDATE passthrough.connections SET dead = true WHERE id = 'revoked-id'");
    let gateway = Gateway::start_in(Folder::new(), &config, &variables).await;
    for _ in 0..5 {
        assert_eq!(gateway.call("/c/x", &[]).await.status(), 200);
    }
    assert_eq!(gateway.call("/unknown/x", &[]).await.status(), 404);
    assert_eq!(gateway.call("/revoked-id/x", &[]).await.status(), 424);
    let caller = format!("x-api-key: {}", canary::KEY);
    let scraped = async || {
        let scraped = gateway.curl("/metrics", &["-H", &*caller]).await;
        scraped.body().to_owned()
    };
    let metrics = scraped().await;
    let operations = |operation: &str, outcome: &str| {
        let labels = format!("operation=\"{operation}\",outcome=\"{outcome}\"");
        metric(
            &metrics,
            &format!("passthrough_store_operations_total{{{labels}}}"),
        )
    };
    assert_eq!(operations("connection", "ok"), Some(6.0), "{metrics}");
    assert_eq!(
        operations("connection", "not_found"),
        Some(1.0),
        "{metrics}"
    );
    assert!(operations("read", "ok") >= Some(1.0), "{metrics}");
    let value = |name: &str| metric(&metrics, &format!("passthrough_store_{name}"));
    assert_eq!(value("cache_hits_total"), Some(4.0), "{metrics}");
    assert_eq!(value("cache_misses_total"), Some(3.0), "{metrics}");
    assert_eq!(value("revoked_connections"), Some(1.0), "{metrics}");
    let age = value("change_poll_age_seconds").unwrap();
    assert!((0.0..3600.0).contains(&age), "{metrics}");
    assert!(!metrics.contains("revoked-id"), "{metrics}");

    // The cache counts its entries a while after they were added.
    let of_store = async |name: &str| {
        let metrics = scraped().await;
        metric(&metrics, &format!("passthrough_store_{name}"))
    };
    while of_store("cache_entries").await != Some(2.0) {
        assert_eq!(gateway.call("/c/x", &[]).await.status(), 200);
    }
    // A store that is opened with other settings begins with nothing, and a connection that was removed isn't revoked any more.
    let with = |lines: &str| {
        Config::new(&vendor)
            .auth(auth, secret)
            .table(&store(&format!("{lines}\nconnections = 2")))
    };
    gateway.reload(&with("staleness = \"0s\"")).await;
    assert_eq!(of_store("revoked_connections").await, Some(0.0));
    assert_eq!(gateway.call("/revoked-id/x", &[]).await.status(), 424);
    assert_eq!(of_store("revoked_connections").await, Some(1.0));
    database.sql("DELETE FROM passthrough.connections WHERE id = 'revoked-id'");
    assert_eq!(gateway.call("/revoked-id/x", &[]).await.status(), 404);
    assert_eq!(of_store("revoked_connections").await, Some(0.0));
    while of_store("cache_entries").await == Some(0.0) {
        assert_eq!(gateway.call("/c/x", &[]).await.status(), 200);
    }
    let hits = of_store("cache_hits_total").await;
    gateway
        .reload(&Config::new(&vendor).auth(auth, secret))
        .await;
    assert_eq!(of_store("cache_entries").await, Some(0.0));
    assert_eq!(of_store("change_poll_age_seconds").await, Some(0.0));
    assert!(of_store("cache_hits_total").await >= hits);
}
