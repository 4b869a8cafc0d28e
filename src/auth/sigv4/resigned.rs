//! Replaces the signatures of chunks that the caller has signed with a key that isn't the connection's. Framing and
//! data stay the same, so the length of the payload doesn't change.

use bytes::{Bytes, BytesMut};

use super::chunks::{Chain, EXTENSION};
use super::key::Hex;
use crate::auth::{BodyEncoder, EncodeError};

/// The maximum size of the line before a chunk, in bytes: 16 digits of the chunk's size, and the signature.
const MAX_LINE_SIZE: usize = 16 + EXTENSION.len() + 64 + 2;

/// The maximum size of the fields after the last chunk, in bytes.
const MAX_TRAILER_SIZE: usize = 16 * 1024;

const TRAILER_SIGNATURE: &[u8] = b"x-amz-trailer-signature:";

const NO_FIELDS: EncodeError = EncodeError("the bytes after the chunks aren't trailer fields");

/// Replaces the signatures of chunks, and of the fields after them.
#[derive(Debug)]
pub(super) struct Resigned {
    seed: Chain,
    chain: Chain,
    has_trailer: bool,
    /// The maximum size of a chunk's data, in bytes.
    largest: usize,
    /// The part of a chunk or of the trailer that isn't complete yet.
    kept: BytesMut,
    trailer: Trailer,
    place: Place,
}

#[derive(Clone, Copy, Debug)]
enum Place {
    /// The next byte belongs to the line before a chunk.
    Line,
    /// The next byte belongs to a chunk's data, or to the line end after the data.
    Data {
        from: usize,
        size: usize,
    },
    Trailer,
    Over,
}

impl Resigned {
    pub(super) fn new(seed: Chain, has_trailer: bool, largest: usize) -> Self {
        Self {
            chain: seed.clone(),
            seed,
            has_trailer,
            largest,
            kept: BytesMut::new(),
            trailer: Trailer::default(),
            place: Place::Line,
        }
    }

    /// Buffers the available part of the next `most` bytes.
    fn keep(&mut self, data: &mut Bytes, most: usize) {
        let take = data.len().min(most);
        self.kept.extend_from_slice(&data.split_to(take));
    }

    /// Buffers data up to the end of the line before a chunk.
    fn line(&mut self, data: &mut Bytes) -> Result<Option<Bytes>, EncodeError> {
        let end = data.iter().position(|&byte| byte == b'\n');
        let room = MAX_LINE_SIZE - self.kept.len();
        self.keep(data, end.map_or(data.len(), |end| end + 1).min(room));
        if !self.kept.ends_with(b"\n") {
            return match self.kept.len() < MAX_LINE_SIZE {
                true => Ok(None),
                false => Err(EncodeError("a chunk doesn't begin with its size")),
            };
        }
        let size = size(&self.kept).ok_or(EncodeError("a chunk doesn't begin with its size"))?;
        if size > self.largest as u64 {
            return Err(EncodeError("a chunk is too large to be signed"));
        }
        // The size was limited before, so it fits into a `usize`.
        let size = usize::try_from(size).unwrap_or(self.largest);
        let from = self.kept.len();
        if size == 0 && self.has_trailer {
            self.place = Place::Trailer;
            return Ok(Some(self.signed(from, 0)));
        }
        self.place = Place::Data { from, size };
        Ok(None)
    }

    /// Buffers data up to the line end after a chunk's data.
    fn data(
        &mut self,
        data: &mut Bytes,
        (from, size): (usize, usize),
    ) -> Result<Option<Bytes>, EncodeError> {
        let whole = from + size + 2;
        self.keep(data, whole - self.kept.len());
        if self.kept.len() < whole {
            return Ok(None);
        }
        if !self.kept.ends_with(b"\r\n") {
            return Err(EncodeError("a chunk doesn't have its announced size"));
        }
        self.place = match size {
            0 => Place::Over,
            _ => Place::Line,
        };
        Ok(Some(self.signed(from, size)))
    }

    /// Returns the chunk whose data begins at `from`, with the new signature at the end of its line.
    fn signed(&mut self, from: usize, size: usize) -> Bytes {
        let mut chunk = std::mem::take(&mut self.kept);
        let data = chunk.get(from..from + size).unwrap_or_default();
        let signature = self.chain.sign_chunk(data);
        replace(&mut chunk, from - 2 - signature.len(), &signature);
        chunk.freeze()
    }

