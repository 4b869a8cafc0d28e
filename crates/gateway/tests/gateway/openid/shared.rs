//! Gateways that share one store, and connections that survive the gateways.

use std::process::{Command, Stdio};

use super::provider::{Grant, Provider};
use super::{call, fifty_each, stale};
use testkit::process::binary::{self, Ended};
use testkit::process::config::Config;
use testkit::process::folder::Folder;
use testkit::process::gateway::Gateway;

/// An encryption key of 32 bytes, in base64.
const STORE_KEY: &str = "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=";

/// A store that several gateways share.
pub(super) struct Shared {
    folder: Folder,
    /// The URL of a database, in place of a file.
    database: Option<String>,
}

impl Shared {
    pub(super) fn new() -> Self {
        Self {
            folder: Folder::new(),
            database: None,
        }
    }

    fn in_database(url: String) -> Self {
        Self {
            database: Some(url),
            ..Self::new()
        }
    }

    /// Returns the same config, with its connections in the store.
    fn stored(&self, config: Config) -> Config {
        let place = match &self.database {
            Some(url) => format!("kind = \"postgres\"\nurl = \"{url}\""),
            None => {
                let path = self.folder.path("connections.db");
                format!("kind = \"sqlite\"\nurl = \"sqlite://{}\"", path.display())
            }
        };
        config.table(&format!(
            "[store]\n{place}\nkey = {{ env = \"STORE_KEY\" }}"
        ))
    }

    /// Puts the grant's connection into the store, with an access token that has ended.
    pub(super) fn import(&self, provider: &Provider, grant: &Grant) {
        let config = self.stored(stale(provider, grant));
        let file = self.folder.write("import.toml", config.to_string());
        let file = file.to_str().unwrap();
        let imported = self.run(&["--config", file, "connections", "import", file]);
        assert_eq!(imported.code, Some(0), "{}", imported.stderr);
    }

    fn run(&self, arguments: &[&str]) -> Ended {
        let output = Command::new(binary::path())
            .args(arguments)
            .env("STORE_KEY", STORE_KEY)
            .stdin(Stdio::null())
            .output();
        Ended::from(output.unwrap())
    }

    pub(super) async fn gateway(&self, provider: &Provider, grant: &Grant) -> Gateway {
        let config = self.stored(stale(provider, grant));
        Gateway::start_in(Folder::new(), &config, &[("STORE_KEY", STORE_KEY)]).await
    }
}

/// The lifetime of access tokens, in seconds. If a token ended before it was stored, which may happen on a busy
/// machine, the gateway would take it for a token without a known end.
pub(super) const LIFETIME: u32 = 5;

/// Waits until an access token has ended, in whole seconds.
pub(super) async fn token_ends() {
    let lifetime = std::time::Duration::from_secs(LIFETIME.into());
    tokio::time::sleep(lifetime + std::time::Duration::from_millis(1100)).await;
}

#[tokio::test]
async fn o1_two_processes_with_fifty_callers_each_refresh_once() {
    let Some(provider) = Provider::start().await else {
        return;
    };
    let (shared, grant) = (Shared::new(), provider.grant().await);
    shared.import(&provider, &grant);
    let one = shared.gateway(&provider, &grant).await;
    let other = shared.gateway(&provider, &grant).await;
    fifty_each(&[&one, &other]).await;
    let facts = provider.facts(&grant).await;
    assert_eq!((facts.refreshed, facts.refused), (1, 0));
}

/// The lease in the database's table lets one process refresh, and the others wait for its token.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn o1_four_processes_on_a_database_with_fifty_callers_each_refresh_once() {
    let Some(server) = testkit::postgres::shared() else {
        return;
    };
    let Some(provider) = Provider::start().await else {
        return;
    };
    let database = server.database();
    let (shared, grant) = (Shared::in_database(database.url()), provider.grant().await);
    // So that all callers have come before the provider answers.
    provider.set("{\"delay\":500}").await;
    shared.import(&provider, &grant);
    let mut gateways = Vec::new();
    for _ in 0..4 {
        gateways.push(shared.gateway(&provider, &grant).await);
    }
    fifty_each(&gateways.iter().collect::<Vec<_>>()).await;
    let facts = provider.facts(&grant).await;
    assert_eq!((facts.refreshed, facts.refused), (1, 0));
}

#[tokio::test]
async fn o2_a_connection_survives_the_gateway() {
    let Some(provider) = Provider::start().await else {
        return;
    };
    let (shared, grant) = (Shared::new(), provider.grant().await);
    // Each call needs a new token, which the gateway gets with the refresh token of the call before.
    provider.set(&format!("{{\"lifetime\":{LIFETIME}}}")).await;
    shared.import(&provider, &grant);
    for _ in 0..3 {
        let gateway = shared.gateway(&provider, &grant).await;
        assert_eq!(call(&gateway).await.status(), 200);
        token_ends().await;
    }
    let facts = provider.facts(&grant).await;
    assert_eq!((facts.refreshed, facts.refused), (3, 0));
}
