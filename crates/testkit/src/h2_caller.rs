//! A caller that speaks HTTP/2 to the gateway, in plaintext with prior knowledge.

use std::net::SocketAddr;

use bytes::Bytes;
use h2::client::{ResponseFuture, SendRequest};
use h2::{RecvStream, SendStream};
use http::{HeaderMap, Request, Response, StatusCode};
use tokio::net::TcpStream;
use tokio::task::JoinSet;

use super::h2_vendor::read;
use super::wait::within;

/// A connection to the gateway.
pub struct H2Caller {
    send: SendRequest<Bytes>,
    _task: JoinSet<()>,
}

/// An answer with its whole body.
#[derive(Debug)]
pub struct H2Response {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: Vec<u8>,
    pub trailers: HeaderMap,
}

impl H2Caller {
    pub async fn connect(gateway: SocketAddr) -> Self {
        let socket = within("the gateway's listener", TcpStream::connect(gateway))
            .await
            .expect("a gateway that listens");
        let _ = socket.set_nodelay(true);
        let handshake = h2::client::handshake(socket);
        let (send, connection) = within("an HTTP/2 handshake", handshake)
            .await
            .expect("HTTP/2 at the gateway");
        let mut task = JoinSet::new();
        task.spawn(async move {
            let _ = connection.await;
        });
        Self { send, _task: task }
    }

    /// Waits until the gateway has announced that it accepts extended CONNECTs (RFC 8441 §3).
    pub async fn connect_protocol(&self) {
        let said = async {
            while !self.send.is_extended_connect_protocol_enabled() {
                tokio::task::yield_now().await;
            }
        };
        within("the setting for extended CONNECT", said).await;
    }

    /// Begins a call. `end` means that there is no body.
    pub async fn open(
        &mut self,
        request: Request<()>,
        end: bool,
    ) -> (ResponseFuture, SendStream<Bytes>) {
        let send = within("room for a stream", self.send.clone().ready())
            .await
            .expect("an open connection");
        self.send = send;
        self.send
            .send_request(request, end)
            .expect("a sendable request")
    }

    /// Makes a call without a body.
    pub async fn call(&mut self, request: Request<()>) -> H2Response {
        let (response, _) = self.open(request, true).await;
        whole(response).await
    }

    /// Makes a call with that body and those trailers.
    pub async fn call_with(
        &mut self,
        request: Request<()>,
        body: &'static [u8],
        trailers: Option<HeaderMap>,
    ) -> H2Response {
        let (response, mut stream) = self.open(request, false).await;
        stream
            .send_data(Bytes::from_static(body), trailers.is_none())
            .expect("an open stream");
        if let Some(trailers) = trailers {
            stream.send_trailers(trailers).expect("an open stream");
        }
        whole(response).await
    }
}

/// Returns the answer's head; the body follows.
pub async fn answer(response: ResponseFuture) -> Response<RecvStream> {
    within("a head on HTTP/2", response).await.expect("a head")
}

/// Returns the whole answer.
pub async fn whole(response: ResponseFuture) -> H2Response {
    let (parts, mut body) = answer(response).await.into_parts();
    let (body, trailers) = within("a body on HTTP/2", read(&mut body))
        .await
        .expect("a whole body");
    H2Response {
        status: parts.status,
        headers: parts.headers,
        body,
        trailers,
    }
}

/// A request for `target` at the gateway.
pub fn request(method: &str, target: &str) -> http::request::Builder {
    Request::builder()
        .method(method)
        .uri(format!("http://app.test{target}"))
}
