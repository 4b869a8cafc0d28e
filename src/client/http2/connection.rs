//! A connection, and the task that drives it.

use std::future::{Future as _, poll_fn};
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use bytes::Bytes;
use h2::client::{Builder, Connection, SendRequest};
use h2::{Ping, PingPong, Reason};
use tokio::time::{sleep, timeout};

use crate::client::connect::Stream;
use crate::client::error::{TransportError, TransportErrorKind};

/// In bytes. A stream's window is far below the connection's, so that stalled callers can't stop
/// those of other tenants: 64 of them can stall before the connection does (FORWARDING K10).
const STREAM_WINDOW: u32 = 256 * 1024;
const CONNECTION_WINDOW: u32 = 16 * 1024 * 1024;
/// What is taken of an upload before the vendor has room for it, in bytes.
const SEND_BUFFER: usize = 256 * 1024;
/// The longest list of fields of a response, in bytes (FORWARDING H22).
const HEAD: u32 = 64 * 1024;
/// The streams that are opened before the vendor has said how many it takes.
const UNSAID: usize = 100;
/// How long a connection in use goes without being asked, and how long it has to answer.
const PING: Duration = Duration::from_secs(30);
const PONG: Duration = Duration::from_secs(20);

/// What is changed of h2's defaults.
#[derive(Clone)]
pub(in crate::client) struct Settings(Builder);

impl Settings {
    pub(in crate::client) fn new() -> Self {
        let mut builder = Builder::new();
        builder
            .initial_window_size(STREAM_WINDOW)
            .initial_connection_window_size(CONNECTION_WINDOW)
            .max_header_list_size(HEAD)
            .max_send_buffer_size(SEND_BUFFER)
            .initial_max_send_streams(UNSAID)
            .enable_push(false);
        Self(builder)
    }
}

/// A connection that many calls use at once. It's closed when its last clone, and the last stream,
/// are gone.
#[derive(Clone)]
pub(in crate::client) struct Http2 {
    pub(super) sender: SendRequest<Bytes>,
    /// The streams in use.
    streams: Arc<AtomicUsize>,
}

/// A connection takes no new streams.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::client) struct Closed {
    /// The vendor said that it's called too much (ENHANCE_YOUR_CALM).
    pub(in crate::client) is_busy: bool,
}

impl Http2 {
    /// A connection over that stream, driven by a task of its own. `ended` is told, and whether the
    /// vendor said that it's called too much (ENHANCE_YOUR_CALM); `moved`, each time something has
    /// happened, and whether the vendor takes more streams at once than before.
    pub(in crate::client) async fn over(
        stream: Stream,
        settings: &Settings,
        ended: impl FnOnce(bool) + Send + 'static,
        moved: impl Fn(bool) + Send + Sync + 'static,
    ) -> Result<Self, TransportError> {
        let shaken = settings.0.handshake::<_, Bytes>(stream).await;
        let (sender, mut connection) =
            shaken.map_err(|error| TransportError::new(TransportErrorKind::Unsent, error))?;
        let streams = Arc::new(AtomicUsize::new(0));
        let pings = connection.ping_pong();
        let in_use = Arc::clone(&streams);
        tokio::spawn(async move { ended(drive(connection, pings, &in_use, moved).await) });
        Ok(Self { sender, streams })
    }

    /// How many streams the vendor takes at once, as far as it has said.
    pub(in crate::client) fn max_streams(&self) -> usize {
        self.sender.current_max_send_streams()
    }

    /// Whether new streams may be opened: not once the vendor has said GOAWAY, or is gone.
    pub(in crate::client) fn look(&mut self) -> Result<(), Closed> {
        let mut cx = Context::from_waker(Waker::noop());
        match self.sender.poll_ready(&mut cx) {
            Poll::Ready(Err(error)) => Err(Closed {
                is_busy: error.is_remote() && error.reason() == Some(Reason::ENHANCE_YOUR_CALM),
            }),
            _ => Ok(()),
        }
    }

    /// Counts one stream more, or one less.
    pub(in crate::client) fn count(&self, opened: bool) {
        if opened {
            self.streams.fetch_add(1, Ordering::Relaxed);
        } else {
            self.streams.fetch_sub(1, Ordering::Relaxed);
        }
    }

    pub(in crate::client) fn streams(&self) -> usize {
        self.streams.load(Ordering::Relaxed)
    }
}

/// Drives the connection to its end. Whether the vendor ended it as it's called too much.
async fn drive(
    connection: Connection<Stream, Bytes>,
    mut pings: Option<PingPong>,
    streams: &AtomicUsize,
    moved: impl Fn(bool),
) -> bool {
    let mut room = connection.max_concurrent_send_streams();
    let mut connection = pin!(connection);
    let mut dead = pin!(async {
        match &mut pings {
            Some(pings) => until_dead(pings, streams).await,
            None => std::future::pending().await,
        }
    });
    poll_fn(|cx| {
        if let Poll::Ready(ended) = connection.as_mut().poll(cx) {
            let error = ended.err().filter(h2::Error::is_remote);
            let reason = error.and_then(|error| error.reason());
            return Poll::Ready(reason == Some(Reason::ENHANCE_YOUR_CALM));
        }
        let before = std::mem::replace(&mut room, connection.max_concurrent_send_streams());
        moved(room > before);
        dead.as_mut().poll(cx).map(|()| false)
    })
    .await
}

/// Ends if the vendor leaves a ping unanswered. An idle connection isn't asked.
async fn until_dead(pings: &mut PingPong, streams: &AtomicUsize) {
    loop {
        sleep(PING).await;
        if streams.load(Ordering::Relaxed) == 0 {
            continue;
        }
        let answered = timeout(PONG, pings.ping(Ping::opaque())).await;
        if !matches!(answered, Ok(Ok(_))) {
            return;
        }
    }
}
