//! The content of a token endpoint's response: its bytes up to a limit, without the codings that some servers add although the request
//! refuses them (RFC 9110 §8.4).
//!
//! Each buffer is wiped when it's dropped. The window of the decoder, up to 32 KiB, can't be wiped.

use std::future::poll_fn;
use std::io::Read;
use std::pin::Pin;

use flate2::read::{DeflateDecoder, MultiGzDecoder, ZlibDecoder};
use http::header::{CONTENT_ENCODING, HeaderMap};
use http_body::Body as _;
use zeroize::Zeroizing;

use super::error::Fault;
use crate::body::UpstreamBody;

/// The maximum size of a response, in bytes, before and after each coding.
const MAX_RESPONSE_SIZE: usize = 256 * 1024;

/// The maximum number of codings of a response.
const MAX_CODINGS: usize = 2;

/// The bytes of a response, or of its complete beginning.
pub(super) struct Content {
    pub(super) bytes: Zeroizing<Vec<u8>>,
    /// `false` if the response broke off, or if its coding is damaged.
    pub(super) is_whole: bool,
}

impl Content {
    pub(super) fn empty() -> Self {
        Self {
            bytes: Zeroizing::default(),
            is_whole: true,
        }
    }

    /// Adds bytes. A vector that grows by itself would leave a copy behind that isn't wiped.
    fn push(&mut self, data: &[u8]) -> Result<(), Fault> {
        let length = self.bytes.len() + data.len();
        if length > MAX_RESPONSE_SIZE {
            return Err(Fault::TooLarge);
        }
        if length > self.bytes.capacity() {
            let mut larger = Vec::with_capacity(length.next_power_of_two());
            larger.extend_from_slice(&self.bytes);
            self.bytes = Zeroizing::new(larger);
        }
        self.bytes.extend_from_slice(data);
        Ok(())
    }

    /// Undoes one coding. Content that isn't encoded is returned unchanged, because a server or a proxy may have left the field of a coding
    /// that it has undone.
    fn decoded(self, coding: Coding) -> Result<Self, Fault> {
        let mut decoded = match coding {
            Coding::Gzip => self.decoded_by(MultiGzDecoder::new(&**self.bytes))?,
            Coding::Deflate => match self.decoded_by(ZlibDecoder::new(&**self.bytes))? {
                // Some servers send `deflate` without the frame of zlib (RFC 9110 §8.4.1.2).
                Some(decoded) => Some(decoded),
                None => self
                    .decoded_by(DeflateDecoder::new(&**self.bytes))?
                    .filter(|decoded| decoded.is_whole),
            },
        };
        if let Some(decoded) = &mut decoded {
            decoded.is_whole &= self.is_whole;
        }
        Ok(decoded.unwrap_or(self))
    }

    /// Returns the output of a decoder, or `None` if the input isn't encoded by it. If the input is damaged or breaks off, the output
    /// before that is returned, because it may contain the only copy of a rotated token.
    fn decoded_by(&self, mut decoder: impl Read) -> Result<Option<Self>, Fault> {
        let mut decoded = Self::empty();
        let mut part = Zeroizing::new([0; 4096]);
        loop {
            match decoder.read(&mut *part) {
                Ok(0) => return Ok(Some(decoded)),
                Ok(length) => decoded.push(part.get(..length).unwrap_or_default())?,
                Err(_) if decoded.bytes.is_empty() => return Ok(None),
                Err(_) => {
                    decoded.is_whole = false;
                    return Ok(Some(decoded));
                }
            }
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Coding {
    Gzip,
    Deflate,
}

/// Reads the content of a response.
pub(super) async fn read(headers: &HeaderMap, body: UpstreamBody) -> Result<Content, Fault> {
    let mut content = read_coded(body).await?;
    for coding in codings(headers)?.into_iter().rev() {
        content = content.decoded(coding)?;
    }
    // A server may also have forgotten the field. No JSON and no form begins with these bytes.
    if content.bytes.starts_with(b"\x1f\x8b") {
        content = content.decoded(Coding::Gzip)?;
    }
    Ok(content)
}

/// Returns the codings in the order in which they were applied.
fn codings(headers: &HeaderMap) -> Result<Vec<Coding>, Fault> {
    let mut codings = Vec::new();
    for field in headers.get_all(CONTENT_ENCODING) {
        for coding in field.as_bytes().split(|&byte| byte == b',') {
            codings.push(match &*coding.trim_ascii().to_ascii_lowercase() {
                b"" | b"identity" => continue,
                b"gzip" | b"x-gzip" => Coding::Gzip,
                b"deflate" => Coding::Deflate,
                _ => return Err(Fault::UnknownCoding),
            });
        }
    }
    match codings.len() > MAX_CODINGS {
        true => Err(Fault::UnknownCoding),
        false => Ok(codings),
    }
}

/// Reads the body up to the maximum size.
async fn read_coded(mut body: UpstreamBody) -> Result<Content, Fault> {
    let size = usize::try_from(body.size_hint().lower()).unwrap_or(usize::MAX);
    if size > MAX_RESPONSE_SIZE {
        return Err(Fault::TooLarge);
    }
    let mut content = Content::empty();
    content.bytes = Zeroizing::new(Vec::with_capacity(size));
    while let Some(frame) = poll_fn(|cx| Pin::new(&mut body).poll_frame(cx)).await {
        let Ok(frame) = frame else {
            content.is_whole = false;
            break;
        };
        if let Ok(data) = frame.into_data() {
            content.push(&data)?;
        }
    }
    Ok(content)
}
