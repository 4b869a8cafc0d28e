//! Chunks that are signed while they stream. Each signature depends on the previous signature and
//! on the chunk's own hash.
//!
//! A chunk's signature is sent before the chunk's data, so a single chunk is buffered at a time.

use std::fmt::{self, Write as _};

use bytes::{BufMut as _, Bytes, BytesMut};

use super::key::{Hex, SigningKey, Stamp, hash};
use super::signing::string_to_sign;
use crate::auth::{BodyEncoder, EncodeError};

/// The text between a chunk's size and its signature.
pub(super) const EXTENSION: &str = ";chunk-signature=";

/// The size of the chunks that are made here, in bytes. S3 requires at least 8 KiB.
const CHUNK_SIZE: u64 = 64 * 1024;

/// A chain of signatures, each of which depends on the previous signature.
#[derive(Clone)]
pub(super) struct Chain {
    pub(super) key: SigningKey,
    pub(super) stamp: Stamp,
    pub(super) scope: String,
    /// The last signature. The first is the signature of the head.
    pub(super) last: Hex,
}

impl Chain {
    pub(super) fn sign_chunk(&mut self, data: &[u8]) -> Hex {
        let hashes: [&[u8]; 3] = [&self.last.clone(), &hash(b""), &hash(data)];
        self.next("AWS4-HMAC-SHA256-PAYLOAD", &hashes)
    }

    pub(super) fn sign_trailer(&mut self, canonical: &[u8]) -> Hex {
        let hashes: [&[u8]; 2] = [&self.last.clone(), &hash(canonical)];
        self.next("AWS4-HMAC-SHA256-TRAILER", &hashes)
    }

    fn next(&mut self, algorithm: &str, hashes: &[&[u8]]) -> Hex {
        let text = string_to_sign(algorithm, &self.stamp, &self.scope, hashes);
        self.last = self.key.sign(&text);
        self.last
    }
}

impl fmt::Debug for Chain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Chain").finish_non_exhaustive()
    }
}

/// Puts a payload of known length into chunks, and signs them.
#[derive(Debug)]
pub(super) struct InChunks {
    seed: Chain,
    chain: Chain,
    length: u64,
    /// The number of bytes that haven't been received yet.
    left: u64,
    /// The data of the chunk that is being filled.
    data: BytesMut,
}

impl InChunks {
    pub(super) fn new(seed: Chain, length: u64) -> Self {
        Self {
            chain: seed.clone(),
            seed,
            length,
            left: length,
            data: BytesMut::new(),
        }
    }

    /// Returns the buffered data as a signed chunk.
    fn take_chunk(&mut self) -> Bytes {
        let data = std::mem::take(&mut self.data);
        let signature = self.chain.sign_chunk(&data);
        let room = 16 + EXTENSION.len() + signature.len() + 2 + data.len() + 2;
        let mut chunk = BytesMut::with_capacity(room);
        // Writing to a buffer that grows never fails.
        let _ = write!(chunk, "{:x}{EXTENSION}", data.len());
        for part in [&signature[..], b"\r\n", &data, b"\r\n"] {
            chunk.put_slice(part);
        }
        chunk.freeze()
    }
}

/// Returns the length of a payload in chunks of [`CHUNK_SIZE`], in bytes.
fn encoded_len(plain: u64) -> u64 {
    let chunk_len = |size: u64| {
        let digits = (64 - u64::from(size.leading_zeros())).div_ceil(4).max(1);
        digits + (EXTENSION.len() + 64 + 4) as u64 + size
    };
    let last = Some(plain % CHUNK_SIZE).filter(|&last| last > 0);
    (plain / CHUNK_SIZE)
        .saturating_mul(chunk_len(CHUNK_SIZE))
        .saturating_add(last.map_or(0, chunk_len))
        .saturating_add(chunk_len(0))
}

