//! The connections of an upstream that speaks HTTP/2 frame by frame. Requests of the victim are answered at once; those of the attacker
//! wait for the frames of the test.

use std::collections::HashMap;
use std::net::SocketAddr;

use testkit::certificates;
use testkit::h2_frames::PREFACE;
use testkit::io::Io;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, ReadHalf, WriteHalf};
use tokio::sync::mpsc;
use tokio::task::JoinSet;

use super::frames::{self, Form, Frame};
use super::hpack::{self, Decoder};
use super::oracle::{self, ATTACKER, Tenant, VICTIM};
use super::stage;

/// A stream that the gateway opened.
pub(crate) struct Stream {
    pub(crate) tenant: Tenant,
    pub(crate) method: String,
    pub(crate) target: String,
    pub(crate) body: Vec<u8>,
    pub(crate) is_whole: bool,
    pub(crate) is_reset: bool,
    /// The room that is left for data to the gateway.
    pub(crate) window: i64,
}

pub(crate) struct Connection {
    write: Option<WriteHalf<Io>>,
    decoder: Decoder,
    block: Vec<u8>,
    pub(crate) streams: HashMap<u32, Stream>,
    pub(crate) window: i64,
    initial: i64,
    /// The upstream broke a rule on it.
    pub(crate) is_spoilt: bool,
}

pub(crate) enum Event {
    Opened(Io),
    Frame(usize, Frame),
    Left(usize),
}

pub(crate) struct Vendor {
    pub(crate) connections: Vec<Connection>,
    address: SocketAddr,
    is_secure: bool,
    events: mpsc::UnboundedReceiver<Event>,
    sender: mpsc::UnboundedSender<Event>,
    tasks: JoinSet<()>,
    /// The sizes of the pieces in which frames are written.
    pub(crate) cuts: Vec<usize>,
    /// The settings in the first frame of each connection.
    settings: Vec<(u16, u32)>,
}

