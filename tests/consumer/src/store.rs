//! A store that the application itself implements.

use std::collections::HashMap;
use std::sync::Mutex;

use tower_passthrough::store::ConnectionKey;
use tower_passthrough::{CallContext, Connection, CredentialStore, StoreError};

/// Takes the place of a database. The rows of the database are tokens by account.
#[derive(Debug, Default)]
pub struct Accounts(Mutex<HashMap<String, String>>);

impl Accounts {
    /// Adds an account.
    #[must_use]
    pub fn with(mut self, account: &str, token: &str) -> Self {
        if let Ok(rows) = self.0.get_mut() {
            rows.insert(account.to_owned(), token.to_owned());
        }
        self
    }
}

impl CredentialStore for Accounts {
    async fn connection(
        &self,
        key: &ConnectionKey,
        _: CallContext<'_>,
    ) -> Result<Connection, StoreError> {
        let rows = self.0.lock();
        let rows = rows.map_err(|error| StoreError::unavailable(error.to_string()))?;
        let token = rows.get(key.as_str()).ok_or(StoreError::NotFound)?;
        Ok(Connection::new("acme")
            .with_secret("key", token.as_str())
            .with_variable("account", key.as_str()))
    }
}
