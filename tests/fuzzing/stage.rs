//! A gateway with two tenants, and its honest peers.

use std::net::{IpAddr, SocketAddr};
use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering};
use std::time::Duration;

use bytes::Bytes;
use h2::client::SendRequest;
use http::Request;
use testkit::gateway::{Gateway, Origin, Setup};
use testkit::wire::End;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::tcp::OwnedReadHalf;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tower_passthrough::Connection;
use tower_passthrough::address::PathEncoding;

use super::oracle::{self, ATTACKER, Tenant, VICTIM};
use super::run::Log;

/// The time limits of the gateway.
const TIMEOUT: Duration = Duration::from_secs(1);

/// Returns a listener on an address of its own. The system keeps the port of a closed connection for a minute, and the connections of
/// thousands of cases would use up the ports of a single address.
pub(crate) async fn listener() -> TcpListener {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let [_, a, b, c] = NEXT.fetch_add(1, Ordering::Relaxed).to_be_bytes();
    let address = match cfg!(target_os = "linux") {
        true => [127, 1 + a % 250, b, 1 + c % 250],
        // Other systems have a single address of loopback.
        false => [127, 0, 0, 1],
    };
    TcpListener::bind((IpAddr::from(address), 0)).await.unwrap()
}

/// Starts a gateway in front of the upstream that listens at `ip`, with both tenants and short time limits.
pub(crate) async fn gateway(
    upstream: &(impl Origin + ?Sized),
    ip: IpAddr,
    is_http2: bool,
    log: Log,
) -> Gateway {
    let connection = |tenant: Tenant| Connection::new("vendor").with_secret("token", tenant.secret);
    Setup::new(upstream)
        .also(ATTACKER.id, connection(ATTACKER))
        .also(VICTIM.id, connection(VICTIM))
        .listener(listener().await)
        .transport(move |transport| {
            transport
                .resolve("vendor.test", ip)
                .http2_prior_knowledge(is_http2)
        })
        .options(move |builder| {
            builder
                .path_encoding(PathEncoding::Never)
                .response_head_timeout(TIMEOUT)
                .idle_timeout(TIMEOUT)
                .observe_fn(move |report| {
                    log.show(format!("{report:?}").as_bytes());
                    let mut cause = report.cause().map(|cause| cause as &dyn std::error::Error);
                    while let Some(error) = cause {
                        log.show(format!(" {error} {error:?}\n").as_bytes());
                        cause = error.source();
                    }
                })
        })
        .start()
        .await
}

/// An answer as a caller received it.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) fields: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
    pub(crate) trailers: Vec<(String, String)>,
    pub(crate) end: End,
}

impl Answer {
    pub(crate) fn value(&self, name: &str) -> Option<&str> {
        testkit::head::values(&self.fields, name).first().copied()
    }

    /// The code, if it's an error of the gateway.
    pub(crate) fn error(&self) -> Option<&str> {
        self.value("passthrough-error")
    }

    /// A short form, for messages.
    pub(crate) fn shown(&self) -> String {
        let body = String::from_utf8_lossy(&self.body[..self.body.len().min(300)]).into_owned();
        let fields: Vec<_> = self.fields.iter().take(12).collect();
        format!(
            "{} {:?} {:?} {:?} {} bytes {body:?}",
            self.status,
            self.end,
            fields,
            self.trailers,
            self.body.len()
        )
    }

    /// Checks an answer of which nothing is expected but that it's an answer to this tenant: of its upstream, or a documented error.
    pub(crate) fn is_allowed(&self, tenant: Tenant) -> Result<(), String> {
        oracle::is_own(tenant, self.shown().as_bytes())?;
        oracle::is_own(tenant, &self.body)?;
        if let Some(code) = self.error() {
            oracle::is_documented(code, self.status)?;
            let wanted = ["proxy-status", "cache-control", "content-type"];
            if let Some(name) = wanted.iter().find(|name| self.value(name).is_none()) {
                return Err(format!("an error without {name}: {}", self.shown()));
            }
        }
        Ok(())
    }
}

/// The result of reading an answer.
#[derive(Debug)]
pub(crate) enum Read {
    Answer(Answer),
    /// The gateway closed before a whole head.
    Closed,
}

/// A connection that reads answers over HTTP/1.1, and keeps all bytes.
pub(crate) struct Reader {
    half: OwnedReadHalf,
    buffer: Vec<u8>,
    is_reset: bool,
    /// Bytes per read; none means as many as there are.
    pub(crate) sizes: Vec<usize>,
    reads: usize,
}

impl Reader {
    pub(crate) fn new(half: OwnedReadHalf) -> Self {
        Self {
            half,
            buffer: Vec::new(),
            is_reset: false,
            sizes: Vec::new(),
            reads: 0,
        }
    }

