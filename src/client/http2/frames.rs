//! The frames that an upstream sends, as they pass on their way to h2.
//!
//! h2 ends a whole connection, with the streams of all tenants on it, if too many small DATA frames wait for their callers, or after 100
//! empty DATA frames. Either can be brought about by a single caller that doesn't read, at an upstream that does nothing wrong. So this
//! module counts the small frames of each stream. If a stream has too many, its data is moved out of h2 into one piece ([`Inbox`]), so
//! that a caller that doesn't read costs only the flow-control window of its own stream. Empty frames aren't passed on.
//!
//! Rules: `docs/rules/security.md#6-resources-that-may-be-used-up`.

use std::collections::HashMap;
use std::io;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker, ready};

use bytes::{Bytes, BytesMut};
use foldhash::quality::RandomState;
use h2::{Reason, RecvStream};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::Instant;

use super::pace::Pace;
use super::unread::Share;
use crate::body::SMALL_SIZE;

/// The size of a frame's header (RFC 9113 §4.1), in bytes.
const HEADER_SIZE: usize = 9;
/// The minimum room of a buffer that bytes are read into directly.
const MIN_ROOM: usize = 64;
const DATA: u8 = 0;
const HEADERS: u8 = 1;
const SETTINGS: u8 = 4;
const WINDOW_UPDATE: u8 = 8;
/// A flag of SETTINGS frames, with the same value as [`END_STREAM`].
const ACK: u8 = 0x1;
const END_STREAM: u8 = 0x1;
const PADDED: u8 = 0x8;

/// The number of small frames that a stream may have in h2 before its data is moved. With [`MAX_STREAMS`](super::MAX_STREAMS) streams,
/// that stays below h2's budget, which is half of the connection's window.
const MAX_SMALL_FRAMES: u32 = 256;
/// The number of HEADERS frames after which the connection's task lets other tasks run, so that interim responses are read, and
/// counted, before more of them arrive.
const MAX_HEADERS_PER_TURN: u32 = 32;

/// The streams of a connection that have a response, or wait for it.
#[derive(Default)]
pub(super) struct Streams {
    inboxes: Mutex<HashMap<u32, Arc<Inbox>, RandomState>>,
    /// The streams whose data must be moved out of h2.
    crowded: Mutex<Vec<Arc<Inbox>>>,
    /// The upstream has sent its first SETTINGS, with its limit for streams.
    has_settings: AtomicBool,
    /// A request was queued in h2 since the connection's task last asked.
    has_new_requests: AtomicBool,
    unread: Share,
    /// The small frames that this side has sent.
    pace: Pace,
}

impl Streams {
    pub(super) fn new(unread: Share) -> Self {
        Self {
            unread,
            ..Self::default()
        }
    }

    pub(super) fn unread(&self) -> &Share {
        &self.unread
    }

    /// Adds a stream whose request has been queued in h2. It's removed when the returned value is dropped.
    pub(super) fn add(self: &Arc<Self>, id: u32) -> Registered {
        let inbox = Arc::new(Inbox::default());
        lock(&self.inboxes).insert(id, Arc::clone(&inbox));
        self.has_new_requests.store(true, Ordering::Relaxed);
        Registered {
            streams: Arc::clone(self),
            id,
            inbox,
        }
    }

    /// Returns `true` if the upstream's SETTINGS have arrived.
    pub(super) fn has_settings(&self) -> bool {
        self.has_settings.load(Ordering::Relaxed)
    }

    /// Returns `true` if streams were added since the last call.
    pub(super) fn take_new_requests(&self) -> bool {
        self.has_new_requests.swap(false, Ordering::Relaxed)
    }

    /// Moves the data of streams with many small frames out of h2. The connection's task calls it after each poll of the connection.
    pub(super) fn relieve(&self) {
        let crowded = std::mem::take(&mut *lock(&self.crowded));
        for inbox in crowded {
            inbox.relieve();
        }
    }

    /// Handles a WINDOW_UPDATE: the upstream has read a part of the stream's upload.
    fn on_window_update(&self, id: u32) {
        if let Some(inbox) = lock(&self.inboxes).get(&id) {
            self.pace
                .remove(inbox.small_sent.swap(0, Ordering::Relaxed));
        }
    }

