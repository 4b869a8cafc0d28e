//! Waiting for events: the time limits are generous, and can only make a test fail.

use std::future::Future;
use std::time::Duration;

use tokio::sync::watch;

/// The time that a test waits for an event that must come.
pub const PATIENCE: Duration = Duration::from_secs(10);

/// Returns the output of `event`, or fails the test with the name of the expected event.
pub async fn within<F: Future>(what: &str, event: F) -> F::Output {
    match tokio::time::timeout(PATIENCE, event).await {
        Ok(output) => output,
        Err(_) => panic!("waited {PATIENCE:?} for {what}"),
    }
}

/// A signal that a test gives to a peer once, and that stays given.
#[derive(Clone, Debug)]
pub struct Signal(watch::Sender<bool>);

impl Default for Signal {
    fn default() -> Self {
        Self::new()
    }
}

impl Signal {
    pub fn new() -> Self {
        Self(watch::Sender::new(false))
    }

    pub fn give(&self) {
        self.0.send_replace(true);
    }

    pub async fn given(&self) {
        // This call can't fail, because `self` holds the sender.
        let _ = self.0.subscribe().wait_for(|&given| given).await;
    }
}
