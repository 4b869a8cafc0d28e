//! HTTP/2 with prior knowledge: a closed loop of streams on a few connections.

use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use h2::client::SendRequest;
use http::{Request, StatusCode};
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::timeout;

use super::Progress;
use super::exchange::{CALLERS_KEY, MOUNT};
use crate::BoxError;
use crate::vendor::answer::SMALL;

/// Runs the loop until `progress` is stopped.
pub fn run(
    proxy: SocketAddr,
    connections: usize,
    streams: usize,
    progress: &std::sync::Arc<Progress>,
) -> Result<(), BoxError> {
    runtime()?.block_on(async {
        let mut tasks = JoinSet::new();
        for _ in 0..connections {
            let sender = connect(proxy).await?;
            for _ in 0..streams {
                let (sender, progress) = (sender.clone(), progress.clone());
                tasks.spawn(async move {
                    let mut sender = sender.ready().await?;
                    while !progress.is_stopped() {
                        let body = call(&mut sender, "small").await?;
                        if body.len() as u64 != SMALL {
                            return Err("not the answer of the vendor".into());
                        }
                        progress.call();
                        progress.bytes(body.len() as u64);
                        sender = sender.ready().await?;
                    }
                    Ok::<_, BoxError>(())
                });
            }
        }
        while let Some(ended) = tasks.join_next().await {
            ended??;
        }
        Ok(())
    })
}

/// Returns the request as the vendor received the request.
pub fn forwarded(proxy: SocketAddr) -> Result<String, BoxError> {
    runtime()?.block_on(async {
        let mut sender = connect(proxy).await?.ready().await?;
        let body = timeout(Duration::from_secs(10), call(&mut sender, "echo")).await??;
        Ok(String::from_utf8_lossy(&body).into_owned())
    })
}

fn runtime() -> std::io::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
}

async fn connect(proxy: SocketAddr) -> Result<SendRequest<Bytes>, BoxError> {
    let stream = TcpStream::connect(proxy).await?;
    stream.set_nodelay(true)?;
    let (sender, connection) = h2::client::handshake(stream).await?;
    tokio::spawn(connection);
    Ok(sender)
}

async fn call(sender: &mut SendRequest<Bytes>, name: &str) -> Result<Vec<u8>, BoxError> {
    let request = Request::get(format!("http://gateway.test{MOUNT}/v2/{name}"))
        .header("user-agent", "peers/1")
        .header("accept", "application/json")
        .header("x-api-key", CALLERS_KEY)
        .body(())?;
    let (response, _) = sender.send_request(request, true)?;
    let response = response.await?;
    if response.status() != StatusCode::OK {
        return Err(format!("the proxy answered {}", response.status()).into());
    }
    let mut body = response.into_body();
    let mut bytes = Vec::with_capacity(SMALL as usize);
    while let Some(data) = body.data().await {
        let data = data?;
        body.flow_control().release_capacity(data.len())?;
        bytes.extend_from_slice(&data);
    }
    Ok(bytes)
}
