//! A store and an authorizer that choose their answer by the id.

use std::io;
use std::net::IpAddr;
use std::pin::Pin;

use tower_passthrough::Grant;
use tower_passthrough::authorize::AuthorizeError;
use tower_passthrough::client::{Resolve, TransportError, TransportErrorKind};
use tower_passthrough::store::ConnectionKey;
use tower_passthrough::{
    Authorize, CallContext, Connection, ConnectionId, CredentialStore, Scope, Secret, StoreError,
};

/// A store in which the id selects the result of a call.
pub(crate) struct Store {
    pub(crate) first: Connection,
    pub(crate) renewed: Connection,
    pub(crate) broken: Connection,
}

impl CredentialStore for Store {
    async fn connection(
        &self,
        id: &ConnectionKey,
        _: CallContext<'_>,
    ) -> Result<Connection, StoreError> {
        let first = &self.first;
        let elsewhere = |integration: &'static str| {
            // A connection of another integration, with the same secrets.
            let mut connection = Connection::new(integration);
            for (name, secret) in first.credential().iter() {
                connection = connection.with_secret(name, Secret::clone(secret));
            }
            connection
        };
        match id.as_str() {
            "nobodys" => Err(StoreError::NotFound),
            "dead" => Err(StoreError::Reauthorize),
            "down" => Err(StoreError::unavailable(TransportError::from(
                TransportErrorKind::Dns,
            ))),
            "broken" => Ok(self.broken.clone()),
            "unset" => Ok(Connection::new("main")),
            "closed" => Ok(elsewhere("closed")),
            "private" => Ok(elsewhere("private")),
            "unresolved" => Ok(elsewhere("unresolved")),
            "wrong-name" => Ok(elsewhere("wrong-name")),
            "plain" => Ok(elsewhere("nowhere")),
            _ => Ok(first.clone()),
        }
    }

    async fn refresh(
        &self,
        id: &ConnectionKey,
        _: &Connection,
        _: CallContext<'_>,
    ) -> Result<Option<Connection>, StoreError> {
        match id.as_str() {
            "renew" => Ok(Some(self.renewed.clone())),
            "renew-broken" => Ok(Some(self.broken.clone())),
            "renew-down" => Err(StoreError::unavailable("down")),
            _ => Ok(None),
        }
    }

    fn can_refresh(&self, _: &Connection) -> bool {
        true
    }
}

/// A resolver that knows no name.
pub(crate) struct Nameless;

impl Resolve for Nameless {
    fn resolve<'a>(
        &'a self,
        _: &'a str,
    ) -> Pin<Box<dyn Future<Output = io::Result<Vec<IpAddr>>> + Send + 'a>> {
        Box::pin(std::future::ready(Err(io::ErrorKind::NotFound.into())))
    }
}

pub(crate) struct ById;

impl Authorize for ById {
    async fn authorize(
        &self,
        id: &ConnectionId,
        _: CallContext<'_>,
    ) -> Result<Grant, AuthorizeError> {
        match id.as_str() {
            "scoped" => Ok(Scope::all().paths(["a/*"]).into()),
            _ => Ok(Scope::all().into()),
        }
    }
}
