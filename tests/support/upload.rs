//! A caller that reads while it writes, as browsers and most clients do.

use std::net::SocketAddr;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::head::Head;
use super::wait::within;

/// Sends `request`, and then up to `rest` zero bytes until the gateway closes. The answer's head,
/// as soon as it's whole.
pub async fn upload(gateway: SocketAddr, request: &str, rest: usize) -> Head {
    let socket = within("the gateway's listener", TcpStream::connect(gateway))
        .await
        .expect("a gateway that listens");
    let (mut read, mut write) = socket.into_split();
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
        // Kept open: a caller that has sent all waits for its answer.
        write
    });
    let mut answer = Vec::new();
    let whole = async {
        while !answer.ends_with(b"\r\n\r\n") {
            answer.push(
                read.read_u8()
                    .await
                    .expect("the gateway closed before a whole head"),
            );
        }
    };
    within("a head at the caller", whole).await;
    writing.abort();
    Head::parse(answer)
}
