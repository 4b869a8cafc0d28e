//! The connections that this process has found revoked, for a metric.

use std::collections::HashSet;
use std::hash::BuildHasher;
use std::sync::{LazyLock, Mutex, PoisonError};

use foldhash::quality::RandomState;
use tower_passthrough::store::ConnectionKey;

/// The maximum number of connections that are remembered.
const MAX: usize = 100_000;

static KNOWN: LazyLock<Known> = LazyLock::new(Known::default);

/// The hashes of connection keys, which take less memory than the keys.
#[derive(Default)]
struct Known {
    hasher: RandomState,
    hashes: Mutex<HashSet<u64, RandomState>>,
}

impl Known {
    fn set(&self, key: &ConnectionKey, is_revoked: bool) {
        let hash = self.hasher.hash_one(key);
        let mut hashes = self.hashes.lock().unwrap_or_else(PoisonError::into_inner);
        if !is_revoked {
            hashes.remove(&hash);
        } else if hashes.len() < MAX {
            hashes.insert(hash);
        }
    }

    fn clear(&self) {
        let mut hashes = self.hashes.lock().unwrap_or_else(PoisonError::into_inner);
        hashes.clear();
    }

    fn count(&self) -> usize {
        let hashes = self.hashes.lock().unwrap_or_else(PoisonError::into_inner);
        hashes.len()
    }
}

/// Notes whether the grant of a connection is revoked, as the store says now.
pub(super) fn set(key: &ConnectionKey, is_revoked: bool) {
    KNOWN.set(key, is_revoked);
}

/// Forgets all connections, because the store was replaced by another store.
pub(crate) fn clear() {
    KNOWN.clear();
}

/// Returns the number of connections that were revoked when this process last read or wrote them.
pub(crate) fn count() -> usize {
    KNOWN.count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_connection_counts_once_until_it_is_active_and_their_number_is_limited() {
        let known = Known::default();
        let key = |number: usize| {
            ConnectionKey::new(&number.to_string()).unwrap_or_else(|_| unreachable!("it's a key"))
        };
        known.set(&key(1), true);
        known.set(&key(1), true);
        known.set(&key(2), true);
        assert_eq!(known.count(), 2);
        known.set(&key(1), false);
        known.set(&key(3), false);
        assert_eq!(known.count(), 1);
        for number in 0..MAX + 10 {
            known.set(&key(number), true);
        }
        assert_eq!(known.count(), MAX);
        known.clear();
        assert_eq!(known.count(), 0);
    }
}
