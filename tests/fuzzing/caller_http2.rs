//! A caller over HTTP/2, frame by frame: valid requests whose frames are mixed, and frames with faults.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::time::Duration;

use testkit::gateway::Origin as _;
use testkit::h2_frames::PREFACE;
use testkit::wire::End;
use tokio::io::AsyncWriteExt as _;
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::time::timeout;

use super::frames::{self, Form, Frame};
use super::honest::Honest;
use super::hpack::{self, Decoder};
use super::oracle::{self, ATTACKER};
use super::random::{Random, Shown, pieces};
use super::request::{Request, latin1};
use super::run::{Game, Log};
use super::stage::{self, Answer, connect};

const LIMIT: Duration = Duration::from_secs(8);

#[derive(Clone, Copy)]
pub(crate) struct CallerHttp2;

#[derive(Clone, Debug)]
pub(crate) enum Step {
    /// The upstream speaks HTTP/2. Only as the first step.
    Http2Upstream,
    Open(Request, Form),
    /// The next bytes of the body of the call of this number, at most so many.
    Data {
        call: usize,
        len: usize,
        padding: Option<u8>,
    },
    /// The rest of the body, and the trailers.
    Finish {
        call: usize,
        is_empty: bool,
    },
    Reset {
        call: usize,
        code: u32,
    },
    Settings(u16, u32),
    Window(u32),
    Ping,
    Priority(u32),
    Unknown(u8, u8, u32, usize),
    GoAway(u32),
    Broken(Shown),
    /// The caller waits for the answers to all finished calls.
    Wait,
}

impl Game for CallerHttp2 {
    const NAME: &'static str = "callers_over_http2";
    type Step = Step;

    fn steps(self, random: &mut Random) -> Vec<Step> {
        let mut steps = Vec::new();
        if random.percent(40) {
            steps.push(Step::Http2Upstream);
        }
        let mut calls = 0;
        let has_faults = random.percent(50);
        for _ in 0..random.within(4..40) {
            let call = random.within(0..calls.max(1));
            steps.push(match random.within(0..20) {
                0..5 => {
                    calls += 1;
                    Step::Open(Request::any(random, true), Form::any(random))
                }
                5..9 => Step::Data {
                    call,
                    len: random.size(16_000),
                    padding: random.percent(20).then(|| random.byte()),
                },
                9..12 => Step::Finish {
                    call,
                    is_empty: random.percent(30),
                },
                12 if random.percent(40) => Step::Reset {
                    call,
                    code: random.pick(&[0, 7, 8, 99]),
                },
                13 => Step::Settings(
                    random.pick(&[1, 2, 3, 4, 4, 4, 5, 9]),
                    random.pick(&[0, 0, 1, 100, 65_535, 20_000, 2_000_000]),
                ),
                14 => Step::Window(u32::try_from(random.within(1..100_000)).unwrap()),
                15 => Step::Ping,
                16 => Step::Priority(random.number() % 64 + 1),
                17 => Step::Unknown(
                    random.byte() | 0x10,
                    random.byte(),
                    random.number() >> 1,
                    random.size(500),
                ),
                18 if has_faults => {
                    let stream = u32::try_from(2 * random.within(0..calls + 1) + 1).unwrap();
                    Step::Broken(Shown(frames::broken(random, stream)))
                }
                19 if has_faults => Step::GoAway(random.pick(&[0, 1, 11])),
                _ => Step::Wait,
            });
        }
        steps
    }

    async fn play(self, steps: Vec<Step>, log: Log) -> Result<(), String> {
        let is_http2 = matches!(steps.first(), Some(Step::Http2Upstream));
        let upstream = Honest::start(is_http2).await;
        let origin = upstream.origin();
        let port = origin.rsplit(':').next().unwrap().parse().unwrap();
        let gateway = stage::gateway(&upstream, upstream.address().ip(), is_http2, log).await;
        let address = gateway.address;
        let victim = tokio::spawn(async move {
            stage::victim(address, true).await?;
            stage::victim(address, false).await
        });
        let playing = play(address, port, &steps);
        timeout(2 * LIMIT, playing)
            .await
            .map_err(|_| "the caller waits for ever".to_owned())??;
        victim.await.map_err(|error| error.to_string())??;
        stage::victim(address, true).await?;
        stage::victim(address, false).await
    }
}

