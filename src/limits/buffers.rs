//! The limit for the memory of buffered bodies. A body is buffered for a signature, or so that it
//! can be sent again.
//!
//! A connection key may hold as much as is free at that moment, but no more: a single key gets at most half of the memory, and
//! each of `n` keys that take all they can gets 1/(n + 1) of it, so a part is always free for another key ("dynamic thresholds", as
//! in the shared memory of network switches).
//!
//! Rules: `docs/rules/security.md#6-resources-that-may-be-used-up`.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use foldhash::quality::RandomState;

use crate::connection::ConnectionKey;

/// The number of bytes that the buffered bodies of all calls together may take.
pub(crate) struct BufferBudget {
    limit: usize,
    taken: Mutex<Taken>,
}

#[derive(Default)]
struct Taken {
    all: usize,
    /// The bytes of each connection key that has some.
    by_key: HashMap<ConnectionKey, usize, RandomState>,
}

impl BufferBudget {
    pub(crate) const DEFAULT_SIZE: usize = 64 << 20;

    pub(crate) fn new(limit: usize) -> Self {
        Self {
            limit,
            taken: Mutex::default(),
        }
    }

    pub(super) fn limit(&self) -> usize {
        self.limit
    }

    /// Locks the counts. Poisoning is ignored, because nothing panics while the lock is held.
    fn taken(&self) -> MutexGuard<'_, Taken> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The memory that a call has taken from the budget. Dropping the permit gives the memory back.
pub(crate) struct BufferPermit {
    room: Arc<BufferBudget>,
    key: ConnectionKey,
    bytes: usize,
}

impl BufferPermit {
    pub(crate) fn empty(room: &Arc<BufferBudget>, key: &ConnectionKey) -> Self {
        Self {
            room: Arc::clone(room),
            key: key.clone(),
            bytes: 0,
        }
    }

    /// Takes that many more bytes. Returns `false`, and takes nothing, if the budget has fewer bytes
    /// left, or if the connection key would have more than is left for others.
    pub(crate) fn try_grow(&mut self, bytes: usize) -> bool {
        if bytes == 0 {
            return true;
        }
        let mut taken = self.room.taken();
        let free = self.room.limit.saturating_sub(taken.all);
        let own = taken.by_key.get(&self.key).copied().unwrap_or(0);
        let Some(left) = free.checked_sub(bytes) else {
            return false;
        };
        if own + bytes > left {
            return false;
        }
        taken.all += bytes;
        match taken.by_key.get_mut(&self.key) {
            Some(own) => *own += bytes,
            None => {
                taken.by_key.insert(self.key.clone(), bytes);
            }
        }
        drop(taken);
        self.bytes += bytes;
        true
    }

    /// Takes as many bytes as are needed to have `bytes`, or returns `false` like [`try_grow`](Self::try_grow).
    pub(crate) fn try_grow_to(&mut self, bytes: usize) -> bool {
        self.try_grow(bytes.saturating_sub(self.bytes))
    }
}

impl Drop for BufferPermit {
    fn drop(&mut self) {
        if self.bytes == 0 {
            return;
        }
        let mut taken = self.room.taken();
        taken.all = taken.all.saturating_sub(self.bytes);
        // Keys without memory are removed, so that the table is bounded. The removed key is freed after the lock has been released.
        let unused = match taken.by_key.get_mut(&self.key) {
            Some(own) if *own > self.bytes => {
                *own -= self.bytes;
                None
            }
            _ => taken.by_key.remove_entry(&self.key),
        };
        drop(taken);
        drop(unused);
    }
}

#[expect(clippy::unwrap_used, reason = "a test fails by panicking")]
#[cfg(test)]
mod tests {
    use super::*;

    fn permit(room: &Arc<BufferBudget>, key: &str) -> BufferPermit {
        BufferPermit::empty(room, &ConnectionKey::try_from(key).unwrap())
    }

    #[test]
    fn memory_is_taken_up_to_the_limit_and_given_back() {
        let room = Arc::new(BufferBudget::new(12));
        let (mut ann, mut ben) = (permit(&room, "ann"), permit(&room, "ben"));
        assert!(ann.try_grow(4) && ben.try_grow(4) && ann.try_grow(0));
        assert!(!ben.try_grow(1) && !ben.try_grow(usize::MAX - 4));
        drop(ann);
        assert!(ben.try_grow_to(6) && !ben.try_grow_to(7));
        drop(ben);
        assert_eq!(room.taken().all, 0);
        assert!(room.taken().by_key.is_empty());
    }

    #[test]
    fn x12_a_key_leaves_as_much_as_it_has() {
        let room = Arc::new(BufferBudget::new(64));
        let mut greedy: Vec<_> = (0..64).map(|_| permit(&room, "greedy")).collect();
        let grown = greedy
            .iter_mut()
            .filter_map(|permit| permit.try_grow(1).then_some(()));
        assert_eq!(grown.count(), 32);
        let mut other = permit(&room, "other");
        assert!(other.try_grow(16) && !other.try_grow(1));
        assert!(permit(&room, "third").try_grow(8));
    }
}
