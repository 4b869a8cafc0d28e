//! An upstream over HTTP/1.1: responses in each framing, in pieces, cut at any byte, with bytes too many, and with faults.

use std::sync::Arc;
use std::time::Duration;

use testkit::io::Io;
use testkit::vendor::{Received, request_framing};
use testkit::wire::{End, Wire};
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::timeout;

use super::honest;
use super::oracle::{self, ATTACKER};
use super::random::{Random, Shown, pieces};
use super::request::{broken, chunked, latin1};
use super::run::{Game, Log};
use super::stage::{self, Answer, Read, Streams};

const LIMIT: Duration = Duration::from_secs(8);

#[derive(Clone, Copy)]
pub(crate) struct UpstreamHttp1;

/// A call of the attacker, and the reaction of its upstream.
#[derive(Clone, Debug)]
pub(crate) struct Step {
    /// The call begins before the call before has ended.
    is_together: bool,
    is_http2: bool,
    method: &'static str,
    body: Shown,
    reply: Reply,
    cuts: Vec<usize>,
    /// The upstream answers before it reads the body.
    is_early: bool,
    leave: Leave,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Leave {
    /// The connection is used again.
    Stay,
    Close,
    HalfClose,
    Reset,
    Silence,
}

#[derive(Clone, Debug)]
enum Reply {
    Valid(Response),
    /// A valid response of which only so many thousandths are sent.
    Cut(Response, usize),
    /// A valid response and more bytes.
    Extra(Response, Shown),
    Broken(Shown),
}

#[derive(Clone, Debug)]
struct Response {
    interim: Vec<u16>,
    status: u16,
    reason: &'static str,
    fields: Vec<(String, String)>,
    framing: Framing,
    body: Shown,
    trailers: Vec<(String, String)>,
}

#[derive(Clone, Debug)]
enum Framing {
    Length,
    Chunked(Vec<usize>),
    UntilClose,
}

impl Response {
    fn any(random: &mut Random) -> Self {
        let status = random.pick(&[
            200, 200, 200, 201, 204, 206, 299, 302, 304, 400, 401, 404, 418, 429, 500, 502, 503,
            599, 999,
        ]);
        let framing = match random.within(0..3) {
            0 => Framing::Length,
            1 => Framing::Chunked(
                (0..random.within(1..5))
                    .map(|_| random.size(9000).max(1))
                    .collect(),
            ),
            _ => Framing::UntilClose,
        };
        let size = match random.percent(10) {
            true => random.within(0..300_000),
            false => random.size(30_000),
        };
        let mut body = format!("{} ", ATTACKER.mark).into_bytes();
        body.extend(random.bytes(size));
        if random.percent(10) {
            body.clear();
        }
        let mut fields = Vec::new();
        for _ in 0..random.within(0..5) {
            let value = random.pick(&["v", "", "a, b", "\"q\"", "\u{e9}\u{ff}", "a\tb"]);
            fields.push((format!("X-Q{}", random.within(0..3)), value.to_owned()));
        }
        for _ in 0..random.within(0..3) {
            // None of these is returned.
            let (name, value) = random.pick(&[
                ("passthrough-error", "forged"),
                ("Proxy-Status", "passthrough; error=forged"),
                ("Connection", "x-hop"),
                ("Keep-Alive", "timeout=5"),
                ("X-Accel-Redirect", "/forged"),
            ]);
            fields.push((name.to_owned(), value.to_owned()));
            if name == "Connection" {
                fields.push(("X-Hop".to_owned(), "forged".to_owned()));
            }
        }
        if random.percent(5) {
            let many = random.within(1..150);
            fields.extend((0..many).map(|nth| (format!("x-n{nth}"), "v".to_owned())));
        }
        if random.percent(5) {
            fields.push(("X-Long".to_owned(), "l".repeat(random.within(1..50_000))));
        }
        let mut trailers = Vec::new();
        if matches!(framing, Framing::Chunked(_)) && random.percent(40) {
            fields.push(("Trailer".to_owned(), "X-Qt".to_owned()));
            trailers.push(("X-Qt".to_owned(), "v".to_owned()));
        }
        Self {
            interim: (0..if random.percent(20) {
                random.within(1..6)
            } else {
                0
            })
                .map(|_| random.pick(&[100, 102, 103, 199]))
                .collect(),
            status,
            reason: random.pick(&["OK", "", "Odd \t phrase!", "Denied", "\u{e9}"]),
            fields,
            framing,
            body: Shown(body),
            trailers,
        }
    }

