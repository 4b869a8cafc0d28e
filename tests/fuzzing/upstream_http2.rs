//! An upstream over HTTP/2: frames of several responses mixed, resets and GOAWAYs at any moment, and frames with faults.

use std::net::SocketAddr;
use std::time::Duration;

use testkit::wire::End;
use tokio::task::JoinSet;
use tokio::time::timeout;

use super::frames::{self, Form};
use super::hpack;
use super::oracle::{self, ATTACKER};
use super::random::{Random, Shown};
use super::run::{Game, Log};
use super::stage::{self, Answer, Read, Streams};
use super::vendor_http2::Vendor;

const LIMIT: Duration = Duration::from_secs(8);

#[derive(Clone, Copy)]
pub(crate) struct UpstreamHttp2;

#[derive(Clone, Debug)]
pub(crate) enum Step {
    /// TLS with ALPN. Only as the first step.
    Tls,
    /// The sizes of the pieces of later frames.
    Cuts(Vec<usize>),
    Call {
        id: usize,
        is_http2: bool,
        body: usize,
        is_head: bool,
    },
    /// A call of the victim, while the attacker's calls go on.
    Victim,
    Interim {
        id: usize,
        status: u16,
    },
    Head {
        id: usize,
        status: u16,
        fields: Vec<(String, String)>,
        is_end: bool,
        form: Form,
    },
    Data {
        id: usize,
        len: usize,
        padding: Option<u8>,
        is_end: bool,
    },
    Trailers {
        id: usize,
        form: Form,
    },
    Reset {
        id: usize,
        code: u32,
    },
    GoAway {
        id: usize,
        is_before: bool,
        code: u32,
    },
    Settings {
        id: usize,
        name: u16,
        value: u32,
    },
    Ping(usize),
    Window {
        id: usize,
        is_stream: bool,
        bytes: u32,
    },
    Priority(usize),
    Unknown {
        id: usize,
        kind: u8,
        len: usize,
    },
    Broken {
        id: usize,
        bytes: Shown,
    },
    Close(usize),
}

impl Game for UpstreamHttp2 {
    const NAME: &'static str = "upstreams_over_http2";
    type Step = Step;

    fn steps(self, random: &mut Random) -> Vec<Step> {
        let mut steps = Vec::new();
        if random.percent(25) {
            steps.push(Step::Tls);
        }
        let has_faults = random.percent(50);
        let mut calls = 0;
        for _ in 0..random.within(4..40) {
            let id = random.within(0..calls.max(1));
            steps.push(match random.within(0..30) {
                0..5 => {
                    calls += 1;
                    Step::Call {
                        id: calls - 1,
                        is_http2: random.percent(40),
                        body: if random.percent(30) {
                            random.size(30_000)
                        } else {
                            0
                        },
                        is_head: random.percent(10),
                    }
                }
                5 => Step::Victim,
                6 => Step::Cuts(random.cuts()),
                7 => Step::Interim {
                    id,
                    status: random.pick(&[100, 102, 103, 199]),
                },
                8..13 => head(random, id),
                13..18 => Step::Data {
                    id,
                    len: random.size(16_000),
                    padding: random.percent(20).then(|| random.byte()),
                    is_end: random.percent(30),
                },
                18 => Step::Trailers {
                    id,
                    form: Form::any(random),
                },
                19 => Step::Settings {
                    id,
                    name: random.pick(&[1, 2, 3, 3, 4, 4, 5, 6, 9]),
                    value: random.pick(&[0, 1, 2, 100, 16_384, 65_535, 1_000_000]),
                },
                20 => Step::Ping(id),
                21 => Step::Window {
                    id,
                    is_stream: random.percent(50),
                    bytes: random.number() % 100_000 + 1,
                },
                22 => Step::Priority(id),
                23 => Step::Unknown {
                    id,
                    kind: random.byte() | 0x10,
                    len: random.size(400),
                },
                24 if has_faults => Step::Reset {
                    id,
                    code: random.pick(&[0, 1, 2, 5, 7, 8, 11, 13, 99]),
                },
                25 if has_faults => Step::GoAway {
                    id,
                    is_before: random.percent(50),
                    code: random.pick(&[0, 0, 1, 2, 11]),
                },
                26 if has_faults => {
                    let stream = u32::try_from(2 * random.within(0..calls + 1) + 1).unwrap();
                    Step::Broken {
                        id,
                        bytes: Shown(frames::broken(random, stream)),
                    }
                }
                27 if has_faults => Step::Close(id),
                _ => Step::Data {
                    id,
                    len: random.size(500),
                    padding: None,
                    is_end: random.percent(20),
                },
            });
        }
        // Most responses get an end.
        for id in 0..calls {
            if random.percent(85) {
                steps.push(head(random, id));
                steps.push(Step::Data {
                    id,
                    len: random.size(500),
                    padding: None,
                    is_end: true,
                });
            }
        }
        steps
    }

