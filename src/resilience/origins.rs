//! A table with an entry for each destination, or for each connection key at a destination, and a limit for the number of entries.

use std::collections::HashMap;
use std::hash::{Hash, Hasher};
use std::sync::{Mutex, MutexGuard, PoisonError};

use foldhash::quality::RandomState;
use tokio::time::Instant;

use crate::connection::ConnectionKey;
use crate::policy::Origin;

/// The maximum number of entries. Without a limit the table could grow without end, because callers
/// may name any destination with `__domain`.
const MAX_ORIGINS: usize = 4096;

/// A table with an entry per [`Key`]. If the table is full, the entry that was changed longest ago
/// is removed.
pub(super) struct Origins<V>(Mutex<Entries<V>>);

/// The entries of the table, while the table is locked.
pub(super) struct Entries<V>(HashMap<Key, Entry<V>, RandomState>);

struct Entry<V> {
    value: V,
    changed: Instant,
}

/// A destination, or a connection key at a destination.
#[derive(Clone)]
pub(super) struct Key {
    origin: Origin,
    connection: Option<ConnectionKey>,
}

impl Key {
    /// Returns the key of a destination, for all connection keys together.
    pub(super) fn shared(origin: &Origin) -> Self {
        Self {
            origin: origin.clone(),
            connection: None,
        }
    }

    /// Returns the key of a connection key at a destination.
    pub(super) fn new(origin: &Origin, connection: Option<&ConnectionKey>) -> Self {
        Self {
            origin: origin.clone(),
            connection: connection.cloned(),
        }
    }
}

impl<V> Default for Origins<V> {
    fn default() -> Self {
        Self(Mutex::new(Entries(HashMap::default())))
    }
}

impl<V> Origins<V> {
    pub(super) fn lock(&self) -> MutexGuard<'_, Entries<V>> {
        // Poisoning is ignored, because nothing panics while the lock is held.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<V> Entries<V> {
    pub(super) fn get_mut(&mut self, key: &Key) -> Option<&mut V> {
        // A table is empty as long as nothing fails.
        if self.0.is_empty() {
            return None;
        }
        self.0.get_mut(key).map(|entry| &mut entry.value)
    }

    /// Returns the entry of a key in order to change it. If the table has no such entry, adds a new entry.
    pub(super) fn entry(&mut self, key: &Key, new: impl FnOnce() -> V) -> &mut V {
        let now = Instant::now();
        if self.0.len() >= MAX_ORIGINS && !self.0.contains_key(key) {
            self.forget_one();
        }
        let entry = self.0.entry(key.clone()).or_insert_with(|| Entry {
            value: new(),
            changed: now,
        });
        entry.changed = now;
        &mut entry.value
    }

    pub(super) fn remove(&mut self, key: &Key) {
        if !self.0.is_empty() {
            self.0.remove(key);
        }
    }

    fn forget_one(&mut self) {
        let oldest = self.0.iter().min_by_key(|(_, entry)| entry.changed);
        if let Some(oldest) = oldest.map(|(key, _)| key.clone()) {
            self.0.remove(&oldest);
        }
    }
}

impl PartialEq for Key {
    fn eq(&self, other: &Self) -> bool {
        // Authorities are normalised, and contain the port unless it's the default port of the
        // scheme.
        self.origin.scheme() == other.origin.scheme()
            && self.origin.authority() == other.origin.authority()
            && self.connection == other.connection
    }
}

impl Eq for Key {}

impl Hash for Key {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.origin.scheme().hash(state);
        self.origin.authority().as_str().hash(state);
        if let Some(connection) = &self.connection {
            connection.hash(state);
        }
    }
}

#[expect(clippy::unwrap_used, reason = "a test fails by panicking")]
#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::{Location, Scheme};

    fn origin(number: usize) -> Key {
        let host = format!("h{number}.test");
        Key::shared(&Location::parse(&host, Some(Scheme::Https)).unwrap().origin)
    }

    #[test]
    fn the_one_changed_longest_ago_makes_room() {
        let origins = Origins::default();
        let mut entries = origins.lock();
        for number in 0..MAX_ORIGINS {
            *entries.entry(&origin(number), || 0) += number;
        }
        *entries.entry(&origin(0), || 0) += 7;
        entries.entry(&origin(MAX_ORIGINS), || MAX_ORIGINS);
        assert_eq!(entries.0.len(), MAX_ORIGINS);
        assert_eq!(entries.get_mut(&origin(0)), Some(&mut 7));
        assert_eq!(entries.get_mut(&origin(1)), None);
        assert_eq!(
            entries.get_mut(&origin(MAX_ORIGINS)).copied(),
            Some(MAX_ORIGINS)
        );
        entries.remove(&origin(0));
        assert_eq!(entries.get_mut(&origin(0)), None);
    }
}
