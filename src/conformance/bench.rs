//! Two handles on a store, and the operations of the rules' tests.

use std::sync::Arc;
use std::time::Duration;

use http::{Extensions, Method};

use crate::authorize::CallContext;
use crate::connection::Connection;
use crate::connection::ConnectionKey;
use crate::store::{
    ConnectionStore, CredentialVersion, GrantUpdate, RefreshLease, StoreError, StoredConnection,
    TokenStore,
};

/// The result of a rule's test: the reason in words if the rule is broken.
pub(super) type Verdict<T = ()> = Result<T, String>;

/// A time longer than any test, so a lease with this time ends only if it's released.
pub(super) const LONG: Duration = Duration::from_secs(3600);

pub(super) struct Bench<S> {
    pub(super) one: Arc<S>,
    pub(super) other: Arc<S>,
    pub(super) staleness: Duration,
}

/// Fails the rule unless the condition is true.
macro_rules! ensure {
    ($holds:expr, $($why:tt)+) => {
        if !$holds {
            return Err(format!($($why)+));
        }
    };
}
pub(super) use ensure;

/// Returns a key. Each rule uses its own keys, because a cache may still contain connections that another rule has
/// removed.
pub(super) fn id(id: &str) -> Verdict<ConnectionKey> {
    ConnectionKey::try_from(id).map_err(|error| format!("{id:?}: {error}"))
}

/// Returns a connection that differs from others only by its token.
pub(super) fn connection(token: &str) -> Connection {
    Connection::new("crm").with_secret("token", token)
}

/// Fails if the store has failed.
pub(super) fn done<T>(result: Result<T, StoreError>, what: &str) -> Verdict<T> {
    result.map_err(|error| format!("{what} failed: {error:?}"))
}

pub(super) fn is_missing<T>(result: &Result<T, StoreError>) -> bool {
    matches!(result, Err(StoreError::NotFound))
}

/// Looks up a connection in the way of a call.
pub(super) async fn called<S: ConnectionStore>(
    store: &S,
    id: &ConnectionKey,
) -> Result<Connection, StoreError> {
    let (extensions, method) = (Extensions::new(), Method::GET);
    let cx = CallContext::new(&extensions, &method);
    store.connection(id, cx).await
}

/// Returns `true` if two connections have the same contents, byte for byte. The order doesn't matter.
pub(super) fn is_same(one: &Connection, other: &Connection) -> bool {
    let contains = |one: &Connection, other: &Connection| {
        let mut variables = one.variables().iter();
        let mut secrets = one.credential().iter();
        variables.all(|(name, value)| other.variables().get(name) == Some(value))
            && secrets.all(|(name, secret)| other.credential().get(name) == Some(secret))
    };
    one.integration() == other.integration() && contains(one, other) && contains(other, one)
}

/// Returns `true` for the connection with that token.
pub(super) fn has_token(other: &Connection, token: &str) -> bool {
    is_same(other, &connection(token))
}

pub(super) async fn put<S: ConnectionStore>(
    store: &S,
    id: &ConnectionKey,
    token: &str,
) -> Verdict<CredentialVersion> {
    done(store.put(id, &connection(token)).await, "put")
}

pub(super) async fn read<S: TokenStore>(
    store: &S,
    id: &ConnectionKey,
) -> Verdict<StoredConnection> {
    done(store.read(id).await, "read")
}

pub(super) async fn lease<S: TokenStore>(
    store: &S,
    id: &ConnectionKey,
    time: Duration,
) -> Verdict<RefreshLease> {
    let lease = done(store.lease(id, time).await, "lease")?;
    lease.ok_or_else(|| "a free lease wasn't given".to_owned())
}

pub(super) async fn commit<S: TokenStore>(
    store: &S,
    id: &ConnectionKey,
    read: CredentialVersion,
    lease: RefreshLease,
    token: &str,
) -> Verdict<Option<CredentialVersion>> {
    let renewal = GrantUpdate::Refreshed(connection(token));
    done(store.commit(id, read, lease, &renewal).await, "commit")
}

/// Returns a lease that its holder has lost, and the lease that was given after it.
pub(super) async fn lost_and_newest<S: TokenStore>(
    loser: &S,
    successor: &S,
    id: &ConnectionKey,
) -> Verdict<(RefreshLease, RefreshLease)> {
    let lost = lease(loser, id, SHORT).await?;
    Ok((lost, after_its_end(successor, id).await?))
}

/// The time of a lease for whose end a test waits.
pub(super) const SHORT: Duration = Duration::from_millis(200);

/// Returns the next lease, after the previous lease has expired.
pub(super) async fn after_its_end<S: TokenStore>(
    store: &S,
    id: &ConnectionKey,
) -> Verdict<RefreshLease> {
    // A store may count whole seconds, and may use another machine's clock.
    for _ in 0..600 {
        if let Some(lease) = done(store.lease(id, LONG).await, "lease")? {
            return Ok(lease);
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    Err("a lease of 200 ms was still held after 30 seconds; the store must end leases at their time".to_owned())
}