    async fn play(self, steps: Vec<Step>, log: Log) -> Result<(), String> {
        let is_secure = matches!(steps.first(), Some(Step::Tls));
        let vendor = Vendor::bind(is_secure, vec![(3, 100)]).await;
        let gateway = stage::gateway(&vendor, vendor.address().ip(), !is_secure, log).await;
        let address = gateway.address;
        let mut play = Play {
            vendor,
            address,
            scripts: Vec::new(),
            calls: JoinSet::new(),
            victims: JoinSet::new(),
            is_benign: true,
        };
        for step in &steps {
            let stepping = timeout(LIMIT, play.step(step)).await;
            stepping.map_err(|_| format!("the gateway doesn't read: {step:?}"))??;
        }
        play.end().await
    }
}

fn head(random: &mut Random, id: usize) -> Step {
    let mut fields = Vec::new();
    for _ in 0..random.within(0..4) {
        let value = random.pick(&["v", "", "a, b", "a\tb"]);
        fields.push((format!("x-q{}", random.within(0..3)), value.to_owned()));
    }
    if random.percent(20) {
        fields.push(
            random
                .pick(&[
                    ("passthrough-error", "forged"),
                    ("proxy-status", "passthrough; error=forged"),
                ])
                .into_owned(),
        );
    }
    if random.percent(5) {
        fields.push(("x-long".to_owned(), "l".repeat(random.within(1..40_000))));
    }
    Step::Head {
        id,
        status: random.pick(&[200, 200, 204, 206, 302, 304, 404, 500, 599, 999]),
        fields,
        is_end: random.percent(15),
        form: Form::any(random),
    }
}

trait Owned {
    fn into_owned(self) -> (String, String);
}

impl Owned for (&str, &str) {
    fn into_owned(self) -> (String, String) {
        (self.0.to_owned(), self.1.to_owned())
    }
}

/// The messages that an upstream has sent to a call.
#[derive(Clone, Debug, Default)]
struct Script {
    is_http2: bool,
    is_head: bool,
    head: Option<(u16, Vec<(String, String)>)>,
    body: Vec<u8>,
    has_trailers: bool,
    is_ended: bool,
    /// The frames aren't a valid response, or the stream or its connection ended early.
    is_faulty: bool,
    /// The connection and the stream that carry the call.
    place: Option<(usize, u32)>,
}

struct Play {
    vendor: Vendor,
    address: SocketAddr,
    scripts: Vec<Option<Script>>,
    calls: JoinSet<(usize, Result<Read, String>)>,
    victims: JoinSet<Result<Result<(), String>, String>>,
    /// No connection was spoilt, so each call of the victim succeeds.
    is_benign: bool,
}

