//! Keeps gateways from refreshing connections while a command replaces them.

use std::time::Duration;

use tokio::time::{Instant, sleep};
use tower_passthrough::StoreError;
use tower_passthrough::store::{ConnectionKey, ConnectionStore, RefreshLease};

use super::Failure;
use super::list::escaped;

/// The maximum time that a command waits for a refresh that is under way, and the time between two
/// attempts.
const PATIENCE: Duration = Duration::from_secs(30);
const PAUSE: Duration = Duration::from_millis(100);

/// Takes the lease of a connection for that time. Returns `None` if there is no such connection.
pub(super) async fn lease(
    store: &impl ConnectionStore,
    key: &ConnectionKey,
    time: Duration,
) -> Result<Option<RefreshLease>, Failure> {
    let end = Instant::now() + PATIENCE;
    loop {
        match store.lease(key, time).await {
            Ok(Some(lease)) => return Ok(Some(lease)),
            Ok(None) if Instant::now() < end => sleep(PAUSE).await,
            Ok(None) => {
                let id = escaped(key.as_str());
                let what = format!("the connection {id} is being refreshed; try again later");
                return Err(Failure::Other(what));
            }
            Err(StoreError::NotFound) => return Ok(None),
            Err(error) => return Err(error.into()),
        }
    }
}