impl Vendor {
    pub(crate) async fn bind(is_secure: bool, settings: Vec<(u16, u32)>) -> Self {
        let listener = stage::listener().await;
        let address = listener.local_addr().unwrap();
        let (sender, events) = mpsc::unbounded_channel();
        let mut tasks = JoinSet::new();
        let opened = sender.clone();
        tasks.spawn(async move {
            let tls = is_secure.then(|| certificates::acceptor("vendor.test", &["h2"]));
            while let Ok((socket, _)) = listener.accept().await {
                let _ = socket.set_nodelay(true);
                let io = match &tls {
                    None => Io::Plain(socket),
                    Some(tls) => match tls.accept(socket).await {
                        Ok(stream) => Io::Tls(Box::new(stream)),
                        Err(_) => continue,
                    },
                };
                let _ = opened.send(Event::Opened(io));
            }
        });
        Self {
            connections: Vec::new(),
            address,
            is_secure,
            events,
            sender,
            tasks,
            cuts: Vec::new(),
            settings,
        }
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Waits for the next event, which the caller must handle. May be cancelled.
    pub(crate) async fn event(&mut self) -> Event {
        self.events.recv().await.unwrap()
    }

    /// Handles the events that are there by now.
    pub(crate) async fn catch_up(&mut self) {
        while let Ok(event) = self.events.try_recv() {
            self.on_event(event).await;
        }
    }

    pub(crate) async fn on_event(&mut self, event: Event) {
        match event {
            Event::Opened(io) => {
                let nth = self.connections.len();
                let (read, write) = tokio::io::split(io);
                self.connections.push(Connection {
                    write: Some(write),
                    decoder: Decoder::default(),
                    block: Vec::new(),
                    streams: HashMap::new(),
                    window: 65_535,
                    initial: 65_535,
                    is_spoilt: false,
                });
                self.tasks.spawn(receive(read, nth, self.sender.clone()));
                let settings = frames::settings(&self.settings);
                self.send(nth, &settings).await;
            }
            Event::Left(nth) => self.connections[nth].write = None,
            Event::Frame(nth, frame) => self.on_frame(nth, frame).await,
        }
    }

    async fn on_frame(&mut self, nth: usize, frame: Frame) {
        let connection = &mut self.connections[nth];
        let is_end = matches!(frame.kind, frames::HEADERS | frames::DATA)
            && frame.flags & frames::END_STREAM != 0;
        let mut answers = Vec::new();
        match frame.kind {
            frames::SETTINGS if frame.flags & frames::ACK == 0 => {
                for pair in frame.payload.chunks(6) {
                    let value = i64::from(u32::from_be_bytes(pair[2..6].try_into().unwrap()));
                    if pair[..2] == [0, 4] {
                        let more = value - connection.initial;
                        connection
                            .streams
                            .values_mut()
                            .for_each(|stream| stream.window += more);
                        connection.initial = value;
                    }
                }
                answers.push(frames::encode(frames::SETTINGS, frames::ACK, 0, &[]));
            }
            frames::PING if frame.flags & frames::ACK == 0 => {
                answers.push(frames::encode(frames::PING, frames::ACK, 0, &frame.payload));
            }
            frames::WINDOW_UPDATE => {
                let bytes = i64::from(u32::from_be_bytes(frame.payload[..4].try_into().unwrap()));
                if frame.stream == 0 {
                    connection.window += bytes;
                } else if let Some(stream) = connection.streams.get_mut(&frame.stream) {
                    stream.window += bytes;
                }
            }
            frames::HEADERS | frames::CONTINUATION => {
                connection.block.extend(frames::content(&frame));
                if frame.flags & frames::END_HEADERS != 0 {
                    let block = std::mem::take(&mut connection.block);
                    let fields = connection.decoder.decode(&block);
                    let window = connection.initial;
                    let stream = connection.streams.entry(frame.stream);
                    stream.or_insert_with(|| opened(&fields, window));
                }
            }
            frames::DATA => {
                if let Some(stream) = connection.streams.get_mut(&frame.stream) {
                    stream.body.extend(frames::content(&frame));
                }
                let len = u32::try_from(frame.payload.len()).unwrap();
                if len > 0 {
                    answers.push(frames::encode(
                        frames::WINDOW_UPDATE,
                        0,
                        0,
                        &len.to_be_bytes(),
                    ));
                    if !is_end {
                        answers.push(frames::encode(
                            frames::WINDOW_UPDATE,
                            0,
                            frame.stream,
                            &len.to_be_bytes(),
                        ));
                    }
                }
            }
            frames::RST_STREAM => {
                if let Some(stream) = connection.streams.get_mut(&frame.stream) {
                    stream.is_reset = true;
                }
            }
            _ => {}
        }
        if is_end && let Some(stream) = connection.streams.get_mut(&frame.stream) {
            stream.is_whole = true;
            if stream.tenant == VICTIM {
                answers.push(honest_answer(frame.stream, stream));
            }
        }
        for answer in answers {
            self.send(nth, &answer).await;
        }
    }

    /// Writes bytes to a connection, in pieces.
    pub(crate) async fn send(&mut self, nth: usize, bytes: &[u8]) {
        let cuts = self.cuts.clone();
        let Some(write) = &mut self.connections[nth].write else {
            return;
        };
        let mut is_written = true;
        for piece in super::random::pieces(bytes, &cuts) {
            is_written &= write.write_all(piece).await.is_ok() && write.flush().await.is_ok();
            if !cuts.is_empty() {
                tokio::task::yield_now().await;
            }
        }
        if !is_written {
            self.connections[nth].write = None;
        }
    }

    /// Ends a connection.
    pub(crate) async fn close(&mut self, nth: usize) {
        if let Some(mut write) = self.connections[nth].write.take() {
            let _ = write.shutdown().await;
        }
    }

    pub(crate) fn is_open(&self, nth: usize) -> bool {
        self.connections[nth].write.is_some()
    }

    /// Returns the connection and the stream of the attacker's latest request for this target.
    pub(crate) fn find(&self, target: &str) -> Option<(usize, u32)> {
        let connections = self.connections.iter().enumerate().rev();
        let mut found = connections.filter_map(|(nth, connection)| {
            let streams = connection
                .streams
                .iter()
                .filter(|(_, stream)| stream.target == target);
            Some((nth, *streams.map(|(id, _)| id).max()?))
        });
        found.next()
    }
}

impl testkit::gateway::Origin for Vendor {
    fn origin(&self) -> String {
        let scheme = if self.is_secure { "https" } else { "http" };
        format!("{scheme}://vendor.test:{}", self.address.port())
    }
}

async fn receive(mut read: ReadHalf<Io>, nth: usize, sender: mpsc::UnboundedSender<Event>) {
    let mut preface = [0; 24];
    if read.read_exact(&mut preface).await.is_ok() {
        assert_eq!(preface, PREFACE);
        while let Some(frame) = frames::read(&mut read).await {
            let _ = sender.send(Event::Frame(nth, frame));
        }
    }
    let _ = sender.send(Event::Left(nth));
}

fn opened(fields: &[(String, String)], window: i64) -> Stream {
    let value = |wanted: &str| {
        let values = testkit::head::values(fields, wanted);
        assert_eq!(values.len(), 1, "{wanted}: {fields:?}");
        values[0].to_owned()
    };
    let credential = value("authorization");
    let tenant = [ATTACKER, VICTIM]
        .into_iter()
        .find(|tenant| credential == format!("Bearer {}", tenant.secret));
    Stream {
        tenant: tenant.expect("a tenant"),
        method: value(":method"),
        target: value(":path"),
        body: Vec::new(),
        is_whole: false,
        is_reset: false,
        window,
    }
}

fn honest_answer(id: u32, stream: &Stream) -> Vec<u8> {
    let text = oracle::echo(
        stream.tenant,
        &stream.method,
        &stream.target,
        &[],
        &stream.body,
        &[],
    );
    let block = hpack::encode(&[(":status".to_owned(), b"200".to_vec())], |_| false);
    let mut bytes = frames::headers(id, &block, false, &Form::default());
    bytes.extend(frames::data(id, text.as_bytes(), None, true));
    bytes
}