    fn has_body(&self, method: &str) -> bool {
        method != "HEAD" && !matches!(self.status, 204 | 304)
    }

    /// Returns the bytes, and the length of the heads.
    fn render(&self, method: &str) -> (Vec<u8>, usize) {
        let mut bytes = Vec::new();
        for status in &self.interim {
            bytes.extend(format!("HTTP/1.1 {status} Interim\r\nLink: </x>\r\n\r\n").bytes());
        }
        bytes.extend(format!("HTTP/1.1 {} ", self.status).bytes());
        bytes.extend(latin1(self.reason));
        bytes.extend(b"\r\n");
        for (name, value) in &self.fields {
            bytes.extend(format!("{name}: ").bytes());
            bytes.extend(latin1(value));
            bytes.extend(b"\r\n");
        }
        if self.has_body(method) {
            match &self.framing {
                Framing::Length => {
                    bytes.extend(format!("Content-Length: {}\r\n", self.body.0.len()).bytes())
                }
                Framing::Chunked(_) => bytes.extend(b"Transfer-Encoding: chunked\r\n"),
                Framing::UntilClose => {}
            }
        }
        bytes.extend(b"\r\n");
        let head = bytes.len();
        if self.has_body(method) {
            match &self.framing {
                Framing::Chunked(sizes) => chunked(&mut bytes, &self.body.0, sizes, &self.trailers),
                _ => bytes.extend(&self.body.0),
            }
        }
        (bytes, head)
    }
}

impl Game for UpstreamHttp1 {
    const NAME: &'static str = "upstreams_over_http1";
    type Step = Step;

    fn steps(self, random: &mut Random) -> Vec<Step> {
        (0..random.within(1..6))
            .map(|_| Step::any(random))
            .collect()
    }

    async fn play(self, steps: Vec<Step>, log: Log) -> Result<(), String> {
        let steps = Arc::new(steps);
        let listener = stage::listener().await;
        let upstream = listener.local_addr().unwrap();
        let mut tasks = JoinSet::new();
        let script = Arc::clone(&steps);
        tasks.spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((socket, _)) = listener.accept().await {
                let _ = socket.set_nodelay(true);
                connections.spawn(serve(socket, Arc::clone(&script)));
            }
        });
        let origin = format!("http://vendor.test:{}", upstream.port());
        let gateway = stage::gateway(&*origin, upstream.ip(), false, log).await;
        let address = gateway.address;
        // A kept connection may end at any moment, so the next request on it may fail.
        let is_calm = !steps.iter().any(Step::ends_kept_connection);
        let victims = tokio::spawn(async move {
            match is_calm {
                true => {
                    stage::victim(address, false).await?;
                    stage::victim(address, true).await
                }
                false => stage::victim_at_last(address).await,
            }
        });
        let mut calls = JoinSet::new();
        for nth in 0..steps.len() {
            if !steps[nth].is_together {
                join(&mut calls).await?;
            }
            let steps = Arc::clone(&steps);
            calls.spawn(async move {
                let called = timeout(LIMIT, steps[nth].call(address, nth, is_calm)).await;
                called
                    .map_err(|_| format!("call {nth} has no end"))?
                    .map_err(|wrong| format!("call {nth}: {wrong}"))
            });
        }
        join(&mut calls).await?;
        victims.await.map_err(|error| error.to_string())??;
        stage::victim_at_last(address).await?;
        stage::victim(address, false).await?;
        stage::victim(address, true).await
    }
}

async fn join(calls: &mut JoinSet<Result<(), String>>) -> Result<(), String> {
    while let Some(called) = calls.join_next().await {
        called.map_err(|error| error.to_string())??;
    }
    Ok(())
}