/// A call, as far as the caller has sent it.
struct Call {
    request: Request,
    sent: usize,
    is_finished: bool,
    is_reset: bool,
    answer: Option<Answer>,
    is_ended: bool,
}

struct Caller {
    read: OwnedReadHalf,
    write: OwnedWriteHalf,
    decoder: Decoder,
    block: Vec<u8>,
    calls: Vec<Call>,
    /// The caller broke a rule, so the gateway may do so much as close.
    is_spoilt: bool,
    is_gone: bool,
    /// The window of the connection, and windows of streams, as the gateway has announced them.
    window: i64,
    initial: i64,
    windows: HashMap<u32, i64>,
}

async fn play(address: SocketAddr, port: u16, steps: &[Step]) -> Result<(), String> {
    let (read, write) = connect(address).await.into_split();
    let mut caller = Caller {
        read,
        write,
        decoder: Decoder::default(),
        block: Vec::new(),
        calls: Vec::new(),
        is_spoilt: false,
        is_gone: false,
        window: 65_535,
        initial: 65_535,
        windows: HashMap::new(),
    };
    caller
        .send(&[PREFACE, &frames::settings(&[])].concat())
        .await;
    for step in steps {
        caller.step(step, port).await?;
    }
    // From here on the caller has room for all answers, and ends all calls.
    caller
        .send(&frames::settings(&[(4, 1_000_000), (5, 16_384)]))
        .await;
    caller
        .send(&frames::encode(
            frames::WINDOW_UPDATE,
            0,
            0,
            &100_000_000_u32.to_be_bytes(),
        ))
        .await;
    for nth in 0..caller.calls.len() {
        caller.finish(nth, false).await?;
    }
    caller.wait().await?;
    caller.check()
}

impl Caller {
    async fn send(&mut self, bytes: &[u8]) {
        let cuts = if bytes.len() % 7 == 0 {
            vec![5, 3, 10]
        } else {
            Vec::new()
        };
        for piece in pieces(bytes, &cuts) {
            // The gateway may have closed after a fault.
            self.is_gone |= self.write.write_all(piece).await.is_err();
        }
    }

    async fn step(&mut self, step: &Step, port: u16) -> Result<(), String> {
        let is_open = |caller: &Self, call: &usize| {
            caller
                .calls
                .get(*call)
                .is_some_and(|call| !call.is_finished && !call.is_reset)
        };
        match step {
            Step::Http2Upstream => {}
            Step::Open(request, form) => {
                let mut fields = vec![
                    (":method".to_owned(), request.method.as_bytes().to_vec()),
                    (":scheme".to_owned(), b"http".to_vec()),
                    (":path".to_owned(), request.sent_target(port).into_bytes()),
                    (":authority".to_owned(), b"app.test".to_vec()),
                ];
                fields.extend(
                    request
                        .fields
                        .iter()
                        .map(|(name, value)| (name.clone(), latin1(value))),
                );
                let nth = self.calls.len();
                let block = hpack::encode(&fields, |at| (nth + at) % 3 == 0);
                let stream = stream(nth);
                let is_end = request.body.0.is_empty() && request.trailers.is_empty();
                self.calls.push(Call {
                    request: request.clone(),
                    sent: 0,
                    is_finished: is_end,
                    is_reset: false,
                    answer: None,
                    is_ended: false,
                });
                self.windows.insert(stream, self.initial);
                self.send(&frames::headers(stream, &block, is_end, form))
                    .await;
            }
            Step::Data { call, len, padding } if is_open(self, call) => {
                self.data(*call, *len, *padding, false).await?;
            }
            Step::Finish { call, is_empty } if is_open(self, call) => {
                self.finish(*call, *is_empty).await?
            }
            Step::Reset { call, code }
                if self.calls.get(*call).is_some_and(|call| !call.is_reset) =>
            {
                self.calls[*call].is_reset = true;
                self.send(&frames::encode(
                    frames::RST_STREAM,
                    0,
                    stream(*call),
                    &code.to_be_bytes(),
                ))
                .await;
            }
            Step::Data { .. } | Step::Finish { .. } | Step::Reset { .. } => {}
            Step::Settings(name, value) => {
                let is_valid = match name {
                    2 => *value <= 1,
                    5 => (16_384..=16_777_215).contains(value),
                    _ => true,
                };
                self.is_spoilt |= !is_valid;
                self.send(&frames::settings(&[(*name, *value)])).await;
            }
            Step::Window(bytes) => {
                self.send(&frames::encode(
                    frames::WINDOW_UPDATE,
                    0,
                    0,
                    &bytes.to_be_bytes(),
                ))
                .await
            }
            Step::Ping => {
                self.send(&frames::encode(frames::PING, 0, 0, b"12345678"))
                    .await
            }
            Step::Priority(stream) => {
                self.send(&frames::encode(
                    frames::PRIORITY,
                    0,
                    *stream,
                    &[0, 0, 0, 0, 1],
                ))
                .await;
            }
            Step::Unknown(kind, flags, stream, len) => {
                self.send(&frames::encode(*kind, *flags, *stream, &vec![7; *len]))
                    .await;
            }
            Step::GoAway(code) => {
                self.is_spoilt = true;
                let payload = [0_u32.to_be_bytes(), code.to_be_bytes()].concat();
                self.send(&frames::encode(frames::GOAWAY, 0, 0, &payload))
                    .await;
            }
            Step::Broken(bytes) => {
                self.is_spoilt = true;
                self.send(&bytes.0).await;
            }
            Step::Wait => {
                // Answers may wait for room that only later steps make.
                let _ = timeout(Duration::from_millis(20), self.wait()).await;
            }
        }
        Ok(())
    }