    fn trailer(&mut self, data: &mut Bytes) -> Result<Option<Bytes>, EncodeError> {
        let room = MAX_TRAILER_SIZE - self.kept.len();
        self.keep(data, room);
        match self.trailer.read(&self.kept)? {
            true => self.signed_trailer().map(Some),
            false if self.kept.len() < MAX_TRAILER_SIZE => Ok(None),
            false => Err(EncodeError("the fields after the chunks are too long")),
        }
    }

    fn signed_trailer(&mut self) -> Result<Bytes, EncodeError> {
        let mut kept = std::mem::take(&mut self.kept);
        let signature_at = self.trailer.end(&kept)?;
        let signature = self.chain.sign_trailer(&self.trailer.canonical);
        replace(&mut kept, signature_at, &signature);
        self.place = Place::Over;
        Ok(kept.freeze())
    }
}

fn replace(kept: &mut BytesMut, at: usize, signature: &Hex) {
    if let Some(place) = kept.get_mut(at..at + signature.len()) {
        place.copy_from_slice(signature);
    }
}

/// Returns the size in the line before a chunk, or `None` if the line isn't valid.
fn size(line: &[u8]) -> Option<u64> {
    let line = std::str::from_utf8(line.strip_suffix(b"\r\n")?).ok()?;
    let (size, signature) = line.split_once(EXTENSION)?;
    let is_hex = |text: &str| text.bytes().all(|byte| byte.is_ascii_hexdigit());
    let fits = is_hex(size) && signature.len() == 64 && is_hex(signature);
    fits.then(|| u64::from_str_radix(size, 16).ok())?
}

/// The fields after the last chunk, as far as they've been received. Each byte is read once, so that many small pieces
/// don't need quadratic time.
#[derive(Debug, Default)]
struct Trailer {
    /// The fields in their signed form.
    canonical: Vec<u8>,
    signature_at: Option<usize>,
    /// The beginning of the line that isn't complete yet.
    begin: usize,
    /// The position up to which the line's end was searched.
    seen: usize,
}

impl Trailer {
    /// Reads lines, and returns `true` once the empty line at the end has been read. Lines may end without CR, and an
    /// empty line may precede the signature, as in AWS's own example.
    fn read(&mut self, kept: &[u8]) -> Result<bool, EncodeError> {
        let is_end = |&byte: &u8| byte == b'\n';
        while let Some(after) = kept
            .get(self.seen..)
            .and_then(|new| new.iter().position(is_end))
        {
            let end = self.seen + after + 1;
            self.seen = end;
            let begin = std::mem::replace(&mut self.begin, end);
            let line = kept.get(begin..end).unwrap_or_default();
            if self.line(begin, line.trim_ascii_end())? {
                return match end == kept.len() {
                    true => Ok(true),
                    false => Err(NO_FIELDS),
                };
            }
        }
        self.seen = kept.len();
        Ok(false)
    }

    /// Returns the position of the signature at the end of the payload.
    fn end(&mut self, kept: &[u8]) -> Result<usize, EncodeError> {
        let rest = kept.get(self.begin..).unwrap_or_default();
        if !rest.is_empty() {
            self.line(self.begin, rest.trim_ascii_end())?;
        }
        let signature_at = self.signature_at;
        signature_at.ok_or(EncodeError("the trailer isn't signed"))
    }

    /// Reads the line at `begin`, and returns `true` if it's the empty line at the end.
    fn line(&mut self, begin: usize, line: &[u8]) -> Result<bool, EncodeError> {
        if self.signature_at.is_some() {
            return match line.is_empty() {
                true => Ok(true),
                false => Err(NO_FIELDS),
            };
        }
        if let Some(signature) = line.strip_prefix(TRAILER_SIGNATURE) {
            if signature.len() != 64 || !signature.iter().all(u8::is_ascii_hexdigit) {
                return Err(NO_FIELDS);
            }
            self.signature_at = Some(begin + TRAILER_SIGNATURE.len());
        } else if !line.is_empty() {
            let colon = line.iter().position(|&byte| byte == b':');
            let (name, value) = colon
                .and_then(|colon| line.split_at_checked(colon))
                .ok_or(NO_FIELDS)?;
            let canonical = &mut self.canonical;
            canonical.extend(name.iter().map(u8::to_ascii_lowercase));
            canonical.push(b':');
            canonical.extend_from_slice(value.strip_prefix(b":").unwrap_or(value).trim_ascii());
            canonical.push(b'\n');
        }
        Ok(false)
    }
}