    /// Counts a DATA frame of a stream. Returns `true` if the connection's task must move or drop data now.
    fn on_data(&self, id: u32, payload: usize, is_small: bool) -> bool {
        let inboxes = lock(&self.inboxes);
        let Some(inbox) = inboxes.get(&id) else {
            return false;
        };
        let of_stream = inbox.unread.fetch_add(payload, Ordering::Relaxed) + payload;
        if !self.unread.add(payload, of_stream) && !inbox.is_cut.swap(true, Ordering::Relaxed) {
            let inbox = Arc::clone(inbox);
            drop(inboxes);
            lock(&self.crowded).push(inbox);
            return true;
        }
        if !is_small {
            return false;
        }
        let count = inbox.small_frames.fetch_add(1, Ordering::Relaxed) + 1;
        if count < MAX_SMALL_FRAMES {
            return false;
        }
        // Once it's in the list, it needs no second entry.
        if count == MAX_SMALL_FRAMES {
            let inbox = Arc::clone(inbox);
            drop(inboxes);
            lock(&self.crowded).push(inbox);
        }
        true
    }
}

/// A stream in [`Streams`].
pub(super) struct Registered {
    streams: Arc<Streams>,
    id: u32,
    inbox: Arc<Inbox>,
}

impl Registered {
    pub(super) fn inbox(&self) -> &Inbox {
        &self.inbox
    }

    /// Returns the counter of the small frames that the upload of this stream sends.
    pub(super) fn small_frames(&self) -> SmallFrames {
        SmallFrames {
            streams: Arc::clone(&self.streams),
            inbox: Arc::clone(&self.inbox),
        }
    }

    /// Returns the next data, and lets the upstream send as many bytes more as were returned before. The caller has sent these on, or
    /// it wouldn't ask for more.
    pub(super) fn poll_data(&self, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, h2::Error>>> {
        self.inbox.poll_data(cx, &self.streams.unread)
    }
}

impl Drop for Registered {
    fn drop(&mut self) {
        let inbox = lock(&self.streams.inboxes).remove(&self.id);
        drop(inbox);
        // No more bytes are counted.
        let unread = self.inbox.unread.swap(0, Ordering::Relaxed);
        self.streams.unread.remove(unread);
        self.inbox.has_ended.store(true, Ordering::SeqCst);
        let small = self.inbox.small_sent.swap(0, Ordering::SeqCst);
        self.streams.pace.remove(small);
        // The list of crowded streams may hold the inbox a little longer. The stream ends now.
        let stream = self.inbox.content().stream.take();
        drop(stream);
    }
}

/// Counts the small frames of an upload.
pub(super) struct SmallFrames {
    streams: Arc<Streams>,
    inbox: Arc<Inbox>,
}

impl SmallFrames {
    /// Counts a small frame that is sent.
    pub(super) fn count(&self) {
        self.streams.pace.count();
        self.inbox.small_sent.fetch_add(1, Ordering::Relaxed);
    }

    /// Checks that a small frame may be sent now, as [`Pace::check`] does.
    ///
    /// # Errors
    ///
    /// The time at which to ask again.
    pub(super) fn check(&self, shared: bool) -> Result<(), Instant> {
        // A stream without unread frames is never held back by the frames of others.
        match self.unread() {
            0 => Ok(()),
            _ => self.streams.pace.check(shared),
        }
    }

    /// Returns the number of small frames of the stream that the upstream may not have read.
    pub(super) fn unread(&self) -> u32 {
        self.inbox.small_sent.load(Ordering::Relaxed)
    }
}

impl Drop for SmallFrames {
    fn drop(&mut self) {
        // The frames of an upload that ends before its response may be unread, so they are counted until the response ends.
        if self.inbox.has_ended.load(Ordering::SeqCst) {
            let small = self.inbox.small_sent.swap(0, Ordering::SeqCst);
            self.streams.pace.remove(small);
        }
    }
}

/// The data of a response that its caller hasn't read yet.
#[derive(Default)]
pub(super) struct Inbox {
    /// The number of small frames that h2 has for the stream.
    small_frames: AtomicU32,
    /// The number of small frames that this side has sent, and that the upstream may not have read.
    small_sent: AtomicU32,
    /// The call has ended, so the frames that are still sent are removed by the upload.
    has_ended: AtomicBool,
    /// The number of bytes that have arrived and that the caller hasn't read.
    unread: AtomicUsize,
    /// The stream is reset, because its upstream sends more than the windows permit while too many bytes are unread.
    is_cut: AtomicBool,
    content: Mutex<Content>,
}

#[derive(Default)]
struct Content {
    /// `None` before the response.
    stream: Option<RecvStream>,
    /// The data that was moved out of h2. Its part of the stream's window is released when the caller has read it.
    moved: BytesMut,
    /// The number of bytes that were returned last. Their part of the stream's window hasn't been released yet.
    returned: usize,
    /// The end of the data, if it was found while data was moved.
    end: Option<Result<(), h2::Error>>,
    /// The task that waits for data.
    waker: Option<Waker>,
}

impl Inbox {
    /// Sets the stream of the response.
    pub(super) fn set_stream(&self, stream: RecvStream) {
        self.content().stream = Some(stream);
        if self.small_frames.load(Ordering::Relaxed) >= MAX_SMALL_FRAMES {
            self.relieve();
        }
    }

