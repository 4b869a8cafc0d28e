//! A caller that reads while it writes, like browsers and most clients.

use std::net::SocketAddr;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::net::tcp::OwnedReadHalf;
use tokio::task::JoinHandle;

use super::head::Head;
use super::wait::within;

/// Sends `request`, and then up to `rest` zero bytes until the gateway closes. Returns the answer's
/// head, as soon as the head is whole.
pub async fn upload(gateway: SocketAddr, request: &str, rest: usize) -> Head {
    Upload::begin(gateway, request, rest).await.head().await
}

/// An upload in a separate task, and the answer to the upload.
pub struct Upload {
    read: OwnedReadHalf,
    writing: JoinHandle<()>,
}

impl Upload {
    pub async fn begin(gateway: SocketAddr, request: &str, rest: usize) -> Self {
        let socket = within("the gateway's listener", TcpStream::connect(gateway))
            .await
            .expect("a gateway that listens");
        let (read, mut write) = socket.into_split();
        let request = request.to_owned();
        let writing = tokio::spawn(async move {
            let _ = write.write_all(request.as_bytes()).await;
            let chunk = vec![0; 64 * 1024];
            let mut left = rest;
            while left > 0
                && write
                    .write_all(&chunk[..left.min(chunk.len())])
                    .await
                    .is_ok()
            {
                left = left.saturating_sub(chunk.len());
            }
            // The connection stays open: a caller that has sent everything waits for its answer.
            std::future::pending().await
        });
        Self { read, writing }
    }

    /// Returns the answer's head.
    pub async fn head(&mut self) -> Head {
        let mut answer = Vec::new();
        let whole = async {
            while !answer.ends_with(b"\r\n\r\n") {
                answer.push(
                    self.read
                        .read_u8()
                        .await
                        .expect("the gateway closed before a whole head"),
                );
            }
        };
        within("a head at the caller", whole).await;
        Head::parse(answer)
    }

    /// Returns the `length` bytes after the head.
    pub async fn body(&mut self, length: usize) -> Vec<u8> {
        let mut body = vec![0; length];
        within("a body at the caller", self.read.read_exact(&mut body))
            .await
            .expect("a whole body");
        body
    }

    /// Waits until the gateway closes.
    pub async fn closed(&mut self) {
        // A reset ends the connection too.
        let _ = within(
            "the gateway to close",
            self.read.read_to_end(&mut Vec::new()),
        )
        .await;
    }
}

impl Drop for Upload {
    fn drop(&mut self) {
        self.writing.abort();
    }
}
