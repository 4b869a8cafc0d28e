//! The provider as a process, and the requests of a test to the provider.

use std::path::PathBuf;
use std::process::Stdio;

use serde::Deserialize;
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, Command};

use testkit::caller::raw_call;
use testkit::process::config::Config;
use testkit::wait::within;

/// The variable that names the folder with `provider.mjs` and its packages. If the variable is set, no test is skipped.
const PROVIDER: &str = "OPENID_PROVIDER";

/// The ports on which a provider listens.
#[derive(Clone, Copy, Debug, Deserialize)]
struct Ports {
    token: u16,
    api: u16,
    control: u16,
}

/// A provider, which ends with the test.
pub(super) struct Provider {
    ports: Ports,
    _child: Child,
}

/// The tokens of a grant when the connection is made.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Grant {
    pub(super) grant: String,
    pub(super) access_token: String,
    pub(super) refresh_token: String,
}

/// The events that the provider has counted.
#[derive(Clone, Copy, Debug, Deserialize)]
pub(super) struct Facts {
    /// The number of access tokens that the provider issued, by any kind of grant.
    pub(super) refreshed: u32,
    /// The number of refresh tokens that the provider refused.
    pub(super) refused: u32,
    /// `true` after the vendor has seen the newest access token of the grant.
    #[serde(rename = "isUsed")]
    pub(super) is_used: bool,
}

impl Provider {
    /// Starts a provider. `None` means that no provider is installed, so the test is skipped.
    pub(super) async fn start() -> Option<Self> {
        let Some(folder) = std::env::var_os(PROVIDER).map(PathBuf::from) else {
            eprintln!("skipped: {PROVIDER} names no folder with provider.mjs and its packages");
            return None;
        };
        let mut child = Command::new("node")
            .arg("provider.mjs")
            .current_dir(folder)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .expect("node");
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let line = within("the provider", lines.next_line()).await.unwrap();
        let ports = serde_json::from_str(&line.expect("a provider that starts")).unwrap();
        Some(Self {
            ports,
            _child: child,
        })
    }

    /// Returns the config of a gateway in front of the provider's API, whose connection has these secrets.
    pub(super) fn config(&self, secret: &str) -> Config {
        let Ports { token, api, .. } = self.ports;
        let auth = format!(
            "{{ kind = \"oauth2\", token_url = \"http://127.0.0.1:{token}/token\", grant = \"refresh_token\", \
             client_auth = \"basic\", client_id = \"gateway\", client_secret = \"cl13nt s3cr3t/+\" }}"
        );
        Config::new(format!("http://127.0.0.1:{api}").as_str()).auth(&auth, secret)
    }

    pub(super) async fn grant(&self) -> Grant {
        serde_json::from_str(&self.ask("grant", "{}").await).unwrap()
    }

    pub(super) async fn facts(&self, grant: &Grant) -> Facts {
        let grant = format!("{{\"grant\":\"{}\"}}", grant.grant);
        serde_json::from_str(&self.ask("facts", &grant).await).unwrap()
    }

    pub(super) async fn revoke(&self, grant: &Grant) {
        let grant = format!("{{\"grant\":\"{}\"}}", grant.grant);
        self.ask("revoke", &grant).await;
    }

    /// Makes the vendor reject the first access token of the grant.
    pub(super) async fn expire(&self, grant: &Grant) {
        let token = format!("{{\"token\":\"{}\"}}", grant.access_token);
        self.ask("expire", &token).await;
    }

    /// Changes settings: the `lifetime` of access tokens in seconds, `down`, and the `delay` of answers in
    /// milliseconds.
    pub(super) async fn set(&self, settings: &str) {
        self.ask("settings", settings).await;
    }

    async fn ask(&self, command: &str, body: &str) -> String {
        let request = format!(
            "POST /{command} HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        );
        let address = ([127, 0, 0, 1], self.ports.control).into();
        let response = within("the provider", raw_call(address, request)).await;
        assert_eq!(response.status(), 200, "{}", response.text());
        response.text()
    }
}
