//! An HTTP/2 connection, which is driven by its own task.

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

use super::MAX_STREAMS;
use super::frames::{Frames, Streams};
use super::unread::{CONNECTION_WINDOW, Share, Unread};
use crate::body::poll_unbudgeted;
use crate::client::connect::Stream;
use crate::client::error::{TransportError, TransportErrorKind};

/// The number of streams that were reset by this side and whose late frames are ignored (RFC 9113 §5.1). h2 would answer late frames of
/// other streams with RST_STREAM, and end the connection after too many of them.
const MAX_REMEMBERED_RESETS: usize = 4096;
/// The time for which frames of a stream that was reset may be late.
const RESET_MEMORY: Duration = Duration::from_secs(30);
/// The number of late frames, and of frames with errors, after which h2 ends the connection.
const MAX_STREAM_ERRORS: usize = 65_536;
/// The maximum number of bytes of an upload that are buffered until the upstream accepts more data.
const MAX_SEND_BUFFER_SIZE: usize = 256 * 1024;
/// The maximum size of the fields of a response, in bytes.
const MAX_HEADER_LIST_SIZE: u32 = 64 * 1024;
/// The maximum number of streams before the upstream's SETTINGS have arrived.
const INITIAL_MAX_STREAMS: usize = MAX_STREAMS as usize;
/// The interval between pings on a connection in use.
const PING_INTERVAL: Duration = Duration::from_secs(30);
/// The time limit for the answer to a ping.
const PING_TIMEOUT: Duration = Duration::from_secs(20);

/// The settings of connections.
#[derive(Clone)]
pub(crate) struct Settings {
    builder: Builder,
    unread: Arc<Unread>,
}

impl Settings {
    pub(crate) fn new() -> Self {
        let mut builder = Builder::new();
        builder
            .initial_connection_window_size(CONNECTION_WINDOW)
            .max_header_list_size(MAX_HEADER_LIST_SIZE)
            .max_send_buffer_size(MAX_SEND_BUFFER_SIZE)
            .initial_max_send_streams(INITIAL_MAX_STREAMS)
            .max_concurrent_reset_streams(MAX_REMEMBERED_RESETS)
            .reset_stream_duration(RESET_MEMORY)
            .max_local_error_reset_streams(Some(MAX_STREAM_ERRORS))
            .enable_push(false);
        Self {
            builder,
            unread: Arc::default(),
        }
    }
}

/// A connection that many calls use at the same time. The connection is closed when its last clone
/// and its last stream have been dropped.
#[derive(Clone)]
pub(crate) struct Http2 {
    pub(super) sender: SendRequest<Bytes>,
    /// The number of streams in use.
    streams: Arc<AtomicUsize>,
    /// The streams with their responses.
    pub(super) inboxes: Arc<Streams>,
}

/// The reason why a connection takes no new streams.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Closed {
    /// The upstream complained about too many calls (ENHANCE_YOUR_CALM).
    pub(crate) is_busy: bool,
}

impl Http2 {
    /// Performs the handshake over `stream`, and drives the connection in a task.
    ///
    /// `on_end` is called when the connection has ended, with `true` if the upstream complained about
    /// too many calls (ENHANCE_YOUR_CALM). `on_activity` is called after each event, with `true` if
    /// the upstream has raised its stream limit.
    pub(crate) async fn handshake(
        stream: Stream,
        settings: &Settings,
        on_end: impl FnOnce(bool) + Send + 'static,
        on_activity: impl Fn(bool) + Send + Sync + 'static,
    ) -> Result<Self, TransportError> {
        let inboxes = Arc::new(Streams::new(Share::new(Arc::clone(&settings.unread))));
        let stream = Frames::new(stream, Arc::clone(&inboxes));
        let window = inboxes.unread().first_window();
        let mut builder = settings.builder.clone();
        let shaken = builder.initial_window_size(window).handshake(stream).await;
        let (sender, mut connection) =
            shaken.map_err(|error| TransportError::new(TransportErrorKind::Unsent, error))?;
        let streams = Arc::new(AtomicUsize::new(0));
        let pings = connection.ping_pong();
        let in_use = Arc::clone(&streams);
        let frames = Arc::clone(&inboxes);
        tokio::spawn(async move {
            let is_busy = drive(connection, window, pings, &in_use, &frames, on_activity).await;
            on_end(is_busy);
        });
        Ok(Self {
            sender,
            streams,
            inboxes,
        })
    }

