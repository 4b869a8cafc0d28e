//! The tunnels of a service, for the host application.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::timeout;

/// The open tunnels of a service.
///
/// A tunnel outlives the call that opened it, and a server that waits for the end of its calls
/// doesn't wait for tunnels. So a host application should drain its tunnels after it has closed its
/// listener. Clones share the same tunnels, and several services may share a tracker.
#[derive(Clone, Debug, Default)]
pub struct UpgradeTracker(Arc<watch::Sender<bool>>);

impl UpgradeTracker {
    /// Returns a tracker without tunnels.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Returns the number of open tunnels.
    #[must_use]
    pub fn open(&self) -> usize {
        self.0.receiver_count()
    }

    /// Waits until all tunnels have ended, for up to `limit`, then aborts the remaining tunnels.
    /// Returns the number of aborted tunnels.
    ///
    /// Nothing is sent on behalf of the peers, because only they know how to close their protocol.
    /// Tunnels that are opened meanwhile are waited for as well, and are aborted at once after the
    /// limit.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future aborts nothing.
    pub async fn drain(&self, limit: Duration) -> usize {
        if timeout(limit, self.ended()).await.is_ok() {
            return 0;
        }
        let left = self.open();
        self.cut();
        self.ended().await;
        left
    }

    /// Waits until all tunnels have ended.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future changes nothing.
    pub async fn ended(&self) {
        self.0.closed().await;
    }

    /// Aborts all tunnels at once, including tunnels that are opened later.
    pub fn cut(&self) {
        self.0.send_replace(true);
    }

    /// Counts a tunnel as open until the receiver is dropped. The receiver is notified of a cut.
    pub(crate) fn join(&self) -> watch::Receiver<bool> {
        self.0.subscribe()
    }
}