impl BodyEncoder for InChunks {
    fn encoded_len(&self, _: Option<u64>) -> Option<u64> {
        Some(encoded_len(self.length))
    }

    fn encode(&mut self, data: &mut Bytes) -> Result<Option<Bytes>, EncodeError> {
        let filled = self.data.len() as u64;
        let room = self.left.min(CHUNK_SIZE - filled);
        if room == 0 {
            return Err(EncodeError(
                "the payload is longer than its announced length",
            ));
        }
        let take = usize::try_from(room).map_or(data.len(), |room| room.min(data.len()));
        self.data.extend_from_slice(&data.split_to(take));
        self.left -= take as u64;
        let is_full = self.data.len() as u64 == CHUNK_SIZE || self.left == 0;
        Ok(is_full.then(|| self.take_chunk()))
    }

    fn finish(&mut self) -> Result<Bytes, EncodeError> {
        match self.left {
            0 => Ok(self.take_chunk()),
            _ => Err(EncodeError(
                "the payload is shorter than its announced length",
            )),
        }
    }

    fn max_buffered(&self) -> usize {
        usize::try_from(CHUNK_SIZE).unwrap_or(usize::MAX)
    }

    fn restart(&self) -> Box<dyn BodyEncoder> {
        Box::new(Self::new(self.seed.clone(), self.length))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::auth::sigv4::example::{SEED, chain};

    #[test]
    fn the_documented_chunks_are_signed_as_documented() {
        // 65 KiB of `a`.
        let mut coder = InChunks::new(chain(SEED), 66_560);
        let mut data = Bytes::from(vec![b'a'; 66_560]);
        let mut coded = Vec::new();
        while !data.is_empty() {
            coded.extend(coder.encode(&mut data).ok().flatten());
        }
        coded.extend(coder.finish());
        let coded = coded.concat();
        assert_eq!(coder.encoded_len(None), Some(66_824));
        assert_eq!(coded.len(), 66_824);
        let text = String::from_utf8_lossy(&coded);
        for chunk in [
            "10000;chunk-signature=ad80c730a21e5b8d04586a2213dd63b9a0e99e0e2307b0ade35a65485a288648\r\na",
            "a\r\n400;chunk-signature=0055627c9e194cb4542bae2aa5492e3c1575bbb81b612b7d234b86a503ef5497\r\na",
            "a\r\n0;chunk-signature=b6c6ea8a5354eaf15b3cb7646744f4275b71ea724fed81ceb9323e279d449df9\r\n\r\n",
        ] {
            assert!(text.contains(chunk), "{chunk}");
        }
    }

    #[test]
    fn lengths_are_those_of_what_is_sent() {
        for length in [0, 1, 15, 16, 4095, 65_535, 65_536, 65_537, 131_072, 200_000] {
            let mut coder = InChunks::new(chain(SEED), length);
            let mut sent = 0;
            let mut left = length;
            while left > 0 {
                let piece = left.min(10_007);
                left -= piece;
                let mut data = Bytes::from(vec![b'x'; usize::try_from(piece).unwrap_or(0)]);
                while !data.is_empty() {
                    sent += coder
                        .encode(&mut data)
                        .ok()
                        .flatten()
                        .map_or(0, |out| out.len());
                }
            }
            sent += coder.finish().map_or(0, |out| out.len());
            assert_eq!(coder.encoded_len(None), Some(sent as u64), "{length}");
        }
    }

    #[test]
    fn another_length_is_an_error() {
        let mut coder = InChunks::new(chain(SEED), 4);
        assert!(
            coder
                .encode(&mut Bytes::from_static(b"abc"))
                .is_ok_and(|out| out.is_none())
        );
        assert!(coder.restart().finish().is_err());
        assert!(coder.finish().is_err());
        let mut long = Bytes::from_static(b"de");
        assert!(coder.encode(&mut long).is_ok_and(|out| out.is_some()));
        assert!(coder.encode(&mut long).is_err());
    }
}
