//! A request and its response, on a connection that stays open.

use crate::vendor::answer::{BULK, FILLER, MEDIUM, SMALL};

/// The path of the mount, the same at every proxy.
pub const MOUNT: &str = "/passthrough/acme";
/// The key that the gateway requires from its callers. Every proxy receives the key.
pub const CALLERS_KEY: &str = "key-of-a-caller";

/// A request that is sent repeatedly, and the size of the expected response.
#[derive(Clone, Debug)]
pub struct Call {
    pub head: Vec<u8>,
    /// The number of bytes in the request's body.
    pub upload: u64,
    /// The expected number of bytes in the response's body.
    pub download: u64,
}

impl Call {
    pub fn small() -> Self {
        Self::get("small", SMALL)
    }

    pub fn medium() -> Self {
        Self::get("64k", MEDIUM)
    }

    pub fn download() -> Self {
        Self::get("bulk", BULK)
    }

    pub fn upload() -> Self {
        Self {
            head: head("POST", "upload", BULK),
            upload: BULK,
            download: SMALL,
        }
    }

    fn get(name: &str, download: u64) -> Self {
        Self {
            head: head("GET", name, 0),
            upload: 0,
            download,
        }
    }
}

/// Returns the head of a request for the vendor's resource of this name.
pub fn head(method: &str, name: &str, upload: u64) -> Vec<u8> {
    let length = match upload {
        0 => String::new(),
        length => format!("content-length: {length}\r\n"),
    };
    format!(
        "{method} {MOUNT}/v2/{name} HTTP/1.1\r\n\
         host: gateway.test\r\n\
         user-agent: peers/1\r\n\
         accept: application/json\r\n\
         x-api-key: {CALLERS_KEY}\r\n\
         {length}\r\n"
    )
    .into_bytes()
}

/// The progress of an exchange.
#[derive(Debug, Default)]
pub struct Exchange {
    /// The number of sent bytes of the request's head.
    sent: usize,
    /// The number of sent bytes of the request's body.
    uploaded: u64,
    /// The response's head, until the head is complete.
    head: Vec<u8>,
    /// The number of bytes of the response's body that haven't arrived yet.
    left: Option<u64>,
}

impl Exchange {
    /// Returns the bytes to write next, or an empty slice once the whole request is written.
    pub fn unsent<'c>(&self, call: &'c Call) -> &'c [u8] {
        if self.sent < call.head.len() {
            return &call.head[self.sent..];
        }
        let left = call.upload - self.uploaded;
        let some = usize::try_from(left).unwrap_or(usize::MAX);
        &FILLER[..some.min(FILLER.len())]
    }

    /// Records that `written` bytes of `unsent` have been written.
    pub fn sent(&mut self, written: usize, call: &Call) {
        if self.sent < call.head.len() {
            self.sent += written;
        } else {
            self.uploaded += written as u64;
        }
    }

    /// Takes the received bytes. Returns `true` once the response is complete, and fails if the
    /// response isn't the expected response.
    pub fn received(&mut self, bytes: &[u8], call: &Call) -> Result<bool, String> {
        let left = match self.left {
            Some(left) => left.checked_sub(bytes.len() as u64),
            None if self.head.is_empty() => match body_so_far(bytes, call.download)? {
                None => {
                    self.head.extend_from_slice(bytes);
                    return Ok(false);
                }
                Some(body) => call.download.checked_sub(body),
            },
            None => {
                self.head.extend_from_slice(bytes);
                match body_so_far(&self.head, call.download)? {
                    None => return Ok(false),
                    Some(body) => call.download.checked_sub(body),
                }
            }
        };
        let left = left.ok_or("the answer is longer than it said")?;
        self.left = Some(left);
        Ok(left == 0)
    }

    /// Returns the next exchange on the same connection. The current exchange must be complete.
    pub fn begun(self) -> Self {
        let mut head = self.head;
        head.clear();
        Self {
            head,
            ..Self::default()
        }
    }
}

/// Checks a response's head, and returns the number of bytes after the head, or `None` if the head
/// isn't complete.
fn body_so_far(bytes: &[u8], length: u64) -> Result<Option<u64>, String> {
    let mut fields = [httparse::EMPTY_HEADER; 48];
    let mut response = httparse::Response::new(&mut fields);
    let head = match response.parse(bytes) {
        Ok(httparse::Status::Complete(head)) => head,
        Ok(httparse::Status::Partial) => return Ok(None),
        Err(error) => return Err(format!("the answer can't be read: {error}")),
    };
    let told = response
        .headers
        .iter()
        .find(|field| field.name.eq_ignore_ascii_case("content-length"))
        .and_then(|field| str::from_utf8(field.value).ok()?.parse().ok());
    if response.code != Some(200) || told != Some(length) {
        return Err(format!(
            "not the answer of the vendor: {}",
            bytes.escape_ascii()
        ));
    }
    Ok(Some((bytes.len() - head) as u64))
}