/// The upstream's side of a connection.
async fn serve(socket: TcpStream, steps: Arc<Vec<Step>>) {
    let mut wire = Wire::new(Io::Plain(socket));
    while let Some(head) = wire.head().await {
        let tenant = honest::tenant(&head);
        let nth = head
            .target()
            .strip_prefix("/call/")
            .and_then(|nth| nth.parse::<usize>().ok());
        let script = nth
            .filter(|_| tenant == ATTACKER)
            .and_then(|nth| steps.get(nth));
        let framing = request_framing(&head);
        let Some(step) = script else {
            let body = wire.body(framing).await;
            if body.end == End::Cut {
                return;
            }
            let received = Received {
                head,
                body,
                connection: 0,
            };
            let text = honest::text_of(tenant, &received);
            let answer = format!(
                "HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{text}",
                text.len()
            );
            if !wire.try_write(answer.as_bytes()).await {
                return;
            }
            continue;
        };
        if !step.is_early && wire.body(framing).await.end == End::Cut {
            return;
        }
        let bytes = step.bytes();
        for piece in pieces(&bytes, &step.cuts) {
            if !wire.try_write(piece).await {
                return;
            }
            tokio::task::yield_now().await;
        }
        match step.leave {
            Leave::Stay if step.is_early => {
                wire.body(framing).await;
            }
            Leave::Stay => {}
            Leave::Close => return,
            Leave::HalfClose => {
                wire.finish().await;
                while wire.fill().await {}
                return;
            }
            Leave::Reset => return wire.reset(),
            Leave::Silence => {
                while wire.fill().await {}
                return;
            }
        }
    }
}

impl Step {
    fn any(random: &mut Random) -> Self {
        let method = random.pick(&["GET", "GET", "POST", "PUT", "HEAD", "DELETE"]);
        let response = Response::any(random);
        let reply = match random.within(0..10) {
            0..5 => Reply::Valid(response),
            5..7 => {
                let thousandths = random.within(0..1000);
                Reply::Cut(response, thousandths)
            }
            7 => {
                let second = Response::any(random).render(method).0;
                let other = format!(
                    "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n{}",
                    &ATTACKER.mark[..4]
                );
                let bytes =
                    random.pick(&[b"x".to_vec(), b"\r\n".to_vec(), other.into_bytes(), second]);
                Reply::Extra(response, Shown(bytes))
            }
            _ => {
                let bytes = response.render(method).0;
                Reply::Broken(Shown(broken(random, bytes)))
            }
        };
        let leave = match &reply {
            Reply::Valid(response) if !matches!(response.framing, Framing::UntilClose) => random
                .pick(&[
                    Leave::Stay,
                    Leave::Stay,
                    Leave::Stay,
                    Leave::Close,
                    Leave::HalfClose,
                    Leave::Reset,
                ]),
            _ if random.percent(6) => Leave::Silence,
            _ => random.pick(&[Leave::Close, Leave::Close, Leave::HalfClose, Leave::Reset]),
        };
        let size = random.size(50_000);
        Self {
            is_together: random.percent(40),
            is_http2: random.percent(40),
            method,
            body: Shown(if matches!(method, "POST" | "PUT") {
                vec![b'u'; size]
            } else {
                Vec::new()
            }),
            cuts: if matches!(reply, Reply::Extra(..)) {
                Vec::new()
            } else {
                random.cuts()
            },
            reply,
            is_early: random.percent(20),
            leave,
        }
    }

    /// Returns `true` if the upstream ends, or doesn't serve, a connection that the gateway may have kept.
    fn ends_kept_connection(&self) -> bool {
        self.leave != Leave::Stay
            && match &self.reply {
                Reply::Valid(response) | Reply::Extra(response, _) => {
                    !matches!(response.framing, Framing::UntilClose)
                        || !response.has_body(self.method)
                }
                Reply::Cut(..) => false,
                Reply::Broken(_) => true,
            }
    }

    fn bytes(&self) -> Vec<u8> {
        match &self.reply {
            Reply::Valid(response) => response.render(self.method).0,
            Reply::Cut(response, thousandths) => {
                let (mut bytes, _) = response.render(self.method);
                bytes.truncate(bytes.len() * thousandths / 1000);
                bytes
            }
            Reply::Extra(response, extra) => {
                [response.render(self.method).0, extra.0.clone()].concat()
            }
            Reply::Broken(bytes) => bytes.0.clone(),
        }
    }

