//! HTTP/1.1 over TLS, for small responses.

use std::io;
use std::net::TcpListener;
use std::sync::Arc;

use rustls::ServerConfig;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;

use super::answer;

/// Serves until the program ends.
pub fn serve(listener: TcpListener, config: Arc<ServerConfig>) -> io::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    runtime.block_on(async {
        let listener = tokio::net::TcpListener::from_std(listener)?;
        let acceptor = TlsAcceptor::from(config);
        loop {
            let (stream, _) = listener.accept().await?;
            stream.set_nodelay(true)?;
            let acceptor = acceptor.clone();
            // The result is ignored, because a proxy that is stopped drops its connections, and
            // this isn't a failure.
            tokio::spawn(async move { connection(acceptor, stream).await });
        }
    })
}

async fn connection(acceptor: TlsAcceptor, stream: TcpStream) -> io::Result<()> {
    let mut stream = acceptor.accept(stream).await?;
    let mut request = Vec::with_capacity(4096);
    while stream.read_buf(&mut request).await? > 0 {
        let Some(asked) = answer::read(&request).map_err(io::Error::other)? else {
            continue;
        };
        if asked.echoes {
            stream.write_all(&answer::echo(&request)).await?;
        } else {
            stream.write_all(asked.answer.bytes).await?;
        }
        stream.flush().await?;
        request.clear();
    }
    Ok(())
}
