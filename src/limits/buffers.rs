//! The limit for the memory of buffered bodies. A body is buffered for a signature, or so that it
//! can be sent again.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// The number of bytes that the buffered bodies of all calls together may take.
pub(crate) struct BufferBudget {
    limit: usize,
    taken: AtomicUsize,
}

impl BufferBudget {
    pub(crate) const DEFAULT_SIZE: usize = 64 << 20;

    pub(crate) fn new(limit: usize) -> Self {
        Self {
            limit,
            taken: AtomicUsize::new(0),
        }
    }

    pub(super) fn limit(&self) -> usize {
        self.limit
    }
}

/// The memory that a call has taken from the budget. Dropping the permit gives the memory back.
pub(crate) struct BufferPermit {
    room: Arc<BufferBudget>,
    bytes: usize,
}

impl BufferPermit {
    pub(crate) fn empty(room: &Arc<BufferBudget>) -> Self {
        Self {
            room: Arc::clone(room),
            bytes: 0,
        }
    }

    /// Takes that many more bytes. Returns `false`, and takes nothing, if the budget has fewer bytes
    /// left.
    pub(crate) fn try_grow(&mut self, bytes: usize) -> bool {
        let BufferBudget { limit, taken } = &*self.room;
        let fits = |sum: usize| sum.checked_add(bytes).filter(|sum| sum <= limit);
        let taken = taken.fetch_update(Ordering::Relaxed, Ordering::Relaxed, fits);
        if taken.is_ok() {
            self.bytes += bytes;
        }
        taken.is_ok()
    }
}

impl Drop for BufferPermit {
    fn drop(&mut self) {
        self.room.taken.fetch_sub(self.bytes, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_is_room_for_so_much_and_it_comes_back() {
        let room = Arc::new(BufferBudget::new(10));
        let mut one = BufferPermit::empty(&room);
        let mut other = BufferPermit::empty(&room);
        assert!(one.try_grow(4) && other.try_grow(6) && one.try_grow(0));
        assert!(!one.try_grow(1) && !other.try_grow(usize::MAX));
        drop(other);
        assert!(one.try_grow(6) && !one.try_grow(1));
    }
}
