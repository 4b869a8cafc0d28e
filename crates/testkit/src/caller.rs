//! A caller that writes literal bytes.

use std::net::SocketAddr;

use tokio::net::TcpStream;

use super::head::Head;
use super::io::Io;
use super::wait::within;
use super::wire::{Body, End, Framing, Wire};

/// An answer, byte for byte.
#[derive(Clone, Debug)]
pub struct RawResponse {
    /// The 1xx heads before the final head.
    pub interim: Vec<Head>,
    pub head: Head,
    pub body: Body,
}

impl RawResponse {
    pub fn status(&self) -> u16 {
        self.head.status()
    }

    pub fn status_line(&self) -> &str {
        &self.head.start
    }

    /// Returns the body, with each byte as one character.
    pub fn text(&self) -> String {
        super::head::latin1(&self.body.data)
    }

    pub fn complete(&self) -> bool {
        self.body.end == End::Complete
    }

    /// The code of an error that the gateway itself answers with.
    pub fn error(&self) -> Option<&str> {
        self.head.value("passthrough-error")
    }
}

/// A connection to the gateway.
pub struct Caller {
    pub wire: Wire,
}

impl Caller {
    pub async fn connect(gateway: SocketAddr) -> Self {
        let socket = within("the gateway's listener", TcpStream::connect(gateway))
            .await
            .expect("a gateway that listens");
        let _ = socket.set_nodelay(true);
        Self {
            wire: Wire::new(Io::Plain(socket)),
        }
    }

    pub async fn write(&mut self, bytes: impl AsRef<[u8]>) {
        self.wire.write(bytes.as_ref()).await;
    }

    /// Returns the next head, interim or final.
    pub async fn head(&mut self) -> Head {
        within("a head at the caller", self.wire.head())
            .await
            .unwrap_or_else(|| {
                let rest = String::from_utf8_lossy(self.wire.buffered()).into_owned();
                panic!("the gateway closed before a whole head; it had sent {rest:?}")
            })
    }

    /// Returns the next final answer, to a request of this method.
    pub async fn response(&mut self, method: &str) -> RawResponse {
        let mut interim = Vec::new();
        let head = loop {
            let head = self.head().await;
            match head.status() {
                101 => break head,
                100..=199 => interim.push(head),
                _ => break head,
            }
        };
        let framing = response_framing(&head, method);
        let body = within("a body at the caller", self.wire.body(framing)).await;
        RawResponse {
            interim,
            head,
            body,
        }
    }

    /// Makes a call and returns its answer; the connection stays open.
    pub async fn call(&mut self, request: impl AsRef<[u8]>) -> RawResponse {
        let request = request.as_ref();
        self.write(request).await;
        self.response(method_of(request)).await
    }

    /// Waits until the gateway closes, and returns the bytes that the gateway sends until then.
    pub async fn closed(&mut self) -> Vec<u8> {
        self.wire.closed().await
    }
}

/// Opens a connection for one call, writes literal bytes and reads one answer.
pub async fn raw_call(gateway: SocketAddr, request: impl AsRef<[u8]>) -> RawResponse {
    Caller::connect(gateway).await.call(request).await
}

/// A request with no fields but `Host`.
pub fn get(target: &str) -> String {
    request("GET", target, &[], "")
}

/// A POST with a length.
pub fn post(target: &str, body: &str) -> String {
    let length = format!("Content-Length: {}", body.len());
    request("POST", target, &[&length], body)
}

/// A request with these field lines after `Host`, and these bytes after the head.
pub fn request(method: &str, target: &str, lines: &[&str], body: &str) -> String {
    let lines: String = lines.iter().map(|line| format!("{line}\r\n")).collect();
    format!("{method} {target} HTTP/1.1\r\nHost: app.test\r\n{lines}\r\n{body}")
}

fn method_of(request: &[u8]) -> &str {
    let method = request
        .split(|&byte| byte == b' ')
        .next()
        .unwrap_or_default();
    std::str::from_utf8(method).unwrap_or_default()
}

/// Returns the framing of an answer's body (RFC 9112 §6.3).
pub fn response_framing(head: &Head, method: &str) -> Framing {
    if method == "HEAD" || matches!(head.status(), 100..=199 | 204 | 304) {
        return Framing::None;
    }
    let chunked = head
        .values("transfer-encoding")
        .iter()
        .any(|value| value.eq_ignore_ascii_case("chunked"));
    match (chunked, head.values("content-length").first()) {
        (true, _) => Framing::Chunked,
        (false, Some(length)) => Framing::Length(length.parse().expect("a length")),
        (false, None) => Framing::UntilClose,
    }
}