    async fn fill(&mut self) -> bool {
        let size = match self.sizes.is_empty() {
            true => 64 * 1024,
            false => self.sizes[self.reads % self.sizes.len()].max(1),
        };
        self.reads += 1;
        let start = self.buffer.len();
        self.buffer.resize(start + size, 0);
        let read = self.half.read(&mut self.buffer[start..]).await;
        self.is_reset |= read.is_err();
        self.buffer.truncate(start + *read.as_ref().unwrap_or(&0));
        matches!(read, Ok(1..))
    }

    async fn line(&mut self) -> Option<String> {
        let mut searched = 0;
        loop {
            let found = self.buffer[searched..]
                .windows(2)
                .position(|pair| pair == b"\r\n");
            if let Some(at) = found {
                let line: Vec<u8> = self.buffer.drain(..searched + at + 2).collect();
                return Some(testkit::head::latin1(&line[..line.len() - 2]));
            }
            searched = self.buffer.len().saturating_sub(1);
            if !self.fill().await {
                return None;
            }
        }
    }

    async fn exactly(&mut self, count: usize, body: &mut Vec<u8>) -> bool {
        let mut left = count;
        loop {
            let fits = left.min(self.buffer.len());
            body.extend(self.buffer.drain(..fits));
            left -= fits;
            if left == 0 {
                return true;
            }
            if !self.fill().await {
                return false;
            }
        }
    }

    async fn fields(&mut self) -> Option<Vec<(String, String)>> {
        let mut fields = Vec::new();
        loop {
            let line = self.line().await?;
            if line.is_empty() {
                return Some(fields);
            }
            fields.extend(testkit::head::fields(std::iter::once(line.as_str())));
        }
    }

    /// Reads the next final answer, to a request of this method. An `Err` describes bytes that aren't HTTP.
    pub(crate) async fn answer(&mut self, method: &str) -> Result<Read, String> {
        let (status, fields) = loop {
            let Some(line) = self.line().await else {
                return Ok(Read::Closed);
            };
            let status = line.strip_prefix("HTTP/1.").and_then(|rest| rest.get(2..5));
            let Some(status) = status.and_then(|status| status.parse::<u16>().ok()) else {
                return Err(format!("not a status line: {line:?}"));
            };
            let Some(fields) = self.fields().await else {
                return Ok(Read::Closed);
            };
            if status >= 200 || status == 101 {
                break (status, fields);
            }
        };
        let mut answer = Answer {
            status,
            fields,
            body: Vec::new(),
            trailers: Vec::new(),
            end: End::Complete,
        };
        if method == "HEAD" || matches!(status, 101 | 204 | 304) {
            return Ok(Read::Answer(answer));
        }
        let is_whole = if answer.value("transfer-encoding").is_some() {
            self.chunks(&mut answer).await?
        } else if let Some(length) = answer.value("content-length") {
            let length = length
                .parse()
                .map_err(|_| format!("not a length: {length:?}"))?;
            self.exactly(length, &mut answer.body).await
        } else {
            while self.fill().await {}
            answer.body.append(&mut self.buffer);
            !self.is_reset
        };
        if !is_whole {
            answer.end = End::Cut;
        }
        Ok(Read::Answer(answer))
    }

    async fn chunks(&mut self, answer: &mut Answer) -> Result<bool, String> {
        loop {
            let Some(line) = self.line().await else {
                return Ok(false);
            };
            let size =
                usize::from_str_radix(&line, 16).map_err(|_| format!("not a size: {line:?}"))?;
            if size == 0 {
                let trailers = self.fields().await;
                let is_whole = trailers.is_some();
                answer.trailers = trailers.unwrap_or_default();
                return Ok(is_whole);
            }
            if !self.exactly(size, &mut answer.body).await {
                return Ok(false);
            }
            match self.line().await {
                None => return Ok(false),
                Some(line) if line.is_empty() => {}
                Some(line) => return Err(format!("bytes after a chunk: {line:?}")),
            }
        }
    }

    pub(crate) fn into_inner(self) -> OwnedReadHalf {
        self.half
    }

    /// Reads to the end.
    pub(crate) async fn rest(&mut self) -> Vec<u8> {
        while self.fill().await {}
        std::mem::take(&mut self.buffer)
    }
}

/// Makes a call over HTTP/1.1 on a connection of its own.
pub(crate) async fn call_http1(
    gateway: SocketAddr,
    request: &[u8],
    method: &str,
) -> Result<Read, String> {
    let (read, mut write) = connect(gateway).await.into_split();
    let mut reader = Reader::new(read);
    let (_, answer) = tokio::join!(write.write_all(request), reader.answer(method));
    answer
}

pub(crate) async fn connect(address: SocketAddr) -> TcpStream {
    let socket = TcpStream::connect(address).await.unwrap();
    let _ = socket.set_nodelay(true);
    socket
}

/// A caller over HTTP/2.
pub(crate) struct Streams {
    send: SendRequest<Bytes>,
    _task: JoinSet<()>,
}

impl Streams {
    pub(crate) async fn connect(gateway: SocketAddr) -> Self {
        let socket = connect(gateway).await;
        // h2 would end a connection with small windows if many small frames wait in it.
        let shaken = h2::client::Builder::new()
            .initial_connection_window_size(32 << 20)
            .initial_window_size(1 << 20)
            .handshake(socket);
        let (send, connection) = shaken.await.unwrap();
        let mut task = JoinSet::new();
        task.spawn(async move {
            let _ = connection.await;
        });
        Self { send, _task: task }
    }

