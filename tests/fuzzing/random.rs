//! Numbers that a seed determines (xorshift64*).

use std::fmt;
use std::ops::Range;

#[derive(Clone, Debug)]
pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn new(seed: u64) -> Self {
        // Seeds that differ in a bit must differ from the first number on (splitmix64).
        let mut mixed = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        Self((mixed ^ (mixed >> 31)) | 1)
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    pub(crate) fn within(&mut self, range: Range<usize>) -> usize {
        let size = (range.end - range.start).max(1) as u64;
        range.start + usize::try_from((self.next() >> 11) % size).unwrap()
    }

    /// Returns `true` in so many of a hundred cases.
    pub(crate) fn percent(&mut self, chance: usize) -> bool {
        self.within(0..100) < chance
    }

    pub(crate) fn pick<T: Clone>(&mut self, from: &[T]) -> T {
        from[self.within(0..from.len())].clone()
    }

    pub(crate) fn byte(&mut self) -> u8 {
        self.next().to_be_bytes()[0]
    }

    pub(crate) fn number(&mut self) -> u32 {
        u32::try_from(self.next() >> 32).unwrap()
    }

    pub(crate) fn bytes(&mut self, len: usize) -> Vec<u8> {
        (0..len).map(|_| self.byte()).collect()
    }

    /// Returns positions at which bytes are divided into pieces, relative to the last position.
    pub(crate) fn cuts(&mut self) -> Vec<usize> {
        match self.within(0..10) {
            0..5 => Vec::new(),
            5 => vec![1; 60],
            _ => (0..self.within(1..6))
                .map(|_| self.within(1..120))
                .collect(),
        }
    }

    /// A size that is often at a border.
    pub(crate) fn size(&mut self, max: usize) -> usize {
        let size = match self.within(0..8) {
            0 => 0,
            1 => 1,
            2 => self.within(250..260),
            3 => self.within(0..20_000),
            4 => 16_384 - self.within(0..2),
            _ => self.within(0..300),
        };
        size.min(max)
    }
}

/// Returns the pieces into which these positions divide the bytes.
pub(crate) fn pieces<'a>(bytes: &'a [u8], cuts: &[usize]) -> Vec<&'a [u8]> {
    let (mut rest, mut pieces) = (bytes, Vec::new());
    for cut in cuts {
        let (piece, after) = rest.split_at((*cut).min(rest.len()));
        pieces.push(piece);
        rest = after;
    }
    pieces.push(rest);
    pieces.retain(|piece| !piece.is_empty());
    pieces
}

/// Bytes that a failure prints in part.
#[derive(Clone)]
pub(crate) struct Shown(pub(crate) Vec<u8>);

impl fmt::Debug for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let end = self.0.len().min(400);
        write!(
            f,
            "{} bytes b\"{}\"",
            self.0.len(),
            self.0[..end].escape_ascii()
        )
    }
}
