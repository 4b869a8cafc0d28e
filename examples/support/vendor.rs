//! A vendor on this machine. The vendor requires a token, and answers with the token's owner and the requested target. The vendor's API has
//! a WebSocket that echoes (`/v2/echo`), an event stream that ticks (`/v2/events`) and an upload (`/v2/upload`) as well.

use std::convert::Infallible;
use std::error::Error;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::Request;
use axum::middleware::{Next, from_fn};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use futures_util::{SinkExt, StreamExt, TryStreamExt, stream};
use http::{HeaderMap, HeaderValue, Method, StatusCode, Uri, header};
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;
use tokio_tungstenite::tungstenite::protocol::Role;

/// Starts the vendor, and returns its base URL.
pub(crate) async fn start() -> Result<String, Box<dyn Error>> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let base_url = format!("http://{}", listener.local_addr()?);
    let app = Router::new()
        .route("/v2/echo", get(echo))
        .route("/v2/events", get(events))
        .route("/v2/upload", post(upload))
        .fallback(async |method: Method, target: Uri, headers: HeaderMap| {
            format!(
                "{}: {method} {target}\n",
                owner(&headers).unwrap_or_default()
            )
        })
        .layer(from_fn(authenticate));
    tokio::spawn(axum::serve(listener, app).into_future());
    Ok(base_url)
}

fn owner(headers: &HeaderMap) -> Option<&'static str> {
    match headers.get(header::AUTHORIZATION)?.as_bytes() {
        b"Bearer anns-token" => Some("Ann"),
        b"Bearer bens-token" => Some("Ben"),
        _ => None,
    }
}

async fn authenticate(request: Request, next: Next) -> Response {
    match owner(request.headers()) {
        Some(_) => next.run(request).await,
        None => (StatusCode::UNAUTHORIZED, "this vendor wants a token\n").into_response(),
    }
}

/// Sends each message back (RFC 6455).
async fn echo(mut request: Request) -> Result<Response, StatusCode> {
    let key = request.headers().get(header::SEC_WEBSOCKET_KEY);
    let key = key.ok_or(StatusCode::UPGRADE_REQUIRED)?;
    let accept = derive_accept_key(key.as_bytes());
    let upgrade = hyper::upgrade::on(&mut request);
    tokio::spawn(async move {
        let stream = TokioIo::new(upgrade.await.ok()?);
        let socket = WebSocketStream::from_raw_socket(stream, Role::Server, None).await;
        let (mut sender, mut receiver) = socket.split();
        while let Some(Ok(message)) = receiver.next().await {
            let is_data = message.is_text() || message.is_binary();
            if is_data && sender.send(message).await.is_err() {
                break;
            }
        }
        Some(())
    });
    let upgraded = Response::builder()
        .status(StatusCode::SWITCHING_PROTOCOLS)
        .header(header::CONNECTION, "upgrade")
        .header(header::UPGRADE, "websocket")
        .header(header::SEC_WEBSOCKET_ACCEPT, accept);
    let upgraded = upgraded.body(Body::empty());
    upgraded.map_err(|_| StatusCode::INTERNAL_SERVER_ERROR)
}

/// Sends ticks for ever.
async fn events() -> Response {
    let ticks = stream::unfold(0_u64, |tick| async move {
        tokio::time::sleep(Duration::from_millis(50)).await;
        let event = format!("data: tick {tick}\n\n");
        Some((Ok::<_, Infallible>(Bytes::from(event)), tick + 1))
    });
    let mut response = Body::from_stream(ticks).into_response();
    let event_stream = HeaderValue::from_static("text/event-stream");
    response
        .headers_mut()
        .insert(header::CONTENT_TYPE, event_stream);
    response
}

/// Counts the bytes of the body.
async fn upload(body: Body) -> Result<String, StatusCode> {
    let chunks = body.into_data_stream();
    let count = chunks.try_fold(0, |count, chunk| async move { Ok(count + chunk.len()) });
    let count = count.await.map_err(|_| StatusCode::BAD_REQUEST)?;
    Ok(format!("{count} bytes\n"))
}
