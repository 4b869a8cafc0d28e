//! The settings of a builder that don't depend on what is stored on the server.

use std::path::PathBuf;
use std::time::Duration;

use tower_passthrough::Secret;

use crate::client::Unopened;
use crate::error::RedisStoreError;
use crate::layout::{self, Layout};
use crate::node::Settings;
use crate::servers::{self, Password};
use crate::tls::Tls;

/// The settings with which a server is reached, and the prefix of the names on the server.
pub(crate) struct ServerSettings {
    password: Password,
    roots: Vec<Vec<u8>>,
    prefix: String,
    is_plaintext_allowed: bool,
}

impl ServerSettings {
    pub(crate) fn new() -> Self {
        Self {
            password: Password::InUrl,
            roots: Vec::new(),
            prefix: "tp".to_owned(),
            is_plaintext_allowed: false,
        }
    }

    pub(crate) fn set_password(&mut self, password: Secret) {
        self.password = Password::Fixed(password);
    }

    pub(crate) fn set_password_file(&mut self, path: PathBuf) {
        self.password = Password::File(path);
    }

    pub(crate) fn add_root_pem(&mut self, pem: Vec<u8>) {
        self.roots.push(pem);
    }

    pub(crate) fn set_prefix(&mut self, prefix: String) {
        self.prefix = prefix;
    }

    pub(crate) fn prefix(&self) -> &str {
        &self.prefix
    }

    pub(crate) const fn allow_plaintext(&mut self) {
        self.is_plaintext_allowed = true;
    }

    /// Returns the servers of the URL, without any connection yet, and the names of the keys.
    ///
    /// `timeout` is the maximum time of an operation.
    pub(crate) fn unopened(
        &self,
        url: &Secret,
        timeout: Duration,
    ) -> Result<(Unopened, Layout), RedisStoreError> {
        if !layout::is_prefix(&self.prefix) {
            return Err(RedisStoreError::InvalidPrefix);
        }
        let servers = servers::servers(url, self.is_plaintext_allowed)?;
        let settings = Settings::new(Tls::new(&self.roots)?, self.password.clone());
        let unopened = Unopened::new(servers, settings, timeout, self.is_plaintext_allowed);
        let layout = Layout {
            prefix: self.prefix.clone(),
        };
        Ok((unopened, layout))
    }
}
