//! HTTP/2 with prior knowledge, for small responses.

use std::io;
use std::net::TcpListener;

use bytes::Bytes;
use h2::server::SendResponse;
use http::{HeaderValue, Request, Response, header};
use tokio::net::TcpStream;

use super::answer::{FILLER, SMALL};
use crate::BoxError;

/// Serves until the program ends.
pub fn serve(listener: TcpListener) -> io::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    runtime.block_on(async {
        let listener = tokio::net::TcpListener::from_std(listener)?;
        loop {
            let (stream, _) = listener.accept().await?;
            stream.set_nodelay(true)?;
            // The result is ignored, because a proxy that is stopped drops its connections, and
            // this isn't a failure.
            tokio::spawn(async move { connection(stream).await });
        }
    })
}

async fn connection(stream: TcpStream) -> Result<(), BoxError> {
    let mut connection = h2::server::Builder::new()
        .max_concurrent_streams(256)
        .handshake(stream)
        .await?;
    while let Some(accepted) = connection.accept().await {
        let (request, respond) = accepted?;
        answer(&request, respond)?;
    }
    Ok(())
}

fn answer<B>(request: &Request<B>, mut respond: SendResponse<Bytes>) -> Result<(), BoxError> {
    static BODY: &[u8] = &FILLER;
    let body = if request.uri().path().ends_with("/echo") {
        echo(request)
    } else {
        Bytes::from_static(BODY).slice(..SMALL as usize)
    };
    let mut response = Response::new(());
    let fields = response.headers_mut();
    fields.insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("application/json"),
    );
    fields.insert(
        header::DATE,
        HeaderValue::from_static("Fri, 01 May 2026 12:00:00 GMT"),
    );
    fields.insert(
        "x-request-id",
        HeaderValue::from_static("0af7651916cd43dd8448eb211c80319c"),
    );
    fields.insert(header::CONTENT_LENGTH, HeaderValue::from(body.len()));
    respond
        .send_response(response, false)?
        .send_data(body, true)?;
    Ok(())
}

/// Returns the request that the proxy sent, in the format of HTTP/1.1.
fn echo<B>(request: &Request<B>) -> Bytes {
    let mut head = format!("{} {}\r\n", request.method(), request.uri().path()).into_bytes();
    for (name, value) in request.headers() {
        head.extend_from_slice(name.as_str().as_bytes());
        head.extend_from_slice(b": ");
        head.extend_from_slice(value.as_bytes());
        head.extend_from_slice(b"\r\n");
    }
    head.into()
}
