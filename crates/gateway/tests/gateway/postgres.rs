//! `[store] kind = "postgres"`: gateways on one database, and a role that may not create tables.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use testkit::postgres::shared;
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