impl BodyEncoder for Resigned {
    fn encoded_len(&self, plain: Option<u64>) -> Option<u64> {
        plain
    }

    fn encode(&mut self, data: &mut Bytes) -> Result<Option<Bytes>, EncodeError> {
        while !data.is_empty() {
            let ready = match self.place {
                Place::Line => self.line(data)?,
                Place::Data { from, size } => self.data(data, (from, size))?,
                Place::Trailer => self.trailer(data)?,
                Place::Over => return Err(EncodeError("there are bytes after the last chunk")),
            };
            if ready.is_some() {
                return Ok(ready);
            }
        }
        Ok(None)
    }

    fn finish(&mut self) -> Result<Bytes, EncodeError> {
        match self.place {
            Place::Over => Ok(Bytes::new()),
            // The empty line at the end is missing, but the fields are complete.
            Place::Trailer => self.signed_trailer(),
            Place::Line | Place::Data { .. } => Err(EncodeError("the last chunk is missing")),
        }
    }

    fn max_buffered(&self) -> usize {
        self.largest
    }

    fn restart(&self) -> Box<dyn BodyEncoder> {
        Box::new(Self::new(self.seed.clone(), self.has_trailer, self.largest))
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::super::example::{SEED, chain};
    use super::*;

    const DUMMY: &str = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

    const CHUNKS: [&str; 3] = [
        "ad80c730a21e5b8d04586a2213dd63b9a0e99e0e2307b0ade35a65485a288648",
        "0055627c9e194cb4542bae2aa5492e3c1575bbb81b612b7d234b86a503ef5497",
        "b6c6ea8a5354eaf15b3cb7646744f4275b71ea724fed81ceb9323e279d449df9",
    ];

    const WITH_TRAILER: [&str; 4] = [
        "b474d8862b1487a5145d686f57f013e54db672cee1c953b3010fb58501ef5aa2",
        "1c1344b170168f8e65b41376b44b20fe354e373826ccbbe2c1d40a8cae51e5c7",
        "2ca2aba2005185cf7159c6277faf83795951dd77a3a99e6e65d5c9f85863f992",
        "d81f82fc3505edab99d459891051a732e8730629a2e4a59689829ca17fe2e435",
    ];

    const TRAILER_SEED: &Hex = b"106e2a8a18243abcf37539882f36619c00e2dfc72633413f02d3b74544bfeb8e";

    /// Returns S3's documented upload, of 65 KiB in two chunks, with those signatures.
    fn upload(signatures: &[&str; 3], end: &str) -> String {
        let [first, second, last] = signatures;
        let (a, b) = ("a".repeat(65_536), "a".repeat(1024));
        format!(
            "10000;chunk-signature={first}\r\n{a}\r\n\
             400;chunk-signature={second}\r\n{b}\r\n\
             0;chunk-signature={last}\r\n{end}"
        )
    }

    fn trailer(signature: &str) -> String {
        format!("x-amz-checksum-crc32c:sOO8/Q==\r\nx-amz-trailer-signature:{signature}\r\n\r\n")
    }

    /// Returns the output of the coder for `sent`, which is passed to the coder in pieces of that size.
    fn coded(coder: &mut Resigned, sent: &str, pieces: usize) -> Result<String, EncodeError> {
        let mut out = Vec::new();
        for piece in sent.as_bytes().chunks(pieces) {
            let mut data = Bytes::copy_from_slice(piece);
            while !data.is_empty() {
                out.extend(coder.encode(&mut data)?);
            }
        }
        out.push(coder.finish()?);
        Ok(String::from_utf8(out.concat()).unwrap())
    }

    #[test]
    fn chunks_of_a_stranger_are_signed_as_documented() {
        let sent = upload(&[DUMMY; 3], "\r\n");
        for pieces in [1, 7, 1000, 65_536, usize::MAX] {
            let mut coder = Resigned::new(chain(SEED), false, 65_536);
            assert_eq!(coder.encoded_len(Some(sent.len() as u64)), Some(66_824));
            let out = coded(&mut coder, &sent, pieces).unwrap();
            assert!(out == upload(&CHUNKS, "\r\n"), "{pieces}");
        }
    }

    #[test]
    fn a_trailer_is_signed_as_documented() {
        let [one, two, three, four] = WITH_TRAILER;
        let sent = upload(&[DUMMY; 3], &trailer(DUMMY));
        for pieces in [1, 10, 66_000, usize::MAX] {
            let mut coder = Resigned::new(chain(TRAILER_SEED), true, 65_536);
            let out = coded(&mut coder, &sent, pieces).unwrap();
            assert!(
                out == upload(&[one, two, three], &trailer(four)),
                "{pieces}"
            );
        }
    }

    #[test]
    fn a_trailer_may_be_written_as_in_awss_example() {
        let [one, two, three, four] = WITH_TRAILER;
        let written = |signature: &str, end: &str| {
            format!("x-amz-checksum-crc32c:sOO8/Q==\n\r\nx-amz-trailer-signature:{signature}{end}")
        };
        for end in ["\r\n\r\n", "\r\n", ""] {
            let sent = upload(&[DUMMY; 3], &written(DUMMY, end));
            let mut coder = Resigned::new(chain(TRAILER_SEED), true, 65_536);
            let out = coded(&mut coder, &sent, 100).unwrap();
            assert!(
                out == upload(&[one, two, three], &written(four, end)),
                "{end:?}"
            );
        }
    }

    #[test]
    fn the_same_comes_out_a_second_time() {
        let sent = upload(&[DUMMY; 3], "\r\n");
        let mut coder = Resigned::new(chain(SEED), false, 65_536);
        coded(&mut coder, &sent, 1000).unwrap();
        let mut again = coder.restart();
        let mut data = Bytes::from(sent);
        let first = again.encode(&mut data).unwrap().unwrap();
        assert!(first.starts_with(format!("10000;chunk-signature={}", CHUNKS[0]).as_bytes()));
    }

    #[test]
    fn a_trailer_takes_as_long_as_it_is_in_however_small_pieces() {
        let line = format!("0;chunk-signature={DUMMY}\r\n");
        let end = format!("x-amz-trailer-signature:{DUMMY}\r\n\r\n");
        let began = std::time::SystemTime::now();
        for field in [
            "a:b\n",
            "\n",
            "a:bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb\r\n",
        ] {
            let fields = field.repeat(16_000 / field.len());
            let sent = [&*line, &fields, &end].concat();
            let mut coder = Resigned::new(chain(TRAILER_SEED), true, 16);
            let out = coded(&mut coder, &sent, 1).unwrap();
            assert_eq!(out.len(), sent.len());
        }
        // Read from its begin for each byte, it took seconds.
        assert!(began.elapsed().unwrap_or_default() < std::time::Duration::from_secs(1));
    }

    #[test]
    fn what_is_not_framed_so_is_broken() {
        let line = format!(";chunk-signature={DUMMY}\r\n");
        for sent in [
            String::new(),
            "5\r\nhello\r\n0\r\n\r\n".to_owned(),
            format!("5{line}hell"),
            format!("5{line}hello"),
            format!("5{line}hello\n\r0{line}\r\n"),
            format!("5{line}hello\r\n"),
            format!("5{line}hello\r\n0{line}"),
            format!("5{line}hello\r\n0{line}\r\nmore"),
            format!("+5{line}hello\r\n0{line}\r\n"),
            format!("{line}\r\n"),
            format!("ffffffffffffffff{line}"),
            format!("11{line}"),
            format!(
                "5;chunk-signature={}\r\nhello\r\n",
                &DUMMY.replace('0', "g")
            ),
            format!("5{};x\r\nhello\r\n", &line.trim_end()),
            "5".repeat(1000),
        ] {
            let mut coder = Resigned::new(chain(SEED), false, 16);
            assert!(coded(&mut coder, &sent, 10).is_err(), "{sent}");
        }
        for end in [
            String::new(),
            "x-amz-checksum-crc32c:sOO8/Q==\r\n\r\n".to_owned(),
            format!("no field\r\nx-amz-trailer-signature:{DUMMY}\r\n\r\n"),
            format!("x-amz-trailer-signature:{DUMMY}0\r\n\r\n"),
            "x-amz-trailer-signature:00\r\n\r\n".to_owned(),
            format!("x-amz-trailer-signature:{DUMMY}\r\nx-more: y\r\n\r\n"),
            trailer(DUMMY) + "more",
            format!("x: {}\r\n", "y".repeat(20_000)),
        ] {
            let mut coder = Resigned::new(chain(SEED), true, 16);
            let sent = format!("0{line}{end}");
            assert!(coded(&mut coder, &sent, 10).is_err(), "{end}");
        }
    }
}
