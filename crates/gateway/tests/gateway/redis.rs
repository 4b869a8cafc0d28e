//! `[store] kind = "redis"`: gateways on one server, and a server that may lose connections.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use testkit::process::binary::{Ended, run_with};
use testkit::process::canary::{self, TOKEN};
use testkit::process::config::Config;
use testkit::process::folder::Folder;
use testkit::process::gateway::Gateway;
use testkit::redis::{DURABLE, Server};
use testkit::vendor::Vendor;
use testkit::wait::within;

fn key(byte: u8) -> String {
    BASE64_STANDARD.encode([byte; 32])
}

fn store(lines: &str) -> String {
    format!(
        "[store]\nkind = \"redis\"\nurl = {{ env = \"REDIS\" }}\nkey = {{ env = \"KEY\" }}\n{lines}"
    )
}

/// Runs a command with a config in that folder.
fn run(folder: &Folder, config: &Config, variables: &[(&str, &str)], command: &[&str]) -> Ended {
    let file = folder.write("gateway.toml", config.to_string());
    let arguments = [&["--config", file.to_str().unwrap()], command].concat();
    let ended = run_with(&arguments, variables, "token = \"c4nary-other\"");
    for (name, text) in [("stdout", &ended.stdout), ("stderr", &ended.stderr)] {
        canary::assert_absent(name, text);
        assert!(!text.contains("127.0.0.1"), "{name}: {text}");
    }
    ended
}

#[tokio::test]
async fn gateways_on_one_server_serve_the_same_connections() {
    let Some(server) = Server::start(DURABLE) else {
        return;
    };
    let vendor = Vendor::ok().await;
    let config = Config::new(&vendor).table(&store("staleness = \"100ms\"\nprefix = \"gw\""));
    let (url, key) = (format!("redis://127.0.0.1:{}", server.port), key(1));
    let variables = [("REDIS", &*url), ("KEY", &*key)];
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
async fn a_server_that_may_lose_connections_is_refused_unless_the_config_allows_it() {
    let Some(server) = Server::start(DURABLE) else {
        return;
    };
    let vendor = Vendor::ok().await;
    let folder = Folder::new();
    let (url, key) = (format!("redis://127.0.0.1:{}", server.port), key(1));
    let variables = [("REDIS", &*url), ("KEY", &*key)];
    let list = ["connections", "list"];
    let config = |lines: &str| Config::new(&vendor).table(&store(lines));
    let add = ["connections", "add", "c", "--integration", "v"];
    let added = run(&folder, &config(""), &variables, &add);
    assert_eq!(added.code, Some(0), "{added:?}");
    server.set(&["CONFIG", "SET", "appendfsync", "everysec"]);
    let refused = run(&folder, &config(""), &variables, &list);
    assert_eq!(refused.code, Some(1), "{refused:?}");
    assert!(
        refused.stderr.contains("`appendfsync` isn't `always`")
            && refused.stderr.contains("`durability`"),
        "{refused:?}"
    );
    for durability in ["external", "none"] {
        let lines = format!("durability = \"{durability}\"");
        let listed = run(&folder, &config(&lines), &variables, &list);
        assert_eq!(listed.code, Some(0), "{listed:?}");
        assert!(listed.stdout.starts_with("c\t"), "{listed:?}");
    }
    // Replicas can't be waited for with this version of Redis.
    let replicas = run(
        &folder,
        &config("durability = \"none\"\nreplicas = 1"),
        &variables,
        &list,
    );
    assert_eq!(replicas.code, Some(1), "{replicas:?}");
    assert!(replicas.stderr.contains("7.2"), "{replicas:?}");
    // A wrong key, and a host to which the connection would not be encrypted, are mistakes of the config.
    server.set(&["CONFIG", "SET", "appendfsync", "always"]);
    let other = BASE64_STANDARD.encode([2; 32]);
    for (url, key, why) in [
        (&*url, &*other, "neither `key` nor in `keys`"),
        ("redis://redis.example", &*key, "would not be encrypted"),
        ("redis:", &*key, "can't be used"),
    ] {
        let wrong = run(&folder, &config(""), &[("REDIS", url), ("KEY", key)], &list);
        assert_eq!(wrong.code, Some(2), "{wrong:?}");
        assert!(wrong.stderr.contains(why), "{wrong:?}");
    }
    let migrated = run(&folder, &config(""), &variables, &["store", "migrate"]);
    assert_eq!(migrated.code, Some(0), "{migrated:?}");
}

/// Calls are answered, so a load balancer must not send them elsewhere: all gateways have the same server.
#[tokio::test]
async fn a_server_that_refuses_writes_is_logged_and_counted_and_the_gateway_stays_ready() {
    let Some(server) = Server::start(DURABLE) else {
        return;
    };
    let vendor = Vendor::ok().await;
    let lines = "staleness = \"100ms\"\noutage_grace = \"0s\"";
    let config = Config::new(&vendor).table(&store(lines));
    let (url, key) = (format!("redis://127.0.0.1:{}", server.port), key(1));
    let variables = [("REDIS", &*url), ("KEY", &*key)];
    let folder = Folder::new();
    let add = ["connections", "add", "c", "--integration", "v"];
    let added = run(&folder, &config, &variables, &add);
    assert_eq!(added.code, Some(0), "{added:?}");
    let gateway = Gateway::start_in(Folder::new(), &config, &variables).await;
    server.set(&["CONFIG", "SET", "min-replicas-to-write", "1"]);
    let refused = "operation=\"check_writes\",outcome=\"failed\"";
    let counted = async {
        loop {
            // Three checks, of which two failures in a row would count.
            assert_eq!(gateway.curl("/readyz", &[]).await.body(), "ready\n");
            let metrics = gateway.metrics().await;
            let count = metrics.lines().find_map(|line| {
                let (name, count) = line.rsplit_once(' ')?;
                name.contains(refused)
                    .then(|| count.parse::<f64>().unwrap())
            });
            if count.is_some_and(|count| count >= 3.0) {
                break;
            }
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        }
    };
    within("three failed checks of writes", counted).await;
    assert_eq!(gateway.call("/c/x", &[]).await.status(), 200);
    vendor.next().await;
    let is_logged = |log: &str| log.contains("NOREPLICAS: the server has fewer replicas");
    gateway.stderr.until("the cause", is_logged).await;
}
