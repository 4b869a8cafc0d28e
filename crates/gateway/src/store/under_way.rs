//! The refreshes that are under way: those that hold the lease of their connection. From the request
//! to the token endpoint until the new tokens are stored, a stop may lose a rotated token.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use tower_passthrough::store::ConnectionKey;

/// The number of refreshes by connection key. Stores of earlier configs count as well.
static UNDER_WAY: Mutex<BTreeMap<String, usize>> = Mutex::new(BTreeMap::new());

/// The maximum number of connections that are logged.
const LISTED: usize = 20;

fn under_way() -> MutexGuard<'static, BTreeMap<String, usize>> {
    UNDER_WAY.lock().unwrap_or_else(PoisonError::into_inner)
}

pub(super) fn began(key: &ConnectionKey) {
    *under_way().entry(key.as_str().to_owned()).or_default() += 1;
}

pub(super) fn ended(key: &ConnectionKey) {
    let mut under_way = under_way();
    if let Some(count) = under_way.get_mut(key.as_str()) {
        *count = count.saturating_sub(1);
        if *count == 0 {
            under_way.remove(key.as_str());
        }
    }
}

/// Logs the connections whose refreshes are cut off by the end of the process.
pub(crate) fn report_cut() {
    let under_way = under_way();
    if under_way.is_empty() {
        return;
    }
    let listed: Vec<_> = under_way.keys().take(LISTED).collect();
    tracing::warn!(
        refreshes = under_way.len(),
        connections = ?listed,
        "refreshes of tokens are still under way and are cut off now; if an upstream has rotated a refresh token, it may be lost"
    );
}