    /// Makes a call. `wait` ends before the body is read.
    pub(crate) async fn call(
        &self,
        request: Request<Vec<u8>>,
        wait: impl Future<Output = ()>,
    ) -> Result<Read, String> {
        let (parts, body) = request.into_parts();
        let mut send = self
            .send
            .clone()
            .ready()
            .await
            .map_err(|error| error.to_string())?;
        let has_body = !body.is_empty();
        let (response, mut upload) = send
            .send_request(Request::from_parts(parts, ()), !has_body)
            .map_err(|error| error.to_string())?;
        if has_body {
            // The stream may have ended already.
            let _ = upload.send_data(body.into(), true);
        }
        let Ok(response) = response.await else {
            return Ok(Read::Closed);
        };
        let (parts, mut body) = response.into_parts();
        let pairs = |map: &http::HeaderMap| -> Vec<(String, String)> {
            let pair = |(name, value): (&http::HeaderName, &http::HeaderValue)| {
                (name.to_string(), testkit::head::latin1(value.as_bytes()))
            };
            map.iter().map(pair).collect()
        };
        let mut answer = Answer {
            status: parts.status.as_u16(),
            fields: pairs(&parts.headers),
            body: Vec::new(),
            trailers: Vec::new(),
            end: End::Complete,
        };
        wait.await;
        while let Some(data) = body.data().await {
            let Ok(data) = data else {
                answer.end = End::Cut;
                return Ok(Read::Answer(answer));
            };
            let _ = body.flow_control().release_capacity(data.len());
            answer.body.extend_from_slice(&data);
        }
        match body.trailers().await {
            Ok(trailers) => answer.trailers = pairs(&trailers.unwrap_or_default()),
            Err(_) => answer.end = End::Cut,
        }
        Ok(Read::Answer(answer))
    }
}

static CALLS: AtomicUsize = AtomicUsize::new(0);

/// Makes a call of the victim, and checks that it gets its own answer.
pub(crate) async fn victim(gateway: SocketAddr, is_http2: bool) -> Result<(), String> {
    let read = attempt(gateway, is_http2).await?;
    match read {
        Ok(()) => Ok(()),
        Err(error) => Err(format!("the victim got {error}")),
    }
}

/// Makes calls of the victim until one succeeds. An upstream's connection may be broken, so the first calls may get documented errors.
pub(crate) async fn victim_at_last(gateway: SocketAddr) -> Result<(), String> {
    let mut last = String::new();
    for _ in 0..60 {
        match attempt(gateway, false).await? {
            Ok(()) => return Ok(()),
            Err(error) => {
                // After a complaint of the upstream, the gateway pauses for a second.
                if error.contains("overloaded") {
                    tokio::time::sleep(Duration::from_millis(50)).await;
                }
                last = error;
            }
        }
    }
    Err(format!("the victim is never served: {last}"))
}

/// Makes a call of the victim. The inner error is a documented error, and the outer error is any other answer.
pub(crate) async fn attempt(
    gateway: SocketAddr,
    is_http2: bool,
) -> Result<Result<(), String>, String> {
    let nth = CALLS.fetch_add(1, Ordering::Relaxed);
    let (method, body) = match nth % 3 {
        0 => ("GET", Vec::new()),
        _ => ("POST", format!("the victim's body {nth}").into_bytes()),
    };
    let target = format!("/own/{nth}");
    let text = oracle::echo(VICTIM, method, &target, &[], &body, &[]);
    let target = format!("/p/{}{target}", VICTIM.id);
    let read = if is_http2 {
        let uri = format!("http://app.test{target}");
        let request = Request::builder()
            .method(method)
            .uri(uri)
            .body(body)
            .unwrap();
        let streams = Streams::connect(gateway).await;
        streams.call(request, std::future::ready(())).await?
    } else {
        let length = match body.is_empty() {
            true => String::new(),
            false => format!("Content-Length: {}\r\n", body.len()),
        };
        let mut request =
            format!("{method} {target} HTTP/1.1\r\nHost: h\r\n{length}\r\n").into_bytes();
        request.extend(body);
        call_http1(gateway, &request, method).await?
    };
    let Read::Answer(answer) = read else {
        return Err("the victim's connection was closed".to_owned());
    };
    answer.is_allowed(VICTIM)?;
    if answer.error().is_some() {
        return Ok(Err(answer.shown()));
    }
    if (answer.status, answer.end) == (200, End::Complete) && answer.body == text.as_bytes() {
        return Ok(Ok(()));
    }
    // A response that the upstream's broken connection cut off.
    if answer.end == End::Cut && text.as_bytes().starts_with(&answer.body) {
        return Ok(Err(answer.shown()));
    }
    Err(format!(
        "the victim got {} and not {text:?}",
        answer.shown()
    ))
}
