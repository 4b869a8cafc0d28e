//! Small pieces of a body, which are joined before they become frames.
//!
//! Rules: `docs/rules/security.md#6-resources-that-may-be-used-up`.

use bytes::{Bytes, BytesMut};

/// The size below which a piece of a body is small, in bytes. h2 counts DATA frames below this size, and ends a connection on which
/// too many of them are unread.
pub(crate) const SMALL_SIZE: usize = 256;

/// The data of the next frame, to which pieces are added while the data is small. Large pieces aren't copied.
#[derive(Default)]
pub(crate) struct Pieces {
    /// The small pieces that were joined.
    joined: BytesMut,
    /// The only piece, if `joined` is empty, or the piece after it.
    piece: Bytes,
}

impl Pieces {
    pub(crate) fn is_empty(&self) -> bool {
        self.joined.is_empty() && self.piece.is_empty()
    }

    pub(crate) fn is_small(&self) -> bool {
        self.joined.len() + self.piece.len() < SMALL_SIZE
    }

    /// Adds a piece to data that is small.
    pub(crate) fn push(&mut self, piece: Bytes) {
        if piece.is_empty() {
            return;
        }
        if !self.piece.is_empty() {
            // Joined data is never longer than this, so it's reserved once for each frame.
            if self.joined.is_empty() {
                self.joined.reserve(SMALL_SIZE);
            }
            self.joined.extend_from_slice(&self.piece);
        }
        self.piece = piece;
    }

    /// Returns the data of the next frame. If pieces were joined with a large piece, the rest of the piece remains.
    pub(crate) fn take(&mut self) -> Bytes {
        if self.joined.is_empty() {
            return std::mem::take(&mut self.piece);
        }
        let missing = SMALL_SIZE.saturating_sub(self.joined.len());
        let start = self.piece.split_to(missing.min(self.piece.len()));
        self.joined.extend_from_slice(&start);
        self.joined.split().freeze()
    }
}