    /// Returns the maximum number of streams: the number that the upstream permits, but at most [`MAX_STREAMS`]. Before the upstream's
    /// SETTINGS have arrived, it's 1, because the calls beyond the upstream's limit would wait in h2, and couldn't use another connection.
    pub(crate) fn max_streams(&self) -> usize {
        if !self.inboxes.has_settings() {
            return 1;
        }
        self.sender
            .current_max_send_streams()
            .min(MAX_STREAMS as usize)
    }

    /// Returns `true` if the upstream's SETTINGS have arrived.
    pub(crate) fn has_settings(&self) -> bool {
        self.inboxes.has_settings()
    }

    /// Checks that new streams can be opened.
    ///
    /// # Errors
    ///
    /// [`Closed`] after a GOAWAY, or if the connection has ended.
    pub(crate) fn check_open(&mut self) -> Result<(), Closed> {
        let mut cx = Context::from_waker(Waker::noop());
        match self.sender.poll_ready(&mut cx) {
            Poll::Ready(Err(error)) => Err(Closed {
                is_busy: error.is_remote() && error.reason() == Some(Reason::ENHANCE_YOUR_CALM),
            }),
            _ => Ok(()),
        }
    }

    /// Counts a stream as in use.
    pub(crate) fn add_stream(&self) {
        self.streams.fetch_add(1, Ordering::Relaxed);
    }

    /// Counts a stream as ended.
    pub(crate) fn remove_stream(&self) {
        self.streams.fetch_sub(1, Ordering::Relaxed);
    }

    /// Returns the number of streams in use.
    pub(crate) fn streams(&self) -> usize {
        self.streams.load(Ordering::Relaxed)
    }
}

/// Drives the connection to its end. Returns `true` if the upstream ended the connection because of
/// too many calls.
async fn drive(
    connection: Connection<Frames<Stream>, Bytes>,
    mut window: u32,
    mut pings: Option<PingPong>,
    streams: &AtomicUsize,
    inboxes: &Streams,
    on_activity: impl Fn(bool),
) -> bool {
    let permitted = |connection: &Connection<Frames<Stream>, Bytes>| match inboxes.has_settings() {
        true => connection.max_concurrent_send_streams(),
        false => 1,
    };
    let mut max_streams = permitted(&connection);
    let mut connection = pin!(connection);
    let mut has_yielded = false;
    let mut unanswered = pin!(async {
        match &mut pings {
            Some(pings) => until_unanswered(pings, streams).await,
            None => std::future::pending().await,
        }
    });
    poll_fn(|cx| {
        // The tasks that are ready now may have requests as well. After them, one write sends the requests of all.
        let has_requests = inboxes.take_new_requests();
        has_yielded = has_requests && !has_yielded;
        if has_yielded {
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        if let Poll::Ready(ended) = connection.as_mut().poll(cx) {
            let error = ended.err().filter(h2::Error::is_remote);
            let reason = error.and_then(|error| error.reason());
            return Poll::Ready(reason == Some(Reason::ENHANCE_YOUR_CALM));
        }
        inboxes.relieve();
        let wanted = inboxes.unread().window(window);
        // While the upstream hasn't confirmed earlier SETTINGS, this fails, and a later poll tries again.
        if wanted != window && connection.set_initial_window_size(wanted).is_ok() {
            window = wanted;
            cx.waker().wake_by_ref();
        }
        let before = std::mem::replace(&mut max_streams, permitted(&connection));
        on_activity(max_streams > before);
        poll_unbudgeted(cx, |cx| unanswered.as_mut().poll(cx)).map(|()| false)
    })
    .await
}

/// Sends pings, and returns when a ping isn't answered in time. While the connection is idle, no
/// ping is sent.
async fn until_unanswered(pings: &mut PingPong, streams: &AtomicUsize) {
    loop {
        sleep(PING_INTERVAL).await;
        if streams.load(Ordering::Relaxed) == 0 {
            continue;
        }
        let answered = timeout(PING_TIMEOUT, pings.ping(Ping::opaque())).await;
        if !matches!(answered, Ok(Ok(_))) {
            return;
        }
    }
}
