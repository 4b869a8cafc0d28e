//! The vendor's responses by path, and the code that reads a request.
//!
//! Only the last segment of the path selects the response, because some proxies remove the mount's
//! prefix, and proxies that only pass on bytes can't.

use std::sync::LazyLock;

/// The number of bytes in the body of the `small` response.
pub const SMALL: u64 = 200;
/// The number of bytes in the body of the `64k` response.
pub const MEDIUM: u64 = 64 * 1024;
/// The number of bytes in a download or an upload.
pub const BULK: u64 = 100 * 1024 * 1024;
/// The credential that every proxy that understands HTTP adds.
pub const CREDENTIAL: &str = "Bearer s3cr3t";

/// The bytes that bodies consist of.
pub static FILLER: [u8; 256 * 1024] = [b'x'; 256 * 1024];

static SMALL_ANSWER: LazyLock<Vec<u8>> = LazyLock::new(|| whole(SMALL));
static MEDIUM_ANSWER: LazyLock<Vec<u8>> = LazyLock::new(|| whole(MEDIUM));
static BULK_HEAD: LazyLock<Vec<u8>> = LazyLock::new(|| head(BULK));
/// A stream with the first event, and nothing after that event.
static EVENTS: &[u8] = b"HTTP/1.1 200 OK\r\n\
    content-type: text/event-stream\r\n\
    cache-control: no-cache\r\n\
    transfer-encoding: chunked\r\n\
    \r\n\
    9\r\ndata: 1\n\n\r\n";

/// A response: the bytes to write first, and the number of filler bytes after them.
#[derive(Clone, Copy)]
pub struct Answer {
    pub bytes: &'static [u8],
    pub filler: u64,
}

impl Answer {
    /// Returns the response to a path.
    fn to(path: &str) -> Self {
        let name = path.rsplit('/').next().unwrap_or_default();
        let (bytes, filler) = match name {
            "small" | "upload" => (SMALL_ANSWER.as_slice(), 0),
            "64k" => (MEDIUM_ANSWER.as_slice(), 0),
            "bulk" => (BULK_HEAD.as_slice(), BULK),
            "events" => (EVENTS, 0),
            _ => (
                &b"HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n"[..],
                0,
            ),
        };
        Self { bytes, filler }
    }
}

/// The parts of a request's head that the vendor uses.
pub struct Asked {
    /// The number of bytes in the head.
    pub head: usize,
    /// The number of bytes in the body after the head.
    pub body: u64,
    pub answer: Answer,
    /// Set to `true` if the response's body is the request's head.
    pub echoes: bool,
}

/// Reads a head, or returns `None` if the head isn't complete. The vendor prints the error.
pub fn read(bytes: &[u8]) -> Result<Option<Asked>, String> {
    let mut fields = [httparse::EMPTY_HEADER; 48];
    let mut request = httparse::Request::new(&mut fields);
    let head = match request.parse(bytes) {
        Ok(httparse::Status::Complete(head)) => head,
        Ok(httparse::Status::Partial) => return Ok(None),
        Err(error) => return Err(format!("the vendor can't read a request: {error}")),
    };
    let mut body = 0;
    for field in request.headers.iter() {
        if field.name.eq_ignore_ascii_case("content-length") {
            let length = str::from_utf8(field.value)
                .ok()
                .and_then(|l| l.parse().ok());
            body = length.ok_or("the vendor got a request without a length that it can read")?;
        } else if field.name.eq_ignore_ascii_case("transfer-encoding") {
            return Err("the vendor got a request in chunks, though its length is known".into());
        }
    }
    let path = request.path.unwrap_or_default();
    Ok(Some(Asked {
        head,
        body,
        answer: Answer::to(path),
        echoes: path.ends_with("/echo"),
    }))
}

/// Returns the `echo` response: its body is the request's head as the proxy sent the head.
pub fn echo(head: &[u8]) -> Vec<u8> {
    let mut answer = self::head(head.len() as u64);
    answer.extend_from_slice(head);
    answer
}

fn whole(length: u64) -> Vec<u8> {
    let mut bytes = head(length);
    bytes.extend(FILLER.iter().take(length as usize));
    bytes
}

fn head(length: u64) -> Vec<u8> {
    format!(
        "HTTP/1.1 200 OK\r\n\
         content-type: application/json\r\n\
         date: Fri, 01 May 2026 12:00:00 GMT\r\n\
         x-request-id: 0af7651916cd43dd8448eb211c80319c\r\n\
         content-length: {length}\r\n\
         \r\n"
    )
    .into_bytes()
}
