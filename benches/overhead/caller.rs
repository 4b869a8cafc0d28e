//! The callers: each caller keeps a connection open, and sends its calls over that connection in
//! sequence.

use std::time::Duration;

use bytes::Bytes;
use http::{Method, Request, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http1::{self, SendRequest};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::Instant;
use tower_passthrough::BoxError;

use crate::cpu;
use crate::proxy::Proxy;

static BYTES: Bytes = Bytes::from_static(&[b'x'; 64 * 1024]);

/// A load: the request, the size of the response, and the number of concurrent callers.
pub(crate) struct Load {
    pub(crate) name: &'static str,
    callers: usize,
    method: Method,
    /// The number of bytes in the request's body.
    request: usize,
    /// The number of bytes in the response's body.
    response: usize,
}

/// The result of one round.
pub(crate) struct Round {
    /// The median duration of all calls, measured by the callers.
    pub(crate) call: Duration,
    /// The processor time of the proxy's process, per call.
    pub(crate) processor: Option<Duration>,
}

impl Load {
    pub(crate) const ALL: [&'static Self; 3] = [
        &Self {
            name: "GET, 1 KiB back, one call at a time",
            callers: 1,
            method: Method::GET,
            request: 0,
            response: 1024,
        },
        &Self {
            name: "GET, 1 KiB back, sixteen at once",
            callers: 16,
            method: Method::GET,
            request: 0,
            response: 1024,
        },
        &Self {
            name: "POST, 64 KiB each way, one call at a time",
            callers: 1,
            method: Method::POST,
            request: 64 * 1024,
            response: 64 * 1024,
        },
    ];

    /// Calls through the proxy for `length`. Each caller makes at most `calls` calls.
    pub(crate) async fn round(
        &'static self,
        proxy: &Proxy,
        length: Duration,
        calls: usize,
    ) -> Result<Round, BoxError> {
        let mut callers = Vec::with_capacity(self.callers);
        for _ in 0..self.callers {
            callers.push(connect(proxy).await?);
        }
        let before = proxy.process().and_then(cpu::time);
        let end = Instant::now() + length;
        let mut running = JoinSet::new();
        for mut caller in callers {
            running.spawn(async move {
                let mut times = Vec::new();
                while times.len() < calls && Instant::now() < end {
                    let start = Instant::now();
                    self.call(&mut caller).await?;
                    times.push(start.elapsed());
                }
                Ok::<_, BoxError>(times)
            });
        }
        let mut times = Vec::new();
        while let Some(ended) = running.join_next().await {
            times.extend(ended??);
        }
        let after = proxy.process().and_then(cpu::time);
        times.sort_unstable();
        let calls = u32::try_from(times.len())?;
        let median = times.get(times.len() / 2).ok_or("no call ended in time")?;
        Ok(Round {
            call: *median,
            processor: before
                .zip(after)
                .map(|(before, after)| (after - before) / calls),
        })
    }

    async fn call(&self, caller: &mut SendRequest<Full<Bytes>>) -> Result<(), BoxError> {
        let request = Request::builder()
            .method(&self.method)
            .uri(format!(
                "/passthrough/acme/bytes/{}?limit=10",
                self.response
            ))
            .header("host", "app.example.test")
            .header("user-agent", "client/1.0")
            .header("accept", "*/*")
            .header("authorization", "Bearer key-of-the-host-app")
            .header(
                "traceparent",
                "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
            )
            .body(Full::new(BYTES.slice(..self.request)))?;
        caller.ready().await?;
        let response = caller.send_request(request).await?;
        let status = response.status();
        let received = response.into_body().collect().await?.to_bytes();
        if status == StatusCode::OK && received.len() == self.response {
            Ok(())
        } else {
            Err(format!("the proxy answered {status} with {} bytes", received.len()).into())
        }
    }
}

async fn connect(proxy: &Proxy) -> Result<SendRequest<Full<Bytes>>, BoxError> {
    let stream = TcpStream::connect(proxy.address()).await?;
    stream.set_nodelay(true)?;
    let (caller, connection) = http1::handshake(TokioIo::new(stream)).await?;
    tokio::spawn(connection);
    Ok(caller)
}