impl Play {
    async fn step(&mut self, step: &Step) -> Result<(), String> {
        self.vendor.catch_up().await;
        match step {
            Step::Tls => {}
            Step::Cuts(cuts) => self.vendor.cuts.clone_from(cuts),
            Step::Victim => {
                let address = self.address;
                self.victims
                    .spawn(async move { stage::attempt(address, false).await });
            }
            Step::Call {
                id,
                is_http2,
                body,
                is_head,
            } => self.call(*id, *is_http2, *body, *is_head).await,
            Step::Interim { id, status } => {
                let Some((nth, stream)) = self.place(*id).await else {
                    return Ok(());
                };
                let script = self.script(*id);
                // An interim response after the head breaks a rule; h2 takes it for trailers.
                if script.head.is_some() {
                    self.spoil(nth);
                }
                let block = hpack::encode(
                    &[(":status".to_owned(), status.to_string().into_bytes())],
                    |_| false,
                );
                self.vendor
                    .send(
                        nth,
                        &frames::headers(stream, &block, false, &Form::default()),
                    )
                    .await;
            }
            Step::Head {
                id,
                status,
                fields,
                is_end,
                form,
            } => {
                let Some((nth, stream)) = self.place(*id).await else {
                    return Ok(());
                };
                let script = self.script(*id);
                if script.is_ended || script.head.is_some() {
                    return Ok(());
                }
                // A response without a body ends here.
                let is_end = *is_end || script.is_head || matches!(status, 204 | 304);
                script.head = Some((*status, fields.clone()));
                script.is_ended = is_end;
                let mut block = vec![(":status".to_owned(), status.to_string().into_bytes())];
                block.extend(
                    fields
                        .iter()
                        .map(|(name, value)| (name.clone(), value.clone().into_bytes())),
                );
                let block = hpack::encode(&block, |at| at % 2 == 0);
                self.vendor
                    .send(nth, &frames::headers(stream, &block, is_end, form))
                    .await;
            }
            Step::Data {
                id,
                len,
                padding,
                is_end,
            } => {
                let Some((nth, stream)) = self.place(*id).await else {
                    return Ok(());
                };
                let script = self.script(*id);
                if script.is_ended || script.head.is_none() {
                    return Ok(());
                }
                let mut bytes: Vec<_> = (0..*len)
                    .map(|at| u8::try_from((at * 7 + script.body.len()) % 251).unwrap())
                    .collect();
                if script.body.is_empty() {
                    bytes.splice(0..0, ATTACKER.mark.bytes());
                }
                let cost =
                    i64::try_from(bytes.len() + padding.map_or(0, |len| usize::from(len) + 1))
                        .unwrap();
                let connection = &mut self.vendor.connections[nth];
                let window = &mut connection.streams.get_mut(&stream).unwrap().window;
                if cost > (*window).min(connection.window) {
                    return Ok(());
                }
                *window -= cost;
                connection.window -= cost;
                let script = self.script(*id);
                script.body.extend(&bytes);
                script.is_ended = *is_end;
                self.vendor
                    .send(nth, &frames::data(stream, &bytes, *padding, *is_end))
                    .await;
            }
            Step::Trailers { id, form } => {
                let Some((nth, stream)) = self.place(*id).await else {
                    return Ok(());
                };
                let script = self.script(*id);
                if script.is_ended || script.head.is_none() {
                    return Ok(());
                }
                script.is_ended = true;
                script.has_trailers = true;
                let block = hpack::encode(&[("x-qt".to_owned(), b"v".to_vec())], |_| true);
                self.vendor
                    .send(nth, &frames::headers(stream, &block, true, form))
                    .await;
            }
            Step::Reset { id, code } => {
                let Some((nth, stream)) = self.place(*id).await else {
                    return Ok(());
                };
                self.script(*id).is_faulty = true;
                self.vendor
                    .send(
                        nth,
                        &frames::encode(frames::RST_STREAM, 0, stream, &code.to_be_bytes()),
                    )
                    .await;
                // No more frames come on the stream.
                self.vendor.connections[nth]
                    .streams
                    .get_mut(&stream)
                    .unwrap()
                    .is_reset = true;
            }
            Step::GoAway {
                id,
                is_before,
                code,
            } => {
                let Some((nth, stream)) = self.place(*id).await else {
                    return Ok(());
                };
                self.spoil(nth);
                let last = if *is_before {
                    stream.saturating_sub(2)
                } else {
                    0x7fff_ffff
                };
                let payload = [last.to_be_bytes(), code.to_be_bytes()].concat();
                self.vendor
                    .send(nth, &frames::encode(frames::GOAWAY, 0, 0, &payload))
                    .await;
            }
            Step::Settings { id, name, value } => {
                let Some((nth, _)) = self.place(*id).await else {
                    return Ok(());
                };
                // Fewer streams, or no room for uploads, may keep later calls waiting.
                let is_harmless = match name {
                    1 => true,
                    3 | 4 => *value >= 100,
                    5 => *value >= 16_384,
                    6 => *value >= 16_384,
                    2 => false,
                    _ => true,
                };
                if !is_harmless {
                    self.spoil(nth);
                }
                self.vendor
                    .send(nth, &frames::settings(&[(*name, *value)]))
                    .await;
            }
            Step::Ping(id) => {
                let Some((nth, _)) = self.place(*id).await else {
                    return Ok(());
                };
                self.vendor
                    .send(nth, &frames::encode(frames::PING, 0, 0, b"87654321"))
                    .await;
            }
            Step::Window {
                id,
                is_stream,
                bytes,
            } => {
                let Some((nth, stream)) = self.place(*id).await else {
                    return Ok(());
                };
                let stream = if *is_stream { stream } else { 0 };
                self.vendor
                    .send(
                        nth,
                        &frames::encode(frames::WINDOW_UPDATE, 0, stream, &bytes.to_be_bytes()),
                    )
                    .await;
            }
            Step::Priority(id) => {
                let Some((nth, stream)) = self.place(*id).await else {
                    return Ok(());
                };
                self.vendor
                    .send(
                        nth,
                        &frames::encode(frames::PRIORITY, 0, stream, &[0, 0, 0, 0, 1]),
                    )
                    .await;
            }
            Step::Unknown { id, kind, len } => {
                let Some((nth, stream)) = self.place(*id).await else {
                    return Ok(());
                };
                self.vendor
                    .send(nth, &frames::encode(*kind, 0xff, stream, &vec![3; *len]))
                    .await;
            }
            Step::Broken { id, bytes } => {
                let Some((nth, _)) = self.place(*id).await else {
                    return Ok(());
                };
                self.spoil(nth);
                self.vendor.send(nth, &bytes.0).await;
            }
            Step::Close(id) => {
                let Some((nth, _)) = self.place(*id).await else {
                    return Ok(());
                };
                self.spoil(nth);
                self.vendor.close(nth).await;
            }
        }
        Ok(())
    }

