//! How much memory bodies may take that are kept: for a signature, or to be sent once more.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Room for so many bytes, for all calls together.
pub(crate) struct Room {
    most: usize,
    taken: AtomicUsize,
}

impl Room {
    pub(crate) const DEFAULT: usize = 64 << 20;

    pub(crate) fn new(most: usize) -> Self {
        Self {
            most,
            taken: AtomicUsize::new(0),
        }
    }

    pub(super) fn most(&self) -> usize {
        self.most
    }
}

/// What one call has taken of it. It's given back when this is dropped.
pub(crate) struct Taken {
    room: Arc<Room>,
    bytes: usize,
}

impl Taken {
    pub(crate) fn nothing_of(room: &Arc<Room>) -> Self {
        Self {
            room: Arc::clone(room),
            bytes: 0,
        }
    }

    /// Takes that much more; whether there was room for it.
    pub(crate) fn more(&mut self, bytes: usize) -> bool {
        let Room { most, taken } = &*self.room;
        let fits = |sum: usize| sum.checked_add(bytes).filter(|sum| sum <= most);
        let taken = taken.fetch_update(Ordering::Relaxed, Ordering::Relaxed, fits);
        if taken.is_ok() {
            self.bytes += bytes;
        }
        taken.is_ok()
    }
}

impl Drop for Taken {
    fn drop(&mut self) {
        self.room.taken.fetch_sub(self.bytes, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_is_room_for_so_much_and_it_comes_back() {
        let room = Arc::new(Room::new(10));
        let mut one = Taken::nothing_of(&room);
        let mut other = Taken::nothing_of(&room);
        assert!(one.more(4) && other.more(6) && one.more(0));
        assert!(!one.more(1) && !other.more(usize::MAX));
        drop(other);
        assert!(one.more(6) && !one.more(1));
    }
}
