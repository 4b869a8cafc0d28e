//! The caller, which sends one call after the other over a single connection.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::thread::sleep;

use http::{Request, StatusCode};

use crate::BoxError;
use crate::vendor::{ANSWER_SIZE, PAUSE};

const TARGET: &str = "/passthrough/acme/contacts?limit=10";
const FIELDS: [(&str, &str); 6] = [
    ("user-agent", "client/1.0"),
    ("accept", "application/json"),
    ("accept-encoding", "gzip, deflate"),
    ("x-api-key", "key-of-a-caller"),
    ("x-request-id", "0af7651916cd43dd8448eb211c80319c"),
    (
        "traceparent",
        "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
    ),
];

/// Makes calls with a body of this size.
pub fn over_http1(proxy: SocketAddr, calls: usize, body: usize) -> Result<(), BoxError> {
    let mut stream = TcpStream::connect(proxy)?;
    stream.set_nodelay(true)?;
    let method = if body > 0 { "POST" } else { "GET" };
    let mut request = format!("{method} {TARGET} HTTP/1.1\r\nhost: app.example.test\r\n");
    for (name, value) in FIELDS {
        request.push_str(&format!("{name}: {value}\r\n"));
    }
    if body > 0 {
        let fields = format!("content-type: application/json\r\ncontent-length: {body}\r\n");
        request.push_str(&fields);
    }
    request.push_str("\r\n");
    request.push_str(&"x".repeat(body));
    let mut buffer = vec![0; 16 * 1024];
    for _ in 0..calls {
        sleep(PAUSE);
        stream.write_all(request.as_bytes())?;
        let mut len = 0;
        loop {
            let read = stream.read(&mut buffer[len..])?;
            len += read;
            let received = &buffer[..len];
            let head = received.windows(4).position(|bytes| bytes == b"\r\n\r\n");
            if head.is_some_and(|head| len == head + 4 + ANSWER_SIZE) {
                break;
            }
            let is_ok = len < 12 || received.starts_with(b"HTTP/1.1 200");
            if read == 0 || len == buffer.len() || !is_ok {
                let received = String::from_utf8_lossy(received);
                return Err(format!("the proxy answered {received:?}").into());
            }
        }
    }
    Ok(())
}

/// Makes calls without a body over HTTP/2.
pub fn over_http2(proxy: SocketAddr, calls: usize) -> Result<(), BoxError> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    runtime.block_on(async {
        let stream = tokio::net::TcpStream::connect(proxy).await?;
        stream.set_nodelay(true)?;
        let (mut caller, connection) = h2::client::handshake(stream).await?;
        let connection = tokio::spawn(connection);
        for _ in 0..calls {
            tokio::time::sleep(PAUSE).await;
            let mut request = Request::get(format!("http://app.example.test{TARGET}"))
                .version(http::Version::HTTP_2);
            for (name, value) in FIELDS {
                request = request.header(name, value);
            }
            caller = caller.ready().await?;
            let (response, _) = caller.send_request(request.body(())?, true)?;
            let response = response.await?;
            let status = response.status();
            let (mut body, mut len) = (response.into_body(), 0);
            while let Some(data) = body.data().await {
                let data = data?;
                len += data.len();
                body.flow_control().release_capacity(data.len())?;
            }
            if status != StatusCode::OK || len != ANSWER_SIZE {
                return Err(format!("the proxy answered {status} with {len} bytes").into());
            }
        }
        connection.abort();
        Ok(())
    })
}
