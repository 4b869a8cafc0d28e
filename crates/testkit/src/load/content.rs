//! Bodies that a check can distinguish at each byte: each page has its own stamp, and noise.
//!
//! The bodies are made and checked by copying and comparing slices, so that neither side of the
//! soak is busier than the gateway between the two sides.

use std::sync::LazyLock;
use std::time::Duration;

use tokio::time::sleep;

use crate::load::draw::{Draw, mix};

/// The distance from one stamp to the next.
const PAGE: usize = 1024;

/// The stamp: the body's seed, and the number of the page.
const STAMP: usize = 16;

/// The number of bytes that a slow reader reads between two pauses.
const STRETCH: u64 = 32 << 10;

static NOISE: LazyLock<Vec<u8>> = LazyLock::new(|| {
    let mut draw = Draw::new(0x6e6f);
    let words = std::iter::repeat_with(|| draw.number().to_le_bytes());
    words.take(16 * 1024).flatten().collect()
});

/// The bytes of one body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Content {
    pub seed: u64,
    pub length: u64,
}

impl Content {
    /// Returns the bytes from `at` on, at most `most` bytes.
    pub fn piece(&self, at: u64, most: usize) -> Vec<u8> {
        let left = usize::try_from(self.length.saturating_sub(at)).unwrap_or(usize::MAX);
        let mut piece = Vec::new();
        self.append(at, left.min(most), &mut piece);
        piece
    }

    fn append(&self, mut at: u64, mut count: usize, room: &mut Vec<u8>) {
        let noise = NOISE.as_slice();
        let page_size = PAGE as u64;
        while count > 0 {
            let (page, within) = (at / page_size, (at % page_size) as usize);
            let stamp = [self.seed.to_be_bytes(), page.to_be_bytes()].concat();
            let from = (mix(self.seed ^ page) % (noise.len() - PAGE) as u64) as usize;
            let page = [&stamp[..], &noise[from..from + PAGE - STAMP]];
            let before = room.len();
            let mut skip = within;
            for part in page {
                let part = &part[skip.min(part.len())..];
                skip = skip.saturating_sub(STAMP);
                let taken = part.len().min(count - (room.len() - before));
                room.extend_from_slice(&part[..taken]);
            }
            let made = room.len() - before;
            count -= made;
            at += made as u64;
        }
    }
}

/// Compares a body with the expected bytes, piece by piece.
#[derive(Debug)]
pub struct Check {
    content: Content,
    at: u64,
    expected: Vec<u8>,
    pace: Option<Duration>,
    paused: u64,
}

impl Check {
    pub fn new(content: Content) -> Self {
        Self {
            content,
            at: 0,
            expected: Vec::new(),
            pace: None,
            paused: 0,
        }
    }

    /// Slows the body's reader down: the reader pauses for `pace` after each `STRETCH`.
    pub fn paced(mut self, pace: Option<Duration>) -> Self {
        self.pace = pace;
        self
    }

    /// Waits before the next read, if a pause is due.
    pub async fn pause(&mut self) {
        if let Some(pace) = self.pace {
            if self.at - self.paused >= STRETCH {
                self.paused = self.at;
                sleep(pace).await;
            }
        }
    }

    /// Returns the number of bytes that came, all of them right.
    pub fn at(&self) -> u64 {
        self.at
    }

    pub fn is_whole(&self) -> bool {
        self.at == self.content.length
    }

    /// Takes the next piece; `Err` describes a fault in the piece.
    pub fn take(&mut self, piece: &[u8]) -> Result<(), String> {
        let Content { seed, length } = self.content;
        if piece.len() as u64 > length - self.at {
            let at = self.at;
            return Err(format!(
                "{} bytes at {at}, where the body ends at {length}: {}",
                piece.len(),
                shown(piece)
            ));
        }
        self.expected.clear();
        self.content
            .append(self.at, piece.len(), &mut self.expected);
        if self.expected != piece {
            let differs = |(a, b): (&u8, &u8)| a != b;
            let first = self.expected.iter().zip(piece).position(differs);
            let first = first.unwrap_or_default();
            return Err(format!(
                "other bytes from {} on than those of body {seed:016x}: {}",
                self.at + first as u64,
                shown(&piece[first..])
            ));
        }
        self.at += piece.len() as u64;
        Ok(())
    }
}

/// Returns the first bytes, for a reader.
fn shown(bytes: &[u8]) -> String {
    bytes[..bytes.len().min(48)].escape_ascii().to_string()
}

#[test]
fn a_body_does_not_depend_on_its_pieces_and_differs_from_all_others() {
    let content = Content {
        seed: 7,
        length: 10_000,
    };
    let whole = content.piece(0, usize::MAX);
    assert_eq!(whole.len(), 10_000);
    let mut check = Check::new(content);
    let mut draw = Draw::new(1);
    while !check.is_whole() {
        let size = draw.between(1, 3000) as usize;
        let piece = content.piece(check.at(), size);
        assert_eq!(piece, whole[check.at() as usize..][..piece.len()]);
        check.take(&piece).unwrap();
    }
    assert!(check.take(b"x").is_err(), "a byte after the end");

    let mut shifted = Check::new(content);
    assert!(shifted.take(&whole[PAGE..2 * PAGE]).is_err(), "a page late");
    let other = Content { seed: 8, ..content };
    let mut flipped = whole.clone();
    flipped[9_999] ^= 1;
    for wrong in [other.piece(0, usize::MAX), flipped] {
        assert!(Check::new(content).take(&wrong).is_err());
    }
}