    /// Moves the data of the stream out of h2, or resets the stream and drops its data.
    fn relieve(&self) {
        let mut content = self.content();
        let content = &mut *content;
        if self.is_cut.load(Ordering::Relaxed) {
            content.moved = BytesMut::new();
            content.end = Some(Err(Reason::ENHANCE_YOUR_CALM.into()));
            drop(content.stream.take());
            if let Some(waker) = content.waker.take() {
                waker.wake();
            }
            return;
        }
        let Some(stream) = &mut content.stream else {
            // Before the response there is no data, because h2 rejects data before a response.
            return;
        };
        let mut cx = Context::from_waker(Waker::noop());
        while content.end.is_none() {
            match stream.poll_data(&mut cx) {
                Poll::Ready(Some(Ok(data))) => content.moved.extend_from_slice(&data),
                Poll::Ready(Some(Err(error))) => content.end = Some(Err(error)),
                Poll::Ready(None) => content.end = Some(Ok(())),
                Poll::Pending => break,
            }
        }
        self.small_frames.store(0, Ordering::Relaxed);
        // h2 knows only the last waker, which was replaced above.
        if let Some(waker) = content.waker.take() {
            waker.wake();
        }
    }

    fn poll_data(
        &self,
        cx: &mut Context<'_>,
        unread: &Share,
    ) -> Poll<Option<Result<Bytes, h2::Error>>> {
        let mut content = self.content();
        let content = &mut *content;
        let Some(stream) = &mut content.stream else {
            return Poll::Ready(content.end.take().and_then(Result::err).map(Err));
        };
        let read = std::mem::take(&mut content.returned);
        if read > 0 {
            // The release fails only if the stream has ended, and then there is no window to update.
            let _ = stream.flow_control().release_capacity(read);
            // Bytes that came before the stream was added haven't been counted.
            let counted = read.min(self.unread.load(Ordering::Relaxed));
            self.unread.fetch_sub(counted, Ordering::Relaxed);
            unread.remove(counted);
        }
        let data = if content.moved.is_empty() {
            match content.end.take() {
                Some(Err(error)) => return Poll::Ready(Some(Err(error))),
                Some(Ok(())) => return Poll::Ready(None),
                None => {}
            }
            let polled = stream.poll_data(cx);
            if polled.is_pending() {
                content.waker = Some(cx.waker().clone());
            }
            match ready!(polled) {
                Some(Ok(data)) => data,
                end => return Poll::Ready(end),
            }
        } else {
            content.moved.split().freeze()
        };
        content.returned = data.len();
        if data.len() < SMALL_SIZE {
            let less = |count: u32| count.checked_sub(1);
            let _ = self
                .small_frames
                .fetch_update(Ordering::Relaxed, Ordering::Relaxed, less);
        }
        Poll::Ready(Some(Ok(data)))
    }

    /// Returns the trailers, after the end of the data.
    pub(super) fn poll_trailers(
        &self,
        cx: &mut Context<'_>,
    ) -> Poll<Result<Option<http::HeaderMap>, h2::Error>> {
        match &mut self.content().stream {
            Some(stream) => stream.poll_trailers(cx),
            None => Poll::Ready(Ok(None)),
        }
    }

    pub(super) fn is_end_stream(&self) -> bool {
        let content = self.content();
        let stream = content.stream.as_ref();
        // A stream that was cut off ends with an error.
        !self.is_cut.load(Ordering::Relaxed)
            && content.moved.is_empty()
            && stream.is_none_or(RecvStream::is_end_stream)
    }

    fn content(&self) -> MutexGuard<'_, Content> {
        lock(&self.content)
    }
}

/// Locks a mutex. Poisoning is ignored, because nothing panics while a lock of this module is held.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The byte stream of a connection, which reads the headers of the frames that pass.
pub(super) struct Frames<S> {
    stream: S,
    streams: Arc<Streams>,
    /// The header of a frame of which only the first bytes have been read. They aren't passed on before the header is complete.
    partial: [u8; HEADER_SIZE],
    partial_len: usize,
    /// Bytes that were read while the reader had too little room to read headers.
    surplus: BytesMut,
    /// The number of bytes that remain of the current frame.
    remaining: usize,
    /// The number of HEADERS frames since the task last let others run.
    headers: u32,
    /// The task lets others run before the next read.
    must_yield: bool,
}

