//! Waiting for events: generous, and only ever a reason to fail.

use std::future::Future;
use std::time::Duration;

use tokio::sync::watch;

/// How long a test waits for what must come.
pub const PATIENCE: Duration = Duration::from_secs(10);

/// The output of `event`, or a failed test that says what it waited for.
pub async fn within<F: Future>(what: &str, event: F) -> F::Output {
    match tokio::time::timeout(PATIENCE, event).await {
        Ok(output) => output,
        Err(_) => panic!("waited {PATIENCE:?} for {what}"),
    }
}

/// Something that a test tells a peer once, and that stays told.
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
        // The sender is held by `self`, so this can't fail.
        let _ = self.0.subscribe().wait_for(|&given| given).await;
    }
}
