//! The vendor: a server that reads the whole request, and responds with the number of bytes that
//! the path names.

use std::convert::Infallible;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};

use bytes::Bytes;
use http::{Request, Response, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;

use crate::proxy::AUTHORIZATION;

static BYTES: Bytes = Bytes::from_static(&[b'x'; 64 * 1024]);

pub(crate) async fn start() -> io::Result<SocketAddr> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
    let address = listener.local_addr()?;
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let _ = stream.set_nodelay(true);
            let serving = hyper::server::conn::http1::Builder::new()
                .serve_connection(TokioIo::new(stream), service_fn(answer));
            tokio::spawn(serving);
        }
    });
    Ok(address)
}

async fn answer(request: Request<Incoming>) -> Result<Response<Full<Bytes>>, Infallible> {
    let authenticated = request
        .headers()
        .get(http::header::AUTHORIZATION)
        .is_some_and(|value| value == AUTHORIZATION);
    let length: Option<usize> = request
        .uri()
        .path()
        .strip_prefix("/v2/bytes/")
        .and_then(|digits| digits.parse().ok());
    let read = request.into_body().collect().await;
    let mut response = Response::default();
    match length {
        Some(length) if authenticated && read.is_ok() && length <= BYTES.len() => {
            *response.body_mut() = Full::new(BYTES.slice(..length));
        }
        _ => *response.status_mut() = StatusCode::BAD_REQUEST,
    }
    Ok(response)
}