    /// Sends the next bytes of a body, as many as the windows permit.
    async fn data(
        &mut self,
        nth: usize,
        len: usize,
        padding: Option<u8>,
        is_end: bool,
    ) -> Result<(), String> {
        let call = &mut self.calls[nth];
        let rest = call.request.body.0.len() - call.sent;
        let len = len.min(rest).min(16_000);
        let cost =
            i64::try_from(len + padding.map_or(0, |padding| usize::from(padding) + 1)).unwrap();
        let id = stream(nth);
        while !self.is_gone && (self.window < cost || self.windows[&id] < cost) {
            if self.calls[nth].is_ended {
                return Ok(());
            }
            self.next().await?;
        }
        self.window -= cost;
        *self.windows.get_mut(&id).unwrap() -= cost;
        let call = &mut self.calls[nth];
        let bytes = frames::data(
            id,
            &call.request.body.0[call.sent..call.sent + len],
            padding,
            is_end,
        );
        call.sent += len;
        call.is_finished |= is_end;
        self.send(&bytes).await;
        Ok(())
    }

    async fn finish(&mut self, nth: usize, is_empty: bool) -> Result<(), String> {
        while !self.is_gone
            && !self.calls[nth].is_finished
            && !self.calls[nth].is_reset
            && !self.calls[nth].is_ended
        {
            let call = &self.calls[nth];
            let rest = call.request.body.0.len() - call.sent;
            self.data(
                nth,
                16_000,
                None,
                if is_empty { rest == 0 } else { rest <= 16_000 },
            )
            .await?;
        }
        Ok(())
    }

    /// Reads until all finished calls are answered.
    async fn wait(&mut self) -> Result<(), String> {
        let is_waiting = |call: &Call| call.is_finished && !call.is_reset && !call.is_ended;
        while !self.is_gone && self.calls.iter().any(is_waiting) {
            if self.is_spoilt {
                // Some of the calls may never be answered.
                match timeout(Duration::from_millis(100), self.next()).await {
                    Ok(next) => next?,
                    Err(_) => return Ok(()),
                }
            } else {
                let next = timeout(LIMIT, self.next()).await;
                next.map_err(|_| "a finished call gets no answer".to_owned())??;
            }
        }
        Ok(())
    }

    async fn next(&mut self) -> Result<(), String> {
        let Some(frame) = frames::read(&mut self.read).await else {
            self.is_gone = true;
            return match self.is_spoilt {
                true => Ok(()),
                false => Err("the gateway closed".to_owned()),
            };
        };
        self.on_frame(frame).await
    }