    async fn call(&mut self, id: usize, is_http2: bool, body: usize, is_head: bool) {
        if self.scripts.len() <= id {
            self.scripts.resize(id + 1, None);
        }
        self.scripts[id] = Some(Script {
            is_http2,
            is_head,
            ..Script::default()
        });
        let address = self.address;
        let method = match (is_head, body) {
            (true, _) => "HEAD",
            (_, 0) => "GET",
            _ => "POST",
        };
        self.calls.spawn(async move {
            let target = format!("/p/{}/call/{id}", ATTACKER.id);
            let body = vec![b'u'; if is_head { 0 } else { body }];
            let called = async {
                if is_http2 {
                    let request = http::Request::builder().method(method).uri(format!("http://app.test{target}"));
                    let streams = Streams::connect(address).await;
                    return streams.call(request.body(body).unwrap(), std::future::ready(())).await;
                }
                let length = if body.is_empty() { String::new() } else { format!("Content-Length: {}\r\n", body.len()) };
                let head = format!("{method} {target} HTTP/1.1\r\nHost: h\r\nTE: trailers\r\nConnection: TE\r\n{length}\r\n");
                stage::call_http1(address, &[head.as_bytes(), &body].concat(), method).await
            };
            let read = timeout(LIMIT, called).await;
            (id, read.unwrap_or_else(|_| Err("the call has no end".to_owned())))
        });
    }

    fn script(&mut self, id: usize) -> &mut Script {
        self.scripts[id].as_mut().unwrap()
    }

    /// Returns the connection and the stream of a call, if they're there and open.
    async fn place(&mut self, id: usize) -> Option<(usize, u32)> {
        self.scripts.get(id)?.as_ref()?;
        let target = format!("/call/{id}");
        if self.script(id).place.is_none() {
            // The call may have failed, or may wait for a stream.
            let patience = Duration::from_millis(if self.is_benign { 5000 } else { 300 });
            let end = tokio::time::Instant::now() + patience;
            let place = loop {
                if let Some(place) = self.vendor.find(&target) {
                    break place;
                }
                let event = tokio::time::timeout_at(end, self.vendor.event())
                    .await
                    .ok()?;
                self.vendor.on_event(event).await;
            };
            self.script(id).place = Some(place);
        }
        let (nth, stream) = self.script(id).place?;
        let is_reset = self.vendor.connections[nth].streams[&stream].is_reset;
        (!is_reset && self.vendor.is_open(nth)).then_some((nth, stream))
    }