    /// Makes the call, and checks its answer.
    async fn call(
        &self,
        address: std::net::SocketAddr,
        nth: usize,
        is_calm: bool,
    ) -> Result<(), String> {
        let target = format!("/p/{}/call/{nth}", ATTACKER.id);
        let read = if self.is_http2 {
            let mut request = http::Request::builder()
                .method(self.method)
                .uri(format!("http://app.test{target}"));
            request = request.header("te", "trailers");
            let streams = Streams::connect(address).await;
            streams
                .call(
                    request.body(self.body.0.clone()).unwrap(),
                    std::future::ready(()),
                )
                .await?
        } else {
            let length = match self.body.0.is_empty() {
                true => String::new(),
                false => format!("Content-Length: {}\r\n", self.body.0.len()),
            };
            let head = format!(
                "{} {target} HTTP/1.1\r\nHost: h\r\nTE: trailers\r\nConnection: TE\r\n{length}\r\n",
                self.method
            );
            let request = [head.as_bytes(), &self.body.0].concat();
            stage::call_http1(address, &request, self.method).await?
        };
        let Read::Answer(answer) = read else {
            // A stream that is reset may lose the head that was sent just before.
            let is_whole = matches!(self.reply, Reply::Valid(_)) && self.leave == Leave::Stay;
            if self.is_http2 && !is_whole {
                return Ok(());
            }
            return Err("the connection was closed without an answer".to_owned());
        };
        answer.is_allowed(ATTACKER)?;
        let is_broken = matches!(self.reply, Reply::Broken(_));
        if !is_broken && format!("{:?} {:?}", answer.fields, answer.trailers).contains("forged") {
            return Err(format!(
                "a field of the upstream acts on the gateway's caller: {}",
                answer.shown()
            ));
        }
        self.check(&answer, is_calm)
    }

    fn check(&self, answer: &Answer, is_calm: bool) -> Result<(), String> {
        match &self.reply {
            Reply::Broken(_) => Ok(()),
            Reply::Valid(response) => {
                let is_until_close = matches!(response.framing, Framing::UntilClose)
                    && response.has_body(self.method);
                let is_sure = is_calm
                    && self.leave != Leave::Reset
                    && (!self.is_early || self.leave == Leave::Stay);
                match (is_until_close, self.leave) {
                    (true, Leave::Reset | Leave::Silence | Leave::Stay) => {
                        self.is_incomplete(answer)
                    }
                    _ => self.is_exact(response, answer, is_sure, response.body.0.len()),
                }
            }
            Reply::Extra(response, _) => {
                let is_until_close = matches!(response.framing, Framing::UntilClose)
                    && response.has_body(self.method);
                if is_until_close {
                    // The bytes are a part of the body.
                    return Ok(());
                }
                self.is_exact(response, answer, false, response.body.0.len())
            }
            Reply::Cut(response, thousandths) => {
                let (bytes, head) = response.render(self.method);
                let sent = bytes.len() * thousandths / 1000;
                let is_until_close = matches!(response.framing, Framing::UntilClose)
                    && response.has_body(self.method);
                let ends = matches!(self.leave, Leave::Close | Leave::HalfClose);
                if is_until_close && sent >= head && ends {
                    return self.is_exact(response, answer, is_calm && !self.is_early, sent - head);
                }
                self.is_incomplete(answer)
            }
        }
    }

    fn is_incomplete(&self, answer: &Answer) -> Result<(), String> {
        if answer.error().is_none() && answer.end == End::Complete {
            return Err(format!(
                "a response that broke off looks complete: {}",
                answer.shown()
            ));
        }
        Ok(())
    }

    /// Checks an answer that must be this response with so many bytes of its body. If it isn't sure, it may also be an error, or break off.
    fn is_exact(
        &self,
        response: &Response,
        answer: &Answer,
        is_sure: bool,
        len: usize,
    ) -> Result<(), String> {
        if !is_sure && (answer.error().is_some() || answer.end == End::Cut) {
            return Ok(());
        }
        let body = if response.has_body(self.method) {
            &response.body.0[..len]
        } else {
            &[]
        };
        let has_trailers = response.has_body(self.method);
        let trailers = if has_trailers {
            oracle::known(&response.trailers)
        } else {
            Vec::new()
        };
        let is_right = answer.status == response.status
            && answer.end == End::Complete
            && answer.body == body
            && oracle::known(&answer.fields) == oracle::known(&response.fields)
            && oracle::known(&answer.trailers) == trailers;
        match is_right {
            true => Ok(()),
            false => Err(format!(
                "{} with {len} bytes was expected: {}",
                response.status,
                answer.shown()
            )),
        }
    }
}