impl<S> Frames<S> {
    pub(super) fn new(stream: S, streams: Arc<Streams>) -> Self {
        Self {
            stream,
            streams,
            partial: [0; HEADER_SIZE],
            partial_len: 0,
            surplus: BytesMut::new(),
            remaining: 0,
            headers: 0,
            must_yield: false,
        }
    }

    /// Reads the headers in the bytes. Returns the number of bytes that may be passed on. Empty frames are removed.
    fn inspect(&mut self, bytes: &mut [u8]) -> usize {
        let (mut at, mut len) = (0, bytes.len());
        loop {
            if self.remaining > 0 {
                let skipped = self.remaining.min(len - at);
                self.remaining -= skipped;
                at += skipped;
            }
            let Some(header) = bytes
                .get(at..at + HEADER_SIZE)
                .filter(|_| at + HEADER_SIZE <= len)
            else {
                break;
            };
            let [a, b, c, kind, flags, id @ ..] = header else {
                break;
            };
            let payload = usize::from(*a) << 16 | usize::from(*b) << 8 | usize::from(*c);
            let (kind, flags) = (*kind, *flags);
            let id = id.iter().fold(0, |id, byte| id << 8 | u32::from(*byte)) & 0x7fff_ffff;
            if kind == DATA && payload == 0 && flags & (END_STREAM | PADDED) == 0 {
                bytes.copy_within(at + HEADER_SIZE..len, at);
                len -= HEADER_SIZE;
                continue;
            }
            match kind {
                DATA => {
                    let is_small = payload < SMALL_SIZE || flags & PADDED != 0;
                    self.must_yield |= self.streams.on_data(id, payload, is_small);
                }
                SETTINGS if flags & ACK == 0 => {
                    self.streams.has_settings.store(true, Ordering::Relaxed);
                }
                WINDOW_UPDATE => self.streams.on_window_update(id),
                HEADERS => {
                    self.headers += 1;
                    self.must_yield |= self.headers > MAX_HEADERS_PER_TURN;
                }
                _ => {}
            }
            at += HEADER_SIZE;
            self.remaining = payload;
        }
        // The start of a header is held back until the header is complete.
        let rest = bytes.get(at..len).unwrap_or_default();
        self.partial_len = rest.len();
        if let Some(partial) = self.partial.get_mut(..rest.len()) {
            partial.copy_from_slice(rest);
        }
        at
    }
}

