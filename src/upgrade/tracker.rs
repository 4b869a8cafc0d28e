//! The tunnels of a service, as its host app sees them.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::timeout;

/// The tunnels that are open. A tunnel outlives the call that opened it, and a server that lets its
/// calls end doesn't know of it: a host app drains its tunnels after its listener.
///
/// Clones are the same tunnels. Several services may share one.
#[derive(Clone, Debug, Default)]
pub struct UpgradeTracker(Arc<watch::Sender<bool>>);

impl UpgradeTracker {
    /// No tunnels yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Returns the number of open tunnels.
    #[must_use]
    pub fn open(&self) -> usize {
        self.0.receiver_count()
    }

    /// Waits until all have ended, for up to `limit`; then those that are left are cut. Their peers
    /// know how to say goodbye, so nothing is sent in their name.
    ///
    /// UpgradeTracker that are opened meanwhile are waited for too, and cut at once after the limit.
    /// Returns how many were cut.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future cuts nothing.
    pub async fn drain(&self, limit: Duration) -> usize {
        if timeout(limit, self.ended()).await.is_ok() {
            return 0;
        }
        let left = self.open();
        self.cut();
        self.ended().await;
        left
    }

    /// Waits until all have ended.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future changes nothing.
    pub async fn ended(&self) {
        self.0.closed().await;
    }

    /// Cuts all at once, those too that are opened later.
    pub fn cut(&self) {
        self.0.send_replace(true);
    }

    /// Counts a tunnel as open until the receiver is dropped. The receiver is notified of a cut.
    pub(crate) fn join(&self) -> watch::Receiver<bool> {
        self.0.subscribe()
    }
}