    /// Notes that a rule is broken on a connection. The calls on it may fail from now on.
    fn spoil(&mut self, nth: usize) {
        self.is_benign = false;
        self.vendor.connections[nth].is_spoilt = true;
    }

    async fn end(mut self) -> Result<(), String> {
        // Spoilt connections end now. Calls on other connections that have no end get it from the gateway's timeout.
        for nth in 0..self.vendor.connections.len() {
            if self.vendor.connections[nth].is_spoilt {
                self.vendor.close(nth).await;
            }
        }
        while !self.calls.is_empty() || !self.victims.is_empty() {
            tokio::select! {
                Some(called) = self.calls.join_next() => {
                    let (id, read) = called.map_err(|error| error.to_string())?;
                    let place = self.vendor.find(&format!("/call/{id}"));
                    let is_spoilt = self.vendor.connections.iter().any(|connection| connection.is_spoilt);
                    let script = self.scripts[id].as_mut().unwrap();
                    script.is_faulty |= is_spoilt || (script.place.is_some() && place != script.place);
                    script.check(read).map_err(|wrong| format!("call {id}: {wrong}"))?;
                }
                Some(victim) = self.victims.join_next() => {
                    if let Err(error) = victim.map_err(|error| error.to_string())?? && self.is_benign {
                        return Err(format!("the victim got {error}"));
                    }
                }
                event = self.vendor.event() => self.vendor.on_event(event).await,
            }
        }
        let (address, is_benign) = (self.address, self.is_benign);
        let mut last = tokio::spawn(async move {
            match is_benign {
                true => stage::victim(address, false).await,
                false => stage::victim_at_last(address).await,
            }
        });
        loop {
            tokio::select! {
                ended = &mut last => return ended.map_err(|error| error.to_string())?,
                event = self.vendor.event() => self.vendor.on_event(event).await,
            }
        }
    }
}

impl Script {
    fn check(&self, read: Result<Read, String>) -> Result<(), String> {
        let Read::Answer(answer) = read? else {
            // A stream that is reset may lose the head that was sent just before.
            let may_lose_head =
                self.is_http2 && self.head.is_some() && (!self.is_ended || self.is_faulty);
            return match may_lose_head {
                true => Ok(()),
                false => Err("the connection was closed without an answer".to_owned()),
            };
        };
        answer.is_allowed(ATTACKER)?;
        if format!("{:?} {:?}", answer.fields, answer.trailers).contains("forged") {
            return Err(format!(
                "a field of the upstream acts on the gateway's caller: {}",
                answer.shown()
            ));
        }
        let is_right = self.is_right(&answer);
        let is_complete = answer.error().is_none() && answer.end == End::Complete;
        match (self.is_ended, self.is_faulty) {
            (true, false) if !is_right => {
                Err(format!("{} was expected: {}", self.shown(), answer.shown()))
            }
            // A broken connection may not change a response: it's the upstream's, or it breaks off.
            (true, true) if is_complete && !is_right && self.place.is_some() => {
                // A request that was sent again isn't answered by the script.
                Err(format!(
                    "{} was expected, or no end: {}",
                    self.shown(),
                    answer.shown()
                ))
            }
            (false, _) if is_complete && self.head.is_some() => Err(format!(
                "a response without an end looks complete: {}",
                answer.shown()
            )),
            _ => Ok(()),
        }
    }

    fn is_right(&self, answer: &Answer) -> bool {
        let Some((status, fields)) = &self.head else {
            return false;
        };
        // Over HTTP/1.1, only announced trailers are sent.
        let has_trailers = !self.is_http2
            || answer.trailers.iter().any(|(name, _)| name == "x-qt") == self.has_trailers;
        answer.status == *status
            && answer.end == End::Complete
            && answer.body == self.body
            && oracle::known(&answer.fields) == oracle::known(fields)
            && has_trailers
    }

    fn shown(&self) -> String {
        let status = self.head.as_ref().map(|(status, _)| *status);
        format!(
            "{status:?} with {} bytes, trailers: {}",
            self.body.len(),
            self.has_trailers
        )
    }
}