impl<S: AsyncRead + Unpin> Frames<S> {
    /// Reads bytes into a buffer with room for several headers, and inspects them. Reads nothing at the end of the stream.
    fn poll_inspected(
        &mut self,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        loop {
            let start = buffer.filled().len();
            let held_len = self.partial_len;
            buffer.put_slice(self.partial.get(..held_len).unwrap_or_default());
            let read = Pin::new(&mut self.stream).poll_read(cx, buffer);
            let is_unchanged = buffer.filled().len() == start + held_len;
            if read.is_pending() {
                self.headers = 0;
            }
            if is_unchanged || !matches!(read, Poll::Ready(Ok(()))) {
                let is_end = matches!(read, Poll::Ready(Ok(())));
                // At the end, h2 gets the rest as it is, and reports a truncated frame.
                match is_end {
                    true => self.partial_len = 0,
                    false => buffer.set_filled(start),
                }
                return read;
            }
            let new = buffer.filled_mut().get_mut(start..).unwrap_or_default();
            let kept = self.inspect(new);
            buffer.set_filled(start + kept);
            if kept > 0 {
                return Poll::Ready(Ok(()));
            }
            // All of it was held back or removed: an empty result would look like the end.
        }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Frames<S> {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        if this.surplus.is_empty() {
            if std::mem::take(&mut this.must_yield) {
                this.headers = 0;
                cx.waker().wake_by_ref();
                return Poll::Pending;
            }
            if buffer.remaining() >= MIN_ROOM {
                return this.poll_inspected(cx, buffer);
            }
            let mut space = [0; MIN_ROOM];
            let mut read = ReadBuf::new(&mut space);
            ready!(this.poll_inspected(cx, &mut read))?;
            this.surplus.extend_from_slice(read.filled());
        }
        let fits = this.surplus.len().min(buffer.remaining());
        buffer.put_slice(&this.surplus.split_to(fits));
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Frames<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(cx, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

#[expect(clippy::unwrap_used, reason = "a test fails by panicking")]
#[cfg(test)]
mod tests {
    use std::future::poll_fn;

    use proptest::prelude::*;

    use super::*;

    fn frame(kind: u8, flags: u8, id: u32, payload: &[u8]) -> Vec<u8> {
        let len = u32::try_from(payload.len()).unwrap().to_be_bytes();
        [&len[1..], &[kind, flags], &id.to_be_bytes(), payload].concat()
    }

    /// Returns what h2 would read if the upstream's bytes arrived in pieces of these sizes.
    async fn passed(bytes: &[u8], sizes: &[usize], room: usize) -> Vec<u8> {
        let mut mock = pieces(bytes, sizes);
        let mut frames = Frames::new(&mut mock, Arc::default());
        let mut all = Vec::new();
        loop {
            let mut space = vec![0; room];
            let mut buffer = ReadBuf::new(&mut space);
            poll_fn(|cx| Pin::new(&mut frames).poll_read(cx, &mut buffer))
                .await
                .unwrap();
            if buffer.filled().is_empty() {
                return all;
            }
            all.extend_from_slice(buffer.filled());
        }
    }

    /// A reader that returns one piece at a time.
    struct Pieces(Vec<Vec<u8>>);

    fn pieces(bytes: &[u8], sizes: &[usize]) -> Pieces {
        let (mut pieces, mut rest, mut sizes) = (Vec::new(), bytes, sizes.iter().cycle());
        while !rest.is_empty() {
            let size = (*sizes.next().unwrap()).clamp(1, rest.len());
            let (piece, after) = rest.split_at(size);
            pieces.push(piece.to_vec());
            rest = after;
        }
        pieces.reverse();
        Pieces(pieces)
    }

    impl AsyncRead for Pieces {
        fn poll_read(
            mut self: Pin<&mut Self>,
            _: &mut Context<'_>,
            buffer: &mut ReadBuf<'_>,
        ) -> Poll<io::Result<()>> {
            if let Some(mut piece) = self.0.pop() {
                let fits = piece.len().min(buffer.remaining());
                let rest = piece.split_off(fits);
                buffer.put_slice(&piece);
                if !rest.is_empty() {
                    self.0.push(rest);
                }
            }
            Poll::Ready(Ok(()))
        }
    }

    proptest! {
        #[test]
        fn all_frames_but_empty_ones_pass_unchanged_in_pieces_of_any_size(
            frames in prop::collection::vec((0_u8..10, 0_u8..16, 1_u32..9, 0_usize..600), 0..20),
            sizes in prop::collection::vec(1_usize..700, 1..5),
            room in 1_usize..900,
        ) {
            let (mut sent, mut expected) = (Vec::new(), Vec::new());
            for (kind, flags, id, len) in frames {
                let frame = frame(kind, flags, id, &vec![b'x'; len]);
                sent.extend_from_slice(&frame);
                let is_empty = kind == DATA && len == 0 && flags & (END_STREAM | PADDED) == 0;
                if !is_empty {
                    expected.extend_from_slice(&frame);
                }
            }
            let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
            prop_assert_eq!(runtime.block_on(passed(&sent, &sizes, room)), expected);
        }
    }

    #[test]
    fn a_stream_that_sends_more_than_the_reduced_window_is_reset_above_the_maximum() {
        let streams = Arc::new(Streams::default());
        let (large, small) = (streams.add(1), streams.add(3));
        assert!(!streams.on_data(1, 256 << 20, false));
        assert!(!streams.on_data(3, 32 << 10, false));
        assert!(streams.on_data(1, 1, false));
        assert!(!streams.on_data(1, 1, false), "it's reset once");
        streams.relieve();
        assert!(
            !large.inbox().is_end_stream(),
            "the response isn't complete"
        );
        let mut cx = Context::from_waker(Waker::noop());
        let end = large.poll_data(&mut cx);
        assert!(matches!(end, Poll::Ready(Some(Err(_)))), "{end:?}");
        drop(large);
        assert!(!streams.on_data(3, 1, false), "the bytes aren't counted");
        drop(small);
    }

    #[test]
    fn small_frames_are_counted_by_stream() {
        let streams = Arc::new(Streams::default());
        let registered = streams.add(3);
        for _ in 1..MAX_SMALL_FRAMES {
            assert!(!streams.on_data(3, 1, true) && !streams.on_data(5, 1, true));
        }
        assert!(streams.on_data(3, 1, true));
        assert_eq!(lock(&streams.crowded).len(), 1);
        streams.relieve();
        drop(registered);
        assert!(!streams.on_data(3, 1, true));
        assert!(lock(&streams.inboxes).is_empty());
    }
}