    async fn on_frame(&mut self, frame: Frame) -> Result<(), String> {
        oracle::is_own(ATTACKER, &frame.payload)?;
        let stream = frame.stream;
        match frame.kind {
            frames::SETTINGS if frame.flags & frames::ACK == 0 => {
                for pair in frame.payload.chunks(6) {
                    let value = i64::from(u32::from_be_bytes(pair[2..6].try_into().unwrap()));
                    if pair[..2] == [0, 4] {
                        self.windows
                            .values_mut()
                            .for_each(|window| *window += value - self.initial);
                        self.initial = value;
                    }
                }
                self.send(&frames::encode(frames::SETTINGS, frames::ACK, 0, &[]))
                    .await;
            }
            frames::PING if frame.flags & frames::ACK == 0 => {
                self.send(&frames::encode(
                    frames::PING,
                    frames::ACK,
                    0,
                    &frame.payload,
                ))
                .await;
            }
            frames::WINDOW_UPDATE => {
                let bytes = i64::from(u32::from_be_bytes(frame.payload[..4].try_into().unwrap()));
                match stream {
                    0 => self.window += bytes,
                    _ => *self.windows.entry(stream).or_default() += bytes,
                }
            }
            frames::GOAWAY if !self.is_spoilt => return Err(format!("a GOAWAY: {frame:?}")),
            frames::HEADERS | frames::CONTINUATION => {
                self.block.extend(frames::content(&frame));
                let is_end = frame.kind == frames::HEADERS && frame.flags & frames::END_STREAM != 0;
                if is_end && let Some(call) = call(&mut self.calls, stream) {
                    call.is_ended = true;
                }
                if frame.flags & frames::END_HEADERS != 0 {
                    let block = std::mem::take(&mut self.block);
                    let fields = self.decoder.decode(&block);
                    for (name, value) in &fields {
                        oracle::is_own(ATTACKER, format!("{name}: {value}").as_bytes())?;
                    }
                    if let Some(call) = call(&mut self.calls, stream) {
                        on_fields(call, fields)?;
                    }
                }
            }
            frames::DATA => {
                if let Some(call) = call(&mut self.calls, stream) {
                    let answer = call.answer.as_mut().ok_or("DATA before HEADERS")?;
                    answer.body.extend(frames::content(&frame));
                    if frame.flags & frames::END_STREAM != 0 {
                        call.is_ended = true;
                        answer.end = End::Complete;
                    }
                }
            }
            frames::RST_STREAM => {
                if let Some(call) = call(&mut self.calls, stream) {
                    let code = u32::from_be_bytes(frame.payload[..4].try_into().unwrap());
                    let is_late = call.is_ended && code == 0;
                    if !self.is_spoilt && !call.is_reset && !is_late {
                        return Err(format!("stream {stream} is reset with {code}"));
                    }
                    call.is_ended = true;
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn check(&self) -> Result<(), String> {
        for call in &self.calls {
            let Some(answer) = &call.answer else {
                if !self.is_spoilt && call.is_finished && !call.is_reset {
                    return Err(format!(
                        "no answer to {} {}",
                        call.request.method, call.request.target
                    ));
                }
                continue;
            };
            if self.is_spoilt || call.is_reset || !call.is_finished {
                answer.is_allowed(ATTACKER)?;
            } else {
                call.request.check(answer)?;
            }
        }
        Ok(())
    }
}

fn stream(nth: usize) -> u32 {
    u32::try_from(2 * nth + 1).unwrap()
}

fn call(calls: &mut [Call], stream: u32) -> Option<&mut Call> {
    let nth = usize::try_from(stream).unwrap().checked_sub(1)? / 2;
    calls.get_mut(nth)
}

fn on_fields(call: &mut Call, fields: Vec<(String, String)>) -> Result<(), String> {
    let status = fields
        .iter()
        .find(|(name, _)| name == ":status")
        .map(|(_, value)| value.clone());
    match (status, &mut call.answer) {
        (Some(status), None) if status.starts_with('1') => {}
        (Some(status), None) => {
            call.answer = Some(Answer {
                status: status
                    .parse()
                    .map_err(|_| format!("not a status: {status}"))?,
                fields,
                body: Vec::new(),
                trailers: Vec::new(),
                end: if call.is_ended {
                    End::Complete
                } else {
                    End::Cut
                },
            });
        }
        (None, Some(answer)) => {
            answer.trailers = fields;
            answer.end = End::Complete;
        }
        _ => return Err(format!("HEADERS out of order: {fields:?}")),
    }
    Ok(())
}
