//! The permissions and connections that the newest config still has.
//!
//! A tunnel may be open for days, and keeps the service with which it began. While the tunnel is
//! open, the library calls the authorizer and the store of that service again. The types here then
//! also check the newest config, so that the tunnel ends if the newest config has removed its
//! caller or its connection. They never permit more than the tunnel's own config.

use std::sync::Arc;

use tokio::sync::watch;
use tower_passthrough::Grant;
use tower_passthrough::authorize::AuthorizeError;
use tower_passthrough::store::ConnectionKey;
use tower_passthrough::{
    Authorize, CallContext, Connection, ConnectionId, CredentialStore, StoreError,
};

use crate::callers::{Caller, Callers};
use crate::store::{Connections, Served};

/// The callers and connections of a config.
#[derive(Clone, Debug)]
pub(crate) struct Known {
    pub(crate) callers: Arc<Callers>,
    pub(crate) connections: Connections,
}

impl Known {
    /// Returns `true` if callers need a key.
    pub(crate) fn has_keys(&self) -> bool {
        matches!(*self.callers, Callers::Keys(_))
    }

    fn is(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.callers, &other.callers)
    }
}

/// The callers and connections of a config, limited to those that the newest config still has.
#[derive(Clone, Debug)]
pub(crate) struct Current {
    own: Known,
    /// The config's own connections, with tokens that are refreshed automatically.
    served: Served,
    newest: watch::Receiver<Known>,
}

impl Current {
    pub(crate) fn new(own: Known, served: Served, newest: watch::Receiver<Known>) -> Self {
        Self {
            own,
            served,
            newest,
        }
    }

    pub(crate) fn callers(&self) -> Arc<Callers> {
        Arc::clone(&self.own.callers)
    }

    /// Returns the newest config, if it's another config.
    fn successor(&self) -> Option<Known> {
        let newest = self.newest.borrow();
        (!newest.is(&self.own)).then(|| newest.clone())
    }

    /// Checks that the newest config has a connection with that id. The check fetches no new tokens.
    async fn is_still_there(
        &self,
        id: &ConnectionKey,
        cx: CallContext<'_>,
    ) -> Result<(), StoreError> {
        match self.successor() {
            Some(newest) => newest.connections.connection(id, cx).await.map(drop),
            None => Ok(()),
        }
    }
}

/// Authorizes a call with the caller that [`Authentication`](crate::callers::Authentication) has found.
impl Authorize for Current {
    async fn authorize(
        &self,
        id: &ConnectionId,
        cx: CallContext<'_>,
    ) -> Result<Grant, AuthorizeError> {
        let caller = cx.extensions().get::<Arc<Caller>>();
        let may = |caller: &&Arc<Caller>| caller.may_use(id.as_str());
        let caller = caller.filter(may).ok_or(AuthorizeError::Denied)?;
        let Some(newest) = self.successor() else {
            return Ok(caller.scope().clone().into());
        };
        let still = newest.callers.still_has(caller);
        let still = still.as_ref().filter(may).ok_or(AuthorizeError::Denied)?;
        Ok(still.scope().clone().into())
    }
}

impl CredentialStore for Current {
    async fn connection(
        &self,
        id: &ConnectionKey,
        cx: CallContext<'_>,
    ) -> Result<Connection, StoreError> {
        self.is_still_there(id, cx).await?;
        self.served.connection(id, cx).await
    }

    async fn refresh(
        &self,
        id: &ConnectionKey,
        rejected: &Connection,
        cx: CallContext<'_>,
    ) -> Result<Option<Connection>, StoreError> {
        self.is_still_there(id, cx).await?;
        self.served.refresh(id, rejected, cx).await
    }

    fn can_refresh(&self, connection: &Connection) -> bool {
        self.served.can_refresh(connection)
    }
}

#[cfg(test)]
mod tests {
    use http::{Extensions, Method};
    use tower_passthrough::{HttpTransport, Scope};

    use super::*;
    use crate::callers::digest;
    use crate::config::{Declared, RefreshTimes};
    use crate::store::{FileStore, serve};

    fn known(keys: &[&str], connections: &[&str]) -> Known {
        let keys = keys.iter().zip(1..).map(|(key, number)| {
            let digest = digest(key.as_bytes());
            let name = format!("caller-{number}");
            let caller = Caller::new(name, digest, vec!["a*".to_owned()], Scope::all());
            (digest, Arc::new(caller))
        });
        let connections = connections
            .iter()
            .map(|id| ((*id).to_owned(), Connection::new("v")));
        Known {
            callers: Arc::new(Callers::Keys(keys.collect())),
            connections: Connections::File(FileStore::new(connections, None)),
        }
    }

    /// Returns the answers of the authorizer and of the store: `true` if the first caller of the
    /// first config may still use `id`.
    async fn may(newest: Known, id: &str) -> (bool, bool) {
        let own = known(&["k"], &["a", "a2", "b"]);
        let Callers::Keys(keys) = &*own.callers else {
            unreachable!("it has keys");
        };
        let Some((_, caller)) = keys.first() else {
            unreachable!("it has one");
        };
        let mut extensions = Extensions::new();
        extensions.insert(Arc::clone(caller));
        let (sender, receiver) = watch::channel(own.clone());
        let Ok(transport) = HttpTransport::builder().build() else {
            unreachable!("there is nothing to trust but what is bundled");
        };
        let served = serve(
            own.connections.clone(),
            &Declared::default(),
            RefreshTimes::default(),
            transport,
        );
        let current = Current::new(own, served, receiver);
        let _ = sender.send(newest);
        let Ok(id) = ConnectionId::try_from(id) else {
            unreachable!("it's an id");
        };
        let cx = CallContext::new(&extensions, &Method::GET);
        (
            current.authorize(&id, cx).await.is_ok(),
            current
                .connection(&ConnectionKey::from(&id), cx)
                .await
                .is_ok(),
        )
    }

    #[tokio::test]
    async fn what_the_newest_config_took_away_is_gone() {
        assert_eq!(may(known(&["k"], &["a"]), "a").await, (true, true));
        assert_eq!(may(known(&["other", "k"], &["a"]), "a").await, (true, true));
        assert_eq!(may(known(&["other"], &["a"]), "a").await, (false, true));
        assert_eq!(may(known(&["k"], &["a2"]), "a").await, (true, false));
        assert_eq!(may(known(&["k"], &["a", "b"]), "b").await, (false, true));
    }

    #[tokio::test]
    async fn what_the_newest_config_adds_is_not_given() {
        assert_eq!(may(known(&["k"], &["a", "a9"]), "a9").await, (true, false));
    }
}
